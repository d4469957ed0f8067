package bench

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestMain lets the test binary be a core and a generator, as coreproof can be.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "core":
			os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
		case "mannered":
			os.Exit(manneredMain(os.Args[2:]))
		case "generator":
			os.Exit(generator.Main(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

func embedded(t *testing.T) *launch.Embedded {
	t.Helper()
	core, err := launch.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	gen, err := launch.Own("generator")
	if err != nil {
		t.Fatal(err)
	}
	e, err := launch.NewEmbedded(launch.EmbeddedOptions{Command: core, GeneratorCommand: gen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func fixed(cost, floor, saturated int) func() Plan {
	return func() Plan { return &FixedPlan{Cost: cost, Floor: floor, Saturated: saturated} }
}

func TestRun(t *testing.T) {
	t.Parallel()
	res, left, err := Run(t.Context(), Options{
		Target: embedded(t), Versions: []string{"2.20", "5.4"}, Plan: fixed(2, 1, 1),
		Window: 200 * time.Millisecond, SaturatedWindow: 100 * time.Millisecond, RateHz: 200, Tokens: 50, Connections: 2, Pin: true, Seed: 1,
	})
	if err != nil || left != nil {
		t.Fatal(left, err)
	}
	if len(res) != 2 || res[0].FlagMode != "setting" || res[1].FlagMode != "request" {
		t.Fatalf("%d results, want one where the setting decides and one where the request does", len(res))
	}
	for _, b := range res {
		kinds := map[string]int{}
		for _, r := range b.Rounds {
			kinds[r.Kind]++
			if len(r.Windows) != 2 {
				t.Fatalf("%s round %d has %d windows", b.Protocol, r.Index, len(r.Windows))
			}
			x, y := r.Windows[0], r.Windows[1]
			if x.Calls == 0 || y.Calls == 0 || x.Errors+y.Errors != 0 {
				t.Errorf("%s round %d: %+v", b.Protocol, r.Index, r.Windows)
			}
			if r.Kind == proof.KindCost && (x.Variant != Off || y.Variant != On) || r.Kind == proof.KindFloor && x.Variant != y.Variant {
				t.Errorf("%s round %d of kind %s has variants %s and %s", b.Protocol, r.Index, r.Kind, x.Variant, y.Variant)
			}
		}
		for _, d := range b.Dropped {
			kinds[d.Kind]++
		}
		floor := kinds[proof.KindFloor] > 0 || b.Design.FloorReason != ""           // slow to start: the processes are kept
		if kinds[proof.KindCost] < 2 || !floor || kinds[proof.KindSaturated] != 1 { // some are made up for
			t.Errorf("%s: rounds = %v", b.Protocol, kinds)
		}
		if b.Design.Tokens != 50 || b.Design.Rows == nil || *b.Design.Rows < 50 || b.Design.RateHz != 200 {
			t.Errorf("%s: design = %+v", b.Protocol, b.Design)
		}
		if len(b.Controls) != 2 || b.Controls[0].Accepted != controlTrials || b.Controls[1].Accepted != 0 {
			t.Errorf("%s: controls = %+v", b.Protocol, b.Controls)
		}
		if len(b.Steady) != 2 || !b.Steady[0].Reached || b.Steady[0].Unit != "µs" {
			t.Errorf("%s: steady = %+v", b.Protocol, b.Steady)
		}
	}
}

func TestFootprint(t *testing.T) {
	t.Parallel()
	f, err := Footprint(t.Context(), FootprintOptions{Target: embedded(t), Versions: []string{"2.20", "5.4"}, Calls: 20, Sessions: 60})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, s := range f.Statements {
		if s.Operation != proof.OpVerify {
			continue
		}
		seen++
		want := map[string]float64{On: 1, Off: 0}[s.Flag]
		if s.PerCall() != want || s.Calls != 20 {
			t.Errorf("%s, flag %s: %g statements a verify over %d calls, want %g over 20", s.Protocol, s.Flag, s.PerCall(), s.Calls, want)
		}
	}
	if seen != 4 {
		t.Errorf("verify was counted for %d of 4 combinations", seen)
	}
	if s := f.Space; s == nil || s.RowsOn == 0 || s.RowsOn != s.RowsOff || s.RevokedOn >= s.RowsOn || s.SchemaOn != s.SchemaOff {
		t.Errorf("space = %+v", f.Space)
	}
}

// TestWrongAnswersFailTheRun: sessions that are revoked under the bench.
func TestWrongAnswersFailTheRun(t *testing.T) {
	t.Parallel()
	tg := embedded(t)
	ctx := t.Context()
	d, err := tg.Start(ctx, 1, launch.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	rounds := fixed(1, 0, 0)
	res, _, err := Run(ctx, Options{
		Target: tg, Versions: []string{"2.20"}, Window: 200 * time.Millisecond, RateHz: 100, Tokens: usersPerPopulation, Connections: 2, Seed: 3, crowd: "known",
		Plan: func() Plan {
			once.Do(func() { revokeEverything(t, d) })
			return rounds()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]int64{}
	for _, r := range res[0].Rounds {
		for _, w := range r.Windows {
			wrong[w.Variant] += w.Errors
		}
	}
	if wrong[Off] != 0 || wrong[On] == 0 {
		t.Errorf("wrong answers: %d with the flag off, %d with it on; want none and some", wrong[Off], wrong[On])
	}
	p := &proof.Proof{Targets: []proof.Target{{Name: "x", Bench: res}}}
	if verdict.Derive(p); p.Verdict.ExitCode != 1 {
		t.Errorf("verdict = %+v, want a fail", p.Verdict)
	}
}

// TestNoTwoRunsShareUsers: one of the same seed on the same cores must not end the other's
// sessions.
func TestNoTwoRunsShareUsers(t *testing.T) {
	t.Parallel()
	users := func() string {
		m := measurement{bench: &bench{Options: Options{Seed: 3}.filled()}, version: "2.20"}
		return m.population(nil).User(0)
	}
	if a, b := users(), users(); a == b {
		t.Errorf("two runs name a user %s", a)
	}
}

// revokeEverything ends the sessions of the bench's own users.
func revokeEverything(t *testing.T, d launch.Deployment) {
	t.Helper()
	cores, err := d.Cores("2.20")
	if err != nil {
		t.Error(err)
		return
	}
	m := measurement{bench: &bench{Options: Options{crowd: "known"}}, version: "2.20"}
	for i := range usersPerPopulation {
		if _, err := cores[0].(protocol.UserRevoker).RevokeUser(t.Context(), m.population(cores[0]).User(i)); err != nil {
			t.Error(err)
		}
	}
}

// TestN3TwoCoresAlikeHaveNoPrice: two flag-on cores at a version where the setting
// decides are no pair, and pricing them would say that blacklisting is free.
func TestN3TwoCoresAlikeHaveNoPrice(t *testing.T) {
	t.Parallel()
	both := FlagVariants()
	for name, flag := range map[string]bool{"both on": true, "both off": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			variants := append([]Variant(nil), both...)
			for i := range variants {
				variants[i].Settings.Flag = flag
			}
			res, _, err := Run(t.Context(), Options{Target: embedded(t), Versions: []string{"2.20"}, Variants: variants, Plan: fixed(2, 0, 0), Tokens: 50, RateHz: 100})
			if err != nil {
				t.Fatal(err)
			}
			if len(res[0].Rounds) != 0 {
				t.Errorf("%d rounds were measured between cores that do not differ", len(res[0].Rounds))
			}
			p := &proof.Proof{Targets: []proof.Target{{Name: "x", Bench: res}}}
			if verdict.Derive(p); p.Verdict.ExitCode == 0 {
				t.Errorf("verdict = %+v, want no success", p.Verdict)
			}
		})
	}
}

func TestBins(t *testing.T) {
	t.Parallel()
	h := generator.NewHistogram()
	const n = 10000
	for i := range n {
		if err := h.RecordValue(int64(100_000 + i*1000)); err != nil {
			t.Fatal(err)
		}
	}
	b := bins(h, On)
	var sum int64
	for i, c := range b.Count {
		sum += c
		if i > 0 && b.UpperMs[i] <= b.UpperMs[i-1] {
			t.Fatalf("bounds do not ascend: %v", b.UpperMs)
		}
	}
	if sum != n || len(b.Count) != len(b.UpperMs) || b.UpperMs[len(b.UpperMs)-1] < 10 {
		t.Errorf("%d of %d values in %d bins up to %v ms", sum, n, len(b.Count), b.UpperMs[len(b.UpperMs)-1])
	}
}

// TestFixedPlan makes up for rounds that do not count, within bounds.
func TestFixedPlan(t *testing.T) {
	t.Parallel()
	kept := func(s Step) (proof.Round, bool) {
		return proof.Round{Kind: s.Kind, Saturated: s.Kind == proof.KindSaturated}, true
	}
	for _, tc := range []struct {
		name string
		plan FixedPlan
		end  func(Step) (proof.Round, bool) // false: dropped
		want []string
	}{
		{"all count", FixedPlan{Cost: 2, Floor: 3, Saturated: 1}, kept, []string{"cost", "floor", "cost", "floor", "floor", "saturated"}},
		{"cost alone", FixedPlan{Cost: 2}, kept, []string{"cost", "cost"}},
		{"nothing", FixedPlan{}, kept, nil},
		{"none of cost counts", FixedPlan{Cost: 2}, func(s Step) (proof.Round, bool) { return proof.Round{}, false }, []string{"cost", "cost", "cost", "cost"}},
		{"saturated ones do not count", FixedPlan{Cost: 1, Saturated: 1}, func(s Step) (proof.Round, bool) { return proof.Round{Kind: s.Kind, Saturated: true}, true }, []string{"cost", "cost", "cost", "saturated"}},
	} {
		var got []string
		var rounds []proof.Round
		for {
			s, more := tc.plan.Next(rounds, nil)
			if !more {
				break
			}
			if len(s.Sides) != 2 || (s.Kind == proof.KindFloor) != (s.Sides[0] == s.Sides[1]) {
				t.Errorf("%s: step %+v", tc.name, s)
			}
			got = append(got, s.Kind)
			if r, ok := tc.end(s); ok {
				rounds = append(rounds, r)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: steps %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestDearer(t *testing.T) {
	t.Parallel()
	fell := []float64{50, 40, 33, 26, 20, 16, 12, 10, 10, 10, 10, 10}
	level := []float64{10, 10, 10, 10, 10, 10}
	for _, tc := range []struct {
		name           string
		figures, fresh []float64
		want           bool
	}{
		{"a compiler at work, again", fell, []float64{48, 41, 33}, true},
		{"the machine became faster", fell, []float64{10, 11, 10}, false},
		{"one window was disturbed", fell, []float64{10, 40, 10}, false},
		{"never became cheaper", level, []float64{48, 41, 33}, false},
	} {
		if got := dearer([]proof.Steady{{Figures: level}, {Figures: tc.figures}}, [][]float64{level, tc.fresh}); got != tc.want {
			t.Errorf("%s: dear again %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestWarmedUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		figures []float64
		want    bool
	}{
		{"level", []float64{10, 10, 10, 10, 10, 10}, false},
		{"noise that took long to settle", []float64{10, 14, 9, 40, 10, 11, 9, 16, 10, 9, 13, 10}, false},
		{"a compiler at work", []float64{50, 40, 33, 26, 20, 16, 12, 10, 10, 10, 10, 10}, true},
		{"dearer", []float64{10, 10, 12, 15, 16, 16}, false},
		{"too few", []float64{50, 10}, false},
	} {
		level := proof.Steady{Figures: []float64{10, 10, 10, 10, 10, 10}}
		if got := warmedUp([]proof.Steady{level, {Figures: tc.figures}}); got != tc.want {
			t.Errorf("%s: warmed up %v, want %v", tc.name, got, tc.want)
		}
	}
}

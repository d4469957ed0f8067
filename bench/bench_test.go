package bench

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
)

// TestMain lets the test binary be a core and a generator, as coreproof can be.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "core":
			os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
		case "core-on-server":
			os.Exit(serve.Main(context.Background(), "core", os.Args[4:], coreEnviron(os.Args[2], os.Args[3]), os.Stdin, os.Stdout, os.Stderr))
		case "bare":
			os.Exit(bareMain(os.Args[2:]))
		case "generator":
			os.Exit(generator.Main(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

func embedded(t *testing.T) *target.Embedded {
	t.Helper()
	core, err := target.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	gen, err := target.Own("generator")
	if err != nil {
		t.Fatal(err)
	}
	e, err := target.NewEmbedded(target.EmbeddedOptions{Command: core, GeneratorCommand: gen})
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

func TestRun(t *testing.T) {
	t.Parallel()
	res, err := Run(t.Context(), Options{
		Target: embedded(t), Protocols: []target.Protocol{"2.20", "5.4"}, CostRounds: 2, FloorRounds: 1, ClosedRounds: 1,
		Stretch: 200 * time.Millisecond, ClosedStretch: 100 * time.Millisecond, RateHz: 200, Tokens: 50, Connections: 2, Pin: true, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(res) != 2 || res[0].Era != "setting" || res[1].Era != "request" {
		t.Fatalf("eras = %d, want setting and request", len(res))
	}
	for _, b := range res {
		kinds := map[string]int{}
		for _, r := range b.Rounds {
			kinds[r.Kind]++
			if r.A.Calls == 0 || r.B.Calls == 0 || r.A.Errors+r.B.Errors != 0 {
				t.Errorf("%s round %d: calls %d and %d, errors %d and %d", b.Protocol, r.Index, r.A.Calls, r.B.Calls, r.A.Errors, r.B.Errors)
			}
			if r.Kind == "cost" && (r.A.Flag != "off" || r.B.Flag != "on") || r.Kind == "aa" && r.A.Flag != r.B.Flag {
				t.Errorf("%s round %d of kind %s has sides %s and %s", b.Protocol, r.Index, r.Kind, r.A.Flag, r.B.Flag)
			}
		}
		for _, d := range b.Dropped {
			kinds[d.Kind]++
		}
		if kinds["cost"] != 2 || kinds["aa"] != 1 || kinds["closed"] != 1 {
			t.Errorf("%s: rounds = %v", b.Protocol, kinds)
		}
		if b.Design.Tokens != 50 || b.Design.Rows < 50 || b.Design.RateHz != 200 {
			t.Errorf("%s: design = %+v", b.Protocol, b.Design)
		}
	}
}

func TestFootprint(t *testing.T) {
	t.Parallel()
	f, err := Footprint(t.Context(), FootprintOptions{Target: embedded(t), Protocols: []target.Protocol{"2.20", "5.4"}, Calls: 20, Sessions: 60})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, s := range f.Statements {
		if s.Operation != "verify" {
			continue
		}
		seen++
		want := map[string]float64{"on": 1, "off": 0}[s.Flag]
		if s.PerCall() != want || s.Calls != 20 {
			t.Errorf("%s era, flag %s: %g statements a verify over %d calls, want %g over 20", s.Era, s.Flag, s.PerCall(), s.Calls, want)
		}
	}
	if seen != 4 {
		t.Errorf("verify was counted for %d of 4 combinations", seen)
	}
	if f.Space == nil || !f.Space.Held {
		t.Errorf("space = %+v", f.Space)
	}
}

// TestWrongAnswersFailTheRun: sessions that are revoked under the bench.
func TestWrongAnswersFailTheRun(t *testing.T) {
	t.Parallel()
	tg := embedded(t)
	ctx := t.Context()
	d, err := tg.Start(ctx, 1, target.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	first := true
	res, err := Run(ctx, Options{
		Target: tg, Protocols: []target.Protocol{"2.20"}, CostRounds: 1, Stretch: 200 * time.Millisecond, RateHz: 100, Tokens: usersPerPopulation, Connections: 2, Seed: 3,
		Progress: func(e Event) {
			if e.Phase != "calibrate" || !first {
				return
			}
			first = false
			revokeEverything(t, d)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var off, on int64
	for _, r := range res[0].Rounds {
		off, on = off+r.A.Errors, on+r.B.Errors
	}
	if off != 0 || on == 0 {
		t.Errorf("wrong answers: %d with the flag off, %d with it on; want none and some", off, on)
	}
	p := &proof.Proof{Targets: []proof.Target{{Name: "x", Bench: res}}}
	if v := proof.Judge(p); v.ExitCode != 1 {
		t.Errorf("verdict = %+v, want a fail", v)
	}
}

// revokeEverything ends the sessions of the bench's own users.
func revokeEverything(t *testing.T, d target.Deployment) {
	t.Helper()
	core := d.Clients("2.20")[0]
	for i := range usersPerPopulation {
		if _, err := core.RevokeUser(t.Context(), user(benchUsers(3, "2.20"), i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEmptyMachineIsNotGateable(t *testing.T) {
	t.Parallel()
	e := synthetic([]proof.Round{{Kind: "cost", A: proof.Side{Flag: "off", Calls: 10, CPU: -1, P50: 1}, B: proof.Side{Flag: "on", Calls: 10, CPU: -1, P50: 2}}})
	e.summarise()
	if e.res.Gateable || e.res.NotGateable == "" || e.res.CoreCPURatio != nil {
		t.Errorf("without a CPU clock: gateable %v, ratio %v", e.res.Gateable, e.res.CoreCPURatio)
	}
	if e.res.CostPerCall == nil || e.res.CostPerCall.Value != 1 {
		t.Errorf("cost per call = %+v, want 1 ms from the latencies", e.res.CostPerCall)
	}
}

func synthetic(rounds []proof.Round) *era {
	return &era{bench: &bench{}, res: &proof.Bench{Gateable: true, Rounds: rounds}, merged: newMerged()}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var rounds []proof.Round
	for i := range 8 {
		wobble := 1 + 0.01*float64(i%2)
		rounds = append(rounds,
			proof.Round{Kind: "cost", DatabaseCPU: 5000, A: proof.Side{Calls: 100, CPU: 10000 * wobble, P50: 1}, B: proof.Side{Calls: 100, CPU: 15000 * wobble, P50: 1.5}},
			proof.Round{Kind: "aa", A: proof.Side{Calls: 100, CPU: 10000 * wobble, P50: 1}, B: proof.Side{Calls: 100, CPU: 10000, P50: 1}},
			proof.Round{Kind: "closed", A: proof.Side{Calls: 100, CPU: 8000, Rate: 1000}, B: proof.Side{Calls: 80, CPU: 8000, Rate: 800}},
			proof.Round{Kind: "cost", Saturated: true, DatabaseCPU: 5000, A: proof.Side{Calls: 100, CPU: 10000 * wobble, P50: 500}, B: proof.Side{Calls: 100, CPU: 15000 * wobble, P50: 900}})
	}
	e := synthetic(rounds)
	e.summarise()
	b := e.res
	for _, tc := range []struct {
		name string
		got  *proof.Estimate
		want float64
	}{
		{"core CPU ratio", b.CoreCPURatio, 1.5}, {"core CPU off", b.CoreCPUOff, 100.5}, {"core CPU difference", b.CoreCPUDiff, 50.25},
		{"database CPU", b.DatabaseCPU, 50}, {"cost per call, saturated rounds left out", b.CostPerCall, 0.5},
		{"throughput ratio", b.ThroughputRatio, 0.8}, {"saturated CPU on", b.SaturatedCPUOn, 100}, {"floor", b.Floor, 0.995},
	} {
		if tc.got == nil || math.Abs(tc.got.Value-tc.want) > 0.01*tc.want {
			t.Errorf("%s = %+v, want %v", tc.name, tc.got, tc.want)
			continue
		}
		if tc.got.Low > tc.got.Value || tc.got.High < tc.got.Value || math.IsInf(tc.got.High, 0) {
			t.Errorf("%s: interval [%v, %v] around %v", tc.name, tc.got.Low, tc.got.High, tc.got.Value)
		}
	}
	if !strings.Contains(b.CoreCPURatio.Method, "anytime") {
		t.Errorf("method of the claim = %q", b.CoreCPURatio.Method)
	}
}

func TestJudgeSpace(t *testing.T) {
	t.Parallel()
	good := proof.Space{SchemaOn: "s", SchemaOff: "s", RowsOn: 10, RowsOff: 10, RevokedOn: 6, RevokedOff: 6, BytesOn: 1000, BytesOff: 1000, Tolerance: 0.05}
	for _, tc := range []struct {
		name   string
		change func(*proof.Space)
		held   bool
	}{
		{"equal", func(*proof.Space) {}, true},
		{"bytes within the tolerance", func(s *proof.Space) { s.BytesOn = 1049 }, true},
		{"more bytes", func(s *proof.Space) { s.BytesOn = 1051 }, false},
		{"fewer bytes", func(s *proof.Space) { s.BytesOn = 900 }, false},
		{"another schema", func(s *proof.Space) { s.SchemaOn = "t" }, false},
		{"more rows", func(s *proof.Space) { s.RowsOn = 11 }, false},
		{"rows stay after the revokes", func(s *proof.Space) { s.RevokedOn = 7 }, false},
		{"nothing revoked", func(s *proof.Space) { s.RevokedOn, s.RevokedOff = 10, 10 }, false},
		{"no rows at all", func(s *proof.Space) { s.RowsOn, s.RowsOff, s.RevokedOn, s.RevokedOff = 0, 0, 0, 0 }, false},
	} {
		s := good
		tc.change(&s)
		judgeSpace(&s)
		if s.Held != tc.held || s.Held == (s.Reason != "") {
			t.Errorf("%s: held %v (%q), want %v", tc.name, s.Held, s.Reason, tc.held)
		}
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
	b := bins(h, "on")
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

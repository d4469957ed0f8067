package selftest

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/gate"
	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
)

var update = flag.Bool("update", false, "write the table of docs/gate.md again")

// recorded are the real runs that this repository keeps.
func recorded(t *testing.T) []Record {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "testdata", "gate", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := Read(files...)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d runs, %v", len(list), err)
	}
	return list
}

// TestDocsSayWhatTheRecordSays: the table in docs/gate.md is made from the record.
func TestDocsSayWhatTheRecordSays(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "gate.md")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- record -->\n", "<!-- end of record -->\n"
	before, rest, ok1 := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("docs/gate.md has no place for the record")
	}
	want := before + begin + Table(recorded(t)) + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(b) != want {
		t.Error("docs/gate.md does not say what testdata/gate says; run: go test ./internal/gate/selftest -run TestDocs -update")
	}
}

// TestRecordedRoundsRaiseNoAlarm draws runs from the recorded rounds of identical
// builds. Base and head are exchangeable there, so each round gets a random sign;
// shifted by 5 % the same rounds must be caught.
func TestRecordedRoundsRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	rounds := map[string][]float64{}
	for _, r := range recorded(t) {
		if r.Kind == "aa" {
			for _, name := range []string{"cpu-off", "cpu-on"} {
				rounds[name] = append(rounds[name], r.X[name]...)
			}
		}
	}
	const runs = 10000
	for name, xs := range rounds {
		q := stats.Sequential{Bound: math.Log(1.02), AlphaAbove: 0.005 / 3, AlphaBelow: 0.025, MinN: gate.MinRounds, MaxN: gate.MaxRounds}
		r := rand.New(rand.NewPCG(1, 2))
		alarms, caught := 0, 0
		for range runs {
			draw := make([]float64, gate.MaxRounds)
			for i := range draw {
				draw[i] = xs[r.IntN(len(xs))]
				if r.IntN(2) == 0 {
					draw[i] = -draw[i]
				}
			}
			if q.Decide(draw).Position == stats.Above {
				alarms++
			}
			for i := range draw {
				draw[i] += math.Log(1.05)
			}
			if q.Decide(draw).Position == stats.Above {
				caught++
			}
		}
		t.Logf("%s: %d rounds, σ %.1f %%: %d false alarms and %d of +5 %% caught in %d runs", name, len(xs), 100*stats.T(xs, 0.95).SD, alarms, caught, runs)
		if alarms > runs/100 {
			t.Errorf("%s: %d false alarms in %d runs", name, alarms, runs)
		}
		if caught < runs*95/100 {
			t.Errorf("%s: +5 %% is caught in %d of %d runs", name, caught, runs)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hits, of  int
		low, high float64
	}{
		{0, 0, 0, 1},
		{0, 300, 0, 0.01222},
		{10, 10, 0.69150, 1},
		{3, 20, 0.03207, 0.37893},
	} {
		if r := NewRate(c.hits, c.of); math.Abs(r.Low-c.low) > 1e-4 || math.Abs(r.High-c.high) > 1e-4 {
			t.Errorf("%d of %d: %.5f to %.5f, want %.5f to %.5f", c.hits, c.of, r.Low, r.High, c.low, c.high)
		}
	}
}

// TestTalliesAddUp: undecided and too noisy are no detection, and files join.
func TestTalliesAddUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	// Of an older calibration more was injected than the kind says: a row of its own.
	if err := Append(a, Record{Kind: "cpu+5", Outcome: proof.Fail}); err != nil {
		t.Fatal(err)
	}
	add := func(path, kind string, o proof.Outcome, reason, cpu string) {
		t.Helper()
		if err := Append(path, Record{Kind: kind, Probe: 1, Outcome: o, Reason: reason, Measured: 10 * time.Second, Machine: proof.Machine{CPU: cpu}}); err != nil {
			t.Fatal(err)
		}
	}
	add(a, "cpu+5", proof.Fail, "regression", "x")
	add(a, "cpu+5", proof.Undecided, "too-noisy", "x")
	add(b, "cpu+5", proof.Undecided, "undecided", "y")
	add(b, "cpu+5", proof.Pass, "held", "y")
	add(b, "aa", proof.Fail, "regression", "y")
	list, err := Read(a, b, filepath.Join(dir, "not there"))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range Tallies(list) {
		switch {
		case x.Older:
			if x.Name != "cpu+5" || x.Failed.Of != 1 {
				t.Errorf("%+v", x)
			}
		case x.Name == "cpu+5":
			if x.Fail != 1 || x.Pass != 1 || x.Noisy != 1 || x.Open != 1 || x.Failed.Hits != 1 || x.Failed.Of != 4 || x.Machines != 2 || x.Measured != 10*time.Second {
				t.Errorf("%+v", x)
			}
		case x.Name == "aa":
			if x.Failed.Hits != 1 || x.Failed.Of != 1 {
				t.Errorf("%+v", x)
			}
		}
	}
	if err := os.WriteFile(a, []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(a); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("half a line: %v", err)
	}
}

func TestNextTakesTurns(t *testing.T) {
	t.Parallel()
	want, have := map[string]int{"aa": 4, "cpu+5": 2}, map[string]int{}
	var order []string
	for {
		k, more := next(want, have)
		if !more {
			break
		}
		have[k.Name]++
		order = append(order, k.Name)
	}
	if !slices.Equal(order, []string{"aa", "cpu+5", "aa", "aa", "cpu+5", "aa"}) {
		t.Errorf("order %v", order)
	}
}

// TestInjected: no core is slowed down that was not asked for.
func TestInjected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, environ []string
		engine, store bool
		err           bool
	}{
		{[]string{"--port", "1"}, nil, false, false, false},
		{[]string{"--port", "1", flagOf("000000100,0")}, nil, true, false, false},
		{nil, []string{"COREPROOF_INJECT=000000000,1"}, true, true, false},
		{[]string{flagOf("x")}, nil, false, false, true},
		{[]string{flagOf("-1,0")}, nil, false, false, true},
	} {
		d, rest, err := Injected(c.args, c.environ)
		if (err != nil) != c.err || err == nil && ((d.Engine != nil) != c.engine || (d.Store != nil) != c.store) || slices.ContainsFunc(rest, func(a string) bool { return strings.HasPrefix(a, "--inject") }) {
			t.Errorf("%v %v: %+v %v %v", c.args, c.environ, d, rest, err)
		}
	}
	if a, b := (Injection{}).text(), (Injection{Loops: 123456, Statements: 1}).text(); len(a) != len(b) {
		t.Errorf("%q and %q differ in length", a, b)
	}
	if turn(1000) == 0 || turn(1000) == turn(1001) {
		t.Error("the loop does no work")
	}
}

func flagOf(text string) string { return "--inject=" + text }

func TestLoopsFor(t *testing.T) {
	t.Parallel()
	round := func(base, slow float64) proof.Round {
		return proof.Round{Windows: []proof.Window{{Variant: "base-off", Calls: 10, CPU: 10 * base}, {Variant: "probe-off", Calls: 10, CPU: 10 * slow}}}
	}
	if n := loopsFor(0.05, []proof.Round{round(100, 150), round(120, 180)}); n != int(0.05*220/110*calibrationLoops) {
		t.Errorf("%d loops", n)
	}
}

package chart_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/chart"
)

// bench of n rounds a second apart: off spends 100 µs of 0.3 ms a call, on 140 µs of
// 0.5 ms and 60 µs of the database.
func bench(n int, edit func(i int, r *proof.Round)) *proof.Bench {
	idle := 1000.0
	b := &proof.Bench{Variants: []proof.Variant{{Name: "off"}, {Name: "on"}}, IdleDatabaseCPU: &idle}
	for i := range n {
		r := proof.Round{Index: i, Kind: proof.KindCost, Started: time.Unix(1e9+int64(i), 0), Took: time.Second, DatabaseCPU: 60*1000 + idle,
			Windows: []proof.Window{{Variant: "off", Calls: 1000, CPU: 100_000, P50: 0.3}, {Variant: "on", Calls: 1000, CPU: 140_000, P50: 0.5}}}
		if edit != nil {
			edit(i, &r)
		}
		b.Rounds = append(b.Rounds, r)
	}
	return b
}

func TestWhere(t *testing.T) {
	t.Parallel()
	sides := chart.Where(bench(6, func(i int, r *proof.Round) {
		if i == 5 { // a queue is no call's time
			r.Saturated = true
			r.Windows[0].P50 = 900
		}
	}))
	for i, want := range [][3]float64{{0.3, 0.1, 0.2}, {0.5, 0.14, 0.3}} {
		s := sides[i]
		if math.Abs(s.Time.Value-want[0]) > 1e-12 || math.Abs(s.Core.Value-want[1]) > 1e-12 || math.Abs(s.Rest.Value-want[2]) > 1e-9 {
			t.Errorf("flag %s: %g, %g, %g, want %v", s.Flag, s.Time.Value, s.Core.Value, s.Rest.Value, want)
		}
		database := 0.0
		if s.Database != nil {
			database = s.Database.Value
		}
		if sum := s.Core.Value + database + s.Rest.Value; math.Abs(sum-s.Time.Value) > 1e-9 {
			t.Errorf("flag %s: the parts make %g of %g", s.Flag, sum, s.Time.Value)
		}
	}
	if sides[0].Database != nil || math.Abs(sides[1].Database.Value-0.06) > 1e-9 {
		t.Errorf("database: off %v, on %v", sides[0].Database, sides[1].Database)
	}
	for name, tc := range map[string]struct {
		edit func(int, *proof.Round)
		why  string
	}{
		"no CPU":      {func(_ int, r *proof.Round) { r.Windows[1].CPU = -1 }, "could not be read"},
		"CPU in idle": {func(_ int, r *proof.Round) { r.Windows[1].CPU = 900_000 }, "no call waits"},
	} {
		if s := chart.Where(bench(6, tc.edit)); s[1].Rest != nil || !strings.Contains(s[1].Beyond, tc.why) {
			t.Errorf("%s: rest %v, %q", name, s[1].Rest, s[1].Beyond)
		}
	}
	mixed := bench(6, nil)
	mixed.Design.VerifyShare = 0.95
	if s := chart.Where(mixed); s != nil {
		t.Errorf("CPU of other calls is taken for that of verifies: %+v", s)
	}
	if s := chart.Where(&proof.Bench{}); s != nil {
		t.Errorf("no rounds have parts: %+v", s)
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	wobble := []float64{1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1}
	for _, tc := range []struct {
		name string
		by   float64 // over the whole run
		want bool
	}{{"steady", 1, false}, {"ten per cent", 1.1, true}, {"half", 0.5, true}} {
		tracks := chart.Tracks(bench(12, func(i int, r *proof.Round) {
			r.Windows[1].CPU *= math.Pow(tc.by, float64(i)/11) * (1 + 0.005*wobble[i])
			if i == 6 { // one that speaks of a queue is shown, and in no figure
				r.Saturated = true
				r.Windows[1].CPU *= 9
			}
		}))
		on := tracks[1]
		if len(on.Spots) != 12 || !on.Spots[6].Saturated || on.Unit != "µs" || on.Spots[11].At != 11*time.Second {
			t.Errorf("%s: %+v", tc.name, on)
		}
		if on.Drifts() != tc.want || math.Abs(on.Drift.Value/tc.by-1) > 0.02 {
			t.Errorf("%s: drifts %v, %+v", tc.name, on.Drifts(), on.Drift)
		}
	}
	if x := chart.Tracks(bench(2, nil)); x[0].Drift != nil || x[0].Drifts() {
		t.Error("two windows show a drift")
	}
	if x := chart.Tracks(bench(4, func(_ int, r *proof.Round) { r.Windows[0].CPU = -1 })); x[1].Unit != "ms" || x[1].Spots[0].Value != 0.5 {
		t.Errorf("without CPU the latency is followed: %+v", x[1])
	}
}

// TestExamples: none of them breaks a picture.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		e, _ := examples.Named(name)
		for i := range e.Proof.Targets {
			for j := range e.Proof.Targets[i].Bench {
				b := &e.Proof.Targets[i].Bench[j]
				for _, x := range chart.Tracks(b) {
					if len(x.Spots) == 0 {
						t.Errorf("%s: a track of nothing", name)
					}
				}
				_ = chart.Where(b)
			}
		}
	}
}

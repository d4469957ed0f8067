package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestSweep takes a short load curve on a real core: what it must hold, not how fast
// the machine is.
func TestSweep(t *testing.T) {
	t.Parallel()
	shares := []float64{0.05, 0.2, 0.6, 1.2}
	res, _, err := Run(t.Context(), Options{
		Target: embedded(t), Versions: []string{"5.4"}, Plan: fixed(1, 0, 0), Window: 200 * time.Millisecond, RateHz: 100, Tokens: 50, Connections: 2, Pin: true, Seed: 5,
		Sweep: &Sweep{Shares: shares, Blocks: 2, Within: 24500 * time.Millisecond, Connections: 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := res[0].Sweep
	if s == nil || s.Blocks != 2 || s.Connections != 8 || s.Window != 525*time.Millisecond || s.Took <= 0 {
		t.Fatalf("sweep = %+v", s)
	}
	if len(s.Saturation) != 2 || s.Saturation[0].RateHz <= 0 || s.Saturation[0].Capped {
		t.Errorf("saturation = %+v", s.Saturation)
	}
	seen, answered := map[string]int{}, 0
	for i, p := range s.Points {
		seen[fmt.Sprint(p.Variant, p.Block, p.Share)]++
		if p.Calls == 0 {
			continue // a starved core may miss a whole window
		}
		answered++
		if p.Errors != 0 || p.CPU <= 0 || p.Took < s.Window || p.P50 <= 0 || p.P50 > p.P99 || p.Mean <= 0 || p.Achieved <= 0 || p.Achieved > 1 || p.Served <= 0 {
			t.Errorf("point %d: %+v", i, p)
		}
		if p.Saturated != "" {
			t.Error("a producer decided what is saturated")
		}
	}
	if 2*answered < len(s.Points) {
		t.Errorf("only %d of %d windows had an answer", answered, len(s.Points))
	}
	if s.CutShort == "" && (len(seen) < 2*2*len(shares) || len(s.Points) != len(seen)) {
		t.Errorf("%d points at %d places, want each of %d once", len(s.Points), len(seen), 2*2*len(shares))
	}
	if !slices.Equal(s.Shares, shares) {
		t.Errorf("shares %v are noted, want %v", s.Shares, shares)
	}
	inOrder := true
	for i := 1; i < len(s.Points); i++ {
		inOrder = inOrder && s.Points[i].RateHz >= s.Points[i-1].RateHz
	}
	if inOrder {
		t.Error("rates were tried in order, and not at random")
	}
	p := &proof.Proof{Targets: []proof.Target{{Name: "x", Bench: res}}}
	verdict.Derive(p)
	if c := p.Targets[0].Bench[0].Sweep.Curves; answered == len(s.Points) && (len(c) != 2 || len(c[0].Rates) < len(shares) && s.CutShort == "") {
		t.Errorf("curves = %+v", c)
	}
	for _, d := range verdict.Verify(p, nil) {
		if d.Path != "digest" {
			t.Errorf("%s", d)
		}
	}
}

// TestSweepIsBounded: what does not fit into the time is left out, and said.
func TestSweepIsBounded(t *testing.T) {
	t.Parallel()
	res, _, err := Run(t.Context(), Options{
		Target: embedded(t), Versions: []string{"5.4"}, Plan: fixed(1, 0, 0), Window: 200 * time.Millisecond, RateHz: 100, Tokens: 50, Connections: 2, Seed: 5,
		Sweep: &Sweep{Blocks: 100, Within: 2 * time.Second, Connections: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := res[0].Sweep; s.CutShort == "" || s.Window != leastSweepWindow || len(s.Points) >= 100*2*len(DefaultShares) {
		t.Errorf("sweep of %d points: cut short %q, window %s", len(s.Points), s.CutShort, s.Window)
	}
}

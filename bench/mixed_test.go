package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/lives"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestVerifyShare: a fifth of the calls begin, refresh and end sessions, at each rate and
// on both sides alike, and what is not verify is counted by itself.
func TestVerifyShare(t *testing.T) {
	t.Parallel()
	tg := embedded(t)
	res, _, err := Run(t.Context(), Options{
		Target: tg, Versions: []string{"5.4"}, Plan: fixed(2, 1, 0), Window: 500 * time.Millisecond, RateHz: 80, Tokens: 50, Connections: 2, Seed: 9, VerifyShare: 0.8,
		Sweep: &Sweep{Shares: []float64{0.1, 0.3}, Blocks: 1, Within: 15 * time.Second, Connections: 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := res[0]
	if b.Design.VerifyShare != 0.8 || len(b.Rounds)+len(b.Dropped) < 3 {
		t.Fatalf("%d rounds, design %+v", len(b.Rounds), b.Design)
	}
	for _, r := range b.Rounds {
		for _, w := range r.Windows {
			// 40 verifies a second a side for half a second, and a quarter as many others.
			if w.Errors != 0 || w.Calls < 15 || w.Others < 4 || w.Others > 6 {
				t.Errorf("round %d: %+v", r.Index, w)
			}
		}
	}
	for i, p := range b.Sweep.Points {
		if p.Errors != 0 || p.Calls > 20 && p.Achieved == 1 && (float64(p.Others) < 0.2*float64(p.Calls)-1 || float64(p.Others) > 0.3*float64(p.Calls)+1) {
			t.Errorf("point %d: %+v", i, p)
		}
	}
	p := &proof.Proof{Targets: []proof.Target{{Name: "x", Bench: res}}}
	verdict.Derive(p)
	for _, d := range verdict.Verify(p, nil) {
		if d.Path != "digest" {
			t.Errorf("%s", d)
		}
	}

	_, _, err = Run(t.Context(), Options{Target: tg, Versions: []string{"5.4"}, Plan: fixed(0, 0, 1), Window: 100 * time.Millisecond, RateHz: 80, Tokens: 50, Seed: 9, VerifyShare: 0.8})
	if err == nil || !strings.Contains(err.Error(), "closed loop") {
		t.Errorf("a closed loop with a share of verifies: %v", err)
	}
	for _, o := range []Options{{VerifyShare: -1}, {VerifyShare: 1.5}, {VerifyShare: 0.5, Closed: true}} {
		o.Target, o.Versions = tg, []string{"5.4"}
		if _, _, err := Run(t.Context(), o); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("share %g: %v, want one line", o.VerifyShare, err)
		}
	}
}

// TestOtherCallsAreShared: a cap is of all requests, and both sides get as many others.
func TestOtherCallsAreShared(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]float64{1: 100, 0.5: 40} { // 40 verifies, 40 others of 1.5 requests each
		if o := (Options{VerifyShare: share}); math.Abs(o.verifiesOf(100)-want) > 1e-9 {
			t.Errorf("share %g: %g verifies a second under a cap of 100, want %g", share, o.verifiesOf(100), want)
		}
	}
	for _, tc := range []struct {
		calls []int64
		want  bool
	}{{nil, false}, {[]int64{40, 40}, false}, {[]int64{40, 39}, false}, {[]int64{40, 38}, true}, {[]int64{1000, 990}, false}, {[]int64{1000, 989}, true}} {
		var r mixed
		for _, n := range tc.calls {
			r.besides = append(r.besides, lives.Result{Calls: n})
		}
		if r.uneven() != tc.want {
			t.Errorf("%v: uneven = %v", tc.calls, r.uneven())
		}
	}
}

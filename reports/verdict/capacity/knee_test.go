package capacity

import (
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
)

// TestUnfinishedBlocks: rates that a block lacks may lie on either side of its knee.
func TestUnfinishedBlocks(t *testing.T) {
	t.Parallel()
	without := func(left func(p proof.SweepPoint) bool) func(*proof.Sweep) {
		return func(s *proof.Sweep) { s.Points = slices.DeleteFunc(s.Points, left) }
	}
	ends := func(p proof.SweepPoint) bool { return p.Share != 0.1 && p.Share != 1.1 }
	for name, tc := range map[string]struct {
		edit          func(*proof.Sweep)
		n, unfinished int // blocks in the knee, and left out
		rule          string
		remarks       int
		knee          float64
	}{
		"whole":                {edit: func(*proof.Sweep) {}, n: 4, knee: 4500},
		"two rates alone":      {edit: without(func(p proof.SweepPoint) bool { return p.Block > 0 || ends(p) }), unfinished: 1, rule: "in no block all rates were tried", remarks: 1},
		"the last one is cut":  {edit: without(func(p proof.SweepPoint) bool { return p.Block == 3 && ends(p) }), n: 3, unfinished: 1, rule: "1 of 4 blocks left out", remarks: 1, knee: 4500},
		"not saturated, cut":   {edit: without(func(p proof.SweepPoint) bool { return p.Block == 3 && p.Share >= 0.5 }), n: 3, unfinished: 1, rule: "1 of 4 blocks left out", remarks: 1, knee: 4500},
		"higher rates of some": {edit: above, n: 4, knee: (3*4500 + 5500) / 4.},
		"behind a cap": {edit: func(s *proof.Sweep) {
			s.Saturation[0].Capped = true
			without(func(p proof.SweepPoint) bool { return p.Share > 1 })(s)
		}, n: 4, knee: 4500},
		"wrong answers above the knee": {edit: func(s *proof.Sweep) {
			for i := range s.Points {
				if p := &s.Points[i]; p.Block == 0 && p.Share == 1 {
					p.Achieved, p.LagP99, p.Backlog, p.P50, p.Errors = 1, 1, 0, 1, 1
				}
			}
		}, n: 3, unfinished: 1, rule: "1 of 4 blocks left out", remarks: 2, knee: 4500},
		"a proof that does not say what was planned": {edit: func(s *proof.Sweep) {
			s.Shares = nil
			without(func(p proof.SweepPoint) bool { return p.Block == 3 && ends(p) })(s)
		}, n: 3, unfinished: 1, rule: "1 of 4 blocks left out", remarks: 1, knee: 4500},
	} {
		b := &proof.Bench{Variants: []proof.Variant{{Name: "on"}}, Sweep: examples.Sweep(4, 0, examples.Curve{Variant: "on", Limit: 5000, DB: -1, CPU: 100})}
		tc.edit(b.Sweep)
		Derive(b)
		c := b.Sweep.Curves[0]
		if c.Unfinished != tc.unfinished || !strings.Contains(c.KneeRule, tc.rule) || (c.Knee != nil) != (tc.n > 0) {
			t.Errorf("%s: %d unfinished, knee %+v: %s", name, c.Unfinished, c.Knee, c.KneeRule)
			continue
		}
		if c.Knee != nil && (c.Knee.N != tc.n || c.Knee.Value != tc.knee) {
			t.Errorf("%s: knee %+v, want %g of %d blocks", name, c.Knee, tc.knee, tc.n)
		}
		fails, warns := Remarks(b)
		if len(fails)+len(warns) != tc.remarks {
			t.Errorf("%s: %q, %q", name, fails, warns)
		}
	}
}

// above makes the first block keep up with all planned rates, and queue at 150 %.
func above(s *proof.Sweep) {
	for i := range s.Points {
		p := &s.Points[i]
		if p.Block != 0 || p.Share < 1 {
			continue
		}
		if p.Share == 1.1 {
			more := *p
			more.Share, more.RateHz = 1.5, 7500
			s.Points = append(s.Points, more)
			p = &s.Points[i] // append may have moved it
		}
		p.Achieved, p.LagP99, p.Backlog, p.P50, p.Mean, p.Served = 1, 1, 0, 1, 1, p.RateHz
	}
}

package capacity

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
)

// shedding is the curve of a core that turns calls away at once from 80 % on, and now and
// then at 60 and 70 %: nothing of it is late.
func shedding(edits ...func(*proof.SweepPoint)) *proof.Bench {
	b := &proof.Bench{Variants: []proof.Variant{{Name: "on"}}, Sweep: examples.Sweep(4, 0, examples.Curve{Variant: "on", Limit: 5000, Delay: 2, CPU: 100, DB: -1})}
	for i := range b.Sweep.Points {
		p := &b.Sweep.Points[i]
		p.Achieved, p.LagP99, p.Backlog, p.P50, p.P90, p.P99, p.Mean = 1, 1, 0, 2, 3, 4, 2.2
		switch {
		case p.Share >= 0.8:
			p.Errors = p.Calls / 10
		case p.Share >= 0.6:
			p.Errors = p.Calls / 500
		}
		p.Shed = p.Errors
		p.Served = float64(p.Calls - p.Errors)
		for _, edit := range edits {
			edit(p)
		}
	}
	Derive(b)
	return b
}

// TestSheddingIsSaturation: a core that turns calls away is saturated where it does, and
// answers nothing wrongly.
func TestSheddingIsSaturation(t *testing.T) {
	t.Parallel()
	b := shedding()
	for _, p := range b.Sweep.Points {
		if want := map[bool]string{true: byShedding}[p.Share >= 0.8]; p.Saturated != want {
			t.Errorf("at %g: %q, want %q", p.Share, p.Saturated, want)
		}
	}
	c := b.Sweep.Curves[0]
	if c.Knee == nil || c.Knee.N != 4 || c.Disturbed != 0 {
		t.Fatalf("knee %+v of %d, %s", c.Knee, c.Disturbed, c.KneeRule)
	}
	near(t, "knee", c.Knee.Value, 3493, 1e-9) // 70 % less what was turned away there
	for _, r := range c.Rates {
		if (r.P99 == nil) != (r.RateHz >= 4000) {
			t.Errorf("at %g: p99 %+v", r.RateHz, r.P99)
		}
	}
	fails, warns := Remarks(b)
	if len(fails) > 0 || len(warns) != 1 || !strings.Contains(warns[0], "turned away (429, 503)") || Wrong(b.Sweep) != 0 {
		t.Errorf("fails %q, warns %q, %d wrong", fails, warns, Wrong(b.Sweep))
	}
}

// TestOtherWrongAnswersFail: what is no overload is no shedding.
func TestOtherWrongAnswersFail(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*proof.SweepPoint){
		"turned away with little to do": func(p *proof.SweepPoint) {
			if p.Share == 0.3 {
				p.Errors, p.Shed = 1, 1
			}
		},
		"answered otherwise near shedding": func(p *proof.SweepPoint) {
			if p.Share == 0.7 {
				p.Errors++
			}
		},
		"never came to shedding": func(p *proof.SweepPoint) {
			if p.Share >= 0.8 {
				p.Errors, p.Shed, p.Achieved = 0, 0, 0.5
			}
		},
	} {
		b := shedding(edit)
		if fails, _ := Remarks(b); len(fails) != 1 || Wrong(b.Sweep) == 0 {
			t.Errorf("%s: fails %q, %d wrong", name, fails, Wrong(b.Sweep))
		}
	}
}

// TestErrorsPastSaturation: a saturated window counts for the knee, whatever it answered.
func TestErrorsPastSaturation(t *testing.T) {
	t.Parallel()
	b := swept(0, examples.Curve{Limit: 5000, DB: -1, CPU: 100})
	b.Sweep.Curves = nil
	for i := range b.Sweep.Points {
		if p := &b.Sweep.Points[i]; p.Share >= 1 {
			p.Errors, p.Example = 3, "HTTP 500"
		}
	}
	Derive(b)
	if c := b.Sweep.Curves[0]; c.Knee == nil || c.Knee.Value != 4500 {
		t.Errorf("knee %+v: %s", c.Knee, c.KneeRule)
	}
}

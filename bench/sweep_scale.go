package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/bench/lives"
	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// scaleWindow is a window of the closed loop that a sweep's rates are shares of, and
	// scaleWindows how many are made with so many callers: the best one counts.
	scaleWindow  = 250 * time.Millisecond
	scaleWindows = 3
	// leastRise is what twice as many callers must serve more for as many again to be
	// tried: where they do not, something is saturated.
	leastRise = 1.05
)

// scaleWithin is what finding the scale of a variant is reckoned with: with the callers of
// the bench, and with twice as many up to those of the sweep.
func (s *sweeper) scaleWithin() (d time.Duration) {
	for callers := s.Options.Connections; ; callers *= 2 {
		d += scaleWindows * scaleWindow
		if callers >= s.Connections {
			return d
		}
	}
}

// scale notes what a side serves in a closed loop. A few callers saturate no core whose
// calls wait for something most of the time, so twice as many are tried as long as they
// are served clearly more.
func (s *sweeper) scale(ctx context.Context, alone []generator.Side, name string, besides []*lives.Load) error {
	callers := s.Options.Connections
	served, err := s.servedBy(ctx, alone, callers)
	for err == nil && callers < s.Connections && time.Now().Before(s.deadline) {
		before := served
		callers = min(2*callers, s.Connections)
		var more float64
		more, err = s.servedBy(ctx, alone, callers)
		if served = max(served, more); more < leastRise*before {
			break
		}
	}
	if err != nil {
		return err
	}
	if served >= 1 {
		served, err = s.mixServed(ctx, served, besides)
	}
	switch {
	case err != nil:
		return err
	case served < 1:
		return fmt.Errorf("variant %s serves too few calls to measure (%.2f/s)", name, served)
	}
	s.out.Saturation = append(s.out.Saturation, proof.SweepSaturation{Variant: name, RateHz: served})
	return nil
}

// servedBy is how many calls a second are answered well, where so many callers wait for
// one each.
func (s *sweeper) servedBy(ctx context.Context, alone []generator.Side, callers int) (best float64, err error) {
	for range scaleWindows {
		j := s.job(generator.Closed, alone, scaleWindow)
		j.Connections = callers
		res, err := s.gen.Run(ctx, j)
		if err != nil {
			return 0, err
		}
		x := &res.Sides[0]
		best = max(best, float64(x.Calls-x.Wrong)/res.Took.Seconds())
	}
	return best, nil
}

// ratesAbove are tried of a variant that kept up with all rates of a block, one after the
// other until it does not: what a closed loop serves may be less than it can.
var ratesAbove = []float64{1.5, 2}

// keptUp says whether a core answered what was due when it was due. It decides what else is
// measured and nothing more: what is saturated follows from the windows (docs/plan.md).
func (s *sweeper) keptUp(p *proof.SweepPoint) bool {
	return p.Achieved >= 0.98 && float64(p.Shed) < 0.01*float64(p.Calls+p.Others) &&
		p.LagP99 <= ms(s.out.Window)/5 && float64(p.Backlog) <= p.RateHz/20
}

// above tries higher rates of a side while there is time.
func (s *sweeper) above(ctx context.Context, d *sides, i int, besides []*lives.Load, block int) error {
	top := 0.0
	for _, share := range s.Shares {
		top = max(top, share)
	}
	name := s.Variants[d.list[i].variant].Name
	for _, share := range ratesAbove {
		for k := range s.out.Points {
			if p := &s.out.Points[k]; p.Variant == name && p.Block == block && !s.keptUp(p) {
				return nil
			}
		}
		if share <= top {
			continue
		}
		if time.Until(s.deadline) < s.out.Window+sweepWarmUp+between {
			return nil
		}
		if err := s.point(ctx, d, i, besides, block, share); err != nil {
			return err
		}
	}
	return nil
}

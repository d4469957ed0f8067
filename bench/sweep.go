package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/bench/lives"
	"github.com/coreproof/coreproof/reports/proof"
)

// Sweep is how the load curve of each variant alone is taken; nil in Options takes none.
type Sweep struct {
	// Shares of what a variant serves in a closed loop; nil is DefaultShares. Where none
	// of them is too much for it, higher ones are tried.
	Shares []float64
	// Blocks are how often all rates are tried, on fresh processes where cores can be
	// started; 0 is DefaultBlocks.
	Blocks int
	// Within bounds the sweep of a target and version; 0 is DefaultSweepWithin. Windows
	// are as long as it lets them be, up to a second.
	Within time.Duration
	// Connections are how many calls may be under way at once; 0 is 64. Callers of the
	// closed loop are as many at most.
	Connections int
}

// Defaults of a sweep.
const (
	DefaultBlocks      = 4
	DefaultSweepWithin = 2 * time.Minute
)

// DefaultShares go from nearly idle to past saturation.
var DefaultShares = []float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1}

// PhaseSweep is the phase of a load curve.
const PhaseSweep = "sweep"

const (
	sweepWarmUp = 200 * time.Millisecond
	// leastSweepWindow and mostSweepWindow bound the window of a rate.
	leastSweepWindow, mostSweepWindow = 200 * time.Millisecond, time.Second
	// blockStart is what starting and warming up the cores of a block is reckoned with.
	blockStart = 3 * time.Second
	// between is what a rate is reckoned with besides its window: connecting, and calls
	// that a saturated core still owes.
	between = 150 * time.Millisecond
)

func (s Sweep) filled() Sweep {
	if s.Shares == nil {
		s.Shares = DefaultShares
	}
	if s.Blocks == 0 {
		s.Blocks = DefaultBlocks
	}
	if s.Within == 0 {
		s.Within = DefaultSweepWithin
	}
	if s.Connections == 0 {
		s.Connections = 64
	}
	return s
}

// sweeper takes the load curves of a version.
type sweeper struct {
	*measurement
	Sweep
	out      *proof.Sweep
	deadline time.Time
}

// sweep loads each variant alone, at all rates in random order, block by block.
func (m *measurement) sweep(ctx context.Context) error {
	if m.Options.Sweep == nil {
		return nil
	}
	s := &sweeper{measurement: m, Sweep: m.Options.Sweep.filled()}
	began := time.Now()
	s.deadline = began.Add(s.Within)
	each := (s.Within-time.Duration(len(m.Variants))*s.scaleWithin())/time.Duration(s.Blocks) - blockStart
	window := each/time.Duration(len(s.Shares)*len(m.Variants)) - sweepWarmUp - between
	s.out = &proof.Sweep{
		Window: min(max(window, leastSweepWindow), mostSweepWindow), WarmUp: sweepWarmUp, Connections: s.Connections,
		Blocks: s.Blocks, Within: s.Within, Shares: s.Shares, Saturation: []proof.SweepSaturation{}, Points: []proof.SweepPoint{},
	}
	m.res.Sweep = s.out
	defer func() { s.out.Took = time.Since(began) }()
	for block := range s.Blocks {
		blockBegan := time.Now()
		if err := s.block(ctx, block); err != nil {
			return fmt.Errorf("sweep, block %d: %w", block, err)
		}
		done := block + 1
		if s.out.CutShort == "" && done < s.Blocks && time.Until(s.deadline) < time.Since(blockBegan) {
			s.out.CutShort = fmt.Sprintf("%d of %d blocks were made within %s", done, s.Blocks, s.Within)
		}
		if s.out.CutShort != "" {
			return nil
		}
	}
	return nil
}

// block takes one curve of each variant.
func (s *sweeper) block(ctx context.Context, block int) (err error) {
	d, err := s.start(ctx, s.all())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop(ctx)) }()
	besides, err := s.besides(ctx, d)
	if err != nil {
		return err
	}
	defer s.endBesides(ctx, besides)
	of := func(i int) []*lives.Load {
		if besides == nil {
			return nil
		}
		return besides[i : i+1]
	}
	for i := range d.list {
		if err := s.warm(ctx, d, i, of(i), block == 0); err != nil {
			return err
		}
	}
	n := len(s.Shares)
	for k, at := range s.rnd.Perm(n * len(d.list)) {
		if time.Now().After(s.deadline) {
			s.out.CutShort = fmt.Sprintf("the last of %d blocks has %d of %d windows: there was no time for more within %s", block+1, k, n*len(d.list), s.Within)
			return nil
		}
		if err := s.point(ctx, d, at/n, of(at/n), block, s.Shares[at%n]); err != nil {
			return err
		}
		s.tell(PhaseSweep, block*n*len(d.list)+k+1, s.Blocks*n*len(d.list))
	}
	for i := range d.list {
		if err := s.above(ctx, d, i, of(i), block); err != nil {
			return err
		}
	}
	return nil
}

// warm keeps a side busy for a while and, where it is asked, notes what it served.
func (s *sweeper) warm(ctx context.Context, d *sides, i int, besides []*lives.Load, find bool) error {
	alone := d.loads()[i : i+1]
	name := s.Variants[d.list[i].variant].Name
	if hz := s.can.Throttle.Hz(); hz > 0 {
		if find {
			s.out.Saturation = append(s.out.Saturation, proof.SweepSaturation{Variant: name, RateHz: s.verifiesOf(hz), Capped: true})
		}
		return nil
	}
	if _, err := s.gen.Run(ctx, s.job(generator.Closed, alone, scaleWindow)); err != nil || !find {
		return err
	}
	return s.scale(ctx, alone, name, besides)
}

// point is one window at one rate.
func (s *sweeper) point(ctx context.Context, d *sides, i int, besides []*lives.Load, block int, share float64) error {
	x := &d.list[i]
	name := s.Variants[x.variant].Name
	p := proof.SweepPoint{Variant: name, Block: block, Share: share}
	for _, at := range s.out.Saturation {
		if at.Variant != name {
			continue
		}
		p.RateHz = share * at.RateHz
		if at.Capped && share > 1 {
			return nil // never beyond what the caller allows
		}
	}
	j := s.job(generator.Paced, d.loads()[i:i+1], sweepWarmUp)
	j.RateHz, j.Connections = p.RateHz, s.Connections
	if _, err := s.gen.Run(ctx, j); err != nil {
		return err
	}
	j.Duration, j.Seed = s.out.Window, s.rnd.Uint64()
	database := s.databaseProcess(ctx)
	one := &sides{list: d.list[i : i+1]}
	before := s.read(one, database)
	res, err := s.send(ctx, j, besides)
	if err != nil {
		return err
	}
	after := s.read(one, database)
	w := s.window(res.Sides[0], x.variant, spent(before.Sides[0], after.Sides[0]))
	others := res.beside(0)
	p.Calls, p.Others, p.Example, p.CPU = w.Calls, others.Calls, cmp.Or(w.Example, proof.ShortenTokens(others.Example)), w.CPU
	p.Errors, p.Shed = w.Errors+others.Wrong, w.Shed+others.Shed
	p.P50, p.P90, p.P99, p.Mean = w.P50, w.P90, w.P99, res.Sides[0].Latency.Mean()/1e6
	p.DBCPU, p.Took = spent(before.Database, after.Database), after.At.Sub(before.At)
	p.Achieved, p.LagP99, p.Backlog = min(res.Achieved, 1), ms(res.LagP99), res.Backlog
	p.Served = float64(w.Calls-w.Errors) / res.Took.Seconds()
	s.out.Points = append(s.out.Points, p)
	return nil
}

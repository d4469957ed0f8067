package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/bench/steadiness"
	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// leastWindows are looked at.
	leastWindows = 10
	// leastQuick suffices for cores that are started anew for each round: their
	// warm-up is thrown away each time.
	leastQuick = 6
	// longestWindow in which not one call was answered is the end: until then the
	// window grows, as cores may be slow and machines busy.
	longestWindow = 4 * time.Second
	// quickly: cores that warmed up for longer than this are kept for all rounds,
	// since each start would cost as much again; others are started anew for each.
	quickly = 5 * time.Second
)

// settle brings the cores to a steady state under a closed loop, and finds the
// rate: a share of what they serve in it.
func (m *measurement) settle(ctx context.Context) (err error) {
	if m.Closed && m.Fresh && m.can.Settings {
		m.res.Design.RateShare = 0
		return nil // no rate to find, and each round warms its own cores up
	}
	began := time.Now()
	m.settleBefore = began.Add(m.SteadyWithin)
	s, err := m.start(ctx, m.all())
	if err != nil {
		return err
	}
	defer func() {
		if m.kept == nil {
			err = errors.Join(err, s.stop(ctx))
		}
	}()
	length, least := time.Second, leastWindows
	if m.can.Settings {
		length, least = 250*time.Millisecond, leastQuick
	}
	if m.SteadyWindow > 0 {
		length = m.SteadyWindow
	}
	steady := make([]proof.Steady, len(s.list))
	for i := range s.list {
		steady[i] = proof.Steady{Variant: m.Variants[s.list[i].variant].Name, Round: -1}
	}
	var served float64 // calls per second, in the best window: a disturbed one tells less
	for reached := false; !reached && time.Now().Before(m.settleBefore); {
		m.tell(PhaseSteady, len(steady[0].Figures), least)
		last, cpu, err := m.calibrate(ctx, s, length)
		if err != nil {
			return err
		}
		var calls int64
		for _, r := range last.Sides {
			calls += r.Calls
		}
		if least := fewest(last.Sides); least == 0 && length < longestWindow {
			length *= 2
			continue
		}
		served = max(served, float64(calls)/last.Took.Seconds())
		reached = true
		for i, r := range last.Sides {
			if r.Wrong > 0 {
				return fmt.Errorf("calibration: %d of %d calls were answered wrongly, e.g. %s", r.Wrong, r.Calls, r.Example)
			}
			if r.Calls == 0 {
				return fmt.Errorf("calibration: no call was answered within %s", length)
			}
			steady[i].Unit = "µs"
			if cpu[i] < 0 {
				steady[i].Unit = "ms"
			}
			steady[i].Figures = append(steady[i].Figures, figureOf(cpu[i], r))
			steady[i].Reached = steadiness.Reached(steady[i].Figures, least)
			reached = reached && steady[i].Reached
		}
	}
	for i := range steady {
		steady[i].Took = time.Since(began)
	}
	m.res.Steady = steady
	keep := !m.can.Settings
	if !keep && !m.Fresh && time.Since(began) > quickly && warmedUp(steady) {
		if keep, err = m.dearAnew(ctx, steady, length); err != nil {
			return err
		}
	}
	if keep {
		m.keep(s)
	}
	return m.choose(ctx, s, served)
}

// calibrate makes a window of a closed loop, and says what CPU each side spent in it, in
// µs; below 0 where that cannot be read.
func (m *measurement) calibrate(ctx context.Context, s *sides, length time.Duration) (generator.Result, []float64, error) {
	if err := m.last(ctx, length); err != nil {
		return generator.Result{}, nil, err
	}
	before := m.read(s, nil)
	res, err := m.gen.Run(ctx, m.job(generator.Closed, s.loads(), length))
	if err != nil {
		return res, nil, err
	}
	after := m.read(s, nil)
	cpu := make([]float64, len(s.list))
	for i := range s.list {
		cpu[i] = spent(before.Sides[i], after.Sides[i])
	}
	return res, cpu, nil
}

// anewWindows are looked at of cores that were started once more.
const anewWindows = 3

// dearAnew tells cores that warm up from a machine that became faster meanwhile: calls
// to cores that are started once more are dear again. A call of such cores that cannot be
// answered in a window yet is dear.
func (m *measurement) dearAnew(ctx context.Context, steady []proof.Steady, length time.Duration) (dear bool, err error) {
	s, err := m.start(ctx, m.all())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	fresh := make([][]float64, len(s.list))
	for range anewWindows {
		res, cpu, err := m.calibrate(ctx, s, length)
		if err != nil {
			return false, err
		}
		if fewest(res.Sides) == 0 {
			return true, nil
		}
		for i, r := range res.Sides {
			fresh[i] = append(fresh[i], figureOf(cpu[i], r))
		}
	}
	return dearer(steady, fresh), nil
}

// dearer says whether a side that became cheaper began as dear once more.
func dearer(steady []proof.Steady, fresh [][]float64) bool {
	for i := range steady {
		f := steady[i].Figures
		if steadiness.BecameCheaper(f, steadiness.Median) && steadiness.Median(f[len(f)-len(f)/3:]) < steadiness.DriftShare*steadiness.Median(fresh[i]) {
			return true
		}
	}
	return false
}

// fewest calls of a side.
func fewest(sides []generator.SideResult) int64 {
	n := int64(math.MaxInt64)
	for _, r := range sides {
		n = min(n, r.Calls)
	}
	return n
}

// keep keeps cores for all rounds.
func (m *measurement) keep(s *sides) {
	m.kept = s
	d := &m.res.Design
	d.FreshProcesses = false
	for i := range s.list {
		if len(s.list[i].instances) < 2 {
			d.FloorReason = "two sides alike need two processes a variant: give two cores on each side"
			if m.can.Settings {
				d.FloorReason = "two sides alike need two processes a variant: use --instances 2"
			}
		}
	}
	if m.can.OneProcess {
		d.FloorReason = "the same process serves both variants, so two sides alike read one clock"
	}
}

// choose decides the rate.
func (m *measurement) choose(ctx context.Context, s *sides, served float64) error {
	hz := m.verifiesOf(m.can.Throttle.Hz())
	switch {
	case m.Closed && hz <= 0:
		m.res.Design.RateShare = 0
		return nil
	case m.RateHz > 0:
		m.rate = m.RateHz
		m.res.Design.RateShare = 0
	case hz > 0:
		// What saturates a capped target is not known.
		m.rate = hz
		m.res.Design.RateShare = 0
	default:
		besides, err := m.besides(ctx, s)
		if err != nil {
			return err
		}
		defer m.endBesides(ctx, besides)
		if served, err = m.mixServed(ctx, served, besides); err != nil {
			return err
		}
		m.rate = m.RateShare * served
	}
	if hz > 0 && m.rate > hz {
		m.rate = hz
	}
	if m.rate < 1 {
		return fmt.Errorf("calibration: the cores serve too few calls to measure (%.2f/s)", served)
	}
	m.res.Design.RateHz = m.rate
	if m.RateHz <= 0 {
		return nil
	}
	// A rate that the caller chose may be beyond saturation: what a calm window is
	// like must be known to tell.
	if err := m.last(ctx, time.Second); err != nil {
		return err
	}
	j := m.job(generator.Open, s.loads(), time.Second)
	j.RateHz = max(m.rate/10, 1)
	res, err := m.gen.Run(ctx, j)
	if err != nil {
		return err
	}
	for _, r := range res.Sides {
		m.calmP50 = max(m.calmP50, ms(time.Duration(r.Latency.ValueAtQuantile(50))))
	}
	return nil
}

// warmedUp tells cores that took long to a steady state because their calls became
// cheaper from those on a noisy machine, where it took long to show that they do not.
func warmedUp(steady []proof.Steady) bool {
	return slices.ContainsFunc(steady, func(s proof.Steady) bool { return steadiness.BecameCheaper(s.Figures, steadiness.Median) })
}

// warmedUpMeanwhile looks back at rounds on kept cores. Where all variants became
// much cheaper from the first third to the last, the rounds were part of the
// warm-up: they are taken back if there is time for others, and else it is said
// that no steady state was reached.
func (m *measurement) warmedUpMeanwhile() bool {
	if m.kept == nil {
		return false
	}
	figures := make([][]float64, len(m.Variants))
	for _, r := range m.res.Rounds {
		if r.Kind != proof.KindCost {
			continue
		}
		for _, w := range r.Windows {
			v := index(m.Variants, w.Variant)
			figures[v] = append(figures[v], figure(w.CPU, w.Calls, w.P50))
		}
	}
	for _, f := range figures {
		if !steadiness.BecameCheaper(f, steadiness.Mean) {
			return false
		}
	}
	for i := range m.res.Steady {
		s := &m.res.Steady[i]
		s.Figures = append(s.Figures, figures[index(m.Variants, s.Variant)]...)
		s.Took = time.Since(m.settleBefore.Add(-m.SteadyWithin))
		s.Reached = time.Now().Before(m.settleBefore)
	}
	if !time.Now().Before(m.settleBefore) {
		return false
	}
	m.res.Rounds, m.res.Dropped, m.merged = []proof.Round{}, nil, newMerged(len(m.Variants))
	return true
}

func figureOf(cpuUS float64, r generator.SideResult) float64 {
	return figure(cpuUS, r.Calls, ms(time.Duration(r.Latency.ValueAtQuantile(50))))
}

// figure is CPU µs per call, or the steadiness.Median latency in ms where CPU cannot be read.
func figure(cpuUS float64, calls int64, p50 float64) float64 {
	if cpuUS < 0 || calls == 0 {
		return p50
	}
	return cpuUS / float64(calls)
}

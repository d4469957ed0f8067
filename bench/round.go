package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/reports/proof"
)

// job makes a window of load. A capped target is never saturated: a closed loop
// becomes an open one at the cap.
func (m *measurement) job(kind generator.Kind, loads []generator.Side, d time.Duration) generator.Job {
	j := generator.Job{Kind: kind, Protocol: m.protocol.Name(), Version: m.version, Sides: loads, RateHz: m.rate, Duration: d, Connections: m.Connections, Seed: m.rnd.Uint64()}
	if hz := m.can.Throttle.Hz(); kind == generator.Closed && hz > 0 {
		j.Kind, j.RateHz = generator.Open, hz
	}
	return j
}

// round runs one round. A reason drops it; it may look only at what concerns
// all sides alike.
func (m *measurement) round(ctx context.Context, index int, step Step) (r proof.Round, reason string, err error) {
	began := time.Now()
	s, err := m.start(ctx, step)
	if err != nil {
		return r, "", err
	}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	if step.Kind == proof.KindSaturated && m.perVerify() > 0 {
		return r, "", errors.New("a closed loop keeps no share of verifies: plan no such rounds")
	}
	if step.Kind == proof.KindSaturated {
		if !m.up(began, step) {
			return r, "", errExpiring
		}
		r, err = m.saturate(ctx, index, s)
		return r, "", err
	}
	ready := make([]int64, len(s.list))
	for i := range s.list {
		ready[i] = m.memory(&s.list[i])
	}
	kind := generator.Open
	if m.Closed {
		kind = generator.Closed
	}
	besides, err := m.besides(ctx, s)
	if err != nil {
		return r, "", err
	}
	defer m.endBesides(ctx, besides)
	if !m.up(began, step) {
		return r, "", errExpiring
	}
	if _, err := m.send(ctx, m.job(kind, s.loads(), m.WarmUp), besides); err != nil {
		return r, "", err
	}
	database := m.databaseProcess(ctx)
	before := m.read(s, database)
	res, err := m.send(ctx, m.job(kind, s.loads(), m.Window), besides)
	if err != nil {
		return r, "", err
	}
	after := m.read(s, database)
	r = proof.Round{
		Index: index, Kind: step.Kind, Started: before.At.UTC(), Achieved: math.Min(res.Achieved, 1), LagP99: ms(res.LagP99),
		DatabaseCPU: spent(before.Database, after.Database), GeneratorCPU: us(res.CPU), Took: after.At.Sub(before.At),
	}
	for i := range s.list {
		w := m.window(res.Sides[i], s.list[i].variant, spent(before.Sides[i], after.Sides[i]))
		w.MemoryReady, w.Memory = ready[i], m.memory(&s.list[i])
		others := res.beside(i)
		w.Others, w.Errors, w.Shed, w.Example = others.Calls, w.Errors+others.Wrong, w.Shed+others.Shed, cmp.Or(w.Example, proof.ShortenTokens(others.Example))
		r.Windows = append(r.Windows, w)
	}
	for _, w := range r.Windows {
		if w.Errors > 0 {
			return r, "", nil // counts, and fails the run
		}
	}
	r.Saturated = m.saturated(res.Result, r)
	switch most, least := extremes(r.Windows); {
	case before.Torn || after.Torn:
		reason = "the clocks of all sides could not be read at one moment: the reader lost its processor each time"
	case res.Achieved < 0.98 && !r.Saturated:
		reason = fmt.Sprintf("only %.1f %% of the wanted rate was sent", 100*res.Achieved)
	case res.uneven():
		reason = "the sides got different numbers of calls besides verifies"
	case least == 0 || float64(most-least) > 1+0.01*float64(least): // a turn may end in its middle
		reason = fmt.Sprintf("the sides got different numbers of calls: %d and %d", least, most)
	}
	if step.Kind == proof.KindCost && reason == "" && !r.Saturated {
		for i := range s.list {
			m.merged[s.list[i].variant].Merge(res.Sides[i].Latency.Histogram)
		}
	}
	return r, reason, nil
}

func extremes(list []proof.Window) (most, least int64) {
	for i, w := range list {
		most = max(most, w.Calls)
		if i == 0 || w.Calls < least {
			least = w.Calls
		}
	}
	return most, least
}

// saturated: sends were so late, or so many calls were left at the end, that the
// figures speak of a queue (docs/measurement.md, "Saturated windows").
func (m *measurement) saturated(res generator.Result, r proof.Round) bool {
	var p50 float64
	for _, w := range r.Windows {
		p50 = max(p50, w.P50)
	}
	lag := res.LagP99
	return lag > m.Window/5 ||
		r.LagP99 > 10*p50 && lag > 20*time.Millisecond ||
		float64(res.Backlog) > m.rate/20 || // more than 50 ms of calls
		m.calmP50 > 0 && p50 > 5*m.calmP50 && p50 > 5
}

// saturate gives each side, one after the other, a closed loop.
func (m *measurement) saturate(ctx context.Context, index int, s *sides) (proof.Round, error) {
	r := proof.Round{Index: index, Kind: proof.KindSaturated, Started: time.Now().UTC(), Achieved: 1, Saturated: m.can.Throttle == nil, DatabaseCPU: -1, GeneratorCPU: -1, Windows: make([]proof.Window, len(s.list))}
	for _, i := range m.rnd.Perm(len(s.list)) {
		alone := s.loads()[i : i+1]
		if _, err := m.gen.Run(ctx, m.job(generator.Closed, alone, m.WarmUp)); err != nil {
			return r, err
		}
		one := &sides{list: s.list[i : i+1]}
		before := m.read(one, nil)
		res, err := m.gen.Run(ctx, m.job(generator.Closed, alone, m.SaturatedWindow))
		if err != nil {
			return r, err
		}
		w := m.window(res.Sides[0], s.list[i].variant, spent(before.Sides[0], m.read(one, nil).Sides[0]))
		w.Rate = float64(w.Calls) / res.Took.Seconds()
		w.Bytes = res.Sides[0].BytesIn + res.Sides[0].BytesOut
		r.Windows[i] = w
		r.Took += res.Took
	}
	return r, nil
}

// window sums up one side's part.
func (m *measurement) window(s generator.SideResult, variant int, cpuUS float64) proof.Window {
	q := func(p float64) float64 { return ms(time.Duration(s.Latency.ValueAtQuantile(p))) }
	return proof.Window{
		Variant: m.Variants[variant].Name, Calls: s.Calls, Errors: s.Wrong, Shed: s.Shed, Example: proof.ShortenTokens(s.Example), CPU: cpuUS,
		P50: q(50), P90: q(90), P99: q(99), P999: q(99.9), Max: ms(time.Duration(s.Latency.Max())),
	}
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func us(d time.Duration) float64 {
	if d < 0 {
		return -1
	}
	return float64(d.Nanoseconds()) / 1e3
}

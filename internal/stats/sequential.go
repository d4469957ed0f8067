package stats

import "math"

// Sequential decides, looking after every sample, whether a normal mean lies above
// or below a bound. Each of the two errors keeps its own level however often one
// looks: the interval is AnytimeWidth's.
type Sequential struct {
	// Bound that the mean is held against, e.g. ln(1.02).
	Bound float64
	// AlphaAbove is how often, at most, a mean not above the bound is called above,
	// AlphaBelow how often one not below is called below.
	AlphaAbove, AlphaBelow float64
	// MinN samples are looked at before anything is decided, MaxN at most; 0 for
	// either is no limit.
	MinN, MaxN int
}

// Position of a mean against the bound.
type Position int

const (
	Open  Position = iota // not shown either way
	Above                 // shown to lie above the bound
	Below                 // shown to lie below it
)

// Decision is what samples show.
type Decision struct {
	Position Position
	// Interval of the mean at the sample that decided, else at the last one. Its
	// lower bound has the level of AlphaAbove, its upper one that of AlphaBelow.
	Interval
}

// Decide takes the samples in the order they came. What was decided once stays
// decided: later samples are not looked at.
func (q Sequential) Decide(xs []float64) Decision {
	if q.MaxN > 0 && len(xs) > q.MaxN {
		xs = xs[:q.MaxN]
	}
	for n := max(q.MinN, 2); n < len(xs); n++ {
		if d := q.at(xs[:n]); d.Position != Open {
			return d
		}
	}
	return q.at(xs)
}

func (q Sequential) at(xs []float64) Decision {
	d := Decision{Interval: moments(xs)}
	d.Low = d.Mean - AnytimeWidth(d.N, d.SD, q.AlphaAbove, Prior)
	d.High = d.Mean + AnytimeWidth(d.N, d.SD, q.AlphaBelow, Prior)
	switch {
	case d.N < max(q.MinN, 2):
	case d.Low > q.Bound:
		d.Position = Above
	case d.High < q.Bound:
		d.Position = Below
	}
	return d
}

// Between is the interval of the difference of two independent means, second less
// first, from the interval of each: its bounds fail when one of theirs does, so each
// is wrong with probability at most the sum of the parts.
func Between(first, second []float64, alphaLow, alphaHigh float64) Interval {
	a, b := moments(first), moments(second)
	width := func(i Interval, alpha float64) float64 { return AnytimeWidth(i.N, i.SD, alpha/2, Prior) }
	return Interval{
		Mean: b.Mean - a.Mean, N: min(a.N, b.N), SD: math.Hypot(a.SD, b.SD),
		Low:  b.Mean - a.Mean - width(a, alphaLow) - width(b, alphaLow),
		High: b.Mean - a.Mean + width(a, alphaHigh) + width(b, alphaHigh),
	}
}

package verdict

import (
	"math"

	"github.com/coreproof/coreproof/reports/proof"
)

// of reads one figure of a window; false where it could not be had.
type of func(*proof.Window) (float64, bool)

// cpuPerCall in µs.
func cpuPerCall(w *proof.Window) (float64, bool) {
	return w.CPU / float64(w.Calls), w.CPU >= 0 && w.Calls > 0
}

func rate(w *proof.Window) (float64, bool) { return w.Rate, w.Rate > 0 }

func p50(w *proof.Window) (float64, bool) { return w.P50, w.Calls > 0 }

var quantiles = []struct {
	q  float64
	of of
}{
	{0.5, p50},
	{0.9, func(w *proof.Window) (float64, bool) { return w.P90, w.Calls > 0 }},
	{0.99, func(w *proof.Window) (float64, bool) { return w.P99, w.Calls > 0 }},
	{0.999, func(w *proof.Window) (float64, bool) { return w.P999, w.Calls > 0 }},
}

// between compares two windows of one round: the second against the first.
type between func(a, b *proof.Window) (float64, bool)

func difference(f of) between {
	return func(a, b *proof.Window) (float64, bool) {
		x, ok1 := f(a)
		y, ok2 := f(b)
		return y - x, ok1 && ok2
	}
}

func logRatio(f of) between {
	return func(a, b *proof.Window) (float64, bool) {
		x, ok1 := f(a)
		y, ok2 := f(b)
		return math.Log(y) - math.Log(x), ok1 && ok2
	}
}

// kept are the rounds of one kind.
func kept(b *proof.Bench, kind string) (out []*proof.Round) {
	for i := range b.Rounds {
		if b.Rounds[i].Kind == kind {
			out = append(out, &b.Rounds[i])
		}
	}
	return out
}

// unsaturated leaves out those that speak of a queue.
func unsaturated(b *proof.Bench, kind string) (out []*proof.Round) {
	for _, r := range kept(b, kind) {
		if !r.Saturated {
			out = append(out, r)
		}
	}
	return out
}

// sample is the rounds of one kind that figures come from: in the open model
// only unsaturated ones, for all figures alike.
type sample struct {
	b    *proof.Bench
	kind string
}

// rounds gives f of each round that has both variants. What is no number is
// left out: such a figure could not be had.
func (s sample) rounds(f func(r *proof.Round, off, on *proof.Window) (float64, bool)) (out []float64) {
	rounds := unsaturated(s.b, s.kind)
	if s.kind == proof.KindSaturated {
		rounds = kept(s.b, s.kind)
	}
	for _, r := range rounds {
		a, z := window(r, off), window(r, on)
		if a == nil || z == nil {
			continue
		}
		if x, ok := f(r, a, z); ok && finite(x) {
			out = append(out, x)
		}
	}
	return out
}

// variant gives one variant's own figure.
func (s sample) variant(name string, f of) []float64 {
	return s.rounds(func(_ *proof.Round, a, z *proof.Window) (float64, bool) {
		if name == off {
			return f(a)
		}
		return f(z)
	})
}

func (s sample) pairs(f between) []float64 {
	return s.rounds(func(_ *proof.Round, a, z *proof.Window) (float64, bool) { return f(a, z) })
}

// bytesPerCall is a quotient of sums: bytes hardly differ from call to call.
func (s sample) bytesPerCall(name string) float64 {
	var bytes, calls float64
	for _, r := range kept(s.b, s.kind) {
		if w := window(r, name); w != nil && w.Calls > 0 && w.Bytes > 0 {
			bytes += float64(w.Bytes)
			calls += float64(w.Calls)
		}
	}
	if calls == 0 {
		return 0
	}
	return bytes / calls
}

func window(r *proof.Round, variant string) *proof.Window {
	for i := range r.Windows {
		if r.Windows[i].Variant == variant {
			return &r.Windows[i]
		}
	}
	return nil
}

// Ratio is the CPU per call of variant b against a over the rounds of one kind so
// far, for whoever shows a bench under way; nil before there is one. In a floor
// round, whose windows are of one variant, give that twice.
func Ratio(rounds []proof.Round, kind, a, b string) *proof.Estimate {
	var logs []float64
	for i := range rounds {
		r := &rounds[i]
		if r.Kind != kind || r.Saturated && kind != proof.KindSaturated {
			continue
		}
		x, y := window(r, a), window(r, b)
		if a == b && len(r.Windows) == 2 && r.Windows[0].Variant == a && r.Windows[1].Variant == a {
			x, y = &r.Windows[0], &r.Windows[1]
		}
		if x == nil || y == nil {
			continue
		}
		if l, ok := logRatio(cpuPerCall)(x, y); ok && finite(l) {
			logs = append(logs, l)
		}
	}
	if kind == proof.KindCost {
		return ratioClaim(logs)
	}
	return fixedRatio(logs)
}

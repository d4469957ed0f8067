package capacity

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// Figure of a window that a plan reads off a curve.
type Figure int

// Figures that can be predicted.
const (
	CoreCPU     Figure = iota // µs of the core per call
	DatabaseCPU               // µs of the database per call, idle subtracted
	P99                       // ms, from the intended send
)

func (f Figure) of(w window) float64 {
	switch f {
	case CoreCPU:
		return coreCPU(w)
	case DatabaseCPU:
		return w.database
	default:
		return w.P99
	}
}

func (f Figure) unit() string {
	if f == P99 {
		return "ms"
	}
	return "µs"
}

// Curve is one figure of a variant over the rate, ready to be read.
type Curve struct {
	figure Figure
	shape  shape
	beside bool       // read between the two rates beside it, instead of by the shape
	blocks [][]sample // each from low to high
	// Low and High are the lowest and the highest rate that was measured and not
	// saturated, calls per second.
	Low, High float64
}

type sample struct{ hz, y float64 }

// shape is what a figure is linear in.
type shape struct {
	name string
	of   func(hz float64) float64
}

// shapes that CPU per call was seen to have: it falls with the rate, since a busy core
// wakes up less often (docs/measurement.md).
var shapes = []shape{
	{"a + b/λ", func(hz float64) float64 { return 1 / hz }},
	{"a + b·ln λ", math.Log},
	{"a + b·λ", func(hz float64) float64 { return hz }},
}

// Read makes the curve of a figure of a variant; nil where it was not measured at three
// rates at least. Saturated windows, and those whose share hold names, are left out; for P99
// all windows of rates most of which were.
func Read(b *proof.Bench, variant string, f Figure, hold func(share float64) bool) *Curve {
	if b.Sweep == nil {
		return nil
	}
	c := &Curve{figure: f, Low: math.Inf(1)}
	blocks := map[int][]sample{}
	rates := 0
	for _, g := range windows(b, variant, hold) {
		some := false
		if r := (proof.CurveRate{Windows: len(g), Saturated: countSaturated(g)}); f == P99 && r.Queued() {
			continue
		}
		for _, w := range g {
			if y := f.of(w); y >= 0 && w.Saturated == "" {
				blocks[w.Block] = append(blocks[w.Block], sample{w.RateHz, y})
				c.Low, c.High, some = min(c.Low, w.RateHz), max(c.High, w.RateHz), true
			}
		}
		if some {
			rates++
		}
	}
	if rates < 3 {
		return nil
	}
	var order []int
	for k := range blocks {
		order = append(order, k)
	}
	slices.Sort(order)
	var all []sample
	for _, k := range order {
		c.blocks = append(c.blocks, blocks[k])
		all = append(all, blocks[k]...)
	}
	c.shape = chosen(all)
	c.beside = f == P99 || c.clearlyBeside()
	return c
}

func countSaturated(g []window) (n int) {
	for _, w := range g {
		if w.Saturated != "" {
			n++
		}
	}
	return n
}

const (
	// besideRates is the fewest rates at which reading between two of them can be held
	// against a shape.
	besideRates = 5
	// clearly: a shape is kept unless reading between neighbours has less than this share
	// of its squared errors, since a shape smooths what windows differ by.
	clearly = 0.75
)

// clearlyBeside says whether what is read of a rate between those beside it is clearly
// nearer to what was measured there than what a shape says, where that rate is left out.
func (c *Curve) clearlyBeside() bool {
	by := map[float64][]float64{}
	whole := 0
	for _, list := range c.blocks {
		if len(list) > 0 && list[0].hz == c.Low && list[len(list)-1].hz == c.High {
			whole++ // it has something at the ends, between which it is read
		}
		for _, s := range list {
			by[s.hz] = append(by[s.hz], s.y)
		}
	}
	if len(by) < besideRates || 2*whole < len(c.blocks) {
		return false
	}
	var shaped, beside float64
	for hz, measured := range by {
		if hz == c.Low || hz == c.High {
			continue
		}
		var s, b []float64
		for _, list := range c.blocks {
			rest := slices.DeleteFunc(slices.Clone(list), func(p sample) bool { return p.hz == hz })
			if y, ok := linear(rest, c.shape, hz); ok {
				s = append(s, y)
			}
			if y, ok := busyBetween(rest, hz); ok {
				b = append(b, y)
			}
		}
		if len(s) == 0 || len(b) == 0 {
			return false
		}
		want := stat.Mean(measured, nil)
		shaped += math.Pow(stat.Mean(s, nil)/want-1, 2)
		beside += math.Pow(stat.Mean(b, nil)/want-1, 2)
	}
	return beside < clearly*shaped
}

// chosen is the shape with the smallest relative errors at windows left out of the fit.
func chosen(all []sample) shape {
	best, least := shapes[0], math.Inf(1)
	for _, s := range shapes {
		var loss float64
		for i := range all {
			rest := append(append([]sample{}, all[:i]...), all[i+1:]...)
			y, ok := linear(rest, s, all[i].hz)
			if !ok {
				loss = math.Inf(1)
				break
			}
			loss += math.Pow((y-all[i].y)/max(all[i].y, 1e-9), 2)
		}
		if loss < least {
			best, least = s, loss
		}
	}
	return best
}

// Formula says how the figure is read off.
func (c *Curve) Formula() string {
	switch {
	case c.figure == P99:
		return "linear between the two rates beside it, per block"
	case c.beside:
		return "busy time λ · CPU a call, linear between the two rates beside it, per block"
	}
	return c.shape.name + ", least squares on relative errors, per block"
}

// At reads the figure at a rate, one value a block; nil where there is none. Outside of
// Low and High it is what the curve has at its end: the caller says that it is
// extrapolated.
func (c *Curve) At(hz float64) *proof.Estimate {
	hz = min(max(hz, c.Low), c.High)
	var xs []float64
	for _, list := range c.blocks {
		var y float64
		var ok bool
		switch {
		case c.figure == P99:
			y, ok = between(list, hz)
		case c.beside:
			y, ok = busyBetween(list, hz)
		default:
			y, ok = linear(list, c.shape, hz)
		}
		if ok {
			xs = append(xs, y)
		}
	}
	return estimate.Absolute(xs, c.figure.unit())
}

// linear reads a + b·shape at a rate, never below zero.
func linear(list []sample, s shape, hz float64) (float64, bool) {
	a, b, ok := line(list, s)
	y := a + b*s.of(hz)
	return max(y, 0), ok && estimate.Finite(y)
}

// line fits a + b·shape by least squares on relative errors.
func line(list []sample, s shape) (a, b float64, ok bool) {
	var w, wx, wy, wxx, wxy float64
	for _, p := range list {
		x, k := s.of(p.hz), 1/max(p.y*p.y, 1e-18)
		w, wx, wy, wxx, wxy = w+k, wx+k*x, wy+k*p.y, wxx+k*x*x, wxy+k*x*p.y
	}
	det := w*wxx - wx*wx
	if len(list) < 3 || !(det > 1e-12*w*wxx) {
		return 0, 0, false
	}
	b = (w*wxy - wx*wy) / det
	return (wy - b*wx) / w, b, true
}

// between reads a figure between the two rates beside hz; false outside of them.
func between(list []sample, hz float64) (float64, bool) {
	for i, p := range list {
		switch {
		case p.hz == hz:
			return p.y, true
		case p.hz > hz && i > 0:
			a := list[i-1]
			return a.y + (p.y-a.y)*(hz-a.hz)/(p.hz-a.hz), true
		}
	}
	return 0, false
}

// busyBetween reads a figure per call from how busy its machine is, which is in
// proportion to the rate but for what a core saves when it has much to do.
func busyBetween(list []sample, hz float64) (float64, bool) {
	busy := make([]sample, len(list))
	for i, p := range list {
		busy[i] = sample{p.hz, p.hz * p.y}
	}
	y, ok := between(busy, hz)
	return y / hz, ok
}

// Highest is the highest rate measured at which the figure is at most limit, and at
// every lower one: p99 rises with the rate, apart from disturbances. 0 where there is none.
func (c *Curve) Highest(limit float64) float64 {
	return c.highest(func(e *proof.Estimate) bool { return e.Value <= limit })
}

// Surely is the highest rate at which the figure's whole interval is at most limit, and at
// every lower one; 0 where there is none.
func (c *Curve) Surely(limit float64) float64 {
	return c.highest(func(e *proof.Estimate) bool { return e.Interval != nil && e.Interval.High <= limit })
}

// Perhaps is the highest rate at which some of the figure's interval is at most limit, and
// at every lower one; 0 where there is none.
func (c *Curve) Perhaps(limit float64) float64 {
	return c.highest(func(e *proof.Estimate) bool {
		return e.Value <= limit || e.Interval != nil && e.Interval.Low <= limit
	})
}

func (c *Curve) highest(within func(e *proof.Estimate) bool) float64 {
	const steps = 400
	at := 0.0
	for i := range steps + 1 {
		hz := c.Low + (c.High-c.Low)*float64(i)/steps
		e := c.At(hz)
		if e == nil || !within(e) {
			break
		}
		at = hz
	}
	return at
}

// Rate is a figure as it was measured at one rate.
type Rate struct {
	Share, RateHz float64
	Value         float64 // mean over blocks
}

// Rates are a figure at each rate that was not saturated in all blocks, from low to high.
func Rates(b *proof.Bench, variant string, f Figure) (out []Rate) {
	if b.Sweep == nil {
		return nil
	}
	for _, g := range windows(b, variant, nil) {
		g = slices.DeleteFunc(g, func(w window) bool { return w.Saturated != "" || f.of(w) < 0 })
		if len(g) > 0 {
			out = append(out, Rate{g[0].Share, mean(g, func(w window) float64 { return w.RateHz }), mean(g, f.of)})
		}
	}
	return out
}

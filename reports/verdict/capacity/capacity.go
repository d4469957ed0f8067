// Package capacity derives load curves from the windows of a sweep: which windows speak
// of a queue, the knee of each variant, and the law of response time that fits better.
// All of it is pure. Formulas and their sources: docs/plan.md.
package capacity

import (
	"cmp"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// Derive fills in all that follows from the windows of b's sweep.
func Derive(b *proof.Bench) {
	s := b.Sweep
	if s == nil {
		return
	}
	mark(s)
	for _, v := range b.Variants {
		if c := curve(b, v.Name, nil); len(c.Rates) > 0 {
			s.Curves = append(s.Curves, c)
		}
	}
}

// window is one point of a curve.
type window struct {
	*proof.SweepPoint
	database float64 // µs per call, idle subtracted; negative where it could not be read
}

// windows gathers the windows of a variant by share of its saturation, from low to high;
// shares in hold are left out.
func windows(b *proof.Bench, variant string, hold func(share float64) bool) [][]window {
	by := map[float64][]window{}
	for i := range b.Sweep.Points {
		p := &b.Sweep.Points[i]
		if p.Variant != variant || !usable(p) || hold != nil && hold(p.Share) {
			continue
		}
		by[p.Share] = append(by[p.Share], window{p, databaseCPU(b, p)}) // of a saturated one nobody reads it
	}
	var out [][]window
	for _, list := range by {
		out = append(out, list)
	}
	slices.SortFunc(out, func(a, z []window) int { return cmp.Compare(a[0].Share, z[0].Share) })
	return out
}

// usable windows hold numbers to reckon with, and no wrong answer. Of a saturated one, which
// is in no figure, it counts that there was one.
func usable(p *proof.SweepPoint) bool {
	if !(p.RateHz > 0 && p.Share > 0) || !estimate.Finite(p.RateHz) || !estimate.Finite(p.Share) {
		return false
	}
	if p.Saturated != "" {
		return true
	}
	for _, x := range []float64{p.Served, p.Mean, p.P50, p.P90, p.P99, p.CPU, p.DBCPU} {
		if !estimate.Finite(x) {
			return false
		}
	}
	return p.Calls > 0 && p.Errors == p.Shed
}

// databaseCPU in µs per call, idle subtracted, never below zero.
func databaseCPU(b *proof.Bench, p *proof.SweepPoint) float64 {
	if p.DBCPU < 0 {
		return -1
	}
	return b.BeyondIdle(p.DBCPU, p.Took) / float64(p.Calls)
}

// curve of a variant, without the shares in hold.
func curve(b *proof.Bench, variant string, hold func(float64) bool) proof.LoadCurve {
	c := proof.LoadCurve{Variant: variant, Rates: []proof.CurveRate{}}
	groups := windows(b, variant, hold)
	for _, g := range groups {
		r := proof.CurveRate{RateHz: mean(g, func(w window) float64 { return w.RateHz }), Windows: len(g)}
		calm := slices.DeleteFunc(slices.Clone(g), func(w window) bool { return w.Saturated != "" })
		r.Saturated = len(g) - len(calm)
		of := func(unit string, f func(window) float64) *proof.Estimate {
			var xs []float64
			for _, w := range calm {
				if x := f(w); x >= 0 {
					xs = append(xs, x)
				}
			}
			return estimate.Absolute(xs, unit)
		}
		r.Mean = of("ms", func(w window) float64 { return w.Mean })
		r.P50 = of("ms", func(w window) float64 { return w.P50 })
		r.P90 = of("ms", func(w window) float64 { return w.P90 })
		r.P99 = of("ms", func(w window) float64 { return w.P99 })
		r.CoreCPU = of("µs", coreCPU)
		r.DatabaseCPU = of("µs", func(w window) float64 { return w.database })
		c.Rates = append(c.Rates, r)
	}
	found := kneesOf(b.Sweep, variant, groups)
	c.Knee, c.KneeRule = found.knee()
	c.Disturbed, c.Unfinished = found.disturbed, found.unfinished
	c.Models, c.ModelReason = models(responses(c.Rates), servers(b))
	return c
}

// coreCPU in µs per call; negative where it could not be read.
func coreCPU(w window) float64 {
	if w.CPU < 0 {
		return -1
	}
	return w.CPU / float64(w.Calls)
}

// servers is on how many CPUs the cores ran, as far as it is known: one else.
func servers(b *proof.Bench) int {
	if b.Design.Pinned && len(b.Design.ServerCPUs) > 0 {
		return len(b.Design.ServerCPUs)
	}
	return 1
}

func mean(g []window, f func(window) float64) float64 {
	var sum float64
	for _, w := range g {
		sum += f(w)
	}
	return sum / float64(len(g))
}

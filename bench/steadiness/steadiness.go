// Package steadiness tells from the figures of windows, one after the other, whether
// cores have warmed up.
package steadiness

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// mostFall: cores are steady when it is shown, with a confidence of 95 %, that
	// calls became cheaper by less than this share over the last windows. Only a fall
	// counts: a warm-up makes calls cheaper, noise makes them dearer as well.
	mostFall = 0.10
	// mostWindows are looked at.
	mostWindows = 20
)

// Reached looks at the last half of the figures, at least and mostWindows of them,
// and asks whether they may fall by more than mostFall still: the fall is that of the
// least-squares line, its bound one-sided at 95 % (Student's t, since the spread is known
// from the same few windows).
func Reached(figures []float64, least int) bool {
	n := min(max(len(figures)/2, least), mostWindows)
	if len(figures) < n {
		return false
	}
	ys := figures[len(figures)-n:]
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = float64(i)
	}
	from, slope := stat.LinearRegression(xs, ys, nil, false)
	var rest, spread float64
	middle := float64(n-1) / 2
	for i, y := range ys {
		rest += math.Pow(y-from-slope*xs[i], 2)
		spread += math.Pow(xs[i]-middle, 2)
	}
	deviation := math.Sqrt(rest / float64(n-2) / spread)
	sure := distuv.StudentsT{Sigma: 1, Nu: float64(n - 2)}.Quantile(0.95)
	return (-slope+sure*deviation)*float64(n-1) < mostFall*Mean(ys)
}

// Median of some figures.
func Median(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	return stat.Quantile(0.5, stat.Empirical, sorted, nil)
}

// Mean of some figures.
func Mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// DriftShare: where the last third of the figures came to less than this share of the
// first third, the core warmed up meanwhile.
const DriftShare = 0.8

// BecameCheaper says whether the last third of the figures came to clearly less than the
// first, by their mean or median.
func BecameCheaper(figures []float64, middle func([]float64) float64) bool {
	third := len(figures) / 3
	return third > 0 && middle(figures[len(figures)-third:]) < DriftShare*middle(figures[:third])
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Slope is the least-squares slope of ys over xs with Student's interval: with fewer
// than three points, or with all of them at one x, there is none: the mean is no number
// and the bounds are infinite. SD is the
// residuals' standard deviation (n − 2).
func Slope(xs, ys []float64, level float64) Interval {
	i := Interval{N: min(len(xs), len(ys))}
	xs, ys = xs[:i.N], ys[:i.N]
	i.Mean, i.Low, i.High = math.NaN(), math.Inf(-1), math.Inf(1)
	if i.N < 3 {
		return i
	}
	mean := stat.Mean(xs, nil)
	var residuals, spread float64
	for _, x := range xs {
		spread += math.Pow(x-mean, 2)
	}
	if spread == 0 {
		return i
	}
	a, b := stat.LinearRegression(xs, ys, nil, false)
	for k, x := range xs {
		residuals += math.Pow(ys[k]-a-b*x, 2)
	}
	i.Mean, i.SD = b, math.Sqrt(residuals/float64(i.N-2))
	q := distuv.StudentsT{Sigma: 1, Nu: float64(i.N - 2)}.Quantile(1 - (1-level)/2)
	return i.within(q * i.SD / math.Sqrt(spread))
}

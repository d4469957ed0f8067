// Package stats holds the statistics of the harness: intervals over rounds. It
// imports nothing else of this project.
package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is an estimate of a mean with bounds.
type Interval struct {
	Mean, Low, High float64
	N               int
	// SD is the standard deviation of the samples (n − 1).
	SD float64
}

// Map applies an increasing function to all three figures, e.g. math.Exp.
func (i Interval) Map(f func(float64) float64) Interval {
	i.Mean, i.Low, i.High = f(i.Mean), f(i.Low), f(i.High)
	return i
}

// T is Student's interval of the mean at a fixed number of samples; with fewer
// than two the bounds are infinite.
func T(xs []float64, level float64) Interval {
	i := moments(xs)
	if i.N < 2 {
		return i.within(math.Inf(1))
	}
	q := distuv.StudentsT{Sigma: 1, Nu: float64(i.N - 1)}.Quantile(1 - (1-level)/2)
	return i.within(q * i.SD / math.Sqrt(float64(i.N)))
}

func moments(xs []float64) Interval {
	i := Interval{N: len(xs)}
	if i.N == 0 {
		i.Mean = math.NaN()
		return i
	}
	i.Mean = stat.Mean(xs, nil)
	if i.N > 1 {
		i.SD = stat.StdDev(xs, nil)
	}
	return i
}

func (i Interval) within(w float64) Interval {
	i.Low, i.High = i.Mean-w, i.Mean+w
	return i
}

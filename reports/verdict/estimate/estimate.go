// Package estimate makes the figures of a proof from samples: a mean with the interval
// that its method allows. It decides nothing.
package estimate

import (
	"math"
	"strconv"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
)

// Level of all intervals.
const Level = 0.95

// Claim estimates a difference between variants, by the method that holds
// however often it is looked at; nil without samples.
func Claim(xs []float64, unit string) *proof.Estimate {
	return Of(stats.AnytimeT, xs, unit, nil)
}

// RatioClaim is Claim for ratios, of which xs are the logarithms.
func RatioClaim(logs []float64) *proof.Estimate {
	return Of(stats.AnytimeT, logs, "ratio", math.Exp)
}

// Absolute estimates a variant's own figure, which is never below zero.
func Absolute(xs []float64, unit string) *proof.Estimate {
	e := Of(stats.StudentT, xs, unit, nil)
	if e != nil && e.Interval != nil {
		e.Interval.Low = max(0, e.Interval.Low)
	}
	return e
}

// FixedRatio is for ratios over a number of rounds that was fixed beforehand.
func FixedRatio(logs []float64) *proof.Estimate {
	return Of(stats.StudentT, logs, "ratio", math.Exp)
}

// Of applies f, an increasing function or nil, to the mean and its bounds.
func Of(m stats.Method, xs []float64, unit string, f func(float64) float64) *proof.Estimate {
	if len(xs) == 0 {
		return nil
	}
	i, enough := m.Of(xs, Level)
	if f != nil {
		i = i.Map(f)
	}
	if !Finite(i.Mean) {
		return nil
	}
	e := &proof.Estimate{Value: i.Mean, Unit: unit, N: i.N, Method: m.Name, Assumption: m.Assumption}
	switch {
	case i.N < m.MinN:
		e.Warnings = []string{Few(i.N, m.MinN)}
	case enough && Finite(i.Low) && Finite(i.High):
		e.Interval = &proof.Interval{Low: i.Low, High: i.High, Level: Level}
	default:
		e.Warnings = []string{"the rounds differ too much for an interval"}
	}
	return e
}

// Few says that n samples are too few where want are needed.
func Few(n, want int) string {
	if n == 1 {
		return "1 round is too few for an interval, " + strconv.Itoa(want) + " are needed: it decides nothing"
	}
	return strconv.Itoa(n) + " rounds are too few for an interval, " + strconv.Itoa(want) + " are needed: it decides nothing"
}

// Finite says whether x is a number.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// verifyRule is the gate's rule for one figure.
var verifyRule = Sequential{Bound: math.Log(1.02), AlphaAbove: 0.005, AlphaBelow: 0.025, MinN: 6, MaxN: 75}

// TestSequentialKeepsItsPromises simulates normal rounds with σ = 2 %: the rates are
// those of docs/gate.md.
func TestSequentialKeepsItsPromises(t *testing.T) {
	t.Parallel()
	const runs, sigma = 2000, 0.02
	for _, c := range []struct {
		name                string
		truth               float64
		leastAbove          float64
		mostAbove           float64
		leastBelow          float64
		leastMean, mostMean float64
	}{
		{"identical", 0, 0, 0.001, 0.99, 11, 15},
		{"at the edge", math.Log(1.02), 0, 0.01, 0, 70, 75},
		{"+5 %", math.Log(1.05), 0.99, 1, 0, 10, 14},
		{"+10 %", math.Log(1.10), 1, 1, 0, 6, 9},
		{"-10 %", math.Log(0.90), 0, 0, 1, 6, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, uint64(len(c.name))))
			var above, below, rounds int
			for range runs {
				xs := make([]float64, verifyRule.MaxN)
				for i := range xs {
					xs[i] = c.truth + sigma*r.NormFloat64()
				}
				d := verifyRule.Decide(xs)
				rounds += d.N
				switch d.Position {
				case Above:
					above++
				case Below:
					below++
				}
			}
			a, b, mean := float64(above)/runs, float64(below)/runs, float64(rounds)/runs
			if a < c.leastAbove || a > c.mostAbove || b < c.leastBelow || mean < c.leastMean || mean > c.mostMean {
				t.Errorf("above %.4f, want %g to %g; below %.4f, want at least %g; %.1f rounds, want %g to %g", a, c.leastAbove, c.mostAbove, b, c.leastBelow, mean, c.leastMean, c.mostMean)
			}
		})
	}
}

// TestSequentialStaysDecided: what comes after a decision changes nothing, and
// nothing is decided before the first look.
func TestSequentialStaysDecided(t *testing.T) {
	t.Parallel()
	q := Sequential{Bound: 0.5, AlphaAbove: 0.005, AlphaBelow: 0.025, MinN: 8}
	xs := []float64{1, 1.01, 0.99, 1, 1.02, 0.98, 1, 1.01}
	if d := q.Decide(xs[:7]); d.Position != Open {
		t.Errorf("decided after %d samples, before the first look", d.N)
	}
	for n := range 10 {
		d := q.Decide(xs)
		if d.Position != Above || d.N != 8 {
			t.Errorf("with %d samples more: %+v, want above after 8", n, d)
		}
		xs = append(xs, -100)
	}
	if d := (Sequential{Bound: 0.5, AlphaAbove: 0.005, AlphaBelow: 0.025, MinN: 2, MaxN: 3}).Decide(xs); d.N > 3 {
		t.Errorf("%d samples were looked at, 3 at most", d.N)
	}
}

func TestBetweenAddsBothErrors(t *testing.T) {
	t.Parallel()
	a, b := []float64{0, 0.01, -0.01, 0, 0.01, -0.01, 0}, []float64{0.1, 0.11, 0.09, 0.1, 0.11, 0.09, 0.1}
	d := Between(a, b, 0.01, 0.05)
	alone := moments(a)
	if math.Abs(d.Mean-0.1) > 1e-12 || d.High-d.Mean < 2*AnytimeWidth(7, alone.SD, 0.025, Prior)-1e-12 || d.Mean-d.Low <= d.High-d.Mean {
		t.Errorf("%+v: want 0.1 with the sum of both widths, the lower one wider", d)
	}
	if d := Between(a[:1], b, 0.01, 0.05); !math.IsInf(d.High, 1) {
		t.Errorf("one sample says nothing: %+v", d)
	}
}

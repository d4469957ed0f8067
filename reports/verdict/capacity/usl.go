package capacity

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/coreproof/coreproof/reports/proof"
)

// fitUSL finds S, σ and κ ≥ 0 by linear least squares on relative errors: with N from
// Little's law, R is linear in S, S·σ and S·κ. A coefficient that would be negative is
// left out: of all ways to leave some out, the best one that leaves none negative counts.
func fitUSL(list []response, _ int) (fitted, bool) {
	var s, sigma, kappa float64
	least := math.Inf(1)
	for _, keep := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}, {0}} {
		x, ok := solve(list, keep)
		if !ok || x[0] <= 0 || x[1] < 0 || x[2] < 0 || x[1] > x[0] {
			continue
		}
		var loss float64
		for _, p := range list {
			f := features(p)
			loss += math.Pow((x[0]*f[0]+x[1]*f[1]+x[2]*f[2])/p.ms-1, 2)
		}
		if loss < least-1e-15 {
			least, s, sigma, kappa = loss, x[0], x[1]/x[0], x[2]/x[0]
		}
	}
	if math.IsInf(least, 1) {
		return fitted{}, false
	}
	return fitted{
		parameters: []proof.Parameter{{Name: "S", Value: s, Unit: "ms"}, {Name: "σ", Value: sigma}, {Name: "κ", Value: kappa}},
		at:         func(hz float64) (float64, bool) { return uslAt(hz, s, sigma, kappa) },
		limit:      uslLimit(s, sigma, kappa),
	}, true
}

// features of a response: what S, S·σ and S·κ are multiplied with.
func features(p response) [3]float64 {
	n := p.hz * p.ms / 1000
	return [3]float64{1, n - 1, n * (n - 1)}
}

// solve is weighted linear least squares over the features kept.
func solve(list []response, keep []int) (x [3]float64, ok bool) {
	a := mat.NewDense(len(list), len(keep), nil)
	y := mat.NewVecDense(len(list), nil)
	for i, p := range list {
		f := features(p)
		for j, k := range keep {
			a.Set(i, j, f[k]/p.ms)
		}
		y.SetVec(i, 1)
	}
	var out mat.VecDense
	if err := out.SolveVec(a, y); err != nil {
		return x, false
	}
	for j, k := range keep {
		x[k] = out.AtVec(j)
	}
	return x, true
}

// uslAt solves R = S·(1 + σ·(λR − 1) + κ·λR·(λR − 1)) for the smallest R.
func uslAt(hz, s, sigma, kappa float64) (float64, bool) {
	l := hz / 1000 // calls per ms
	a := s * kappa * l * l
	b := s*sigma*l - s*kappa*l - 1
	c := s * (1 - sigma)
	if a < 1e-15 {
		return -c / b, b < 0
	}
	d := b*b - 4*a*c
	if d < 0 || b >= 0 {
		return 0, false
	}
	// The stable form of the smaller root: b is negative.
	return 2 * c / (-b + math.Sqrt(d)), true
}

// uslLimit is the highest throughput of the law; 0 where it has none.
func uslLimit(s, sigma, kappa float64) float64 {
	if kappa <= 0 {
		if sigma <= 0 {
			return 0
		}
		return 1000 / (s * sigma)
	}
	n := math.Sqrt((1 - sigma) / kappa)
	return 1000 * n / (s * (1 + sigma*(n-1) + kappa*n*(n-1)))
}

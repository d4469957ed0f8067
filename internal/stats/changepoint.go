package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Divisive finds where the distribution of a series changes: hierarchical divisive
// estimation by energy statistics with a permutation test (Matteson and James 2014, A
// Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data, with
// exponent 1). It is what Daly et al. 2020 (The Use of Change Point Detection to Identify
// Software Performance Regressions in a Continuous Integration System) run on benchmarks.
// It takes samples as exchangeable between changes: a series that wanders slowly has
// change points by it.
type Divisive struct {
	// MinSize is the fewest samples on either side of a change point, 2 at least.
	MinSize int
	// Level is how often, at most, a series without a change is given one.
	Level float64
	// Permutations of the test; with R of them no p-value is below 1/(R+1).
	Permutations int
	// Seed of the permutations: the same series always gives the same change points.
	Seed uint64
}

// Change is a change point.
type Change struct {
	At int     // first sample after it
	P  float64 // of the permutation test
}

// Of gives the change points of xs in order. What is not finite must not be in xs.
func (d Divisive) Of(xs []float64) []Change {
	d.MinSize = max(d.MinSize, 2)
	r := rand.New(rand.NewPCG(d.Seed, uint64(len(xs))))
	type cluster struct {
		from int
		xs   []float64
		q    float64
		at   int
	}
	newCluster := func(from, to int) cluster {
		c := cluster{from: from, xs: xs[from:to]}
		c.q, c.at = d.best(c.xs, nil)
		return c
	}
	clusters := []cluster{newCluster(0, len(xs))}
	var out []Change
	for {
		top := 0
		for i := range clusters {
			if clusters[i].q > clusters[top].q {
				top = i
			}
		}
		c := clusters[top]
		if math.IsInf(c.q, -1) {
			break
		}
		// Within each cluster the order means nothing where there is no further change.
		atLeast := 1
		for range d.Permutations {
			q := math.Inf(-1)
			for i := range clusters {
				x, _ := d.best(clusters[i].xs, r)
				q = max(q, x)
			}
			if q >= c.q*(1-1e-9) { // equal but for the order in which it was added up
				atLeast++
			}
		}
		p := float64(atLeast) / float64(d.Permutations+1)
		if p > d.Level {
			break
		}
		out = append(out, Change{At: c.from + c.at, P: p})
		clusters = slices.Replace(clusters, top, top+1, newCluster(c.from, c.from+c.at), newCluster(c.from+c.at, c.from+len(c.xs)))
	}
	slices.SortFunc(out, func(a, b Change) int { return a.At - b.At })
	return out
}

// best is the largest scaled energy distance between two neighbouring stretches of xs,
// the first from its start, and where the second begins; −Inf where xs is too short. With
// r it takes xs in random order.
func (d Divisive) best(xs []float64, r *rand.Rand) (q float64, at int) {
	n := len(xs)
	q = math.Inf(-1)
	if n < 2*d.MinSize {
		return q, 0
	}
	if r != nil {
		xs = slices.Clone(xs)
		r.Shuffle(n, func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
	}
	// sums[i][j] is the sum of distances of the first i samples from the first j.
	width := n + 1
	sums := make([]float64, width*width)
	for i := range n {
		row := 0.0
		for j := range n {
			row += math.Abs(xs[i] - xs[j])
			sums[(i+1)*width+j+1] = sums[i*width+j+1] + row
		}
	}
	sum := func(a, b, c, e int) float64 { // of [a, b) from [c, e)
		return sums[b*width+e] - sums[a*width+e] - sums[b*width+c] + sums[a*width+c]
	}
	for tau := d.MinSize; tau <= n-d.MinSize; tau++ {
		k := float64(tau)
		within := sum(0, tau, 0, tau) / (k * (k - 1))
		for end := tau + d.MinSize; end <= n; end++ {
			m := float64(end - tau)
			e := 2*sum(0, tau, tau, end)/(k*m) - within - sum(tau, end, tau, end)/(m*(m-1))
			if x := k * m / (k + m) * e; x > q {
				q, at = x, tau
			}
		}
	}
	return q, at
}

package capacity

import (
	"math"

	"github.com/coreproof/coreproof/reports/proof"
)

// fitQueue finds the delay Z ≥ 0, which does not queue, and the rate m of one of c
// servers that leave the smallest relative errors, squared.
func fitQueue(list []response, servers int) (fitted, bool) {
	c := float64(max(servers, 1))
	top := 0.0
	for _, p := range list {
		top = max(top, p.hz)
	}
	if top <= 0 {
		return fitted{}, false
	}
	// The limit c·m lies above all rates: its excess over them is searched on a
	// logarithmic scale, coarse first, then by golden section.
	loss := func(excess float64) (float64, float64) {
		m := top * (1 + math.Exp(excess)) / c
		z := delay(list, m, servers)
		var sum float64
		for _, p := range list {
			sum += math.Pow((z+residence(p.hz, m, servers)-p.ms)/p.ms, 2)
		}
		return sum, z
	}
	const low, high, steps = -7.0, 7.0, 140
	best, least := low, math.Inf(1)
	for i := range steps + 1 {
		x := low + (high-low)*float64(i)/steps
		if l, _ := loss(x); l < least {
			best, least = x, l
		}
	}
	a, b := best-(high-low)/steps, best+(high-low)/steps
	const golden = 0.6180339887498949
	for range 60 {
		x, y := b-golden*(b-a), a+golden*(b-a)
		lx, _ := loss(x)
		ly, _ := loss(y)
		if lx < ly {
			b = y
		} else {
			a = x
		}
	}
	_, z := loss((a + b) / 2)
	m := top * (1 + math.Exp((a+b)/2)) / c
	return fitted{
		parameters: []proof.Parameter{{Name: "Z", Value: z, Unit: "ms"}, {Name: "m", Value: m, Unit: "1/s"}, {Name: "c", Value: c}},
		at: func(hz float64) (float64, bool) {
			return z + residence(hz, m, servers), hz < c*m
		},
		limit: c * m,
	}, true
}

// delay is the Z ≥ 0 that fits best beside given servers.
func delay(list []response, m float64, servers int) float64 {
	var sum, weights float64
	for _, p := range list {
		w := 1 / (p.ms * p.ms)
		sum += w * (p.ms - residence(p.hz, m, servers))
		weights += w
	}
	return max(0, sum/weights)
}

// residence is the mean time in M/M/c, ms; +Inf at the limit and beyond.
func residence(hz, m float64, servers int) float64 {
	c := float64(servers)
	load := hz / m // in servers
	if load >= c {
		return math.Inf(1)
	}
	// Erlang's B by recursion, then C.
	blocked := 1.0
	for k := 1; k <= servers; k++ {
		blocked = load * blocked / (float64(k) + load*blocked)
	}
	rho := load / c
	waits := blocked / (1 - rho + rho*blocked)
	return 1000 / m * (1 + waits/(c*(1-rho)))
}

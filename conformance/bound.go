package conformance

import "math"

// upperBound is the exact (Clopper-Pearson) one-sided 95 % upper bound of the
// probability of an event that was seen hits times in trials: the p at which
// seeing so few would have had a chance of 5 %. It is 1 without trials, and
// close to 3/trials for no hits.
func upperBound(hits, trials int) float64 {
	const risk = 0.05
	switch {
	case trials <= 0 || hits >= trials:
		return 1
	case hits <= 0:
		return -math.Expm1(math.Log(risk) / float64(trials))
	}
	// P(X ≤ hits) = 1 − I_p(hits+1, trials−hits) falls as p grows.
	low, high := float64(hits)/float64(trials), 1.0
	for range 100 {
		p := (low + high) / 2
		if incompleteBeta(float64(hits+1), float64(trials-hits), p) < 1-risk {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// incompleteBeta is the regularized I_x(a, b), by its continued fraction
// (Abramowitz and Stegun 26.5.8, evaluated by Lentz's method).
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, 1-x) // where the fraction converges fast
	}
	ga, _ := math.Lgamma(a)
	gb, _ := math.Lgamma(b)
	gab, _ := math.Lgamma(a + b)
	front := math.Exp(gab-ga-gb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	for i := 1; i <= 10_000; i++ {
		m := float64(i)
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / away(1+even*d)
		c = away(1 + even/c)
		f *= c * d
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / away(1+odd*d)
		c = away(1 + odd/c)
		f *= c * d
		if math.Abs(c*d-1) < 1e-14 {
			break
		}
	}
	return front * f
}

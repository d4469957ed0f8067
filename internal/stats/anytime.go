package stats

import "math"

// Prior is g, the precision of the Gaussian mixture over the standardised
// effect; between 0.3 and 5 it hardly matters.
const Prior = 1.0

// AnytimeWidth is the half-width of an interval of a normal mean with unknown
// variance that holds at all sample sizes at once, so that it may be looked at
// after every sample: w(n, a) for n samples with standard deviation s. A bound
// on one side is wrong with probability a at most. It is +Inf where n is too small.
//
// Source: the likelihood ratio under a Gaussian mixture with prior N(0, 1/g) on
// the standardised effect is a test martingale (Lai 1976; Wang and Ramdas
// 2023, arXiv 2310.03722); 2a, because the interval is two-sided.
func AnytimeWidth(n int, s, a, g float64) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	m := float64(n)
	k := g / (g + m)
	c := math.Pow(4*a*a*k, -1/m)
	if k*c >= 1 {
		return math.Inf(1)
	}
	return s / math.Sqrt(m) * math.Sqrt((m-1)*(c-1)/(1-k*c))
}

// Anytime is the anytime-valid interval of the mean, e.g. at level 0.95.
func Anytime(xs []float64, level float64) Interval {
	i := moments(xs)
	return i.within(AnytimeWidth(i.N, i.SD, (1-level)/2, Prior))
}

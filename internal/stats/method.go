package stats

import "math"

// Method is one way to make an interval of a mean. A claim has one method at
// every number of samples: below MinN it has no interval, rather than one made
// otherwise, whose width would jump.
type Method struct {
	Name       string // one phrase, for reports
	Assumption string // what the interval rests on
	MinN       int    // samples below which there is no interval

	make func(xs []float64, level float64) Interval
}

// AnytimeT is for claims that are looked at after every round.
var AnytimeT = Method{
	Name:       "anytime-valid t over rounds",
	Assumption: "rounds are independent and close to normal; it holds however often it is looked at, so a run may stop when it has seen enough",
	MinN:       6,
	make:       Anytime,
}

// StudentT is for figures whose number of rounds is fixed beforehand.
var StudentT = Method{
	Name:       "Student's t over rounds",
	Assumption: "rounds are independent and close to normal, and their number was fixed beforehand",
	MinN:       3,
	make:       T,
}

// Of gives the mean of xs with its interval; false where there are too few
// samples, or ones too large to reckon with, for an interval.
func (m Method) Of(xs []float64, level float64) (Interval, bool) {
	i := m.make(xs, level)
	finite := func(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }
	return i, i.N >= m.MinN && finite(i.Low) && finite(i.High) && finite(i.Mean)
}

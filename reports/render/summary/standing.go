package summary

import "github.com/coreproof/coreproof/reports/proof"

// Standing says how a claim compares with what two equal sides gave.
type Standing int

const (
	NoFloor   Standing = iota // nothing to compare with
	ClearOf                   // the intervals do not meet
	Overlap                   // the intervals meet, the claim's value lies outside
	InFloor                   // the claim's value lies inside the floor
	NotShown                  // the claim's interval holds "no difference"
	Undecided                 // the claim has no interval
)

// Stand compares a claim with its noise floor. neutral is what no difference
// would be: 1 for a ratio, 0 for a difference.
func Stand(claim, floor *proof.Estimate, neutral float64) Standing {
	switch {
	case claim == nil || claim.Interval == nil:
		return Undecided
	case claim.Interval.Low <= neutral && neutral <= claim.Interval.High:
		return NotShown
	case floor == nil || floor.Interval == nil:
		return NoFloor
	case floor.Interval.Low <= claim.Value && claim.Value <= floor.Interval.High:
		return InFloor
	case claim.Interval.Low <= floor.Interval.High && floor.Interval.Low <= claim.Interval.High:
		return Overlap
	default:
		return ClearOf
	}
}

// String is the standing in plain words. What leaves "no difference" out is
// never called noise: it is set beside the floor.
func (s Standing) String() string {
	switch s {
	case ClearOf:
		return "clear of the noise floor"
	case Overlap:
		return "not clear of the noise floor"
	case InFloor:
		return "no larger than the noise floor"
	case NotShown:
		return "no difference is shown: the interval holds none"
	case Undecided:
		return "too few rounds to show a difference"
	default:
		return "no noise floor was measured"
	}
}

// Mark is a word beside a figure that shows no difference; "" beside any other.
func (s Standing) Mark() string {
	switch s {
	case NotShown:
		return "not shown"
	case InFloor:
		return "within floor"
	default:
		return ""
	}
}

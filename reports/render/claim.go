package render

import "github.com/coreproof/coreproof/reports/proof"

// standing says how a claim compares with what two equal sides gave.
type standing int

const (
	noFloor standing = iota // nothing to compare with
	clearOf                 // the intervals do not meet
	overlap                 // the intervals meet, the claim's value lies outside
	noise                   // the claim's value lies inside the floor, or there may be no difference at all
)

// stand compares a claim with its A/A floor. neutral is what no difference
// would be: 1 for a ratio, 0 for a difference.
func stand(claim, floor *proof.Estimate, neutral float64) standing {
	switch {
	case claim == nil:
		return noFloor
	case claim.N >= 2 && claim.Low <= neutral && neutral <= claim.High:
		return noise
	case floor == nil || floor.N < 2:
		return noFloor
	case floor.Low <= claim.Value && claim.Value <= floor.High:
		return noise
	case claim.Low <= floor.High && floor.Low <= claim.High:
		return overlap
	default:
		return clearOf
	}
}

// String is the standing in plain words.
func (s standing) String() string {
	switch s {
	case clearOf:
		return "clear of the noise floor"
	case overlap:
		return "not clear of the noise floor"
	case noise:
		return "noise: no difference is shown"
	default:
		return "no noise floor was measured"
	}
}

// tooNoisy is the deviation between rounds above which a machine cannot tell a
// difference of 5 % in time (measured with the method of the bench).
const tooNoisy = 0.045

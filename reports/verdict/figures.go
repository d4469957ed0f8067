package verdict

import "github.com/coreproof/coreproof/reports/verdict/estimate"

// level of all intervals.
const level = estimate.Level

// How figures are made from samples, in this package's words.
var (
	claim      = estimate.Claim
	ratioClaim = estimate.RatioClaim
	absolute   = estimate.Absolute
	fixedRatio = estimate.FixedRatio
	finite     = estimate.Finite
	few        = estimate.Few
)

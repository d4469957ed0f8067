package proof

import "time"

// Gate holds a new build, head, against an old one, base. In a proof with a gate its
// budgets decide; what was found on base or head alone is there to be read.
type Gate struct {
	Base GateSide `json:"base"` // the old build
	Head GateSide `json:"head"` // the new one
	// Saved: both are saved proofs, and nothing was measured anew.
	Saved bool `json:"saved,omitempty"`
	// Strict makes a budget that stays undecided a failure to decide: exit 2.
	Strict bool `json:"strict,omitempty"`
	// Limits are the budgets: how much more head may take, e.g. "cpu-on": 0.02.
	Limits []Limit `json:"limits"`
	// Protocols is how many protocol versions are measured; their figures share the error.
	Protocols int `json:"protocols"`
	// Conform says whether conformance profiles were to be compared.
	Conform bool `json:"conform"`
	// Statements says whether statements per call were to be compared.
	Statements bool `json:"statements"`
	// MinRounds are made before a figure is decided, MaxRounds at most, within MaxTime.
	MinRounds int           `json:"minRounds"`
	MaxRounds int           `json:"maxRounds"` // a figure stays undecided after so many
	MaxTime   time.Duration `json:"maxTimeNs"` // of measuring, in ns
	// Measured is how long the rounds took, starts and warm-ups included.
	Measured time.Duration `json:"measuredNs"`
	// Bench are the duets of base and head, one a protocol version: variants
	// "base-off", "head-off", "base-on" and "head-on".
	Bench []Bench `json:"bench,omitempty"`
	// LeftOut says why no duet was made: head had failed already. "" otherwise.
	LeftOut string `json:"leftOut,omitempty"`
	// Error says why nothing could be measured, or not to the end; "" otherwise.
	Error string `json:"error,omitempty"`

	Budgets []GateBudget `json:"budgets,omitempty" derived:"true"` // what became of the limits
	// Reason is one word for machines: "held", "regression", "statements", "profile",
	// "limit", "revoked-accepted", "wrong-answers", "undecided", "too-noisy",
	// "incomplete", "machines-differ", "not-readable", "target", "image",
	// "interrupted".
	Reason string `json:"reason" derived:"true"`
}

// GateSide is one of the two builds.
type GateSide struct {
	Ref  string `json:"ref"`  // as the caller gave it
	Kind string `json:"kind"` // "program", "revision", "image", "url", "descriptor" or "proof"
	// Commit that a revision stands for.
	Commit string `json:"commit,omitempty"`
	// Targets of the proof that are of this build, by name.
	Targets []string `json:"targets"`
	// Machine that a saved proof was made on; nil where all was measured in this run.
	Machine *Machine `json:"machine,omitempty"`
	// Missing: what was given could not be had (no such image).
	Missing bool `json:"missing,omitempty"`
}

// GateBudget is one thing that head is held to.
type GateBudget struct {
	Name     string `json:"name"`               // e.g. "cpu-on", "statements", "profile blacklisting"
	Target   string `json:"target,omitempty"`   // where there are several
	Protocol string `json:"protocol,omitempty"` // version that it concerns; "" for all
	// Absolute: the limit is one on head alone, on this machine.
	Absolute bool    `json:"absolute,omitempty"`
	Limit    float64 `json:"limit"` // in Unit: the most that Observed may be
	Unit     string  `json:"unit"`  // "ratio", "bytes", "ms", "1/s", "statements" or "checks"
	// Observed is head against base; nil for counts and where it could not be had. Its
	// interval is wrong below with the probability that belongs to a fail, and above
	// with that of a pass.
	Observed *Estimate `json:"observed,omitempty"`
	// Sigma is the standard deviation over rounds, of the logarithm for ratios.
	Sigma float64 `json:"sigma,omitempty"`
	// Floor is the ratio of two sides alike: base against base, in the same run.
	Floor *Estimate `json:"floor,omitempty"`
	// Decided is after how many rounds it was; 0 when it was not, or needed none.
	Decided int     `json:"decided,omitempty"`
	Outcome Outcome `json:"outcome"` // pass, fail, undecided, skip or error
	// Text says in one line what was found.
	Text string `json:"text"`
	// Reason is one of Gate.Reason.
	Reason string `json:"reason"`
}

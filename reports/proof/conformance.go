package proof

import "time"

// Conformance is the result of the checks on one target.
type Conformance struct {
	Started time.Time     `json:"started"` // when the first check began
	Took    time.Duration `json:"tookNs"`  // in ns
	// Planned is how many checks were to be tried; fewer in Checks were left out
	// when the run ended early.
	Planned   int `json:"planned"`
	Instances int `json:"instances"` // cores on the flag-on side
	// AlwaysChecks: the caller says that the core asks its database whatever the flag
	// is. With the check off a revoked token must then be refused all the same.
	AlwaysChecks bool `json:"alwaysChecks,omitempty"`
	// Switch is the negative control of the flag, one row a version and core: with
	// the database check off, is a revoked token accepted still?
	Switch   []SwitchControl `json:"switch,omitempty"`
	Checks   []Check         `json:"checks"`   // one a rule and version, in order
	Profiles []Profile       `json:"profiles"` // in the order of reports
	// Histories of concurrent clients that were judged.
	Histories []History `json:"histories,omitempty"`
	// Pairs of values of dimensions that the immediacy checks met: see
	// docs/dimensions.md.
	Pairs *Pairs `json:"pairs,omitempty"`
	// Immediacy sums up that of all checks that could have failed: those that are not
	// vacuous and have an accepted twin, or an acceptance.
	Immediacy Immediacy `json:"immediacy" derived:"true"`
}

// SwitchControl counts revoked tokens that were offered with the check off.
type SwitchControl struct {
	Protocol string `json:"protocol"` // version that was spoken
	Instance string `json:"instance"` // its name
	// Named is true where the caller named this core as one whose flag is off: a
	// refusal then makes the comparison void. Where the request decides, and where
	// the harness started the core itself, it is false.
	Named    bool `json:"named,omitempty"`
	Trials   int  `json:"trials"`   // revoked tokens that were offered
	Accepted int  `json:"accepted"` // of the trials
	// Apart is what this core answered to the token of a live session that was made at
	// a core with the check on, where it did not accept it: the two share no database.
	Apart string `json:"apart,omitempty"`
	// Trouble says why it could not be tried; "" otherwise.
	Trouble string `json:"trouble,omitempty"`
}

// Pairs counts how many pairs of dimension values were met, of those that exist.
type Pairs struct {
	Strength int `json:"strength"` // 2 pairs, 3 triples
	Wanted   int `json:"wanted"`   // that exist and make sense
	Met      int `json:"met"`      // that at least one trial met
	// Missed names some that were not met, and why.
	Missed []string `json:"missed,omitempty"`
	// LeftOut are values of which nothing is known, since the core refuses live users
	// there, and how it does.
	LeftOut []string `json:"leftOut,omitempty"`
}

// Profile is a named set of checks that a core can claim.
type Profile struct {
	Name string `json:"name"` // e.g. "blacklisting"
	// Optional profiles are reported and do not decide the verdict, unless required.
	Optional bool `json:"optional,omitempty"`
	// NotClaimed says why the core does not claim the profile; "" when it does.
	NotClaimed string `json:"notClaimed,omitempty"`
	// Members is how many checks, by id, belong to the profile; 0 when it is not
	// told. Fewer of them in Checks were not selected: the profile is incomplete.
	Members int     `json:"members,omitempty"`
	Outcome Outcome `json:"outcome" derived:"true"`          // pass, fail, error, vacuous, incomplete, or skip where it is not claimed
	Reason  string  `json:"reason,omitempty" derived:"true"` // of whatever is no pass
	Passed  int     `json:"passed" derived:"true"`           // checks
	Failed  int     `json:"failed" derived:"true"`           // checks
	Skipped int     `json:"skipped" derived:"true"`          // checks
	Errors  int     `json:"errors" derived:"true"`           // checks that could not be tried
	Vacuous int     `json:"vacuous" derived:"true"`          // checks that could not have failed
}

// Check is one rule, tried in one protocol version.
type Check struct {
	ID          string   `json:"id"`          // permanent, e.g. "BL-07"
	Title       string   `json:"title"`       // in a few words, what holds on a good core
	Requirement string   `json:"requirement"` // one sentence
	Source      string   `json:"source"`      // where the requirement stands
	Profiles    []string `json:"profiles"`    // that the check belongs to
	Suite       string   `json:"suite"`       // checks on one theme
	FlagMode    string   `json:"flagMode"`    // who decides: "setting" or "request"
	Protocol    string   `json:"protocol"`    // e.g. "CDI 2.20"

	// Lacks says what the target lacks for it; nil when nothing.
	Lacks *Lack `json:"lacks,omitempty"`
	// Trouble is the harness's own: no answer, time-out, a setting that could not be made.
	Trouble string `json:"trouble,omitempty"`
	// CouldNotFail says why a pass would prove nothing; "" when it would.
	CouldNotFail string `json:"couldNotFail,omitempty"`
	// Trials is how often the rule was tried, Tagged in how many of them requests
	// carried X-Coreproof-Check.
	Trials int `json:"trials,omitempty"`
	Tagged int `json:"tagged,omitempty"` // trials whose requests named the check
	// Violations, one for each trial in which the rule was broken, in order.
	Violations []Violation `json:"violations,omitempty"`
	// Cause names the check whose failure explains this one (a create that is
	// broken breaks all that needs a session), e.g. "SE-01"; "" otherwise.
	Cause string `json:"cause,omitempty"`
	// Immediacy is this check's part of the main question; nil for others.
	Immediacy *Immediacy `json:"immediacy,omitempty"`
	// Race is what the trials of a race met; nil for others.
	Race *Race `json:"race,omitempty"`
	// Observations are figures and facts worth keeping.
	Observations map[string]string `json:"observations,omitempty"`
	// Rerun is the command that runs this check alone, with the same seed.
	Rerun string        `json:"rerun,omitempty"`
	Took  time.Duration `json:"tookNs"` // in ns

	Outcome Outcome `json:"outcome" derived:"true"` // pass, fail, skip, error or vacuous
	// Reason of skip, error and vacuous; of a fail, what else is to be known.
	Reason string `json:"reason,omitempty" derived:"true"`
}

// Lack is something that a check needs and a target has not.
type Lack struct {
	// Kind: "version" (the core does not claim it: no gap in a profile), "protocol"
	// (it has nothing that the rule could be about: no gap either), "verb", "instances", "off-side", "settings", "clock", ….
	Kind string `json:"kind"`
	Text string `json:"text"` // what is lacking, in words
}

// Violation is a rule broken in one trial.
type Violation struct {
	Trial  int  `json:"trial"`            // from 0; -1 outside of trials
	Tagged bool `json:"tagged,omitempty"` // the trial's requests named the check
	// Expected and Got, one line each.
	Expected string `json:"expected"`
	Got      string `json:"got"` // what the core did
	// Exchanges that show it, credentials shortened, oldest first; kept for the
	// first few violations of a check.
	Exchanges []Exchange `json:"exchanges,omitempty"`
	// Replay is a curl line that repeats the decisive request; credentials are
	// shell variables in it.
	Replay string `json:"replay,omitempty"`
}

// Exchange is one request and response, credentials shortened.
type Exchange struct {
	Method       string        `json:"method"`                 // of HTTP
	URL          string        `json:"url"`                    // credentials shortened
	Host         string        `json:"host,omitempty"`         // that the request named; "" for the URL's
	Chunked      bool          `json:"chunked,omitempty"`      // the request's body came in chunks
	Proto        string        `json:"proto,omitempty"`        // of the request; "" for HTTP/1.1
	RequestBody  string        `json:"requestBody,omitempty"`  // credentials shortened
	Status       int           `json:"status"`                 // of HTTP
	ResponseBody string        `json:"responseBody,omitempty"` // credentials shortened
	Error        string        `json:"error,omitempty"`        // why there is no response; "" when there is one
	Tag          string        `json:"tag,omitempty"`          // X-Coreproof-Check
	Took         time.Duration `json:"tookNs"`                 // from the send to the whole response, in ns
}

// Race is what the trials of a race met.
type Race struct {
	// Want is how many trials whose calls overlapped are wanted of each order.
	Want   int         `json:"want"`
	Trials []RaceTrial `json:"trials"` // all of them, also those that did not meet
	// MetAB counts the overlapping trials in which A took effect first.
	MetAB int `json:"metAB" derived:"true"`
	MetBA int `json:"metBA" derived:"true"` // overlapping trials in which B took effect first
}

// RaceTrial is two calls on one session, from just before each was sent until
// its answer had arrived, in ns from the trial's start. B is the revoke, or the
// second of two calls alike.
type RaceTrial struct {
	ACall   int64 `json:"aCall"`   // just before A was sent, ns from the trial's start
	AReturn int64 `json:"aReturn"` // when A's answer had arrived
	BCall   int64 `json:"bCall"`   // just before B was sent
	BReturn int64 `json:"bReturn"` // when B's answer had arrived
	// Order is "ab" where the answers say that A took effect first, "ba" where B
	// did, and where they do not tell, who was sent first.
	Order string `json:"order"`
}

// Overlap says whether the two calls were under way at the same time.
func (t RaceTrial) Overlap() bool { return t.ACall < t.BReturn && t.BCall < t.AReturn }

// Immediacy is the answer to the main question, or a check's part of it.
type Immediacy struct {
	// Revokes is how many answered revokes were followed by calls that had to be
	// refused; Broken is after how many of them at least one was accepted. The
	// revoke is the unit of the bound: calls after one revoke are not independent.
	Revokes int `json:"revokes"`
	Broken  int `json:"broken"` // revokes after which at least one call was accepted
	// Calls that were invoked after the response to a revoke with the check on;
	// Accepted is how many of them succeeded.
	Calls    int `json:"calls"`
	Accepted int `json:"accepted"` // calls that succeeded and must not have
	// AcceptanceWindow is the longest time after a revoke's response at which
	// a call was invoked and succeeded; 0 for a good core.
	AcceptanceWindow time.Duration `json:"acceptanceWindowNs"`
	// Twins are sessions made beside revoked ones and not revoked: the negative
	// control. TwinsAccepted of them were accepted by the same call right after.
	Twins         int `json:"twins"`
	TwinsAccepted int `json:"twinsAccepted"` // twins that the same call accepted
	// Concurrent verifies overlapped a revoke: either answer was right.
	Concurrent         int `json:"concurrent,omitempty"`
	ConcurrentAccepted int `json:"concurrentAccepted,omitempty"` // of the concurrent ones
	// UpperBound is the exact (Clopper-Pearson) one-sided 95 % upper bound of the
	// probability that a revoke is broken; for 0 of N it is close to 3/N.
	UpperBound float64 `json:"upperBound,omitempty" derived:"true"`
}

// History is a recorded concurrent run.
type History struct {
	Check    string `json:"check"`    // its id
	Protocol string `json:"protocol"` // version that was spoken
	// File holds the operations; relative to the proof's folder, with slashes.
	// SHA256 is its hash in hexadecimal digits. Both are "" when it was not saved.
	File       string `json:"file,omitempty"`
	SHA256     string `json:"sha256,omitempty"` // hash of the file, hexadecimal digits
	Operations int    `json:"operations"`       // in the file
	Sessions   int    `json:"sessions"`         // partitions
	Clients    int    `json:"clients"`          // that called concurrently
	// Result is what the judge said, "linearizable", "not linearizable" or
	// "unknown". Judging the file again must say the same.
	Result string        `json:"result"`
	Took   time.Duration `json:"tookNs"` // to judge it, in ns
}

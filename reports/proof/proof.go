// Package proof is the document that a run fills and every report, gate and
// plan reads. It imports nothing else of this project. Field names in JSON are
// stable within a schema version; a new field may come at any time.
//
// The document holds two kinds of fields. Evidence is what was seen; producers
// (conformance, bench) write nothing else. Fields tagged `derived:"true"` follow
// from the evidence: package verdict fills them in, and nobody else; Clear empties
// them all, so that they can be derived anew and compared.
package proof

import "time"

// SchemaVersion is the version of the document that this package writes.
const SchemaVersion = 2

// Proof is everything that one run found out.
type Proof struct {
	SchemaVersion int       `json:"schemaVersion"` // of this document
	Tool          Tool      `json:"tool"`          // that made the proof
	Command       []string  `json:"command"`       // argv, with secrets replaced by "***"
	Seed          uint64    `json:"seed"`          // of all randomness in the run
	Started       time.Time `json:"started"`       // when the run began
	Finished      time.Time `json:"finished"`      // when the run ended
	// Interrupted says why the run ended early; "" when it ran to its end.
	// What was measured until then is kept.
	Interrupted string `json:"interrupted,omitempty"`
	// Notes concern the whole run; what concerns one target stands there.
	Notes   []string `json:"notes,omitempty"`
	Machine Machine  `json:"machine"` // where it took place
	// Require names the profiles that the caller wants proved whole: one that is
	// incomplete, or was not tried, is then no success.
	Require []string `json:"require,omitempty"`
	// Limits are the budgets that the caller set.
	Limits  []Limit  `json:"limits,omitempty"`
	Targets []Target `json:"targets"`                          // deployments that were tried, in order
	Gate    *Gate    `json:"gate,omitempty"`                   // a new build held against an old one; nil where none was
	Budgets []Budget `json:"budgets,omitempty" derived:"true"` // what became of the limits
	Verdict Verdict  `json:"verdict" derived:"true"`           // the answer
	// Digest is "sha256:" and the hash of the document without this field, as
	// Encode writes it. It shows an edit, not a forgery: it has no key.
	Digest string `json:"digest"`
}

// Tool is the harness that made the proof.
type Tool struct {
	Name    string `json:"name"`             // of the program
	Version string `json:"version"`          // of the program
	Commit  string `json:"commit,omitempty"` // it was built from
	Go      string `json:"go"`               // version it was built with
	OS      string `json:"os"`               // GOOS
	Arch    string `json:"arch"`             // GOARCH
}

// Machine is where the run took place.
type Machine struct {
	CPU         string  `json:"cpu,omitempty"`         // model
	CPUs        int     `json:"cpus"`                  // that this process may use
	MemoryBytes int64   `json:"memoryBytes,omitempty"` // main memory
	Kernel      string  `json:"kernel,omitempty"`      // name and version
	LoadStart   float64 `json:"loadStart"`             // one-minute load average
	LoadEnd     float64 `json:"loadEnd"`               // the same when the run ended
	// Limits names what this machine lacks, e.g. "no CPU clock of processes".
	Limits []string `json:"limits,omitempty"`
}

// Target is one deployment of cores that was tried: one row of a side-by-side report.
type Target struct {
	Name     string    `json:"name"`               // e.g. "sqlite", "postgres", "url"
	Kind     string    `json:"kind"`               // "embedded", "container", "url"
	Core     Server    `json:"core"`               // what was tried
	Database *Database `json:"database,omitempty"` // nil when it cannot be seen
	Notes    []string  `json:"notes,omitempty"`    // what a reader must know about this target
	// Error says why the target could not be tried to its end; "" otherwise.
	Error       string       `json:"error,omitempty"`
	Conformance *Conformance `json:"conformance,omitempty"` // the checks; nil when none ran
	Footprint   *Footprint   `json:"footprint,omitempty"`   // statements and space; nil when they were not counted
	Bench       []Bench      `json:"bench,omitempty"`       // one a protocol version
	// LeftBehind is what the harness made and could not remove again; nil when
	// nothing was, or where the database is thrown away.
	LeftBehind *LeftBehind `json:"leftBehind,omitempty"`
}

// Embedded says whether the database of a bench ran inside the core's process, so that it
// has no CPU and no connections of its own: by the kind of the target, or, of a core that
// a descriptor starts, by the database itself, which is nil where it cannot be read.
func (t *Target) Embedded(b *Bench) bool {
	return t.Kind == "embedded" || t.Database != nil && t.Database.TLS == "none" || b.Design.DatabaseAt == DatabaseInside
}

// LeftBehind is what stays on a core after a run.
type LeftBehind struct {
	Users    []string `json:"users"`    // their ids, or a pattern of them
	Sessions int      `json:"sessions"` // that still lived; -1 when it is not known
	Reason   string   `json:"reason"`   // why it could not be removed
}

// Server is a program that took part.
type Server struct {
	// Name is what the caller calls the core (--name), else its product.
	Name    string   `json:"name"`
	Product string   `json:"product,omitempty"` // as it says itself; "" when it does not tell
	Version string   `json:"version,omitempty"` // as it says itself
	Image   string   `json:"image,omitempty"`   // container image, where it ran in one
	URLsOn  []string `json:"urlsOn,omitempty"`  // of the cores with the flag on, given by URL
	URLsOff []string `json:"urlsOff,omitempty"` // of the cores with the flag off, given by URL
	// Protocols that were spoken, e.g. "CDI 2.20", "CDI 5.4".
	Protocols []string `json:"protocols,omitempty"`
}

// Database is the store behind the cores.
type Database struct {
	Product string `json:"product"`         // as the server says itself
	Version string `json:"version"`         // as the server says itself
	Image   string `json:"image,omitempty"` // container image, where it ran in one
	// TLS says whether the cores' connections to it were encrypted: "yes",
	// "no", "unknown", or "none" where there is no connection (embedded).
	TLS string `json:"tls"`
	// TLSWanted: the caller asked for encrypted connections (--db-tls).
	TLSWanted bool `json:"tlsWanted,omitempty"`
	// Settings that weigh on the figures, e.g. "fsync": "on".
	Settings map[string]string `json:"settings,omitempty"`
}

// Outcome is what became of a check, a profile, a budget or a run.
type Outcome string

const (
	Pass       Outcome = "pass"
	Fail       Outcome = "fail"
	Skip       Outcome = "skip"       // the target lacks what the check needs
	Error      Outcome = "error"      // the harness's own trouble
	Vacuous    Outcome = "vacuous"    // inconclusive: the check could not have failed
	Incomplete Outcome = "incomplete" // of a profile: a required check was skipped or left out
	Undecided  Outcome = "undecided"  // of a budget: not shown either way
)

// Interval is where a figure lies with a stated confidence.
type Interval struct {
	Low   float64 `json:"low"`   // lower bound
	High  float64 `json:"high"`  // upper bound
	Level float64 `json:"level"` // e.g. 0.95
}

// Estimate is a figure over rounds.
type Estimate struct {
	Value float64 `json:"value"` // mean over rounds; of a ratio, the exponential of the mean of logarithms
	Unit  string  `json:"unit"`  // "µs", "ms", "ratio", "1/s", "bytes"
	N     int     `json:"n"`     // independent samples (rounds)
	// Interval is nil where there are too few rounds for one: the figure then
	// decides nothing.
	Interval *Interval `json:"interval,omitempty"`
	// Method names how the interval was made, and Assumption what it rests on.
	Method     string `json:"method"`
	Assumption string `json:"assumption"` // what the interval rests on
	// Warnings are what a reader must know before relying on it.
	Warnings []string `json:"warnings,omitempty"`
}

// Limit is a budget that the caller set.
type Limit struct {
	Name  string  `json:"name"`  // e.g. "core-cpu-us"
	Value float64 `json:"value"` // in the unit of the figure
}

// Budget is a limit and what was found.
type Budget struct {
	Name     string  `json:"name"`               // of the Limit
	Target   string  `json:"target"`             // Target.Name
	Protocol string  `json:"protocol,omitempty"` // of the bench
	Limit    float64 `json:"limit"`              // in Unit
	Unit     string  `json:"unit"`               // "µs", "ratio", "ms"
	// Observed is nil when the figure could not be had.
	Observed *Estimate `json:"observed,omitempty"`
	// Outcome is pass, fail, undecided, or error when the figure could not be had.
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // of undecided and error, with what to do about it
}

// Weight says what a finding does to the verdict.
type Weight string

const (
	Fails   Weight = "fails"   // exit 1
	Untried Weight = "untried" // exit 2: could not be tried, could not have failed, did not run
	Warns   Weight = "warns"   // exit 0 all the same
)

// Finding is one thing that a reader must know, typed so that nobody has to read
// its text to act on it.
type Finding struct {
	// Kind: "check", "profile", "statements", "space", "immediacy", "switch",
	// "race", "history", "bench", "budget", "target", "interrupted", "nothing-ran",
	// "left-behind", "steady", "setting", "gate".
	Kind     string `json:"kind"`
	Weight   Weight `json:"weight"`             // fails, untried or warns
	Target   string `json:"target,omitempty"`   // Target.Name; "" for the whole run
	Protocol string `json:"protocol,omitempty"` // version that it concerns; "" for all
	Check    string `json:"check,omitempty"`    // its id
	Text     string `json:"text"`               // one line
}

// Verdict is the answer with its reasons.
type Verdict struct {
	// Outcome is pass, fail, incomplete (exit 0: required profiles were skipped),
	// undecided (of a gate: exit 0, or 2 where it is strict), or error when it could
	// not be tried.
	Outcome  Outcome `json:"outcome"`
	ExitCode int     `json:"exitCode"` // of the program: 0, 1 or 2
	// Headline is the answer in one sentence.
	Headline string    `json:"headline"`
	Findings []Finding `json:"findings"` // what weighs on the answer, failures first
}

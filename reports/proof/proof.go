// Package proof is the document that a run fills and every report, gate and
// plan reads. It imports nothing else of this project. Field names in JSON are
// stable within a schema version; a new field may come at any time.
package proof

import "time"

// SchemaVersion is the version of the document that this package writes.
const SchemaVersion = 1

// Proof is everything that one run found out.
type Proof struct {
	SchemaVersion int       `json:"schemaVersion"`
	Tool          Tool      `json:"tool"`
	Command       []string  `json:"command"` // argv, with secrets replaced by "***"
	Seed          uint64    `json:"seed"`
	Started       time.Time `json:"started"`
	Finished      time.Time `json:"finished"`
	// Interrupted says why the run ended early; "" when it ran to its end.
	// What was measured until then is kept.
	Interrupted string `json:"interrupted,omitempty"`
	// Notes concern the whole run; what concerns one target stands there.
	Notes   []string `json:"notes,omitempty"`
	Machine Machine  `json:"machine"`
	Targets []Target `json:"targets"`
	Budgets []Budget `json:"budgets,omitempty"`
	// Verdict is what Judge made of the rest when the proof was saved.
	Verdict Verdict `json:"verdict"`
}

// Tool is the harness that made the proof.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Machine is where the run took place.
type Machine struct {
	CPU         string  `json:"cpu,omitempty"`
	CPUs        int     `json:"cpus"` // that this process may use
	MemoryBytes int64   `json:"memoryBytes,omitempty"`
	Kernel      string  `json:"kernel,omitempty"`
	LoadStart   float64 `json:"loadStart"` // one-minute load average
	LoadEnd     float64 `json:"loadEnd"`
	// Limits names what this machine lacks, e.g. "no CPU clock of processes".
	Limits []string `json:"limits,omitempty"`
}

// Target is one deployment of cores that was tried: one row of a side-by-side report.
type Target struct {
	Name      string    `json:"name"` // e.g. "sqlite", "postgres", "url"
	Kind      string    `json:"kind"` // "embedded", "container", "url"
	Core      Server    `json:"core"`
	Database  *Database `json:"database,omitempty"` // nil when it cannot be seen
	Instances int       `json:"instances"`          // cores on each side
	Notes     []string  `json:"notes,omitempty"`
	// Error says why the target could not be tried at all; "" otherwise.
	Error       string       `json:"error,omitempty"`
	Conformance *Conformance `json:"conformance,omitempty"`
	Footprint   *Footprint   `json:"footprint,omitempty"`
	Bench       []Bench      `json:"bench,omitempty"` // one an era
}

// Server is a program that took part.
type Server struct {
	Product string `json:"product"`
	Version string `json:"version,omitempty"`
	Image   string `json:"image,omitempty"`
	URLOn   string `json:"urlOn,omitempty"`
	URLOff  string `json:"urlOff,omitempty"`
	// Protocols that were spoken, e.g. "CDI 2.20", "CDI 5.4".
	Protocols []string `json:"protocols,omitempty"`
}

// Database is the store behind the cores.
type Database struct {
	Product string `json:"product"` // as the server says itself
	Version string `json:"version"`
	Image   string `json:"image,omitempty"`
	// TLS says whether the cores' connections to it were encrypted: "yes",
	// "no", "unknown", or "none" where there is no connection (embedded).
	TLS string `json:"tls"`
	// Settings that weigh on the figures, e.g. "fsync": "on".
	Settings map[string]string `json:"settings,omitempty"`
}

// Outcome is what became of a check or a profile.
type Outcome string

const (
	Pass       Outcome = "pass"
	Fail       Outcome = "fail"
	Skip       Outcome = "skip"       // the target lacks what the check needs
	Error      Outcome = "error"      // the harness's own trouble
	Vacuous    Outcome = "vacuous"    // the check could not have failed
	Incomplete Outcome = "incomplete" // of a profile: a required check was skipped
)

// Conformance is the result of the checks on one target.
type Conformance struct {
	Started  time.Time     `json:"started"`
	Took     time.Duration `json:"tookNs"`
	Profiles []Profile     `json:"profiles"`
	Checks   []Check       `json:"checks"`
	// Immediacy sums up all trials of "revoked, therefore refused".
	Immediacy Immediacy `json:"immediacy"`
	// Histories of concurrent clients that were judged.
	Histories []History `json:"histories,omitempty"`
}

// Profile is a named set of checks that a core can claim.
type Profile struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	// Optional profiles are reported and do not decide the verdict.
	Optional bool   `json:"optional,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Passed   int    `json:"passed"`
	Failed   int    `json:"failed"`
	Skipped  int    `json:"skipped"`
	Errors   int    `json:"errors"`
	Vacuous  int    `json:"vacuous"`
}

// Check is one rule, tried in one era.
type Check struct {
	ID          string   `json:"id"` // permanent, e.g. "BL-07"
	Title       string   `json:"title"`
	Requirement string   `json:"requirement"` // one sentence
	Source      string   `json:"source"`      // where the requirement stands
	Profiles    []string `json:"profiles"`
	Suite       string   `json:"suite"`
	Era         string   `json:"era"`      // "setting", "request" or "" where it does not matter
	Protocol    string   `json:"protocol"` // e.g. "CDI 2.20"
	Outcome     Outcome  `json:"outcome"`
	Reason      string   `json:"reason,omitempty"` // of skip, error and vacuous
	Expected    string   `json:"expected,omitempty"`
	Got         string   `json:"got,omitempty"`
	// Trials is how often the rule was tried, Violations how often it was broken.
	Trials     int           `json:"trials,omitempty"`
	Violations int           `json:"violations,omitempty"`
	Took       time.Duration `json:"tookNs"`
	// Observations are figures and facts worth keeping, e.g.
	// "acceptanceWindowNs": "0".
	Observations map[string]string `json:"observations,omitempty"`
	// Exchanges that show a failure, tokens shortened, oldest first.
	Exchanges []Exchange `json:"exchanges,omitempty"`
	// Replay is a curl line that repeats the decisive request.
	Replay string `json:"replay,omitempty"`
	// Rerun is the command that runs this check alone, with the same seed.
	Rerun string `json:"rerun,omitempty"`
}

// Exchange is one request and response, tokens shortened.
type Exchange struct {
	Method       string        `json:"method"`
	URL          string        `json:"url"`
	RequestBody  string        `json:"requestBody,omitempty"`
	Status       int           `json:"status"`
	ResponseBody string        `json:"responseBody,omitempty"`
	Error        string        `json:"error,omitempty"`
	Tag          string        `json:"tag,omitempty"` // X-Coreproof-Check
	Took         time.Duration `json:"tookNs"`
}

// Immediacy is the answer to the main question.
type Immediacy struct {
	// Trials is how many verifies were invoked after the response to a revoke
	// with the check on; Accepted is how many of them succeeded.
	Trials   int `json:"trials"`
	Accepted int `json:"accepted"`
	// UpperBound is the exact (Clopper-Pearson) one-sided 95 % upper bound of the
	// acceptance probability; for 0 of N it is close to 3/N.
	UpperBound float64 `json:"upperBound"`
	// AcceptanceWindow is the longest time after a revoke's response at which
	// a verify was invoked and succeeded; 0 for a good core.
	AcceptanceWindow time.Duration `json:"acceptanceWindowNs"`
	// ControlTrials and ControlAccepted count revoked tokens offered to the
	// flag-off side; the blacklisting profile is vacuous unless some were accepted.
	ControlTrials   int `json:"controlTrials"`
	ControlAccepted int `json:"controlAccepted"`
	// Concurrent verifies overlapped a revoke: either answer was right.
	ConcurrentTrials   int `json:"concurrentTrials,omitempty"`
	ConcurrentAccepted int `json:"concurrentAccepted,omitempty"`
}

// History is a recorded concurrent run and what the linearizability checker said.
type History struct {
	Check      string        `json:"check"`
	Era        string        `json:"era"`
	File       string        `json:"file,omitempty"` // beside the proof
	Operations int           `json:"operations"`
	Sessions   int           `json:"sessions"` // partitions
	Clients    int           `json:"clients"`
	Result     string        `json:"result"` // "linearizable", "not linearizable", "unknown"
	Took       time.Duration `json:"tookNs"`
}

// Footprint is what the flag costs in space and statements.
type Footprint struct {
	// Source names who counted statements, e.g. "pg_stat_statements" or "driver".
	Source string `json:"source"`
	// Statements per operation, by side.
	Statements []Statements `json:"statements"`
	Space      *Space       `json:"space,omitempty"`
	Notes      []string     `json:"notes,omitempty"`
}

// Statements is an exact count for one kind of call.
type Statements struct {
	Operation string `json:"operation"` // e.g. "verify", "verify first after refresh", "revoke"
	Era       string `json:"era"`
	Flag      string `json:"flag"` // "on", "off"
	Calls     int64  `json:"calls"`
	Count     int64  `json:"count"`
	// Expected per call; nil where it is only reported.
	Expected *float64 `json:"expected,omitempty"`
}

// PerCall is Count / Calls; 0 when there were no calls.
func (s Statements) PerCall() float64 {
	if s.Calls == 0 {
		return 0
	}
	return float64(s.Count) / float64(s.Calls)
}

// Held says whether the count is exactly what was expected.
func (s Statements) Held() bool {
	return s.Expected == nil || (s.Calls > 0 && float64(s.Count) == *s.Expected*float64(s.Calls))
}

// Space compares the database after the same work with the flag on and off.
type Space struct {
	SchemaOn   string `json:"schemaOn"` // hash of the schema
	SchemaOff  string `json:"schemaOff"`
	RowsOn     int64  `json:"rowsOn"`
	RowsOff    int64  `json:"rowsOff"`
	RevokedOn  int64  `json:"revokedRowsOn"` // rows left after revoking a part
	RevokedOff int64  `json:"revokedRowsOff"`
	BytesOn    int64  `json:"bytesOn"` // after compaction
	BytesOff   int64  `json:"bytesOff"`
	// Held: same schema, same rows before and after the revokes, bytes within Tolerance.
	Tolerance float64 `json:"tolerance"` // e.g. 0.05
	Held      bool    `json:"held"`
	Reason    string  `json:"reason,omitempty"`
}

// Estimate is a figure with its confidence interval. All three numbers are
// finite. Where N < 2 there is no interval: Low and High equal Value, and
// reports say so.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level"` // e.g. 0.95
	N     int     `json:"n"`     // independent samples (rounds)
	Unit  string  `json:"unit"`  // "µs", "ms", "ratio", "1/s", "bytes"
	// Method names how the interval was made, e.g. "t over rounds".
	Method string `json:"method"`
}

// Bench is the price of the flag in one era.
type Bench struct {
	Era      string `json:"era"`
	Protocol string `json:"protocol"`
	Design   Design `json:"design"`
	// Gateable is false where CPU could not be read; NotGateable says why.
	Gateable    bool   `json:"gateable"`
	NotGateable string `json:"notGateable,omitempty"`

	Rounds  []Round   `json:"rounds"`
	Dropped []Dropped `json:"dropped,omitempty"`

	// CPU time per verify, per side, in µs; nil where it could not be read.
	CoreCPUOff  *Estimate `json:"coreCpuOff,omitempty"`
	CoreCPUOn   *Estimate `json:"coreCpuOn,omitempty"`
	CoreCPUDiff *Estimate `json:"coreCpuDiff,omitempty"` // on − off, µs
	// CoreCPURatio is on / off, from the mean of ln(on/off) over rounds.
	CoreCPURatio *Estimate `json:"coreCpuRatio,omitempty"`
	// DatabaseCPU is database µs per flag-on verify, idle subtracted; nil for
	// an embedded database, whose work is inside the core's.
	DatabaseCPU *Estimate `json:"databaseCpu,omitempty"`
	// Latency from the intended send to the last byte, in ms.
	Latency []LatencyRow `json:"latency"`
	// CostPerCall is the difference of the median latencies, on − off, in ms.
	CostPerCall *Estimate `json:"costPerCall,omitempty"`
	// Floor is the same ratio from A/A rounds: both sides alike. A claim inside
	// it is noise.
	Floor *Estimate `json:"floor,omitempty"`
	// FloorLatency is the A/A difference of the median latencies in ms.
	FloorLatency *Estimate `json:"floorLatency,omitempty"`
	// Sigma is the standard deviation over rounds of ln(on/off) of CPU per call.
	Sigma float64 `json:"sigma"`
	// Throughput in the closed model, verifies per second; windows are saturated by intent.
	ThroughputOff   *Estimate `json:"throughputOff,omitempty"`
	ThroughputOn    *Estimate `json:"throughputOn,omitempty"`
	ThroughputRatio *Estimate `json:"throughputRatio,omitempty"`
	// SaturatedCPU per call in the closed model, µs.
	SaturatedCPUOff *Estimate `json:"saturatedCpuOff,omitempty"`
	SaturatedCPUOn  *Estimate `json:"saturatedCpuOn,omitempty"`
	// Bytes per call on the wire between generator and core (bodies and headers).
	BytesPerCallOff float64 `json:"bytesPerCallOff,omitempty"`
	BytesPerCallOn  float64 `json:"bytesPerCallOn,omitempty"`
	// Histograms of latency, one a side, for readers that want other quantiles.
	Histograms []Histogram `json:"histograms,omitempty"`
}

// Design is how a bench was done.
type Design struct {
	Kind           string        `json:"kind"`      // "duet"
	Generator      string        `json:"generator"` // e.g. "vegeta v12.13.0"
	RateHz         float64       `json:"rateHz"`    // both sides together
	RateShare      float64       `json:"rateShare"` // of the calibrated closed-model rate
	Stretch        time.Duration `json:"stretchNs"` // measured, per round
	WarmUp         time.Duration `json:"warmUpNs"`
	Connections    int           `json:"connections"` // per side
	Tokens         int           `json:"tokens"`      // drawn uniformly from so many
	Rows           int64         `json:"rows"`        // session rows in the database
	FreshProcesses bool          `json:"freshProcesses"`
	Pinned         bool          `json:"pinned"`
	ServerCPUs     []int         `json:"serverCpus,omitempty"`
	GeneratorCPUs  []int         `json:"generatorCpus,omitempty"`
	GOMAXPROCS     int           `json:"gomaxprocs,omitempty"` // of the cores; 0 is their default
	RoundsPlanned  int           `json:"roundsPlanned"`
}

// Round is one duet with fresh processes. Side A is flag off and side B flag on
// in a "cost" round; both are the same in an "aa" round.
type Round struct {
	Index     int       `json:"index"`
	Kind      string    `json:"kind"` // "cost", "aa", "closed"
	Started   time.Time `json:"started"`
	A         Side      `json:"a"`
	B         Side      `json:"b"`
	Achieved  float64   `json:"achieved"` // share of the wanted rate
	LagP99    float64   `json:"lagP99Ms"` // how late sends were, ms
	Saturated bool      `json:"saturated,omitempty"`
	// DatabaseCPU in µs over the stretch, both sides; negative when not readable.
	DatabaseCPU float64 `json:"databaseCpuUs"`
	// GeneratorCPU in µs over the stretch; negative when not readable.
	GeneratorCPU float64 `json:"generatorCpuUs"`
}

// Side is what one side of a round did.
type Side struct {
	Flag   string  `json:"flag"` // "on", "off"
	Calls  int64   `json:"calls"`
	Errors int64   `json:"errors"`
	CPU    float64 `json:"cpuUs"` // over the stretch; negative when not readable
	P50    float64 `json:"p50Ms"`
	P90    float64 `json:"p90Ms"`
	P99    float64 `json:"p99Ms"`
	P999   float64 `json:"p999Ms"`
	Max    float64 `json:"maxMs"`
	Rate   float64 `json:"rateHz,omitempty"` // closed model
}

// Dropped is a round that does not count, for a reason that looks at both sides alike.
type Dropped struct {
	Index  int    `json:"index"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// LatencyRow is one quantile on both sides, over rounds.
type LatencyRow struct {
	Quantile float64  `json:"quantile"` // 0.5, 0.9, 0.99, 0.999
	Off      Estimate `json:"off"`
	On       Estimate `json:"on"`
	Diff     Estimate `json:"diff"`
}

// Histogram of latencies: counts of values up to a bound.
type Histogram struct {
	Flag string `json:"flag"`
	// UpperMs and Count have equal length; UpperMs ascends.
	UpperMs []float64 `json:"upperMs"`
	Count   []int64   `json:"count"`
}

// Budget is a limit that the caller set and what was found.
type Budget struct {
	Name     string  `json:"name"`   // e.g. "core-cpu-us"
	Target   string  `json:"target"` // Target.Name
	Era      string  `json:"era,omitempty"`
	Limit    float64 `json:"limit"`
	Observed float64 `json:"observed"`
	Unit     string  `json:"unit"`
	// Outcome is pass, fail, or error when the figure could not be had.
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

// Verdict is the one-word answer with its reasons.
type Verdict struct {
	Outcome  Outcome  `json:"outcome"` // pass, fail, or error when it could not be tried
	ExitCode int      `json:"exitCode"`
	Reasons  []string `json:"reasons"`
}

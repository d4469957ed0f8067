package proof

import "time"

// Bench compares variants of one target at one protocol version.
type Bench struct {
	FlagMode string `json:"flagMode"` // who decides: "setting" or "request"
	Protocol string `json:"protocol"` // e.g. "CDI 5.4"
	Design   Design `json:"design"`   // how it was done
	// Variants that were compared; for the cost of the flag "off" and "on".
	Variants []Variant `json:"variants"`
	// Controls were tried before measuring: is a revoked token accepted where the
	// flag is off and refused where it is on?
	Controls []VariantControl `json:"controls,omitempty"`
	// Steady tells how each variant was brought to a steady state.
	Steady  []Steady  `json:"steady,omitempty"`
	Rounds  []Round   `json:"rounds"`            // rounds that count, in the order they were run
	Dropped []Dropped `json:"dropped,omitempty"` // rounds that do not count
	// Histograms of latency, one a variant, of unsaturated "cost" rounds.
	Histograms []Histogram `json:"histograms,omitempty"`
	// IdleDatabaseCPU is what the database spends without load, µs per second: come to
	// rest before the rounds or, where that was less, after them; nil where it could not
	// be read.
	IdleDatabaseCPU *float64 `json:"idleDatabaseCpu,omitempty"`
	// Sweep is each variant alone, from nearly idle to past saturation; nil where it was
	// not asked for.
	Sweep *Sweep `json:"sweep,omitempty"`

	Cost *Cost `json:"cost,omitempty" derived:"true"` // what the flag costs, from the rounds; nil where no variants off and on were compared
}

// BeyondIdle is what the database spent of cpu, in µs over a span of time, beyond what it
// spends without load, where that is known; never below 0.
func (b *Bench) BeyondIdle(cpu float64, span time.Duration) float64 {
	if b.IdleDatabaseCPU != nil {
		cpu -= *b.IdleDatabaseCPU * span.Seconds()
	}
	return max(0, cpu)
}

// Variant is one of the things that are compared.
type Variant struct {
	Name string `json:"name"` // "off", "on", "base", "head"
	// Settings and Request say what differs: the core's own settings, and what
	// each request asks for.
	Settings  map[string]string `json:"settings,omitempty"`
	Request   map[string]string `json:"request,omitempty"` // what each of its requests asks for, e.g. "checkDatabase": "true"
	Instances int               `json:"instances"`         // cores that its calls went to
}

// VariantControl offers revoked tokens to a variant.
type VariantControl struct {
	Variant  string `json:"variant"`           // Variant.Name
	Trials   int    `json:"trials"`            // revoked tokens that were offered
	Accepted int    `json:"accepted"`          // of the trials
	Trouble  string `json:"trouble,omitempty"` // why it could not be tried; "" otherwise
	// Against names the cores that did not do what the variant's flag says: that refused
	// one with the flag off, or accepted one with it on.
	Against []string `json:"against,omitempty"`
}

// Steady is how one variant was brought to a steady state.
type Steady struct {
	Variant string        `json:"variant"` // Variant.Name
	Round   int           `json:"round"`   // before which; -1 for all (cores that are not restarted)
	Took    time.Duration `json:"tookNs"`  // in ns
	// Figures are CPU µs per call (p50 in ms where CPU cannot be read) of one
	// window after the other, Unit which of them.
	Figures []float64 `json:"figures"`
	Unit    string    `json:"unit"`    // "µs" or "ms"
	Reached bool      `json:"reached"` // whether the figures stopped falling
}

// Cost is what the flag costs, from Rounds: variant "on" against "off".
type Cost struct {
	// Gateable is false where a figure cannot carry a gate; NotGateable says why.
	Gateable    bool   `json:"gateable"`
	NotGateable string `json:"notGateable,omitempty"` // why no figure can carry a gate; "" when one can
	// CPU time per verify, in µs; nil where it could not be read.
	CoreCPUOff  *Estimate `json:"coreCpuOff,omitempty"`
	CoreCPUOn   *Estimate `json:"coreCpuOn,omitempty"`   // the same of variant on, µs
	CoreCPUDiff *Estimate `json:"coreCpuDiff,omitempty"` // on − off, µs
	// CoreCPURatio is on / off, from the mean of ln(on/off) over rounds.
	CoreCPURatio *Estimate `json:"coreCpuRatio,omitempty"`
	// DatabaseCPU is database µs per flag-on verify, idle subtracted; nil for
	// an embedded database, whose work is inside the core's.
	DatabaseCPU *Estimate `json:"databaseCpu,omitempty"`
	// TotalCPUOn is core and database together per flag-on verify, µs, and
	// TotalCPURatio that against the flag-off core, which asks no database.
	TotalCPUOn    *Estimate `json:"totalCpuOn,omitempty"`
	TotalCPURatio *Estimate `json:"totalCpuRatio,omitempty"` // TotalCPUOn / CoreCPUOff, from the mean of logarithms over rounds
	// Latency from the intended send to the last byte, in ms.
	Latency []LatencyRow `json:"latency"`
	// CostPerCall is the difference of the median latencies, on − off, in ms.
	CostPerCall *Estimate `json:"costPerCall,omitempty"`
	// Floor is the CPU ratio of two sides alike: a claim inside it is noise. nil
	// where it was not measured or cannot be (one process on both sides).
	Floor *Estimate `json:"floor,omitempty"`
	// FloorLatency is the difference of the median latencies of two sides alike, ms.
	FloorLatency *Estimate `json:"floorLatency,omitempty"`
	// Sigma is the standard deviation over rounds of ln(on/off) of CPU per call.
	Sigma float64 `json:"sigma"`
	// Throughput in the closed model, verifies per second.
	ThroughputOff   *Estimate `json:"throughputOff,omitempty"`
	ThroughputOn    *Estimate `json:"throughputOn,omitempty"`    // the same of variant on
	ThroughputRatio *Estimate `json:"throughputRatio,omitempty"` // on / off
	// SaturatedCPU per call in the closed model, µs.
	SaturatedCPUOff *Estimate `json:"saturatedCpuOff,omitempty"`
	SaturatedCPUOn  *Estimate `json:"saturatedCpuOn,omitempty"` // the same of variant on
	// Bytes per call on the wire between generator and core (bodies and headers).
	BytesPerCallOff float64 `json:"bytesPerCallOff,omitempty"`
	BytesPerCallOn  float64 `json:"bytesPerCallOn,omitempty"` // the same of variant on
	// SaturatedRounds of kind "cost" that were left out of all figures.
	SaturatedRounds int `json:"saturatedRounds"`
}

// Design is how a bench was done.
type Design struct {
	Kind        string        `json:"kind"`                // "duet"
	Generator   string        `json:"generator"`           // e.g. "vegeta v12.13.0"
	RateHz      float64       `json:"rateHz"`              // all sides together
	RateShare   float64       `json:"rateShare"`           // of the calibrated closed-model rate; 0 when the caller set RateHz
	RateCapHz   float64       `json:"rateCapHz,omitempty"` // the most calls per second that the caller allowed; 0 is no cap
	Window      time.Duration `json:"windowNs"`            // measured, per round
	WarmUp      time.Duration `json:"warmUpNs"`            // thrown away before each window, in ns
	Connections int           `json:"connections"`         // per side
	Tokens      int           `json:"tokens"`              // drawn uniformly from so many
	// VerifyShare of the calls of open-model windows were verifies, the others began,
	// refreshed and ended sessions; rates, calls and figures per call are of verifies, and
	// CPU is that of both. 0 is 1: verifies alone.
	VerifyShare    float64 `json:"verifyShare,omitempty"`
	Rows           *int64  `json:"rows,omitempty"`          // session rows in the database; nil when it could not be asked
	FreshProcesses bool    `json:"freshProcesses"`          // cores were started anew for each round
	Pinned         bool    `json:"pinned"`                  // cores and generator had CPUs of their own
	ServerCPUs     []int   `json:"serverCpus,omitempty"`    // numbers of the CPUs that the cores were pinned to
	GeneratorCPUs  []int   `json:"generatorCpus,omitempty"` // numbers of the CPUs that the generator was pinned to
	GOMAXPROCS     int     `json:"gomaxprocs,omitempty"`    // of the cores; 0 is their default
	RoundsPlanned  int     `json:"roundsPlanned"`           // of all kinds
	// FloorReason says why there can be no noise floor; "" otherwise.
	FloorReason string `json:"floorReason,omitempty"`
	// DatabaseAt says where the database ran, e.g. "this machine, not pinned".
	DatabaseAt string `json:"databaseAt,omitempty"`
}

// DatabaseInside is what Design.DatabaseAt says of an embedded database.
const DatabaseInside = "inside the core's process"

// Verifies is the share of the calls of open-model windows that were verifies.
func (d *Design) Verifies() float64 {
	if d.VerifyShare == 0 {
		return 1
	}
	return d.VerifyShare
}

// Kinds of rounds.
const (
	KindCost      = "cost"      // variants in turn, call by call, open model
	KindFloor     = "floor"     // the same variant on both sides
	KindSaturated = "saturated" // one variant after the other, closed model
)

// Round is fresh processes, a warm-up and one window on each variant.
type Round struct {
	Index   int       `json:"index"`   // from 0, over all kinds
	Kind    string    `json:"kind"`    // "cost", "floor" or "saturated"
	Started time.Time `json:"started"` // when its first window began
	// Windows, one a side: in a "cost" round one a variant in the order of
	// Bench.Variants, in a "floor" round two of the same variant.
	Windows []Window `json:"windows"`
	// Achieved is the share of the wanted rate, LagP99 how late sends were, ms.
	Achieved float64 `json:"achieved"`
	LagP99   float64 `json:"lagP99Ms"` // how late one in 100 sends was, ms
	// Saturated: sends were so late that the figures speak of a queue.
	Saturated bool `json:"saturated,omitempty"`
	// DatabaseCPU in µs over the window, all sides, idle not subtracted; negative
	// when not readable. Took is the window's length as it was.
	DatabaseCPU float64 `json:"databaseCpuUs"`
	// GeneratorCPU in µs; negative when not readable.
	GeneratorCPU float64       `json:"generatorCpuUs"`
	Took         time.Duration `json:"tookNs"` // the window's length as it was, in ns
}

// Window is one side's part of a round.
type Window struct {
	Variant string `json:"variant"` // Variant.Name
	Calls   int64  `json:"calls"`   // verifies made in it
	// Others are calls besides them: sessions that began, were refreshed (with the first
	// verify of the new token) or ended.
	Others int64 `json:"others,omitempty"`
	Errors int64 `json:"errors"` // calls of either that were answered wrongly, or not
	// Shed are those of the errors that were answered 429 or 503: the core turned them away.
	Shed int64 `json:"shed,omitempty"`
	// Example of a wrong answer, one line; "" when there was none.
	Example string  `json:"example,omitempty"`
	CPU     float64 `json:"cpuUs"`           // of the core's processes; negative when not readable
	P50     float64 `json:"p50Ms"`           // latency in ms: median
	P90     float64 `json:"p90Ms"`           // nine of ten calls were faster
	P99     float64 `json:"p99Ms"`           // 99 of 100 were
	P999    float64 `json:"p999Ms"`          // 999 of 1,000 were
	Max     float64 `json:"maxMs"`           // slowest call
	Rate    float64 `json:"rate,omitempty"`  // calls per second (saturated)
	Bytes   int64   `json:"bytes,omitempty"` // both ways, bodies and headers (saturated)
	// Resident memory of the core's processes in bytes, before the first call and after
	// the window; 0 when not readable, or where the processes outlive the round.
	MemoryReady int64 `json:"memoryReadyBytes,omitempty"`
	Memory      int64 `json:"memoryBytes,omitempty"` // after the window
}

// Dropped is a round that does not count, for a reason that concerns all sides alike.
type Dropped struct {
	Index  int    `json:"index"`  // of the round
	Kind   string `json:"kind"`   // of the round
	Reason string `json:"reason"` // one that concerns all sides alike
}

// LatencyRow is one quantile on both sides, over rounds.
type LatencyRow struct {
	Quantile float64  `json:"quantile"` // 0.5, 0.9, 0.99, 0.999
	Off      Estimate `json:"off"`      // of variant off, ms
	On       Estimate `json:"on"`       // of variant on, ms
	Diff     Estimate `json:"diff"`     // on − off, ms
}

// Histogram of latencies: counts of values up to a bound.
type Histogram struct {
	Variant string `json:"variant"` // Variant.Name
	// UpperMs and Count have equal length; UpperMs ascends.
	UpperMs []float64 `json:"upperMs"`
	Count   []int64   `json:"count"` // calls up to the bound and above the one before
}

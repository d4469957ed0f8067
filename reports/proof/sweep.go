package proof

import "time"

// Sweep is the load curve of each variant alone: windows at rates from nearly idle to
// past saturation, in random order.
type Sweep struct {
	Window      time.Duration `json:"windowNs"`    // measured, at each rate
	WarmUp      time.Duration `json:"warmUpNs"`    // thrown away before each window, in ns
	Connections int           `json:"connections"` // calls that may be under way at once
	// Blocks are how many times all rates were to be tried, each time on fresh
	// processes where cores can be started; a block gives one curve.
	Blocks int           `json:"blocks"`
	Within time.Duration `json:"withinNs"` // how long all of it might take, in ns
	Took   time.Duration `json:"tookNs"`   // how long it took, in ns
	// CutShort says why not all blocks were made; "" otherwise.
	CutShort string `json:"cutShort,omitempty"`
	// Shares of Saturation were to be tried in each block, of a capped target those up to 1;
	// higher ones of a variant that these did not saturate. nil in proofs that do not say.
	Shares []float64 `json:"shares,omitempty"`
	// Saturation is what each variant served in a closed loop, with as many callers as were
	// served best: the rates of the sweep are shares of it. Of a capped target it is the cap.
	Saturation []SweepSaturation `json:"saturation"`
	Points     []SweepPoint      `json:"points"` // in the order they were run

	Curves []LoadCurve `json:"curves,omitempty" derived:"true"` // one a variant
}

// SweepSaturation is where a variant's rates were taken from.
type SweepSaturation struct {
	Variant string  `json:"variant"`          // Variant.Name
	RateHz  float64 `json:"rateHz"`           // calls per second in the closed loop
	Capped  bool    `json:"capped,omitempty"` // the caller's cap, and not what it can serve
}

// SweepPoint is one window on one variant, which had the load alone.
type SweepPoint struct {
	Variant string  `json:"variant"`  // Variant.Name
	Block   int     `json:"block"`    // from 0
	Share   float64 `json:"share"`    // of the variant's Saturation
	RateHz  float64 `json:"rateHz"`   // wanted calls per second, with random gaps (Poisson)
	Served  float64 `json:"servedHz"` // verifies answered well per second, until the last answer
	// Achieved is the share of the wanted calls that was sent before the window's end,
	// LagP99 how late one in 100 of them was sent.
	Achieved float64       `json:"achieved"`
	LagP99   float64       `json:"lagP99Ms"`         // ms
	Backlog  int64         `json:"backlog"`          // calls that were due and not answered at the window's end
	Took     time.Duration `json:"tookNs"`           // to the last answer, in ns
	Calls    int64         `json:"calls"`            // verifies that were answered
	Others   int64         `json:"others,omitempty"` // calls besides them, as Window.Others
	Errors   int64         `json:"errors"`           // calls of either that were answered wrongly, or not
	Shed     int64         `json:"shed,omitempty"`   // errors that were answered 429 or 503: the core turned them away
	// Example of a wrong answer, one line; "" when there was none.
	Example string  `json:"example,omitempty"`
	Mean    float64 `json:"meanMs"`        // latency from the intended send, ms
	P50     float64 `json:"p50Ms"`         // median, ms
	P90     float64 `json:"p90Ms"`         // nine of ten calls were faster
	P99     float64 `json:"p99Ms"`         // 99 of 100 were
	CPU     float64 `json:"cpuUs"`         // of the core's processes; negative when not readable
	DBCPU   float64 `json:"databaseCpuUs"` // of the database, idle not subtracted; negative when not readable

	// Saturated names the criterion by which the window speaks of a core that has too much
	// to do: "shedding", "achieved", "lag", "backlog" or "latency"; "" where none holds.
	// Such a window is in no figure.
	Saturated string `json:"saturated,omitempty" derived:"true"`
}

// LoadCurve is what the windows of one variant come to.
type LoadCurve struct {
	Variant string      `json:"variant"` // Variant.Name
	Rates   []CurveRate `json:"rates"`   // from low to high
	// Knee is the rate served at the highest one before saturation, one value a block whose
	// rates were all tried (KneeRule). nil where there is none.
	Knee *Estimate `json:"knee,omitempty"`
	// KneeRule says how, or why there is no knee.
	KneeRule string `json:"kneeRule"`
	// Disturbed windows are saturated below the knee or unsaturated above it: something else
	// than the load made the difference.
	Disturbed int `json:"disturbed"`
	// Unfinished blocks, of which not all rates were tried, or none beside the knee can be
	// used, are not in the knee.
	Unfinished int `json:"unfinished,omitempty"`
	// Models of the mean response time over the rate, better one first.
	Models []LoadModel `json:"models,omitempty"`
	// ModelReason says why there is none; "" otherwise.
	ModelReason string `json:"modelReason,omitempty"`
}

// CurveRate is a rate of a curve. Figures are means over the windows that were not
// saturated, one a block.
type CurveRate struct {
	RateHz    float64   `json:"rateHz"`            // wanted, mean over blocks
	Windows   int       `json:"windows"`           // all
	Saturated int       `json:"saturated"`         // of them, which are in no figure
	Mean      *Estimate `json:"mean,omitempty"`    // latency, ms
	P50       *Estimate `json:"p50,omitempty"`     // median latency, ms
	P90       *Estimate `json:"p90,omitempty"`     // nine of ten calls were faster, ms
	P99       *Estimate `json:"p99,omitempty"`     // 99 of 100 were, ms
	CoreCPU   *Estimate `json:"coreCpu,omitempty"` // µs per call
	// DatabaseCPU in µs per call, idle subtracted.
	DatabaseCPU *Estimate `json:"databaseCpu,omitempty"`
}

// Queued says whether the rate was saturated in half of its windows or more: what the others
// show of its latency is that of the lucky ones.
func (r *CurveRate) Queued() bool { return 2*r.Saturated >= r.Windows }

// LoadModel is a law of response time that was fitted to a curve.
type LoadModel struct {
	Name    string `json:"name"`    // "queue" or "usl"
	Formula string `json:"formula"` // with the names of the parameters
	Source  string `json:"source"`  // where the law stands
	// Parameters of the formula, fitted.
	Parameters []Parameter `json:"parameters"`
	R2         float64     `json:"r2"`    // share of the variance of the response time that it explains
	Worst      float64     `json:"worst"` // largest relative error at a rate
	// HeldOut is the root mean square of the relative errors at rates that were left
	// out of the fit, one after the other; the better model has the smaller one.
	HeldOut float64 `json:"heldOut"`
	// Limit is the rate that the law says cannot be passed, per second; 0 where none.
	Limit float64 `json:"limitHz,omitempty"`
}

// Parameter of a model.
type Parameter struct {
	Name  string  `json:"name"`  // as the formula calls it
	Value float64 `json:"value"` // in Unit
	Unit  string  `json:"unit"`  // "ms", "1/s" or "" of a pure number
}

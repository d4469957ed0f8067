// Package bench compares variants of a core under load: what a verify costs with
// access token blacklisting on against off. The variants are up at once and are
// called in turn, call by call (a duet); a round is a warm-up and one window on
// fresh processes, and gives one number. What differs is a Variant, which round
// comes next and when to stop is a Plan's. Method: docs/measurement.md.
package bench

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/reports/proof"
)

// Options of a bench on one target.
type Options struct {
	Target launch.Target
	// Versions of the target's protocol, each measured by itself.
	Versions []string
	// Variants to compare, two at least; nil is FlagVariants.
	Variants []Variant
	// Plan of a version; nil is a FixedPlan of no rounds.
	Plan func() Plan
	// Instances of the core on each side; 0 is 1.
	Instances int
	// Window is what is measured of a round, WarmUp what is thrown away before.
	Window, WarmUp time.Duration
	// SaturatedWindow is the length of a window in the closed model.
	SaturatedWindow time.Duration
	// SteadyWindow is the length of the windows that show a steady state; 0 is a
	// second for cores that are not started anew, and a quarter for others.
	SteadyWindow time.Duration
	// Fresh starts cores anew for each round however long they took to a steady
	// state: what compares builds by a ratio needs the starts in its interval more.
	Fresh bool
	// Closed keeps every connection busy in cost and floor rounds, instead of sending at
	// a rate: for the ratio of two builds' CPU, which then needs no rate that the
	// machine can hold. Latencies of such rounds leave out who had to wait to be sent.
	Closed bool
	// SteadyWithin bounds how long a core may take to a steady state.
	SteadyWithin time.Duration
	// RateHz of verifies, all sides together; 0 calibrates RateShare of what they serve
	// in a closed loop.
	RateHz, RateShare float64
	// Tokens to draw from.
	Tokens int
	// Rows that the session table is filled up to before anything is measured, where
	// the database is the target's own; 0 leaves it with the sessions of the tokens.
	Rows int64
	// VerifyShare of the calls are verifies; the others begin, refresh and end sessions
	// (package lives), in windows of the open model: figures are then per verify with the
	// calls that come with it. 0 is 1: verifies alone. With less than 1 there are no
	// rounds in the closed model, nor Closed.
	VerifyShare float64
	// Sweep takes the load curve of each variant alone after the rounds; nil takes none.
	Sweep *Sweep
	// Connections of each side.
	Connections int
	// Pin servers to one CPU and the generator to the others, where that can be done.
	Pin  bool
	Seed uint64
	Log  *slog.Logger
	// Progress is told what goes on, one call at a time; may be nil.
	Progress func(Event)
	// crowd is in the names of the users; "" is drawn, so that no two runs share one.
	crowd string
}

// Phases of a bench, as Event tells them besides the kinds of rounds.
const (
	PhaseTokens    = "tokens"
	PhaseRows      = "rows"
	PhaseSteady    = "steady"
	PhaseFootprint = "footprint"
)

// Event tells how far a bench is.
type Event struct {
	Target   string
	Protocol string // e.g. "CDI 5.4"
	Phase    string
	Done, Of int
	// Rounds so far; nil before the first.
	Rounds []proof.Round
}

// DefaultTokens is how many sessions are made when nothing else is said.
const DefaultTokens = 10000

// filled sets what was not set, from the experiments behind the method.
func (o Options) filled() Options {
	set := func(p *int, n int) {
		if *p == 0 {
			*p = n
		}
	}
	set(&o.Instances, 1)
	set(&o.Tokens, DefaultTokens)
	set(&o.Connections, 8)
	span := func(p *time.Duration, d time.Duration) {
		if *p == 0 {
			*p = d
		}
	}
	span(&o.Window, 1500*time.Millisecond)
	span(&o.WarmUp, 250*time.Millisecond)
	span(&o.SaturatedWindow, time.Second)
	span(&o.SteadyWithin, 90*time.Second)
	if o.VerifyShare == 0 {
		o.VerifyShare = 1
	}
	if o.RateShare == 0 {
		// Vegeta keeps its rate up to about this share of saturation.
		o.RateShare = 0.35
	}
	if o.Variants == nil {
		o.Variants = FlagVariants()
	}
	if o.Plan == nil {
		o.Plan = func() Plan { return &FixedPlan{} }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	o.crowd = cmp.Or(o.crowd, fmt.Sprintf("%x", rand.Uint64()))
	return o
}

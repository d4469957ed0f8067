// Package bench prices the flag: what a verify costs with access token
// blacklisting on against off. Both sides are up at once and are called in
// turn, call by call (a duet); a round is fresh processes, a warm-up and one
// stretch, and gives one number. Method: docs/measurement.md.
package bench

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// Options of a bench on one target.
type Options struct {
	Target target.Target
	// Protocols, one an era, e.g. "2.20" and "5.4".
	Protocols []target.Protocol
	// Instances of the core on each side; 0 is 1.
	Instances int
	// Rounds of each kind.
	CostRounds, FloorRounds, ClosedRounds int
	// Stretch is what is measured of a round, WarmUp what is thrown away before.
	Stretch, WarmUp time.Duration
	// ClosedStretch is the length of a saturated window of one side.
	ClosedStretch time.Duration
	// RateHz of both sides together; 0 calibrates RateShare of what the pair
	// serves in a closed loop.
	RateHz, RateShare float64
	// RateCap bounds every load, calls per second; 0 is none.
	RateCap float64
	// Tokens to draw from.
	Tokens int
	// Connections of each side.
	Connections int
	// Pin servers to one CPU and the generator to the others, where that can be done.
	Pin bool
	// TLS for a target behind https.
	TLS  *tls.Config
	Seed uint64
	Log  *slog.Logger
	// Progress is told what goes on; may be nil.
	Progress func(Event)
}

// Event tells how far a bench is.
type Event struct {
	Target   string
	Protocol target.Protocol
	Phase    string // "tokens", "calibrate", "cost", "floor", "closed", "footprint"
	Done, Of int
	// Running is the ratio of core CPU per call, on / off, so far; nil before
	// there is one.
	Running *proof.Estimate
}

// Defaults for what is not set, from the experiments behind the method.
func (o Options) filled() Options {
	set := func(p *int, n int) {
		if *p == 0 {
			*p = n
		}
	}
	set(&o.Instances, 1)
	set(&o.Tokens, 10000)
	set(&o.Connections, 8)
	span := func(p *time.Duration, d time.Duration) {
		if *p == 0 {
			*p = d
		}
	}
	span(&o.Stretch, 1500*time.Millisecond)
	span(&o.WarmUp, 250*time.Millisecond)
	span(&o.ClosedStretch, time.Second)
	if o.RateShare == 0 {
		// Vegeta keeps its rate up to about this share of saturation.
		o.RateShare = 0.35
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	return o
}

// Package attack sends load that one machine cannot: each of n shards sends its share of
// one schedule, from a moment that they share, and writes what came of it so that the
// shards together say exactly what one sender would have said.
package attack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/bench/population"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
)

// Plan is what all shards share: those of one plan can be merged, and no others.
type Plan struct {
	// Seed of the schedule: which call is due when.
	Seed uint64 `json:"seed"`
	// RateHz is what all shards send together, calls per second, with random gaps
	// (Poisson), for Duration.
	RateHz   float64       `json:"rateHz"`
	Duration time.Duration `json:"durationNs"` // in ns
	// Protocol and Version that are spoken, e.g. "CDI" and "5.4".
	Protocol string `json:"protocol"`
	Version  string `json:"version"` // of the protocol
	// CheckDatabase is asked for by each verify, where the request decides.
	CheckDatabase bool `json:"checkDatabase"`
	// Of is how many shards there are.
	Of int `json:"of"`
}

// Options of one shard.
type Options struct {
	Plan
	// Target are the cores that the shard calls, in turn; its sessions are made there
	// and ended again.
	Target launch.Target
	// Shard counts from 0.
	Shard int
	// At is when all shards begin; zero is at once.
	At time.Time
	// Tokens that this shard draws from, Connections that it calls over at most.
	Tokens, Connections int
}

// Check refuses what cannot be sent.
func (o *Options) Check() error {
	switch {
	case o.Of < 1 || o.Shard < 0 || o.Shard >= o.Of:
		return fmt.Errorf("shard %d of %d: shards count from 0 to one less than there are", o.Shard, o.Of)
	case !(o.RateHz > 0) || o.RateHz > 1e7:
		return fmt.Errorf("a rate of %g calls per second: must be positive", o.RateHz)
	case o.Duration < 100*time.Millisecond || o.Duration > time.Hour:
		return fmt.Errorf("a duration of %s: from 100ms to 1h", o.Duration)
	case o.RateHz*o.Duration.Seconds() < float64(o.Of):
		return fmt.Errorf("%g calls per second for %s is less than one call for each of %d shards", o.RateHz, o.Duration, o.Of)
	case o.Tokens < 1:
		return fmt.Errorf("%d tokens: at least 1", o.Tokens)
	case o.Connections < 1:
		return fmt.Errorf("%d connections: at least 1", o.Connections)
	case !o.At.IsZero() && time.Until(o.At) > 24*time.Hour:
		return fmt.Errorf("a start at %s: more than a day away", o.At.Format(time.RFC3339))
	}
	return nil
}

// ErrLate says that a shard was not ready when all began.
var ErrLate = errors.New("not ready when the shards began")

// Run makes the shard's sessions, waits for the start, sends its share, and ends the
// sessions. When ctx ends before, nothing is said: a part of a share cannot be merged.
func Run(ctx context.Context, o Options) (_ *Shard, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if hz := o.Target.Capabilities().Throttle.Hz(); hz > 0 && o.RateHz/float64(o.Of) > hz {
		return nil, fmt.Errorf("this shard would send %g calls per second, and the cap is %g: raise --rate-cap if the cores' owner agrees", o.RateHz/float64(o.Of), hz)
	}
	d, err := o.Target.Start(ctx, 0, launch.Settings{Flag: true})
	if err != nil {
		return nil, err
	}
	cores, err := d.Cores(o.Version)
	if err != nil {
		return nil, err
	}
	people := population.Population{Core: cores[0], Prefix: fmt.Sprintf("coreproof-attack-%x-%d", rand.Uint64(), o.Shard), Users: usersPerShard} // new ones each time
	tokens, err := people.Create(ctx, o.Tokens, nil)
	defer func() { err = errors.Join(err, tidy(context.WithoutCancel(ctx), people)) }()
	if err != nil {
		return nil, err
	}
	gen := &generator.Local{TLS: o.Target.Capabilities().TLS}
	side := generator.Side{Name: "attack", Set: "tokens"}
	bodies := make([][]byte, len(tokens))
	for i, token := range tokens {
		_, _, _, bodies[i] = cores[0].VerifyHTTP(protocol.VerifyRequest{AccessToken: token, CheckDatabase: o.CheckDatabase})
	}
	for _, c := range cores {
		var url string
		side.Method, url, side.Header, _ = c.VerifyHTTP(protocol.VerifyRequest{CheckDatabase: o.CheckDatabase})
		side.URLs = append(side.URLs, url)
	}
	if err := gen.Load(ctx, side.Set, bodies); err != nil {
		return nil, err
	}
	var clock *Ahead
	if o.Of > 1 {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: o.Target.Capabilities().TLS}}
		clock = ahead(ctx, client, o.At, side.Method, side.URLs[0], side.Header, bodies[0])
		client.CloseIdleConnections()
	}
	if !o.At.IsZero() && time.Now().After(o.At) {
		return nil, fmt.Errorf("shard %d: %w, at %s: give a later start, or fewer tokens", o.Shard, ErrLate, o.At.Format(time.RFC3339))
	}
	s := &Shard{Schema: Schema, Plan: o.Plan, Shards: []int{o.Shard}, Ahead: []*Ahead{clock}}
	if !o.At.IsZero() {
		at := o.At.UTC()
		s.At = &at
	}
	res, err := gen.Run(ctx, generator.Job{
		Kind: generator.Paced, Protocol: o.Protocol, Version: o.Version, Sides: []generator.Side{side},
		RateHz: o.RateHz, Duration: o.Duration, Connections: o.Connections, Seed: o.Seed, Part: o.Shard, Of: o.Of, At: o.At,
	})
	if err != nil {
		return nil, err
	}
	one := res.Sides[0]
	s.Began = []time.Time{res.Began}
	s.Due, s.InTime, s.Calls, s.Wrong, s.Shed, s.Example = res.Due, res.InTime, one.Calls, one.Wrong, one.Shed, one.Example
	s.Latency, s.Late, s.CPU = one.Latency, res.Late, []time.Duration{res.CPU}
	return s, nil
}

// usersPerShard spreads a shard's sessions.
const usersPerShard = 20

// tidyWithin bounds what ends the sessions.
const tidyWithin = time.Minute

// tidy ends all sessions of the shard's users.
func tidy(ctx context.Context, p population.Population) error {
	ctx, cancel := context.WithTimeout(ctx, tidyWithin)
	defer cancel()
	failed, ok := p.End(ctx)
	if !ok {
		return fmt.Errorf("sessions of users %s stay: the protocol cannot end all sessions of a user", p.Pattern())
	}
	for reason := range failed {
		return fmt.Errorf("sessions of users %s may stay: %s", p.Pattern(), reason)
	}
	return nil
}

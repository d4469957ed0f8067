// Package attack sends load that one machine cannot: each of n shards sends its share of
// one schedule, from a moment that they share, and writes what came of it so that the
// shards together say exactly what one sender would have said.
package attack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
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
	users := fmt.Sprintf("coreproof-attack-%x-%d", rand.Uint64(), o.Shard) // new ones each time
	tokens, err := sessions(ctx, cores[0], users, o.Tokens)
	defer func() { err = errors.Join(err, tidy(context.WithoutCancel(ctx), cores[0], users)) }()
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
	if !o.At.IsZero() && time.Now().After(o.At) {
		return nil, fmt.Errorf("shard %d: %w, at %s: give a later start, or fewer tokens", o.Shard, ErrLate, o.At.Format(time.RFC3339))
	}
	if err := until(ctx, o.At); err != nil {
		return nil, err
	}
	s := &Shard{Schema: Schema, Plan: o.Plan, Shards: []int{o.Shard}, Began: []time.Time{time.Now().UTC()}}
	if !o.At.IsZero() {
		at := o.At.UTC()
		s.At = &at
	}
	res, err := gen.Run(ctx, generator.Job{
		Kind: generator.Paced, Protocol: o.Protocol, Version: o.Version, Sides: []generator.Side{side},
		RateHz: o.RateHz, Duration: o.Duration, Connections: o.Connections, Seed: o.Seed, Part: o.Shard, Of: o.Of,
	})
	if err != nil {
		return nil, err
	}
	one := res.Sides[0]
	s.Due, s.InTime, s.Calls, s.Wrong, s.Example = res.Due, res.InTime, one.Calls, one.Wrong, one.Example
	s.Latency, s.Late, s.CPU = one.Latency, res.Late, []time.Duration{res.CPU}
	return s, nil
}

// creators make sessions at the same time.
const creators = 8

// usersPerShard spreads a shard's sessions.
const usersPerShard = 20

func user(prefix string, i int) string { return fmt.Sprintf("%s-%d", prefix, i%usersPerShard) }

// sessions makes n of them and gives their access tokens.
func sessions(ctx context.Context, core protocol.Core, users string, n int) ([]string, error) {
	tokens := make([]string, n)
	err := each(ctx, n, func(ctx context.Context, i int) error {
		t, err := core.Create(ctx, protocol.CreateRequest{UserID: user(users, i), Payload: map[string]any{"role": "user", "n": i}})
		if err == nil && t.Status != protocol.OK {
			err = fmt.Errorf("the core answers %s, HTTP %d", t.Status, t.HTTPStatus)
		}
		if err != nil {
			return fmt.Errorf("create session %d of %d: %w", i+1, n, err)
		}
		tokens[i] = t.Access.Value
		return nil
	})
	return tokens, err
}

// tidyWithin bounds what ends the sessions.
const tidyWithin = time.Minute

// tidy ends all sessions of the shard's users.
func tidy(ctx context.Context, core protocol.Core, users string) error {
	ctx, cancel := context.WithTimeout(ctx, tidyWithin)
	defer cancel()
	r, ok := core.(protocol.UserRevoker)
	if !ok {
		return fmt.Errorf("sessions of users %s-* stay: the protocol cannot end all sessions of a user", users)
	}
	err := each(ctx, usersPerShard, func(ctx context.Context, i int) error {
		gone, err := r.RevokeUser(ctx, user(users, i))
		if err == nil && gone.Status != protocol.OK {
			err = fmt.Errorf("the core answers %s", gone.Status)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("sessions of users %s-* may stay: %w", users, err)
	}
	return nil
}

// each calls f for 0 to n-1, some at a time, until one fails.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(creators, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// until waits for a moment; the zero one is now.
func until(ctx context.Context, at time.Time) error {
	if at.IsZero() {
		return ctx.Err()
	}
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

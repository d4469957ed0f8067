package checks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// loadChecks: many calls at once.
func loadChecks() []Check {
	return []Check{
		{
			ID:          "BL-57",
			Title:       "more refreshes at once than a pool has connections",
			Requirement: "11 and 40 refreshes of different sessions at the same moment are all OK: no call waits for a second connection while it holds one.",
			Source:      specRaces + "; supertokens-core issue 1413 (default pool of 10)",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true, Verbs: []protocol.Verb{protocol.VerbRefresh}},
			Run:         manyRefreshes,
		},
		{
			ID:          "BL-59",
			Title:       "a storm of verifies sees the revoke at once",
			Requirement: "While many clients verify one token at every instance, each verify invoked after the response to its revoke is refused; so is each of 64 and of 256 that come at once, unless it is turned away.",
			Source:      specFlag + "; RatLoopz issue 3920 (positive cache), elizaOS issue 20344 (negative cache)",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true},
			Run:         storm,
		},
	}
}

func manyRefreshes(ctx context.Context, c *T) error {
	var slowest time.Duration
	var mu sync.Mutex
	err := c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		n := []int{11, 40}[t.Index%2]
		at := anyOn(t)
		made, err := many(ctx, t, at, t.NewUser(), n)
		if err != nil {
			return err
		}
		bound := 10*time.Second + t.Paced(n)
		ctx, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		var runners []func(context.Context) error
		for i := range made {
			runners = append(runners, func(ctx context.Context) error {
				r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: made[i].Refresh.Value})
				mu.Lock()
				slowest = max(slowest, r.Returned.Sub(r.Invoked))
				mu.Unlock()
				if errors.Is(err, context.DeadlineExceeded) {
					return conformance.Violated(r.Reply, fmt.Sprintf("%d refreshes at once to be answered within %v", n, bound), "no answer at "+at.Name())
				}
				return conformance.Want(r.Reply, err, fmt.Sprintf("refresh as one of %d at once at %s", n, at.Name()), protocol.OK)
			})
		}
		return conformance.AtOnce(ctx, runners...)
	})
	c.Observe("slowestNs", fmt.Sprint(int64(slowest)))
	return err
}

// storm lets several clients an instance verify one token without pause while it
// is revoked.
func storm(ctx context.Context, c *T) error {
	return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		s, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
		if err != nil {
			return err
		}
		const each, after, fresh = 8, 10, 4
		revoker := anyOn(t)
		hold := time.Duration(5+t.Rand.IntN(10)) * time.Millisecond
		answered := make(chan struct{})
		var gone *conformance.Ended
		runners := []func(context.Context) error{func(ctx context.Context) (err error) {
			defer close(answered)
			if err := conformance.Pause(ctx, hold); err != nil { // let the storm rise
				return err
			}
			gone, err = t.Revoke(ctx, revoker, s.Session.Handle)
			return err
		}}
		// Some ask for the first time when the answer is there, while verifies that began
		// before it are under way still: answers must not be shared between the two.
		for _, at := range t.On() {
			for i := range fresh {
				runners = append(runners, func(ctx context.Context) error {
					select {
					case <-answered:
					case <-ctx.Done():
						return ctx.Err()
					}
					if err := conformance.Pause(ctx, time.Duration(i)*time.Millisecond); err != nil || gone == nil {
						return err
					}
					return t.Refused(ctx, at, s.Access.Value, gone)
				})
			}
		}
		for _, at := range t.On() {
			for range each {
				runners = append(runners, func(ctx context.Context) error {
					return verifyThrough(ctx, t, at, s.Access.Value, answered, &gone, after)
				})
			}
		}
		if err := conformance.AtOnce(ctx, runners...); err != nil || t.Index > 1 {
			return err
		}
		for _, n := range []int{64, 256} {
			if err := burst(ctx, t, s.Access.Value, gone, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// burst verifies a revoked token n times at once, over all instances: a core that has more
// to do than it can may turn calls away, and lets none in.
func burst(ctx context.Context, t *Trial, token string, gone *conformance.Ended, n int) error {
	on := t.On()
	var away atomic.Int64
	runners := make([]func(context.Context) error, n)
	for i := range runners {
		at := on[i%len(on)]
		runners[i] = func(ctx context.Context) error {
			v, err := at.Ask(ctx, token)
			if protocol.WasTurnedAway(err) {
				away.Add(1)
				return nil
			}
			if err != nil {
				return conformance.HarnessError("verify a revoked session as one of many at "+at.Name(), err)
			}
			return t.JudgeRefusal(ctx, at, token, v.Reply, gone)
		}
	}
	err := conformance.AtOnce(ctx, runners...)
	if away.Load() > 0 {
		t.Observe(fmt.Sprintf("turnedAwayOf%d", n), fmt.Sprint(away.Load()))
	}
	return err
}

// verifyThrough verifies until the revoke has been answered and then n times
// more; the latter must all be refused.
func verifyThrough(ctx context.Context, t *Trial, at Instance, token string, answered <-chan struct{}, gone **conformance.Ended, n int) error {
	for left := n; left > 0; {
		over := false
		select {
		case <-answered:
			over = true
		default:
		}
		if over {
			if *gone == nil {
				return nil // its own runner tells
			}
			left--
			if err := t.Refused(ctx, at, token, *gone); err != nil {
				return err
			}
			continue
		}
		v, err := at.Ask(ctx, token)
		if err := okOrGone(v.Reply, err, "verify during a revoke at "+at.Name()); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

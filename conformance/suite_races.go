package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
)

const raceTrials = 80

// raceChecks: a revoke and another call at the same moment, from a barrier, over
// all instances. Whatever comes first, afterwards the session is over.
func raceChecks() []Check {
	return []Check{
		{
			ID:          "BL-50",
			Title:       "refresh against revoke",
			Requirement: "A refresh that runs at the same time as a revoke is OK or UNAUTHORISED; after the revoke's response the session is over, with every token that the refresh gave.",
			Source:      "DESIGN.md section 4; better-auth issue 11073, ayunis-core issue 1047 (refresh in flight brings the session back)",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Smoke:       true,
			Run:         againstRevoke(raceTrials, nil, refreshRival),
		},
		{
			ID:          "BL-51",
			Title:       "revoke of all against login",
			Requirement: "A session created at the same time as a revoke of all the user's sessions is wholly alive or wholly over, as the revoke reports; all older ones are over.",
			Source:      "DESIGN.md section 4; idenplane issue 574",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run:         revokeAllAgainstLogin,
		},
		{
			ID:          "BL-52",
			Title:       "payload update against revoke",
			Requirement: "A write of the token payload at the same time as a revoke is OK or UNAUTHORISED; after the revoke's response the session is over.",
			Source:      "DESIGN.md section 4; auth0/nextjs-auth0 issue 2530",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run: againstRevoke(raceTrials, nil, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.SetPayload(ctx, s.tokens.Session.Handle, map[string]any{"n": t.Index})
				return want(r, err, "write the payload during a revoke at "+at.Name(), adapter.OK, adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-53",
			Title:       "data update against revoke",
			Requirement: "A write of the stored data at the same time as a revoke is OK or UNAUTHORISED; after the revoke's response the session is over.",
			Source:      "DESIGN.md section 4; expressjs/session issue 632",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run: againstRevoke(raceTrials, nil, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.SetData(ctx, s.tokens.Session.Handle, map[string]any{"n": t.Index})
				return want(r, err, "write the data during a revoke at "+at.Name(), adapter.OK, adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-54",
			Title:       "promotion against revoke",
			Requirement: "A first verify of a refreshed token at the same time as a revoke is OK or UNAUTHORISED; after the revoke's response the session is over, with the token that verify handed out.",
			Source:      "DESIGN.md section 4; supertokens-core Session.getSession",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true, Below: "5.6"},
			Run:         againstRevoke(raceTrials, refreshFirst, promotionRival),
		},
		{
			ID:          "BL-55",
			Title:       "regenerate against revoke",
			Requirement: "A regenerate at the same time as a revoke is OK or UNAUTHORISED; after the revoke's response the session is over, with the token that regenerate gave.",
			Source:      "DESIGN.md section 4",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run: againstRevoke(raceTrials, nil, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				g, err := at.Regenerate(ctx, s.tokens.Access.Value, map[string]any{"n": t.Index})
				s.keep(g.Access.Value, "")
				return want(g.Reply, err, "regenerate during a revoke at "+at.Name(), adapter.OK, adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-56",
			Title:       "two refreshes of one token at once",
			Requirement: "Two refreshes at the same time with the same unused refresh token are both OK and give different tokens; a revoke afterwards ends both.",
			Source:      "CDI POST /recipe/session/refresh; ory/hydra issue 3604",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run:         doubleRefresh,
		},
		{
			ID:          "BL-57",
			Title:       "more refreshes at once than a pool has connections",
			Requirement: "11 and 40 refreshes of different sessions at the same moment are all OK: no call waits for a second connection while it holds one.",
			Source:      "supertokens-core issue 1413 (default pool of 10)",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run:         manyRefreshes,
		},
		{
			ID:          "BL-58",
			Title:       "two revokes of one session at once",
			Requirement: "Of two revokes of one handle at the same time, both are OK and exactly one reports the handle; the session is over after the first response.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Run:         twoRevokes,
		},
		{
			ID:          "BL-59",
			Title:       "a storm of verifies sees the revoke at once",
			Requirement: "While many clients verify one token at every instance, each verify invoked after the response to its revoke is refused.",
			Source:      "DESIGN.md section 4; RatLoopz issue 3920 (positive cache), elizaOS issue 20344 (negative cache)",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Alone: true},
			Smoke:       true,
			Run:         storm,
		},
	}
}

// rival is a session that a revoke and another call meet at.
type rival struct {
	tokens  adapter.Tokens
	mu      sync.Mutex
	access  []string
	refresh []string
}

// keep notes tokens that the session got; empty ones are left out.
func (r *rival) keep(access, refresh string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if access != "" {
		r.access = append(r.access, access)
	}
	if refresh != "" {
		r.refresh = append(r.refresh, refresh)
	}
}

// move is something that is done to a rival.
type move func(ctx context.Context, t *Trial, at Instance, s *rival) error

// againstRevoke prepares a session (prepare may be nil), lets a call and a
// revoke start at the same moment, by handle or by user in turn, and afterwards
// wants the session to be over.
func againstRevoke(n int, prepare, call move) func(context.Context, *Scene) error {
	return func(ctx context.Context, s *Scene) error {
		won := 0
		err := s.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
			if err != nil {
				return err
			}
			r := &rival{tokens: live}
			r.keep(live.Access.Value, live.Refresh.Value)
			if prepare != nil {
				if err := prepare(ctx, t, t.AnyOn(), r); err != nil {
					return err
				}
			}
			here, there := t.AnyOn(), t.AnyOn()
			before := len(r.access)
			var gone adapter.Revoked
			err = t.race(ctx,
				func(ctx context.Context) error { return call(ctx, t, here, r) },
				func(ctx context.Context) (err error) {
					if t.Index%2 == 0 {
						gone, err = t.Revoke(ctx, there, live.Session.Handle)
					} else {
						gone, err = t.RevokeUser(ctx, there, live.Session.UserID)
					}
					return err
				})
			if err != nil {
				return err
			}
			if len(r.access) > before {
				won++
			}
			// Newest first: what came out of the race is what may have survived.
			slices.Reverse(r.access)
			slices.Reverse(r.refresh)
			return t.Over(ctx, remains{
				handle: live.Session.Handle, user: live.Session.UserID, gone: gone.Reply, access: r.access, refresh: r.refresh,
			})
		})
		if won > 0 {
			s.Observe("callCameFirst", fraction(won, s.scaled(n)))
		}
		return err
	}
}

func refreshRival(ctx context.Context, t *Trial, at Instance, s *rival) error {
	r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: s.tokens.Refresh.Value})
	s.keep(r.Access.Value, r.Refresh.Value)
	return want(r.Reply, err, "refresh during a revoke at "+at.Name(), adapter.OK, adapter.Unauthorised)
}

// refreshFirst leaves a refreshed token behind that nobody has used.
func refreshFirst(ctx context.Context, _ *Trial, at Instance, s *rival) error {
	r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: s.tokens.Refresh.Value})
	s.keep(r.Access.Value, r.Refresh.Value)
	return need(r.Reply, err, "refresh the session at "+at.Name())
}

func promotionRival(ctx context.Context, _ *Trial, at Instance, s *rival) error {
	v, err := at.Ask(ctx, s.access[len(s.access)-1])
	s.keep(v.Access.Value, "")
	return want(v.Reply, err, "verify a refreshed token during a revoke at "+at.Name(), adapter.OK, adapter.Unauthorised)
}

func revokeAllAgainstLogin(ctx context.Context, s *Scene) error {
	survived := 0
	err := s.Trials(ctx, raceTrials, func(ctx context.Context, t *Trial) error {
		old, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
		if err != nil {
			return err
		}
		user := old.Session.UserID
		here, there := t.AnyOn(), t.AnyOn()
		var login adapter.Tokens
		var gone adapter.Revoked
		if err := t.race(ctx,
			func(ctx context.Context) (err error) {
				login, err = here.Create(ctx, adapter.CreateRequest{UserID: user})
				return want(login.Reply, err, "login during a revoke of all at "+here.Name(), adapter.OK)
			},
			func(ctx context.Context) (err error) {
				gone, err = t.RevokeUser(ctx, there, user)
				return err
			},
		); err != nil {
			return err
		}
		if err := t.Refused(ctx, t.AnyOn(), old.Access.Value, gone.Reply); err != nil {
			return err
		}
		if !slices.Contains(gone.Handles, login.Session.Handle) {
			survived++
			return t.whollyAlive(ctx, login)
		}
		return t.Over(ctx, remains{
			handle: login.Session.Handle, user: user, gone: gone.Reply,
			access: []string{login.Access.Value}, refresh: []string{login.Refresh.Value},
		})
	})
	s.Observe("loginsThatSurvived", fraction(survived, s.scaled(raceTrials)))
	return err
}

// whollyAlive wants a session that no revoke reported to be alive everywhere.
func (t *Trial) whollyAlive(ctx context.Context, s adapter.Tokens) error {
	for _, at := range t.On() {
		if err := t.stays(ctx, at, s.Access.Value, "a login that the revoke did not report"); err != nil {
			return err
		}
		l, err := at.List(ctx, s.Session.UserID)
		if err := need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
			return err
		}
		if !slices.Contains(l.Handles, s.Session.Handle) {
			return violated(l.Reply, "a listing with the login that the revoke did not report", "it is not listed at "+at.Name())
		}
	}
	return nil
}

func doubleRefresh(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 40, func(ctx context.Context, t *Trial) error {
		live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
		if err != nil {
			return err
		}
		var got [2]adapter.Tokens
		at := [2]Instance{t.AnyOn(), t.AnyOn()}
		refresh := func(i int) func(context.Context) error {
			return func(ctx context.Context) (err error) {
				got[i], err = at[i].Refresh(ctx, adapter.RefreshRequest{RefreshToken: live.Refresh.Value})
				return want(got[i].Reply, err, "refresh at the same time as another with the same token at "+at[i].Name(), adapter.OK)
			}
		}
		if err := t.race(ctx, refresh(0), refresh(1)); err != nil {
			return err
		}
		if got[0].Refresh.Value == got[1].Refresh.Value {
			return violated(got[1].Reply, "two different refresh tokens", "the same one twice")
		}
		if err := t.bothStay(ctx, got); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, t.AnyOn(), live.Session.Handle)
		if err != nil {
			return err
		}
		return t.Over(ctx, remains{
			handle: live.Session.Handle, user: live.Session.UserID, gone: gone.Reply,
			access:  []string{got[0].Access.Value, got[1].Access.Value},
			refresh: []string{got[0].Refresh.Value, got[1].Refresh.Value},
		})
	})
}

// bothStay wants both tokens accepted; from CDI 5.6 on, the refresh that came
// second displaces the other, so one is enough there.
func (t *Trial) bothStay(ctx context.Context, got [2]adapter.Tokens) error {
	displaces := cdi.Compare(string(t.Protocol()), "5.6") >= 0
	at := t.AnyOn()
	first := t.stays(ctx, at, got[0].Access.Value, "a token from one of two refreshes")
	if first == nil && displaces {
		return nil
	}
	if first != nil && !displaces {
		return first
	}
	return t.stays(ctx, at, got[1].Access.Value, "a token from the other of two refreshes")
}

func manyRefreshes(ctx context.Context, s *Scene) error {
	var slowest time.Duration
	var mu sync.Mutex
	err := s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		n := []int{11, 40}[t.Index%2]
		at := t.AnyOn()
		made, err := t.Many(ctx, at, t.NewUser(), n)
		if err != nil {
			return err
		}
		const bound = 10 * time.Second
		ctx, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		var runners []func(context.Context) error
		for i := range made {
			runners = append(runners, func(ctx context.Context) error {
				r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: made[i].Refresh.Value})
				mu.Lock()
				slowest = max(slowest, r.Returned.Sub(r.Invoked))
				mu.Unlock()
				if errors.Is(err, context.DeadlineExceeded) {
					return violated(r.Reply, fmt.Sprintf("%d refreshes at once to be answered within %v", n, bound), "no answer at "+at.Name())
				}
				return want(r.Reply, err, fmt.Sprintf("refresh as one of %d at once at %s", n, at.Name()), adapter.OK)
			})
		}
		return atOnce(ctx, runners...)
	})
	s.Observe("slowestNs", fmt.Sprint(int64(slowest)))
	return err
}

func twoRevokes(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 40, func(ctx context.Context, t *Trial) error {
		live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
		if err != nil {
			return err
		}
		handle := live.Session.Handle
		var got [2]adapter.Revoked
		at := [2]Instance{t.AnyOn(), t.AnyOn()}
		revoke := func(i int) func(context.Context) error {
			return func(ctx context.Context) (err error) {
				if got[i], err = t.Revoke(ctx, at[i], handle); err != nil {
					return err
				}
				// Even the one that found nothing proves that the session is over.
				return t.Refused(ctx, at[i], live.Access.Value, got[i].Reply)
			}
		}
		if err := t.race(ctx, revoke(0), revoke(1)); err != nil {
			return err
		}
		if n := len(got[0].Handles) + len(got[1].Handles); n != 1 {
			return violated(got[1].Reply, "exactly one of two revokes to report the handle", fmt.Sprintf("%d did", n))
		}
		return nil
	})
}

// storm lets several clients an instance verify one token without pause while it
// is revoked.
func storm(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
		live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
		if err != nil {
			return err
		}
		const each, after = 4, 10
		revoker := t.AnyOn()
		hold := time.Duration(5+t.Rand.IntN(10)) * time.Millisecond
		answered := make(chan struct{})
		var gone adapter.Revoked
		runners := []func(context.Context) error{func(ctx context.Context) (err error) {
			defer close(answered)
			if err := pause(ctx, hold); err != nil { // let the storm rise
				return err
			}
			gone, err = t.Revoke(ctx, revoker, live.Session.Handle)
			return err
		}}
		for _, at := range t.On() {
			for range each {
				runners = append(runners, func(ctx context.Context) error {
					return t.verifyThrough(ctx, at, live.Access.Value, answered, &gone, after)
				})
			}
		}
		return atOnce(ctx, runners...)
	})
}

// verifyThrough verifies until the revoke has been answered and then n times
// more; the latter must all be refused.
func (t *Trial) verifyThrough(ctx context.Context, at Instance, token string, answered <-chan struct{}, gone *adapter.Revoked, n int) error {
	for left := n; left > 0; {
		over := false
		select {
		case <-answered:
			over = true
		default:
		}
		if over {
			if gone.Status != adapter.OK {
				return nil // its own runner tells
			}
			left--
			if err := t.Refused(ctx, at, token, gone.Reply); err != nil {
				return err
			}
			continue
		}
		v, err := at.Ask(ctx, token)
		if err := want(v.Reply, err, "verify during a revoke at "+at.Name(), adapter.OK, adapter.Unauthorised); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

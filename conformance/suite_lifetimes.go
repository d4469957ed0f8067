package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
)

// lifetimeChecks: the flag with access tokens that live a second or a day.
func lifetimeChecks() []Check {
	return []Check{
		{
			ID:          "BL-40",
			Title:       "tokens that live a second are refused at once",
			Requirement: refusedAtOnce + "also when access tokens live one second.",
			Source:      sourceVerify + "; setting access_token_validity",
			Profiles:    []Profile{Lifetimes},
			Needs:       Needs{Own: true},
			Run:         refusedWithLifetime(5, time.Second),
		},
		{
			ID:          "BL-41",
			Title:       "tokens that live a day are refused at once",
			Requirement: refusedAtOnce + "also when access tokens live a day.",
			Source:      sourceVerify + "; setting access_token_validity",
			Profiles:    []Profile{Lifetimes},
			Needs:       Needs{Own: true},
			Run:         refusedWithLifetime(20, 24*time.Hour),
		},
		{
			ID:          "BL-42",
			Title:       "an expired token is expired, revoked or not",
			Requirement: "With the check on, an expired access token is TRY_REFRESH_TOKEN, also when its session is revoked: expiry is looked at first.",
			Source:      sourceVerify,
			Profiles:    []Profile{Lifetimes},
			Needs:       Needs{Own: true},
			Run: func(ctx context.Context, s *Scene) error {
				at, err := s.Own(ctx, true, time.Second)
				if err != nil {
					return err
				}
				return s.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
					return t.inTime(ctx, at, func(live adapter.Tokens) error {
						gone, err := t.Revoke(ctx, at, live.Session.Handle)
						if err != nil {
							return err
						}
						if err := t.refusedInTime(ctx, at, live.Access, gone.Reply); err != nil {
							return err
						}
						return t.untilExpired(ctx, at, live.Access, adapter.Unauthorised)
					})
				})
			},
		},
		{
			ID:          "BL-43",
			Title:       "with the check off a revoked token is accepted until it expires",
			Requirement: "Without the database check, a revoked session's token is OK until it expires and TRY_REFRESH_TOKEN from then on.",
			Source:      sourceVerify,
			Profiles:    []Profile{Lifetimes},
			Needs:       Needs{Own: true},
			Run: func(ctx context.Context, s *Scene) error {
				at, err := s.Own(ctx, false, time.Second)
				if err != nil {
					return err
				}
				return s.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
					return t.inTime(ctx, at, func(live adapter.Tokens) error {
						if _, err := t.Revoke(ctx, at, live.Session.Handle); err != nil {
							return err
						}
						var refused *vacuous
						if err := t.control(ctx, at, live.Access.Value); errors.As(err, &refused) && late(live.Access) {
							return errLate
						} else if err != nil {
							return err
						}
						return t.untilExpired(ctx, at, live.Access, adapter.OK)
					})
				})
			},
		},
	}
}

func refusedWithLifetime(n int, validity time.Duration) func(context.Context, *Scene) error {
	return func(ctx context.Context, s *Scene) error {
		at, err := s.Own(ctx, true, validity)
		if err != nil {
			return err
		}
		return s.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			return t.inTime(ctx, at, func(live adapter.Tokens) error {
				if life := time.Duration(live.Access.Expiry-live.Access.Created) * time.Millisecond; life < validity-time.Second || life > validity+time.Second {
					return fmt.Errorf("the core started for access tokens of %v hands out ones of %v", validity, life)
				}
				gone, err := t.Revoke(ctx, at, live.Session.Handle)
				if err != nil {
					return err
				}
				return t.refusedInTime(ctx, at, live.Access, gone.Reply)
			})
		})
	}
}

// errLate says that a token expired before it could be asked for.
var errLate = errors.New("the token expired before it could be verified: this machine is too slow for tokens that live so short")

// inTime tries with a live session whose token has a good part of a second ahead
// of it, and with another one when that was not enough: such a try has asked
// nothing yet.
func (t *Trial) inTime(ctx context.Context, at Instance, try func(live adapter.Tokens) error) error {
	var err error
	for range 5 {
		var live adapter.Tokens
		if live, err = t.fresh(ctx, at); err == nil {
			err = try(live)
		}
		if !errors.Is(err, errLate) {
			return err
		}
	}
	return err
}

// fresh makes such a session. Tokens of CDI 2.21 and newer end at whole seconds,
// so one that is made to live a second may live a few milliseconds only; then
// another is made.
func (t *Trial) fresh(ctx context.Context, at Instance) (adapter.Tokens, error) {
	const ahead = 500
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		s, err := t.Create(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return s, err
		}
		if s.Access.Expiry-time.Now().UnixMilli() >= ahead {
			err := t.Accepted(ctx, at, s.Access.Value)
			var refused *vacuous
			if errors.As(err, &refused) && late(s.Access) {
				err = errLate
			}
			return s, err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return s, err
		}
	}
	return adapter.Tokens{}, fmt.Errorf("no token from %s had %d ms ahead of it: do the clocks differ?", at.Name(), ahead)
}

func late(token adapter.Token) bool { return time.Now().UnixMilli() >= token.Expiry }

// refusedInTime is Refused for a token that may expire meanwhile.
func (t *Trial) refusedInTime(ctx context.Context, at Instance, token adapter.Token, gone adapter.Reply) error {
	v, err := at.Ask(ctx, token.Value)
	if err != nil {
		return trouble("verify a revoked session at "+at.Name(), err)
	}
	if v.Status == adapter.TryRefreshToken && late(token) {
		return errLate
	}
	return t.judge(ctx, at, token.Value, v.Reply, gone)
}

// untilExpired asks until the token is expired. Before that every answer must be
// meanwhile, and TRY_REFRESH_TOKEN may only come once the token's time is over.
func (t *Trial) untilExpired(ctx context.Context, at Instance, token adapter.Token, meanwhile adapter.Status) error {
	expiry := time.UnixMilli(token.Expiry)
	// Asked so late, no difference of clocks on one machine explains an OK.
	deadline := expiry.Add(t.run.follow())
	for seen := false; ; seen = true {
		v, err := at.Ask(ctx, token.Value)
		if err != nil {
			return trouble("verify at "+at.Name(), err)
		}
		switch {
		case v.Status == adapter.TryRefreshToken && time.Now().Before(expiry):
			return violated(v.Reply, string(meanwhile)+" until the token expires", fmt.Sprintf("%s %s ms before", describe(v.Reply), millis(time.Until(expiry))))
		case v.Status == adapter.TryRefreshToken && !seen:
			return errLate
		case v.Status == adapter.TryRefreshToken:
			return nil
		case v.Status != meanwhile:
			return violated(v.Reply, string(meanwhile)+" until the token expires, then TRY_REFRESH_TOKEN", describe(v.Reply))
		case v.Invoked.After(deadline):
			return violated(v.Reply, "TRY_REFRESH_TOKEN once the token is expired", fmt.Sprintf("%s %v after", describe(v.Reply), time.Since(expiry).Round(time.Millisecond)))
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause waits between two questions of a poll.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

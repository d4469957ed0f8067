package conformance

import (
	"context"
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
				return s.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
					live, err := t.fresh(ctx, at)
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, at, live.Session.Handle)
					if err != nil {
						return err
					}
					if err := t.Refused(ctx, at, live.Access.Value, gone.Reply); err != nil {
						return err
					}
					return t.untilExpired(ctx, at, live.Access, adapter.Unauthorised)
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
				return s.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
					live, err := t.fresh(ctx, at)
					if err != nil {
						return err
					}
					if _, err := t.Revoke(ctx, at, live.Session.Handle); err != nil {
						return err
					}
					return t.untilExpired(ctx, at, live.Access, adapter.OK)
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
			live, err := t.fresh(ctx, at)
			if err != nil {
				return err
			}
			if life := time.Duration(live.Access.Expiry-live.Access.Created) * time.Millisecond; life < validity-time.Second || life > validity+time.Second {
				return fmt.Errorf("the core started for access tokens of %v hands out ones of %v", validity, life)
			}
			gone, err := t.Revoke(ctx, at, live.Session.Handle)
			if err != nil {
				return err
			}
			v, err := at.Ask(ctx, live.Access.Value)
			if err != nil {
				return trouble("verify a revoked session at "+at.Name(), err)
			}
			if v.Status == adapter.TryRefreshToken && time.Now().UnixMilli() >= live.Access.Expiry {
				return fmt.Errorf("the token expired before it could be verified: this machine is too slow for tokens of %v", validity)
			}
			return t.judge(ctx, at, live.Access.Value, v.Reply, gone.Reply)
		})
	}
}

// fresh makes a live session whose token has a good part of a second ahead of
// it. Tokens of CDI 2.21 and newer end at whole seconds, so one that is made to
// live a second may live a few milliseconds only; then another is made.
func (t *Trial) fresh(ctx context.Context, at Instance) (adapter.Tokens, error) {
	const ahead = 500
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		s, err := t.Create(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return s, err
		}
		if s.Access.Expiry-time.Now().UnixMilli() >= ahead {
			return s, t.Accepted(ctx, at, s.Access.Value)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return s, err
		}
	}
	return adapter.Tokens{}, fmt.Errorf("no token from %s had %d ms ahead of it: do the clocks differ?", at.Name(), ahead)
}

// untilExpired asks until the token is expired. Before that every answer must be
// meanwhile, and TRY_REFRESH_TOKEN may only come once the token's time is over.
func (t *Trial) untilExpired(ctx context.Context, at Instance, token adapter.Token, meanwhile adapter.Status) error {
	expiry := time.UnixMilli(token.Expiry)
	deadline := expiry.Add(10 * time.Second)
	for {
		v, err := at.Ask(ctx, token.Value)
		if err != nil {
			return trouble("verify at "+at.Name(), err)
		}
		switch {
		case v.Status == adapter.TryRefreshToken && time.Now().Before(expiry):
			return violated(v.Reply, string(meanwhile)+" until the token expires", fmt.Sprintf("%s %s ms before", describe(v.Reply), millis(time.Until(expiry))))
		case v.Status == adapter.TryRefreshToken:
			return nil
		case v.Status != meanwhile:
			return violated(v.Reply, string(meanwhile)+" until the token expires, then TRY_REFRESH_TOKEN", describe(v.Reply))
		case time.Now().After(deadline):
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

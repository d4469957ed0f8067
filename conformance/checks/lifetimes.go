package checks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// lifetimeChecks: the flag with access tokens that live a second or a day.
func lifetimeChecks() []Check {
	return []Check{
		{
			ID:          "BL-40",
			Title:       "tokens that live a second are refused at once",
			Requirement: refusedAtOnce + "also when access tokens live one second.",
			Source:      specVerify + "; setting access_token_validity",
			Profiles:    []Profile{conformance.Lifetimes},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbReason}, Settings: true},
			Run:         refusedWithLifetime(5, time.Second),
		},
		{
			ID:          "BL-41",
			Title:       "tokens that live a day are refused at once",
			Requirement: refusedAtOnce + "also when access tokens live a day.",
			Source:      specVerify + "; setting access_token_validity",
			Profiles:    []Profile{conformance.Lifetimes},
			Needs:       Needs{Settings: true},
			Run:         refusedWithLifetime(8, 24*time.Hour),
		},
		{
			ID:          "BL-42",
			Title:       "an expired token is expired, revoked or not",
			Requirement: "With the check on, an expired access token is TRY_REFRESH_TOKEN, that of a live session, which was OK until then, and that of a revoked one: expiry is looked at first.",
			Source:      specVerify,
			Profiles:    []Profile{conformance.Lifetimes},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbReason}, Settings: true},
			Run: func(ctx context.Context, c *T) error {
				at, err := c.Dedicated(ctx, true, conformance.Wish{AccessTokenValidity: time.Second})
				if err != nil {
					return err
				}
				return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
					return inTime(ctx, t, at, func(live protocol.Tokens) error {
						gone, err := t.Revoke(ctx, at, live.Session.Handle)
						if err != nil {
							return err
						}
						if err := refusedInTime(ctx, t, at, live.Access, gone); err != nil {
							return err
						}
						twin := *t.Twin()
						lag := mayLag(t, at, live, twin)
						return conformance.Each(ctx, 2, 2, func(ctx context.Context, i int) error {
							if i == 0 {
								return untilExpired(ctx, t, at, live.Access, lag, protocol.Unauthorised)
							}
							return untilExpired(ctx, t, at, twin.Access, lag, protocol.OK)
						})
					})
				})
			},
		},
		{
			ID:          "BL-43",
			Title:       "with the check off a revoked token is accepted until it expires",
			Requirement: "Without the database check, a revoked session's token is OK until it expires and TRY_REFRESH_TOKEN from then on.",
			Source:      specVerify,
			Profiles:    []Profile{conformance.Lifetimes, conformance.Switch},
			Needs:       Needs{Settings: true},
			Run: func(ctx context.Context, c *T) error {
				at, err := c.Dedicated(ctx, false, conformance.Wish{AccessTokenValidity: shortLife(c)})
				if err != nil {
					return err
				}
				return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
					return inTime(ctx, t, at, func(live protocol.Tokens) error {
						if _, err := t.Revoke(ctx, at, live.Session.Handle); err != nil {
							return err
						}
						if err := acceptedUnchecked(ctx, t, at, live.Access.Value); err != nil && late(live.Access) {
							return errLate
						} else if err != nil {
							return err
						}
						return untilExpired(ctx, t, at, live.Access, mayLag(t, at, live), protocol.OK)
					})
				})
			},
		},
		{
			ID:          "BL-44",
			Title:       "a session revoked after its first token's life is refused until its last token's end",
			Requirement: refusedAtOnce + "also when its first access token had expired by then, whether it was revoked by handle or by user, and until its refreshed token expires.",
			Source:      specVerify + ", " + specRemove + "; setting access_token_validity",
			Profiles:    []Profile{conformance.Lifetimes},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbReason, protocol.VerbRefresh}, Settings: true, Waits: true},
			Run:         afterFirstToken,
		},
	}
}

// shortLife is a life so short that its end can be waited for, and long enough for a
// session to be made: a second, or some where that takes a login of several requests.
func shortLife(c *T) time.Duration {
	if c.On()[0].Has(protocol.VerbReason) {
		return time.Second
	}
	return 4 * time.Second
}

func refusedWithLifetime(n int, validity time.Duration) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		at, err := c.Dedicated(ctx, true, conformance.Wish{AccessTokenValidity: validity})
		if err != nil {
			return err
		}
		return c.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			return inTime(ctx, t, at, func(live protocol.Tokens) error {
				if life := time.Duration(live.Access.Expiry-live.Access.Created) * time.Millisecond; life < validity-time.Second || life > validity+time.Second {
					return fmt.Errorf("the core started for access tokens of %v hands out ones of %v", validity, life)
				}
				gone, err := t.Revoke(ctx, at, live.Session.Handle)
				if err != nil {
					return err
				}
				return refusedInTime(ctx, t, at, live.Access, gone)
			})
		})
	}
}

// errLate says that a token expired before it could be asked for.
var errLate = errors.New("the token expired before it could be verified: this machine is too slow for tokens that live so short")

// inTime tries with a live session whose token has a good part of a second ahead
// of it, and with another one when that was not enough: such a try has asked
// nothing yet.
func inTime(ctx context.Context, t *Trial, at Instance, try func(live protocol.Tokens) error) error {
	var err error
	for range 5 {
		var live protocol.Tokens
		if live, err = fresh(ctx, t, at); err == nil {
			err = try(live)
		}
		if !errors.Is(err, errLate) || conformance.IsViolation(err) {
			return err
		}
	}
	return err
}

// fresh makes such a session. Tokens of CDI 2.21 and newer end at whole seconds,
// so one that is made to live a second may live a few milliseconds only; then
// another is made.
func fresh(ctx context.Context, t *Trial, at Instance) (protocol.Tokens, error) {
	const ahead = 500
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		s, err := newSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return s, err
		}
		if err := t.BesideAnew(ctx, at, protocol.CreateRequest{}); err != nil {
			return s, err
		}
		if s.Access.Expiry-time.Now().UnixMilli() >= ahead {
			err := accepted(ctx, t, at, s.Access.Value)
			if conformance.CouldNotFail(err) && late(s.Access) {
				err = errLate
			}
			return s, err
		}
		if err := conformance.Pause(ctx, 20*time.Millisecond); err != nil {
			return s, err
		}
	}
	return protocol.Tokens{}, fmt.Errorf("no token from %s had %d ms ahead of it: do the clocks differ?", at.Name(), ahead)
}

func late(token protocol.Token) bool { return time.Now().UnixMilli() >= token.Expiry }

// refusedInTime is Refused for a token that may expire meanwhile.
func refusedInTime(ctx context.Context, t *Trial, at Instance, token protocol.Token, gone *conformance.Ended) error {
	v, err := at.Ask(ctx, token.Value)
	if err != nil {
		return conformance.HarnessError("verify a revoked session at "+at.Name(), err)
	}
	if v.Status == protocol.TryRefreshToken && late(token) {
		return errLate
	}
	return t.JudgeRefusal(ctx, at, token.Value, v.Reply, gone)
}

// mayLag is how long after a token's end, by this machine's clock, a core may still take
// it for good: as far as its clock may be behind, by the times of tokens that it made,
// and a second, since a token's end may be a whole one and be compared as such. What a
// protocol without reasons leaves open (a leeway) is not judged so closely.
func mayLag(t *Trial, at Instance, made protocol.Tokens, more ...protocol.Tokens) time.Duration {
	if !at.Has(protocol.VerbReason) {
		return t.FollowFor()
	}
	behind := func(s protocol.Tokens) time.Duration { return s.Returned.Sub(time.UnixMilli(s.Access.Created)) }
	least := behind(made)
	for _, s := range more {
		least = min(least, behind(s))
	}
	return max(0, least) + time.Second
}

// untilExpired asks until the token is expired. Before that every answer must be
// meanwhile, and TRY_REFRESH_TOKEN may only come once the token's time is over, and must
// come once lag is over too.
func untilExpired(ctx context.Context, t *Trial, at Instance, token protocol.Token, lag time.Duration, meanwhile protocol.Status) error {
	expiry := time.UnixMilli(token.Expiry)
	deadline := expiry.Add(lag)
	for seen := false; ; seen = true {
		v, err := at.Ask(ctx, token.Value)
		if err != nil {
			return conformance.HarnessError("verify at "+at.Name(), err)
		}
		switch {
		case v.Status == protocol.TryRefreshToken && time.Now().Before(expiry):
			return conformance.Violated(v.Reply, string(meanwhile)+" until the token expires", fmt.Sprintf("%s %s ms before", conformance.Describe(v.Reply), conformance.Millis(time.Until(expiry))))
		case v.Status == protocol.TryRefreshToken && !seen:
			return errLate
		case v.Status == protocol.TryRefreshToken:
			return nil
		case v.Status != meanwhile:
			return conformance.Violated(v.Reply, string(meanwhile)+" until the token expires, then TRY_REFRESH_TOKEN", conformance.Describe(v.Reply))
		case v.Invoked.After(deadline):
			return conformance.Violated(v.Reply, "TRY_REFRESH_TOKEN once the token is expired", fmt.Sprintf("%s %v after", conformance.Describe(v.Reply), time.Since(expiry).Round(time.Millisecond)))
		}
		if err := conformance.Pause(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
}

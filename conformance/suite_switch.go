package conformance

import (
	"context"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/internal/adapter"
)

// switchChecks: who turns the check on, and what the check does not do.
func switchChecks() []Check {
	return []Check{
		{
			ID:          "BL-30",
			Title:       "with the check off a revoked token is still accepted",
			Requirement: "Without the database check, the token from create of a revoked session is accepted until it expires; otherwise a refusal with the check on proves nothing about the check.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Off: true},
			Smoke:       true,
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					at := t.AnyOff()
					live, err := t.Live(ctx, at, adapter.CreateRequest{})
					if err != nil {
						return err
					}
					if _, err := t.Revoke(ctx, at, live.Session.Handle); err != nil {
						return err
					}
					return t.control(ctx, at, live.Access.Value)
				})
			},
		},
		{
			ID:          "BL-31",
			Title:       "at CDI ≤ 2.20 checkDatabase in a request changes nothing",
			Requirement: "Up to CDI 2.20 the core's setting alone decides: with the flag off, a request that holds checkDatabase true is answered as if it did not.",
			Source:      "supertokens-core VerifySessionAPI",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Off: true, Era: adapter.EraSetting},
			Run:         otherSwitch,
		},
		{
			ID:          "BL-32",
			Title:       "at CDI ≥ 2.21 the core's setting changes nothing (upgrade trap)",
			Requirement: "From CDI 2.21 on the request alone decides: a core whose setting is on accepts a revoked token of a caller that sends checkDatabase false, as SDKs do by default.",
			Source:      "supertokens-core VerifySessionAPI; CHANGELOG 5.0.0",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Off: true, Era: adapter.EraRequest},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
					on, off := t.AnyOn(), t.AnyOff()
					live, err := t.Live(ctx, on, adapter.CreateRequest{})
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, on, live.Session.Handle)
					if err != nil {
						return err
					}
					if err := t.control(ctx, off, live.Access.Value); err != nil {
						return err
					}
					t.Observe("warning", "upgrade trap: the core's own setting is not asked at CDI 2.21 and newer; a caller that sends checkDatabase false, an SDK's default, had a revoked token accepted")
					return t.Refused(ctx, on, live.Access.Value, gone.Reply)
				})
			},
		},
		{
			ID:          "BL-33",
			Title:       "each request is checked or not on its own",
			Requirement: "From CDI 2.21 on, one revoked token is refused with checkDatabase true and accepted with false, in any order: no answer sticks.",
			Source:      "CDI 2.21 POST /recipe/session/verify, checkDatabase",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Off: true, Era: adapter.EraRequest},
			Smoke:       true,
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					on, off := t.AnyOn(), t.AnyOff()
					live, err := t.Live(ctx, on, adapter.CreateRequest{})
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, on, live.Session.Handle)
					if err != nil {
						return err
					}
					if err := t.control(ctx, off, live.Access.Value); err != nil {
						return err
					}
					for range 3 {
						if err := t.Refused(ctx, on, live.Access.Value, gone.Reply); err != nil {
							return err
						}
						if err := t.stays(ctx, off, live.Access.Value, "with checkDatabase false, right after a true,"); err != nil {
							return err
						}
					}
					return nil
				})
			},
		},
		{
			ID:          "BL-34",
			Title:       "the handshake tells the setting",
			Requirement: "Up to CDI 2.20 the handshake's accessTokenBlacklistingEnabled equals the core's setting.",
			Source:      "CDI POST /recipe/handshake",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Era: adapter.EraSetting},
			Smoke:       true,
			Run:         handshake,
		},
		{
			ID:          "BL-35",
			Title:       "a bad signature is no revoked session",
			Requirement: "With the check on, a token whose signature is wrong is TRY_REFRESH_TOKEN and not UNAUTHORISED, also when its session is revoked: the signature is looked at first.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := t.AnyOn()
					live, err := t.Live(ctx, at, adapter.CreateRequest{})
					if err != nil {
						return err
					}
					forged := flip(live.Access.Value, 2)
					what := "verify a token with a bad signature at " + at.Name()
					v, err := at.Ask(ctx, forged)
					if err := want(v.Reply, err, what, adapter.TryRefreshToken); err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, at, live.Session.Handle)
					if err != nil {
						return err
					}
					v, err = at.Ask(ctx, forged)
					if err := want(v.Reply, err, what+" after the revoke", adapter.TryRefreshToken); err != nil {
						return err
					}
					return t.Refused(ctx, at, live.Access.Value, gone.Reply)
				})
			},
		},
		{
			ID:          "BL-36",
			Title:       "a wrong anti-csrf value is no revoked session",
			Requirement: "With the check on, a wrong anti-csrf value is TRY_REFRESH_TOKEN also when the session is revoked, and the right one is UNAUTHORISED then.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Run:         antiCSRFFirst,
		},
		{
			ID:          "BL-37",
			Title:       "an unused refreshed token of a revoked session is refused even without the check",
			Requirement: "Up to CDI 5.5 the first verify of a refreshed token reads the session in any case, so a revoked one is UNAUTHORISED with the check off too.",
			Source:      "supertokens-core Session.getSession",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Off: true, Below: "5.6"},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := t.AnyOff()
					first, child, err := refreshed(ctx, t, at)
					if err != nil {
						return err
					}
					if _, err := t.Revoke(ctx, at, first.Session.Handle); err != nil {
						return err
					}
					if err := t.control(ctx, at, first.Access.Value); err != nil {
						return err
					}
					v, err := at.Ask(ctx, child.Access.Value)
					return want(v.Reply, err, "verify the unused refreshed token of a revoked session at "+at.Name()+" without the check", adapter.Unauthorised)
				})
			},
		},
	}
}

// control offers a revoked token to the side that does not check: a refusal
// makes the check vacuous, not failed.
func (t *Trial) control(ctx context.Context, at Instance, token string) error {
	v, err := at.Ask(ctx, token)
	what := "verify a revoked session's token at " + at.Name() + " without the check"
	if err != nil {
		return trouble(what, err)
	}
	t.mu.Lock()
	t.immediacy.ControlTrials++
	if v.Status == adapter.OK {
		t.immediacy.ControlAccepted++
	}
	t.mu.Unlock()
	if v.Status != adapter.OK {
		return vacuousf("%s: got %s, want OK: is the flag on there?", what, describe(v.Reply))
	}
	return nil
}

func otherSwitch(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := t.AnyOff()
		both, ok := at.Core.(interface {
			VerifyBothSwitches(context.Context, adapter.VerifyRequest) (adapter.Verified, error)
		})
		if !ok {
			return skippedf("the adapter cannot send the other era's switch")
		}
		live, err := t.Live(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return err
		}
		if _, err := t.Revoke(ctx, at, live.Session.Handle); err != nil {
			return err
		}
		if err := t.control(ctx, at, live.Access.Value); err != nil {
			return err
		}
		v, err := both.VerifyBothSwitches(ctx, adapter.VerifyRequest{AccessToken: live.Access.Value, CheckDatabase: true})
		return want(v.Reply, err, "verify with checkDatabase true in an era that does not know it at "+at.Name(), adapter.OK)
	})
}

func handshake(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		for _, at := range t.On() {
			on, known, err := at.FlagSetting(ctx)
			switch {
			case err != nil:
				return trouble("ask for the setting at "+at.Name(), err)
			case !known:
				return skippedf("the protocol does not tell the setting")
			case !on:
				return &Violation{Expected: "accessTokenBlacklistingEnabled true at " + at.Name(), Got: "false: the flag is not on there"}
			}
		}
		for _, at := range t.Off() {
			on, _, err := at.FlagSetting(ctx)
			if err != nil {
				return trouble("ask for the setting at "+at.Name(), err)
			}
			if on {
				return vacuousf("the core given as flag-off (%s) says that its flag is on", at.Name())
			}
		}
		if len(t.Off()) == 0 {
			t.Observe("flagOff", "no core with the flag off was given")
		}
		return nil
	})
}

func antiCSRFFirst(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		live, err := t.Create(ctx, at, adapter.CreateRequest{AntiCSRF: true})
		if err != nil {
			return err
		}
		ask := func(value string) (adapter.Verified, error) {
			return at.Verify(ctx, adapter.VerifyRequest{
				AccessToken: live.Access.Value, CheckDatabase: at.check, DoAntiCSRF: true, AntiCSRF: value,
			})
		}
		v, err := ask(live.AntiCSRF)
		if err := need(v.Reply, err, "verify with the right anti-csrf value at "+at.Name()); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, live.Session.Handle)
		if err != nil {
			return err
		}
		v, err = ask(unknownHandle())
		if err := want(v.Reply, err, "verify a revoked session with a wrong anti-csrf value at "+at.Name(), adapter.TryRefreshToken); err != nil {
			return err
		}
		v, err = ask(live.AntiCSRF)
		if err != nil {
			return trouble("verify a revoked session with the right anti-csrf value at "+at.Name(), err)
		}
		return t.judge(ctx, at, live.Access.Value, v.Reply, gone.Reply)
	})
}

// flip changes a character in the middle of a token's part (0 header, 1 payload,
// 2 signature). Not the last one: some of its bits count for nothing.
func flip(token string, part int) string {
	parts := strings.Split(token, ".")
	if part >= len(parts) || len(parts[part]) < 3 {
		return token + "x"
	}
	b := []byte(parts[part])
	i := len(b) / 2
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	parts[part] = string(b)
	return strings.Join(parts, ".")
}

// fraction prints k of n.
func fraction(k, n int) string { return fmt.Sprintf("%d/%d", k, n) }

package checks

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// switchChecks: who turns the check on, and what the check does not do.
func switchChecks() []Check {
	return []Check{
		{
			ID:          "BL-30",
			Title:       "with the flag off a revoked token is still accepted",
			Requirement: "On a core whose flag is off, the token from create of a revoked session is accepted until it expires.",
			Source:      specFlag,
			Profiles:    []Profile{conformance.Switch},
			Needs:       Needs{OffSide: true, FlagMode: protocol.BySetting},
			Smoke:       true,
			Run:         acceptedWithoutCheck,
		},
		{
			ID:          "BL-38",
			Title:       "a request that asks for no check gets none",
			Requirement: "From CDI 2.21 on, a verify with checkDatabase false does not ask the database: the token from create of a revoked session is accepted until it expires.",
			Source:      specFlag,
			Profiles:    []Profile{conformance.Switch},
			Needs:       Needs{OffSide: true, FlagMode: protocol.ByRequest},
			Smoke:       true,
			Run:         acceptedWithoutCheck,
		},
		{
			ID:          "BL-31",
			Title:       "at CDI ≤ 2.20 checkDatabase in a request changes nothing",
			Requirement: "Up to CDI 2.20 the core's setting alone decides: a request that holds checkDatabase is answered as if it did not, true where the flag is off, and false where it is on: there a revoked token is refused as UNAUTHORISED.",
			Source:      specFlag,
			Profiles:    []Profile{conformance.Switch},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbEras}, OffSide: true, FlagMode: protocol.BySetting},
			Run:         otherSwitch,
		},
		{
			ID:          "BL-32",
			Title:       "at CDI ≥ 2.21 the core's setting changes nothing (upgrade trap)",
			Requirement: "From CDI 2.21 on the request alone decides: a core whose setting is on accepts a revoked token of a caller that sends checkDatabase false, as SDKs do by default.",
			Source:      specFlag,
			Profiles:    []Profile{conformance.Switch},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbEras}, OffSide: true, FlagMode: protocol.ByRequest},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
					on, off := anyOn(t), anyOff(t)
					s, gone, err := revokedAt(ctx, t, on)
					if err != nil {
						return err
					}
					if err := acceptedUnchecked(ctx, t, off, s.Access.Value); err != nil {
						return err
					}
					t.Observe("warning", "upgrade trap: the core's own setting is not asked at CDI 2.21 and newer; a caller that sends checkDatabase false, an SDK's default, had a revoked token accepted")
					return t.Refused(ctx, on, s.Access.Value, gone)
				})
			},
		},
		{
			ID:          "BL-33",
			Title:       "each request is checked or not on its own",
			Requirement: "From CDI 2.21 on, one revoked token is refused with checkDatabase true and accepted with false, in any order: no answer sticks.",
			Source:      specFlag,
			Profiles:    []Profile{conformance.Switch},
			Needs:       Needs{OffSide: true, FlagMode: protocol.ByRequest},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					on, off := anyOn(t), anyOff(t)
					s, gone, err := revokedAt(ctx, t, on)
					if err != nil {
						return err
					}
					for i := range 4 {
						if i > 0 || t.Index%2 == 0 {
							if err := t.Refused(ctx, on, s.Access.Value, gone); err != nil {
								return err
							}
						}
						if err := acceptedUnchecked(ctx, t, off, s.Access.Value); err != nil {
							return err
						}
					}
					return nil
				})
			},
		},
		{
			ID:          "BL-39",
			Title:       "at CDI ≥ 2.21 a request that does not say whether to check is not taken for a no",
			Requirement: "From CDI 2.21 on, a verify whose checkDatabase is missing, null, a text or an object is malformed (HTTP 400): a revoked token is not accepted.",
			Source:      specRules + ", rule 64",
			Profiles:    []Profile{conformance.Switch},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbEras}, FlagMode: protocol.ByRequest},
			Run:         neverGuessed,
		},
		{
			ID:          "BL-34",
			Title:       "the handshake tells the setting",
			Requirement: "Up to CDI 2.20 the handshake's accessTokenBlacklistingEnabled equals the core's setting.",
			Source:      specHandshake,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbTellFlag}, FlagMode: protocol.BySetting},
			Smoke:       true,
			Run:         handshake,
		},
		{
			ID:          "BL-35",
			Title:       "a bad signature is no revoked session",
			Requirement: "With the check on, a token whose signature is wrong is TRY_REFRESH_TOKEN and not UNAUTHORISED, also when its session is revoked: the signature is looked at first.",
			Source:      specVerify,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbReason}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := anyOn(t)
					live, err := liveSession(ctx, t, at, protocol.CreateRequest{})
					if err != nil {
						return err
					}
					forged := flip(live.Access.Value, 2)
					what := "verify a token with a bad signature at " + at.Name()
					v, err := at.Ask(ctx, forged)
					if err := conformance.Want(v.Reply, err, what, protocol.TryRefreshToken); err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, at, live.Session.Handle)
					if err != nil {
						return err
					}
					v, err = at.Ask(ctx, forged)
					if err := conformance.Want(v.Reply, err, what+" after the revoke", protocol.TryRefreshToken); err != nil {
						return err
					}
					return t.Refused(ctx, at, live.Access.Value, gone)
				})
			},
		},
		{
			ID:          "BL-36",
			Title:       "a wrong anti-csrf value is no revoked session",
			Requirement: "With the check on, a wrong anti-csrf value is TRY_REFRESH_TOKEN also when the session is revoked, and the right one is UNAUTHORISED then.",
			Source:      specVerify,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbAntiCSRF}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         antiCSRFFirst,
		},
		{
			ID:          "BL-37",
			Title:       "an unused refreshed token of a revoked session is refused even without the check",
			Requirement: "Up to CDI 5.5 the first verify of a refreshed token reads the session in any case, so a revoked one is UNAUTHORISED with the check off too.",
			Source:      specPromotion,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}, OffSide: true, Below: "5.6"},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := anyOff(t)
					first, child, err := refreshed(ctx, t, at, protocol.CreateRequest{})
					if err != nil {
						return err
					}
					_, beside, err := refreshed(ctx, t, at, protocol.CreateRequest{})
					if err != nil {
						return err
					}
					if _, err := t.Revoke(ctx, at, first.Session.Handle); err != nil {
						return err
					}
					v, err := at.Ask(ctx, child.Access.Value)
					if err := conformance.Want(v.Reply, err, "verify the unused refreshed token of a revoked session at "+at.Name()+" without the check", protocol.Unauthorised); err != nil {
						return err
					}
					return accepted(ctx, t, at, beside.Access.Value)
				})
			},
		},
	}
}

// revokedAt makes a live session and revokes it.
func revokedAt(ctx context.Context, t *Trial, at Instance) (protocol.Tokens, *conformance.Ended, error) {
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return s, nil, err
	}
	gone, err := t.Revoke(ctx, at, s.Session.Handle)
	return s, gone, err
}

func acceptedWithoutCheck(ctx context.Context, c *T) error {
	return c.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
		at := anyOff(t)
		s, _, err := revokedAt(ctx, t, at)
		if err != nil {
			return err
		}
		return acceptedUnchecked(ctx, t, at, s.Access.Value)
	})
}

// acceptedUnchecked offers a revoked token to the side that does not check. A core
// that the caller named as flag-off and that refuses was named wrongly, perhaps;
// any other breaks the rule that its protocol has.
func acceptedUnchecked(ctx context.Context, t *Trial, at Instance, token string) error {
	v, err := at.Ask(ctx, token)
	what := "verify a revoked session's token at " + at.Name() + " without the database check"
	if err == nil && v.Status == protocol.Unauthorised && t.OffNamed() {
		return conformance.CouldNotFailf("%s: got %s, want OK: is the flag on there?", what, conformance.Describe(v.Reply))
	}
	return conformance.Want(v.Reply, err, what, protocol.OK)
}

// bothSwitches is a client that can send the other flag mode's switch.
type bothSwitches interface {
	VerifyBothSwitches(context.Context, protocol.VerifyRequest) (protocol.Verified, error)
}

func otherSwitch(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		on, off := anyOn(t), anyOff(t)
		checking, ok := on.Core.(bothSwitches)
		unchecking, okOff := off.Core.(bothSwitches)
		if !ok || !okOff {
			return conformance.Lackf("verb", "the client of %s cannot send the other flag mode's switch", t.Label())
		}
		live, gone, err := revokedAt(ctx, t, on)
		if err != nil {
			return err
		}
		v, err := checking.VerifyBothSwitches(ctx, protocol.VerifyRequest{AccessToken: live.Access.Value, CheckDatabase: false})
		if err != nil {
			return conformance.HarnessError("verify with checkDatabase false in a version that does not know it at "+on.Name(), err)
		}
		if err := t.JudgeRefusal(ctx, on, live.Access.Value, v.Reply, gone); err != nil {
			return err
		}
		if live, _, err = revokedAt(ctx, t, off); err != nil {
			return err
		}
		if err := acceptedUnchecked(ctx, t, off, live.Access.Value); err != nil {
			return err
		}
		v, err = unchecking.VerifyBothSwitches(ctx, protocol.VerifyRequest{AccessToken: live.Access.Value, CheckDatabase: true})
		return conformance.Want(v.Reply, err, "verify with checkDatabase true in a version that does not know it at "+off.Name(), protocol.OK)
	})
}

// neverGuessed offers a revoked token with a checkDatabase that is neither true nor false.
// What refuses it is no matter of this rule. A number and a list are left out: the real
// core takes them for false.
func neverGuessed(ctx context.Context, c *T) error {
	return c.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		raw, ok := at.Core.(interface {
			VerifyWith(context.Context, protocol.VerifyRequest, json.RawMessage) (protocol.Verified, error)
		})
		if !ok {
			return conformance.Lackf("protocol", "the requests of %s always say whether to check", t.Label())
		}
		s, gone, err := revokedAt(ctx, t, at)
		if err != nil {
			return err
		}
		for _, value := range []string{"", `null`, `"true"`, `"x"`, `{"a":1}`} {
			v, err := raw.VerifyWith(ctx, protocol.VerifyRequest{AccessToken: s.Access.Value}, json.RawMessage(value))
			what := "verify a revoked session's token with checkDatabase " + cmp.Or(value, "missing") + " at " + at.Name()
			switch {
			case err != nil:
				return conformance.HarnessError(what, err)
			case v.Status == protocol.OK:
				return conformance.Violated(v.Reply, what+": HTTP 400", conformance.Describe(v.Reply))
			}
		}
		return t.Refused(ctx, at, s.Access.Value, gone)
	})
}

func handshake(ctx context.Context, c *T) error {
	return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		for _, at := range t.On() {
			on, known, err := at.FlagSetting(ctx)
			switch {
			case err != nil:
				return conformance.HarnessError("ask for the setting at "+at.Name(), err)
			case !known:
				return conformance.Lackf("verb", "%s does not tell the setting", t.Label())
			case !on:
				return &conformance.Violation{Expected: "accessTokenBlacklistingEnabled true at " + at.Name(), Got: "false: the flag is not on there"}
			}
		}
		for _, at := range t.Off() {
			on, _, err := at.FlagSetting(ctx)
			if err != nil {
				return conformance.HarnessError("ask for the setting at "+at.Name(), err)
			}
			if on {
				return conformance.CouldNotFailf("the core given as flag-off (%s) says that its flag is on", at.Name())
			}
		}
		if len(t.Off()) == 0 {
			t.Observe("flagOff", "no core with the flag off was given")
		}
		return nil
	})
}

func antiCSRFFirst(ctx context.Context, c *T) error {
	return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		live, err := newSession(ctx, t, at, protocol.CreateRequest{AntiCSRF: true})
		if err != nil {
			return err
		}
		ask := func(value string) (protocol.Verified, error) {
			return at.Verify(ctx, protocol.VerifyRequest{
				AccessToken: live.Access.Value, CheckDatabase: at.Checks(), DoAntiCSRF: true, AntiCSRF: value,
			})
		}
		v, err := ask(live.AntiCSRF)
		if err := conformance.Need(v.Reply, err, "verify with the right anti-csrf value at "+at.Name()); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, live.Session.Handle)
		if err != nil {
			return err
		}
		v, err = ask(unknownHandle())
		if err := conformance.Want(v.Reply, err, "verify a revoked session with a wrong anti-csrf value at "+at.Name(), protocol.TryRefreshToken); err != nil {
			return err
		}
		return t.RefusedAs(ctx, at, protocol.VerifyRequest{
			AccessToken: live.Access.Value, CheckDatabase: at.Checks(), DoAntiCSRF: true, AntiCSRF: live.AntiCSRF,
		}, gone)
	})
}

package checks

import (
	"context"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// aftermathChecks: what every other call answers after a revoke, and that none
// brings a session back.
func aftermathChecks() []Check {
	return []Check{
		{
			ID:          "BL-20",
			Title:       "refresh after a revoke is refused",
			Requirement: "After the response to a revoke, no refresh token of the session gives new tokens, and asking does not revive the session.",
			Source:      specRefresh + "; zitadel issue 12637 (terminated session still mints tokens)",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}},
			Smoke:       true,
			Run: afterRevoke(10, refreshSeen, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				for _, token := range s.refresh {
					r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: token})
					if err := conformance.Want(r.Reply, err, "refresh a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
						return err
					}
				}
				return nil
			}),
		},
		{
			ID:          "BL-21",
			Title:       "refresh of a child after a revoke is refused",
			Requirement: "After the response to a revoke, a refresh token that itself came from a refresh gives no new tokens either.",
			Source:      specRefresh,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := anyOn(t)
					first, child, err := refreshed(ctx, t, at, protocol.CreateRequest{})
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, at, first.Session.Handle)
					if err != nil {
						return err
					}
					return assertSessionGone(ctx, t, formerSession{
						handle: first.Session.Handle, user: first.Session.UserID, gone: gone,
						access:  []string{child.Access.Value, first.Access.Value},
						refresh: []string{child.Refresh.Value, first.Refresh.Value},
					})
				})
			},
		},
		{
			ID:          "BL-22",
			Title:       "regenerate after a revoke is refused",
			Requirement: "After the response to a revoke, regenerate gives no token and does not revive the session.",
			Source:      specRegenerate,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRegenerate}},
			Run: afterRevoke(6, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				next, err := regenerated(ctx, t, at, s.tokens.Access.Value)
				s.keep(next, "")
				return err
			}, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				for _, token := range s.access {
					r, err := at.Regenerate(ctx, token, map[string]any{"back": true})
					if err := conformance.Want(r.Reply, err, "regenerate a revoked session's token at "+at.Name(), protocol.Unauthorised); err != nil {
						return err
					}
				}
				return nil
			}),
		},
		{
			ID:          "BL-23",
			Title:       "reading a revoked session finds nothing",
			Requirement: "After the response to a revoke, the session cannot be read, at any instance, also when it was read before, nor its data or its payload alone, where the core has calls for them.",
			Source:      specGet + ", " + specData,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbGet}},
			Run: afterRevoke(6, everywhere(func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				if err := partsRead(ctx, at, s.tokens.Session.Handle); err != nil {
					return err
				}
				return readable(ctx, at, s.tokens.Session.Handle)
			}), everywhere(func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.Get(ctx, s.tokens.Session.Handle)
				if err := conformance.Want(r.Reply, err, "read a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
					return err
				}
				if err := partsGone(ctx, t, at, s.tokens.Session.Handle); err != nil {
					return err
				}
				return readable(ctx, at, t.Twin().Session.Handle)
			})),
		},
		{
			ID:          "BL-24",
			Title:       "a revoked session is not listed",
			Requirement: "After the response to a revoke, no listing of the user's sessions holds the handle, at any instance, also when it was listed before.",
			Source:      specList,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbList}},
			Run: afterRevoke(6, everywhere(func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				return listed(ctx, t, at, s.tokens.Session.UserID, s.tokens.Session.Handle)
			}), everywhere(func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				if err := unlisted(ctx, t, at, s.tokens.Session.UserID, s.tokens.Session.Handle); err != nil {
					return err
				}
				return listed(ctx, t, at, t.Twin().Session.UserID, t.Twin().Session.Handle)
			})),
		},
		{
			ID:          "BL-25",
			Title:       "writing the payload of a revoked session does not bring it back",
			Requirement: "After the response to a revoke, a write of the session's token payload is UNAUTHORISED and revives nothing.",
			Source:      specData + "; auth0/nextjs-auth0 issue 2530 (update upserts a deleted session)",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSetPayload}},
			Run: afterRevoke(6, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.SetPayload(ctx, s.tokens.Session.Handle, map[string]any{"n": t.Index})
				return conformance.Need(r, err, "write the payload at "+at.Name())
			}, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.SetPayload(ctx, s.tokens.Session.Handle, map[string]any{"back": true})
				return conformance.Want(r, err, "write the payload of a revoked session at "+at.Name(), protocol.Unauthorised)
			}),
		},
		{
			ID:          "BL-26",
			Title:       "writing the data of a revoked session does not bring it back",
			Requirement: "After the response to a revoke, a write of the session's stored data is UNAUTHORISED and revives nothing.",
			Source:      specData + "; expressjs/session issue 632 (save after destroy)",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSetData}},
			Run: afterRevoke(6, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.SetData(ctx, s.tokens.Session.Handle, map[string]any{"n": t.Index})
				return conformance.Need(r, err, "write the data at "+at.Name())
			}, func(ctx context.Context, t *Trial, at Instance, s *rival) error {
				r, err := at.SetData(ctx, s.tokens.Session.Handle, map[string]any{"back": true})
				return conformance.Want(r, err, "write the data of a revoked session at "+at.Name(), protocol.Unauthorised)
			}),
		},
		{
			ID:          "BL-27",
			Title:       "a second revoke reports nothing",
			Requirement: "A revoke reports exactly the handles that it ended: a second one of the same session reports none, and is OK.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbReport, protocol.VerbRevokeUser}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					live, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
					if err != nil {
						return err
					}
					first, err := t.Revoke(ctx, anyOn(t), live.Session.Handle)
					if err != nil {
						return err
					}
					if err := sameHandles(anyOn(t), first, []string{live.Session.Handle}); err != nil {
						return err
					}
					second, err := t.Revoke(ctx, anyOn(t), live.Session.Handle)
					if err != nil {
						return err
					}
					if err := sameHandles(anyOn(t), second, nil); err != nil {
						return err
					}
					third, err := t.RevokeUser(ctx, anyOn(t), live.Session.UserID)
					if err != nil {
						return err
					}
					if err := sameHandles(anyOn(t), third, nil); err != nil {
						return err
					}
					return t.Refused(ctx, anyOn(t), live.Access.Value, first)
				})
			},
		},
		{
			ID:          "BL-28",
			Title:       "unknown handles among real ones are left out of the report",
			Requirement: "A revoke of known and unknown handles ends the known ones and reports just those.",
			Source:      specRemove + "; supertokens-core 6.0.1 (fixed there)",
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSeveral, protocol.VerbReport}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := anyOn(t)
					made, err := many(ctx, t, at, t.NewUser(), 3)
					if err != nil {
						return err
					}
					real := []string{made[0].Session.Handle, made[2].Session.Handle}
					gone, err := t.Revoke(ctx, at, unknownHandle(), real[0], unknownHandle(), real[1])
					if err != nil {
						return err
					}
					if err := sameHandles(anyOn(t), gone, real); err != nil {
						return err
					}
					if err := stays(ctx, t, anyOn(t), made[1].Access.Value, "a session that was not named"); err != nil {
						return err
					}
					for _, i := range []int{0, 2} {
						if err := t.Refused(ctx, anyOn(t), made[i].Access.Value, gone); err != nil {
							return err
						}
					}
					return nil
				})
			},
		},
		{
			ID:          "BL-29",
			Title:       "a revoke of what never existed harms nothing",
			Requirement: "A revoke of an unknown handle, of an unknown user or of no handle at all is OK, reports nothing and ends nothing.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRevokeUser}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
					live, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
					if err != nil {
						return err
					}
					at := anyOn(t)
					for _, revoke := range []func() (*conformance.Ended, error){
						func() (*conformance.Ended, error) { return t.Revoke(ctx, at, unknownHandle()) },
						func() (*conformance.Ended, error) { return t.RevokeUser(ctx, at, t.NewUser()) },
						func() (*conformance.Ended, error) { return t.Revoke(ctx, at) },
					}[:numberOf(at)] {
						r, err := revoke()
						if err != nil {
							return err
						}
						if err := sameHandles(anyOn(t), r, nil); err != nil {
							return err
						}
					}
					return stays(ctx, t, anyOn(t), live.Access.Value, "a session that was not named")
				})
			},
		},
	}
}

// numberOf is how many of the revokes of BL-29 a protocol has: one of no session at all
// needs one of several.
func numberOf(at Instance) int {
	if at.Has(protocol.VerbSeveral) {
		return 3
	}
	return 2
}

// doing is something that is done about a session, before or after its revoke.
type doing func(ctx context.Context, t *Trial, at Instance, s *rival) error

// everywhere does it at each flag-on instance, in random order.
func everywhere(do doing) doing {
	return func(ctx context.Context, t *Trial, _ Instance, s *rival) error {
		for _, i := range t.Rand.Perm(len(t.On())) {
			if err := do(ctx, t, t.On()[i], s); err != nil {
				return err
			}
		}
		return nil
	}
}

// refreshSeen sees a refresh succeed, so that its refusal means something.
func refreshSeen(ctx context.Context, _ *Trial, at Instance, s *rival) error {
	r, err := refresh(ctx, at, s.tokens.Refresh.Value, false)
	s.keep(r.Access.Value, "")
	// The newest first: an older one may be taken for theft before it is refused.
	s.refresh = append([]string{r.Refresh.Value}, s.refresh...)
	return err
}

// afterRevoke makes a live session, sees a call about it succeed, revokes it, makes
// the call again, and wants the session to be over in every way afterwards.
func afterRevoke(n int, before, after doing) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		return c.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			s, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
			if err != nil {
				return err
			}
			r := &rival{tokens: s}
			r.keep(s.Access.Value, s.Refresh.Value)
			at := anyOn(t)
			if err := before(ctx, t, at, r); err != nil {
				return err
			}
			gone, err := t.Revoke(ctx, anyOn(t), s.Session.Handle)
			if err != nil {
				return err
			}
			if err := after(ctx, t, at, r); err != nil {
				return err
			}
			return assertSessionGone(ctx, t, formerSession{
				handle: s.Session.Handle, user: s.Session.UserID, gone: gone, access: r.access, refresh: r.refresh,
			})
		})
	}
}

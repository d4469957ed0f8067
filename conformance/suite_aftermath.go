package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/internal/adapter"
)

// aftermathChecks: what every other call answers after a revoke, and that none
// brings a session back.
func aftermathChecks() []Check {
	return []Check{
		{
			ID:          "BL-20",
			Title:       "refresh after a revoke is refused",
			Requirement: "After the response to a revoke, no refresh token of the session gives new tokens, and asking does not revive the session.",
			Source:      "CDI POST /recipe/session/refresh; zitadel issue 12637 (terminated session still mints tokens)",
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run: afterRevoke(20, func(ctx context.Context, t *Trial, at Instance, s adapter.Tokens) error {
				r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: s.Refresh.Value})
				return want(r.Reply, err, "refresh a revoked session at "+at.Name(), adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-21",
			Title:       "refresh of a child after a revoke is refused",
			Requirement: "After the response to a revoke, a refresh token that itself came from a refresh gives no new tokens either.",
			Source:      "CDI POST /recipe/session/refresh",
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					at := t.AnyOn()
					first, child, err := refreshed(ctx, t, at)
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, at, first.Session.Handle)
					if err != nil {
						return err
					}
					return t.Over(ctx, remains{
						handle: first.Session.Handle, user: first.Session.UserID, gone: gone.Reply,
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
			Source:      "CDI POST /recipe/session/regenerate",
			Profiles:    []Profile{Blacklisting},
			Run: afterRevoke(10, func(ctx context.Context, t *Trial, at Instance, s adapter.Tokens) error {
				r, err := at.Regenerate(ctx, s.Access.Value, map[string]any{"back": true})
				return want(r.Reply, err, "regenerate a revoked session's token at "+at.Name(), adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-23",
			Title:       "reading a revoked session finds nothing",
			Requirement: "After the response to a revoke, the session cannot be read.",
			Source:      "CDI GET /recipe/session",
			Profiles:    []Profile{Blacklisting},
			Run: afterRevoke(10, func(ctx context.Context, t *Trial, at Instance, s adapter.Tokens) error {
				r, err := at.Get(ctx, s.Session.Handle)
				return want(r.Reply, err, "read a revoked session at "+at.Name(), adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-24",
			Title:       "a revoked session is not listed",
			Requirement: "After the response to a revoke, no listing of the user's sessions holds the handle.",
			Source:      "CDI GET /recipe/session/user",
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
					if err != nil {
						return err
					}
					user, handle := live.Session.UserID, live.Session.Handle
					at := t.AnyOn()
					l, err := at.List(ctx, user)
					if err := need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
						return err
					}
					if !slices.Contains(l.Handles, handle) {
						return vacuousf("a live session is not listed at %s, so its absence afterwards proves nothing", at.Name())
					}
					if _, err := t.Revoke(ctx, t.AnyOn(), handle); err != nil {
						return err
					}
					return t.unlisted(ctx, t.AnyOn(), user, handle)
				})
			},
		},
		{
			ID:          "BL-25",
			Title:       "writing the payload of a revoked session does not bring it back",
			Requirement: "After the response to a revoke, a write of the session's token payload is UNAUTHORISED and revives nothing.",
			Source:      "CDI PUT /recipe/jwt/data; auth0/nextjs-auth0 issue 2530 (update upserts a deleted session)",
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run: afterRevoke(10, func(ctx context.Context, t *Trial, at Instance, s adapter.Tokens) error {
				r, err := at.SetPayload(ctx, s.Session.Handle, map[string]any{"back": true})
				return want(r, err, "write the payload of a revoked session at "+at.Name(), adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-26",
			Title:       "writing the data of a revoked session does not bring it back",
			Requirement: "After the response to a revoke, a write of the session's stored data is UNAUTHORISED and revives nothing.",
			Source:      "CDI PUT /recipe/session/data; expressjs/session issue 632 (save after destroy)",
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run: afterRevoke(10, func(ctx context.Context, t *Trial, at Instance, s adapter.Tokens) error {
				r, err := at.SetData(ctx, s.Session.Handle, map[string]any{"back": true})
				return want(r, err, "write the data of a revoked session at "+at.Name(), adapter.Unauthorised)
			}),
		},
		{
			ID:          "BL-27",
			Title:       "a second revoke reports nothing",
			Requirement: "A revoke reports exactly the handles that it ended: a second one of the same session reports none, and is OK.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
					if err != nil {
						return err
					}
					first, err := t.Revoke(ctx, t.AnyOn(), live.Session.Handle)
					if err != nil {
						return err
					}
					if err := sameHandles(first, []string{live.Session.Handle}); err != nil {
						return err
					}
					second, err := t.Revoke(ctx, t.AnyOn(), live.Session.Handle)
					if err != nil {
						return err
					}
					if err := sameHandles(second, nil); err != nil {
						return err
					}
					third, err := t.RevokeUser(ctx, t.AnyOn(), live.Session.UserID)
					if err != nil {
						return err
					}
					if err := sameHandles(third, nil); err != nil {
						return err
					}
					return t.Refused(ctx, t.AnyOn(), live.Access.Value, first.Reply)
				})
			},
		},
		{
			ID:          "BL-28",
			Title:       "unknown handles among real ones are left out of the report",
			Requirement: "A revoke of known and unknown handles ends the known ones and reports just those.",
			Source:      sourceRemove + "; supertokens-core 6.0.1 (fixed there)",
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
					at := t.AnyOn()
					made, err := t.Many(ctx, at, t.NewUser(), 3)
					if err != nil {
						return err
					}
					real := []string{made[0].Session.Handle, made[2].Session.Handle}
					gone, err := t.Revoke(ctx, at, unknownHandle(), real[0], unknownHandle(), real[1])
					if err != nil {
						return err
					}
					if err := sameHandles(gone, real); err != nil {
						return err
					}
					if err := t.stays(ctx, t.AnyOn(), made[1].Access.Value, "a session that was not named"); err != nil {
						return err
					}
					for _, i := range []int{0, 2} {
						if err := t.Refused(ctx, t.AnyOn(), made[i].Access.Value, gone.Reply); err != nil {
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
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
					live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
					if err != nil {
						return err
					}
					at := t.AnyOn()
					for _, revoke := range []func() (adapter.Revoked, error){
						func() (adapter.Revoked, error) { return t.Revoke(ctx, at, unknownHandle()) },
						func() (adapter.Revoked, error) { return t.RevokeUser(ctx, at, t.NewUser()) },
						func() (adapter.Revoked, error) { return t.Revoke(ctx, at) },
					} {
						r, err := revoke()
						if err != nil {
							return err
						}
						if err := sameHandles(r, nil); err != nil {
							return err
						}
					}
					return t.stays(ctx, t.AnyOn(), live.Access.Value, "a session that was not named")
				})
			},
		},
	}
}

// afterRevoke makes a live session, revokes it, makes one call more, and wants
// the session to be over in every way afterwards.
func afterRevoke(n int, call func(ctx context.Context, t *Trial, at Instance, s adapter.Tokens) error) func(context.Context, *Scene) error {
	return func(ctx context.Context, s *Scene) error {
		return s.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
			if err != nil {
				return err
			}
			gone, err := t.Revoke(ctx, t.AnyOn(), live.Session.Handle)
			if err != nil {
				return err
			}
			if err := call(ctx, t, t.AnyOn(), live); err != nil {
				return err
			}
			return t.Over(ctx, remains{
				handle: live.Session.Handle, user: live.Session.UserID, gone: gone.Reply,
				access: []string{live.Access.Value}, refresh: []string{live.Refresh.Value},
			})
		})
	}
}

// unknownHandle looks like a handle (a version 4 UUID) and is none.
func unknownHandle() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

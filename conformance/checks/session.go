package checks

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// sessionChecks: what a session core must do before revoking matters.
func sessionChecks() []Check {
	basic := []Profile{conformance.SessionBasic}
	return []Check{
		{
			ID: "SE-01", Title: "create gives a session that verify knows", Profiles: basic, Smoke: true,
			Requirement: "Create gives tokens with their times in ms since 1970; verify of the access token is OK and tells handle, user and payload as given.",
			Source:      specCreate + ", " + specVerify,
			Run:         createAndVerify,
		},
		{
			ID: "SE-02", Title: "user data comes back as given", Profiles: basic,
			Requirement: "Nested objects, arrays, null, numbers, empty and non-ASCII strings in both data objects come back equal by value.",
			Source:      specCreate + ", " + specGet,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbGet}},
			Run:         valuesComeBack,
		},
		{
			ID: "SE-03", Title: "listing gives exactly the user's live sessions", Profiles: basic,
			Requirement: "A listing holds the handles of the user's live sessions, each once, and nothing else; for an unknown user it is empty.",
			Source:      specList,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbList}},
			Run:         listing,
		},
		{
			ID: "SE-04", Title: "refresh gives a new pair of the same session", Profiles: basic, Smoke: true,
			Requirement: "Refresh gives tokens that differ from the old ones and belong to the same session; the new access token is accepted.",
			Source:      specRefresh,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}},
			Run:         refreshing,
		},
		{
			ID: "SE-05", Title: "reuse of a refresh token whose child was used is theft", Profiles: basic, Smoke: true,
			Requirement: "Up to CDI 5.5, a refresh token whose child has been used is TOKEN_THEFT_DETECTED with handle and user; the session stays until somebody revokes it.",
			Source:      specLegacy,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}, Below: "5.6"},
			Run:         theft,
		},
		{
			ID: "SE-06", Title: "a changed payload is seen by verify with the check", Profiles: basic,
			Requirement: "Up to CDI 5.5, verify with the database check after a payload change is OK with the new payload and a token that holds it; that token gives no further one.",
			Source:      specData + ", " + specVerify,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSetPayload}, Below: "5.6"},
			Run:         payloadSeen,
		},
		{
			ID: "SE-07", Title: "regenerate gives a token with the new payload and the old end", Profiles: basic,
			Requirement: "Regenerate gives an access token with the new payload that expires when the old one does.",
			Source:      specRegenerate,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRegenerate}},
			Run:         regenerating,
		},
		{
			ID: "SE-08", Title: "writes replace the whole object", Profiles: basic,
			Requirement: "A write of payload or data replaces the whole object, also with an empty one, and twice the same is OK twice.",
			Source:      specData,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSetPayload, protocol.VerbSetData, protocol.VerbGet}},
			Run:         writesReplace,
		},
		{
			ID: "SE-09", Title: "an unknown handle is UNAUTHORISED", Profiles: basic,
			Requirement: "Reading or writing a session that does not exist is UNAUTHORISED.",
			Source:      specGet + ", " + specData,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSetPayload, protocol.VerbSetData, protocol.VerbGet}},
			Run:         unknownSession,
		},
		{
			ID: "SE-10", Title: "a token that was tampered with is refused", Profiles: basic,
			Requirement: "A token with a changed header, payload or signature, with algorithm none, signed by a foreign key or with a published one as secret, with another session's payload, or that is no token at all is never accepted: TRY_REFRESH_TOKEN (a 5xx is a matter of the profile hardening).",
			Source:      specOrder,
			Run:         tampered,
		},
		{
			ID: "SE-11", Title: "the published keys verify the tokens", Profiles: basic,
			Requirement: "From CDI 2.21 on, an access token verifies (RS256) with the key of its kid in the core's JSON Web Key Set; kid tells static (s-) from dynamic (d-) keys.",
			Source:      specKeys,
			Needs:       Needs{FlagMode: protocol.ByRequest},
			Run:         publishedKeys,
		},
		{
			ID: "SE-12", Title: "anti-csrf values are checked when asked for", Profiles: basic,
			Requirement: "With anti-csrf asked for, verify is OK with the right value only, and refresh is UNAUTHORISED with a wrong one without ending the session, and gives a new value with the right one.",
			Source:      specAntiCSRF,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbAntiCSRF, protocol.VerbRefresh}},
			Run:         antiCSRF,
		},
		{
			ID: "SE-13", Title: "what is no refresh token refreshes nothing", Profiles: basic,
			Requirement: "Refresh with garbage, with nothing or with an access token is UNAUTHORISED and verify of a refresh token is TRY_REFRESH_TOKEN (a 5xx is a matter of the profile hardening).",
			Source:      specRefresh,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}},
			Run:         notRefreshTokens,
		},
		{
			ID: "SE-14", Title: "any instance honours any other's tokens", Profiles: []Profile{conformance.MultiInstance}, Smoke: true,
			Requirement: "Access and refresh tokens of one instance are honoured by each other instance on the same database.",
			Source:      specSharedKeys,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}, Instances: 2},
			Run:         sharedKeys,
		},
		{
			ID: "SE-16", Title: "cores that start at once on an empty database are one core", Profiles: []Profile{conformance.StartUp},
			Requirement: "Two cores that are started at the same moment on an empty database both come up, and each honours the other's tokens and revokes.",
			Source:      specSharedKeys,
			Needs:       Needs{Settings: true, FlagMode: protocol.ByRequest, Serial: true},
			Run:         startedTogether,
		},
	}
}

func startedTogether(ctx context.Context, c *T) error {
	return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		list, err := c.StartTogether(ctx, 2)
		if err != nil {
			return err
		}
		for i, at := range list {
			other := list[1-i]
			s, err := at.Create(ctx, protocol.CreateRequest{UserID: t.NewUser()})
			if err := conformance.Want(s.Reply, err, "create a session at "+at.Name(), protocol.OK); err != nil {
				return err
			}
			if err := stays(ctx, t, other, s.Access.Value, "a token of the other core"); err != nil {
				return err
			}
			r, err := other.Revoke(ctx, s.Session.Handle)
			if err := conformance.Want(r.Reply, err, "revoke it at the other core", protocol.OK); err != nil {
				return err
			}
			v, err := at.Ask(ctx, s.Access.Value)
			if err := conformance.Want(v.Reply, err, "verify it after the revoke at the other core", protocol.Unauthorised); err != nil {
				return err
			}
		}
		return nil
	})
}

func payloadSeen(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		live, err := liveSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"role": "admin"}})
		if err != nil {
			return err
		}
		next := map[string]any{"role": "guest", "n": t.Index}
		r, err := at.SetPayload(ctx, live.Session.Handle, next)
		if err := conformance.Want(r, err, "change the payload at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		v, err := anyOn(t).Ask(ctx, live.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify after the change", protocol.OK); err != nil {
			return err
		}
		if v.Access.Value == "" {
			return conformance.Violated(v.Reply, "a token with the new payload", "none")
		}
		if err := sameObject(v.Reply, "payload", v.Session.Payload, next); err != nil {
			return err
		}
		v, err = anyOn(t).Ask(ctx, v.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify the token with the new payload", protocol.OK); err != nil {
			return err
		}
		if v.Access.Value != "" {
			return conformance.Violated(v.Reply, "no further token once the payload is the same", "one was given")
		}
		return sameObject(v.Reply, "payload", v.Session.Payload, next)
	})
}

func regenerating(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		live, err := liveSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"a": 1}})
		if err != nil {
			return err
		}
		next := map[string]any{"b": t.Index}
		g, err := at.Regenerate(ctx, live.Access.Value, next)
		if err := conformance.Want(g.Reply, err, "regenerate at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if g.Access.Value == "" || g.Access.Value == live.Access.Value {
			return conformance.Violated(g.Reply, "a new access token", "none")
		}
		if g.Access.Expiry != live.Access.Expiry {
			return conformance.Violated(g.Reply, fmt.Sprintf("expiry %d, that of the old token", live.Access.Expiry), fmt.Sprint(g.Access.Expiry))
		}
		v, err := at.Ask(ctx, g.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify the regenerated token at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if err := conformance.First(sameObject(g.Reply, "payload", g.Session.Payload, next), sameObject(v.Reply, "payload", v.Session.Payload, next)); err != nil {
			return err
		}
		// Without a payload the stored one is kept.
		g, err = at.Regenerate(ctx, g.Access.Value, nil)
		if err := conformance.Want(g.Reply, err, "regenerate without a payload at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		return sameObject(g.Reply, "payload", g.Session.Payload, next)
	})
}

func writesReplace(ctx context.Context, c *T) error {
	return c.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		made, err := newSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"a": 1}, Data: map[string]any{"a": 1}})
		if err != nil {
			return err
		}
		h := made.Session.Handle
		b, empty := map[string]any{"b": 2}, map[string]any{}
		for _, next := range []map[string]any{b, b, empty, empty} {
			r, err := at.SetPayload(ctx, h, next)
			if err := conformance.Want(r, err, "write the payload at "+at.Name(), protocol.OK); err != nil {
				return err
			}
			r, err = at.SetData(ctx, h, next)
			if err := conformance.Want(r, err, "write the data at "+at.Name(), protocol.OK); err != nil {
				return err
			}
			i, err := at.Get(ctx, h)
			if err := conformance.Want(i.Reply, err, "read the session at "+at.Name(), protocol.OK); err != nil {
				return err
			}
			if err := conformance.First(sameObject(i.Reply, "payload", i.Session.Payload, next), sameObject(i.Reply, "data", i.Data, next)); err != nil {
				return err
			}
		}
		return nil
	})
}

func unknownSession(ctx context.Context, c *T) error {
	return c.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at, handle := anyOn(t), unknownHandle()
		i, err := at.Get(ctx, handle)
		if err := conformance.Want(i.Reply, err, "read an unknown session at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
		r, err := at.SetPayload(ctx, handle, nil)
		if err := conformance.Want(r, err, "write the payload of an unknown session at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
		r, err = at.SetData(ctx, handle, nil)
		return conformance.Want(r, err, "write the data of an unknown session at "+at.Name(), protocol.Unauthorised)
	})
}

func tampered(ctx context.Context, c *T) error {
	return c.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		forged, err := forgeries(ctx, t, at, s.Access.Value)
		if err != nil {
			return err
		}
		for what, bad := range forged {
			v, err := at.Ask(protocol.WithEveryAnswer(ctx), bad)
			if err := refusedSomehow(t, v.Reply, err, "verify a token with "+what+" at "+at.Name(), refusal(at)); err != nil {
				return err
			}
		}
		return stays(ctx, t, at, s.Access.Value, "the token that was not tampered with")
	})
}

// refusedSomehow wants a refusal in the protocol's words, and lets a 5xx pass: that
// is another rule, of a profile that is optional. The call is made with every answer taken
// for the core's.
func refusedSomehow(t *Trial, r protocol.Reply, err error, what string, refusal protocol.Status) error {
	if err == nil && r.HTTPStatus >= 500 {
		t.Observe("answeredWithServerError", what+": "+conformance.Describe(r))
		return nil
	}
	return conformance.Want(r, err, what, refusal)
}

func antiCSRF(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		made, err := newSession(ctx, t, at, protocol.CreateRequest{AntiCSRF: true})
		if err != nil {
			return err
		}
		for _, ask := range []struct {
			what, value string
			do          bool
			want        protocol.Status
		}{
			{"the right value", made.AntiCSRF, true, protocol.OK},
			{"a wrong value", unknownHandle(), true, protocol.TryRefreshToken},
			{"no value", "", true, protocol.TryRefreshToken},
			{"no value and no check asked for", "", false, protocol.OK},
		} {
			v, err := at.Verify(ctx, protocol.VerifyRequest{
				AccessToken: made.Access.Value, CheckDatabase: at.Checks(), DoAntiCSRF: ask.do, AntiCSRF: ask.value,
			})
			if err := conformance.Want(v.Reply, err, "verify with "+ask.what+" at "+at.Name(), ask.want); err != nil {
				return err
			}
		}
		r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: made.Refresh.Value, EnableCSRF: true, AntiCSRF: unknownHandle()})
		if err := conformance.Want(r.Reply, err, "refresh with a wrong value at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
		r, err = at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: made.Refresh.Value, EnableCSRF: true, AntiCSRF: made.AntiCSRF})
		if err := conformance.Want(r.Reply, err, "refresh with the right value at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if r.AntiCSRF == made.AntiCSRF {
			return conformance.Violated(r.Reply, "a new anti-csrf value from refresh", "the old one")
		}
		return nil
	})
}

func notRefreshTokens(ctx context.Context, c *T) error {
	return c.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		for what, bad := range notRefresh(s) {
			r, err := at.Refresh(protocol.WithEveryAnswer(ctx), protocol.RefreshRequest{RefreshToken: bad})
			if err := refusedSomehow(t, r.Reply, err, "refresh with "+what+" at "+at.Name(), protocol.Unauthorised); err != nil {
				return err
			}
		}
		v, err := at.Ask(protocol.WithEveryAnswer(ctx), s.Refresh.Value)
		if err := refusedSomehow(t, v.Reply, err, "verify a refresh token at "+at.Name(), refusal(at)); err != nil {
			return err
		}
		return stays(ctx, t, at, s.Access.Value, "the session")
	})
}

func sharedKeys(ctx context.Context, c *T) error {
	return c.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		for _, maker := range t.On() {
			made, err := newSession(ctx, t, maker, protocol.CreateRequest{StaticKey: t.Index%2 == 1})
			if err != nil {
				return err
			}
			// All before the first refresh: how long a token outlives one is another rule's.
			for _, at := range t.On() {
				if err := stays(ctx, t, at, made.Access.Value, "a token of "+maker.Name()); err != nil {
					return err
				}
			}
			refresh := made.Refresh.Value
			for _, at := range t.On() {
				r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: refresh})
				if err := conformance.Want(r.Reply, err, "refresh a session of "+maker.Name()+" at "+at.Name(), protocol.OK); err != nil {
					return err
				}
				refresh = r.Refresh.Value
				if err := stays(ctx, t, maker, r.Access.Value, "a token refreshed at "+at.Name()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

package checks

import (
	"context"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// hardeningChecks: hostile input is refused in the protocol's words. Optional: a
// core in wide use answers some of it with a 5xx, and never with OK.
func hardeningChecks() []Check {
	entry := func(id, title, requirement, source string, verbs []protocol.Verb, try func(ctx context.Context, t *Trial) error) Check {
		return Check{
			ID: id, Title: title, Requirement: requirement, Source: source,
			Profiles: []Profile{conformance.Hardening},
			Needs:    Needs{Verbs: verbs},
			Run:      func(ctx context.Context, c *T) error { return c.Trials(ctx, 2, try) },
		}
	}
	return []Check{
		entry("HA-01", "a broken or forged access token is refused, never an error of the server",
			"Verify of a token with a changed header, payload or signature, with algorithm none, without kid, of an unknown version, signed by a foreign key or with a published one as secret, with another session's payload, or that is no token at all is TRY_REFRESH_TOKEN, and never a 5xx.",
			specOrder, nil, forgedRefused),
		entry("HA-02", "what is no refresh token is refused, never an error of the server",
			"Refresh with garbage, with nothing, with parts of nothing or with an access token is UNAUTHORISED, and never a 5xx.",
			specGarbage, []protocol.Verb{protocol.VerbRefresh}, badRefreshRefused),
		entry("HA-03", "an overlong user id is no error of the server",
			"Create for a user id of 129, 2049 or 100,000 characters is OK or a 4xx, and never a 5xx.",
			specCreate, nil, overlongUser),
		entry("HA-04", "an overlong or odd handle is no error of the server",
			"A revoke of a handle that is empty, overlong or holds quotes, wildcards or control characters is OK or a 4xx, never a 5xx, and ends nothing.",
			specRemove, nil, oddHandles),
	}
}

func forgedRefused(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	bad, err := forgeries(ctx, t, at, s.Access.Value)
	if err != nil {
		return err
	}
	if s.Refresh.Value != "" {
		bad["a refresh token instead"] = s.Refresh.Value
	}
	for what, token := range bad {
		v, err := at.Ask(ctx, token)
		if err := conformance.Want(v.Reply, err, "verify a token with "+what+" at "+at.Name(), refusal(at)); err != nil {
			return err
		}
	}
	return stays(ctx, t, at, s.Access.Value, "the token that was not tampered with")
}

// notRefresh is what is no refresh token, by what it is.
func notRefresh(s protocol.Tokens) map[string]string {
	return map[string]string{
		"garbage": "garbage", "an empty text": "", "an access token": s.Access.Value,
		"three parts of nothing": "a.b.V2", "parts of base64 and nothing": "AAAA.bbbb.V2", "only dots": "..",
	}
}

func badRefreshRefused(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	for what, token := range notRefresh(s) {
		r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: token})
		if err := conformance.Want(r.Reply, err, "refresh with "+what+" at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
	}
	return stays(ctx, t, at, s.Access.Value, "the session")
}

// noServerError wants an answer that is OK or a 4xx.
func noServerError(r protocol.Reply, err error, what string) error {
	if err != nil {
		return conformance.HarnessError(what, err)
	}
	if r.HTTPStatus >= 500 {
		return conformance.Violated(r, what+": OK or a 4xx", conformance.Describe(r))
	}
	return nil
}

func overlongUser(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	for _, n := range []int{129, 2049, 100_000} {
		user := t.NewUser()
		user += strings.Repeat("u", n-len(user))
		s, err := at.Create(ctx, protocol.CreateRequest{UserID: user})
		if err := noServerError(s.Reply, err, fmt.Sprintf("create a session of a user id of %d characters at %s", n, at.Name())); err != nil {
			return err
		}
		if s.Status != protocol.OK {
			continue
		}
		if _, err := t.Revoke(ctx, at, s.Session.Handle); err != nil {
			return err
		}
	}
	return nil
}

func oddHandles(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	for what, handle := range map[string]string{
		"that is empty": "", "of 10,000 characters": strings.Repeat("h", 10_000), "with a quote": "a'b\"c", "with wildcards": "%",
		"with a control character": "a\x01b", "beyond ASCII": "ä漢",
	} {
		r, err := at.Revoke(ctx, handle)
		if err := noServerError(r.Reply, err, "revoke a handle "+what+" at "+at.Name()); err != nil {
			return err
		}
	}
	return stays(ctx, t, at, s.Access.Value, "a session that was not named")
}

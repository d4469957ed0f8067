package conformance

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/adapter"
)

// sessionChecks: what a session core must do before revoking matters.
func sessionChecks() []Check {
	basic := []Profile{SessionBasic}
	return []Check{
		{
			ID: "SE-01", Title: "create gives a session that verify knows", Profiles: basic, Smoke: true,
			Requirement: "Create gives an access and a refresh token; verify of the access token is OK and tells handle, user and payload as given.",
			Source:      "CDI POST /recipe/session and /recipe/session/verify",
			Run:         createAndVerify,
		},
		{
			ID: "SE-02", Title: "user data comes back as given", Profiles: basic,
			Requirement: "Nested objects, arrays, null, numbers, empty and non-ASCII strings in both data objects come back equal by value.",
			Source:      "CDI POST /recipe/session, GET /recipe/session",
			Run:         valuesComeBack,
		},
		{
			ID: "SE-03", Title: "listing gives exactly the user's live sessions", Profiles: basic, Smoke: true,
			Requirement: "A listing holds the handles of the user's live sessions, each once, and nothing else; for an unknown user it is empty.",
			Source:      "CDI GET /recipe/session/user",
			Run:         listing,
		},
		{
			ID: "SE-04", Title: "refresh gives a new pair of the same session", Profiles: basic, Smoke: true,
			Requirement: "Refresh gives tokens that differ from the old ones and belong to the same session; the new access token is accepted.",
			Source:      "CDI POST /recipe/session/refresh",
			Run:         refreshing,
		},
		{
			ID: "SE-05", Title: "reuse of a refresh token whose child was used is theft", Profiles: basic, Smoke: true,
			Requirement: "Up to CDI 5.5, a refresh token whose child has been used is TOKEN_THEFT_DETECTED with handle and user; the session stays until somebody revokes it.",
			Source:      "CDI POST /recipe/session/refresh; supertokens-core SessionTest2",
			Needs:       Needs{Below: "5.6"},
			Run:         theft,
		},
		{
			ID: "SE-06", Title: "a changed payload is seen by verify with the check", Profiles: basic,
			Requirement: "Up to CDI 5.5, verify with the database check after a payload change is OK with the new payload and a token that holds it; that token gives no further one.",
			Source:      "CDI PUT /recipe/jwt/data, POST /recipe/session/verify",
			Needs:       Needs{Below: "5.6"},
			Run:         payloadSeen,
		},
		{
			ID: "SE-07", Title: "regenerate gives a token with the new payload and the old end", Profiles: basic,
			Requirement: "Regenerate gives an access token with the new payload that expires when the old one does.",
			Source:      "CDI POST /recipe/session/regenerate",
			Run:         regenerating,
		},
		{
			ID: "SE-08", Title: "writes replace the whole object", Profiles: basic,
			Requirement: "A write of payload or data replaces the whole object, also with an empty one, and twice the same is OK twice.",
			Source:      "CDI PUT /recipe/session/data, PUT /recipe/jwt/data",
			Run:         writesReplace,
		},
		{
			ID: "SE-09", Title: "an unknown handle is UNAUTHORISED", Profiles: basic, Smoke: true,
			Requirement: "Reading or writing a session that does not exist is UNAUTHORISED.",
			Source:      "CDI GET /recipe/session, PUT /recipe/session/data, PUT /recipe/jwt/data",
			Run:         unknownSession,
		},
		{
			ID: "SE-10", Title: "a token that was tampered with is refused", Profiles: basic, Smoke: true,
			Requirement: "A token with a changed header, payload or signature, with algorithm none, or that is no token at all is TRY_REFRESH_TOKEN.",
			Source:      "CDI POST /recipe/session/verify",
			Run:         tampered,
		},
		{
			ID: "SE-11", Title: "the published keys verify the tokens", Profiles: basic,
			Requirement: "From CDI 2.21 on, an access token verifies (RS256) with the key of its kid in the core's JSON Web Key Set; kid tells static (s-) from dynamic (d-) keys.",
			Source:      "CDI GET /.well-known/jwks.json",
			Needs:       Needs{Era: adapter.EraRequest},
			Run:         publishedKeys,
		},
		{
			ID: "SE-12", Title: "anti-csrf values are checked when asked for", Profiles: basic,
			Requirement: "With anti-csrf asked for, verify is OK with the right value only, and refresh is UNAUTHORISED with a wrong one without ending the session.",
			Source:      "CDI POST /recipe/session/verify, POST /recipe/session/refresh",
			Run:         antiCSRF,
		},
		{
			ID: "SE-13", Title: "what is no refresh token refreshes nothing", Profiles: basic, Smoke: true,
			Requirement: "Refresh with garbage, with nothing or with an access token is UNAUTHORISED; verify of a refresh token is TRY_REFRESH_TOKEN.",
			Source:      "CDI POST /recipe/session/refresh",
			Run:         notRefreshTokens,
		},
		{
			ID: "SE-14", Title: "any instance honours any other's tokens", Profiles: []Profile{MultiInstance}, Smoke: true,
			Requirement: "Access and refresh tokens of one instance are honoured by each other instance on the same database.",
			Source:      "DESIGN.md section 3",
			Needs:       Needs{Instances: 2},
			Run:         sharedKeys,
		},
	}
}

// sameJSON compares by value: numbers as numbers, members in any order.
func sameJSON(a, b []byte) bool {
	var x, y any
	decode := func(raw []byte, v *any) error {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(v); err != nil {
			return err
		}
		*v = plain(*v)
		return nil
	}
	return decode(a, &x) == nil && decode(b, &y) == nil && reflect.DeepEqual(x, y)
}

// number is a JSON number by its value.
type number string

// plain writes numbers as exact fractions, so that 1 and 1.0 are equal.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		// With an exponent a short text may be a huge fraction, and a core may
		// write any number that way; no number sent here needs that precision.
		if r, ok := new(big.Rat).SetString(v.String()); ok && len(v) < 100 && !strings.ContainsAny(v.String(), "eE") {
			return number(r.RatString())
		}
		f, _ := v.Float64()
		return number(new(big.Rat).SetFloat64(min(max(f, -math.MaxFloat64), math.MaxFloat64)).RatString())
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

// holds wants a JSON object in an answer to equal the one given.
func holds(r adapter.Reply, what string, got []byte, given map[string]any) error {
	wanted, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("encode %s: %w", what, err)
	}
	if sameJSON(got, wanted) {
		return nil
	}
	return violated(r, fmt.Sprintf("%s %s", what, wanted), fmt.Sprintf("%.300s", got))
}

// is wants a text in an answer to equal the one given.
func is(r adapter.Reply, what, got, wanted string) error {
	if got == wanted {
		return nil
	}
	return violated(r, fmt.Sprintf("%s %q", what, wanted), fmt.Sprintf("%q", got))
}

// first gives the first error of a list.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func createAndVerify(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at, user := t.AnyOn(), t.NewUser()
		payload := map[string]any{"role": "admin", "n": t.Index}
		made, err := at.Create(ctx, adapter.CreateRequest{UserID: user, Payload: payload})
		if err := want(made.Reply, err, "create a session at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		v, err := at.Ask(ctx, made.Access.Value)
		if err := want(v.Reply, err, "verify a new session at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		var noToken error
		if v.Access.Value != "" {
			noToken = violated(v.Reply, "no replacement for a token straight from create", "one was given")
		}
		return first(
			is(made.Reply, "user", made.Session.UserID, user),
			holds(made.Reply, "payload", made.Session.Payload, payload),
			is(v.Reply, "handle", v.Session.Handle, made.Session.Handle),
			is(v.Reply, "user", v.Session.UserID, user),
			holds(v.Reply, "payload", v.Session.Payload, payload),
			noToken,
		)
	})
}

func valuesComeBack(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		values := map[string]any{
			"nested": map[string]any{"list": []any{1, "two", nil, false, map[string]any{}}, "deep": map[string]any{"er": []any{[]any{}}}},
			"empty":  "", "null": nil, "zero": 0, "negative": -17, "fraction": 0.5,
			"large": json.Number("9007199254740993"), // 2^53 + 1: no float64
			"text":  "Grüße, 世界 🌍 \"quoted\" \\ / \n <b>&amp;",
		}
		made, err := at.Create(ctx, adapter.CreateRequest{UserID: t.NewUser(), Payload: values, Data: values})
		if err := want(made.Reply, err, "create a session with all kinds of values at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		v, err := at.Ask(ctx, made.Access.Value)
		if err := want(v.Reply, err, "verify it at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		i, err := at.Get(ctx, made.Session.Handle)
		if err := want(i.Reply, err, "read it at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		return first(
			holds(made.Reply, "payload", made.Session.Payload, values),
			holds(v.Reply, "payload", v.Session.Payload, values),
			holds(i.Reply, "payload", i.Session.Payload, values),
			holds(i.Reply, "data", i.Data, values),
		)
	})
}

func listing(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at, user := t.AnyOn(), t.NewUser()
		made, err := t.Many(ctx, at, user, 5)
		if err != nil {
			return err
		}
		var live []string
		for i, m := range made {
			if i == 1 || i == 3 {
				if _, err := t.Revoke(ctx, at, m.Session.Handle); err != nil {
					return err
				}
				continue
			}
			live = append(live, m.Session.Handle)
		}
		l, err := at.List(ctx, user)
		if err := want(l.Reply, err, "list sessions at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		slices.Sort(live)
		if got := slices.Sorted(slices.Values(l.Handles)); !slices.Equal(got, live) {
			return violated(l.Reply, fmt.Sprintf("the user's %d live sessions", len(live)), fmt.Sprintf("%d handles, not the same", len(got)))
		}
		l, err = at.List(ctx, t.NewUser())
		if err := want(l.Reply, err, "list sessions of an unknown user at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		if len(l.Handles) > 0 {
			return violated(l.Reply, "no session of an unknown user", fmt.Sprintf("%d", len(l.Handles)))
		}
		return nil
	})
}

func refreshing(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		old, err := t.Live(ctx, at, adapter.CreateRequest{Payload: map[string]any{"a": 1}})
		if err != nil {
			return err
		}
		next, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: old.Refresh.Value})
		if err := want(next.Reply, err, "refresh at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		if next.Access.Value == old.Access.Value || next.Refresh.Value == old.Refresh.Value {
			return violated(next.Reply, "new tokens", "an old one again")
		}
		if err := first(
			is(next.Reply, "handle", next.Session.Handle, old.Session.Handle),
			is(next.Reply, "user", next.Session.UserID, old.Session.UserID),
			holds(next.Reply, "payload", next.Session.Payload, map[string]any{"a": 1}),
		); err != nil {
			return err
		}
		v, err := at.Ask(ctx, next.Access.Value)
		if err := want(v.Reply, err, "verify the refreshed token at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		// And on: a well-behaved client is never taken for a thief.
		again, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: next.Refresh.Value})
		if err := want(again.Reply, err, "refresh with the refreshed token at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		return t.stays(ctx, at, again.Access.Value, "the token of a second refresh")
	})
}

func theft(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		old, child, _, err := promoted(ctx, t, at)
		if err != nil {
			return err
		}
		r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: old.Refresh.Value})
		if err := want(r.Reply, err, "refresh with a token whose child was used at "+at.Name(), adapter.TokenTheft); err != nil {
			return err
		}
		if err := first(
			is(r.Reply, "handle", r.Session.Handle, old.Session.Handle),
			is(r.Reply, "user", r.Session.UserID, old.Session.UserID),
		); err != nil {
			return err
		}
		if err := t.stays(ctx, at, child.Access.Value, "the session after a theft was reported"); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, old.Session.Handle)
		if err != nil {
			return err
		}
		return t.Refused(ctx, at, child.Access.Value, gone.Reply)
	})
}

func payloadSeen(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		live, err := t.Live(ctx, at, adapter.CreateRequest{Payload: map[string]any{"role": "admin"}})
		if err != nil {
			return err
		}
		next := map[string]any{"role": "guest", "n": t.Index}
		r, err := at.SetPayload(ctx, live.Session.Handle, next)
		if err := want(r, err, "change the payload at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		v, err := t.AnyOn().Ask(ctx, live.Access.Value)
		if err := want(v.Reply, err, "verify after the change", adapter.OK); err != nil {
			return err
		}
		if v.Access.Value == "" {
			return violated(v.Reply, "a token with the new payload", "none")
		}
		if err := holds(v.Reply, "payload", v.Session.Payload, next); err != nil {
			return err
		}
		v, err = t.AnyOn().Ask(ctx, v.Access.Value)
		if err := want(v.Reply, err, "verify the token with the new payload", adapter.OK); err != nil {
			return err
		}
		if v.Access.Value != "" {
			return violated(v.Reply, "no further token once the payload is the same", "one was given")
		}
		return holds(v.Reply, "payload", v.Session.Payload, next)
	})
}

func regenerating(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		live, err := t.Live(ctx, at, adapter.CreateRequest{Payload: map[string]any{"a": 1}})
		if err != nil {
			return err
		}
		next := map[string]any{"b": t.Index}
		g, err := at.Regenerate(ctx, live.Access.Value, next)
		if err := want(g.Reply, err, "regenerate at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		if g.Access.Value == "" || g.Access.Value == live.Access.Value {
			return violated(g.Reply, "a new access token", "none")
		}
		if g.Access.Expiry != live.Access.Expiry {
			return violated(g.Reply, fmt.Sprintf("expiry %d, that of the old token", live.Access.Expiry), fmt.Sprint(g.Access.Expiry))
		}
		v, err := at.Ask(ctx, g.Access.Value)
		if err := want(v.Reply, err, "verify the regenerated token at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		if err := first(holds(g.Reply, "payload", g.Session.Payload, next), holds(v.Reply, "payload", v.Session.Payload, next)); err != nil {
			return err
		}
		// Without a payload the stored one is kept.
		g, err = at.Regenerate(ctx, g.Access.Value, nil)
		if err := want(g.Reply, err, "regenerate without a payload at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		return holds(g.Reply, "payload", g.Session.Payload, next)
	})
}

func writesReplace(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		made, err := t.Create(ctx, at, adapter.CreateRequest{Payload: map[string]any{"a": 1}, Data: map[string]any{"a": 1}})
		if err != nil {
			return err
		}
		h := made.Session.Handle
		b, empty := map[string]any{"b": 2}, map[string]any{}
		for _, next := range []map[string]any{b, b, empty, empty} {
			r, err := at.SetPayload(ctx, h, next)
			if err := want(r, err, "write the payload at "+at.Name(), adapter.OK); err != nil {
				return err
			}
			r, err = at.SetData(ctx, h, next)
			if err := want(r, err, "write the data at "+at.Name(), adapter.OK); err != nil {
				return err
			}
			i, err := at.Get(ctx, h)
			if err := want(i.Reply, err, "read the session at "+at.Name(), adapter.OK); err != nil {
				return err
			}
			if err := first(holds(i.Reply, "payload", i.Session.Payload, next), holds(i.Reply, "data", i.Data, next)); err != nil {
				return err
			}
		}
		return nil
	})
}

func unknownSession(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at, handle := t.AnyOn(), unknownHandle()
		i, err := at.Get(ctx, handle)
		if err := want(i.Reply, err, "read an unknown session at "+at.Name(), adapter.Unauthorised); err != nil {
			return err
		}
		r, err := at.SetPayload(ctx, handle, nil)
		if err := want(r, err, "write the payload of an unknown session at "+at.Name(), adapter.Unauthorised); err != nil {
			return err
		}
		r, err = at.SetData(ctx, handle, nil)
		return want(r, err, "write the data of an unknown session at "+at.Name(), adapter.Unauthorised)
	})
}

func tampered(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		live, err := t.Live(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return err
		}
		token := live.Access.Value
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return violated(live.Reply, "an access token of three parts", fmt.Sprintf("%d", len(parts)))
		}
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT","version":"5"}`))
		for what, bad := range map[string]string{
			"a changed payload":       flip(token, 1),
			"a changed signature":     flip(token, 2),
			"another key's header":    flip(token, 0),
			"no signature":            parts[0] + "." + parts[1] + ".",
			"algorithm none":          none + "." + parts[1] + ".",
			"two parts":               parts[0] + "." + parts[1],
			"a word instead of token": "token",
		} {
			v, err := at.Ask(ctx, bad)
			if err := want(v.Reply, err, "verify a token with "+what+" at "+at.Name(), adapter.TryRefreshToken); err != nil {
				return err
			}
		}
		return t.stays(ctx, at, token, "the token that was not tampered with")
	})
}

func publishedKeys(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		asker, ok := at.Core.(interface {
			JWKS(context.Context) (adapter.Reply, error)
		})
		if !ok {
			return skippedf("the protocol publishes no keys")
		}
		static := t.Index%2 == 0
		live, err := t.Live(ctx, at, adapter.CreateRequest{StaticKey: static})
		if err != nil {
			return err
		}
		r, err := asker.JWKS(ctx)
		if err := want(r, err, "fetch the key set of "+at.Name(), adapter.OK); err != nil {
			return err
		}
		kid, err := verifyJWT(live.Access.Value, r.Text)
		if err != nil {
			return violated(r, "a key set that verifies the access token", err.Error())
		}
		prefix := map[bool]string{true: "s-", false: "d-"}[static]
		if !strings.HasPrefix(kid, prefix) {
			return violated(live.Reply, "a kid that begins with "+prefix, kid)
		}
		return nil
	})
}

// verifyJWT verifies an RS256 token with the key of its kid.
func verifyJWT(token, jwks string) (kid string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("the token has %d parts", len(parts))
	}
	var header struct{ Alg, Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return "", fmt.Errorf("the token's header cannot be read")
	}
	if header.Alg != "RS256" {
		return header.Kid, fmt.Errorf("the token's algorithm is %q, want RS256", header.Alg)
	}
	var set struct {
		Keys []struct{ Kty, Kid, N, E, D, P, Q string }
	}
	if err := json.Unmarshal([]byte(jwks), &set); err != nil {
		return header.Kid, fmt.Errorf("the key set cannot be read: %w", err)
	}
	for _, k := range set.Keys {
		if k.D+k.P+k.Q != "" {
			return header.Kid, fmt.Errorf("the key set holds private members of key %s", k.Kid)
		}
		if k.Kid != header.Kid {
			continue
		}
		n, errN := base64.RawURLEncoding.DecodeString(k.N)
		e, errE := base64.RawURLEncoding.DecodeString(k.E)
		signature, errS := base64.RawURLEncoding.DecodeString(parts[2])
		if errN != nil || errE != nil || errS != nil || k.Kty != "RSA" || len(e) == 0 || len(e) > 4 {
			return header.Kid, fmt.Errorf("key %s or the signature cannot be read", k.Kid)
		}
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
			return header.Kid, fmt.Errorf("key %s does not verify the token: %w", k.Kid, err)
		}
		return header.Kid, nil
	}
	return header.Kid, fmt.Errorf("none of %d keys has the token's kid %q", len(set.Keys), header.Kid)
}

func antiCSRF(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		made, err := t.Create(ctx, at, adapter.CreateRequest{AntiCSRF: true})
		if err != nil {
			return err
		}
		for _, ask := range []struct {
			what, value string
			do          bool
			want        adapter.Status
		}{
			{"the right value", made.AntiCSRF, true, adapter.OK},
			{"a wrong value", unknownHandle(), true, adapter.TryRefreshToken},
			{"no value", "", true, adapter.TryRefreshToken},
			{"no value and no check asked for", "", false, adapter.OK},
		} {
			v, err := at.Verify(ctx, adapter.VerifyRequest{
				AccessToken: made.Access.Value, CheckDatabase: at.check, DoAntiCSRF: ask.do, AntiCSRF: ask.value,
			})
			if err := want(v.Reply, err, "verify with "+ask.what+" at "+at.Name(), ask.want); err != nil {
				return err
			}
		}
		r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: made.Refresh.Value, EnableCSRF: true, AntiCSRF: unknownHandle()})
		if err := want(r.Reply, err, "refresh with a wrong value at "+at.Name(), adapter.Unauthorised); err != nil {
			return err
		}
		r, err = at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: made.Refresh.Value, EnableCSRF: true, AntiCSRF: made.AntiCSRF})
		if err := want(r.Reply, err, "refresh with the right value at "+at.Name(), adapter.OK); err != nil {
			return err
		}
		if r.AntiCSRF == made.AntiCSRF {
			return violated(r.Reply, "a new anti-csrf value from refresh", "the old one")
		}
		return nil
	})
}

func notRefreshTokens(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		live, err := t.Live(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return err
		}
		for what, bad := range map[string]string{
			"garbage": "garbage", "an empty text": "", "an access token": live.Access.Value,
			"three parts of nothing": "a.b.V2",
		} {
			r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: bad})
			if err := want(r.Reply, err, "refresh with "+what+" at "+at.Name(), adapter.Unauthorised); err != nil {
				return err
			}
		}
		v, err := at.Ask(ctx, live.Refresh.Value)
		if err := want(v.Reply, err, "verify a refresh token at "+at.Name(), adapter.TryRefreshToken); err != nil {
			return err
		}
		return t.stays(ctx, at, live.Access.Value, "the session")
	})
}

func sharedKeys(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		for _, maker := range t.On() {
			made, err := t.Create(ctx, maker, adapter.CreateRequest{StaticKey: t.Index%2 == 1})
			if err != nil {
				return err
			}
			refresh := made.Refresh.Value
			for _, at := range t.On() {
				if err := t.stays(ctx, at, made.Access.Value, "a token of "+maker.Name()); err != nil {
					return err
				}
				r, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: refresh})
				if err := want(r.Reply, err, "refresh a session of "+maker.Name()+" at "+at.Name(), adapter.OK); err != nil {
					return err
				}
				refresh = r.Refresh.Value
				if err := t.stays(ctx, maker, r.Access.Value, "a token refreshed at "+at.Name()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

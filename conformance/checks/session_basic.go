package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

func createAndVerify(ctx context.Context, c *T) error {
	return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at, user := anyOn(t), t.NewUser()
		var payload map[string]any
		if at.Has(protocol.VerbPayload) {
			payload = map[string]any{"role": "admin", "n": t.Index}
		}
		made, err := at.Create(ctx, protocol.CreateRequest{UserID: user, Payload: payload})
		if err := conformance.Want(made.Reply, err, "create a session at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		v, err := at.Ask(ctx, made.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify a new session at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		var noToken error
		if v.Access.Value != "" {
			noToken = conformance.Violated(v.Reply, "no replacement for a token straight from create", "one was given")
		}
		return conformance.First(
			inMillis(made.Reply, "accessToken", made.Access, true),
			inMillis(made.Reply, "refreshToken", made.Refresh, made.Refresh.Value != "" && at.Has(protocol.VerbTimes)),
			sameText(made.Reply, "user", made.Session.UserID, user),
			samePayload(at, made.Reply, made.Session, payload),
			sameSession(at, v.Reply, v.Session, protocol.Session{Handle: made.Session.Handle, UserID: user}, payload),
			noToken,
		)
	})
}

// sameSession wants an answer to tell a session's handle, user and payload, as far as
// the protocol has words for them.
func sameSession(at Instance, r protocol.Reply, got, wanted protocol.Session, payload map[string]any) error {
	if !at.Has(protocol.VerbNames) {
		return samePayload(at, r, got, payload)
	}
	return conformance.First(
		sameText(r, "handle", got.Handle, wanted.Handle),
		sameText(r, "user", got.UserID, wanted.UserID),
		samePayload(at, r, got, payload),
	)
}

func samePayload(at Instance, r protocol.Reply, got protocol.Session, payload map[string]any) error {
	if !at.Has(protocol.VerbPayload) {
		return nil
	}
	return sameObject(r, "payload", got.Payload, payload)
}

// inMillis wants a token's times in ms since 1970: made now, to end later.
func inMillis(r protocol.Reply, what string, token protocol.Token, given bool) error {
	if !given {
		return nil
	}
	const day = 24 * 60 * 60 * 1000
	now := time.Now().UnixMilli()
	hint := func(ms int64) string {
		if ms > now/1000-day && ms < now/1000+400*day/1000*1000 && ms < now/10 {
			return fmt.Sprintf("%d, which is about now in seconds", ms)
		}
		return fmt.Sprint(ms)
	}
	if d := token.Created - now; d < -day || d > day {
		return conformance.Violated(r, what+".createdTime in ms since 1970, about "+fmt.Sprint(now), hint(token.Created))
	}
	if token.Expiry <= token.Created {
		return conformance.Violated(r, what+".expiry in ms since 1970, after its createdTime "+fmt.Sprint(token.Created), hint(token.Expiry))
	}
	return nil
}

func valuesComeBack(ctx context.Context, c *T) error {
	return c.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		values := map[string]any{
			"nested": map[string]any{"list": []any{1, "two", nil, false, map[string]any{}}, "deep": map[string]any{"er": []any{[]any{}}}},
			"empty":  "", "null": nil, "zero": 0, "negative": -17, "fraction": 0.5,
			"large": json.Number("9007199254740993"), // 2^53 + 1: no float64
			"text":  "Grüße, 世界 🌍 \"quoted\" \\ / \n <b>&amp;",
		}
		made, err := at.Create(ctx, protocol.CreateRequest{UserID: t.NewUser(), Payload: values, Data: values})
		if err := conformance.Want(made.Reply, err, "create a session with all kinds of values at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		v, err := at.Ask(ctx, made.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify it at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		i, err := at.Get(ctx, made.Session.Handle)
		if err := conformance.Want(i.Reply, err, "read it at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		return conformance.First(
			sameObject(made.Reply, "payload", made.Session.Payload, values),
			sameObject(v.Reply, "payload", v.Session.Payload, values),
			sameObject(i.Reply, "payload", i.Session.Payload, values),
			sameObject(i.Reply, "data", i.Data, values),
		)
	})
}

func listing(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at, user := anyOn(t), t.NewUser()
		made, err := many(ctx, t, at, user, 5)
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
		if err := conformance.Want(l.Reply, err, "list sessions at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		slices.Sort(live)
		if got := slices.Sorted(slices.Values(l.Handles)); !slices.Equal(got, live) {
			return conformance.Violated(l.Reply, fmt.Sprintf("the user's %d live sessions", len(live)), fmt.Sprintf("%d handles, not the same", len(got)))
		}
		l, err = at.List(ctx, t.NewUser())
		if err := conformance.Want(l.Reply, err, "list sessions of an unknown user at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if len(l.Handles) > 0 {
			return conformance.Violated(l.Reply, "no session of an unknown user", fmt.Sprintf("%d", len(l.Handles)))
		}
		return nil
	})
}

func refreshing(ctx context.Context, c *T) error {
	return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		old, err := liveSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"a": 1}})
		if err != nil {
			return err
		}
		next, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: old.Refresh.Value})
		if err := conformance.Want(next.Reply, err, "refresh at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if next.Access.Value == old.Access.Value || next.Refresh.Value == old.Refresh.Value {
			return conformance.Violated(next.Reply, "new tokens", "an old one again")
		}
		payload := map[string]any{"a": 1}
		if at.Has(protocol.VerbRefreshNames) { // else it is verify that tells
			if err := sameSession(at, next.Reply, next.Session, old.Session, payload); err != nil {
				return err
			}
		}
		v, err := at.Ask(ctx, next.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify the refreshed token at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if err := sameSession(at, v.Reply, v.Session, old.Session, payload); err != nil {
			return err
		}
		// And on: a well-behaved client is never taken for a thief.
		again, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: next.Refresh.Value})
		if err := conformance.Want(again.Reply, err, "refresh with the refreshed token at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		return stays(ctx, t, at, again.Access.Value, "the token of a second refresh")
	})
}

func theft(ctx context.Context, c *T) error {
	return c.Trials(ctx, 6, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		old, child, _, err := promoted(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: old.Refresh.Value})
		if err := conformance.Want(r.Reply, err, "refresh with a token whose child was used at "+at.Name(), protocol.TokenTheft); err != nil {
			return err
		}
		if err := conformance.First(
			sameText(r.Reply, "handle", r.Session.Handle, old.Session.Handle),
			sameText(r.Reply, "user", r.Session.UserID, old.Session.UserID),
		); err != nil {
			return err
		}
		if err := stays(ctx, t, at, child.Access.Value, "the session after a theft was reported"); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, old.Session.Handle)
		if err != nil {
			return err
		}
		return t.Refused(ctx, at, child.Access.Value, gone)
	})
}

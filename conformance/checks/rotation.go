package checks

import (
	"context"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// rotationChecks: what refresh tokens do where a refresh retires them at once, CDI
// 5.6 and newer.
func rotationChecks() []Check {
	entry := func(id, title, requirement, source string, smoke bool, try func(ctx context.Context, t *Trial) error) Check {
		return Check{
			ID: id, Title: title, Requirement: requirement, Source: source, Smoke: smoke,
			Profiles: []Profile{conformance.Rotation},
			Needs:    Needs{From: "5.6", Verbs: []protocol.Verb{protocol.VerbRefresh, protocol.VerbGrace}},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 4, try)
			},
		}
	}
	withPayload := func(c Check) Check {
		c.Needs.Verbs = append(c.Needs.Verbs, protocol.VerbSetPayload)
		return c
	}
	return []Check{
		entry("RO-01", "the previous refresh token works within its grace",
			"From CDI 5.6 on, a refresh retires its token; the retired one is OK again within the grace period and gives a pair that works.",
			specRotation, true, previousWithinGrace),
		entry("RO-02", "a displaced refresh token is theft and ends the session",
			"From CDI 5.6 on, a refresh token that was displaced by a refresh with the previous one is TOKEN_THEFT_DETECTED, with handle and user, and the session is over with that answer, its newest refresh token too.",
			specRotation, false, reuseEnds(displacedToken)),
		entry("RO-03", "a refresh token from two refreshes ago is theft and ends the session",
			"From CDI 5.6 on, a refresh token older than the previous one is TOKEN_THEFT_DETECTED, with handle and user, and the session is over with that answer, its newest refresh token too.",
			specRotation, false, reuseEnds(staleToken)),
		entry("RO-04", "verify gives no token",
			"From CDI 5.6 on, verify never hands out a token, neither for a refreshed one nor after a change of the payload; it tells the payload of the token.",
			specStateless, true, verifyGivesNone),
		entry("RO-05", "with the check on, a token of one refresh ago is accepted and an older one is not",
			"From CDI 5.6 on, verify with the database check accepts the access tokens of the current and the previous refresh token, and answers UNAUTHORISED to older ones.",
			specStateless, false, lineage),
		withPayload(entry("RO-06", "verify tells that the payload changed",
			"From CDI 5.6 on, verify with the database check tells whether the stored payload differs from the token's, and without it tells nothing.",
			specStateless, false, payloadChangeTold)),
		entry("RO-07", "a token of an older version's refresh rotates",
			"From CDI 5.6 on, a refresh token that was given by a refresh in an older version and never used is OK, and its parent is retired with it.",
			specRotation, false, olderChildRotates),
		{
			ID: "RO-08", Title: "the previous refresh token is theft after its grace",
			Requirement: "From CDI 5.6 on, the retired refresh token is TOKEN_THEFT_DETECTED, with handle and user, once the grace period is over (or UNAUTHORISED, where a core is set to call it so), and the session is over with that answer, its newest refresh token too.",
			Source:      specRotation,
			Profiles:    []Profile{conformance.Rotation},
			Needs:       Needs{From: "5.6", Settings: true, Verbs: []protocol.Verb{protocol.VerbRefresh, protocol.VerbGrace}},
			Run:         previousAfterGrace,
		},
	}
}

// chain makes a session and refreshes it n times; the pairs in order, the first one
// from create.
func chain(ctx context.Context, t *Trial, at Instance, n int) ([]protocol.Tokens, error) {
	first, err := liveSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"role": "user"}})
	pairs := []protocol.Tokens{first}
	for range n {
		if err != nil {
			break
		}
		var next protocol.Tokens
		next, err = refresh(ctx, at, pairs[len(pairs)-1].Refresh.Value, false)
		pairs = append(pairs, next)
	}
	return pairs, err
}

func previousWithinGrace(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	pairs, err := chain(ctx, t, at, 1)
	if err != nil {
		return err
	}
	r, err := anyOn(t).Refresh(ctx, protocol.RefreshRequest{RefreshToken: pairs[0].Refresh.Value})
	if err := conformance.Want(r.Reply, err, "refresh with the token that was just retired", protocol.OK); err != nil {
		return err
	}
	if err := conformance.First(
		sameText(r.Reply, "handle", r.Session.Handle, pairs[0].Session.Handle),
		stays(ctx, t, anyOn(t), r.Access.Value, "the token of a refresh with the previous refresh token"),
	); err != nil {
		return err
	}
	again, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: r.Refresh.Value})
	return conformance.Want(again.Reply, err, "refresh with the newest token at "+at.Name(), protocol.OK)
}

// stolen gives a refresh token that must be taken for stolen, and the newest pair of its
// session.
type stolen func(context.Context, *Trial, Instance) (token string, newest protocol.Tokens, err error)

// displacedToken gives a refresh token that a refresh with the previous one displaced.
func displacedToken(ctx context.Context, t *Trial, at Instance) (string, protocol.Tokens, error) {
	pairs, err := chain(ctx, t, at, 1)
	if err != nil {
		return "", protocol.Tokens{}, err
	}
	again, err := refresh(ctx, at, pairs[0].Refresh.Value, false)
	again.Session = pairs[0].Session
	return pairs[1].Refresh.Value, again, err
}

// staleToken gives a refresh token from two refreshes ago.
func staleToken(ctx context.Context, t *Trial, at Instance) (string, protocol.Tokens, error) {
	pairs, err := chain(ctx, t, at, 2)
	if err != nil {
		return "", protocol.Tokens{}, err
	}
	newest := pairs[2]
	newest.Session = pairs[0].Session
	return pairs[0].Refresh.Value, newest, nil
}

// reuseEnds refreshes with a token that must be taken for stolen, and wants the
// session to be over at once.
func reuseEnds(stolen stolen) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		token, newest, err := stolen(ctx, t, anyOn(t))
		if err != nil {
			return err
		}
		if err := accepted(ctx, t, anyOn(t), newest.Access.Value); err != nil {
			return err
		}
		return theftEnds(ctx, t, func() Instance { return anyOn(t) }, token, newest, protocol.TokenTheft)
	}
}

// theftEnds wants one of some answers to a stolen refresh token, with handle and user
// where it is called a theft, and nothing to be left of the session: its newest pair is
// good for nothing.
func theftEnds(ctx context.Context, t *Trial, choose func() Instance, token string, newest protocol.Tokens, statuses ...protocol.Status) error {
	at := choose()
	r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: token})
	if err := conformance.Want(r.Reply, err, "refresh with a token that must have been stolen at "+at.Name(), statuses...); err != nil {
		return err
	}
	s := newest.Session
	if r.Status == protocol.TokenTheft {
		if err := conformance.First(
			sameText(r.Reply, "handle", r.Session.Handle, s.Handle),
			sameText(r.Reply, "user", r.Session.UserID, s.UserID),
		); err != nil {
			return err
		}
	}
	return assertGoneAt(ctx, t, choose, formerSession{
		handle: s.Handle, user: s.UserID, access: []string{newest.Access.Value}, refresh: []string{newest.Refresh.Value}, gone: &conformance.Ended{Reply: r.Reply},
	})
}

func verifyGivesNone(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	pairs, err := chain(ctx, t, at, 1)
	if err != nil {
		return err
	}
	if at.Has(protocol.VerbSetPayload) && t.Index%2 == 1 {
		r, err := at.SetPayload(ctx, pairs[0].Session.Handle, map[string]any{"role": "guest"})
		if err := conformance.Need(r, err, "change the payload at "+at.Name()); err != nil {
			return err
		}
	}
	sides := append([]Instance{anyOn(t)}, t.Off()...)
	for _, at := range sides {
		for range 2 {
			v, err := at.Ask(ctx, pairs[1].Access.Value)
			if err := conformance.Want(v.Reply, err, "verify a refreshed token at "+at.Name(), protocol.OK); err != nil {
				return err
			}
			if v.Access.Value != "" {
				return conformance.Violated(v.Reply, "no token from verify", "one was given")
			}
			if err := sameObject(v.Reply, "payload", v.Session.Payload, map[string]any{"role": "user"}); err != nil {
				return err
			}
		}
	}
	return nil
}

func lineage(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	pairs, err := chain(ctx, t, at, 2)
	if err != nil {
		return err
	}
	if err := conformance.First(
		stays(ctx, t, anyOn(t), pairs[2].Access.Value, "the token of the last refresh"),
		stays(ctx, t, anyOn(t), pairs[1].Access.Value, "the token of the refresh before the last"),
	); err != nil {
		return err
	}
	at = anyOn(t)
	v, err := at.Ask(ctx, pairs[0].Access.Value)
	return conformance.Want(v.Reply, err, "verify a token from before two refreshes at "+at.Name(), protocol.Unauthorised)
}

func payloadChangeTold(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"role": "user"}})
	if err != nil {
		return err
	}
	told := func(when string, want bool) error {
		at := anyOn(t)
		v, err := at.Ask(ctx, s.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify "+when+" at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if v.PayloadChanged == nil || *v.PayloadChanged != want {
			got := "nothing is told"
			if v.PayloadChanged != nil {
				got = fmt.Sprint(*v.PayloadChanged)
			}
			return conformance.Violated(v.Reply, fmt.Sprintf("verify %s to tell whether the payload changed: %v", when, want), got)
		}
		return nil
	}
	if err := told("before a change of the payload", false); err != nil {
		return err
	}
	r, err := at.SetPayload(ctx, s.Session.Handle, map[string]any{"role": "guest"})
	if err := conformance.Need(r, err, "change the payload at "+at.Name()); err != nil {
		return err
	}
	if err := told("after a change of the payload", true); err != nil {
		return err
	}
	for _, at := range t.Off() {
		v, err := at.Ask(ctx, s.Access.Value)
		if err := conformance.Want(v.Reply, err, "verify without the check at "+at.Name(), protocol.OK); err != nil {
			return err
		}
		if v.PayloadChanged != nil {
			return conformance.Violated(v.Reply, "verify without the check to tell nothing about the payload", fmt.Sprint(*v.PayloadChanged))
		}
	}
	return nil
}

func olderChildRotates(ctx context.Context, t *Trial) error {
	older := ""
	for _, v := range t.Spoken() {
		if t.Protocol().Compare(v, "5.6") < 0 {
			older = v
		}
	}
	if older == "" {
		return conformance.Lackf("version", "the core speaks nothing older than 5.6")
	}
	list, err := t.Connect(older)
	if err != nil {
		return err
	}
	old := list[t.Rand.IntN(len(list))]
	_, child, err := refreshed(ctx, t, old, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	at := anyOn(t)
	next, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: child.Refresh.Value})
	if err := conformance.Want(next.Reply, err, "refresh with a token that version "+older+" gave at "+at.Name(), protocol.OK); err != nil {
		return err
	}
	if err := stays(ctx, t, anyOn(t), next.Access.Value, "the token of that refresh"); err != nil {
		return err
	}
	gone, err := t.Revoke(ctx, anyOn(t), child.Session.Handle)
	if err != nil {
		return err
	}
	return assertSessionGone(ctx, t, formerSession{
		handle: child.Session.Handle, user: child.Session.UserID, gone: gone,
		access: []string{next.Access.Value}, refresh: []string{next.Refresh.Value},
	})
}

func previousAfterGrace(ctx context.Context, c *T) error {
	const grace = time.Second
	at, err := c.Dedicated(ctx, true, conformance.Wish{Extra: map[string]string{
		"REFRESH_TOKEN_ROTATION_GRACE_PERIOD": fmt.Sprint(int(grace / time.Second)),
	}})
	if err != nil {
		return err
	}
	return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		pairs, err := chain(ctx, t, at, 1)
		if err != nil {
			return err
		}
		if err := accepted(ctx, t, at, pairs[1].Access.Value); err != nil {
			return err
		}
		// Counted from the answer, so that no difference in when the core read its
		// clock can matter.
		if err := conformance.Pause(ctx, grace+100*time.Millisecond-time.Since(pairs[1].Returned)); err != nil {
			return err
		}
		newest := pairs[1]
		newest.Session = pairs[0].Session
		// A core may be set to call this one UNAUTHORISED; it ends the session all the same.
		return theftEnds(ctx, t, func() Instance { return at }, pairs[0].Refresh.Value, newest, protocol.TokenTheft, protocol.Unauthorised)
	})
}

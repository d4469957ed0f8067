package checks

import (
	"context"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// oauth is the protocol whose rules these are.
const oauth = "OAuth 2.0"

// grantChecks: what OAuth asks of the tokens of one grant.
func grantChecks() []Check {
	refreshing := Needs{Protocol: oauth, Verbs: []protocol.Verb{protocol.VerbRefresh}}
	entry := func(id, title, requirement, source string, needs Needs, trials int, try func(ctx context.Context, t *Trial) error) Check {
		return Check{
			ID: id, Title: title, Requirement: requirement, Source: source, Needs: needs,
			Profiles: []Profile{conformance.Grants},
			Run:      func(ctx context.Context, c *T) error { return c.Trials(ctx, trials, try) },
		}
	}
	racing := refreshing
	racing.Serial = true
	tokens := Needs{Protocol: oauth, Verbs: []protocol.Verb{protocol.VerbRevokeToken}}
	lateNeeds := Needs{Protocol: oauth, Verbs: []protocol.Verb{protocol.VerbRefresh, protocol.VerbRevokeToken}}
	lateRevoke := entry("OA-05", "a revoke by an exchanged refresh token ends the grant",
		"A revoke that names a refresh token which was exchanged already is answered with 200 and the grant is over with that answer, or it is not answered with 200: a caller whose refresh was under way elsewhere takes 200 for a logout.",
		specLate, lateNeeds, 4, lateRevoked)
	lateRevoke.Profiles = []Profile{conformance.LateRevoke}
	return []Check{
		entry("OA-01", "a refresh token that was exchanged is refused",
			"A refresh token that gave a new one is refused from then on.",
			specExchange, refreshing, 6, exchangedRefused),
		entry("OA-02", "use of an exchanged refresh token ends the grant",
			"A refresh token that comes a second time was stolen from one of the two who used it: the grant is over with the refusal, newest tokens included.",
			specReuse, refreshing, 6, reuseEndsGrant),
		entry("OA-03", "a revoked access token is refused at once",
			refusedAtOnce+"when the revoke named the access token itself.",
			specEnded, tokens, 10, accessRevoked),
		entry("OA-04", "one revoke ends every access token of the grant",
			refusedAtOnce+"for each access token of the grant, from before a refresh and after it, when the revoke named the newest refresh token.",
			specRelated, refreshing, 8, everyAccessToken),
		lateRevoke,
		{
			ID: "OA-06", Title: "two exchanges of one refresh token at once leave nothing behind",
			Requirement: "Of two exchanges of one refresh token at the same time at least one is refused, or a revoke of either one's refresh token ends what both gave.",
			Source:      specTwo + "; ory/hydra issue 3604",
			Profiles:    []Profile{conformance.Grants},
			Needs:       racing,
			Run:         twoExchanges,
		},
		{
			ID: "OA-07", Title: "an access token is not active once it has expired",
			Requirement: "An introspection after the time that the token's expires_in tells says that it is not active.",
			Source:      specActive,
			Profiles:    []Profile{conformance.Lifetimes},
			Needs:       Needs{Protocol: oauth, Settings: true},
			Run:         expires,
		},
	}
}

// exchange uses a refresh token where it must be refused.
func exchange(ctx context.Context, at Instance, token, what string) error {
	r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: token})
	return conformance.Want(r.Reply, err, what+" at "+at.Name(), protocol.Unauthorised)
}

func exchangedRefused(ctx context.Context, t *Trial) error {
	first, child, err := refreshed(ctx, t, anyOn(t), protocol.CreateRequest{})
	if err != nil {
		return err
	}
	if child.Refresh.Value == first.Refresh.Value {
		return conformance.Violated(child.Reply, "a new refresh token from a refresh (a public client's must be exchanged)", "the old one again")
	}
	return exchange(ctx, anyOn(t), first.Refresh.Value, "refresh with a token that was exchanged")
}

func reuseEndsGrant(ctx context.Context, t *Trial) error {
	first, child, err := refreshed(ctx, t, anyOn(t), protocol.CreateRequest{})
	if err != nil {
		return err
	}
	if err := accepted(ctx, t, anyOn(t), child.Access.Value); err != nil {
		return err
	}
	if err := exchange(ctx, anyOn(t), first.Refresh.Value, "refresh with a token that was exchanged"); err != nil {
		return err
	}
	at := anyOn(t)
	v, err := at.Ask(ctx, child.Access.Value)
	if err := conformance.Want(v.Reply, err, "verify the newest access token after a use of an exchanged refresh token at "+at.Name(), protocol.Unauthorised); err != nil {
		return err
	}
	return exchange(ctx, anyOn(t), child.Refresh.Value, "refresh with the newest token after a use of an exchanged one")
}

func accessRevoked(ctx context.Context, t *Trial) error {
	at := anyOn(t)
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	r, err := anyOn(t).RevokeToken(ctx, s.Access.Value)
	if err := conformance.Want(r.Reply, err, "revoke an access token", protocol.OK); err != nil {
		return err
	}
	return t.Refused(ctx, at, s.Access.Value, &conformance.Ended{Reply: r.Reply})
}

func everyAccessToken(ctx context.Context, t *Trial) error {
	first, child, err := refreshed(ctx, t, anyOn(t), protocol.CreateRequest{})
	if err != nil {
		return err
	}
	if err := accepted(ctx, t, anyOn(t), child.Access.Value); err != nil {
		return err
	}
	gone, err := t.Revoke(ctx, anyOn(t), first.Session.Handle)
	if err != nil {
		return err
	}
	return assertSessionGone(ctx, t, formerSession{
		handle: first.Session.Handle, user: first.Session.UserID, gone: gone,
		access: []string{child.Access.Value, first.Access.Value}, refresh: []string{child.Refresh.Value},
	})
}

func lateRevoked(ctx context.Context, t *Trial) error {
	first, child, err := refreshed(ctx, t, anyOn(t), protocol.CreateRequest{})
	if err != nil {
		return err
	}
	if err := accepted(ctx, t, anyOn(t), child.Access.Value); err != nil {
		return err
	}
	r, err := anyOn(t).RevokeToken(ctx, first.Refresh.Value)
	if err != nil {
		return conformance.HarnessError("revoke an exchanged refresh token", err)
	}
	if r.Status != protocol.OK {
		return nil // nobody takes this for a logout
	}
	at := anyOn(t)
	v, err := at.Ask(ctx, child.Access.Value)
	return conformance.Want(v.Reply, err, "verify at "+at.Name()+" after a revoke by an exchanged refresh token was answered with 200", protocol.Unauthorised)
}

func twoExchanges(ctx context.Context, c *T) error {
	return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
		s, got, err := twoRefreshes(ctx, t, protocol.OK, protocol.Unauthorised)
		if err != nil {
			return err
		}
		var access, refresh []string
		for _, g := range got {
			if g.Status == protocol.OK {
				access, refresh = append(access, g.Access.Value), append(refresh, g.Refresh.Value)
			}
		}
		t.Observe("exchanged", fmt.Sprintf("%d of two in the last trial", len(refresh)))
		if len(refresh) == 0 {
			return nil // both were refused: nothing is left
		}
		r, err := anyOn(t).RevokeToken(ctx, refresh[0])
		if err := conformance.Want(r.Reply, err, "revoke what came of two exchanges", protocol.OK); err != nil {
			return err
		}
		return assertSessionGone(ctx, t, formerSession{
			handle: s.Session.Handle, user: s.Session.UserID, gone: &conformance.Ended{Reply: r.Reply},
			access: append(access, s.Access.Value), refresh: refresh,
		})
	})
}

func expires(ctx context.Context, c *T) error {
	at, err := c.Dedicated(ctx, true, conformance.Wish{AccessTokenValidity: shortLife(c)})
	if err != nil {
		return err
	}
	return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		s, err := fresh(ctx, t, at)
		if err != nil {
			return err
		}
		// A second more: servers round, and introspection tells whole seconds.
		if err := conformance.Pause(ctx, time.Until(time.UnixMilli(s.Access.Expiry))+time.Second+100*time.Millisecond); err != nil {
			return err
		}
		v, err := at.Ask(ctx, s.Access.Value)
		return conformance.Want(v.Reply, err, "verify an expired token at "+at.Name(), refusal(at))
	})
}

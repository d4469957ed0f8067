package checks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// afterFirstToken revokes sessions that have outlived their first access token: what a core
// keeps of a session or of its revoke must live as long as the session's last token.
func afterFirstToken(ctx context.Context, c *T) error {
	at, err := c.Dedicated(ctx, true, conformance.Wish{AccessTokenValidity: time.Second})
	if err != nil {
		return err
	}
	ways := []revokeAll{byHandles}
	if at.Has(protocol.VerbRevokeUser) {
		ways = append(ways, byUser)
	}
	return c.TrialsAtOnce(ctx, len(ways), len(ways), func(ctx context.Context, t *Trial) error {
		var err error
		for range 5 { // as inTime does
			if err = outlived(ctx, t, at, ways[t.Index]); !errors.Is(err, errLate) || conformance.IsViolation(err) {
				break
			}
		}
		return err
	})
}

func outlived(ctx context.Context, t *Trial, at Instance, revoke revokeAll) error {
	first, err := newSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	if err := seenExpired(ctx, t, at, first); err != nil {
		return err
	}
	next, err := freshlyRefreshed(ctx, at, first.Refresh.Value)
	if err != nil {
		return err
	}
	if err := t.BesideAnew(ctx, at, protocol.CreateRequest{}); err != nil {
		return err
	}
	last := next.Access
	v, err := at.Ask(ctx, last.Value)
	if err == nil && v.Status == protocol.TryRefreshToken && late(last) {
		return errLate
	}
	if err := conformance.Need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
		return err
	}
	if v.Access.Value != "" {
		last = v.Access
	}
	gone, err := revoke(ctx, t, at, first.Session.UserID, []string{first.Session.Handle})
	if err != nil {
		return err
	}
	if err := refusedInTime(ctx, t, at, last, gone); err != nil {
		return err
	}
	return untilExpired(ctx, t, at, last, mayLag(t, at, next), protocol.Unauthorised)
}

// seenExpired waits until the core says that a session's access token is expired, or should.
func seenExpired(ctx context.Context, t *Trial, at Instance, s protocol.Tokens) error {
	expiry := time.UnixMilli(s.Access.Expiry)
	for deadline := expiry.Add(mayLag(t, at, s)); ; {
		if err := conformance.Pause(ctx, max(20*time.Millisecond, time.Until(expiry))); err != nil {
			return err
		}
		v, err := at.Ask(ctx, s.Access.Value)
		if err != nil {
			return conformance.HarnessError("verify at "+at.Name(), err)
		}
		if v.Status == protocol.TryRefreshToken || v.Invoked.After(deadline) { // that it is not is another rule's
			return nil
		}
	}
}

// freshlyRefreshed refreshes a session until its access token has a good part of a second
// ahead of it; see fresh.
func freshlyRefreshed(ctx context.Context, at Instance, token string) (protocol.Tokens, error) {
	const ahead = 500
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		next, err := refresh(ctx, at, token, false)
		if err != nil || next.Access.Expiry-time.Now().UnixMilli() >= ahead {
			return next, err
		}
		token = next.Refresh.Value
		if err := conformance.Pause(ctx, 20*time.Millisecond); err != nil {
			return next, err
		}
	}
	return protocol.Tokens{}, fmt.Errorf("no refreshed token from %s had %d ms ahead of it: do the clocks differ?", at.Name(), ahead)
}

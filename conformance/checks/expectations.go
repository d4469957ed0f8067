package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// accepted sees a token accepted; a check whose token is refused from the
// beginning could not have failed.
func accepted(ctx context.Context, _ *Trial, at Instance, token string) error {
	return acceptedAs(ctx, at, protocol.VerifyRequest{AccessToken: token, CheckDatabase: at.Checks()})
}

// acceptedAs is accepted with a request of the caller's choice.
func acceptedAs(ctx context.Context, at Instance, r protocol.VerifyRequest) error {
	v, err := at.Verify(ctx, r)
	what := "verify the token at " + at.Name() + " before the revoke"
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case v.Status == protocol.OK:
		return nil
	case v.Status == protocol.HTTPError:
		return fmt.Errorf("%s: got %s, want OK", what, conformance.Describe(v.Reply))
	}
	return conformance.CouldNotFailf("%s: got %s, so a refusal afterwards proves nothing", what, conformance.Describe(v.Reply))
}

// stays wants a session to be accepted still: a revoke of others must not end it.
func stays(ctx context.Context, t *Trial, at Instance, token, what string) error {
	v, err := at.Ask(ctx, token)
	return conformance.Want(v.Reply, err, "verify "+what+" at "+at.Name(), protocol.OK)
}

// sameHandles wants a revoke to report exactly these handles.
// Where the protocol's revoke does not tell what it ended, there is nothing to compare.
func sameHandles(at Instance, r *conformance.Ended, handles []string) error {
	if !at.Has(protocol.VerbReport) {
		return nil
	}
	got, wanted := slices.Sorted(slices.Values(r.Handles)), slices.Sorted(slices.Values(handles))
	if slices.Equal(got, wanted) {
		return nil
	}
	return conformance.Violated(r.Reply, fmt.Sprintf("the %d handles that this call ended", len(wanted)), fmt.Sprintf("%d handles, not the same", len(got)))
}

// formerSession is what is left of a session that was revoked.
type formerSession struct {
	handle, user    string
	access, refresh []string
	gone            *conformance.Ended
}

// assertSessionGone asks in every way that the core has whether a revoked session
// is over, at instances chosen at random: none of its tokens is accepted, nothing
// refreshes it, it cannot be read, nobody lists it.
func assertSessionGone(ctx context.Context, t *Trial, s formerSession) error {
	return assertGoneAt(ctx, t, func() Instance { return anyOn(t) }, s)
}

// assertGoneAt is assertSessionGone at instances of the caller's choice.
func assertGoneAt(ctx context.Context, t *Trial, choose func() Instance, s formerSession) error {
	for _, token := range s.access {
		if err := t.Refused(ctx, choose(), token, s.gone); err != nil {
			return err
		}
	}
	at := choose()
	if at.Has(protocol.VerbRefresh) {
		for _, token := range s.refresh {
			at := choose()
			got, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: token})
			if err := conformance.Want(got.Reply, err, "refresh a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
				return err
			}
		}
	}
	if at.Has(protocol.VerbGet) {
		info, err := at.Get(ctx, s.handle)
		if err := conformance.Want(info.Reply, err, "read a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
	}
	if at.Has(protocol.VerbList) {
		if err := unlisted(ctx, t, choose(), s.user, s.handle); err != nil {
			return err
		}
	}
	// Once more: none of the calls above may have brought it back.
	if len(s.access) > 0 {
		return t.Refused(ctx, choose(), s.access[0], s.gone)
	}
	return nil
}

// refusal is the status that a token gets which does not hold by itself: forged, expired,
// or none at all. A protocol that gives no reasons has one word for all refusals.
func refusal(at Instance) protocol.Status {
	if at.Has(protocol.VerbReason) {
		return protocol.TryRefreshToken
	}
	return protocol.Unauthorised
}

// listed wants a listing of user's sessions with handle, before a revoke.
func listed(ctx context.Context, t *Trial, at Instance, user, handle string) error {
	l, err := at.List(ctx, user)
	if err := conformance.Need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
		return err
	}
	if !slices.Contains(l.Handles, handle) {
		return conformance.CouldNotFailf("a live session is not listed at %s, so its absence afterwards proves nothing", at.Name())
	}
	return nil
}

// unlisted wants a listing of user's sessions without handle.
func unlisted(ctx context.Context, t *Trial, at Instance, user, handle string) error {
	l, err := at.List(ctx, user)
	if err := conformance.Need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
		return err
	}
	if slices.Contains(l.Handles, handle) {
		return conformance.Violated(l.Reply, "a listing without the revoked session", "it is listed at "+at.Name())
	}
	return nil
}

// readable wants a session to be read, before a revoke.
func readable(ctx context.Context, at Instance, handle string) error {
	i, err := at.Get(ctx, handle)
	if err := conformance.Need(i.Reply, err, "read the session at "+at.Name()); err != nil {
		return err
	}
	if i.Session.Handle != handle {
		return conformance.CouldNotFailf("a live session read at %s is not the one that was asked for", at.Name())
	}
	return nil
}

// sameObject wants a JSON object in an answer to equal the one given.
func sameObject(r protocol.Reply, what string, got []byte, given map[string]any) error {
	wanted, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("encode %s: %w", what, err)
	}
	if sameJSON(got, wanted) {
		return nil
	}
	return conformance.Violated(r, fmt.Sprintf("%s %s", what, wanted), fmt.Sprintf("%.300s", got))
}

// sameText wants a text in an answer to equal the one given.
func sameText(r protocol.Reply, what, got, wanted string) error {
	if got == wanted {
		return nil
	}
	return conformance.Violated(r, fmt.Sprintf("%s %q", what, wanted), fmt.Sprintf("%q", got))
}

// fraction prints k of n.
func fraction(k, n int) string { return fmt.Sprintf("%d/%d", k, n) }

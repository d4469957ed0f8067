package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
)

// AnyOn is one of the flag-on instances, at random.
func (t *Trial) AnyOn() Instance { return t.On()[t.Rand.IntN(len(t.On()))] }

// AnyOff is one of the flag-off instances, at random.
func (t *Trial) AnyOff() Instance { return t.Off()[t.Rand.IntN(len(t.Off()))] }

// Create makes a session, of a new user unless r names one.
func (t *Trial) Create(ctx context.Context, at Instance, r adapter.CreateRequest) (adapter.Tokens, error) {
	if r.UserID == "" {
		r.UserID = t.NewUser()
	}
	s, err := at.Create(ctx, r)
	return s, need(s.Reply, err, "create a session at "+at.Name())
}

// Live makes a session and sees its token accepted: only then does a later
// refusal prove anything.
func (t *Trial) Live(ctx context.Context, at Instance, r adapter.CreateRequest) (adapter.Tokens, error) {
	s, err := t.Create(ctx, at, r)
	if err != nil {
		return s, err
	}
	return s, t.Accepted(ctx, at, s.Access.Value)
}

// Accepted sees a token accepted; a check whose token is refused from the
// beginning is vacuous.
func (t *Trial) Accepted(ctx context.Context, at Instance, token string) error {
	v, err := at.Ask(ctx, token)
	what := "verify the token at " + at.Name() + " before the revoke"
	if err != nil {
		return trouble(what, err)
	}
	switch v.Status {
	case adapter.OK:
		return nil
	case adapter.HTTPError:
		return fmt.Errorf("%s: got %s, want OK", what, describe(v.Reply))
	default:
		return vacuousf("%s: got %s, so a refusal afterwards proves nothing", what, describe(v.Reply))
	}
}

// Many makes n live sessions of one user.
func (t *Trial) Many(ctx context.Context, at Instance, user string, n int) ([]adapter.Tokens, error) {
	made := make([]adapter.Tokens, n)
	err := each(ctx, n, callers, func(ctx context.Context, i int) (err error) {
		made[i], err = t.Live(ctx, at, adapter.CreateRequest{UserID: user})
		return err
	})
	return made, err
}

// callers is how many calls a check has under way at once when nothing else is said.
const callers = 8

// Revoke ends sessions by their handles and gives the answer.
func (t *Trial) Revoke(ctx context.Context, at Instance, handles ...string) (adapter.Revoked, error) {
	r, err := at.Revoke(ctx, handles...)
	return r, want(r.Reply, err, "revoke at "+at.Name(), adapter.OK)
}

// RevokeUser ends all sessions of a user and gives the answer.
func (t *Trial) RevokeUser(ctx context.Context, at Instance, user string) (adapter.Revoked, error) {
	r, err := at.RevokeUser(ctx, user)
	return r, want(r.Reply, err, "revoke all sessions of a user at "+at.Name(), adapter.OK)
}

// Refused verifies once, after the answer to a revoke, and wants UNAUTHORISED.
// It is a trial of immediacy.
func (t *Trial) Refused(ctx context.Context, at Instance, token string, gone adapter.Reply) error {
	v, err := at.Ask(ctx, token)
	if err != nil {
		return trouble("verify a revoked session at "+at.Name(), err)
	}
	return t.judge(ctx, at, token, v.Reply, gone)
}

// judge counts a trial of immediacy and says whether the answer was a refusal.
func (t *Trial) judge(ctx context.Context, at Instance, token string, v, gone adapter.Reply) error {
	late := v.Invoked.Sub(gone.Returned)
	accepted := v.Status == adapter.OK
	t.mu.Lock()
	t.immediacy.Trials++
	if accepted {
		t.immediacy.Accepted++
		t.immediacy.AcceptanceWindow = max(t.immediacy.AcceptanceWindow, late)
	}
	t.mu.Unlock()
	expected := "UNAUTHORISED for a session whose revoke was answered before"
	switch {
	case v.Status == adapter.Unauthorised:
		return nil
	case accepted:
		err := violated(v, expected, fmt.Sprintf("OK at %s, asked %s ms after the revoke's response", at.Name(), millis(late)))
		t.follow(ctx, at, token, gone)
		return err
	default:
		return violated(v, expected, fmt.Sprintf("%s at %s, asked %s ms after the revoke's response", describe(v), at.Name(), millis(late)))
	}
}

// follow goes on asking after an acceptance that should not have been, only to
// learn how long the core accepts; the verdict has been given already. The first
// time in a run it asks for long, some more times for a while, and then no more,
// so that a core that never refuses costs seconds and not hours.
func (t *Trial) follow(ctx context.Context, at Instance, token string, gone adapter.Reply) {
	span := t.run.follow()
	switch n := t.run.follows.Add(1); {
	case n > 4:
		return
	case n > 1:
		span /= 4
	}
	// The evidence is about the first acceptance, not about these.
	ctx, cancel := context.WithTimeout(adapter.WithRecorder(ctx, func(adapter.Exchange) {}), span)
	defer cancel()
	for {
		v, err := at.Ask(ctx, token)
		if err != nil || v.Status != adapter.OK {
			return
		}
		late := v.Invoked.Sub(gone.Returned)
		t.mu.Lock()
		t.immediacy.AcceptanceWindow = max(t.immediacy.AcceptanceWindow, late)
		t.mu.Unlock()
		if pause(ctx, 5*time.Millisecond) != nil {
			t.Observe("stillAccepted", millis(late)+" ms after the revoke's response, when coreproof stopped asking")
			return
		}
	}
}

// DefaultFollow is how long coreproof goes on asking.
const DefaultFollow = 3 * time.Second

func (r *run) follow() time.Duration {
	if r.options.Follow > 0 {
		return r.options.Follow
	}
	return DefaultFollow
}

// millis prints a time in milliseconds.
func millis(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

// remains are what is left of a session that was revoked.
type remains struct {
	handle, user    string
	access, refresh []string
	gone            adapter.Reply // the answer to its revoke
}

// Over asks in every way whether a revoked session is over, at instances chosen
// at random: none of its tokens is accepted, nothing refreshes it, nobody lists it.
func (t *Trial) Over(ctx context.Context, r remains) error {
	for _, token := range r.access {
		if err := t.Refused(ctx, t.AnyOn(), token, r.gone); err != nil {
			return err
		}
	}
	for _, token := range r.refresh {
		at := t.AnyOn()
		got, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: token})
		if err := want(got.Reply, err, "refresh a revoked session at "+at.Name(), adapter.Unauthorised); err != nil {
			return err
		}
	}
	at := t.AnyOn()
	info, err := at.Get(ctx, r.handle)
	if err := want(info.Reply, err, "read a revoked session at "+at.Name(), adapter.Unauthorised); err != nil {
		return err
	}
	if err := t.unlisted(ctx, t.AnyOn(), r.user, r.handle); err != nil {
		return err
	}
	// Once more: none of the calls above may have brought it back.
	if len(r.access) > 0 {
		return t.Refused(ctx, t.AnyOn(), r.access[0], r.gone)
	}
	return nil
}

// unlisted wants a listing of user's sessions without handle.
func (t *Trial) unlisted(ctx context.Context, at Instance, user, handle string) error {
	l, err := at.List(ctx, user)
	if err := need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
		return err
	}
	if slices.Contains(l.Handles, handle) {
		return violated(l.Reply, "a listing without the revoked session", "it is listed at "+at.Name())
	}
	return nil
}

// stays wants a session to be accepted still: a revoke of others must not end it.
func (t *Trial) stays(ctx context.Context, at Instance, token, what string) error {
	v, err := at.Ask(ctx, token)
	return want(v.Reply, err, "verify "+what+" at "+at.Name(), adapter.OK)
}

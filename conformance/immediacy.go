package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// Ended is an answered revoke (or another answer that says that a session is
// over) with what followed it. It is the unit of every bound.
type Ended struct {
	protocol.Reply
	// Handles that the answer reports.
	Handles []string

	mu       sync.Mutex
	calls    int
	accepted int
	twins    map[string]bool // where a twin was offered after it
}

// twins are sessions made beside those that a trial revokes.
type twins struct {
	mu   sync.Mutex
	made *protocol.Tokens
}

// Beside makes the trial's twin unless it has one: a session like the one that
// will be revoked, of another user. It is not revoked, and must be accepted right
// after the other was refused. Live calls it.
func (t *Trial) Beside(ctx context.Context, at Instance, r protocol.CreateRequest) error {
	t.twins.mu.Lock()
	defer t.twins.mu.Unlock()
	if t.twins.made != nil {
		return nil
	}
	return t.newTwin(ctx, at, r)
}

// BesideAnew replaces the trial's twin, for tokens that live short.
func (t *Trial) BesideAnew(ctx context.Context, at Instance, r protocol.CreateRequest) error {
	t.twins.mu.Lock()
	defer t.twins.mu.Unlock()
	return t.newTwin(ctx, at, r)
}

func (t *Trial) newTwin(ctx context.Context, at Instance, r protocol.CreateRequest) error {
	r.UserID = t.NewUser()
	s, err := at.Create(ctx, r)
	if err := Need(s.Reply, err, "create a session beside at "+at.Name()); err != nil {
		return err
	}
	t.twins.made = &s
	return nil
}

// Twin is the trial's twin; nil before Beside.
func (t *Trial) Twin() *protocol.Tokens {
	t.twins.mu.Lock()
	defer t.twins.mu.Unlock()
	return t.twins.made
}

// Revoke ends sessions by their handles.
func (t *Trial) Revoke(ctx context.Context, at Instance, handles ...string) (*Ended, error) {
	return t.ended(ctx, at, "revoke", func() (protocol.Revoked, error) { return at.Revoke(ctx, handles...) })
}

// RevokeUser ends all sessions of a user.
func (t *Trial) RevokeUser(ctx context.Context, at Instance, user string) (*Ended, error) {
	return t.ended(ctx, at, "revoke all sessions of a user", func() (protocol.Revoked, error) { return at.RevokeUser(ctx, user) })
}

// ended revokes. What was not answered OK may not have happened, and ended nothing that
// could be judged by it.
func (t *Trial) ended(ctx context.Context, at Instance, what string, revoke func() (protocol.Revoked, error)) (*Ended, error) {
	if err := t.Beside(ctx, at, protocol.CreateRequest{}); err != nil {
		return nil, err
	}
	r, err := revoke()
	if err := Want(r.Reply, err, what+" at "+at.Name(), protocol.OK); err != nil {
		return nil, err
	}
	return &Ended{Reply: r.Reply, Handles: r.Handles}, nil
}

// Refused verifies once, after the answer to a revoke, and wants UNAUTHORISED. It
// counts for the bound of immediacy. The twin must be accepted right after.
func (t *Trial) Refused(ctx context.Context, at Instance, token string, gone *Ended) error {
	return t.RefusedAs(ctx, at, protocol.VerifyRequest{AccessToken: token, CheckDatabase: at.check}, gone)
}

// RefusedAs is Refused with a request of the caller's choice.
func (t *Trial) RefusedAs(ctx context.Context, at Instance, r protocol.VerifyRequest, gone *Ended) error {
	v, err := at.Verify(ctx, r)
	if err != nil {
		return cmp.Or(t.singledOut(ctx, at, r, gone, err), HarnessError("verify a revoked session at "+at.Name(), err))
	}
	return t.JudgeRefusal(ctx, at, r.AccessToken, v.Reply, gone)
}

// singledOut is the violation of a core that turns a revoked session away in no words
// of the protocol, as what stands before a core does, and its twin not, or that lets it
// in when it is asked again; nil for none, which is no refusal either.
func (t *Trial) singledOut(ctx context.Context, at Instance, r protocol.VerifyRequest, gone *Ended, err error) error {
	if !errors.Is(err, protocol.ErrUnavailable) || t.Twin() == nil {
		return nil
	}
	ask := func(token string) func(context.Context) (protocol.Reply, error) {
		return func(ctx context.Context) (protocol.Reply, error) {
			r := r
			r.AccessToken = token
			v, err := at.Verify(ctx, r)
			return v.Reply, err
		}
	}
	v, alone := protocol.SinglesOut(Unrecorded(ctx), ask(r.AccessToken), ask(t.Twin().Access.Value))
	if alone || v.Status == protocol.OK {
		return t.judge(ctx, at, r.AccessToken, v, gone)
	}
	return nil
}

// JudgeRefusal counts a verify after an answered revoke, says whether it was
// refused, and offers the twin.
func (t *Trial) JudgeRefusal(ctx context.Context, at Instance, token string, v protocol.Reply, gone *Ended) error {
	if err := t.judge(ctx, at, token, v, gone); err != nil {
		return err
	}
	return t.twinAccepted(ctx, at, gone)
}

func (t *Trial) judge(ctx context.Context, at Instance, token string, v protocol.Reply, gone *Ended) error {
	late := v.Invoked.Sub(gone.Returned)
	accepted := v.Status == protocol.OK
	t.count(gone, accepted, late)
	expected := "UNAUTHORISED for a session whose revoke was answered before"
	switch {
	case v.Status == protocol.Unauthorised:
		return nil
	case accepted:
		err := Violated(v, expected, fmt.Sprintf("OK at %s, asked %s ms after the revoke's response", at.Name(), Millis(late)))
		t.follow(ctx, at, token, gone)
		return err
	default:
		return Violated(v, expected, fmt.Sprintf("%s at %s, asked %s ms after the revoke's response", Describe(v), at.Name(), Millis(late)))
	}
}

func (t *Trial) count(gone *Ended, accepted bool, late time.Duration) {
	gone.mu.Lock()
	first := gone.calls == 0
	firstAccepted := accepted && gone.accepted == 0
	gone.calls++
	if accepted {
		gone.accepted++
	}
	gone.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &t.immediacy
	m.Calls++
	if first {
		m.Revokes++
	}
	if firstAccepted {
		m.Broken++
	}
	if accepted {
		m.Accepted++
		m.AcceptanceWindow = max(m.AcceptanceWindow, late)
	}
}

// twinAccepted offers the twin to the same call, once a revoke and instance.
func (t *Trial) twinAccepted(ctx context.Context, at Instance, gone *Ended) error {
	twin := t.Twin()
	gone.mu.Lock()
	if gone.twins == nil {
		gone.twins = map[string]bool{}
	}
	seen := gone.twins[at.Name()]
	gone.twins[at.Name()] = true
	gone.mu.Unlock()
	if seen || twin == nil {
		return nil
	}
	v, err := at.Ask(ctx, twin.Access.Value)
	if err != nil {
		return HarnessError("verify a session that was not revoked at "+at.Name(), err)
	}
	if v.Status == protocol.TryRefreshToken && time.Now().UnixMilli() >= twin.Access.Expiry {
		return nil // it was made to live short, and shows nothing any more
	}
	t.countTwin(v.Status == protocol.OK)
	if v.Status != protocol.OK {
		return CouldNotFailf("a session made beside the revoked one and not revoked got %s at %s too, so a refusal proves nothing", Describe(v.Reply), at.Name())
	}
	return nil
}

func (t *T) countTwin(accepted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.immediacy.Twins++
	if accepted {
		t.immediacy.TwinsAccepted++
	}
}

// follow goes on asking after an acceptance that should not have been, only to
// learn how long the core accepts; the rule is broken already. The first time in a
// run it asks for long, some more times for a while, and then no more, so that a
// core that never refuses costs seconds and not hours.
func (t *Trial) follow(ctx context.Context, at Instance, token string, gone *Ended) {
	span := t.run.follow()
	switch n := t.run.follows.Add(1); {
	case n > 4:
		return
	case n > 1:
		span /= 4
	}
	// The evidence is about the first acceptance, not about these.
	ctx, cancel := context.WithTimeout(Unrecorded(ctx), span)
	defer cancel()
	for {
		v, err := at.Ask(ctx, token)
		if err != nil || v.Status != protocol.OK {
			return
		}
		late := v.Invoked.Sub(gone.Returned)
		t.mu.Lock()
		t.immediacy.AcceptanceWindow = max(t.immediacy.AcceptanceWindow, late)
		t.mu.Unlock()
		if Pause(ctx, 5*time.Millisecond) != nil {
			t.Observe("stillAccepted", Millis(late)+" ms after the revoke's response, when coreproof stopped asking")
			return
		}
	}
}

func (r *run) follow() time.Duration {
	if r.options.Follow > 0 {
		return r.options.Follow
	}
	return DefaultFollow
}

// FollowFor is how long an overdue answer is waited for.
func (t *T) FollowFor() time.Duration { return t.run.follow() }

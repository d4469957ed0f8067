package checks

import (
	"context"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// lasting are sessions of one user that one call ends, and that are asked about again long
// after it. Every second one is written to just before the revoke: a write that a core
// puts off may bring the session back.
type lasting struct {
	user    string
	made    []protocol.Tokens // with the newest tokens
	written int               // whether it begins with one that is written to: 0, or 1 for not
	end     revokeAll
	gone    *conformance.Ended
}

const (
	// callsAboutLasting is about how many calls are made about such sessions, and asking
	// the time that they take where calls are not throttled, generously.
	callsAboutLasting, asking = 150, 5 * time.Second
)

// lastingSessions makes sessions at an instance, for each way that the core has to end
// them: by handle, by handles, and as all of a user, which are half of them. Their tokens
// must live as long as they are asked about.
func lastingSessions(ctx context.Context, t *Trial, at Instance, lasts time.Duration) (list []*lasting, err error) {
	lasts += asking + t.Paced(callsAboutLasting)
	add := func(end revokeAll, sessions, written int) {
		if err != nil {
			return
		}
		l := &lasting{user: t.NewUser(), written: written, end: end}
		l.made, err = many(ctx, t, at, l.user, sessions)
		for _, s := range l.made {
			if life := time.UnixMilli(s.Access.Expiry).Sub(s.Returned); err == nil && life < lasts {
				err = conformance.Lackf("settings", "access tokens that live %v, and this check takes %v: give the core a longer access token validity for this run", life.Round(time.Second), lasts.Round(time.Second))
			}
		}
		list = append(list, l)
	}
	add(byHandles, 1, 0)
	add(byHandles, 1, 1)
	if at.Has(protocol.VerbSeveral) {
		add(byHandles, 2, 0)
	}
	if at.Has(protocol.VerbRevokeUser) {
		add(byUser, 1, 0)
		add(byUser, 3, 1)
	}
	return list, err
}

// revoke sees the sessions accepted at an instance, ends them at another, and wants them
// refused at the one.
func (l *lasting) revoke(ctx context.Context, t *Trial, at, there Instance) error {
	for i := range l.made {
		if err := accepted(ctx, t, at, l.made[i].Access.Value); err != nil {
			return err
		}
		if i%2 != l.written {
			continue
		}
		if err := writeAll(ctx, t, at, &l.made[i]); err != nil {
			return err
		}
	}
	var err error
	if l.gone, err = l.end(ctx, t, there, l.user, handlesOf(l.made)); err != nil {
		return err
	}
	return l.refused(ctx, t, at)
}

// writeAll makes every write about a session that the core has, the stored data last, and
// keeps the newest tokens.
func writeAll(ctx context.Context, t *Trial, at Instance, s *protocol.Tokens) error {
	if at.Has(protocol.VerbRefresh) {
		child, err := refresh(ctx, at, s.Refresh.Value, false)
		if err != nil {
			return err
		}
		v, err := at.Ask(ctx, child.Access.Value)
		if err := conformance.Need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
			return err
		}
		s.Refresh, s.Access = child.Refresh, child.Access
		if v.Access.Value != "" { // in exchange, as the session is promoted
			s.Access = v.Access
		}
	}
	if at.Has(protocol.VerbRegenerate) {
		next, err := regenerated(ctx, t, at, s.Access.Value)
		if err != nil {
			return err
		}
		s.Access.Value = next
	}
	for _, write := range []struct {
		verb protocol.Verb
		do   func(context.Context, string, map[string]any) (protocol.Reply, error)
	}{{protocol.VerbSetPayload, at.SetPayload}, {protocol.VerbSetData, at.SetData}} {
		if !at.Has(write.verb) {
			continue
		}
		r, err := write.do(ctx, s.Session.Handle, map[string]any{"written": "last"})
		if err := conformance.Need(r, err, string(write.verb)+" at "+at.Name()); err != nil {
			return err
		}
	}
	return nil
}

// refused wants each session refused at each of some instances.
func (l *lasting) refused(ctx context.Context, t *Trial, at ...Instance) error {
	for _, s := range l.made {
		for _, one := range at {
			if err := t.Refused(ctx, one, s.Access.Value, l.gone); err != nil {
				return err
			}
		}
	}
	return nil
}

// over wants each session to be over in every way, whatever of it a core may still know.
func (l *lasting) over(ctx context.Context, t *Trial) error {
	for _, s := range l.made {
		if err := assertSessionGone(ctx, t, formerSession{
			handle: s.Session.Handle, user: l.user, gone: l.gone, access: []string{s.Access.Value}, refresh: []string{s.Refresh.Value},
		}); err != nil {
			return err
		}
	}
	return nil
}

package checks

import (
	"context"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// lasting are sessions of one user that one call ends, and that are asked about again long
// after it.
type lasting struct {
	user string
	made []protocol.Tokens
	end  revokeAll
	gone *conformance.Ended
}

// lastingSessions makes sessions at an instance, for each way that the core has to end
// them: by handle, by handles, and as all of a user, which are half of them.
func lastingSessions(ctx context.Context, t *Trial, at Instance) (list []*lasting, err error) {
	add := func(end revokeAll, sessions int) {
		if err != nil {
			return
		}
		l := &lasting{user: t.NewUser(), end: end}
		l.made, err = many(ctx, t, at, l.user, sessions)
		list = append(list, l)
	}
	add(byHandles, 1)
	add(byHandles, 1)
	if at.Has(protocol.VerbSeveral) {
		add(byHandles, 2)
	}
	if at.Has(protocol.VerbRevokeUser) {
		add(byUser, 1)
		add(byUser, 3)
	}
	return list, err
}

// revoke sees the sessions accepted at an instance, ends them at another, and wants them
// refused at the one.
func (l *lasting) revoke(ctx context.Context, t *Trial, at, there Instance) error {
	for _, s := range l.made {
		if err := accepted(ctx, t, at, s.Access.Value); err != nil {
			return err
		}
	}
	var err error
	if l.gone, err = l.end(ctx, t, there, l.user, handlesOf(l.made)); err != nil {
		return err
	}
	return l.refused(ctx, t, at)
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

package conformance

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/reports/proof"
)

// controlTrials a version. One acceptance proves that refusing is the flag's doing.
const controlTrials = 5

// control offers revoked tokens to the side that does not check. A refusal means
// that nothing here can tell a core that checks from one that refuses anyway, or
// that the wrong core was given as the flag-off one.
func (r *run) control(ctx context.Context, s *stage, sum *proof.Immediacy) {
	if s.absent != "" || len(s.off) == 0 {
		return
	}
	for i := range controlTrials {
		accepted, err := controlOnce(ctx, s.off[i%len(s.off)], r.newUser())
		if err != nil {
			s.control = fmt.Errorf("%s: the flag-off control could not be tried: %w", s.name(), err)
			return
		}
		sum.ControlTrials++
		if !accepted {
			s.control = fmt.Errorf("%s: the flag-off side refused a revoked token too (%s): is the flag on there?", s.name(), s.off[i%len(s.off)].Name())
			return
		}
		sum.ControlAccepted++
		s.controlled = true
	}
}

// controlOnce makes a session, revokes it and says whether its token is accepted.
func controlOnce(ctx context.Context, at Instance, user string) (bool, error) {
	s, err := at.Create(ctx, adapter.CreateRequest{UserID: user})
	if err := need(s.Reply, err, "create a session at "+at.Name()); err != nil {
		return false, err
	}
	v, err := at.Ask(ctx, s.Access.Value)
	if err := need(v.Reply, err, "verify its token at "+at.Name()); err != nil {
		return false, err
	}
	gone, err := at.Revoke(ctx, s.Session.Handle)
	if err := need(gone.Reply, err, "revoke it at "+at.Name()); err != nil {
		return false, err
	}
	v, err = at.Ask(ctx, s.Access.Value)
	if err != nil {
		return false, trouble("verify its token again at "+at.Name(), err)
	}
	return v.Status == adapter.OK, nil
}

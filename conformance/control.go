package conformance

import (
	"context"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// controlTrials a core, in a version that is tried whole; one in others.
const controlTrials = 5

// control offers revoked tokens to the cores of the side that does not check, one
// row each: refusing there too, they cannot show that the flag makes the difference.
// A core that is described as one that always checks must refuse there.
func (r *run) control(ctx context.Context, s *stage) []proof.SwitchControl {
	if s.lacks != nil {
		return nil
	}
	named := s.mode == protocol.BySetting && r.options.Target.Capabilities().NamedOff
	trials := controlTrials
	off := s.off
	if !s.whole {
		trials = 1
		off = off[:min(1, len(off))]
	}
	var rows []proof.SwitchControl
	for _, at := range off {
		row := proof.SwitchControl{Protocol: s.label, Instance: at.Name(), Named: named}
		if named {
			row.Apart = r.apart(ctx, s.on[0], at)
		}
		for range trials {
			accepted, err := r.controlOnce(ctx, at)
			if err != nil {
				row.Trouble = proof.ShortenTokens(err.Error())
				break
			}
			row.Trials++
			if accepted {
				row.Accepted++
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// controlOnce makes a session, revokes it and says whether its token is accepted.
func (r *run) controlOnce(ctx context.Context, at Instance) (bool, error) {
	s, err := at.Create(ctx, protocol.CreateRequest{UserID: r.newUser()})
	if err := Need(s.Reply, err, "create a session at "+at.Name()); err != nil {
		return false, err
	}
	v, err := at.Ask(ctx, s.Access.Value)
	if err := Need(v.Reply, err, "verify its token at "+at.Name()); err != nil {
		return false, err
	}
	gone, err := at.Revoke(ctx, s.Session.Handle)
	if err := Need(gone.Reply, err, "revoke it at "+at.Name()); err != nil {
		return false, err
	}
	v, err = at.Ask(ctx, s.Access.Value)
	if err != nil {
		return false, HarnessError("verify its token again at "+at.Name(), err)
	}
	return v.Status == protocol.OK, nil
}

// apart is what a core answers to the token of a live session that was made at
// another one; "" where it accepts it. Troubles are told by the trials.
func (r *run) apart(ctx context.Context, maker, at Instance) string {
	s, err := maker.Create(ctx, protocol.CreateRequest{UserID: r.newUser()})
	if err != nil || s.Status != protocol.OK {
		return ""
	}
	v, err := at.Ask(ctx, s.Access.Value)
	if err != nil || v.Status == protocol.OK {
		return ""
	}
	return proof.ShortenTokens(Describe(v.Reply))
}

package bench

import (
	"context"
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// controlTrials a variant at least; each of its cores gets one.
const controlTrials = 3

// control offers revoked tokens to each core of each variant before anything is
// priced: where two variants treat them alike, or the cores of one do not, there is no
// price of the flag between them. It says whether pricing makes sense.
func (m *measurement) control(ctx context.Context) (proceed bool, err error) {
	s, err := m.start(ctx, m.all())
	if err != nil {
		return false, err
	}
	defer func() {
		if stop := s.stop(ctx); err == nil {
			err = stop
		}
	}()
	differ := true
	for _, x := range s.list {
		v := m.Variants[x.variant]
		cores, err := x.deployment.Cores(m.version)
		if err != nil {
			return false, err
		}
		row, err := m.offer(ctx, v, cores)
		if err != nil {
			return false, err
		}
		m.res.Controls = append(m.res.Controls, row)
		if v.Name == Off || v.Name == On {
			differ = differ && row.Trouble == "" && len(row.Against) == 0
		}
	}
	if index(m.Variants, Off) < 0 || index(m.Variants, On) < 0 {
		return true, nil // something else than the flag is compared
	}
	return differ, nil
}

// offer offers revoked tokens to the cores of a variant, one after the other.
func (m *measurement) offer(ctx context.Context, v Variant, cores []protocol.Core) (proof.VariantControl, error) {
	row := proof.VariantControl{Variant: v.Name}
	checks := v.Name == On || v.Name != Off && (v.Settings.Flag || v.CheckDatabase)
	for i := range max(controlTrials, len(cores)) {
		core := cores[i%len(cores)]
		accepted, err := offerRevoked(ctx, core, m.population(core).User(i), v.CheckDatabase)
		if ctx.Err() != nil {
			return row, ctx.Err()
		}
		if err != nil {
			row.Trouble = err.Error()
			return row, nil
		}
		row.Trials++
		if accepted {
			row.Accepted++
		}
		if accepted == checks && !slices.Contains(row.Against, core.Name()) {
			row.Against = append(row.Against, core.Name())
		}
	}
	return row, nil
}

// all is a step in which every variant has a side.
func (m *measurement) all() Step {
	s := Step{Kind: proof.KindCost}
	for v := range m.Variants {
		s.Sides = append(s.Sides, v)
	}
	return s
}

// offerRevoked makes a session, sees its token accepted, revokes it and says
// whether the token is accepted still.
func offerRevoked(ctx context.Context, at protocol.Core, user string, check bool) (bool, error) {
	s, err := at.Create(ctx, protocol.CreateRequest{UserID: user})
	if err := protocol.Answered(s.Reply, err); err != nil {
		return false, fmt.Errorf("create a session at %s: %w", at.Name(), err)
	}
	ask := protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: check}
	v, err := at.Verify(ctx, ask)
	if err := protocol.Answered(v.Reply, err); err != nil {
		return false, fmt.Errorf("verify its token at %s: %w", at.Name(), err)
	}
	gone, err := at.Revoke(ctx, s.Session.Handle)
	if err := protocol.Answered(gone.Reply, err); err != nil {
		return false, fmt.Errorf("revoke it at %s: %w", at.Name(), err)
	}
	v, err = at.Verify(ctx, ask)
	if err != nil {
		return false, fmt.Errorf("verify its token again at %s: %w", at.Name(), err)
	}
	return v.Status == protocol.OK, nil
}

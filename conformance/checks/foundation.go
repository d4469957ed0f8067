package checks

import (
	"context"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// foundationChecks: what every other check rests on. Where these do not hold,
// there is one fault to mend, and nothing to learn from the others.
func foundationChecks() []Check {
	var all []Profile
	for _, p := range conformance.Profiles {
		all = append(all, p.Name)
	}
	return []Check{{
		ID: "SE-15", Title: "a session can be made, verified and revoked", Smoke: true,
		Profiles:    []Profile{conformance.SessionBasic},
		Foundation:  all,
		Requirement: "Create, verify of its access token and revoke of its handle are each answered with OK and with the fields that the protocol names.",
		Source:      specCreate + ", " + specVerify + ", " + specRemove,
		Run: func(ctx context.Context, c *T) error {
			return c.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
				at := anyOn(t)
				s, err := at.Create(ctx, protocol.CreateRequest{UserID: t.NewUser()})
				if err := conformance.Want(s.Reply, err, "create a session at "+at.Name(), protocol.OK); err != nil {
					return err
				}
				v, err := at.Ask(ctx, s.Access.Value)
				if err := conformance.Want(v.Reply, err, "verify its token at "+at.Name(), protocol.OK); err != nil {
					return err
				}
				r, err := at.Revoke(ctx, s.Session.Handle)
				return conformance.Want(r.Reply, err, "revoke it at "+at.Name(), protocol.OK)
			})
		},
	}}
}

package checks

import (
	"context"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// firstVerifyChecks: what a core remembers of a good answer it learns at a token's first
// verify. All other races begin with a token that was verified before, so that no core
// still has something to learn when the revoke comes.
func firstVerifyChecks() []Check {
	return []Check{{
		ID:    "BL-77",
		Title: "first verify against revoke",
		Requirement: "A session's first verify, at the same time as its revoke, is OK or UNAUTHORISED; " + afterwardsGone +
			": an answer that was read before the revoke is not remembered after it.",
		Source:   specFlag + ", " + specRaces + "; RatLoopz issue 3920 (positive cache)",
		Profiles: []Profile{conformance.Blacklisting},
		Needs:    Needs{Serial: true},
		Run:      firstVerifyAgainstRevoke,
	}}
}

// laterBy is when some trials ask once more: an answer may be remembered after it was given.
const laterBy = 30 * time.Millisecond

// firstVerifyAgainstRevoke lets the first verify of a token meet the revoke of its
// session, by handle or by user. The token is of a create or a refresh. Only the twin is
// verified before: it shows that a verify may succeed.
func firstVerifyAgainstRevoke(ctx context.Context, c *T) error {
	return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
		if err := t.Beside(ctx, anyOn(t), protocol.CreateRequest{}); err != nil {
			return err
		}
		if err := accepted(ctx, t, anyOn(t), t.Twin().Access.Value); err != nil {
			return err
		}
		made := anyOn(t)
		s, err := newSession(ctx, t, made, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		token := s.Access.Value
		if t.Index%4 >= 2 && made.Has(protocol.VerbRefresh) {
			r, err := refresh(ctx, made, s.Refresh.Value, false)
			if err != nil {
				return err
			}
			token = r.Access.Value
		}
		here, there := anyOn(t), anyOn(t)
		kind, end := inTurn(t, there, s.Session)
		var gone *conformance.Ended
		var answer protocol.Verified
		tokens := []string{token}
		err = t.Meet(ctx, kind,
			func(ctx context.Context) (_ protocol.Reply, err error) {
				answer, err = here.Ask(ctx, token)
				return answer.Reply, okOrGone(answer.Reply, err, "verify for the first time during a revoke at "+here.Name())
			},
			ending(t, &gone, token, end),
			func() string { return byAnswer(answer.Status) })
		if err != nil {
			return err
		}
		if answer.Access.Value != "" {
			tokens = append(tokens, answer.Access.Value)
		}
		if err := refusedEverywhere(ctx, t, gone, tokens...); err != nil || t.Index%4 != 0 {
			return err
		}
		if err := conformance.Pause(ctx, laterBy); err != nil {
			return err
		}
		return refusedEverywhere(ctx, t, gone, tokens...)
	})
}

// refusedEverywhere wants tokens of an ended session refused at every instance.
func refusedEverywhere(ctx context.Context, t *Trial, gone *conformance.Ended, tokens ...string) error {
	for _, at := range t.On() {
		for _, token := range tokens {
			if err := t.Refused(ctx, at, token, gone); err != nil {
				return err
			}
		}
	}
	return nil
}

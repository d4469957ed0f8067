package verdict

import (
	"fmt"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

// Check derives the outcome of one check from its evidence, and the reason of
// whatever is no plain pass. Of histories, those of the check count; the
// conformance's are given whole.
//
// What was seen to be broken weighs most: neither a harness error nor something
// that the target lacks hides it. A pass must have been able to fail.
func Check(c *proof.Check, histories []proof.History) (outcome proof.Outcome, reason string) {
	judged := 0
	unknown := ""
	for i := range histories {
		h := &histories[i]
		if h.Check != c.ID || h.Protocol != c.Protocol {
			continue
		}
		switch h.Result {
		case history.Linearizable:
			judged++
		case history.NotLinearizable:
			return proof.Fail, fmt.Sprintf("a history of %d operations on %d sessions is not linearizable", h.Operations, h.Sessions)
		default:
			unknown = fmt.Sprintf("a history of %d operations could not be judged (%q); judge it again where there is more time", h.Operations, h.Result)
		}
	}
	m := c.Immediacy
	switch {
	case len(c.Violations) > 0:
		if c.Trouble != "" {
			return proof.Fail, "besides, a harness error: " + c.Trouble
		}
		return proof.Fail, ""
	case m != nil && (m.Accepted > 0 || m.Broken > 0):
		return proof.Fail, fmt.Sprintf("%d of %d calls after an answered revoke were accepted", m.Accepted, m.Calls)
	case c.Lacks != nil:
		return proof.Skip, c.Lacks.Text
	case c.Trouble != "":
		return proof.Error, c.Trouble
	case unknown != "":
		return proof.Error, unknown
	case c.CouldNotFail != "":
		return proof.Vacuous, c.CouldNotFail
	}
	if why := vacuous(c, judged); why != "" {
		return proof.Vacuous, why
	}
	return proof.Pass, ""
}

// vacuous says why a check without a violation could not have had one; "" when
// it could.
func vacuous(c *proof.Check, judged int) string {
	m := c.Immediacy
	switch {
	case c.Trials <= 0 && judged == 0:
		return "nothing was tried"
	case m != nil && (m.Revokes <= 0 || m.Calls <= 0):
		return "no call followed an answered revoke"
	case m != nil && m.TwinsAccepted <= 0:
		return fmt.Sprintf("none of %d sessions that were not revoked was accepted by the same call, so a refusal shows nothing", m.Twins)
	}
	if c.Race == nil {
		return ""
	}
	ab, ba := met(c.Race.Trials)
	if want := max(1, c.Race.Want); ab < want || ba < want {
		return fmt.Sprintf("of %d pairs of calls %d met with the first ahead and %d with the second, %d of each are wanted; try more trials, or a core that is nearer",
			len(c.Race.Trials), ab, ba, want)
	}
	return ""
}

// met counts the trials of a race whose calls overlapped, by order.
func met(trials []proof.RaceTrial) (ab, ba int) {
	for _, t := range trials {
		switch {
		case !t.Overlap():
		case t.Order == "ab":
			ab++
		case t.Order == "ba":
			ba++
		}
	}
	return ab, ba
}

// Cause is the failed check that explains why k is no pass, or nil. A check
// that is named as the cause and did not fail itself explains nothing, and one
// that decides nothing does not excuse one that decides.
func Cause(c *proof.Conformance, k *proof.Check, require []string) *proof.Check {
	if k.Cause == "" || k.Cause == k.ID || k.Outcome == proof.Pass || k.Outcome == proof.Skip {
		return nil
	}
	for i := range c.Checks {
		root := &c.Checks[i]
		if root.ID == k.Cause && root.Protocol == k.Protocol && root.Outcome == proof.Fail && Decides(c, root, require) {
			return root
		}
	}
	return nil
}

package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// Blacklisting is the profile that carries the main claim.
	Blacklisting = "blacklisting"
	// lackVersion is the lack that is no gap: the core does not claim the version.
	lackVersion = "version"
	// lackNotClaimed is none either: the core is described as one without it.
	lackNotClaimed = "not-claimed"
	// lackProtocol neither: the protocol has nothing that the rule could be about.
	lackProtocol = "protocol"
)

// deriveProfile judges one profile by its checks, whose outcomes are derived.
func deriveProfile(c *proof.Conformance, p *proof.Profile) {
	var failed, lacking, absent, ids []string
	for i := range c.Checks {
		k := &c.Checks[i]
		if !slices.Contains(k.Profiles, p.Name) {
			continue
		}
		ids = once(ids, k.ID)
		switch k.Outcome {
		case proof.Pass:
			p.Passed++
		case proof.Fail:
			p.Failed++
			failed = once(failed, k.ID)
		case proof.Error:
			p.Errors++
		case proof.Vacuous:
			p.Vacuous++
		case proof.Skip:
			p.Skipped++
			if k.Lacks.Kind == lackVersion || k.Lacks.Kind == lackNotClaimed || k.Lacks.Kind == lackProtocol {
				absent = once(absent, k.Lacks.Text)
			} else {
				lacking = once(lacking, k.Lacks.Text)
			}
		}
	}
	left := c.Planned - len(c.Checks)
	switch {
	case p.NotClaimed != "":
		p.Outcome, p.Reason = proof.Skip, "not claimed: "+p.NotClaimed
	case p.Failed > 0:
		p.Outcome, p.Reason = proof.Fail, "broken: "+strings.Join(failed, " ")
	case p.Errors > 0:
		p.Outcome, p.Reason = proof.Error, fmt.Sprintf("%d checks could not be tried", p.Errors)
	case p.Vacuous > 0:
		p.Outcome, p.Reason = proof.Vacuous, fmt.Sprintf("%d checks could not have failed", p.Vacuous)
	case p.Name == Blacklisting && p.Passed > 0 && c.Immediacy.Calls == 0:
		p.Outcome, p.Reason = proof.Incomplete, "no revoke was tried"
	case p.Name == Blacklisting && p.Passed > 0 && c.Immediacy.TwinsAccepted == 0:
		p.Outcome, p.Reason = proof.Vacuous, "no session beside a revoked one was seen to be accepted, so no refusal shows anything"
	case left > 0:
		p.Outcome, p.Reason = proof.Incomplete, "the run ended early, so some of its checks may be missing"
	case len(lacking) > 0:
		p.Outcome, p.Reason = proof.Incomplete, strings.Join(lacking, "; ")
	case p.Passed == 0:
		p.Outcome, p.Reason = proof.Incomplete, strings.Join(append(absent, "no check ran"), "; ")
	case p.Members > len(ids):
		p.Outcome, p.Reason = proof.Incomplete, fmt.Sprintf("%d of its %d checks were selected", len(ids), p.Members)
	default:
		p.Outcome, p.Reason = proof.Pass, strings.Join(absent, "; ")
	}
}

// once appends s unless list has it.
func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Decides says whether k weighs on the verdict: it does unless every profile
// that it belongs to is optional or not claimed, and none of them is required. A
// profile that is not listed decides.
func Decides(c *proof.Conformance, k *proof.Check, require []string) bool {
	for _, name := range k.Profiles {
		p := profileNamed(c, name)
		if p == nil || slices.Contains(require, name) || !p.Optional && p.NotClaimed == "" {
			return true
		}
	}
	return len(k.Profiles) == 0
}

func profileNamed(c *proof.Conformance, name string) *proof.Profile {
	for i := range c.Profiles {
		if c.Profiles[i].Name == name {
			return &c.Profiles[i]
		}
	}
	return nil
}

// gap is a profile that a core claims and that was not tried whole.
type gap struct {
	target  *proof.Target
	profile *proof.Profile
}

// incomplete are the profiles that decide and were not tried whole.
func incomplete(p *proof.Proof) (out []gap) {
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Conformance == nil {
			continue
		}
		for j := range t.Conformance.Profiles {
			f := &t.Conformance.Profiles[j]
			if f.Outcome == proof.Incomplete && (!f.Optional || slices.Contains(p.Require, f.Name)) {
				out = append(out, gap{t, f})
			}
		}
	}
	return out
}

package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// profiles sums up the checks by profile, in the order in which profiles first
// appear.
func profiles(jobs []*job, stages []*stage) []proof.Profile {
	var order []Profile
	by := map[Profile][]*job{}
	for _, j := range jobs {
		for _, p := range j.check.Profiles {
			if _, ok := by[p]; !ok {
				order = append(order, p)
			}
			by[p] = append(by[p], j)
		}
	}
	out := make([]proof.Profile, 0, len(order))
	for _, p := range order {
		out = append(out, profile(p, by[p], stages))
	}
	return out
}

func profile(name Profile, jobs []*job, stages []*stage) proof.Profile {
	p := proof.Profile{Name: string(name), Optional: optional[name]}
	var failed, lacking, absent []string
	left := 0
	for _, j := range jobs {
		if !j.done {
			left++
			continue
		}
		switch j.result.Outcome {
		case proof.Pass:
			p.Passed++
		case proof.Fail:
			p.Failed++
			failed = once(failed, j.check.ID)
		case proof.Error:
			p.Errors++
		case proof.Vacuous:
			p.Vacuous++
		case proof.Skip:
			p.Skipped++
			if j.stage.absent != "" {
				// A version that the core does not claim is no gap in the profile.
				absent = once(absent, j.stage.absent)
			} else {
				lacking = once(lacking, j.result.Reason)
			}
		}
	}
	control := ""
	if name == Blacklisting {
		control = controlGap(stages)
	}
	switch {
	case p.Failed > 0:
		p.Outcome, p.Reason = proof.Fail, "broken: "+strings.Join(failed, " ")
	case p.Errors > 0:
		p.Outcome, p.Reason = proof.Error, fmt.Sprintf("%d checks could not be tried", p.Errors)
	case control != "":
		p.Outcome, p.Reason = proof.Vacuous, control
	case p.Vacuous > 0:
		p.Outcome, p.Reason = proof.Vacuous, fmt.Sprintf("%d checks could not have failed", p.Vacuous)
	case left > 0:
		p.Outcome, p.Reason = proof.Incomplete, fmt.Sprintf("%d checks were left out when the run ended early", left)
	case len(lacking) > 0:
		p.Outcome, p.Reason = proof.Incomplete, strings.Join(lacking, "; ")
	case p.Passed == 0:
		p.Outcome, p.Reason = proof.Incomplete, strings.Join(append(absent, "no check ran"), "; ")
	default:
		p.Outcome, p.Reason = proof.Pass, strings.Join(absent, "; ")
	}
	return p
}

// controlGap says why the flag-off control leaves the blacklisting profile
// unproved; "" when it does not.
func controlGap(stages []*stage) string {
	accepted := false
	for _, s := range stages {
		if s.control != nil {
			return s.control.Error()
		}
		accepted = accepted || s.controlled
	}
	if !accepted {
		return "no flag-off side accepted a revoked token, so nothing shows that refusing is the flag's doing"
	}
	return ""
}

// once appends s unless list has it.
func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

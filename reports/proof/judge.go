package proof

import "fmt"

// Judge derives the verdict from everything else in p. It looks at no verdict
// that is already there, so an edited one is caught by judging again.
//
// A failed check, budget, statement or space claim is a fail (exit 1). Without
// one, anything that could not be tried, could not have failed, or did not run
// is an error (exit 2). Otherwise all held (exit 0).
func Judge(p *Proof) Verdict {
	fails, untried := Findings(p)
	switch {
	case len(fails) > 0:
		return Verdict{Outcome: Fail, ExitCode: 1, Reasons: append(fails, untried...)}
	case len(untried) > 0:
		return Verdict{Outcome: Error, ExitCode: 2, Reasons: untried}
	}
	return Verdict{Outcome: Pass, ExitCode: 0, Reasons: []string{}}
}

// Findings are the two kinds of reasons that Judge goes by: what failed, and
// what could not be tried, could not have failed or did not run. Without
// either, something was tried and all of it held.
func Findings(p *Proof) (fails, untried []string) {
	if p.Interrupted != "" {
		untried = append(untried, "interrupted: "+p.Interrupted)
	}
	if len(p.Targets) == 0 {
		untried = append(untried, "no target was tried")
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		f, u, ran := judgeTarget(t)
		fails = append(fails, f...)
		untried = append(untried, u...)
		if ran == 0 && len(f)+len(u) == 0 {
			// Else a target that nobody tried would hide behind one that passed.
			untried = append(untried, t.Name+": nothing ran")
		}
	}
	for _, b := range p.Budgets {
		switch b.Outcome {
		case Pass:
		case Fail:
			fails = append(fails, fmt.Sprintf("%s: budget %s: %.4g %s, limit %.4g", b.Target, b.Name, b.Observed, b.Unit, b.Limit))
		default:
			untried = append(untried, fmt.Sprintf("%s: budget %s: %s", b.Target, b.Name, b.Reason))
		}
	}
	return fails, untried
}

// judgeTarget gives the failures, what could not be tried, and how many checks,
// claims and rounds ran.
func judgeTarget(t *Target) (fails, untried []string, ran int) {
	if t.Error != "" {
		// What was found before the trouble counts all the same.
		untried = append(untried, t.Name+": "+t.Error)
	}
	if c := t.Conformance; c != nil {
		decided := 0
		for i := range c.Checks {
			k := &c.Checks[i]
			if !c.Decides(k) {
				continue
			}
			where := fmt.Sprintf("%s: %s %s", t.Name, k.ID, k.Title)
			if k.Protocol != "" {
				where += " (" + k.Protocol + ")"
			}
			switch k.Outcome {
			case Pass:
				decided++
			case Fail:
				decided++
				fails = append(fails, where+": "+k.Got)
			case Error:
				untried = append(untried, where+": error: "+k.Reason)
			case Vacuous:
				untried = append(untried, where+": vacuous: "+k.Reason)
			}
		}
		for _, p := range c.Profiles {
			if !p.Optional && p.Outcome == Vacuous {
				untried = append(untried, fmt.Sprintf("%s: profile %s is vacuous: %s", t.Name, p.Name, p.Reason))
			}
		}
		if n := c.Immediacy.Accepted; n > 0 && len(fails) == 0 {
			// No check says so, but it is the one thing that must not happen.
			fails = append(fails, fmt.Sprintf("%s: %d of %d calls after a confirmed revoke were accepted", t.Name, n, c.Immediacy.Trials))
		}
		if decided == 0 && len(fails) == 0 && len(untried) == 0 {
			untried = append(untried, t.Name+": no check ran")
		}
		ran += decided
	}
	if f := t.Footprint; f != nil {
		for _, s := range f.Statements {
			if s.Expected == nil {
				continue
			}
			switch {
			case s.Calls == 0:
				untried = append(untried, fmt.Sprintf("%s: statements of %s, flag %s: no calls were made", t.Name, s.Operation, s.Flag))
			case !s.Held():
				fails = append(fails, fmt.Sprintf("%s: %s, flag %s, %s era: %d statements for %d calls, want exactly %g a call",
					t.Name, s.Operation, s.Flag, s.Era, s.Count, s.Calls, *s.Expected))
			}
			ran++
		}
		if f.Space != nil {
			ran++
			if !f.Space.Held {
				fails = append(fails, t.Name+": space: "+f.Space.Reason)
			}
		}
	}
	for i := range t.Bench {
		b := &t.Bench[i]
		n := 0
		for _, r := range b.Rounds {
			if r.Kind == "cost" {
				n++
			}
			if e := r.A.Errors + r.B.Errors; e > 0 {
				fails = append(fails, fmt.Sprintf("%s: bench (%s): round %d: %d calls answered wrongly", t.Name, b.Protocol, r.Index, e))
			}
		}
		if n == 0 {
			untried = append(untried, fmt.Sprintf("%s: bench (%s): no round counted", t.Name, b.Protocol))
		}
		if all := n + len(b.Dropped); len(b.Dropped)*5 > all {
			untried = append(untried, fmt.Sprintf("%s: bench (%s): %d of %d rounds dropped: invalid machine", t.Name, b.Protocol, len(b.Dropped), all))
		}
		ran += n
	}
	return fails, untried, ran
}

// Decides says whether k weighs on the verdict: it does unless every profile
// that it belongs to is optional.
func (c *Conformance) Decides(k *Check) bool {
	for _, name := range k.Profiles {
		if !c.optional(name) {
			return true
		}
	}
	return len(k.Profiles) == 0
}

func (c *Conformance) optional(profile string) bool {
	for i := range c.Profiles {
		if c.Profiles[i].Name == profile {
			return c.Profiles[i].Optional
		}
	}
	return false
}

package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// runCases is what concerns the run as a whole; empty when all is well.
func runCases(p *proof.Proof) []junitCase {
	var out []junitCase
	if p.Interrupted != "" {
		out = append(out, broken("the run went to its end", "error", p.Interrupted))
	}
	if len(p.Targets) == 0 {
		out = append(out, broken("something was tried", "error", "no target was tried"))
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		switch {
		case t.Error != "":
			out = append(out, broken("target "+t.Name+" could be tried", "error", t.Error))
		default:
			// What no case of its own stands for: nothing ran, no check ran.
			_, untried := proof.Findings(&proof.Proof{Targets: []proof.Target{*t}})
			for _, u := range untried {
				if strings.HasSuffix(u, ": nothing ran") || strings.HasSuffix(u, ": no check ran") {
					out = append(out, broken("something ran on target "+t.Name, "error", u))
				}
			}
		}
	}
	return out
}

func broken(name, kind, message string) junitCase {
	return junitCase{Name: oneLine(name), Error: &junitResult{Type: kind, Message: oneLine(message)}}
}

// checkSuites has one suite per protocol and theme, and one for profiles that
// could not have failed.
func checkSuites(t *proof.Target) []junitSuite {
	if t.Conformance == nil {
		return nil
	}
	c := t.Conformance
	var suites []junitSuite
	at := map[string]int{}
	for i := range c.Checks {
		k := &c.Checks[i]
		name := dotted(t.Name, k.Protocol, k.Suite)
		n, ok := at[name]
		if !ok {
			n = len(suites)
			at[name] = n
			suites = append(suites, junitSuite{Name: name})
		}
		suites[n].Cases = append(suites[n].Cases, checkCase(c, k))
	}
	if n := c.Immediacy.Accepted; n > 0 {
		suites = append(suites, junitSuite{Name: dotted(t.Name, "immediacy"), Cases: []junitCase{{
			Name:    "no call after a confirmed revoke is accepted",
			Failure: &junitResult{Type: "fail", Message: fmt.Sprintf("%d of %d calls after a confirmed revoke were accepted", n, c.Immediacy.Trials)},
		}}})
	}
	var profiles []junitCase
	for _, f := range c.Profiles {
		if !f.Optional && f.Outcome == proof.Vacuous {
			profiles = append(profiles, broken("profile "+f.Name+" could have failed", "vacuous", f.Reason))
		}
	}
	if len(profiles) > 0 {
		suites = append(suites, junitSuite{Name: dotted(t.Name, "profiles"), Cases: profiles})
	}
	return suites
}

// dotted joins the parts of a class name that are there.
func dotted(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = oneLine(p); p != "" {
			out = append(out, strings.ReplaceAll(p, ".", "_"))
		}
	}
	return strings.Join(out, ".")
}

func checkCase(c *proof.Conformance, k *proof.Check) junitCase {
	out := junitCase{Name: oneLine(k.ID + " " + k.Title), took: k.Took}
	switch k.Outcome {
	case proof.Pass:
	case proof.Fail:
		text := explain(k)
		out.SystemOut = textOf(exchanges(k.Exchanges))
		if c.Decides(k) {
			out.Failure = &junitResult{Type: "fail", Message: oneLine(k.Got), Text: text}
		} else {
			out.Skipped = &junitResult{Message: oneLine("optional, not part of the verdict; failed: " + k.Got)}
			out.SystemOut = textOf(text + "\n" + exchanges(k.Exchanges))
		}
	case proof.Skip:
		out.Skipped = &junitResult{Message: oneLine(k.Reason)}
	case proof.Vacuous, proof.Error:
		r := &junitResult{Type: string(k.Outcome), Message: oneLine(k.Reason), Text: explain(k)}
		if c.Decides(k) {
			out.Error = r
		} else {
			out.Skipped = &junitResult{Message: oneLine("optional, not part of the verdict; " + outcomeWord(k.Outcome) + ": " + k.Reason)}
		}
		out.SystemOut = textOf(exchanges(k.Exchanges))
	default:
		// proof.Judge passes over outcomes that it does not know.
		out.Skipped = &junitResult{Message: oneLine("unknown outcome " + string(k.Outcome))}
	}
	return out
}

// claimCases are the claims about statements and space.
func claimCases(t *proof.Target) []junitCase {
	if t.Footprint == nil {
		return nil
	}
	var out []junitCase
	for _, s := range t.Footprint.Statements {
		if s.Expected == nil {
			continue
		}
		c := junitCase{Name: oneLine(fmt.Sprintf("statements of %s, flag %s, %s", s.Operation, s.Flag, eraWord(s.Era)))}
		switch {
		case s.Calls == 0:
			c.Error = &junitResult{Type: "error", Message: "no calls were made"}
		case !s.Held():
			c.Failure = &junitResult{Type: "fail", Message: fmt.Sprintf("%d statements for %d calls, want exactly %s a call", s.Count, s.Calls, figure(*s.Expected))}
		}
		out = append(out, c)
	}
	if s := t.Footprint.Space; s != nil {
		c := junitCase{Name: "no extra space with the flag on"}
		if !s.Held {
			c.Failure = &junitResult{Type: "fail", Message: oneLine(s.Reason), Text: fmt.Sprintf("rows on %d, off %d; after revokes on %d, off %d; bytes on %d, off %d; schema on %s, off %s\n",
				s.RowsOn, s.RowsOff, s.RevokedOn, s.RevokedOff, s.BytesOn, s.BytesOff, oneLine(s.SchemaOn), oneLine(s.SchemaOff))}
		}
		out = append(out, c)
	}
	return out
}

// benchCases say whether the cost could be measured: a cost has no limit of its
// own, budgets set those.
func benchCases(t *proof.Target) []junitCase {
	var out []junitCase
	for i := range t.Bench {
		b := &t.Bench[i]
		where := " (" + oneLine(b.Protocol) + ")"
		wrong := 0
		for _, r := range b.Rounds {
			if r.A.Errors+r.B.Errors > 0 {
				wrong++
			}
		}
		right := junitCase{Name: "all calls under load were answered rightly" + where}
		if wrong > 0 {
			right.Failure = &junitResult{Type: "fail", Message: "calls were answered wrongly in " + plural(wrong, "round")}
		}
		n := costRounds(b)
		enough := junitCase{Name: "the cost could be measured" + where}
		switch all := n + len(b.Dropped); {
		case n == 0:
			enough.Error = &junitResult{Type: "error", Message: "no round counted"}
		case len(b.Dropped)*5 > all:
			enough.Error = &junitResult{Type: "error", Message: fmt.Sprintf("%d of %d rounds dropped: invalid machine", len(b.Dropped), all)}
		default:
			m := measure(b.CostPerCall)
			enough.SystemOut = textOf(fmt.Sprintf("cost per call at the median: %s ms; core CPU on/off: %s\n", m, measure(b.CoreCPURatio)))
		}
		out = append(out, right, enough)
	}
	return out
}

func budgetCases(p *proof.Proof, target string) []junitCase {
	var out []junitCase
	for _, b := range p.Budgets {
		if b.Target == target {
			out = append(out, budgetCase(b))
		}
	}
	return out
}

// strayBudgets are those that name no target of the proof.
func strayBudgets(p *proof.Proof) []junitCase {
	var out []junitCase
	for _, b := range p.Budgets {
		known := false
		for _, t := range p.Targets {
			known = known || t.Name == b.Target
		}
		if !known {
			out = append(out, budgetCase(b))
		}
	}
	return out
}

func budgetCase(b proof.Budget) junitCase {
	c := junitCase{Name: oneLine("budget " + b.Name)}
	if b.Era != "" {
		c.Name += ", " + eraWord(b.Era)
	}
	found := fmt.Sprintf("%s %s, limit %s", figure(b.Observed), oneLine(b.Unit), figure(b.Limit))
	switch b.Outcome {
	case proof.Pass:
		c.SystemOut = textOf(found + "\n")
	case proof.Fail:
		c.Failure = &junitResult{Type: "fail", Message: found}
	default:
		c.Error = &junitResult{Type: "error", Message: oneLine(b.Reason)}
	}
	return c
}

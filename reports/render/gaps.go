package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// gaps lists what a reader must know before relying on the rest: parts that are
// missing and figures that are weak. A report without them could look complete.
func gaps(p *proof.Proof) []string {
	var out []string
	for i := range p.Targets {
		t := &p.Targets[i]
		name := oneLine(t.Name) + ": "
		if t.Error != "" {
			continue // proof.Findings says so already
		}
		for _, g := range targetGaps(t) {
			out = append(out, name+g)
		}
	}
	for _, l := range p.Machine.Limits {
		out = append(out, "this machine: "+oneLine(l))
	}
	return out
}

func targetGaps(t *proof.Target) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if c := t.Conformance; c == nil {
		say("the rules of logging out were not checked")
	} else {
		switch {
		case c.Immediacy.Trials == 0:
			say("no token was offered after its session had been ended")
		case c.Immediacy.Accepted > 0 && !anyFailed(c):
			say("revoked tokens were accepted, though no required check failed: look at the trials before trusting the verdict")
		case c.Immediacy.ControlAccepted == 0:
			say("no control call was let in, so the refusals show nothing")
		}
		var incomplete, optional []string
		for _, f := range c.Profiles {
			switch {
			case f.Optional && f.Outcome != proof.Pass:
				optional = append(optional, oneLine(f.Name)+" "+outcomeWord(f.Outcome))
			case f.Outcome == proof.Incomplete:
				incomplete = append(incomplete, oneLine(f.Name))
			}
		}
		if len(incomplete) > 0 {
			say("not fully proved, required checks were skipped: %s", strings.Join(incomplete, ", "))
		}
		if len(optional) > 0 {
			say("optional, not part of the verdict: %s", strings.Join(optional, ", "))
		}
		for _, h := range c.Histories {
			if h.Result == "unknown" {
				say("the history of %s (%s) could not be judged in time", oneLine(h.Check), eraWord(h.Era))
			}
		}
	}
	switch f := t.Footprint; {
	case f == nil:
		say("statements and space were not counted")
	case f.Space == nil:
		say("space was not compared")
	}
	if len(t.Bench) == 0 {
		say("the cost was not measured")
	}
	for i := range t.Bench {
		out = append(out, benchGaps(&t.Bench[i])...)
	}
	return out
}

func benchGaps(b *proof.Bench) []string {
	var out []string
	where := " (" + eraWord(b.Era) + ")"
	if b.Protocol != "" {
		where = " (" + oneLine(b.Protocol) + ")"
	}
	if !b.Gateable {
		why := oneLine(b.NotGateable)
		if why == "" {
			why = "no reason was given"
		}
		out = append(out, "cost"+where+" may not be gated on: "+why)
	}
	// None at all is one of proof.Findings.
	if n := costRounds(b); n > 0 && n < 6 {
		out = append(out, fmt.Sprintf("cost%s: only %s, too few to rely on", where, plural(n, "round")))
	}
	if b.Floor == nil && b.FloorLatency == nil && len(b.Rounds) > 0 {
		out = append(out, "cost"+where+": no noise floor was measured (rounds with both sides alike)")
	}
	if n := len(b.Dropped); n > 0 {
		out = append(out, fmt.Sprintf("cost%s: %s dropped, see the list", where, plural(n, "round")))
	}
	if b.Sigma > tooNoisy {
		out = append(out, fmt.Sprintf("cost%s: the machine is noisy, rounds differ by %s %% (σ)", where, number(b.Sigma*100, 1)))
	}
	return out
}

func costRounds(b *proof.Bench) int {
	n := 0
	for _, r := range b.Rounds {
		if r.Kind == "cost" {
			n++
		}
	}
	return n
}

func anyFailed(c *proof.Conformance) bool {
	for i := range c.Checks {
		if c.Checks[i].Outcome == proof.Fail && c.Decides(&c.Checks[i]) {
			return true
		}
	}
	return false
}

// eraWord names an era so that a newcomer can tell them apart.
func eraWord(era string) string {
	switch era {
	case "setting":
		return "core's setting decides"
	case "request":
		return "each request decides"
	case "":
		return "either era"
	default:
		return oneLine(era)
	}
}

func outcomeWord(o proof.Outcome) string {
	switch o {
	case proof.Pass:
		return "passed"
	case proof.Fail:
		return "failed"
	case proof.Skip:
		return "skipped"
	case proof.Error:
		return "could not be tried"
	case proof.Vacuous:
		return "could not have failed"
	case proof.Incomplete:
		return "incomplete"
	case "":
		return "unknown"
	default:
		return oneLine(string(o))
	}
}

func outcomeTone(o proof.Outcome) tone {
	switch o {
	case proof.Pass:
		return good
	case proof.Fail:
		return bad
	default:
		return unsure
	}
}

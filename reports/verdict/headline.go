package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// headline is the answer in one sentence or two: what was shown about logging
// out, what it costs, and what was not shown.
func headline(p *proof.Proof, v proof.Verdict) string {
	var s string
	switch v.Outcome {
	case proof.Fail:
		s = failing(p, v)
	case proof.Error:
		s = undecided(p, v)
	default:
		s = held(p) + "; " + costs(p)
	}
	s += "."
	if v.Outcome == proof.Incomplete {
		var names []string
		for _, g := range incomplete(p) {
			names = once(names, words.OneLine(g.profile.Name))
		}
		s += " Not fully proved, since required checks were skipped or left out: " + strings.Join(names, ", ") + "."
	}
	return s
}

// shown says whether t showed that logging out takes effect at once: its
// blacklisting profile passed, sessions beside the revoked ones were accepted,
// and nothing was accepted that must not be.
func shown(t *proof.Target) bool {
	c := t.Conformance
	if c == nil {
		return false
	}
	f := profileNamed(c, Blacklisting)
	return f != nil && !f.Optional && f.Outcome == proof.Pass && c.Immediacy.TwinsAccepted > 0 && c.Immediacy.Accepted == 0 && c.Immediacy.Broken == 0
}

func held(p *proof.Proof) string {
	var sum, other proof.Immediacy
	var on []string
	for i := range p.Targets {
		t := &p.Targets[i]
		into := &other
		if shown(t) {
			on = append(on, words.OneLine(t.Name))
			into = &sum
		}
		if t.Conformance != nil {
			into.Calls += t.Conformance.Immediacy.Calls
			into.Revokes += t.Conformance.Immediacy.Revokes
			into.Accepted += t.Conformance.Immediacy.Accepted + t.Conformance.Immediacy.Broken
		}
	}
	switch {
	case len(on) == 0 && other.Revokes > 0 && other.Accepted == 0:
		return fmt.Sprintf("What was tried held: all %s calls after %s confirmed logouts were refused; the profile blacklisting, which shows that this holds whatever the case, was not shown",
			words.Count(other.Calls), words.Count(other.Revokes))
	case len(on) == 0:
		return "What was tried held, but that a logged-out user is refused at once was not shown"
	}
	s := fmt.Sprintf("Logging out took effect at once: all %s calls after %s confirmed logouts were refused", words.Count(sum.Calls), words.Count(sum.Revokes))
	switch n := len(p.Targets); {
	case n == 1:
	case len(on) == n:
		s += fmt.Sprintf(", on all %d targets", n)
	default:
		s += fmt.Sprintf(", on %s; on %d of %d targets it was not shown", strings.Join(on, ", "), n-len(on), n)
	}
	return s
}

func failing(p *proof.Proof, v proof.Verdict) string {
	var in proof.Immediacy
	for i := range p.Targets {
		if c := p.Targets[i].Conformance; c != nil {
			in.Calls += c.Immediacy.Calls
			in.Accepted += c.Immediacy.Accepted
			in.Revokes += c.Immediacy.Revokes
			in.Broken += c.Immediacy.Broken
			in.AcceptanceWindow = max(in.AcceptanceWindow, c.Immediacy.AcceptanceWindow)
		}
	}
	n := 0
	for _, f := range v.Findings {
		if f.Weight == proof.Fails {
			n++
		}
	}
	unmet := words.Plural(n, "requirement") + " were not met"
	if n == 1 {
		unmet = "1 requirement was not met"
	}
	all := len(p.Targets) > 0 && !slices.ContainsFunc(p.Targets, func(t proof.Target) bool { return !shown(&t) })
	switch {
	case in.Accepted > 0 || in.Broken > 0:
		s := fmt.Sprintf("A logged-out user can still get in: %s of %s calls after a confirmed logout were accepted, after %s of %s logouts",
			words.Count(in.Accepted), words.Count(in.Calls), words.Count(in.Broken), words.Count(in.Revokes))
		if in.AcceptanceWindow > 0 {
			s += "; one was still accepted " + words.Duration(in.AcceptanceWindow) + " after its logout"
		}
		return s
	case all:
		return held(p) + ", but " + unmet
	default:
		return strings.ToUpper(unmet[:1]) + unmet[1:] + ", and that a logged-out user is refused at once was not shown"
	}
}

func undecided(p *proof.Proof, v proof.Verdict) string {
	if p.Interrupted != "" {
		return fmt.Sprintf("The run was cut short (%s), so nothing is decided; what was found until then is shown", words.Clip(words.OneLine(p.Interrupted), 80))
	}
	if len(p.Targets) == 0 {
		return "Nothing was tried, so nothing is shown, neither good nor bad"
	}
	n := 0
	for _, f := range v.Findings {
		if f.Weight == proof.Untried {
			n++
		}
	}
	return fmt.Sprintf("Nothing is decided: %s could not be tried, could not have failed or was not shown either way", words.Plural(n, "thing"))
}

// costs says what the flag costs, and on which protocol version: versions differ.
func costs(p *proof.Proof) string {
	var parts, unknown []string
	for i := range p.Targets {
		t := &p.Targets[i]
		for j := range t.Bench {
			b := &t.Bench[j]
			where := words.OneLine(b.Protocol)
			if len(p.Targets) > 1 {
				where = words.OneLine(t.Name) + ", " + where
			}
			if what := costOf(b.Cost); what != "" {
				parts = append(parts, what+" ("+where+")")
			} else {
				unknown = append(unknown, where)
			}
		}
	}
	const most = 4
	if n := len(parts); n > most {
		parts = append(parts[:most:most], words.Count(n-most)+" more")
	}
	switch {
	case len(parts) == 0 && len(unknown) == 0:
		return "what the flag costs was not measured"
	case len(parts) == 0:
		return "what the flag costs was not shown"
	case len(unknown) > 0:
		return "per verify the flag costs " + strings.Join(parts, ", ") + "; not shown: " + strings.Join(unknown, ", ")
	}
	return "per verify the flag costs " + strings.Join(parts, ", ")
}

// costOf is the cost in core CPU, or in latency where CPU could not be read; ""
// where no interval leaves "no cost" out.
func costOf(c *proof.Cost) string {
	switch {
	case c == nil:
		return ""
	case c.CoreCPUDiff != nil:
		if e := c.CoreCPUDiff; e.Interval != nil && e.Interval.Low > 0 {
			return words.Figure(e.Value) + " µs of core CPU"
		}
	case c.CostPerCall != nil:
		if e := c.CostPerCall; e.Interval != nil && e.Interval.Low > 0 {
			return words.Figure(e.Value) + " ms"
		}
	}
	return ""
}

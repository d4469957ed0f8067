package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

func (t *terminal) head(p *proof.Proof, s *summary) {
	t.line(t.paint(s.Tone, s.Word) + "  " + cut(s.Subject, t.width-len(s.Word)-2))
	t.wrapped("", s.Sentence)
	for _, n := range p.Notes {
		t.wrapped("", "Note: "+clip(oneLine(n), 300))
	}
	if s.Edited != "" {
		t.wrapped("", "Warning: "+s.Edited)
	}
}

// fact writes a name and what is to be said about it.
func (t *terminal) fact(name string, n tone, value string) {
	for i, l := range wrap(value, t.width-15) {
		if i > 0 {
			name = ""
		}
		t.line(pad(name, 15) + t.paint(n, l))
	}
}

// target is what was found out about logging out on the only target.
func (t *terminal) target(x *proof.Target) {
	t.line("")
	if c := x.Conformance; c != nil {
		i := c.Immediacy
		switch {
		case i.Trials == 0:
			t.fact("after logout", unsure, "not tried")
		case i.Accepted > 0:
			t.fact("after logout", bad, fmt.Sprintf("%s of %s let in, the latest after %s; at most %s with 95 %% confidence", count(i.Accepted), count(i.Trials), duration(i.AcceptanceWindow), percent(i.UpperBound)))
		default:
			t.fact("after logout", plain, fmt.Sprintf("0 of %s let in; at most %s with 95 %% confidence", count(i.Trials), percent(i.UpperBound)))
		}
		if i.Trials > 0 {
			t.fact("control", plain, fmt.Sprintf("check off: %s of %s let in", count(i.ControlAccepted), count(i.ControlTrials)))
		}
		n := tallyChecks(c)
		t.fact("checks", plain, n.String())
		t.fact("profiles", plain, profileWords(c))
	}
	if f := x.Footprint; f != nil {
		s := verifyStatements(f, "")
		t.fact("statements", onlyBad(s.Tone), fmt.Sprintf("%s with the check off, %s with it on, per verify (exact counts)", s.Off, s.On))
		if f.Space != nil {
			if f.Space.Held {
				t.fact("space", plain, "none extra: same rows, "+growth(f.Space)+" bytes")
			} else {
				t.fact("space", bad, "extra: "+clip(oneLine(f.Space.Reason), 150))
			}
		}
	}
}

// targets is the same for several, side by side.
func (t *terminal) targets(p *proof.Proof) {
	heads := make([]string, len(p.Targets))
	for i, x := range p.Targets {
		heads[i] = cut(oneLine(x.Name), 30)
	}
	t.table("after logout", heads, []tableRow{
		{"verdict", func(c int) (string, tone) {
			w, n := verdictWord(judgeAlone(p, &p.Targets[c]))
			return strings.ToLower(w), n
		}},
		{"let in", t.immediacy(p, func(i proof.Immediacy) (string, tone) {
			if i.Accepted > 0 {
				return count(i.Accepted) + " of " + count(i.Trials), bad
			}
			return "0 of " + count(i.Trials), plain
		})},
		{"at most (95 %)", t.immediacy(p, func(i proof.Immediacy) (string, tone) { return percent(i.UpperBound), plain })},
		{"latest after", t.immediacy(p, func(i proof.Immediacy) (string, tone) {
			if i.Accepted == 0 {
				return missing, plain
			}
			return duration(i.AcceptanceWindow), bad
		})},
		{"control let in", t.immediacy(p, func(i proof.Immediacy) (string, tone) {
			return count(i.ControlAccepted) + " of " + count(i.ControlTrials), plain
		})},
		{"checks passed", t.tally(p, func(n tally) (string, tone) { return count(n.Passed) + " of " + count(n.total()), plain })},
		{"checks failed", t.tally(p, func(n tally) (string, tone) { return countOr(n.Failed, missing), bad })},
		{"skipped, error", t.tally(p, func(n tally) (string, tone) {
			return countOr(n.Skipped+n.Errors+n.Vacuous+n.OptionalFailed, missing), plain
		})},
		{"stmts off/on", func(c int) (string, tone) {
			s := verifyStatements(p.Targets[c].Footprint, "")
			if s.Off == missing && s.On == missing {
				return missing, plain
			}
			return s.Off + " / " + s.On, onlyBad(s.Tone)
		}},
		{"extra space", func(c int) (string, tone) {
			s := space(p.Targets[c].Footprint)
			return s.Short, onlyBad(s.Tone)
		}},
	})
	// Targets that agree share a line.
	var order []string
	who := map[string][]string{}
	for _, x := range p.Targets {
		if x.Conformance == nil {
			continue
		}
		w := profileWords(x.Conformance)
		if who[w] == nil {
			order = append(order, w)
		}
		who[w] = append(who[w], oneLine(x.Name))
	}
	for _, w := range order {
		names := enumerate(who[w])
		if len(who[w]) == len(p.Targets) {
			names = "profiles"
		}
		t.wrapped("  ", names+": "+w)
	}
}

func (t *terminal) immediacy(p *proof.Proof, f func(proof.Immediacy) (string, tone)) func(int) (string, tone) {
	return func(c int) (string, tone) {
		x := &p.Targets[c]
		if x.Conformance == nil || x.Conformance.Immediacy.Trials == 0 {
			return missing, plain
		}
		return f(x.Conformance.Immediacy)
	}
}

func (t *terminal) tally(p *proof.Proof, f func(tally) (string, tone)) func(int) (string, tone) {
	return func(c int) (string, tone) {
		x := &p.Targets[c]
		if x.Conformance == nil {
			return missing, plain
		}
		return f(tallyChecks(x.Conformance))
	}
}

func countOr(n int, none string) string {
	if n == 0 {
		return none
	}
	return count(n)
}

// profileWords names the profiles, those that passed together.
func profileWords(c *proof.Conformance) string {
	var passed, rest []string
	for _, f := range c.Profiles {
		name := oneLine(f.Name)
		if f.Optional {
			name += " (optional)"
		}
		if f.Outcome == proof.Pass {
			passed = append(passed, name)
		} else {
			rest = append(rest, name+" "+outcomeWord(f.Outcome))
		}
	}
	if len(passed) > 0 {
		rest = append(rest, list(passed)+" passed")
	}
	if len(rest) == 0 {
		return "none"
	}
	return strings.Join(rest, "; ")
}

// onlyBad keeps the colour of what is wrong: a column of green says nothing.
func onlyBad(n tone) tone {
	if n == bad {
		return bad
	}
	return plain
}

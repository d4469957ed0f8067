package terminal

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

func (t *terminal) head(p *proof.Proof) {
	s := t.sum
	t.line(t.paint(s.Tone, s.Word) + "  " + words.Cut(s.Subject, t.width-len(s.Word)-2))
	t.wrapped("", s.Headline)
	for _, n := range p.Notes {
		t.wrapped("", "Note: "+words.Clip(words.OneLine(n), 300))
	}
	if s.Edited != "" {
		t.wrapped("", "Warning: "+s.Edited)
	}
}

// fact writes a name and what is to be said about it.
func (t *terminal) fact(name string, n summary.Tone, value string) {
	for i, l := range words.Wrap(value, t.width-15) {
		if i > 0 {
			name = ""
		}
		t.line(words.Pad(name, 15) + t.paint(n, l))
	}
}

// target is what was found out about logging out on the only target.
func (t *terminal) target(x *proof.Target) {
	t.line("")
	if c := x.Conformance; c != nil {
		i := c.Immediacy
		switch {
		case i.Revokes == 0:
			t.fact("after logout", summary.Unsure, "not tried")
		case i.Accepted > 0 || i.Broken > 0:
			t.fact("after logout", summary.Bad, fmt.Sprintf("accepted after %s of %s logouts, the latest after %s; at most %s of logouts with 95 %% confidence",
				words.Count(i.Broken), words.Count(i.Revokes), words.Duration(i.AcceptanceWindow), words.Percent(i.UpperBound)))
		default:
			t.fact("after logout", summary.Plain, fmt.Sprintf("accepted after 0 of %s logouts; at most %s with 95 %% confidence", words.Count(i.Revokes), words.Percent(i.UpperBound)))
		}
		if i.Revokes > 0 {
			t.fact("control", summary.Plain, control(c))
		}
		t.fact("checks", summary.Plain, t.sum.Tally(c).String())
		t.fact("profiles", summary.Plain, profileWords(c))
	}
	if f := x.Footprint; f != nil {
		s := summary.VerifyStatements(f, "")
		t.fact("statements", summary.OnlyBad(s.Tone), fmt.Sprintf("%s with the flag off, %s with it on, per verify (exact counts)", s.Off, s.On))
		if f.Space != nil {
			if f.Space.Outcome == proof.Pass {
				t.fact("space", summary.Plain, "none extra: same rows, "+summary.Growth(f.Space)+" bytes")
			} else {
				t.fact("space", summary.OutcomeTone(f.Space.Outcome), summary.Space(f).Short+": "+words.Clip(words.OneLine(f.Space.Reason), 150))
			}
		}
	}
}

// control is both negative controls in one line.
func control(c *proof.Conformance) string {
	s := fmt.Sprintf("%s of %s sessions not logged out accepted", words.Count(c.Immediacy.TwinsAccepted), words.Count(c.Immediacy.Twins))
	trials, accepted := 0, 0
	for _, x := range c.Switch {
		trials += x.Trials
		accepted += x.Accepted
	}
	if trials > 0 {
		s += fmt.Sprintf("; flag off: %s of %s revoked tokens accepted", words.Count(accepted), words.Count(trials))
	}
	return s
}

// targets is the same for several, side by side.
func (t *terminal) targets(p *proof.Proof) {
	heads := make([]string, len(p.Targets))
	for i, x := range p.Targets {
		heads[i] = words.Cut(words.OneLine(x.Name), 30)
	}
	t.table("after logout", heads, []tableRow{
		{"verdict", func(c int) (string, summary.Tone) {
			w, n := t.sum.Target(&p.Targets[c])
			return strings.ToLower(w), n
		}},
		{"accepted after", t.immediacy(p, func(i proof.Immediacy) (string, summary.Tone) {
			if i.Broken > 0 || i.Accepted > 0 {
				return words.Count(i.Broken) + " of " + words.Count(i.Revokes), summary.Bad
			}
			return "0 of " + words.Count(i.Revokes), summary.Plain
		})},
		{"at most (95 %)", t.immediacy(p, func(i proof.Immediacy) (string, summary.Tone) { return words.Percent(i.UpperBound), summary.Plain })},
		{"latest after", t.immediacy(p, func(i proof.Immediacy) (string, summary.Tone) {
			if i.Accepted == 0 {
				return summary.Missing, summary.Plain
			}
			return words.Duration(i.AcceptanceWindow), summary.Bad
		})},
		{"control accepted", t.immediacy(p, func(i proof.Immediacy) (string, summary.Tone) {
			return words.Count(i.TwinsAccepted) + " of " + words.Count(i.Twins), summary.Plain
		})},
		{"checks passed", t.tally(p, func(n summary.Tally) (string, summary.Tone) {
			return words.Count(n.Passed) + " of " + words.Count(n.Total()), summary.Plain
		})},
		{"checks failed", t.tally(p, func(n summary.Tally) (string, summary.Tone) { return countOr(n.Failed, summary.Missing), summary.Bad })},
		{"skipped, error", t.tally(p, func(n summary.Tally) (string, summary.Tone) {
			return countOr(n.Skipped+n.Errors+n.Vacuous+n.OptionalFailed+n.Explained, summary.Missing), summary.Plain
		})},
		{"stmts off/on", func(c int) (string, summary.Tone) {
			s := summary.VerifyStatements(p.Targets[c].Footprint, "")
			if s.Off == summary.Missing && s.On == summary.Missing {
				return summary.Missing, summary.Plain
			}
			return s.Off + " / " + s.On, summary.OnlyBad(s.Tone)
		}},
		{"extra space", func(c int) (string, summary.Tone) {
			s := summary.Space(p.Targets[c].Footprint)
			return s.Short, summary.OnlyBad(s.Tone)
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
		who[w] = append(who[w], words.OneLine(x.Name))
	}
	for _, w := range order {
		names := summary.Enumerate(who[w])
		if len(who[w]) == len(p.Targets) {
			names = "profiles"
		}
		t.wrapped("  ", names+": "+w)
	}
}

func (t *terminal) immediacy(p *proof.Proof, f func(proof.Immediacy) (string, summary.Tone)) func(int) (string, summary.Tone) {
	return func(c int) (string, summary.Tone) {
		x := &p.Targets[c]
		if x.Conformance == nil || x.Conformance.Immediacy.Revokes == 0 {
			return summary.Missing, summary.Plain
		}
		return f(x.Conformance.Immediacy)
	}
}

func (t *terminal) tally(p *proof.Proof, f func(summary.Tally) (string, summary.Tone)) func(int) (string, summary.Tone) {
	return func(c int) (string, summary.Tone) {
		x := &p.Targets[c]
		if x.Conformance == nil {
			return summary.Missing, summary.Plain
		}
		return f(t.sum.Tally(x.Conformance))
	}
}

func countOr(n int, none string) string {
	if n == 0 {
		return none
	}
	return words.Count(n)
}

// profileWords names the profiles, those that passed together.
func profileWords(c *proof.Conformance) string {
	var passed, rest []string
	for _, f := range c.Profiles {
		name := words.OneLine(f.Name)
		if f.Optional {
			name += " (optional)"
		}
		switch {
		case f.Outcome == proof.Pass:
			passed = append(passed, name)
		case f.NotClaimed != "":
			rest = append(rest, name+" not claimed")
		default:
			rest = append(rest, name+" "+summary.OutcomeWord(f.Outcome))
		}
	}
	if len(passed) > 0 {
		rest = append(rest, summary.List(passed)+" passed")
	}
	if len(rest) == 0 {
		return "none"
	}
	return strings.Join(rest, "; ")
}

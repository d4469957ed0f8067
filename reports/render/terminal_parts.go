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
	if x.Error != "" {
		return // stands under what could not be tried
	}
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
		if x.Conformance == nil || x.Error != "" {
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
		if x.Error != "" || x.Conformance == nil || x.Conformance.Immediacy.Trials == 0 {
			return missing, plain
		}
		return f(x.Conformance.Immediacy)
	}
}

func (t *terminal) tally(p *proof.Proof, f func(tally) (string, tone)) func(int) (string, tone) {
	return func(c int) (string, tone) {
		x := &p.Targets[c]
		if x.Error != "" || x.Conformance == nil {
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

// costLines has one line per protocol instead of a table.
func (t *terminal) costLines(p *proof.Proof) {
	for _, r := range costRows(p) {
		if !r.Cost.Present && !r.CoreExtra.Present {
			continue
		}
		var parts []string
		if r.Cost.Present {
			parts = append(parts, r.Cost.Short()+" ms"+mark(r.Cost, r.CostStands))
		}
		if r.CoreExtra.Present {
			parts = append(parts, "core CPU "+r.CoreExtra.Short()+" µs"+mark(r.Ratio, r.RatioStands))
		}
		if r.Database.Present {
			parts = append(parts, "db CPU "+r.Database.Short()+" µs")
		}
		t.fact("cost, "+cut(r.Protocol, 9), plain, strings.Join(parts, ", "))
	}
}

// costs has one table per protocol, so that targets stand side by side in each;
// one target alone has its protocols side by side.
func (t *terminal) costs(p *proof.Proof) {
	var order []string
	byProtocol := map[string][]costRow{}
	for _, r := range costRows(p) {
		if !r.Cost.Present && !r.CoreExtra.Present {
			continue
		}
		key := r.Protocol
		if len(p.Targets) == 1 {
			key = ""
		}
		if byProtocol[key] == nil {
			order = append(order, key)
		}
		byProtocol[key] = append(byProtocol[key], r)
	}
	for _, key := range order {
		rows := byProtocol[key]
		heads := make([]string, len(rows))
		for i, r := range rows {
			heads[i] = cut(r.Target, 30)
			if len(p.Targets) == 1 {
				heads[i] = cut(r.Protocol, 30)
			}
		}
		title := "cost per call"
		if key != "" {
			title = "cost, " + key
		}
		figure := func(f func(r costRow) string) func(int) (string, tone) {
			return func(c int) (string, tone) { return f(rows[c]), plain }
		}
		t.table(title, heads, []tableRow{
			{"median, ms", figure(func(r costRow) string { return r.Cost.Short() + mark(r.Cost, r.CostStands) })},
			{"  both alike", figure(func(r costRow) string { return r.FloorLatency.Short() })},
			{"core CPU, µs", figure(func(r costRow) string { return r.CoreExtra.Short() })},
			{"db CPU, µs", figure(func(r costRow) string {
				if !r.Database.Present {
					return r.DatabaseNote
				}
				return r.Database.Short()
			})},
			{"CPU on/off", figure(func(r costRow) string { return r.Ratio.Short() + mark(r.Ratio, r.RatioStands) })},
			{"  both alike", figure(func(r costRow) string { return r.Floor.Short() })},
			{"calls/s off→on", figure(func(r costRow) string { return r.Capacity })},
			{"per CPU-second", figure(func(r costRow) string { return r.PerCPU })},
		})
	}
	if len(order) > 0 {
		t.wrapped("  ", "on − off per call, ± half of the 95 % interval. \"both alike\" is the noise floor: what two equal sides gave; a cost inside it shows nothing.")
	}
}

// mark says beside a figure that it shows nothing.
func mark(m measured, s standing) string {
	if m.Present && s == noise {
		return " noise"
	}
	return ""
}

// failures shows the first failing checks in full, and what else failed.
func (t *terminal) failures(p *proof.Proof) {
	shown := 0
	for i := range p.Targets {
		x := &p.Targets[i]
		if x.Conformance == nil || x.Error != "" {
			continue
		}
		for j := range x.Conformance.Checks {
			k := &x.Conformance.Checks[j]
			if k.Outcome != proof.Fail || !x.Conformance.Decides(k) {
				continue
			}
			if shown == 0 {
				t.line("")
				t.line("failing checks")
			}
			if shown++; shown <= terminalFailing {
				t.failing(len(p.Targets) > 1, x.Name, k)
			}
		}
	}
	if shown > terminalFailing {
		t.line(fmt.Sprintf("  and %d more", shown-terminalFailing))
	}
	t.list("other failures", bad, 1, short(p, withoutChecks(p)))
}

// missing is what could not be tried, and what weakens the rest.
func (t *terminal) missing(s *summary) {
	t.list("could not be tried", unsure, 2, s.Untried)
	each := 2
	if len(s.Failures) > 0 {
		each = 1 // failures come first; the full report has the rest
	}
	t.list("to know", plain, each, s.Gaps)
}

// withoutChecks are the failures that are no failed checks: those have been
// shown in full.
func withoutChecks(p *proof.Proof) []string {
	bare := proof.Proof{Budgets: p.Budgets}
	for _, t := range p.Targets {
		t.Conformance = nil
		bare.Targets = append(bare.Targets, t)
	}
	fails, _ := proof.Findings(&bare)
	return fails
}

func (t *terminal) failing(several bool, target string, k *proof.Check) {
	title := fmt.Sprintf("%s %s", oneLine(k.ID), oneLine(k.Title))
	if k.Protocol != "" {
		title += " (" + oneLine(k.Protocol) + ")"
	}
	if several {
		title = oneLine(target) + ": " + title
	}
	t.line("  " + t.paint(bad, cut(title, t.width-2)))
	for i, l := range wrap(clip(oneLine("want "+k.Expected+", got "+k.Got), 150), t.width-6) {
		t.line("    " + strings.Repeat(" ", min(i, 1)*2) + l)
	}
	for _, command := range []string{k.Replay, k.Rerun} {
		if command != "" {
			t.line("    $ " + oneLine(command))
		}
	}
}

// list writes the first entries of a list under a title, each in at most so
// many lines.
func (t *terminal) list(title string, n tone, each int, entries []string) {
	if len(entries) == 0 {
		return
	}
	t.line("")
	t.line(t.paint(n, title))
	shown, left := first(entries, terminalLines)
	for _, e := range shown {
		lines := wrap(oneLine(e), t.width-4)
		if len(lines) > each {
			lines = append(lines[:each-1], cut(strings.Join(lines[each-1:], " "), t.width-4))
		}
		for i, l := range lines {
			t.line(map[bool]string{true: "  - ", false: "    "}[i == 0] + l)
		}
	}
	if left > 0 {
		t.line(fmt.Sprintf("    and %d more", left))
	}
}

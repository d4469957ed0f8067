package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// failures shows the first failing checks in full, and what else failed.
func (t *terminal) failures(p *proof.Proof) {
	shown := 0
	for i := range p.Targets {
		x := &p.Targets[i]
		if x.Conformance == nil {
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

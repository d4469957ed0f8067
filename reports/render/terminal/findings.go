package terminal

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/words"
)

// failures shows the first failing checks in full, and what else failed. A check
// that another one's failure explains is not shown again.
func (t *terminal) failures(p *proof.Proof) {
	shown := 0
	for i := range p.Targets {
		x := &p.Targets[i]
		if x.Conformance == nil {
			continue
		}
		for j := range x.Conformance.Checks {
			k := &x.Conformance.Checks[j]
			if k.Outcome != proof.Fail || !t.sum.Decides(x.Conformance, k) || t.sum.Cause(x.Conformance, k) != nil {
				continue
			}
			if shown == 0 {
				t.line("")
				t.line("failing checks")
			}
			if shown++; shown <= mostFailing {
				t.failing(len(p.Targets) > 1, x, k)
			}
		}
	}
	if shown > mostFailing {
		t.line(fmt.Sprintf("  and %d more", shown-mostFailing))
	}
	var other []string
	for _, f := range p.Verdict.Findings {
		if f.Weight == proof.Fails && f.Kind != verdict.KindCheck {
			other = append(other, t.sum.Line(f))
		}
	}
	t.list("other failures", summary.Bad, other)
}

// missing is what could not be tried, and what weakens the rest.
func (t *terminal) missing() {
	t.list("could not be tried", summary.Unsure, t.sum.Untried)
	t.list("to know", summary.Plain, t.sum.ToKnow)
}

func (t *terminal) failing(several bool, x *proof.Target, k *proof.Check) {
	title := fmt.Sprintf("%s %s", words.OneLine(k.ID), words.OneLine(k.Title))
	if k.Protocol != "" {
		title += " (" + words.OneLine(k.Protocol) + ")"
	}
	if several {
		title = words.OneLine(x.Name) + ": " + title
	}
	t.line("  " + t.paint(summary.Bad, words.Cut(title, t.width-2)))
	for i, l := range words.Wrap(words.Clip(summary.Why(k), 200), t.width-6) {
		t.line("    " + strings.Repeat(" ", min(i, 1)*2) + l)
	}
	for _, c := range summary.Commands(x, k) {
		if strings.Contains(c.Name, "gone") { // more than the command says itself
			t.line("    # " + c.Name)
		}
		t.line("    $ " + c.Value)
	}
}

// list writes the first entries of a list under a title, each whole: its end is
// often what to do about it.
func (t *terminal) list(title string, n summary.Tone, entries []string) {
	if len(entries) == 0 {
		return
	}
	t.line("")
	t.line(t.paint(n, title))
	shown, left := words.First(entries, mostLines)
	for _, e := range shown {
		for i, l := range words.Wrap(words.Clip(words.OneLine(e), mostText), t.width-4) {
			t.line(map[bool]string{true: "  - ", false: "    "}[i == 0] + l)
		}
	}
	if left > 0 {
		t.line(fmt.Sprintf("    and %d more", left))
	}
}

package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// tone is how good or bad a statement is; reports colour by it, and never say
// a thing by colour alone.
type tone string

const (
	good   tone = "good"
	bad    tone = "bad"
	unsure tone = "unsure"
	plain  tone = "plain"
)

// summary is what every report says first.
type summary struct {
	Outcome  proof.Outcome
	Word     string // PASS, FAIL, NO VERDICT
	Tone     tone
	Subject  string // what was tried
	Sentence string
	Stale    keyFigure
	Cost     keyFigure
	Capacity keyFigure
	Failures []string // what failed
	Untried  []string // what keeps a verdict from being reached
	Gaps     []string // what a reader must know is missing or weak
	Edited   string   // how the stored verdict differs from the evidence, or ""

	costIsNoise bool
}

// summarise judges p anew and puts the result into words.
func summarise(p *proof.Proof) summary {
	v := proof.Judge(p)
	s := summary{Outcome: v.Outcome, Subject: subject(p), Stale: staleFigure(p), Cost: costFigure(p), Capacity: capacityFigure(p), Gaps: gaps(p)}
	s.Failures, s.Untried = proof.Findings(p)
	s.Failures, s.Untried, s.Gaps = short(p, s.Failures), short(p, s.Untried), short(p, s.Gaps)
	s.Word, s.Tone = verdictWord(v.Outcome)
	s.costIsNoise = costIsNoise(p)
	if s.Stale.Tone == good && s.Outcome != proof.Pass {
		s.Stale.Tone = plain // nothing is green on a page that does not say PASS
	}
	s.Sentence = sentence(p, &s)
	// A proof that was never saved has no verdict yet; that is no edit.
	if p.Verdict.Outcome != "" {
		if err := proof.CheckVerdict(p); err != nil {
			s.Edited = oneLine(err.Error()) + "; the proof was edited or comes from another version. Shown here is what the evidence says."
		}
	}
	return s
}

// short leaves out the target's name before each line where there is only one.
func short(p *proof.Proof, lines []string) []string {
	if len(p.Targets) != 1 {
		return lines
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimPrefix(strings.TrimPrefix(l, p.Targets[0].Name+": "), oneLine(p.Targets[0].Name)+": ")
	}
	return out
}

func verdictWord(o proof.Outcome) (string, tone) {
	switch o {
	case proof.Pass:
		return "PASS", good
	case proof.Fail:
		return "FAIL", bad
	default:
		return "NO VERDICT", unsure
	}
}

// judgeAlone is the verdict on one target, with its budgets.
func judgeAlone(p *proof.Proof, t *proof.Target) proof.Outcome {
	one := proof.Proof{Targets: []proof.Target{*t}}
	for _, b := range p.Budgets {
		if b.Target == t.Name {
			one.Budgets = append(one.Budgets, b)
		}
	}
	return proof.Judge(&one).Outcome
}

// subject names the core, and the targets it was tried on.
func subject(p *proof.Proof) string {
	if len(p.Targets) == 0 {
		return "nothing was tried"
	}
	core := coreName(p.Targets[0].Core)
	for _, t := range p.Targets[1:] {
		if t.Error == "" && coreName(t.Core) != core {
			core = "several cores"
			break
		}
	}
	var on []string
	for _, t := range p.Targets {
		on = append(on, oneLine(t.Name))
	}
	on, left := first(on, 6)
	if left > 0 {
		on = append(on, fmt.Sprintf("%d more", left))
	}
	return core + " on " + list(on)
}

func coreName(s proof.Server) string {
	name := oneLine(strings.TrimSpace(s.Product + " " + s.Version))
	if name == "" {
		return "unnamed core"
	}
	return name
}

// list joins words as a sentence does.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

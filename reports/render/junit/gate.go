package junit

import (
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// gateCases has a case a budget. What is undecided is skipped, since it must not
// block a merge by itself, unless the gate is strict.
func gateCases(p *proof.Proof) (out []junitCase) {
	if p.Gate == nil {
		return nil
	}
	for i := range p.Gate.Budgets {
		b := &p.Gate.Budgets[i]
		c := junitCase{Name: summary.GateName(b)}
		text := words.Clip(words.OneLine(b.Text), mostMessage)
		switch {
		case b.Outcome == proof.Pass:
			c.SystemOut = textOf(text + "\n")
		case b.Outcome == proof.Skip, b.Outcome == proof.Undecided && !p.Gate.Strict:
			c.Skipped = &junitResult{Message: words.OneLine(summary.OutcomeWord(b.Outcome) + ": " + text)}
		default:
			result(&c, b.Outcome, text)
		}
		out = append(out, c)
	}
	return out
}

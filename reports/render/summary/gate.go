package summary

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// GateRow is one budget of a gate, or several that held, in words.
type GateRow struct {
	Name  string // with target and protocol
	Word  string
	Tone  Tone
	Found string
}

// GateRows are a gate's budgets: each figure and whatever did not hold by itself,
// counts and profiles that held in one row each. nil where p has no gate.
func GateRows(p *proof.Proof) (out []GateRow) {
	if p.Gate == nil {
		return nil
	}
	statements, profiles := 0, 0
	for i := range p.Gate.Budgets {
		b := &p.Gate.Budgets[i]
		switch held := b.Outcome == proof.Pass; {
		case held && b.Unit == "statements":
			statements++
		case held && b.Unit == "checks":
			profiles++
		default:
			out = append(out, GateRow{Name: GateName(b), Word: OutcomeWord(b.Outcome), Tone: OutcomeTone(b.Outcome), Found: words.OneLine(b.Text)})
		}
	}
	if statements > 0 {
		out = append(out, GateRow{"statements", OutcomeWord(proof.Pass), Good, words.Plural(statements, "count") + " per call, none higher than base's"})
	}
	if profiles > 0 {
		out = append(out, GateRow{"profiles", OutcomeWord(proof.Pass), Good, words.Plural(profiles, "profile") + ": no check that base passed fails on head"})
	}
	return out
}

// GateName is what a budget is called, with what it concerns.
func GateName(b *proof.GateBudget) string {
	parts := []string{b.Name}
	for _, s := range []string{b.Target, b.Protocol} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return words.OneLine(strings.Join(parts, ", "))
}

// ofGate replaces what a proof of one build says first.
func (s *Summary) ofGate() {
	g := s.Proof.Gate
	s.Subject = words.OneLine(fmt.Sprintf("head %s against base %s", g.Head.Ref, g.Base.Ref))
	figures := []*Figure{&s.Accepted, &s.Cost, &s.Capacity}
	*figures[0] = Figure{Name: "CPU per verify, head against base", Value: "not measured", Detail: "No duet of the two builds was measured.", Tone: Unsure}
	if g.Saved { // the one ratio that is held then is the price of the flag
		figures[0].Name, figures[0].Detail = "CPU on / off, head against base", "The two proofs do not both have the price of the flag."
	}
	*figures[1] = Figure{Name: "Budgets", Value: "none", Detail: "Nothing was compared.", Tone: Unsure}
	*figures[2] = Figure{Name: "Decided by", Value: words.OneLine(g.Reason), Detail: fmt.Sprintf("%s of measuring, %s at most.", words.Duration(g.Measured), words.Duration(g.MaxTime)), Tone: Plain}
	if g.Saved {
		figures[2].Detail = "Two saved proofs; nothing was measured anew."
	}
	held := 0
	var texts []string
	var worst *proof.GateBudget
	for i := range g.Budgets {
		b := &g.Budgets[i]
		if b.Outcome == proof.Pass {
			held++
		}
		if b.Unit == "ratio" && b.Observed != nil {
			if worst == nil || b.Observed.Value > worst.Observed.Value {
				worst = b
			}
			texts = append(texts, GateName(b)+": "+words.OneLine(b.Text))
		}
	}
	if worst != nil {
		figures[0].Value, figures[0].Tone = fmt.Sprintf("%+.1f %%", 100*(worst.Observed.Value-1)), OnlyBad(OutcomeTone(worst.Outcome))
		figures[0].Detail = strings.Join(texts, ". ") + "."
	}
	if n := len(g.Budgets); n > 0 {
		figures[1].Value, figures[1].Detail, figures[1].Tone = fmt.Sprintf("%d of %d held", held, n), "Figures, counts and profiles that head is held to.", Plain
	}
}

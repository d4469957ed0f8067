// Package summary is what every report says, in words and figures: one value
// that all formats show, each in its own way. It decides nothing: the verdict and
// its findings are derived anew from the evidence by package verdict, so that a
// stored verdict that was edited misleads nobody.
package summary

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/words"
)

// Tone is how good or bad a statement is; reports colour by it, and never say a
// thing by colour alone.
type Tone string

const (
	Good   Tone = "good"
	Bad    Tone = "bad"
	Unsure Tone = "unsure"
	Plain  Tone = "plain"
)

// Summary is what every report says first.
type Summary struct {
	// Proof is a copy of the given one, with all that is derived derived anew.
	Proof    *proof.Proof
	Outcome  proof.Outcome
	Word     string // PASS; PASS, incomplete; FAIL; NO VERDICT
	Tone     Tone
	Subject  string // what was tried
	Headline string
	// The three figures of a first screen.
	Accepted, Cost, Capacity Figure
	// Findings by weight, one line each.
	Failures, Untried []string
	// Open are budgets of a gate that were not decided, or could not be.
	Open []string
	// ToKnow is what a reader must know before relying on the rest.
	ToKnow []string
	// Edited says how the stored outcomes differ from the evidence; "" when they
	// do not, or when nothing was stored yet.
	Edited string
}

// Of derives p anew, on a copy, and puts the result into words.
func Of(p *proof.Proof) *Summary {
	own := proof.Clone(p)
	verdict.Derive(own)
	v := own.Verdict
	s := &Summary{Proof: own, Outcome: v.Outcome, Subject: subject(own), Headline: words.OneLine(v.Headline)}
	s.Word, s.Tone = Word(v.Outcome)
	s.Accepted, s.Cost, s.Capacity = acceptedFigure(own), costFigure(own), capacityFigure(own)
	for _, f := range v.Findings {
		switch line := s.Line(f); {
		case f.Weight == proof.Fails:
			s.Failures = append(s.Failures, line)
		case f.Kind == verdict.KindGate:
			s.Open = append(s.Open, line)
		case f.Weight == proof.Untried:
			s.Untried = append(s.Untried, line)
		default:
			s.ToKnow = append(s.ToKnow, line)
		}
	}
	s.ToKnow = append(s.ToKnow, gaps(own)...)
	if own.Gate != nil {
		s.ofGate()
	}
	if s.Accepted.Tone == Good && s.Outcome != proof.Pass {
		s.Accepted.Tone = Plain // nothing is green on a page that does not say PASS
	}
	if p.Verdict.Outcome != "" { // else it was not derived yet, which is no edit
		if d := verdict.Compare(p); len(d) > 0 {
			s.Edited = fmt.Sprintf("%s from the evidence, e.g. %s; the proof was edited or comes from another version. Shown here is what the evidence says.",
				differ(len(d)), words.Clip(words.OneLine(d[0].String()), 300))
		}
	}
	return s
}

func differ(n int) string {
	if n == 1 {
		return "1 stored outcome differs"
	}
	return words.Count(n) + " stored outcomes differ"
}

// Line is a finding in one line, with what it concerns.
func (s *Summary) Line(f proof.Finding) string {
	var b strings.Builder
	if f.Target != "" && len(s.Proof.Targets) > 1 {
		b.WriteString(words.OneLine(f.Target) + ": ")
	}
	if f.Check != "" {
		b.WriteString(words.OneLine(f.Check) + " ")
	}
	b.WriteString(words.OneLine(f.Text))
	if f.Protocol != "" {
		b.WriteString(" (" + words.OneLine(f.Protocol) + ")")
	}
	return b.String()
}

// Word is what an outcome of a run is called.
func Word(o proof.Outcome) (string, Tone) {
	switch o {
	case proof.Pass:
		return "PASS", Good
	case proof.Incomplete:
		return "PASS, incomplete", Unsure
	case proof.Fail:
		return "FAIL", Bad
	case proof.Undecided:
		return "UNDECIDED", Unsure
	default:
		return "NO VERDICT", Unsure
	}
}

// Decides says whether a check weighs on the verdict.
func (s *Summary) Decides(c *proof.Conformance, k *proof.Check) bool {
	return verdict.Decides(c, k, s.Proof.Require)
}

// Cause is the failed check that explains k, or nil.
func (s *Summary) Cause(c *proof.Conformance, k *proof.Check) *proof.Check {
	return verdict.Cause(c, k, s.Proof.Require)
}

// Of one target of s.Proof.
func (s *Summary) Target(t *proof.Target) (string, Tone) { return Word(verdict.Target(s.Proof, t)) }

// subject names the core, and the targets it was tried on.
func subject(p *proof.Proof) string {
	if len(p.Targets) == 0 {
		return "nothing was tried"
	}
	// A target that could not be tried may not have told its core's name.
	core := ""
	for _, t := range p.Targets {
		switch name := CoreName(t.Core); {
		case t.Error != "":
		case core == "":
			core = name
		case core != name:
			core = "several cores"
		}
	}
	if core == "" {
		core = CoreName(p.Targets[0].Core)
	}
	var on []string
	for _, t := range p.Targets {
		name := words.OneLine(t.Name)
		if t.Kind == "url" {
			name = "by URL"
		} else {
			name = "on " + name
		}
		on = append(on, name)
	}
	on, left := words.First(on, 6)
	if left > 0 {
		on = append(on, fmt.Sprintf("%d more", left))
	}
	for i := range on[1:] {
		on[i+1] = strings.TrimPrefix(on[i+1], "on ")
	}
	return core + " " + List(on)
}

// CoreName is what a core is called: by the caller, else by itself.
func CoreName(s proof.Server) string {
	name := s.Name
	if name == "" {
		name = s.Product
	}
	if name = words.OneLine(strings.TrimSpace(name + " " + s.Version)); name == "" {
		return "unnamed core"
	}
	return name
}

// List joins words as a sentence does.
func List(items []string) string {
	switch n := len(items); n {
	case 0:
		return ""
	case 1:
		return items[0]
	default:
		return strings.Join(items[:n-1], ", ") + " and " + items[n-1]
	}
}

// Enumerate joins at most six items and says how many more there are.
func Enumerate(items []string) string {
	shown, left := words.First(items, 6)
	s := strings.Join(shown, ", ")
	if left > 0 {
		s += fmt.Sprintf(" and %d more", left)
	}
	return s
}

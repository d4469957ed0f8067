// Package many puts several proofs on one sheet: two by two, and as a trend.
package many

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/sheet"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/verdict/several"
	"github.com/coreproof/coreproof/reports/words"
)

var answerTones = map[several.Answer]summary.Tone{several.Better: summary.Good, several.Worse: summary.Bad, several.Mixed: summary.Unsure, several.Untold: summary.Unsure}

// Comparison is the sheet of a comparison.
func Comparison(c *several.Comparison) *sheet.Sheet {
	s := &sheet.Sheet{Title: "compared with " + c.Base.Name, Tone: summary.Plain}
	var sentences []string
	var answers []several.Answer
	for i := range c.Others {
		a := &c.Others[i]
		answers = append(answers, a.Answer)
		sentences = append(sentences, a.Name+" "+said(a))
		s.Sections = append(s.Sections, againstSection(c, a))
	}
	s.Word, s.Tone = heading(together(answers))
	if len(c.Others) == 1 {
		s.Title = c.Others[0].Name + " compared with " + c.Base.Name
	}
	s.Sentence = strings.Join(sentences, " ")
	s.Notes = []string{
		"The answer goes by counts and by the ratio on / off, whose two sides took turns within one run. Figures marked \"runs apart\" come from different runs: what differs from run to run, such as other load on the machine, is in no interval. To hold a build against another, call both in turn: coreproof gate.",
		"A difference is shown where the quotient of the two 95 % intervals leaves 1 out (at least 90 % sure) and, for the ratio, where it is larger than what two equal sides gave. Machines are told apart by CPU, memory and kernel alone.",
	}
	if !derivedFrom(c) {
		s.Notes = append(s.Notes, "At least one of the proofs did not pass: see its own report.")
	}
	return s
}

func derivedFrom(c *several.Comparison) bool {
	all := []several.Named{c.Base}
	for _, o := range c.Others {
		all = append(all, o.Named)
	}
	for _, n := range all {
		if o := n.Proof.Verdict.Outcome; o != proof.Pass && o != proof.Incomplete {
			return false
		}
	}
	return true
}

// together is one answer for several proofs: a good one only where it is that of all.
func together(list []several.Answer) several.Answer {
	for _, a := range []several.Answer{several.Worse, several.Mixed, several.Untold} {
		if slices.Contains(list, a) {
			return a
		}
	}
	if slices.ContainsFunc(list, func(a several.Answer) bool { return a != list[0] }) {
		return several.Mixed
	}
	return list[0]
}

func heading(a several.Answer) (string, summary.Tone) {
	switch a {
	case several.Better:
		return "BETTER", summary.Good
	case several.Worse:
		return "WORSE", summary.Bad
	case several.Mixed:
		return "MIXED", summary.Unsure
	case several.Noise:
		return "NO DIFFERENCE SHOWN", summary.Plain
	default:
		return "CANNOT BE TOLD", summary.Unsure
	}
}

// said is an answer as a sentence goes on after the proof's name.
func said(a *several.Against) string {
	var better, worse, apart byPlace
	var lost []string
	untold := ""
	for _, r := range a.Rows {
		what := r.Name
		switch {
		case r.Ratio != nil:
			what += " " + words.Change(r.Ratio.Value)
		case r.Was != nil && r.Is != nil:
			what += fmt.Sprintf(" %s → %s", words.Figure(r.Was.Value), words.Figure(r.Is.Value))
		case r.WasText != "":
			what += fmt.Sprintf(" %s → %s", r.WasText, r.IsText)
		}
		switch {
		case r.Lost:
			lost = append(lost, strings.TrimPrefix(r.Place+": ", ": ")+r.Name+": "+r.Why)
		case r.Answer == several.Untold:
			if untold == "" {
				untold = r.Why
			}
		case r.Apart && (r.Answer == several.Better || r.Answer == several.Worse):
			apart.add(r.Place, what)
		case r.Answer == several.Better:
			better.add(r.Place, what)
		case r.Answer == several.Worse:
			worse.add(r.Place, what)
		}
	}
	var out []string
	if len(worse.places) > 0 {
		out = append(out, "is worse ("+worse.String()+")")
	}
	if len(better.places) > 0 {
		out = append(out, "is better ("+better.String()+")")
	}
	text := strings.Join(out, " and ")
	if text == "" {
		switch {
		case len(lost) > 0:
			text = "does not show all that the base shows, and so is neither better nor alike"
		case a.Machines != "":
			text = "cannot be compared in what was measured: " + a.Machines
		case len(a.Rows) == 0:
			text = "has no target and version in common with it (" + a.Apart + "): nothing can be compared"
		case a.Answer == several.Untold:
			text = "cannot be compared: " + untold
			if slices.ContainsFunc(a.Rows, func(r several.Row) bool { return r.Answer == several.Same }) {
				text += "; counts and rules are the same as far as both have them"
			}
		default:
			text = "shows no difference beyond noise"
		}
	}
	if len(lost) > 0 {
		text += "; not shown any more: " + strings.Join(lost, "; ")
	}
	if a.Load != "" && len(a.Rows) > 0 {
		text += "; their loads differ (" + a.Load + ")"
	}
	if len(apart.places) > 0 {
		text += "; runs apart, it has " + apart.String()
	}
	return text + "."
}

// byPlace lists things by the place that they concern, in order.
type byPlace struct {
	places []string
	things map[string][]string
}

func (b *byPlace) add(place, what string) {
	if b.things == nil {
		b.things = map[string][]string{}
	}
	if b.things[place] == nil {
		b.places = append(b.places, place)
	}
	b.things[place] = append(b.things[place], what)
}

func (b *byPlace) String() string {
	var out []string
	for _, p := range b.places {
		out = append(out, p+": "+summary.Enumerate(b.things[p]))
	}
	return strings.Join(out, "; ")
}

func againstSection(c *several.Comparison, a *several.Against) sheet.Section {
	s := sheet.Section{Title: a.Name, Word: string(a.Answer), Tone: answerTones[a.Answer]}
	s.Texts = append(s.Texts, fmt.Sprintf("Verdicts: %s %s, %s %s.", c.Base.Name, c.Base.Proof.Verdict.Outcome, a.Name, a.Proof.Verdict.Outcome))
	if a.Machines != "" {
		s.Texts = append(s.Texts, "Nothing that was measured can be compared: "+a.Machines+".")
	}
	for _, d := range a.Differs {
		s.Texts = append(s.Texts, "What else differs: "+d)
	}
	var order []string
	by := map[string]*sheet.Table{}
	for _, r := range a.Rows {
		t := by[r.Place]
		if t == nil {
			t = &sheet.Table{Caption: r.Place, Head: []string{"Figure", "Was", "Is", "Change", "Answer", ""}}
			by[r.Place] = t
			order = append(order, r.Place)
		}
		t.Rows = append(t.Rows, comparedRow(&r))
	}
	for _, p := range order {
		t := by[p]
		t.Head[5] = "Why"
		s.Tables = append(s.Tables, *t)
	}
	return s
}

func comparedRow(r *several.Row) []sheet.Cell {
	side := func(e *proof.Estimate, text string) sheet.Cell {
		m := summary.Measure(e)
		switch {
		case e == nil && text == "":
			return sheet.Cell{Text: summary.Missing, Number: true}
		case e == nil:
			return sheet.Cell{Text: text, Number: true}
		case e.Method == "": // a count
			return sheet.Cell{Text: words.Figure(e.Value), Number: true}
		}
		return sheet.Cell{Text: strings.TrimSpace(m.Value + " " + m.Unit), Sub: m.Bounds(), Number: true}
	}
	change := sheet.Cell{Text: summary.Missing, Number: true}
	if r.Ratio != nil {
		change = sheet.Cell{Text: words.Change(r.Ratio.Value), Sub: words.Change(r.Ratio.Interval.Low) + " to " + words.Change(r.Ratio.Interval.High), Number: true}
	}
	answer := sheet.Cell{Text: string(r.Answer), Tone: answerTones[r.Answer]}
	if r.Apart && (r.Answer == several.Better || r.Answer == several.Worse) {
		answer.Sub, answer.Tone = "runs apart", summary.Plain
	}
	why := r.Why
	if why == "" {
		why = summary.Missing
	}
	return []sheet.Cell{{Text: r.Name}, side(r.Was, r.WasText), side(r.Is, r.IsText), change, answer, {Text: why}}
}

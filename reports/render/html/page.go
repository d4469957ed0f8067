package html

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// page is everything that the template of the HTML report shows, in words. The
// template decides nothing.
type page struct {
	CSS        template.CSS
	Title      string
	Sum        *summary.Summary
	Subject    string
	Numbers    []summary.Figure
	Glossary   []summary.Term
	Notes      lines
	Failures   lines
	Untried    lines
	Gaps       lines
	LessDetail bool // the proof has more than the page shows
	TargetsCut int  // targets that are left out
	When       string
	Tool       string
	Several    bool

	Gate      table
	Immediacy []immediacyView
	Histories table
	Cost      costView
	Claims    claimsView
	Budgets   table
	Checks    []targetChecks
	Method    []facts
}

// table is rows of text under headings.
type table struct {
	Caption string
	Head    []string
	Rows    [][]cell
	Left    int
	// Quiet tables stand under a heading that says what the caption says: only
	// screen readers get the caption.
	Quiet bool
}

// cell is a text with, below it, its interval or another remark.
type cell struct {
	Text, Sub string
	Tone      summary.Tone
	Number    bool
}

func text(s string) cell                  { return cell{Text: s} }
func numeric(s string) cell               { return cell{Text: s, Number: true} }
func toned(s string, n summary.Tone) cell { return cell{Text: s, Tone: n} }
func estimate(m summary.Measured) cell    { return estimateAs(m, m.Value) }
func withSub(c cell, s string) cell       { c.Sub = s; return c }

// estimateAs shows an estimate whose value is written in another way.
func estimateAs(m summary.Measured, value string) cell {
	switch {
	case !m.Present:
		return cell{Text: summary.Missing, Number: true}
	case !m.Interval:
		return cell{Text: value, Sub: m.Bounds(), Number: true}
	default:
		return cell{Text: value, Sub: m.Bounds(), Number: true}
	}
}

// facts is a titled list of names and values.
type facts struct {
	Title string
	Pairs []summary.Pair
	Lists []titled
}

// titled is a list under a title.
type titled struct {
	Title string
	lines
}

func newPage(s *summary.Summary, l limits, less bool) page {
	p := s.Proof
	g := page{
		CSS: template.CSS(look.CSS), Sum: s, Subject: l.text(s.Subject), LessDetail: less,
		Numbers: []summary.Figure{s.Accepted, s.Cost, s.Capacity}, Glossary: summary.Glossary(),
		Notes: l.lines(p.Notes), Failures: l.lines(s.Failures), Untried: l.lines(append(s.Open[:len(s.Open):len(s.Open)], s.Untried...)), Gaps: l.lines(s.ToKnow),
		When: words.Moment(p.Started), Tool: l.text(strings.TrimSpace(p.Tool.Name + " " + p.Tool.Version)),
	}
	g.Title = fmt.Sprintf("%s: %s", s.Word, g.Subject)
	part := *p
	part.Targets, g.TargetsCut = words.First(p.Targets, l.Targets)
	g.Several = len(part.Targets) > 1
	g.Gate = gateTable(p, l)
	g.Immediacy = immediacyViews(s, &part, l)
	g.Histories = historyTable(&part, l)
	g.Cost = newCostView(&part, l)
	g.Claims = newClaimsView(&part, l)
	g.Budgets = budgetTable(&part, l)
	g.Checks = checksByTarget(s, &part, l)
	g.Method = methodFacts(&part, l)
	return g
}

// immediacyView is the answer to the main question for one target.
type immediacyView struct {
	Target string
	Word   string
	Tone   summary.Tone
	Cells  []cell
}

func immediacyViews(s *summary.Summary, p *proof.Proof, l limits) []immediacyView {
	var out []immediacyView
	for i := range p.Targets {
		t := &s.Proof.Targets[i] // the same, and the one that findings are about
		w, n := s.Target(t)
		v := immediacyView{Target: l.text(t.Name), Word: strings.ToLower(w), Tone: n}
		c := t.Conformance
		if c == nil || c.Immediacy.Revokes == 0 {
			v.Cells = []cell{toned("not tried", summary.Unsure), numeric(summary.Missing), numeric(summary.Missing), numeric(summary.Missing), numeric(summary.Missing), numeric(summary.Missing), text(summary.Missing)}
			if c != nil {
				v.Cells[6] = text(s.Tally(c).String())
			}
			out = append(out, v)
			continue
		}
		m := c.Immediacy
		in := cell{Text: words.Count(m.Broken) + " of " + words.Count(m.Revokes), Sub: words.Count(m.Accepted) + " of " + words.Count(m.Calls) + " calls", Number: true, Tone: summary.Plain}
		window := numeric(summary.Missing)
		if m.Accepted > 0 || m.Broken > 0 {
			in.Tone = summary.Bad
			window = cell{Text: words.Duration(m.AcceptanceWindow), Number: true, Tone: summary.Bad}
		}
		twins := numeric(words.Count(m.TwinsAccepted) + " of " + words.Count(m.Twins))
		if m.TwinsAccepted == 0 {
			twins.Tone, twins.Sub = summary.Unsure, "shows nothing"
		}
		trials, accepted := 0, 0
		for _, x := range c.Switch {
			trials += x.Trials
			accepted += x.Accepted
		}
		off := numeric(summary.Missing)
		if trials > 0 {
			off = numeric(words.Count(accepted) + " of " + words.Count(trials))
		}
		concurrent := numeric(summary.Missing)
		if m.Concurrent > 0 {
			concurrent = numeric(words.Count(m.ConcurrentAccepted) + " of " + words.Count(m.Concurrent))
		}
		v.Cells = []cell{in, numeric("≤ " + words.Percent(m.UpperBound)), window, twins, off, concurrent, text(s.Tally(c).String())}
		out = append(out, v)
	}
	return out
}

func historyTable(p *proof.Proof, l limits) table {
	t := table{Caption: "Histories of concurrent clients, judged by a linearizability checker", Head: []string{"Target", "Check", "Protocol", "Operations", "Sessions", "Clients", "Result", "Judged in", "File"}}
	for _, x := range p.Targets {
		if x.Conformance == nil {
			continue
		}
		for _, h := range x.Conformance.Histories {
			n := map[string]summary.Tone{"linearizable": summary.Good, "not linearizable": summary.Bad}[h.Result]
			if n == "" {
				n = summary.Unsure
			}
			t.Rows = append(t.Rows, []cell{text(l.text(x.Name)), text(l.text(h.Check)), text(l.text(h.Protocol)), numeric(words.Count(h.Operations)), numeric(words.Count(h.Sessions)),
				numeric(words.Count(h.Clients)), toned(l.text(h.Result), n), numeric(words.Duration(h.Took)), text(l.text(h.File))})
		}
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

func budgetTable(p *proof.Proof, l limits) table {
	t := table{Caption: "Limits that were set for this run", Head: []string{"Target", "Budget", "Protocol", "Found", "Limit", "Result"}}
	for _, b := range p.Budgets {
		r := toned(summary.OutcomeWord(b.Outcome), summary.OutcomeTone(b.Outcome))
		if b.Reason != "" {
			r.Sub = l.text(b.Reason)
		}
		t.Rows = append(t.Rows, []cell{text(l.text(b.Target)), text(l.text(b.Name)), text(l.text(b.Protocol)), estimate(summary.Measure(b.Observed)),
			numeric(words.Figure(b.Limit) + " " + l.text(b.Unit)), r})
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

package render

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// page is everything that the template of the HTML report shows, in words. The
// template decides nothing.
type page struct {
	CSS        template.CSS
	Title      string
	Sum        summary
	Subject    string
	Numbers    []keyFigure
	Notes      lines
	Failures   lines
	Untried    lines
	Gaps       lines
	LessDetail bool // the proof has more than the page shows
	TargetsCut int  // targets that are left out
	When       string
	Tool       string
	Several    bool

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
	Tone      tone
	Number    bool
}

func text(s string) cell            { return cell{Text: s} }
func numeric(s string) cell         { return cell{Text: s, Number: true} }
func toned(s string, n tone) cell   { return cell{Text: s, Tone: n} }
func estimate(m measured) cell      { return estimateAs(m, m.Value) }
func withSub(c cell, s string) cell { c.Sub = s; return c }

// estimateAs shows an estimate whose value is written in another way.
func estimateAs(m measured, value string) cell {
	switch {
	case !m.Present:
		return cell{Text: missing, Number: true}
	case !m.Interval:
		return cell{Text: value, Sub: "one round", Number: true}
	default:
		return cell{Text: value, Sub: m.Low + " to " + m.High, Number: true}
	}
}

// facts is a titled list of names and values.
type facts struct {
	Title string
	Pairs []pair
	Lists []titled
}

// titled is a list under a title.
type titled struct {
	Title string
	lines
}

func newPage(p *proof.Proof, l limits, less bool) page {
	s := summarise(p)
	g := page{
		CSS: template.CSS(pageCSS), Sum: s, Subject: l.text(s.Subject), LessDetail: less,
		Numbers: []keyFigure{s.Stale, s.Cost, s.Capacity},
		Notes:   l.lines(p.Notes), Failures: l.lines(s.Failures), Untried: l.lines(s.Untried),
		When: moment(p.Started), Tool: l.text(strings.TrimSpace(p.Tool.Name + " " + p.Tool.Version)),
	}
	g.Title = fmt.Sprintf("%s: %s", s.Word, g.Subject)
	g.Gaps = l.lines(s.Gaps)
	part := *p
	part.Targets, g.TargetsCut = first(p.Targets, l.Targets)
	g.Several = len(part.Targets) > 1
	g.Immediacy = immediacyViews(&part, l)
	g.Histories = historyTable(&part, l)
	g.Cost = newCostView(&part, l)
	g.Claims = newClaimsView(&part, l)
	g.Budgets = budgetTable(&part, l)
	g.Checks = checksByTarget(&part, l)
	g.Method = methodFacts(&part, l)
	return g
}

// immediacyView is the answer to the main question for one target.
type immediacyView struct {
	Target string
	Word   string
	Tone   tone
	Cells  []cell
}

func immediacyViews(p *proof.Proof, l limits) []immediacyView {
	var out []immediacyView
	for i := range p.Targets {
		t := &p.Targets[i]
		w, n := verdictWord(judgeAlone(p, t))
		v := immediacyView{Target: l.text(t.Name), Word: strings.ToLower(w), Tone: n}
		if t.Conformance == nil || t.Conformance.Immediacy.Trials == 0 {
			v.Cells = []cell{toned("not tried", unsure), numeric(missing), numeric(missing), numeric(missing), numeric(missing), text(missing)}
			if t.Conformance != nil {
				v.Cells[5] = text(tallyChecks(t.Conformance).String())
			}
			out = append(out, v)
			continue
		}
		m := t.Conformance.Immediacy
		in := cell{Text: count(m.Accepted) + " of " + count(m.Trials), Number: true, Tone: plain}
		window := numeric(missing)
		if m.Accepted > 0 {
			in.Tone = bad
			window = cell{Text: duration(m.AcceptanceWindow), Number: true, Tone: bad}
		}
		control := numeric(count(m.ControlAccepted) + " of " + count(m.ControlTrials))
		if m.ControlAccepted == 0 {
			control.Tone, control.Sub = unsure, "shows nothing"
		}
		concurrent := numeric(missing)
		if m.ConcurrentTrials > 0 {
			concurrent = numeric(count(m.ConcurrentAccepted) + " of " + count(m.ConcurrentTrials))
		}
		v.Cells = []cell{in, numeric("≤ " + percent(m.UpperBound)), window, control, concurrent, text(tallyChecks(t.Conformance).String())}
		out = append(out, v)
	}
	return out
}

func historyTable(p *proof.Proof, l limits) table {
	t := table{Caption: "Histories of concurrent clients, judged by a linearizability checker", Head: []string{"Target", "Check", "Era", "Operations", "Sessions", "Clients", "Result", "Judged in", "File"}}
	for _, x := range p.Targets {
		if x.Conformance == nil {
			continue
		}
		for _, h := range x.Conformance.Histories {
			n := map[string]tone{"linearizable": good, "not linearizable": bad}[h.Result]
			if n == "" {
				n = unsure
			}
			t.Rows = append(t.Rows, []cell{text(l.text(x.Name)), text(l.text(h.Check)), text(eraWord(h.Era)), numeric(count(h.Operations)), numeric(count(h.Sessions)),
				numeric(count(h.Clients)), toned(l.text(h.Result), n), numeric(duration(h.Took)), text(l.text(h.File))})
		}
	}
	t.Rows, t.Left = first(t.Rows, l.Rows)
	return t
}

func budgetTable(p *proof.Proof, l limits) table {
	t := table{Caption: "Limits that were set for this run", Head: []string{"Target", "Budget", "Era", "Found", "Limit", "Result"}}
	for _, b := range p.Budgets {
		r := toned(outcomeWord(b.Outcome), outcomeTone(b.Outcome))
		if b.Reason != "" {
			r.Sub = l.text(b.Reason)
		}
		found := figure(b.Observed) + " " + l.text(b.Unit)
		if b.Outcome != proof.Pass && b.Outcome != proof.Fail {
			found = missing
		}
		t.Rows = append(t.Rows, []cell{text(l.text(b.Target)), text(l.text(b.Name)), text(eraWord(b.Era)), numeric(found), numeric(figure(b.Limit) + " " + l.text(b.Unit)), r})
	}
	t.Rows, t.Left = first(t.Rows, l.Rows)
	return t
}

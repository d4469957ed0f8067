// Package show writes plans and their validation: as a terminal table, in Markdown and
// in JSON. A new format is a function and a line in Formats.
package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/words"
)

// Format writes a plan one way.
type Format struct {
	Name       string
	Plan       func(io.Writer, *plan.Plan) error
	Validation func(io.Writer, *plan.Validation) error
}

// Formats in the order of the help text.
var Formats = []Format{
	{"terminal", planTable(terminal), validationTable(terminal)},
	{"markdown", planTable(markdown), validationTable(markdown)},
	{"json", func(w io.Writer, p *plan.Plan) error { return writeJSON(w, p) }, func(w io.Writer, v *plan.Validation) error { return writeJSON(w, v) }},
}

// Find a format by name.
func Find(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// page is a document of headings, tables and notes.
type page interface {
	heading(text string)
	table(rows [][]string)
	note(text string)
	text() string
}

type style func() page

func planTable(s style) func(io.Writer, *plan.Plan) error {
	return func(w io.Writer, p *plan.Plan) error {
		d := s()
		for i := range p.Cases {
			writeCase(d, &p.Ask, &p.Cases[i])
		}
		d.note("[low, high]: 95 % interval over blocks of the load curve, or over rounds. Formulas, sources and ranges: --format json, and docs/plan.md.")
		_, err := io.WriteString(w, d.text())
		return err
	}
}

func writeCase(d page, a *plan.Ask, c *plan.Case) {
	d.heading(fmt.Sprintf("%s on %s, %s: %s, headroom %s %%%s", c.Core, c.Target, c.Protocol, load(a), words.Figure(100*a.Headroom), suffix(a)))
	head := []string{""}
	for _, s := range c.Sides {
		head = append(head, "flag "+s.Flag)
	}
	if c.Flag != nil {
		head = append(head, "the flag adds")
	}
	rows := [][]string{head}
	for _, f := range c.Sides[0].Figures {
		row := []string{label(&f)}
		for j := range c.Sides {
			row = append(row, cell(c.Sides[j].Figure(f.Key), false))
		}
		if c.Flag != nil {
			add := plan.Side{Figures: c.Flag}
			row = append(row, cell(add.Figure(f.Key), true))
		}
		rows = append(rows, row)
	}
	d.table(rows)
	seen := map[string]bool{}
	for _, s := range c.Sides {
		for _, f := range s.Figures {
			if f.Missing != "" && !seen[f.Name+f.Missing] {
				seen[f.Name+f.Missing] = true
				d.note("missing: " + f.Name + " (flag " + s.Flag + "): " + f.Missing)
			}
			if f.Extrapolated && f.Tested != "" && !seen[f.Key] {
				seen[f.Key] = true
				d.note("extrapolated: " + f.Name + ": measured were " + f.Tested)
			}
		}
	}
	for _, n := range c.Notes {
		d.note(n)
	}
}

// load is what was asked for: all calls, and how many of them are verifies.
func load(a *plan.Ask) string {
	s := words.Figure(a.RPS) + " calls/s"
	if a.VerifyShare < 1 {
		s += ", " + words.Figure(a.RPS*a.VerifyShare) + " of them verifies"
	}
	return s
}

func suffix(a *plan.Ask) string {
	var s string
	if a.P99 > 0 {
		s += ", p99 ≤ " + words.Duration(a.P99)
	}
	if a.InstancesFail > 0 {
		s += fmt.Sprintf(", %d may fail", a.InstancesFail)
	}
	return s
}

func label(f *plan.Figure) string {
	if f.Unit == "" || f.Unit == "bytes" || f.Unit == "1/s" || f.Unit == "vCPU" {
		return f.Name
	}
	return f.Name + ", " + f.Unit
}

// cell is a figure with its interval; what is extrapolated is marked.
func cell(f *plan.Figure, signed bool) string {
	switch {
	case f == nil:
		return ""
	case f.Value == nil:
		return "missing"
	}
	show := words.Figure
	if f.Unit == "bytes" {
		show = func(x float64) string {
			if x < 0 {
				return "−" + words.Size(int64(-x))
			}
			return words.Size(int64(x))
		}
	}
	text := show(*f.Value)
	if signed && *f.Value > 0 {
		text = "+" + text
	}
	if f.Low != nil && f.High != nil {
		text += fmt.Sprintf(" [%s, %s]", show(*f.Low), show(*f.High))
	}
	if f.Extrapolated {
		text += " extrapolated"
	}
	return text
}

func validationTable(s style) func(io.Writer, *plan.Validation) error {
	return func(w io.Writer, v *plan.Validation) error {
		d := s()
		d.heading("Rates, and knees of blocks, held out and predicted from the others: " + map[bool]string{true: "all within the bar", false: "beyond the bar"}[v.Held])
		rows := [][]string{{"", "held out, calls/s", "measured", "predicted", "error, %", "bar, %"}}
		for _, t := range v.Trials {
			mark := ""
			if !t.Held {
				mark = " beyond"
			}
			rows = append(rows, []string{fmt.Sprintf("%s, %s, flag %s: %s", t.Target, t.Protocol, t.Flag, t.Figure), words.Figure(t.HeldOut),
				words.Figure(t.Measured), words.Figure(t.Predicted), words.Number(100*t.Error, 1), words.Number(100*t.Bar, 0) + mark})
		}
		d.table(rows)
		for _, n := range v.Notes {
			d.note(n)
		}
		_, err := io.WriteString(w, d.text())
		return err
	}
}

// plain is a page for terminals.
type plain struct{ b strings.Builder }

func terminal() page { return &plain{} }

func (p *plain) heading(text string) {
	if p.b.Len() > 0 {
		p.b.WriteString("\n")
	}
	p.b.WriteString(text + "\n\n")
}

func (p *plain) table(rows [][]string) {
	w := tabwriter.NewWriter(&p.b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	_ = w.Flush() // a strings.Builder never fails
	p.b.WriteString("\n")
}

func (p *plain) note(text string) { p.b.WriteString("  " + text + "\n") }

func (p *plain) text() string { return p.b.String() }

// marked is a page in Markdown.
type marked struct{ b strings.Builder }

func markdown() page { return &marked{} }

func (m *marked) heading(text string) { m.b.WriteString("## " + escape(text) + "\n\n") }

func (m *marked) table(rows [][]string) {
	for i, r := range rows {
		line := "|"
		for _, c := range r {
			line += " " + escape(c) + " |"
		}
		m.b.WriteString(line + "\n")
		if i == 0 {
			m.b.WriteString("|" + strings.Repeat(" --- |", len(r)) + "\n")
		}
	}
	m.b.WriteString("\n")
}

func (m *marked) note(text string) { m.b.WriteString("- " + escape(text) + "\n") }

func (m *marked) text() string { return m.b.String() }

// escape keeps foreign text from being taken for markup.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`").Replace(s)
}

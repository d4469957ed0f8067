// Package terminal shows a proof on some 40 lines for a person at a terminal.
package terminal

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// Options say what the terminal can do. The zero value is 80 columns without
// colour.
type Options struct {
	Colour bool
	Width  int // in characters; 0 is 80, less than 60 counts as 60
	// Report is where the full report is, for the last line; "" leaves it out.
	Report string
}

// What a terminal shows of lists; the rest is in the full report.
const (
	mostFailing = 3 // checks in full
	mostLines   = 4 // entries of any other list
	mostText    = 700
)

// Plain writes the summary with the zero options.
func Plain(w io.Writer, p *proof.Proof) error { return Render(w, p, Options{}) }

// Render writes the summary: several targets stand side by side. Lines keep to
// the width, except for commands, which must be copied in one piece.
func Render(w io.Writer, p *proof.Proof, o Options) error {
	s := summary.Of(p)
	t := terminal{sum: s, width: o.Width, colour: o.Colour}
	if t.width == 0 {
		t.width = 80
	}
	t.width = max(60, t.width)
	p = s.Proof
	t.head(p)
	switch {
	case p.Gate != nil:
		t.gate(p)
	case len(p.Targets) == 0:
	case len(p.Targets) > 1:
		t.targets(p)
		t.failures(p)
		t.costs(p)
	case len(s.Failures) > 0:
		t.target(&p.Targets[0])
		t.costLines(p) // failures need the room
		t.failures(p)
	default:
		t.target(&p.Targets[0])
		t.costs(p)
	}
	t.missing()
	if o.Report != "" {
		t.line("")
		t.line("full report: " + words.OneLine(o.Report))
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

type terminal struct {
	sum    *summary.Summary
	b      strings.Builder
	width  int
	colour bool
}

func (t *terminal) line(s string) {
	// In a CI log, text of a core at the start of a line must not become a
	// command to the runner, which looks behind blanks too.
	if rest := strings.TrimLeft(s, " "); strings.HasPrefix(rest, "::") {
		s = strings.Repeat(" ", len(s)-len(rest)) + "·" + rest
	}
	s = strings.ReplaceAll(s, "##[", "##·[")
	t.b.WriteString(strings.TrimRight(s, " ") + "\n")
}

// wrapped writes s in lines of the width, each behind indent.
func (t *terminal) wrapped(indent, s string) {
	for _, l := range words.Wrap(s, t.width-utf8.RuneCountInString(indent)) {
		t.line(indent + l)
	}
}

// paint colours s when colours are wanted.
func (t *terminal) paint(n summary.Tone, s string) string {
	code := map[summary.Tone]string{summary.Good: "32", summary.Bad: "31", summary.Unsure: "33"}[n]
	if !t.colour || code == "" {
		return s
	}
	return "\x1b[1;" + code + "m" + s + "\x1b[0m"
}

// tableRow is a label with a cell per column.
type tableRow struct {
	label string
	cell  func(column int) (string, summary.Tone)
}

// Width of a table's column of labels: four columns of 14 fit beside it.
const labelWidth = 17

// table writes columns side by side, as many as the width holds; the rest
// follows below. A row without any figure is left out.
func (t *terminal) table(title string, heads []string, rows []tableRow) {
	for from := 0; from < len(heads); {
		var widths []int
		used := labelWidth
		for c := from; c < len(heads); c++ {
			w := utf8.RuneCountInString(heads[c])
			for _, r := range rows {
				s, _ := r.cell(c)
				w = max(w, utf8.RuneCountInString(s))
			}
			w = min(w, t.width-labelWidth-2)
			if len(widths) > 0 && used+2+w > t.width {
				break
			}
			widths = append(widths, w)
			used += 2 + w
		}
		t.line("")
		head := words.Pad(words.Cut(title, labelWidth), labelWidth)
		for c, w := range widths {
			head += "  " + right(heads[from+c], w)
		}
		t.line(head)
		for _, r := range rows {
			line, empty := words.Pad("  "+r.label, labelWidth), true
			for c, w := range widths {
				s, n := r.cell(from + c)
				empty = empty && s == summary.Missing
				if s == summary.Missing {
					n = summary.Plain
				}
				line += "  " + t.paint(n, right(words.Cut(s, w), w))
			}
			if !empty {
				t.line(line)
			}
		}
		from += len(widths)
	}
}

// right sets s against the right edge of a column.
func right(s string, width int) string {
	if n := utf8.RuneCountInString(s); n < width {
		return strings.Repeat(" ", width-n) + s
	}
	return s
}

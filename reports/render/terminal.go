package render

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/coreproof/coreproof/reports/proof"
)

// TerminalOptions say what the terminal can do. The zero value is 80 columns
// without colour.
type TerminalOptions struct {
	Colour bool
	Width  int // in characters; 0 is 80, less than 60 counts as 60
	// Report is where the full report is, for the last line; "" leaves it out.
	Report string
}

// What a terminal shows of lists; the rest is in the full report.
const (
	terminalFailing = 3 // checks in full
	terminalLines   = 4 // lines of any other list
)

func plainTerminal(w io.Writer, p *proof.Proof) error { return Terminal(w, p, TerminalOptions{}) }

// Terminal writes a summary for a person at a terminal: about 40 lines for one
// target, several targets side by side. Lines keep to the width, except for
// commands, which must be copied in one piece.
func Terminal(w io.Writer, p *proof.Proof, o TerminalOptions) error {
	t := terminal{width: o.Width, colour: o.Colour}
	if t.width == 0 {
		t.width = 80
	}
	t.width = max(60, t.width)
	s := summarise(p)
	t.head(p, &s)
	switch {
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
	t.missing(&s)
	if o.Report != "" {
		t.line("")
		t.line("full report: " + oneLine(o.Report))
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

type terminal struct {
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
	for _, l := range wrap(s, t.width-utf8.RuneCountInString(indent)) {
		t.line(indent + l)
	}
}

// paint colours s when colours are wanted.
func (t *terminal) paint(n tone, s string) string {
	code := map[tone]string{good: "32", bad: "31", unsure: "33"}[n]
	if !t.colour || code == "" {
		return s
	}
	return "\x1b[1;" + code + "m" + s + "\x1b[0m"
}

// missing stands in a table where there is no figure.
const missing = "–"

// tableRow is a label with a cell per column.
type tableRow struct {
	label string
	cell  func(column int) (string, tone)
}

// Width of a table's column of labels: four columns of 14 fit beside it.
const labelWidth = 16

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
		head := pad(cut(title, labelWidth), labelWidth)
		for c, w := range widths {
			head += "  " + right(heads[from+c], w)
		}
		t.line(head)
		for _, r := range rows {
			line, empty := pad("  "+r.label, labelWidth), true
			for c, w := range widths {
				s, n := r.cell(from + c)
				empty = empty && s == missing
				if s == missing {
					n = plain
				}
				line += "  " + t.paint(n, right(cut(s, w), w))
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

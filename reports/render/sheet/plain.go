package sheet

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/coreproof/coreproof/reports/words"
)

// width of a terminal's lines of text; tables are as wide as they are.
const width = 80

// Terminal writes plain text.
func Terminal(w io.Writer, s *Sheet) error {
	var b strings.Builder
	b.WriteString(s.Word + "  " + words.OneLine(s.Title) + "\n")
	paragraph(&b, "", s.Sentence)
	for _, n := range s.Notes {
		paragraph(&b, "- ", n)
	}
	for _, x := range s.Sections {
		plainSection(&b, &x)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func paragraph(b *strings.Builder, lead, text string) {
	if text == "" {
		return
	}
	for i, line := range words.Wrap(words.OneLine(text), width-len(lead)) {
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		b.WriteString(lead + line + "\n")
	}
}

func plainSection(b *strings.Builder, x *Section) {
	b.WriteString("\n" + words.OneLine(x.line()) + "\n")
	for _, t := range x.Texts {
		paragraph(b, "- ", t)
	}
	for _, t := range x.Tables {
		if t.Caption != "" {
			b.WriteString("\n" + words.OneLine(t.Caption) + "\n")
		}
		tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "  "+strings.Join(t.Head, "\t"))
		for _, r := range t.Rows {
			var cells []string
			for _, c := range r {
				cells = append(cells, c.line())
			}
			fmt.Fprintln(tw, "  "+strings.Join(cells, "\t"))
		}
		_ = tw.Flush() // a strings.Builder never fails
	}
	for _, line := range x.folded() {
		paragraph(b, "- ", line)
	}
}

// folded gives what is folded away a line each, those of which the same is to be said
// on one.
func (x *Section) folded() (out []string) {
	by := map[string]int{}
	for _, f := range x.Folded {
		if i, ok := by[f.Word]; ok {
			out[i] += ", " + f.Title
			continue
		}
		by[f.Word] = len(out)
		out = append(out, f.Word+": "+f.Title)
	}
	return out
}

// line is a section in one line.
func (x *Section) line() string {
	if x.Word == "" {
		return x.Title
	}
	return x.Title + ": " + x.Word
}

// line is a cell in one line.
func (c Cell) line() string {
	text := words.OneLine(c.Text)
	if c.Sub != "" {
		text += " (" + words.OneLine(c.Sub) + ")"
	}
	return text
}

// Markdown writes GitHub's.
func Markdown(w io.Writer, s *Sheet) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** %s\n\n%s\n", s.Word, escape(s.Title), escape(s.Sentence))
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "\n- %s", escape(n))
	}
	if len(s.Notes) > 0 {
		b.WriteString("\n")
	}
	for i := range s.Sections {
		markedSection(&b, &s.Sections[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markedSection(b *strings.Builder, x *Section) {
	fmt.Fprintf(b, "\n### %s\n\n", escape(x.line()))
	for _, t := range x.Texts {
		fmt.Fprintf(b, "- %s\n", escape(t))
	}
	for _, t := range x.Tables {
		if t.Caption != "" {
			fmt.Fprintf(b, "\n%s\n", escape(t.Caption))
		}
		var head []string
		for _, h := range t.Head {
			head = append(head, escape(h))
		}
		fmt.Fprintf(b, "\n| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat(" --- |", len(t.Head)))
		for _, r := range t.Rows {
			var cells []string
			for _, c := range r {
				cells = append(cells, escape(c.line()))
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	for _, line := range x.folded() {
		fmt.Fprintf(b, "- %s\n", escape(line))
	}
}

// escape keeps foreign text from being taken for markup.
func escape(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", `\|`, "<", "&lt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "@", "@\u200b").Replace(words.OneLine(s))
}

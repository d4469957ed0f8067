// Package html shows a proof on one self-contained page.
package html

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// MaxBytes is the most that report.html may weigh, in bytes. A proof with more
// to tell is shown with less detail, and the page says so.
const MaxBytes = 1 << 20

var (
	//go:embed page.tmpl
	pageSource string

	// Parsed once and only read after that.
	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"term": term}).Parse(pageSource))
)

// term is a word of the glossary that says what it means when pointed at; the
// glossary at the end of the page is for everybody else.
func term(word string) (template.HTML, error) {
	meaning := summary.Meaning(word)
	if meaning == "" {
		return "", fmt.Errorf("%q is not in the glossary", word)
	}
	return template.HTML(`<abbr title="` + template.HTMLEscapeString(meaning) + `">` + template.HTMLEscapeString(word) + `</abbr>`), nil
}

// limits bound what the page shows of a proof.
type limits struct {
	Targets, Benches, Groups int
	Shown, Passed            int // checks of a group that did not pass, that passed
	Exchanges                int // of a check
	Rows                     int // of any other list or table
	Rounds                   int // of a plot
	Body, Text               int // characters of a body, of any other text
}

// From everything that a usual proof has down to what any proof fits in.
var detail = []limits{
	{Targets: 40, Benches: 6, Groups: 80, Shown: 60, Passed: 400, Exchanges: 12, Rows: 200, Rounds: 400, Body: 4000, Text: 1000},
	{Targets: 20, Benches: 4, Groups: 40, Shown: 30, Passed: 60, Exchanges: 6, Rows: 60, Rounds: 150, Body: 1000, Text: 300},
	{Targets: 10, Benches: 2, Groups: 12, Shown: 8, Passed: 0, Exchanges: 3, Rows: 20, Rounds: 60, Body: 400, Text: 200},
	{Targets: 5, Benches: 1, Groups: 4, Shown: 2, Passed: 0, Exchanges: 1, Rows: 8, Rounds: 30, Body: 200, Text: 120},
}

// Render writes the full report: one page that fetches nothing, runs no script
// and weighs at most MaxBytes.
func Render(w io.Writer, p *proof.Proof) error {
	sum := summary.Of(p)
	var buf bytes.Buffer
	for i, l := range detail {
		buf.Reset()
		if err := pageTemplate.Execute(&buf, newPage(sum, l, i > 0)); err != nil {
			return fmt.Errorf("render HTML report: %w", err)
		}
		if buf.Len() <= MaxBytes {
			break
		}
	}
	_, err := w.Write(buf.Bytes())
	return err
}

// text is a core's or a harness's words, bounded, made safe and on one line.
// It is cut first: there may be megabytes of it.
func (l limits) text(s string) string { return words.OneLine(words.Clip(s, l.Text)) }

// body is the same with its line breaks.
func (l limits) body(s string) string { return words.Clean(words.Clip(s, l.Body)) }

// lines is a list of which only a part may be shown.
type lines struct {
	Shown []string
	Left  int
}

func (l limits) lines(all []string) lines {
	shown, left := words.First(all, l.Rows)
	out := lines{Left: left}
	for _, s := range shown {
		out.Shown = append(out.Shown, l.text(s))
	}
	return out
}

package sheet

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/words"
)

//go:embed sheet.tmpl
var pageSource string

// Parsed once and only read after that.
var pageTemplate = template.Must(template.New("sheet").Funcs(template.FuncMap{
	"css":   func() template.CSS { return template.CSS(look.CSS) },
	"clean": words.OneLine,
	"level": func(n int, x Section) leveled { return leveled{n, x} },
	"next":  func(n int) int { return n + 1 },
	"open":  func(n int) template.HTML { return template.HTML(fmt.Sprintf("<h%d>", n)) },
	"close": func(n int) template.HTML { return template.HTML(fmt.Sprintf("</h%d>", n)) },
}).Parse(pageSource))

// leveled is a section with the level of its heading.
type leveled struct {
	N int
	X Section
}

// HTML writes one page that fetches nothing and runs no script.
func HTML(w io.Writer, s *Sheet) error {
	if err := pageTemplate.Execute(w, s); err != nil {
		return fmt.Errorf("render HTML page: %w", err)
	}
	return nil
}

// Package sheet is a document of an answer, tables, pictures and notes, and the formats
// it can be shown in: terminal, Markdown, and one self-contained HTML page. It decides
// nothing.
package sheet

import (
	"html/template"
	"io"

	"github.com/coreproof/coreproof/reports/render/summary"
)

// Sheet is a document.
type Sheet struct {
	Title    string // what it is about
	Word     string // the answer
	Tone     summary.Tone
	Sentence string // the answer in a sentence
	Notes    []string
	Sections []Section
}

// Section has a heading, then texts, pictures, tables and what can be unfolded.
type Section struct {
	Title  string
	Word   string // beside the title; "" for none
	Tone   summary.Tone
	Texts  []string
	Charts []Chart
	Tables []Table
	// Folded are shown on request where a format can; others have their titles alone.
	Folded []Section
	Open   bool // where it is folded itself: unfolded to begin with
}

// Chart is a picture of package look, for formats that have pictures.
type Chart struct {
	Picture template.HTML
	Caption string
	Keys    []Key
}

// Key explains a colour: Class is one of the style sheet's.
type Key struct{ Class, Text string }

// Table is rows under headings.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]Cell
}

// Cell is a text with, below it, its interval or another remark.
type Cell struct {
	Text, Sub string
	Tone      summary.Tone
	Number    bool
}

// Format writes a sheet one way.
type Format struct {
	Name   string
	Render func(io.Writer, *Sheet) error
}

// Formats in the order of help texts. A new one is a function and a line here.
var Formats = []Format{{"terminal", Terminal}, {"markdown", Markdown}, {"html", HTML}}

// Find a format by name.
func Find(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

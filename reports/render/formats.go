// Package render is the list of formats that a proof can be shown in, one package
// a format below it. No format decides anything: they show what package summary
// says, and the same proof always gives the same bytes.
package render

import (
	"io"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/github"
	"github.com/coreproof/coreproof/reports/render/html"
	"github.com/coreproof/coreproof/reports/render/json"
	"github.com/coreproof/coreproof/reports/render/junit"
	"github.com/coreproof/coreproof/reports/render/markdown"
	"github.com/coreproof/coreproof/reports/render/terminal"
)

// Format is a way to show a proof.
type Format struct {
	// Name selects the format on a command line.
	Name string
	// File is what the report is called in the folder of a run; "" for a format
	// that goes to standard output.
	File string
	// Title says in a few words what it is, for help texts.
	Title string
	// Render writes the report. It does not change the proof.
	Render func(io.Writer, *proof.Proof) error
}

// Formats is the list of all formats. Flags, file names and help texts come
// from it; a new format is a package below this one and a line here.
var Formats = []Format{
	{"terminal", "", "summary for a terminal, 80 columns, no colour", terminal.Plain},
	{"markdown", "report.md", "short report that fits a pull-request comment", markdown.Render},
	{"html", "report.html", "full report, one self-contained page", html.Render},
	{"junit", "junit.xml", "JUnit XML for CI systems", junit.Render},
	{"github", "", "workflow annotations for GitHub Actions", github.Render},
	{"json", proof.FileName, "the proof itself", json.Render},
}

// Find gives the format called name.
func Find(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// TerminalOptions say what a terminal can do; see Terminal.
type TerminalOptions = terminal.Options

// Terminal is the format "terminal" for one with colours, another width, or a
// full report to name.
func Terminal(w io.Writer, p *proof.Proof, o TerminalOptions) error { return terminal.Render(w, p, o) }

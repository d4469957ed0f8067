// Package render puts a proof into words and pictures: one format a file, all
// of them in Formats. Rendering decides nothing: the verdict is proof.Judge's,
// made anew from the evidence, and the same proof always gives the same bytes.
package render

import (
	"io"

	"github.com/coreproof/coreproof/reports/proof"
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
// from it; a new format is a file in this package and a line here.
var Formats = []Format{
	{"terminal", "", "summary for a terminal, 80 columns, no colour", plainTerminal},
	{"markdown", "report.md", "short report that fits a pull-request comment", Markdown},
	{"html", "report.html", "full report, one self-contained page", HTML},
	{"junit", "junit.xml", "JUnit XML for CI systems", JUnit},
	{"github", "", "workflow annotations for GitHub Actions", GitHub},
	{"json", proof.FileName, "the proof itself", JSON},
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

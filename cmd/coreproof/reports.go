package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

// render writes the asked reports: files into the folder, the rest to standard output.
func (p *proving) render(made *proof.Proof) error {
	names := slices.Clone(p.output.formats)
	if len(names) == 0 {
		for _, f := range render.Formats {
			if f.File != "" || f.Name == "terminal" || f.Name == "github" && os.Getenv("GITHUB_ACTIONS") == "true" {
				names = append(names, f.Name)
			}
		}
	}
	// Files first: a verdict that stands on the screen has its reports.
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(onScreen(a), onScreen(b)) })
	for _, name := range names {
		f, _ := render.Find(name) // checked with the flags
		switch {
		case f.Name == "json": // saved already
		case f.File != "":
			if err := writeReport(filepath.Join(p.output.out, f.File), f, made); err != nil {
				return err
			}
		case f.Name == "terminal" && p.output.quiet:
			var reasons []string
			for _, x := range made.Verdict.Findings {
				if x.Weight != proof.Warns {
					reasons = append(reasons, x.Text)
				}
			}
			fmt.Fprintf(p.s.out, "%s: %s\n", made.Verdict.Outcome, strings.Join(append([]string{filepath.Join(p.output.out, proof.FileName)}, reasons...), "; "))
		case f.Name == "terminal":
			o := render.TerminalOptions{Colour: isTerminal(p.s.out) && os.Getenv("NO_COLOR") == "", Report: filepath.Join(p.output.out, "report.html")}
			if err := render.Terminal(p.s.out, made, o); err != nil {
				return fmt.Errorf("print the summary: %w", err)
			}
		default:
			if err := f.Render(p.s.out, made); err != nil {
				return fmt.Errorf("print the %s report: %w", f.Name, err)
			}
		}
	}
	return nil
}

// onScreen is 0 for a report that becomes a file, 1 for one that is printed.
func onScreen(format string) int {
	if f, _ := render.Find(format); f.File != "" {
		return 0
	}
	return 1
}

func writeReport(path string, f render.Format, p *proof.Proof) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the %s report: %w", f.Name, err)
	}
	if err := errors.Join(f.Render(file, p), file.Close()); err != nil {
		return fmt.Errorf("write the %s report: %w", f.Name, err)
	}
	return nil
}

func isTerminal(w any) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

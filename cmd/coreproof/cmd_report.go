package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

func cmdReport(_ context.Context, args []string, s streams) int {
	f := newFlags("report", "coreproof report [flags] PROOF", `  coreproof report proof/
  coreproof report --format html -o report.html proof/proof.json
  coreproof report --verify proof/
`)
	format := f.String("format", "terminal", strings.Join(formatNames(), ", "))
	out := f.String("o", "", "write to this file instead of standard output")
	verify := f.Bool("verify", false, "judge the evidence again and compare with the saved verdict")
	// The proof may stand before the flags.
	var path string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		path, args = args[0], args[1:]
	}
	if code, done := f.parse(args, s); done {
		return code
	}
	rest := f.Args()
	if path == "" && len(rest) > 0 {
		path, rest = rest[0], rest[1:]
	}
	if path == "" || len(rest) > 0 {
		fmt.Fprintln(s.err, "coreproof report: want one proof, a folder or a file; try coreproof report --help")
		return exitUntried
	}
	r, ok := render.Find(*format)
	if !ok {
		fmt.Fprintf(s.err, "coreproof report: --format %s: choose from %s\n", *format, strings.Join(formatNames(), ", "))
		return exitUntried
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, proof.FileName)
	}
	p, err := proof.Load(path)
	if err != nil {
		fmt.Fprintf(s.err, "coreproof report: %v\n", err)
		return exitUntried
	}
	if *verify {
		if err := proof.CheckVerdict(p); err != nil {
			fmt.Fprintf(s.err, "coreproof report: %s: %v\n", path, err)
			return exitFailed
		}
		fmt.Fprintf(s.out, "%s: the verdict %q follows from the evidence\n", path, p.Verdict.Outcome)
		return exitHeld
	}
	if *out != "" {
		err = writeReport(*out, r, p)
	} else {
		err = r.Render(io.Writer(s.out), p)
	}
	if err != nil {
		fmt.Fprintf(s.err, "coreproof report: %v\n", err)
		return exitUntried
	}
	return exitHeld
}

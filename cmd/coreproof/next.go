package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// next says what to do with a proof: try the rule that failed by itself, mend what
// was in the way, or gate the next build and plan for a load.
func (p *proving) next(cmd *cobra.Command, made *proof.Proof) []string {
	for _, weight := range []proof.Weight{proof.Fails, proof.Untried} {
		i := slices.IndexFunc(made.Verdict.Findings, func(f proof.Finding) bool { return f.Weight == weight })
		if i < 0 {
			continue
		}
		f := made.Verdict.Findings[i]
		if line := rerunOf(made, f); line != "" {
			return []string{"try " + f.Check + " by itself, with every exchange in its report:", "  " + line}
		}
		if weight == proof.Untried {
			return []string{"mend what was in the way, and run again: " + words.Clip(words.OneLine(f.Text), 200)}
		}
		return []string{"see what it is about: " + filepath.Join(p.output.out, "report.html") + "; then run again"}
	}
	lines := []string{
		"hold your next build against this one (programs, images, revisions or URLs):",
		"  coreproof gate --base OLD --head NEW --out " + quote(filepath.Clean(p.output.out)+"-gate"), // not over this proof
	}
	if !slices.ContainsFunc(made.Targets, func(t proof.Target) bool {
		return slices.ContainsFunc(t.Bench, func(b proof.Bench) bool { return b.Sweep != nil })
	}) {
		curve := filepath.Clean(p.output.out) + "-curve"
		return append(lines, "size it for a load (the curve takes some minutes):",
			"  "+p.sweepLine(cmd, curve), "  "+planLine(curve, made))
	}
	return append(lines, "size it for a load:", "  "+planLine(p.output.out, made))
}

// planLine plans for half of the calls a second that the slowest side was seen to serve,
// which its load curve covers; where none was, it makes the page, which chooses a load.
func planLine(from string, made *proof.Proof) string {
	line := "coreproof plan --from " + quote(from)
	served := math.Inf(1)
	for _, t := range made.Targets {
		for i := range t.Bench {
			for _, e := range servedOf(&t.Bench[i]) {
				if e != nil && e.Value > 0 {
					served = min(served, e.Value)
				}
			}
		}
	}
	if rps := twoDigits(served / 2); rps >= 1 && !math.IsInf(rps, 0) {
		return line + " --rps " + strconv.FormatFloat(rps, 'f', -1, 64)
	}
	return line + " --html plan.html"
}

// servedOf are the knees of a bench's load curves; without a curve what was served in a
// closed loop.
func servedOf(b *proof.Bench) (out []*proof.Estimate) {
	if b.Sweep != nil {
		for i := range b.Sweep.Curves {
			out = append(out, b.Sweep.Curves[i].Knee)
		}
		return out
	}
	if b.Cost != nil {
		out = append(out, b.Cost.ThroughputOff, b.Cost.ThroughputOn)
	}
	return out
}

// twoDigits rounds down to two digits.
func twoDigits(x float64) float64 {
	if !(x >= 1) || math.IsInf(x, 0) {
		return 0
	}
	k := math.Pow(10, math.Max(0, math.Floor(math.Log10(x))-1))
	return math.Floor(x/k) * k
}

// rerunOf is the command that tries the check of a finding again; "" for none.
func rerunOf(made *proof.Proof, f proof.Finding) string {
	for _, t := range made.Targets {
		if f.Check == "" || t.Conformance == nil || f.Target != "" && t.Name != f.Target {
			continue
		}
		for _, c := range t.Conformance.Checks {
			if c.ID == f.Check && c.Rerun != "" && (f.Protocol == "" || c.Protocol == f.Protocol) {
				return c.Rerun
			}
		}
	}
	return ""
}

// sweepLine is the command that makes a load curve of the same cores.
func (p *proving) sweepLine(cmd *cobra.Command, out string) string {
	line := []string{"coreproof", "bench", "--sweep"}
	of := new(targetFlags).group() // a new one: making a group resets what it is bound to
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if of.Lookup(f.Name) == nil || secretFlags[f.Name] {
			return
		}
		for _, w := range absolute(f) {
			line = append(line, quote(w))
		}
	})
	if p.target.url.APIKey != "" && p.target.key.file == "" {
		line = append([]string{`COREPROOF_API_KEY="$API_KEY"`}, line...)
	}
	return strings.Join(append(line, "--out", quote(out)), " ")
}

// tellNext prints what to do next below a report on the screen.
func (p *proving) tellNext(cmd *cobra.Command, made *proof.Proof) {
	if p.output.quiet || made.Interrupted != "" || len(p.output.formats) > 0 && !slices.Contains(p.output.formats, "terminal") {
		return
	}
	for i, l := range p.next(cmd, made) {
		head := "      "
		if i == 0 {
			head = "next: "
		}
		fmt.Fprintln(p.s.out, head+ourCommand.ReplaceAllString(l, "${1}"+cmp.Or(p.s.as, "coreproof")+" $2"))
	}
}

// ourCommand is one of this program's in a line to copy.
var ourCommand = regexp.MustCompile(`(^|\s)coreproof (bench|conform|gate|plan)\b`)

// calledAs is how this program is called from where it was started: by its name where
// the caller's PATH finds it, as it was called otherwise. executable is its own file.
func calledAs(argument, executable string) string {
	if found, err := exec.LookPath("coreproof"); err == nil && sameFile(found, executable) {
		return "coreproof"
	}
	source := "./" + path.Join("cmd", "coreproof")
	if _, err := os.Stat(filepath.FromSlash(source)); err == nil && strings.Contains(filepath.ToSlash(executable), "/go-build") {
		return "go run " + source
	}
	if filepath.Base(argument) != argument {
		return quote(argument)
	}
	return "coreproof"
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

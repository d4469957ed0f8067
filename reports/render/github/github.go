// Package github shows a proof as annotations of a GitHub workflow.
package github

import (
	"fmt"
	"io"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// GitHub shows at most ten errors and ten warnings of a step; the last is kept
// for saying how many more there are.
const most = 10

// Render writes workflow commands: an error per failure, a warning for whatever
// could not be tried or is missing, and the verdict as a notice. A failure that
// explains others stands for them.
func Render(w io.Writer, p *proof.Proof) error {
	s := summary.Of(p)
	var b strings.Builder
	say := func(level, title, message string) {
		fmt.Fprintf(&b, "::%s title=%s::%s\n", level, property(title), annotation(message))
	}
	level := map[proof.Outcome]string{proof.Pass: "notice", proof.Incomplete: "notice", proof.Fail: "error"}[s.Outcome]
	if level == "" {
		level = "warning"
	}
	say(level, "coreproof: "+s.Word, s.Headline)
	// The verdict takes one place of its own level.
	limit := map[string]int{"error": most, "warning": most}
	limit[level]--
	all := func(level, kind, title string, lines []string) {
		shown, left := lines, 0
		if len(lines) > limit[level] {
			shown, left = words.First(lines, max(0, limit[level]-1))
		}
		for _, l := range shown {
			say(level, title, l)
		}
		if left > 0 {
			say(level, "coreproof", fmt.Sprintf("%d more %s, see report.html", left, kind))
		}
	}
	all("error", "failures", "coreproof: failed", s.Failures)
	var warnings []string
	if s.Edited != "" {
		warnings = append(warnings, s.Edited)
	}
	warnings = append(append(warnings, s.Open...), s.Untried...)
	all("warning", "warnings", "coreproof", append(warnings, s.ToKnow...))
	_, err := io.WriteString(w, b.String())
	return err
}

// annotation escapes the text of a workflow command, which is one line.
func annotation(s string) string {
	s = words.Clip(words.Clean(s), 1000)
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "##·[").Replace(s)
}

// property escapes a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(words.Clip(words.OneLine(s), 200))
}

package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// GitHub shows at most ten errors and ten warnings of a step; the last is kept
// for saying how many more there are.
const maxAnnotations = 10

// GitHub writes workflow commands: an error per failure, a warning for whatever
// could not be tried or is missing, and the verdict as a notice.
func GitHub(w io.Writer, p *proof.Proof) error {
	s := summarise(p)
	var b strings.Builder
	say := func(level, title, message string) {
		fmt.Fprintf(&b, "::%s title=%s::%s\n", level, property(title), annotation(message))
	}
	level := map[proof.Outcome]string{proof.Pass: "notice", proof.Fail: "error"}[s.Outcome]
	if level == "" {
		level = "warning"
	}
	say(level, "coreproof: "+s.Word, s.Sentence)
	// The verdict takes one place of its own level.
	limit := map[string]int{"error": maxAnnotations, "warning": maxAnnotations}
	limit[level]--
	all := func(level, kind string, lines []string, title func(string) string) {
		shown, left := lines, 0
		if len(lines) > limit[level] {
			shown, left = first(lines, max(0, limit[level]-1))
		}
		for _, l := range shown {
			say(level, title(l), l)
		}
		if left > 0 {
			say(level, "coreproof", fmt.Sprintf("%d more %s, see %s", left, kind, "report.html"))
		}
	}
	all("error", "failures", s.Failures, func(string) string { return "coreproof: failed" })
	warnings := append([]string{}, s.Untried...)
	if s.Edited != "" {
		warnings = append([]string{s.Edited}, warnings...)
	}
	warnings = append(warnings, s.Gaps...)
	all("warning", "warnings", warnings, func(string) string { return "coreproof" })
	_, err := io.WriteString(w, b.String())
	return err
}

// annotation escapes the text of a workflow command, which is one line.
func annotation(s string) string {
	s = clip(clean(s), 1000)
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "##·[").Replace(s)
}

// property escapes a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(clip(oneLine(s), 200))
}

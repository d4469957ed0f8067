package render_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

func terminal(t testing.TB, p *proof.Proof, o render.TerminalOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := render.Terminal(&b, p, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTerminalKeepsToItsWidth(t *testing.T) {
	t.Parallel()
	for _, name := range some() {
		for _, width := range []int{0, 60, 80, 132} {
			got := terminal(t, example(t, name), render.TerminalOptions{Width: width, Report: "out/report.html"})
			want := width
			if want == 0 {
				want = 80
			}
			for i, l := range strings.Split(got, "\n") {
				if l := strings.TrimSpace(l); strings.HasPrefix(l, "$ ") || strings.HasPrefix(l, "# ") {
					continue // to be copied in one piece
				}
				if utf8.RuneCountInString(l) > want {
					t.Errorf("%s, width %d: line %d is longer: %q", name, width, i+1, l)
				}
			}
			if !strings.HasSuffix(got, "\nfull report: out/report.html\n") {
				t.Errorf("%s: the last line does not name the report", name)
			}
		}
	}
}

func TestTerminalIsShort(t *testing.T) {
	t.Parallel()
	// A core with a dozen failures may take some more lines than a good one.
	for name, most := range map[string]int{"good": 40, "url": 40, "interrupted": 46, "empty": 40, "failing": 66, "cascade": 40, "incomplete": 40} {
		if n := strings.Count(format(t, "terminal", example(t, name)), "\n"); n > most {
			t.Errorf("%s has %d lines, want at most %d", name, n, most)
		}
	}
}

func TestTerminalColours(t *testing.T) {
	t.Parallel()
	codes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, name := range examples.Names() {
		plain := format(t, "terminal", example(t, name))
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s: colour without being told", name)
		}
		coloured := terminal(t, example(t, name), render.TerminalOptions{Colour: true})
		if !codes.MatchString(coloured) {
			t.Errorf("%s: no colour though told", name)
		}
		if got := codes.ReplaceAllString(coloured, ""); got != plain {
			t.Errorf("%s: colour changes the text: %s", name, firstDifference(got, plain))
		}
	}
}

// Text of a core in a CI log must neither move the cursor nor be taken for a
// command to the runner.
func TestTerminalDisarmsText(t *testing.T) {
	t.Parallel()
	p := example(t, "failing")
	v := &p.Targets[0].Conformance.Checks[1].Violations[0]
	v.Expected, v.Got = strings.Repeat("word ", 13)+"::stop-commands::x", "\x1b[2J\r##[error]x"
	got := format(t, "terminal", p)
	for _, l := range strings.Split(got, "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.ContainsAny(l, "\x1b\r") || strings.Contains(l, "##[") {
			t.Errorf("dangerous line %q", l)
		}
	}
	if !strings.Contains(got, `\x1b[2J`) {
		t.Error("the control character is not shown either")
	}
}

// N7: what to do about an error is shown to its end.
func TestN7MendIsNeverCut(t *testing.T) {
	t.Parallel()
	p := example(t, "interrupted")
	const mend = "or leave postgres out of --db"
	for _, width := range []int{60, 80, 200} {
		got := strings.Join(strings.Fields(terminal(t, p, render.TerminalOptions{Width: width})), " ")
		if !strings.Contains(got, mend) {
			t.Errorf("width %d: the mend is cut", width)
		}
	}
	for _, f := range []string{"markdown", "html", "junit", "github"} {
		if !strings.Contains(format(t, f, p), mend) {
			t.Errorf("%s: the mend is cut", f)
		}
	}
}

func TestMarkdownIsShort(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		p := example(t, name)
		got := format(t, "markdown", p)
		if n := strings.Count(got, "\n"); len(p.Targets) <= 1 && n > 15 {
			t.Errorf("%s has %d lines, want at most 15", name, n)
		}
		for _, l := range strings.Split(got, "\n") {
			cells := 12
			if p.Gate != nil {
				cells = 4
			}
			if strings.HasPrefix(l, "|") && strings.Count(strings.ReplaceAll(l, `\|`, ""), "|") != cells {
				t.Errorf("%s: a row of the table has another number of cells: %q", name, l)
			}
		}
		if strings.Contains(got, "<script") || strings.Contains(got, "@everyone") {
			t.Errorf("%s: markup of a core survived", name)
		}
	}
}

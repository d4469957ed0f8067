package render_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/junit"
	"github.com/coreproof/coreproof/reports/verdict"
)

// A JUnit file as a CI system reads it.
type (
	junitFile struct {
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		Failure   *junitResult `xml:"failure"`
		Error     *junitResult `xml:"error"`
		Skipped   *junitResult `xml:"skipped"`
		SystemOut string       `xml:"system-out"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func readJUnit(t testing.TB, doc string) junitFile {
	t.Helper()
	var root junitFile
	if err := xml.Unmarshal([]byte(doc), &root); err != nil {
		t.Fatalf("not valid XML: %v", err)
	}
	return root
}

// agrees checks that a reader of the JUnit file alone comes to the verdict, and
// that its counts are right.
func agrees(t testing.TB, given *proof.Proof) {
	t.Helper()
	root := readJUnit(t, format(t, "junit", given))
	var sum junitFile
	for _, s := range root.Suites {
		var own junitSuite
		for _, c := range s.Cases {
			own.Tests++
			switch {
			case c.Failure != nil:
				own.Failures++
			case c.Error != nil:
				own.Errors++
			case c.Skipped != nil:
				own.Skipped++
			}
		}
		if own.Tests != s.Tests || own.Failures != s.Failures || own.Errors != s.Errors || own.Skipped != s.Skipped {
			t.Errorf("suite %q counts %d/%d/%d/%d, has %d/%d/%d/%d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, own.Tests, own.Failures, own.Errors, own.Skipped)
		}
		sum.Tests += s.Tests
		sum.Failures += s.Failures
		sum.Errors += s.Errors
		sum.Skipped += s.Skipped
	}
	if sum.Tests != root.Tests || sum.Failures != root.Failures || sum.Errors != root.Errors || sum.Skipped != root.Skipped {
		t.Errorf("the root counts %d/%d/%d/%d, the suites %d/%d/%d/%d", root.Tests, root.Failures, root.Errors, root.Skipped, sum.Tests, sum.Failures, sum.Errors, sum.Skipped)
	}
	p := proof.Clone(given)
	verdict.Derive(p)
	var fails, untried []string
	for _, f := range p.Verdict.Findings {
		switch f.Weight {
		case proof.Fails:
			fails = append(fails, f.Text)
		case proof.Untried:
			untried = append(untried, f.Text)
		}
	}
	if (root.Failures > 0) != (len(fails) > 0) {
		t.Errorf("%d failures, but the verdict has %q", root.Failures, fails)
	}
	if (root.Errors > 0) != (len(untried) > 0) {
		t.Errorf("%d errors, but the verdict has %q", root.Errors, untried)
	}
}

func TestJUnitAgreesWithTheVerdict(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		agrees(t, example(t, name))
	}
	fail := func(k *proof.Check) { k.Violations = []proof.Violation{{Expected: "a", Got: "b"}} }
	for name, edit := range map[string]func(p *proof.Proof, t *proof.Target){
		"nothing ran":              func(_ *proof.Proof, t *proof.Target) { *t = proof.Target{Name: "x"} },
		"no check ran":             func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks = nil },
		"no twin":                  func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks[1].Immediacy.TwinsAccepted = 0 },
		"an optional fail":         func(_ *proof.Proof, t *proof.Target) { fail(&t.Conformance.Checks[22]) },
		"an optional error":        func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks[22].Trouble = "x" },
		"no calls":                 func(_ *proof.Proof, t *proof.Target) { t.Footprint.Statements[0].Calls = 0 },
		"one statement too many":   func(_ *proof.Proof, t *proof.Target) { t.Footprint.Statements[1].Count++ },
		"space":                    func(_ *proof.Proof, t *proof.Target) { t.Footprint.Space.RowsOn++ },
		"wrong answers under load": func(_ *proof.Proof, t *proof.Target) { t.Bench[1].Rounds[0].Windows[0].Errors = 1 },
		"wrong answers, and none counted": func(_ *proof.Proof, t *proof.Target) {
			t.Bench[1].Rounds = t.Bench[1].Rounds[28:29]
			t.Bench[1].Rounds[0].Windows[0].Errors = 1
		},
		"no rounds":             func(_ *proof.Proof, t *proof.Target) { t.Bench[1].Rounds = nil },
		"the flag was on there": func(_ *proof.Proof, t *proof.Target) { t.Bench[1].Controls[0].Accepted = 0 },
		"a switch that is none": func(_ *proof.Proof, t *proof.Target) { s := &t.Conformance.Switch[0]; s.Named, s.Accepted = true, 0 },
		"a required profile":    func(p *proof.Proof, _ *proof.Target) { p.Require = []string{"hardening"} },
		"a budget":              func(p *proof.Proof, _ *proof.Target) { p.Limits[0].Value = 1 },
		"an undecided budget":   func(p *proof.Proof, _ *proof.Target) { p.Limits[0].Value = 61 },
		"a target in error":     func(_ *proof.Proof, t *proof.Target) { t.Error = "no docker" },
		"two targets of a name": func(p *proof.Proof, t *proof.Target) { t.Error = "x"; p.Targets = append(p.Targets, *t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := example(t, "good")
			edit(p, &p.Targets[0])
			p = proof.Clone(p) // two targets of one name are two
			verdict.Derive(p)
			agrees(t, p)
		})
	}
}

// TestV2AnEditedProofIsNoCleanJUnit: who reads this file alone is told too.
func TestV2AnEditedProofIsNoCleanJUnit(t *testing.T) {
	t.Parallel()
	p := example(t, "failing")
	for i := range p.Targets[0].Conformance.Checks {
		p.Targets[0].Conformance.Checks[i].Violations = nil
	}
	var out bytes.Buffer
	if err := junit.Render(&out, p); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "was edited") {
		t.Errorf("an edited proof renders cleanly:\n%.600s", out.String())
	}
}

func TestJUnitShowsAFailure(t *testing.T) {
	t.Parallel()
	doc := format(t, "junit", example(t, "failing"))
	for _, r := range doc {
		if r < 0x20 && r != '\n' && r != '\t' {
			t.Fatalf("illegal character %#x", r)
		}
	}
	for _, s := range readJUnit(t, doc).Suites {
		if s.Name != "cachecore.CDI 2_20.session" {
			continue
		}
		for _, c := range s.Cases {
			if c.Failure == nil {
				continue
			}
			for _, want := range []string{"requirement: ", "want: TRY_REFRESH_TOKEN", "got: HTTP 500: <script>", "coreproof conform --check SE-10"} {
				if !strings.Contains(c.Failure.Text, want) {
					t.Errorf("the failure lacks %q: %s", want, c.Failure.Text)
				}
			}
			if !strings.Contains(c.SystemOut, `\x1b[31m\x00 ]]> ::error::owned`) {
				t.Errorf("the exchange is not in system-out: %+v", c.SystemOut)
			}
			return
		}
	}
	t.Error("no failure found")
}

// N4, N9: one root cause is one failure a version, those that it explains name
// it, and the file stays small however much there is to tell.
func TestN4OneCauseIsOneFailure(t *testing.T) {
	t.Parallel()
	p := example(t, "cascade")
	doc := format(t, "junit", p)
	root := readJUnit(t, doc)
	if root.Failures != 2 || root.Errors != 0 || root.Skipped != 46 || len(doc) > 20_000 {
		t.Errorf("%d failures, %d errors, %d skipped, %d bytes; want 2, 0, 46 and at most 20,000", root.Failures, root.Errors, root.Skipped, len(doc))
	}
	if n := strings.Count(doc, "because SE-01 failed"); n != 46 {
		t.Errorf("%d cases name the cause, want 46", n)
	}
	if n := strings.Count(format(t, "github", p), "::error"); n != 3 {
		t.Errorf("%d annotations of errors, want the verdict and one a version", n)
	}
	// 88 failures without a cause, each with much to show.
	c := p.Targets[0].Conformance
	k := c.Checks[15]
	long := strings.Repeat("x ", 50_000)
	k.Violations[0].Got = long
	k.Violations[0].Exchanges = []proof.Exchange{{RequestBody: long, ResponseBody: long}, {ResponseBody: long}}
	for i := range 88 {
		k.ID = fmt.Sprint("XX-", i)
		c.Checks = append(c.Checks, k)
	}
	if doc := format(t, "junit", p); len(doc) > 500_000 {
		t.Errorf("88 failures take %d bytes", len(doc))
	}
}

func TestGitHubCommands(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		n := map[string]int{}
		for _, l := range strings.Split(strings.TrimSuffix(format(t, "github", example(t, name)), "\n"), "\n") {
			level, _, ok := strings.Cut(strings.TrimPrefix(l, "::"), " title=")
			if !ok || level != "error" && level != "warning" && level != "notice" {
				t.Errorf("%s: no annotation: %q", name, l)
			}
			n[level]++
		}
		if n["error"] > 10 || n["warning"] > 10 {
			t.Errorf("%s: %v annotations, GitHub shows 10 of a kind", name, n)
		}
	}
	p := example(t, "good")
	p.Targets[0].Conformance.Checks[0].Violations = []proof.Violation{{Got: "x\n::add-mask::y"}}
	if got := format(t, "github", p); strings.Contains(got, "\n::add-mask") {
		t.Errorf("a core could give commands: %q", got)
	}
}

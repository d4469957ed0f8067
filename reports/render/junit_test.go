package render

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// readJUnit reads a report as a CI system does.
func readJUnit(t testing.TB, doc string) junitSuites {
	t.Helper()
	var root junitSuites
	if err := xml.Unmarshal([]byte(doc), &root); err != nil {
		t.Fatalf("not valid XML: %v", err)
	}
	return root
}

// agrees checks that a reader of the JUnit file alone comes to Judge's verdict,
// and that its counts are right.
func agrees(t testing.TB, p *proof.Proof) {
	t.Helper()
	root := readJUnit(t, format(t, "junit", p))
	var sum junitSuites
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
	fails, untried := proof.Findings(p)
	if (root.Failures > 0) != (len(fails) > 0) {
		t.Errorf("%d failures, but the verdict has %q", root.Failures, fails)
	}
	if (root.Errors > 0) != (len(untried) > 0) {
		t.Errorf("%d errors, but the verdict has %q", root.Errors, untried)
	}
}

func TestJUnitAgreesWithTheVerdict(t *testing.T) {
	t.Parallel()
	for _, name := range exampleNames {
		agrees(t, example(t, name))
	}
	for name, edit := range map[string]func(p *proof.Proof, t *proof.Target){
		"nothing ran":              func(p *proof.Proof, t *proof.Target) { *t = proof.Target{Name: "x"}; p.Budgets = nil },
		"no check ran":             func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks = nil },
		"a vacuous profile":        func(_ *proof.Proof, t *proof.Target) { t.Conformance.Profiles[0].Outcome = proof.Vacuous },
		"an optional failure":      func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks[15].Outcome = proof.Fail },
		"an optional error":        func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks[15].Outcome = proof.Error },
		"an unknown outcome":       func(_ *proof.Proof, t *proof.Target) { t.Conformance.Checks[0].Outcome = "maybe" },
		"no calls":                 func(_ *proof.Proof, t *proof.Target) { t.Footprint.Statements[0].Calls = 0 },
		"one statement too many":   func(_ *proof.Proof, t *proof.Target) { t.Footprint.Statements[1].Count++ },
		"space":                    func(_ *proof.Proof, t *proof.Target) { t.Footprint.Space.Held = false },
		"wrong answers under load": func(_ *proof.Proof, t *proof.Target) { t.Bench[1].Rounds[0].A.Errors = 1 },
		"no rounds":                func(_ *proof.Proof, t *proof.Target) { t.Bench[1].Rounds = nil },
		"many dropped":             func(_ *proof.Proof, t *proof.Target) { t.Bench[1].Dropped = make([]proof.Dropped, 9) },
		"a budget for nobody failed": func(p *proof.Proof, _ *proof.Target) {
			p.Budgets[0].Target, p.Budgets[0].Outcome = "nobody", proof.Fail
		},
		"a budget without a figure": func(p *proof.Proof, _ *proof.Target) { p.Budgets[0].Outcome = proof.Error },
		"a target in error":         func(p *proof.Proof, t *proof.Target) { t.Error, p.Budgets = "no docker", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := example(t, "good")
			edit(p, &p.Targets[0])
			agrees(t, p)
		})
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
		if len(s.Properties) < 8 {
			t.Errorf("suite %q has %d properties", s.Name, len(s.Properties))
		}
		if s.Name != "cachecore.CDI 2_20.sessions" {
			continue
		}
		for _, c := range s.Cases {
			if c.Failure == nil {
				continue
			}
			for _, want := range []string{"requirement: ", "expected: TRY_REFRESH_TOKEN", "got: HTTP 500: <script>", "rerun: coreproof conform --only SE-05"} {
				if !strings.Contains(c.Failure.Text, want) {
					t.Errorf("the failure lacks %q: %s", want, c.Failure.Text)
				}
			}
			if c.SystemOut == nil || !strings.Contains(c.SystemOut.Text, `\x1b[31m\x00 ]]> ::error::owned`) {
				t.Errorf("the exchange is not in system-out: %+v", c.SystemOut)
			}
			return
		}
	}
	t.Error("no failure found")
}

func TestGitHubCommands(t *testing.T) {
	t.Parallel()
	for _, name := range exampleNames {
		n := map[string]int{}
		for _, l := range strings.Split(strings.TrimSuffix(format(t, "github", example(t, name)), "\n"), "\n") {
			level, _, ok := strings.Cut(strings.TrimPrefix(l, "::"), " title=")
			if !ok || level != "error" && level != "warning" && level != "notice" {
				t.Errorf("%s: no annotation: %q", name, l)
			}
			n[level]++
		}
		if n["error"] > maxAnnotations || n["warning"] > maxAnnotations {
			t.Errorf("%s: %v annotations, GitHub shows %d of a kind", name, n, maxAnnotations)
		}
	}
	p := example(t, "good")
	p.Targets[0].Conformance.Checks[0].Outcome = proof.Fail
	p.Targets[0].Conformance.Checks[0].Got = "x\n::add-mask::y"
	if got := format(t, "github", p); strings.Contains(got, "\n::add-mask") {
		t.Errorf("a core could give commands: %q", got)
	}
}

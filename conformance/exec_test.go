package conformance_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
	lines "github.com/coreproof/coreproof/internal/protocol/exec"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// adapted is the adapter in Python to the good core, which passes no anti-csrf values on;
// declares is what its description has beside versions and verbs.
func adapted(t *testing.T, declares string) *lines.Protocol {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	text, err := os.ReadFile(filepath.Join("..", "testdata", "adapter.py"))
	if err != nil {
		t.Fatal(err)
	}
	script := string(text)
	for old, changed := range map[string]string{
		`csrf = call.get("antiCsrf", False)`:                                          `csrf = False`,
		`{"antiCsrfToken": call["antiCsrfToken"]} if "antiCsrfToken" in call else {}`: `{}`,
		`"verbs": VERBS}`: `"verbs": VERBS` + declares + `}`,
	} {
		if strings.Count(script, old) != 1 {
			t.Fatalf("the adapter has no longer one %s", old)
		}
		script = strings.Replace(script, old, changed, 1)
	}
	path := filepath.Join(t.TempDir(), "adapter.py")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	p := lines.New(lines.Options{Command: []string{python, path}, Env: os.Environ()})
	t.Cleanup(func() { _ = p.Close() })
	if _, err := p.Probe(t.Context(), protocol.DialOptions{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnAdapterSaysWhatItsCoreIsWithout: what is declared is no gap of a profile, and what
// is not declared is a broken rule.
func TestAnAdapterSaysWhatItsCoreIsWithout(t *testing.T) {
	t.Parallel()
	const why = "its tokens are sent in a header alone"
	ids := []string{"SE-01", "SE-11", "SE-12", "SE-15"}
	for declares, want := range map[string]struct{ check, profile proof.Outcome }{
		`, "without": {"anti-csrf values": "` + why + `"}`: {proof.Skip, proof.Pass},
		"": {proof.Fail, proof.Fail},
	} {
		target := defective(t, "")
		target.Speak = adapted(t, declares)
		o := options(t, target)
		o.Stages, o.Scale = whole("5.4"), 0.3
		o.Checks = slices.DeleteFunc(o.Checks, func(c conformance.Check) bool { return !slices.Contains(ids, c.ID) })
		got, _, err := conformance.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		verdict.Derive(&proof.Proof{SchemaVersion: proof.SchemaVersion, Targets: []proof.Target{{Name: "test", Conformance: got}}})
		for _, c := range got.Checks {
			outcome := map[string]proof.Outcome{"SE-11": proof.Skip, "SE-12": want.check}[c.ID]
			if outcome == "" {
				outcome = proof.Pass
			}
			if c.Outcome != outcome || c.Outcome == proof.Skip && c.Lacks.Kind != "protocol" || c.ID == "SE-12" && c.Lacks != nil && !strings.Contains(c.Lacks.Text, why) {
				t.Errorf("%s: %s %s, want %s; lacks %+v, violations %+v", c.ID, c.Outcome, c.Reason, outcome, c.Lacks, c.Violations)
			}
		}
		if p := got.Profiles[0]; p.Name != string(conformance.SessionBasic) || p.Outcome != want.profile {
			t.Errorf("profile %s: %s %s, want %s", p.Name, p.Outcome, p.Reason, want.profile)
		}
	}
}

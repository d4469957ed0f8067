package checks_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// options of a run on two cores with the flag on and one with it off.
func options(t *testing.T, target *testcore.Target) conformance.Options {
	t.Helper()
	on, err := target.Start(t.Context(), 2, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	off, err := target.Start(t.Context(), 1, launch.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Options{Target: target, On: on, Off: off, Checks: checks.All(), Seed: 1, HistoryDir: t.TempDir()}
}

// TestReferenceCore tries every check on the reference core, in every version.
func TestReferenceCore(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	o.Scale = 0.3
	got, left, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Checks {
		c := &got.Checks[i]
		if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Pass {
			t.Errorf("%s %s (%s): %s %s %+v", c.ID, c.Title, c.Protocol, outcome, why, c.Violations)
		}
	}
	if p := got.Pairs; p == nil || p.Wanted < 1000 || p.Met != p.Wanted || len(p.Missed) > 0 || len(p.LeftOut) > 0 {
		t.Errorf("pairs of dimension values %+v, want all met and none left out", p)
	}
	if left != nil {
		t.Errorf("left behind: %+v", left)
	}
	t.Logf("%d checks, took %v", len(got.Checks), got.Took)
}

// TestThreeInstances: what is about several instances holds on a good core however many
// there are.
func TestThreeInstances(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	o := options(t, target)
	var err error
	if o.On, err = target.Start(t.Context(), 3, launch.Settings{Flag: true}); err != nil {
		t.Fatal(err)
	}
	o.Stages = []protocol.Stage{{Version: "2.20", Whole: true}, {Version: "5.5", Whole: true}, {Version: "5.6", Whole: true}}
	o.Select.Profiles = []string{string(conformance.MultiInstance)}
	got, _, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Checks {
		c := &got.Checks[i]
		if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Pass {
			t.Errorf("%s %s (%s): %s %s %+v", c.ID, c.Title, c.Protocol, outcome, why, c.Violations)
		}
	}
	if len(got.Checks) < len(o.Stages) {
		t.Errorf("%d checks were tried", len(got.Checks))
	}
}

// TestListIsWhole holds each entry to what reports and docs need of it.
func TestListIsWhole(t *testing.T) {
	t.Parallel()
	ids := regexp.MustCompile(`^[A-Z]{2}-\d{2}$`)
	seen, titles := map[string]bool{}, map[string]bool{}
	known := map[conformance.Profile]bool{}
	for _, p := range conformance.Profiles {
		known[p.Name] = true
	}
	used := map[conformance.Profile]bool{}
	for _, c := range checks.All() {
		if !ids.MatchString(c.ID) || seen[c.ID] {
			t.Errorf("id %q is malformed or taken", c.ID)
		}
		if c.Title == "" || titles[c.Title] {
			t.Errorf("%s: title %q is empty or taken", c.ID, c.Title)
		}
		seen[c.ID], titles[c.Title] = true, true
		if !strings.HasSuffix(c.Requirement, ".") || c.Suite == "" || len(c.Profiles) == 0 || c.Run == nil {
			t.Errorf("%s lacks something: %+v", c.ID, c)
		}
		if !strings.HasPrefix(c.Source, "docs/spec/") {
			t.Errorf("%s: source %q is no numbered rule of the project's specification", c.ID, c.Source)
		}
		for _, p := range c.Profiles {
			used[p] = true
			if !known[p] {
				t.Errorf("%s: unknown profile %s", c.ID, p)
			}
		}
	}
	for p := range known {
		if !used[p] {
			t.Errorf("no check is of profile %s", p)
		}
	}
}

// TestSourcesExist: each rule that a check cites stands in the specification.
func TestSourcesExist(t *testing.T) {
	t.Parallel()
	cite := regexp.MustCompile(`docs/spec/([a-z-]+\.md) (\d+(?:\.\d+)?)`)
	for _, c := range checks.All() {
		for _, m := range cite.FindAllStringSubmatch(c.Source, -1) {
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", "spec", m[1]))
			if errors.Is(err, os.ErrNotExist) {
				t.Skipf("the specification is not here: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`(?m)^#+ ` + regexp.QuoteMeta(m[2]) + `\b`).Match(text) {
				t.Errorf("%s cites %s, which has no section %s", c.ID, m[1], m[2])
			}
		}
	}
}

// Package house holds the rules of the house that a test can hold: which
// package may import which (DESIGN, "The house").
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/coreproof/coreproof"

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// packages are this module's, without their tests.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module+"/")] = p
	}
	if len(all) < 20 {
		t.Fatalf("go list shows only %d packages", len(all))
	}
	return all
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	all := packages(t)
	ours := func(deps []string) (out []string) {
		for _, d := range deps {
			if rest, ok := strings.CutPrefix(d, module+"/"); ok {
				out = append(out, rest)
			}
		}
		return out
	}
	for _, leaf := range []string{"reports/proof", "internal/stats", "internal/announce", "internal/meter/gauge", "refcore/token", "internal/version"} {
		if _, ok := all[leaf]; !ok {
			t.Errorf("there is no package %s", leaf)
		}
		if deps := ours(all[leaf].Deps); len(deps) > 0 && leaf != "refcore/token" {
			t.Errorf("%s is a leaf and imports %v", leaf, deps)
		}
	}
	forbidden := []struct{ from, to, why string }{
		{"reports", "bench", "reports render a document alone"},
		{"reports", "conformance", "reports render a document alone"},
		{"reports", "internal/launch", "reports render a document alone"},
		{"refcore", "bench", "the core knows nothing of the harness"},
		{"refcore", "conformance", "the core knows nothing of the harness"},
		{"refcore", "reports", "the core knows nothing of the harness"},
		{"refcore", "internal/launch", "the core knows nothing of the harness"},
		{"refcore", "internal/protocol", "the core knows nothing of the harness"},
		{"conformance", "refcore", "checks are black-box"},
		{"conformance", "bench", "each fills its own part of the proof"},
		{"conformance", "internal/protocol/cdi", "checks know verbs, not paths"},
		{"bench", "refcore", "what is measured is black-box"},
		{"bench", "conformance", "each fills its own part of the proof"},
		{"bench", "reports/verdict", "producers store evidence and decide nothing"},
		{"conformance", "reports/verdict", "producers store evidence and decide nothing"},
		{"conformance", "internal/launch", "who tries checks links no container client and no driver"},
		{"internal/launch", "refcore", "a core is started, not linked"},
		{"internal/history", "reports", "histories know nothing of reports"},
	}
	for name, p := range all {
		if testSupport(name) {
			continue
		}
		for _, f := range forbidden {
			if !within(name, f.from) || within(name, "conformance/broken") && f.to == "refcore" {
				continue // broken cores are the reference core with a defect
			}
			if f.to == "internal/protocol/cdi" && through(all, name, f.to) {
				continue // by way of a list of protocols or a launcher, not by name
			}
			for _, d := range ours(p.Deps) {
				if within(d, f.to) {
					t.Errorf("%s depends on %s: %s", name, d, f.why)
				}
			}
		}
	}
}

// through says whether a package reaches another one without importing it.
func through(all map[string]pkg, name, to string) bool {
	return !slices.Contains(all[name].Imports, module+"/"+to)
}

// testSupport are packages that only tests import.
func testSupport(name string) bool {
	return strings.HasSuffix(name, "/dbtest") || strings.Contains(name, "/internal/testcore") || strings.Contains(name, "/internal/coretest")
}

// TestTheRunnerKnowsNoCheck: checks are below the runner and list themselves.
func TestTheRunnerKnowsNoCheck(t *testing.T) {
	t.Parallel()
	for _, d := range packages(t)["conformance"].Deps {
		if rest, _ := strings.CutPrefix(d, module+"/"); within(rest, "conformance") && rest != "conformance" {
			t.Errorf("the runner imports %s", rest)
		}
	}
}

func within(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

func TestOnlyLaunchersKnowContainers(t *testing.T) {
	t.Parallel()
	launchers := []string{"internal/launch", "internal/launch/encrypted", "internal/launch/dbserver", "internal/docker"}
	for name, p := range packages(t) {
		if slices.Contains(launchers, name) || testSupport(name) {
			continue
		}
		for _, i := range p.Imports {
			if strings.Contains(i, "testcontainers") || strings.HasPrefix(i, "github.com/moby/") {
				t.Errorf("%s imports %s", name, i)
			}
		}
	}
}

func TestTheImageHoldsTheCoreAlone(t *testing.T) {
	t.Parallel()
	p, ok := packages(t)["cmd/refcore"]
	if !ok {
		t.Fatal("there is no cmd/refcore")
	}
	for _, d := range p.Deps {
		for _, banned := range []string{"testcontainers", "github.com/moby/", "vegeta", "porcupine", "fasthttp", "cobra", module + "/conformance", module + "/bench", module + "/reports"} {
			if strings.Contains(d, banned) {
				t.Errorf("cmd/refcore links %s", d)
			}
		}
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	t.Parallel()
	for name := range packages(t) {
		last := name[strings.LastIndexByte(name, '/')+1:]
		if slices.Contains([]string{"util", "utils", "common", "helpers", "misc"}, last) {
			t.Errorf("package %s says nothing about what is in it", name)
		}
	}
}

// reasons for packages of more lines than one can keep in mind.
var large = map[string]string{
	"cmd/coreproof":      "a list: one file a command, flags and words only",
	"conformance/broken": "a list: one entry a defect, each a few lines",
	"conformance/checks": "a list: one entry a check, in files by theme that do not lean on each other",
	"reports/verdict":    "pure functions over one document, a file a claim; the budgets of a gate stand on the same samples, estimates and findings",
}

// TestNoPackageIsLarge: 2,500 lines at most, tests not counted, unless a reason
// stands in large.
func TestNoPackageIsLarge(t *testing.T) {
	t.Parallel()
	for name, p := range packages(t) {
		lines := 0
		for _, f := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			lines += strings.Count(string(b), "\n")
		}
		if lines > 2500 && large[name] == "" {
			t.Errorf("package %s has %d lines", name, lines)
		}
	}
}

// TestNoSourceCitesWhatIsNotHere: a maintainer can look up what a text cites.
func TestNoSourceCitesWhatIsNotHere(t *testing.T) {
	t.Parallel()
	for name, p := range packages(t) {
		for _, f := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			for _, gone := range []string{"DESIGN.md", "defects.md", "measurement.md section"} {
				if strings.Contains(string(b), gone) && !strings.Contains(string(b), "docs/"+gone) {
					t.Errorf("%s/%s cites %s, which is not in this repository", name, f, gone)
				}
			}
		}
	}
}

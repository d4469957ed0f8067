// Package house holds the rules of the house that a test can hold: which
// package may import which (DESIGN, "The house").
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/coreproof/coreproof"

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// packages are this module's, without their tests.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"/...")
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
	for _, leaf := range []string{"reports/proof", "internal/stats"} {
		if deps := ours(all[leaf].Deps); len(deps) > 0 {
			t.Errorf("%s is a leaf and imports %v", leaf, deps)
		}
	}
	forbidden := []struct{ from, to, why string }{
		{"reports", "bench", "reports render a document alone"},
		{"reports", "conformance", "reports render a document alone"},
		{"refcore", "bench", "the core knows nothing of the harness"},
		{"refcore", "conformance", "the core knows nothing of the harness"},
		{"refcore", "reports", "the core knows nothing of the harness"},
		{"refcore", "internal/target", "the core knows nothing of the harness"},
		{"refcore", "internal/adapter", "the core knows nothing of the harness"},
		{"conformance", "refcore", "checks are black-box"},
		{"conformance", "bench", "each fills its own part of the proof"},
	}
	for name, p := range all {
		if name == "refcore/store/storetest/dbtest" {
			continue // test support
		}
		for _, f := range forbidden {
			if !within(name, f.from) {
				continue
			}
			for _, d := range ours(p.Deps) {
				if within(d, f.to) {
					t.Errorf("%s depends on %s: %s", name, d, f.why)
				}
			}
		}
	}
}

func within(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

func TestOnlyTargetsKnowContainers(t *testing.T) {
	t.Parallel()
	for name, p := range packages(t) {
		if name == "internal/target" || name == "refcore/store/storetest/dbtest" {
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
		for _, banned := range []string{"testcontainers", "github.com/moby/", "vegeta", "porcupine", module + "/conformance", module + "/bench", module + "/reports"} {
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

package render_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/words"
)

var update = flag.Bool("update", false, "write the golden files again")

// example is one of the examples as it is saved: derived, and with its digest.
func example(t testing.TB, name string) *proof.Proof {
	t.Helper()
	e, ok := examples.Named(name)
	if !ok {
		t.Fatalf("there is no example %q", name)
	}
	verdict.Derive(e.Proof)
	e.Proof.SchemaVersion = proof.SchemaVersion
	d, err := proof.DigestOf(e.Proof)
	if err != nil {
		t.Fatal(err)
	}
	e.Proof.Digest = d
	return e.Proof
}

func format(t testing.TB, name string, p *proof.Proof) string {
	t.Helper()
	f, ok := render.Find(name)
	if !ok {
		t.Fatalf("there is no format %q", name)
	}
	var buf bytes.Buffer
	if err := f.Render(&buf, p); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// Each format of each example is compared with a file. JSON has none: it must
// be the example itself.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		for _, f := range render.Formats {
			t.Run(name+" "+f.Name, func(t *testing.T) {
				t.Parallel()
				got := format(t, f.Name, example(t, name))
				path := filepath.Join("testdata", name+"."+f.Name)
				if f.Name == "json" {
					path = filepath.Join("../../testdata/proofs", name+".json")
				} else if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs from what is rendered; look at it, then run: go test ./reports/render -run TestGolden -update\n%s", path, firstDifference(got, string(want)))
				}
			})
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i+1, words.Cut(g[i], 300), words.Cut(w[i], 300))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

func TestFormats(t *testing.T) {
	t.Parallel()
	names, files := map[string]bool{}, map[string]bool{}
	for _, f := range render.Formats {
		if f.Name == "" || f.Title == "" || f.Render == nil {
			t.Errorf("format %+v is incomplete", f)
		}
		if names[f.Name] || f.File != "" && files[f.File] {
			t.Errorf("format %s: name or file is there twice", f.Name)
		}
		names[f.Name], files[f.File] = true, true
		if found, ok := render.Find(f.Name); !ok || found.Title != f.Title {
			t.Errorf("Find(%q) does not find it", f.Name)
		}
	}
	if _, ok := render.Find("papyrus"); ok {
		t.Error("Find finds a format that is not there")
	}
}

// The same proof gives the same bytes, and rendering leaves it as it was.
// some examples: all of them, or with -short a few.
func some() []string {
	names := examples.Names()
	if testing.Short() {
		return names[:min(3, len(names))]
	}
	return names
}

func TestRenderingIsDeterministic(t *testing.T) {
	t.Parallel()
	for _, name := range some() {
		p := example(t, name)
		before := format(t, "json", p)
		for _, f := range render.Formats {
			if a, b := format(t, f.Name, p), format(t, f.Name, example(t, name)); a != b {
				t.Errorf("%s of %s: two renderings differ: %s", f.Name, name, firstDifference(a, b))
			}
		}
		if after := format(t, "json", p); after != before {
			t.Errorf("rendering changed %s: %s", name, firstDifference(after, before))
		}
	}
}

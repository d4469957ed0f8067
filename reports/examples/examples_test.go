package examples_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

var update = flag.Bool("update", false, "write the example proofs again")

const folder = "../../testdata/proofs"

func TestExamplesAreCurrent(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := examples.Named(name)
			into := t.TempDir()
			if *update {
				into = folder
			}
			verdict.Derive(e.Proof)
			if err := proof.Save(filepath.Join(into, e.Name+".json"), e.Proof); err != nil {
				t.Fatal(err)
			}
			names := []string{e.Name + ".json"}
			for name, h := range e.Histories {
				if err := history.Save(filepath.Join(into, name), h); err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			for _, name := range names {
				got, err := os.ReadFile(filepath.Join(into, name))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(filepath.Join(folder, name))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s is not what the code makes (%v); run: go test ./reports/examples -update", name, err)
				}
			}
		})
	}
}

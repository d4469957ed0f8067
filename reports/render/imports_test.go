package render_test

import (
	"go/build"
	"os"
	"strings"
	"testing"
)

// Formats know the proof, its summary and nothing of how it came about; and none
// knows another.
func TestImports(t *testing.T) {
	t.Parallel()
	const reports = "github.com/coreproof/coreproof/reports/"
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range folders {
		if !f.IsDir() || f.Name() == "testdata" {
			continue
		}
		seen++
		p, err := build.ImportDir(f.Name(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Imports {
			if !strings.Contains(i, ".") {
				continue
			}
			switch strings.TrimPrefix(i, reports) {
			case "proof", "verdict", "verdict/chart", "verdict/several", "words", "render/look", "render/sheet", "render/summary":
			default:
				t.Errorf("%s imports %s", f.Name(), i)
			}
		}
	}
	if seen < 7 {
		t.Errorf("only %d packages below this one", seen)
	}
}

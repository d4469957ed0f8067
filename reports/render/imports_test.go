package render

import (
	"go/build"
	"strings"
	"testing"
)

// Renderers know the proof and nothing of how it came about.
func TestImports(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range p.Imports {
		if strings.Contains(i, ".") && i != "github.com/coreproof/coreproof/reports/proof" {
			t.Errorf("imports %s", i)
		}
	}
}

package proof_test

import (
	"go/build"
	"strings"
	"testing"
)

// Everybody may read proofs, so this package imports nothing of ours.
func TestLeaf(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range p.Imports {
		if strings.Contains(i, ".") {
			t.Errorf("imports %s, want the standard library alone", i)
		}
	}
}

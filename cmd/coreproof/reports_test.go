package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// TestFilesBeforeTheScreen: on a disk that takes no report no verdict is printed.
func TestFilesBeforeTheScreen(t *testing.T) {
	t.Parallel()
	made, err := proof.Load(filepath.Join("..", "..", "testdata", "proofs", "good.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, quiet := range []bool{false, true} {
		var out text
		p := &proving{s: streams{in: strings.NewReader(""), out: &out, err: &out}}
		p.output.out, p.output.quiet = filepath.Join(t.TempDir(), "none"), quiet
		p.output.formats = []string{"terminal", "markdown"}
		if err := p.render(made); err == nil || out.String() != "" {
			t.Errorf("quiet %t: error %v after %q, want an error and nothing before it", quiet, err, out.String())
		}
	}
}

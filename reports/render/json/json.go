// Package json shows the proof itself.
package json

import (
	"io"

	"github.com/coreproof/coreproof/reports/proof"
)

// Render writes p as it is, with the verdict that is stored in it.
func Render(w io.Writer, p *proof.Proof) error { return proof.Encode(w, p) }

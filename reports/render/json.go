package render

import (
	"io"

	"github.com/coreproof/coreproof/reports/proof"
)

// JSON writes p itself, as it is, with the verdict that is stored in it.
func JSON(w io.Writer, p *proof.Proof) error { return proof.Encode(w, p) }

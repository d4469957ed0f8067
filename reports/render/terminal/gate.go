package terminal

import (
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
)

// gate shows what head was held to.
func (t *terminal) gate(p *proof.Proof) {
	t.line("")
	for _, r := range summary.GateRows(p) {
		t.line(t.paint(summary.OnlyBad(r.Tone), r.Word) + "  " + r.Name)
		t.wrapped("  ", r.Found)
	}
}

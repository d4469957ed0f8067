package html

import (
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// gateTable shows what head was held to.
func gateTable(p *proof.Proof, l limits) table {
	v := table{Caption: "Head against base", Head: []string{"Budget", "Outcome", "Found"}}
	rows, left := words.First(summary.GateRows(p), l.Rows)
	for _, r := range rows {
		v.Rows = append(v.Rows, []cell{text(l.text(r.Name)), toned(r.Word, r.Tone), text(l.text(r.Found))})
	}
	v.Left = left
	return v
}

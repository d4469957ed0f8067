package markdown

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// mostBudgets keeps a report on a gate within 15 lines.
const (
	mostBudgets    = 4
	mostBesideGate = 3
)

// gate shows what head was held to.
func gate(b *strings.Builder, p *proof.Proof) {
	rows, left := words.First(summary.GateRows(p), mostBudgets)
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| budget | | found |\n| --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s |\n", text(words.Clip(r.Name, 100)), bold(r.Word, r.Tone), text(words.Clip(r.Found, 300)))
	}
	if left > 0 {
		fmt.Fprintf(b, "| and %d more | | see report.html |\n", left)
	}
}

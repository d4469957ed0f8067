package verdict

import (
	"fmt"
	"math"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// rowsApart is how many times as many session rows are another table: ten times as many
// change the depth of its index, a few more do not.
const rowsApart = 10

// ratesApart is how many times as many calls a second change the ratio of two costs per
// call. Rates that were calibrated, each to what its core serves, are alike in what counts.
const ratesApart = 2

// LoadsDiffer says in what two benches differ that their prices of the flag are of: what
// was sent, to how many instances, how far from which database. "" where both are of the
// same.
func LoadsDiffer(a, b *proof.Target, x, y *proof.Bench) string {
	d, e := &x.Design, &y.Design
	switch {
	case d.Verifies() != e.Verifies():
		return fmt.Sprintf("%.3g %% of the calls were verifies in one and %.3g %% in the other", 100*d.Verifies(), 100*e.Verifies())
	case instances(x) != instances(y):
		return fmt.Sprintf("%d instances on each side in one and %d in the other", instances(x), instances(y))
	case d.DatabaseAt != e.DatabaseAt:
		return fmt.Sprintf("the database ran: %q in one, %q in the other", d.DatabaseAt, e.DatabaseAt)
	case a.Database != nil && b.Database != nil && a.Database.TLS != b.Database.TLS:
		return fmt.Sprintf("TLS to the database is %q in one and %q in the other", a.Database.TLS, b.Database.TLS)
	case d.Pinned != e.Pinned:
		return "one was pinned to CPUs of its own and the other was not"
	case d.RateShare == 0 && e.RateShare == 0 && d.RateHz > 0 && e.RateHz > 0 && max(d.RateHz, e.RateHz) >= ratesApart*min(d.RateHz, e.RateHz):
		return fmt.Sprintf("%s verifies a second in one and %s in the other, and a call is cheaper the more there are", words.Figure(d.RateHz), words.Figure(e.RateHz))
	case d.Rows != nil && e.Rows != nil && float64(max(*d.Rows, *e.Rows)) >= rowsApart*math.Max(1, float64(min(*d.Rows, *e.Rows))):
		return fmt.Sprintf("%s session rows in one and %s in the other", words.Count(*d.Rows), words.Count(*e.Rows))
	}
	return ""
}

// instances of the core on each side.
func instances(b *proof.Bench) int {
	n := 1
	for _, v := range b.Variants {
		n = max(n, v.Instances)
	}
	return n
}

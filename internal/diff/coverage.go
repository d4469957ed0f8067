package diff

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// Coverage says how much of (endpoint × version × outcome) agreed at least once.
type Coverage struct {
	Cells, Reached int
	// Missing are kinds of answers that were not seen, with the versions in which they
	// were not, e.g. "refresh: TOKEN_THEFT_DETECTED (2.9, 3.1)".
	Missing []string
	// Beyond is how many kinds of answers agreed that are not on the list.
	Beyond int
}

// Share of the cells, 0 to 1; 0 when there are none.
func (c Coverage) Share() float64 {
	if c.Cells == 0 {
		return 0
	}
	return float64(c.Reached) / float64(c.Cells)
}

// Cover counts what was reached of what can be.
func Cover(seen map[calls.Cell]int, versions []string) Coverage {
	var c Coverage
	listed := map[calls.Cell]bool{}
	missing := map[string][]string{}
	for _, cell := range calls.Universe(versions) {
		listed[cell] = true
		c.Cells++
		if seen[cell] > 0 {
			c.Reached++
			continue
		}
		what := cell.Endpoint + ": " + cell.Outcome
		missing[what] = append(missing[what], cell.Version)
	}
	for cell := range seen {
		if !listed[cell] {
			c.Beyond++
		}
	}
	for _, what := range slices.SortedFunc(maps.Keys(missing), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(missing[b]), len(missing[a])), strings.Compare(a, b))
	}) {
		list := missing[what]
		where := strings.Join(list, ", ")
		if len(list) == len(versions) && len(list) > 1 {
			where = "all versions"
		} else if len(list) > 4 {
			where = fmt.Sprintf("%d versions", len(list))
		}
		c.Missing = append(c.Missing, fmt.Sprintf("%s (%s)", what, where))
	}
	return c
}

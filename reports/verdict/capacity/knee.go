package capacity

import (
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// kneeRule in words.
const kneeRule = "highest rate served before saturation: in each block the rate, in calls answered per second, below the split of unsaturated and saturated windows that leaves fewest on the wrong side; one number a block (docs/plan.md, Knee; after throughput in RFC 1242, 3.17)"

// knee takes the highest unsaturated rate of each block. Where disturbances mix
// saturated and unsaturated windows, the split that contradicts fewest of them counts.
func knee(groups [][]window) (e *proof.Estimate, rule string, disturbed int) {
	blocks := map[int][]window{}
	var order []int
	for _, g := range groups { // from low to high
		for _, w := range g {
			if blocks[w.Block] == nil {
				order = append(order, w.Block)
			}
			blocks[w.Block] = append(blocks[w.Block], w)
		}
	}
	slices.Sort(order)
	var knees []float64
	passed := false
	for _, k := range order {
		at, wrong := split(blocks[k])
		disturbed += wrong
		if at == len(blocks[k]) {
			continue // the curve ends before saturation
		}
		passed = true
		if at > 0 {
			knees = append(knees, blocks[k][at-1].Served)
		}
	}
	switch {
	case len(order) == 0:
		return nil, "no knee: no window can be used", disturbed
	case !passed:
		return nil, "no knee: no rate that was tried saturated the core", disturbed
	case len(knees) == 0:
		return nil, "no knee: the lowest rate was saturated already", disturbed
	}
	return estimate.Absolute(knees, "1/s"), kneeRule, disturbed
}

// split gives how many windows of a block, from low rates to high, lie before
// saturation: saturated ones before it and unsaturated ones after it are fewest. Of
// several such splits it is the lowest. fewest is how many they are.
func split(list []window) (best, fewest int) {
	wrong := 0
	for _, w := range list {
		if w.Saturated == "" {
			wrong++
		}
	}
	best, fewest = 0, wrong
	for i, w := range list {
		if w.Saturated == "" {
			wrong--
		} else {
			wrong++
		}
		if wrong < fewest {
			best, fewest = i+1, wrong
		}
	}
	return best, fewest
}

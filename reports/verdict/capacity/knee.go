package capacity

import (
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// kneeRule in words.
const kneeRule = "highest rate served before saturation: in each block the rate, in calls answered per second, below the split of unsaturated and saturated windows that leaves fewest on the wrong side; one number a block (docs/plan.md, Knee; after throughput in RFC 1242, 3.17)"

// BlockKnee is the knee of one block.
type BlockKnee struct {
	Block  int
	RateHz float64 // served there, calls per second
}

// Knees of a variant, one a block that has one.
func Knees(b *proof.Bench, variant string) []BlockKnee {
	if b.Sweep == nil {
		return nil
	}
	return kneesOf(b.Sweep, variant, windows(b, variant, nil)).knees
}

// kneesFound is what the blocks of a variant say of its knee.
type kneesFound struct {
	knees       []BlockKnee
	blocks      int // that have a window
	unfinished  int // of them: not all rates were tried, or none that can be used beside the knee
	unsaturated int // whole ones that end before saturation
	disturbed   int // windows on the wrong side of their block's split
}

// kneesOf takes the highest unsaturated rate of each block. Where disturbances mix saturated
// and unsaturated windows, the split that contradicts fewest of them counts. A block that was
// cut short says nothing: the rates that it lacks may lie on either side.
func kneesOf(s *proof.Sweep, variant string, groups [][]window) (out kneesFound) {
	blocks, planned := map[int][]window{}, planned(s, variant)
	var order []int
	var tried []float64
	for _, g := range groups { // from low to high
		tried = append(tried, g[0].Share)
		for _, w := range g {
			if blocks[w.Block] == nil {
				order = append(order, w.Block)
			}
			blocks[w.Block] = append(blocks[w.Block], w)
		}
	}
	slices.Sort(order)
	out.blocks = len(order)
	for _, k := range order {
		list := blocks[k]
		at, wrong := split(list)
		out.disturbed += wrong
		switch {
		case !whole(s, variant, k, planned):
			out.unfinished++
		case at == len(list):
			out.unsaturated++
		case at == 0: // the lowest rate was saturated already
		case slices.ContainsFunc(tried, func(share float64) bool { return share > list[at-1].Share && share < list[at].Share }):
			out.unfinished++
		default:
			out.knees = append(out.knees, BlockKnee{k, list[at-1].Served})
		}
	}
	return out
}

// planned are the shares that each block was to try of a variant; in a proof that does not
// say, all that any block tried.
func planned(s *proof.Sweep, variant string) (shares []float64) {
	capped := slices.ContainsFunc(s.Saturation, func(x proof.SweepSaturation) bool { return x.Variant == variant && x.Capped })
	for _, share := range s.Shares {
		if share <= 1 || !capped {
			shares = append(shares, share)
		}
	}
	if len(s.Shares) > 0 {
		return shares
	}
	for i := range s.Points {
		if p := &s.Points[i]; p.Variant == variant && !slices.Contains(shares, p.Share) {
			shares = append(shares, p.Share)
		}
	}
	return shares
}

// whole says whether a block tried all that was planned of a variant.
func whole(s *proof.Sweep, variant string, block int, planned []float64) bool {
	for _, share := range planned {
		if !slices.ContainsFunc(s.Points, func(p proof.SweepPoint) bool {
			return p.Variant == variant && p.Block == block && p.Share == share
		}) {
			return false
		}
	}
	return true
}

// knee is the mean of the blocks' knees; nil where there is none, with the reason.
func (f *kneesFound) knee() (e *proof.Estimate, rule string) {
	switch {
	case len(f.knees) > 0:
	case f.blocks == 0:
		return nil, "no knee: no window can be used"
	case f.unfinished == f.blocks:
		return nil, "no knee: in no block all rates were tried"
	case f.unsaturated+f.unfinished == f.blocks:
		return nil, "no knee: no rate that was tried saturated the core"
	default:
		return nil, "no knee: the lowest rate was saturated already"
	}
	var served []float64
	for _, k := range f.knees {
		served = append(served, k.RateHz)
	}
	rule = kneeRule
	if f.unfinished > 0 {
		rule += fmt.Sprintf("; %d of %d blocks left out, since not all of their rates were tried", f.unfinished, f.blocks)
	}
	return estimate.Absolute(served, "1/s"), rule
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

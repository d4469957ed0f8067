package bench

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/reports/proof"
)

// binGrowth makes about 24 bins a decade: fine enough to draw, small enough to keep.
const binGrowth = 1.1

func newMerged(n int) []*hdrhistogram.Histogram {
	out := make([]*hdrhistogram.Histogram, n)
	for i := range out {
		out[i] = generator.NewHistogram()
	}
	return out
}

// histograms merges the latencies of the unsaturated cost rounds, by variant.
func (m *measurement) histograms() {
	for i, h := range m.merged {
		if h.TotalCount() > 0 {
			m.res.Histograms = append(m.res.Histograms, bins(h, m.Variants[i].Name))
		}
	}
}

func bins(h *hdrhistogram.Histogram, variant string) proof.Histogram {
	out := proof.Histogram{Variant: variant}
	upper := float64(max(h.Min(), 1)) * binGrowth
	var count int64
	flush := func() {
		if count > 0 {
			out.UpperMs = append(out.UpperMs, math.Round(upper)/1e6)
			out.Count = append(out.Count, count)
			count = 0
		}
	}
	for _, b := range h.Distribution() {
		if b.Count == 0 {
			continue
		}
		for float64(b.To) > upper {
			flush()
			upper *= binGrowth
		}
		count += b.Count
	}
	flush()
	return out
}

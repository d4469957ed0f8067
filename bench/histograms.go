package bench

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coreproof/coreproof/reports/proof"
)

// binGrowth makes about 24 bins a decade: fine enough to draw, small enough to keep.
const binGrowth = 1.1

// histograms merges the latencies of the calm cost rounds, by side.
func (e *era) histograms() {
	for i, flag := range []string{"off", "on"} {
		if h := e.merged[i]; h != nil && h.TotalCount() > 0 {
			e.res.Histograms = append(e.res.Histograms, bins(h, flag))
		}
	}
}

func bins(h *hdrhistogram.Histogram, flag string) proof.Histogram {
	out := proof.Histogram{Flag: flag}
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

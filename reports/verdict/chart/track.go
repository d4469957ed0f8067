package chart

import (
	"math"
	"time"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// Track is one variant's windows in the order they were run.
type Track struct {
	Variant string
	Unit    string // "µs" of CPU per call, "ms" of median latency where that is not known
	Spots   []Spot
	// Drift is the figure at the end of the run over that at its start, by least squares
	// on logarithms over time, unsaturated windows alone; nil without three of them.
	Drift *proof.Estimate
}

// Spot is one window.
type Spot struct {
	Round     int           // its index
	At        time.Duration // since the first one
	Value     float64
	Saturated bool // it is in no figure
}

// Tracks of the variants off and on over the cost rounds; nil where there are none.
func Tracks(b *proof.Bench) []Track {
	unit := "µs"
	var first time.Time
	for i := range b.Rounds {
		if r := &b.Rounds[i]; r.Kind == proof.KindCost {
			if first.IsZero() || r.Started.Before(first) {
				first = r.Started
			}
			for _, name := range []string{off, on} {
				if w := window(r, name); w != nil && w.CPU < 0 {
					unit = "ms" // one figure for all windows
				}
			}
		}
	}
	var out []Track
	for _, name := range []string{off, on} {
		t := Track{Variant: name, Unit: unit}
		var xs, ys []float64
		for i := range b.Rounds {
			r := &b.Rounds[i]
			w := window(r, name)
			if r.Kind != proof.KindCost || w == nil || w.Calls <= 0 {
				continue
			}
			y := w.P50
			if unit == "µs" {
				y = w.CPU / float64(w.Calls)
			}
			if !(y > 0) || !estimate.Finite(y) {
				continue
			}
			s := Spot{Round: r.Index, At: r.Started.Sub(first), Value: y, Saturated: r.Saturated}
			t.Spots = append(t.Spots, s)
			if !s.Saturated {
				xs, ys = append(xs, s.At.Seconds()), append(ys, math.Log(y))
			}
		}
		if len(t.Spots) > 0 {
			t.Drift = drift(xs, ys)
			out = append(out, t)
		}
	}
	return out
}

func drift(xs, ys []float64) *proof.Estimate {
	if len(xs) < 3 {
		return nil
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, x := range xs {
		low, high = min(low, x), max(high, x)
	}
	span := high - low
	i := stats.Slope(xs, ys, estimate.Level)
	end := i.Map(func(x float64) float64 { return math.Exp(x * span) })
	if !(span > 0) || !estimate.Finite(end.Mean) || !estimate.Finite(end.Low) || !estimate.Finite(end.High) {
		return nil
	}
	return &proof.Estimate{Value: end.Mean, Unit: "ratio", N: i.N, Interval: &proof.Interval{Low: end.Low, High: end.High, Level: estimate.Level},
		Method: "least squares over time, Student's t", Assumption: "windows are independent and close to a straight line"}
}

// Drifts says whether a track's figure is shown to have moved over the run.
func (t *Track) Drifts() bool {
	return t.Drift != nil && t.Drift.Interval != nil && (t.Drift.Interval.Low > 1 || t.Drift.Interval.High < 1)
}

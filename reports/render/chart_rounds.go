package render

import (
	"fmt"
	"html/template"
	"math"

	"github.com/coreproof/coreproof/reports/proof"
)

// roundRatio is side B over side A of one round: CPU per call where it could be
// read, else the median latency.
func roundRatio(r proof.Round, cpu bool) (float64, bool) {
	a, b := r.A.P50, r.B.P50
	if cpu {
		if r.A.Calls <= 0 || r.B.Calls <= 0 {
			return 0, false
		}
		a, b = r.A.CPU/float64(r.A.Calls), r.B.CPU/float64(r.B.Calls)
	}
	if a <= 0 || b <= 0 || !drawable(b/a) {
		return 0, false
	}
	return b / a, true
}

// drawable says whether a ratio of two sides fits a picture; beyond it one
// side did not work at all.
func drawable(ratio float64) bool { return ratio > 1e-3 && ratio < 1e3 }

// roundsChart plots each round's ratio, the claim with its interval and the
// band that two equal sides gave; "" without rounds.
func roundsChart(b *proof.Bench, id int, l limits) template.HTML {
	cpu := b.CoreCPURatio != nil
	type point struct {
		ratio float64
		aa    bool
	}
	var points []point
	low, high := 1.0, 1.0
	for _, r := range b.Rounds {
		if r.Kind != "cost" && r.Kind != "aa" {
			continue
		}
		if v, ok := roundRatio(r, cpu); ok && len(points) < l.Rounds {
			points = append(points, point{v, r.Kind == "aa"})
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if len(points) == 0 {
		return ""
	}
	claim, floor := b.CoreCPURatio, b.Floor
	if !cpu { // latency has no ratio of its own, only differences
		claim, floor = nil, nil
	}
	if claim != nil && !(drawable(claim.Low) && drawable(claim.High)) {
		claim = nil
	}
	if floor != nil && !(drawable(floor.Low) && drawable(floor.High)) {
		floor = nil
	}
	for _, e := range []*proof.Estimate{claim, floor} {
		if e != nil {
			low, high = math.Min(low, e.Low), math.Max(high, e.High)
		}
	}
	margin := math.Max(0.01, (high-low)*0.08)
	x := scale{low: 0, high: float64(len(points) + 1), from: plotLeft, to: plotWidth - plotRight}
	y := scale{low: low - margin, high: high + margin, from: plotHeight - plotBottom, to: plotTop}
	what := "core CPU per call"
	if !cpu {
		what = "median latency"
	}
	var d drawing
	description := fmt.Sprintf("%d rounds, %s, on / off. ", len(points), what)
	if floor != nil && floor.N >= 2 {
		d.rect("band floor", x.from, y.at(floor.High), x.to-x.from, y.at(floor.Low)-y.at(floor.High))
		description += fmt.Sprintf("Two equal sides: %s. ", measure(floor))
	}
	if claim != nil {
		if claim.N >= 2 {
			d.rect("band on", x.from, y.at(claim.High), x.to-x.from, y.at(claim.Low)-y.at(claim.High))
		}
		d.line("mean on", x.from, y.at(claim.Value), x.to, y.at(claim.Value))
		description += fmt.Sprintf("Off against on: %s.", measure(claim))
	}
	ticks, decimals := evenTicks(y.low, y.high)
	for _, v := range ticks {
		d.line("grid", x.from, y.at(v), x.to, y.at(v))
		d.text("tick", "end", x.from-6, y.at(v)+4, number(v, decimals))
	}
	d.line("axis", x.from, y.at(1), x.to, y.at(1))
	for i, p := range points {
		class := "dot on"
		if p.aa {
			class = "dot aa"
		}
		d.dot(class, x.at(float64(i+1)), y.at(p.ratio))
	}
	steps, _ := evenTicks(1, float64(len(points)))
	for _, v := range steps {
		if v >= 1 && v == math.Trunc(v) {
			d.text("tick", "middle", x.at(v), y.from+16, figure(v))
		}
	}
	d.text("tick", "middle", (x.from+x.to)/2, y.from+33, "rounds in the order they were run")
	return d.done(fmt.Sprintf("rounds-%d", id), plotWidth, plotHeight, "Ratio of "+what+" in each round", description)
}

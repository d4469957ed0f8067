package html

import (
	"fmt"
	"html/template"
	"math"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// roundRatio is the second window over the first of one round: CPU per call where
// it could be read, else the median latency.
func roundRatio(r proof.Round, cpu bool) (float64, bool) {
	if len(r.Windows) != 2 {
		return 0, false
	}
	x, y := &r.Windows[0], &r.Windows[1]
	if r.Kind == proof.KindCost && x.Variant == "on" {
		x, y = y, x
	}
	a, b := x.P50, y.P50
	if cpu {
		if x.Calls <= 0 || y.Calls <= 0 {
			return 0, false
		}
		a, b = x.CPU/float64(x.Calls), y.CPU/float64(y.Calls)
	}
	if a <= 0 || b <= 0 || !drawable(b/a) {
		return 0, false
	}
	return b / a, true
}

// drawable says whether a ratio of two windows fits a picture; beyond it one
// of them did not work at all.
func drawable(ratio float64) bool { return ratio > 1e-3 && ratio < 1e3 }

// band is an estimate as it is drawn.
type band struct{ Value, Low, High float64 }

// bounds gives nil where there is nothing to draw.
func bounds(e *proof.Estimate) *band {
	if e == nil || e.Interval == nil || !drawable(e.Interval.Low) || !drawable(e.Interval.High) {
		return nil
	}
	return &band{e.Value, e.Interval.Low, e.Interval.High}
}

// saturatedDot is a round that is in no figure.
const saturatedDot = "dot hollow"

// roundsChart plots each round's ratio, the claim with its interval and the
// band that two equal sides gave; "" without rounds. The axis is that of the rounds that
// count, if any do: a saturated one beyond it stands at its edge.
func roundsChart(b *proof.Bench, id int, l limits) template.HTML {
	c := b.Cost
	if c == nil {
		return ""
	}
	cpu := c.CoreCPURatio != nil
	type point struct {
		ratio float64
		class string
	}
	var points []point
	low, high := 1.0, 1.0
	saturated := 0
	for _, r := range b.Rounds {
		if r.Kind != proof.KindCost && r.Kind != proof.KindFloor {
			continue
		}
		if v, ok := roundRatio(r, cpu); ok && len(points) < l.Rounds {
			p := point{v, "dot on"}
			switch {
			case r.Saturated:
				p.class = saturatedDot
				saturated++
			case r.Kind == proof.KindFloor:
				p.class = "dot alike"
			}
			points = append(points, p)
		}
	}
	if len(points) == 0 {
		return ""
	}
	for _, p := range points {
		if p.class != saturatedDot || saturated == len(points) {
			low, high = math.Min(low, p.ratio), math.Max(high, p.ratio)
		}
	}
	claim, floor := bounds(c.CoreCPURatio), bounds(c.Floor)
	if !cpu { // latency has no ratio of its own, only differences
		claim, floor = nil, nil
	}
	for _, e := range []*band{claim, floor} {
		if e != nil {
			low, high = math.Min(low, e.Low), math.Max(high, e.High)
		}
	}
	margin := math.Max(0.01, (high-low)*0.08)
	x := look.Scale{Low: 0, High: float64(len(points) + 1), From: look.Left, To: look.Width - look.Right}
	y := look.Scale{Low: low - margin, High: high + margin, From: look.Height - look.Bottom, To: look.Top}
	what := "core CPU per call"
	if !cpu {
		what = "median latency"
	}
	var d look.Drawing
	description := fmt.Sprintf("%d rounds, %s, on / off. ", len(points), what)
	if saturated > 0 {
		description = fmt.Sprintf("%d rounds, %s, on / off, %d of them saturated and in no figure. ", len(points), what, saturated)
	}
	if floor != nil {
		d.Rect("band floor", x.From, y.At(floor.High), x.To-x.From, y.At(floor.Low)-y.At(floor.High))
		description += fmt.Sprintf("Two equal sides: %s. ", summary.Measure(c.Floor))
	}
	if claim != nil {
		d.Rect("band on", x.From, y.At(claim.High), x.To-x.From, y.At(claim.Low)-y.At(claim.High))
		d.Line("mean on", x.From, y.At(claim.Value), x.To, y.At(claim.Value))
		description += fmt.Sprintf("Off against on: %s.", summary.Measure(c.CoreCPURatio))
	}
	ticks, decimals := look.EvenTicks(y.Low, y.High)
	for _, v := range ticks {
		d.Line("grid", x.From, y.At(v), x.To, y.At(v))
		d.Text("tick", "end", x.From-6, y.At(v)+4, words.Number(v, decimals))
	}
	d.Line("axis", x.From, y.At(1), x.To, y.At(1))
	for i, p := range points {
		d.Dot(p.class, x.At(float64(i+1)), y.At(math.Min(math.Max(p.ratio, y.Low), y.High)))
	}
	steps, _ := look.EvenTicks(1, float64(len(points)))
	for _, v := range steps {
		if v >= 1 && v == math.Trunc(v) {
			d.Text("tick", "middle", x.At(v), y.From+16, words.Figure(v))
		}
	}
	d.Text("tick", "middle", (x.From+x.To)/2, y.From+33, "rounds in the order they were run")
	return d.Done(fmt.Sprintf("rounds-%d", id), look.Width, look.Height, "Ratio of "+what+" in each round", description)
}

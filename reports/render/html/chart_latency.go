package html

import (
	"fmt"
	"html/template"
	"math"
	"strconv"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/words"
)

// curve is the latency of one variant by percentile: x is the number of nines,
// −log10(1 − q), so that the slow tail has room; y is in ms.
type curve struct {
	variant string
	points  [][2]float64
	// bars are intervals, where the points are means over rounds.
	bars []proof.Estimate
}

// Latencies in ms beyond which nothing is drawn: no clock tells the one, no
// client waits for the other.
const shortest, longest = 1e-6, 1e9

// latencyChart plots both variants' latency by percentile; "" without figures.
func latencyChart(b *proof.Bench, id int, l limits) template.HTML {
	curves := histogramCurves(b.Histograms)
	if len(curves) == 0 {
		curves = rowCurves(b.Cost)
	}
	low, high, nines := math.Inf(1), math.Inf(-1), 2.0
	for _, c := range curves {
		for _, p := range c.points {
			nines = math.Max(nines, p[0])
			low, high = math.Min(low, p[1]), math.Max(high, p[1])
		}
		for _, e := range c.bars {
			if e.Interval == nil {
				continue
			}
			if e.Interval.Low > 0 {
				low = math.Min(low, e.Interval.Low)
			}
			high = math.Max(high, e.Interval.High)
		}
	}
	if len(curves) == 0 || low < shortest || high > longest {
		return ""
	}
	x := look.Scale{Low: 0, High: nines, From: look.Left, To: look.Width - look.Right}
	y := look.Scale{Low: low / 1.15, High: high * 1.15, From: look.Height - look.Bottom, To: look.Top, Log: true}
	var d look.Drawing
	for _, v := range look.LogTicks(y.Low, y.High) {
		d.Line("grid", x.From, y.At(v), x.To, y.At(v))
		d.Text("tick", "end", x.From-6, y.At(v)+4, strconv.FormatFloat(v, 'f', -1, 64))
	}
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		n := -math.Log10(1 - q)
		if n > nines+0.05 {
			break
		}
		d.Line("grid", x.At(n), y.From, x.At(n), y.To)
		d.Text("tick", "middle", math.Min(x.At(n), x.To-14), y.From+16, percentileTick(q))
	}
	d.Text("tick", "start", x.From-46, look.Top+1, "ms")
	d.Text("tick", "middle", (x.From+x.To)/2, y.From+33, "percentile of calls")
	description := ""
	for _, c := range curves {
		class := "curve off"
		if c.variant == "on" {
			class = "curve on"
		}
		var path [][2]float64
		for _, p := range c.points {
			path = append(path, [2]float64{x.At(p[0]), y.At(p[1])})
		}
		d.Path(class, path)
		for i, e := range c.bars {
			if e.Interval != nil {
				px := x.At(c.points[i][0])
				d.Line(class, px, y.At(e.Interval.Low), px, y.At(e.Interval.High))
			}
		}
		description += fmt.Sprintf("Flag %s: from %s ms to %s ms. ", c.variant, words.Figure(c.points[0][1]), words.Figure(c.points[len(c.points)-1][1]))
	}
	return d.Done(fmt.Sprintf("latency-%d", id), look.Width, look.Height, "Latency by percentile, flag off and on", description+"The table has the figures.")
}

func percentileTick(q float64) string {
	if q == 0.5 {
		return "50"
	}
	return percentile(q)
}

// histogramCurves are cumulative counts, from the first half per cent on: below
// it lie a few lucky calls that would stretch the picture.
func histogramCurves(all []proof.Histogram) []curve {
	var out []curve
	for _, h := range all {
		n := min(len(h.UpperMs), len(h.Count))
		var total int64
		for _, c := range h.Count[:n] {
			total += max(0, c)
		}
		if total <= 0 || h.Variant != "on" && h.Variant != "off" {
			continue
		}
		c := curve{variant: h.Variant}
		var done int64
		for i := range n {
			done += max(0, h.Count[i])
			q := float64(done) / float64(total)
			if q < 0.005 || h.UpperMs[i] <= 0 {
				continue
			}
			// The last call has no calls beyond it: it stands where one more would.
			nines := -math.Log10(1 - math.Min(q, 1-0.5/float64(total)))
			c.points = append(c.points, [2]float64{math.Min(nines, 6), h.UpperMs[i]})
		}
		if c.points = thinned(c.points, 160); len(c.points) > 1 {
			out = append(out, c)
		}
	}
	return out
}

// rowCurves join the quantiles that were measured.
func rowCurves(c *proof.Cost) []curve {
	if c == nil {
		return nil
	}
	off, on := curve{variant: "off"}, curve{variant: "on"}
	rows, _ := words.First(c.Latency, 20)
	for _, r := range rows {
		if r.Quantile <= 0 || r.Quantile >= 1 || r.Off.Value <= 0 || r.On.Value <= 0 {
			continue
		}
		nines := math.Min(6, -math.Log10(1-r.Quantile))
		off.points, off.bars = append(off.points, [2]float64{nines, r.Off.Value}), append(off.bars, r.Off)
		on.points, on.bars = append(on.points, [2]float64{nines, r.On.Value}), append(on.bars, r.On)
	}
	if len(off.points) < 2 {
		return nil
	}
	return []curve{off, on}
}

// thinned keeps at most about n points, the last one always.
func thinned(points [][2]float64, n int) [][2]float64 {
	if len(points) <= n {
		return points
	}
	step := (len(points) + n - 1) / n
	var out [][2]float64
	for i := 0; i < len(points)-1; i += step {
		out = append(out, points[i])
	}
	return append(out, points[len(points)-1])
}

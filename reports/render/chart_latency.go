package render

import (
	"fmt"
	"html/template"
	"math"
	"strconv"

	"github.com/coreproof/coreproof/reports/proof"
)

// curve is the latency of one side by percentile: x is the number of nines,
// −log10(1 − q), so that the slow tail has room; y is in ms.
type curve struct {
	flag   string
	points [][2]float64
	// bars are intervals, where the points are means over rounds.
	bars []proof.Estimate
}

// Latencies in ms beyond which nothing is drawn: no clock tells the one, no
// client waits for the other.
const shortest, longest = 1e-6, 1e9

// latencyChart plots both sides' latency by percentile; "" without figures.
func latencyChart(b *proof.Bench, id int, l limits) template.HTML {
	curves := histogramCurves(b.Histograms)
	if len(curves) == 0 {
		curves = rowCurves(b.Latency)
	}
	low, high, nines := math.Inf(1), math.Inf(-1), 2.0
	for _, c := range curves {
		for _, p := range c.points {
			nines = math.Max(nines, p[0])
			low, high = math.Min(low, p[1]), math.Max(high, p[1])
		}
		for _, e := range c.bars {
			if e.Low > 0 {
				low = math.Min(low, e.Low)
			}
			high = math.Max(high, e.High)
		}
	}
	if len(curves) == 0 || low < shortest || high > longest {
		return ""
	}
	x := scale{low: 0, high: nines, from: plotLeft, to: plotWidth - plotRight}
	y := scale{low: low / 1.15, high: high * 1.15, from: plotHeight - plotBottom, to: plotTop, log: true}
	var d drawing
	for _, v := range logTicks(y.low, y.high) {
		d.line("grid", x.from, y.at(v), x.to, y.at(v))
		d.text("tick", "end", x.from-6, y.at(v)+4, strconv.FormatFloat(v, 'f', -1, 64))
	}
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		n := -math.Log10(1 - q)
		if n > nines+0.05 {
			break
		}
		d.line("grid", x.at(n), y.from, x.at(n), y.to)
		d.text("tick", "middle", math.Min(x.at(n), x.to-14), y.from+16, percentileTick(q))
	}
	d.text("tick", "start", x.from-46, plotTop+1, "ms")
	d.text("tick", "middle", (x.from+x.to)/2, y.from+33, "percentile of calls")
	description := ""
	for _, c := range curves {
		class := "curve off"
		if c.flag == "on" {
			class = "curve on"
		}
		var path [][2]float64
		for _, p := range c.points {
			path = append(path, [2]float64{x.at(p[0]), y.at(p[1])})
		}
		d.path(class, path)
		for i, e := range c.bars {
			px := x.at(c.points[i][0])
			d.line(class, px, y.at(e.Low), px, y.at(e.High))
		}
		description += fmt.Sprintf("Check %s: from %s ms to %s ms. ", c.flag, figure(c.points[0][1]), figure(c.points[len(c.points)-1][1]))
	}
	return d.done(fmt.Sprintf("latency-%d", id), plotWidth, plotHeight, "Latency by percentile, check off and on", description+"The table has the figures.")
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
		if total <= 0 || h.Flag != "on" && h.Flag != "off" {
			continue
		}
		c := curve{flag: h.Flag}
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
func rowCurves(rows []proof.LatencyRow) []curve {
	off, on := curve{flag: "off"}, curve{flag: "on"}
	rows, _ = first(rows, 20)
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

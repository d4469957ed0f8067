package render

import (
	"fmt"
	"html/template"
	"math"
)

// CPU time of a call in µs beyond which nothing is drawn: an hour.
const longestCall = 3.6e9

// cpuBars draws the CPU time of one call, off and on, one pair of bars a row;
// "" where it could not be read.
func cpuBars(rows []costRow, l limits) template.HTML {
	type bar struct {
		label             string
		off, on, database float64
		hasDatabase       bool
	}
	var bars []bar
	most := 0.0
	for _, r := range rows {
		if !r.CoreOff.Present || !r.CoreOn.Present || r.CoreOff.raw <= 0 || r.CoreOn.raw <= 0 {
			continue
		}
		b := bar{r.Target, r.CoreOff.raw, r.CoreOn.raw, math.Max(0, r.Database.raw), r.Database.Present}
		if r.Protocol != "" {
			b.label += ", " + r.Protocol
		}
		if b.off > longestCall || b.on > longestCall || b.database > longestCall {
			continue
		}
		if len(bars) < min(24, l.Rows) {
			bars = append(bars, b)
			most = math.Max(most, math.Max(b.off, b.on+b.database))
		}
	}
	if len(bars) == 0 {
		return ""
	}
	const rowHeight, barHeight, width, left, labelSpace = 66.0, 16.0, 440.0, 30.0, 118.0
	x := scale{low: 0, high: most, from: left, to: width - labelSpace}
	var d drawing
	description := ""
	for i, b := range bars {
		top := float64(i) * rowHeight
		d.text("label", "start", 0, top+14, cut(b.label, 60))
		d.text("tick", "end", left-6, top+33, "off")
		d.rect("bar off", x.from, top+20, x.at(b.off)-x.from, barHeight)
		d.text("tick", "start", x.at(b.off)+6, top+33, figure(b.off)+" µs")
		d.text("tick", "end", left-6, top+52, "on")
		// The part that off costs too keeps its colour: what is added stands out.
		common := math.Min(b.off, b.on)
		d.rect("bar off", x.from, top+39, x.at(common)-x.from, barHeight)
		d.rect("bar on", x.at(common), top+39, x.at(b.on)-x.at(common), barHeight)
		end, words := b.on, figure(b.on)+" µs"
		if b.hasDatabase {
			d.rect("bar db", x.at(b.on), top+39, x.at(b.on+b.database)-x.at(b.on), barHeight)
			end, words = b.on+b.database, fmt.Sprintf("%s + %s µs", figure(b.on), figure(b.database))
		}
		d.text("tick", "start", x.at(end)+6, top+52, words)
		description += fmt.Sprintf("%s: off %s µs, on %s. ", b.label, figure(b.off), words)
	}
	return d.done("cpu", width, float64(len(bars))*rowHeight, "CPU time of one call", description)
}

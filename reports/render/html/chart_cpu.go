package html

import (
	"fmt"
	"html/template"
	"math"

	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// CPU time of a call in µs beyond which nothing is drawn: an hour.
const longestCall = 3.6e9

// cpuBars draws the CPU time of one call, off and on, one pair of bars a row;
// "" where it could not be read.
func cpuBars(rows []summary.CostRow, l limits) template.HTML {
	type bar struct {
		label             string
		off, on, database float64
		hasDatabase       bool
	}
	var bars []bar
	most := 0.0
	for _, r := range rows {
		if !r.CoreOff.Present || !r.CoreOn.Present || r.CoreOff.Raw <= 0 || r.CoreOn.Raw <= 0 {
			continue
		}
		b := bar{r.Target, r.CoreOff.Raw, r.CoreOn.Raw, math.Max(0, r.Database.Raw), r.Database.Present}
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
	x := look.Scale{Low: 0, High: most, From: left, To: width - labelSpace}
	var d look.Drawing
	description := ""
	for i, b := range bars {
		top := float64(i) * rowHeight
		d.Text("label", "start", 0, top+14, words.Cut(b.label, 60))
		d.Text("tick", "end", left-6, top+33, "off")
		d.Rect("bar off", x.From, top+20, x.At(b.off)-x.From, barHeight)
		d.Text("tick", "start", x.At(b.off)+6, top+33, words.Figure(b.off)+" µs")
		d.Text("tick", "end", left-6, top+52, "on")
		// The part that off costs too keeps its colour: what is added stands out.
		common := math.Min(b.off, b.on)
		d.Rect("bar off", x.From, top+39, x.At(common)-x.From, barHeight)
		d.Rect("bar on", x.At(common), top+39, x.At(b.on)-x.At(common), barHeight)
		end, label := b.on, words.Figure(b.on)+" µs"
		if b.hasDatabase {
			d.Rect("bar db", x.At(b.on), top+39, x.At(b.on+b.database)-x.At(b.on), barHeight)
			end, label = b.on+b.database, fmt.Sprintf("%s + %s µs", words.Figure(b.on), words.Figure(b.database))
		}
		d.Text("tick", "start", x.At(end)+6, top+52, label)
		description += fmt.Sprintf("%s: off %s µs, on %s. ", b.label, words.Figure(b.off), label)
	}
	return d.Done("cpu", width, float64(len(bars))*rowHeight, "CPU time of one call", description)
}

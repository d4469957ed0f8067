package html

import (
	"fmt"
	"html/template"
	"math"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/verdict/chart"
	"github.com/coreproof/coreproof/reports/words"
)

// partsView is where the time of the median call goes.
type partsView struct {
	Picture template.HTML
	Table   table
	// Without names benches of a mixed load, which have no parts; "" where there are none.
	Without string
}

// newPartsView shows all benches of a proof; its table has a row a side.
func newPartsView(p *proof.Proof, l limits) partsView {
	v := partsView{Table: table{Caption: "Where the median call's time goes, ms, with 95 % intervals over rounds", Head: []string{"Target", "Flag", "Median latency", "Core CPU", "Database CPU", "Rest: network, queues, sleep"}}}
	type row struct {
		label string
		sides []chart.Parts
	}
	var rows []row
	var mixed []string
	most := 0.0
	for i := range p.Targets {
		t := &p.Targets[i]
		benches, _ := words.First(t.Bench, l.Benches)
		for j := range benches {
			b := &benches[j]
			label := t.Name
			if b.Protocol != "" {
				label += ", " + b.Protocol
			}
			if b.Design.Verifies() < 1 {
				mixed = append(mixed, l.text(label))
			}
			sides := chart.Where(b)
			if sides == nil {
				continue
			}
			drawable := true
			for _, s := range sides {
				database := estimate(summary.Measure(s.Database))
				switch {
				case s.Database != nil:
				case s.Flag == "off":
					database = cell{Text: summary.Missing, Sub: "asks none", Number: true}
				case t.Embedded(b):
					database = cell{Text: summary.Missing, Sub: "in the core's", Number: true}
				default:
					database = cell{Text: summary.Missing, Sub: "not read", Number: true}
				}
				rest := estimate(summary.Measure(s.Rest))
				if s.Rest == nil {
					rest = text(s.Beyond)
				}
				v.Table.Rows = append(v.Table.Rows, []cell{text(l.text(label)), text(s.Flag), estimate(summary.Measure(s.Time)), estimate(summary.Measure(s.Core)), database, rest})
				drawable = drawable && s.Core != nil && s.Rest != nil && look.Drawable(s.Time.Value)
			}
			if drawable && len(rows) < min(24, l.Rows) {
				rows = append(rows, row{label, sides})
				most = math.Max(most, math.Max(sides[0].Time.Value, sides[1].Time.Value))
			}
		}
	}
	v.Without = summary.Enumerate(mixed)
	v.Table.Rows, v.Table.Left = words.First(v.Table.Rows, l.Rows)
	if len(rows) == 0 {
		return v
	}
	const rowHeight, barHeight, width, left, labelSpace = 66.0, 16.0, 440.0, 30.0, 70.0
	x := look.Scale{Low: 0, High: most, From: left, To: width - labelSpace}
	var d look.Drawing
	description := ""
	for i, r := range rows {
		top := float64(i) * rowHeight
		d.Text("label", "start", 0, top+14, words.Cut(r.label, 60))
		for k, s := range r.sides {
			y := top + 20 + 19*float64(k)
			d.Text("tick", "end", left-6, y+13, s.Flag)
			at := 0.0
			for _, part := range []struct {
				class string
				e     *proof.Estimate
			}{{"core", s.Core}, {"db", s.Database}, {"rest", s.Rest}} {
				if part.e == nil {
					continue
				}
				d.Rect("bar "+part.class, x.At(at), y, x.At(at+part.e.Value)-x.At(at), barHeight)
				at += part.e.Value
				description += fmt.Sprintf("%s, flag %s, %s: %s ms. ", r.label, s.Flag, part.class, words.Figure(part.e.Value))
			}
			d.Text("tick", "start", x.At(at)+6, y+13, words.Number(s.Time.Value, 3)+" ms")
		}
	}
	v.Picture = d.Done("parts", width, float64(len(rows))*rowHeight, "Where the median call's time goes", description)
	return v
}

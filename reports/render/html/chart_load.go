package html

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// loadView is the load curve of one bench.
type loadView struct {
	Charts []chartView
	Knees  []string
	Table  table
}

// chartView is a picture with what it shows.
type chartView struct {
	Picture template.HTML
	Caption string
	Hollow  bool // some rates are drawn hollow
}

// rateFigures are drawn over the rate, one picture each.
var rateFigures = []struct {
	id, title, unit string
	log             bool
	of              func(*proof.CurveRate) *proof.Estimate
}{
	{"p50", "Median latency by rate", "ms", true, func(r *proof.CurveRate) *proof.Estimate { return r.P50 }},
	{"p99", "99th percentile by rate", "ms", true, func(r *proof.CurveRate) *proof.Estimate { return r.P99 }},
	{"core", "Core CPU per call by rate", "µs", false, func(r *proof.CurveRate) *proof.Estimate { return r.CoreCPU }},
	{"db", "Database CPU per call by rate", "µs", false, func(r *proof.CurveRate) *proof.Estimate { return r.DatabaseCPU }},
}

func newLoadView(b *proof.Bench, id int, l limits) *loadView {
	if b.Sweep == nil {
		return nil
	}
	v := &loadView{Table: loadTable(b.Sweep, l)}
	for _, f := range rateFigures {
		if c := rateChart(b.Sweep.Curves, f.of, fmt.Sprintf("load-%s-%d", f.id, id), f.title, f.unit, f.log); c != "" {
			v.Charts = append(v.Charts, chartView{c, f.title, strings.Contains(string(c), "dot hollow")})
		}
	}
	for i := range b.Sweep.Curves {
		c := &b.Sweep.Curves[i]
		text := fmt.Sprintf("Flag %s: ", l.text(c.Variant))
		if k := summary.Measure(c.Knee); k.Present {
			text += fmt.Sprintf("served up to %s calls a second before it queued", boundedOnce(k))
		} else {
			text += l.text(c.KneeRule)
		}
		if c.Disturbed > 0 {
			text += fmt.Sprintf("; %s decided by something else than the load", wasWere(c.Disturbed))
		}
		v.Knees = append(v.Knees, text)
	}
	if len(v.Table.Rows) == 0 {
		return nil
	}
	return v
}

// variantClass is the colour of a variant; "" is not drawn.
func variantClass(name string) string {
	if name == "on" || name == "off" {
		return name
	}
	return ""
}

// rateChart plots one figure of both variants over the rate, with intervals and knees;
// "" without two points of a variant.
func rateChart(curves []proof.LoadCurve, of func(*proof.CurveRate) *proof.Estimate, id, title, unit string, log bool) template.HTML {
	low, high, fastest, drawn := math.Inf(1), 0.0, 0.0, 0
	shown := func(v float64) bool { return look.Drawable(v) || v == 0 && !log } // logarithms have no 0
	each := func(f func(c *proof.LoadCurve, r *proof.CurveRate, e *proof.Estimate)) {
		for i := range curves {
			c := &curves[i]
			for j := range c.Rates {
				if e := of(&c.Rates[j]); variantClass(c.Variant) != "" && e != nil && shown(e.Value) && look.Drawable(c.Rates[j].RateHz) {
					f(c, &c.Rates[j], e)
				}
			}
		}
	}
	each(func(_ *proof.LoadCurve, r *proof.CurveRate, e *proof.Estimate) {
		drawn++
		low, high, fastest = math.Min(low, e.Value), math.Max(high, e.Value), math.Max(fastest, r.RateHz)
		if i := e.Interval; i != nil && look.Drawable(i.High) {
			high = math.Max(high, math.Min(i.High, 4*e.Value)) // one wide interval must not press the rest flat
			if i.Low > e.Value/4 {
				low = math.Min(low, i.Low)
			}
		}
	})
	if drawn < 2 || !(high > 0) {
		return ""
	}
	for i := range curves {
		if k := curves[i].Knee; k != nil && look.Drawable(k.Value) {
			fastest = math.Max(fastest, k.Value)
		}
	}
	if !log {
		low = 0
	}
	p := look.NewPlot(fastest*1.03, low, high, "calls per second, one side alone", unit)
	description := ""
	for i := range curves {
		c := &curves[i]
		class := variantClass(c.Variant)
		if class == "" {
			continue
		}
		var path [][2]float64
		type dot struct {
			class string
			x, y  float64
		}
		var dots []dot
		var first, last *proof.Estimate
		var cut, some []string // bounds beyond the picture; rates that queued now and then
		each(func(of *proof.LoadCurve, r *proof.CurveRate, e *proof.Estimate) {
			if of != c {
				return
			}
			if i := e.Interval; i != nil && look.Drawable(i.High) {
				if p.Whisker(class, r.RateHz, i.Low, i.High) {
					cut = append(cut, fmt.Sprintf("%s to %s %s at %s calls a second", words.Figure(i.Low), words.Figure(i.High), unit, words.Number(r.RateHz, 0)))
				}
			}
			at := dot{"dot " + class, p.X.At(r.RateHz), p.Y.At(e.Value)}
			if r.Saturated > 0 {
				at.class = "dot hollow " + class
				some = append(some, fmt.Sprintf("%s of %s at %s calls a second", words.Count(r.Saturated), words.Count(r.Windows), words.Number(r.RateHz, 0)))
			}
			dots = append(dots, at)
			if r.Queued() {
				return
			}
			path = append(path, [2]float64{at.x, at.y})
			if first == nil {
				first = e
			}
			last = e
		})
		p.Path("curve "+class, path)
		for _, at := range dots {
			p.Dot(at.class, at.x, at.y)
		}
		if k := c.Knee; k != nil && look.Drawable(k.Value) {
			p.Mark(class, k.Value)
		}
		if first != nil {
			description += fmt.Sprintf("Flag %s: %s %s at the lowest rate, %s at the highest that was mostly served without a queue. ", c.Variant, words.Figure(first.Value), unit, words.Figure(last.Value))
		}
		for _, more := range []struct {
			what string
			list []string
		}{{"windows that queued, and are in no figure", some}, {"intervals that go beyond the picture", cut}} {
			if len(more.list) > 0 {
				description += fmt.Sprintf("Flag %s, %s: %s. ", c.Variant, more.what, strings.Join(more.list, "; "))
			}
		}
	}
	return p.Picture(id, title+", flag off and on", description+"The table has the figures.")
}

func loadTable(s *proof.Sweep, l limits) table {
	t := table{Caption: "Load curve, each side alone, with 95 % intervals over blocks", Head: []string{"Calls per second", "Flag", "Windows", "Median, ms", "90th, ms", "99th, ms", "Core CPU, µs a call", "Database CPU, µs a call"}}
	for i := range s.Curves {
		c := &s.Curves[i]
		for j := range c.Rates {
			r := &c.Rates[j]
			windows := cell{Text: words.Count(r.Windows), Number: true}
			if r.Saturated > 0 {
				windows.Sub = words.Count(r.Saturated) + " queued, in no figure"
				if r.Queued() && r.P50 != nil {
					windows.Sub += ", so the others flatter"
				}
			}
			row := []cell{numeric(words.Number(r.RateHz, 0)), text(l.text(c.Variant)), windows}
			for _, e := range []*proof.Estimate{r.P50, r.P90, r.P99, r.CoreCPU, r.DatabaseCPU} {
				row = append(row, estimate(summary.Measure(e)))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

// boundedOnce leaves out an interval whose bounds are written as the value itself is.
func boundedOnce(m summary.Measured) string {
	if m.Interval && m.Low == m.Value && m.High == m.Value {
		return m.Value
	}
	return m.String()
}

func wasWere(windows int) string {
	if windows == 1 {
		return "1 window was"
	}
	return words.Count(windows) + " windows were"
}

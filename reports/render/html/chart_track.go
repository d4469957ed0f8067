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

// trackView is how the windows of a bench moved over its run.
type trackView struct {
	Picture template.HTML
	Caption string
	Drifts  []string
	Table   table
}

func newTrackView(b *proof.Bench, id int, l limits) *trackView {
	tracks := chart.Tracks(b)
	if len(tracks) == 0 {
		return nil
	}
	what := "Core CPU per call"
	if tracks[0].Unit == "ms" {
		what = "Median latency"
	}
	v := &trackView{Picture: trackChart(tracks, what, id, l), Caption: what + " of each window, " + tracks[0].Unit + ", in the order they were run"}
	for i := range tracks {
		t := &tracks[i]
		switch m := summary.Measure(t.Drift); {
		case !m.Present:
			v.Drifts = append(v.Drifts, fmt.Sprintf("Flag %s: too few windows to tell whether it moved over the run.", t.Variant))
		case t.Drifts():
			v.Drifts = append(v.Drifts, fmt.Sprintf("Flag %s moved over the run: at its end %s times what it was at its start.", t.Variant, m))
		default:
			v.Drifts = append(v.Drifts, fmt.Sprintf("Flag %s: no drift is shown: at the end of the run %s times what it was at its start.", t.Variant, m))
		}
	}
	v.Table = roundsTable(b, l)
	return v
}

func trackChart(tracks []chart.Track, what string, id int, l limits) template.HTML {
	low, high, minutes, drawn := math.Inf(1), 0.0, 0.0, 0
	for i := range tracks {
		tracks[i].Spots, _ = words.First(tracks[i].Spots, l.Rounds)
		for _, s := range tracks[i].Spots {
			if look.Drawable(s.Value) {
				low, high, minutes = math.Min(low, s.Value), math.Max(high, s.Value), math.Max(minutes, s.At.Minutes())
				drawn++
			}
		}
	}
	if drawn < 2 || !look.Drawable(minutes) || high > 1e6*low {
		return ""
	}
	p := look.NewPlot(minutes, 0, high, "minutes since the first window", tracks[0].Unit)
	description := ""
	for _, t := range tracks {
		var path [][2]float64
		for _, s := range t.Spots {
			if look.Drawable(s.Value) && !s.Saturated {
				path = append(path, [2]float64{p.X.At(s.At.Minutes()), p.Y.At(s.Value)})
			}
		}
		p.Path("thread "+t.Variant, path)
		least, most := math.Inf(1), 0.0
		for _, s := range t.Spots {
			if !look.Drawable(s.Value) {
				continue
			}
			class := "dot " + t.Variant
			if s.Saturated {
				class = "dot hollow " + t.Variant
			}
			p.Dot(class, p.X.At(s.At.Minutes()), p.Y.At(s.Value))
			least, most = math.Min(least, s.Value), math.Max(most, s.Value)
		}
		description += fmt.Sprintf("Flag %s: %s windows, from %s to %s %s. ", t.Variant, words.Count(len(t.Spots)), words.Figure(least), words.Figure(most), t.Unit)
	}
	return p.Picture(fmt.Sprintf("track-%d", id), what+" of each window over the run", description+"The table of rounds has the figures.")
}

// roundsTable is what the pictures over rounds show.
func roundsTable(b *proof.Bench, l limits) table {
	t := table{Caption: "Rounds in the order they were run", Head: []string{"Round", "Kind", "Started", "First side", "Second side", "Core CPU, µs a call", "Median, ms", "99th, ms", "Second over first"}}
	cpu := true
	for i := range b.Rounds {
		for _, w := range b.Rounds[i].Windows {
			cpu = cpu && w.CPU >= 0
		}
	}
	for i := range b.Rounds {
		r := &b.Rounds[i]
		if len(r.Windows) != 2 {
			continue
		}
		a, z := &r.Windows[0], &r.Windows[1]
		if r.Kind == proof.KindCost && a.Variant == "on" {
			a, z = z, a
		}
		pair := func(f func(*proof.Window) string) cell { return numeric(f(a) + " → " + f(z)) }
		kind := cell{Text: roundKind(r.Kind)}
		if r.Saturated {
			kind.Sub = "saturated: in no figure"
		}
		ratio := numeric(summary.Missing)
		if x, ok := roundRatio(*r, cpu); ok {
			ratio = numeric(words.Number(x, 3))
		}
		t.Rows = append(t.Rows, []cell{numeric(words.Count(r.Index)), kind, text(r.Started.UTC().Format("15:04:05")), text(l.text(a.Variant)), text(l.text(z.Variant)),
			pair(func(w *proof.Window) string {
				if w.CPU < 0 || w.Calls <= 0 {
					return summary.Missing
				}
				return words.Figure(w.CPU / float64(w.Calls))
			}),
			pair(func(w *proof.Window) string { return words.Figure(w.P50) }), pair(func(w *proof.Window) string { return words.Figure(w.P99) }), ratio})
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

package many

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/render/sheet"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/verdict/several"
	"github.com/coreproof/coreproof/reports/words"
)

// most series that a sheet draws; all of them have a table.
const mostDrawn = 60

// Trend is the sheet of a trend; name says of what.
func Trend(t *several.Trend, name string) *sheet.Sheet {
	s := &sheet.Sheet{Title: fmt.Sprintf("%s in %s", words.Plural(len(t.Runs), "run"), name), Tone: summary.Plain}
	changed := t.Changed()
	var worse []string
	untold := 0
	for i := range t.Series {
		x := &t.Series[i]
		n := len(x.Changes)
		switch {
		case n > 0 && x.Changes[n-1].Answer == several.Untold:
			untold++
		case n > 0 && x.Changes[n-1].Answer == several.Worse:
			worse = append(worse, fmt.Sprintf("%s of %s, %s at %s", x.Name, x.Place(), moved(x, &x.Changes[n-1]), t.Runs[x.Changes[n-1].Run].Name))
		}
	}
	open, mended := broken(t)
	switch {
	case len(open) > 0:
		s.Word, s.Tone = "LET CALLS IN", summary.Bad
		s.Sentence = fmt.Sprintf("Calls were accepted after a logout (%s), and later runs tried too few logouts, or none, to show that this is mended.", summary.Enumerate(open))
		if len(worse) > 0 {
			s.Sentence += fmt.Sprintf(" In %s the last change is for the worse: %s.", words.Plural(len(worse), "figure"), summary.Enumerate(worse))
		}
	case len(worse) > 0:
		s.Word, s.Tone = "GOT WORSE", summary.Bad
		s.Sentence = fmt.Sprintf("In %s the last change is for the worse: %s.", words.Plural(len(worse), "figure"), summary.Enumerate(worse))
	case changed > 0:
		s.Word, s.Sentence = "CHANGED", fmt.Sprintf("%s changed; the last change of none of them is for the worse.", words.Plural(changed, "figure"))
		if untold > 0 {
			s.Tone = summary.Unsure
			s.Sentence = fmt.Sprintf("%s changed; the last change of none of them is shown to be for the worse, and of %s it cannot be told, since runs were measured otherwise there.", words.Plural(changed, "figure"), words.Count(untold))
		}
	case t.Judged() == 0:
		s.Word, s.Tone = "CANNOT BE TOLD", summary.Unsure
		s.Sentence = fmt.Sprintf("No count changed, and no measured figure has the %d runs that a change point needs.", t.MinRuns)
	default:
		s.Word, s.Sentence = "NO CHANGE SHOWN", "No figure has a change point."
	}
	if len(mended) > 0 {
		s.Sentence += fmt.Sprintf(" Calls were accepted after a logout in earlier runs (%s), which the logouts tried since show to be rarer now.", summary.Enumerate(mended))
	}
	if n, first := failing(t); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s did not pass: %s.", words.Plural(n, "run"), first))
	}
	s.Notes = append(s.Notes,
		fmt.Sprintf("Change points of measured figures: divisive energy statistics with a permutation test (Matteson and James 2014), %d permutations, level %s per series; %s series were judged, so about %s of them would have one by chance. The test takes runs as exchangeable between changes: a figure that wanders slowly has change points by it.",
			t.Permutations, words.Number(t.Level, 2), words.Count(t.Judged()), words.Number(float64(t.Judged())*t.Level, 2)),
		"Counts change wherever they differ. Figures of different machines, told apart by CPU, memory and kernel, are series of their own.")
	for _, l := range t.LeftOut {
		s.Notes = append(s.Notes, "Left out: "+l)
	}
	if changed > 0 {
		s.Sections = append(s.Sections, changesSection(t))
	}
	places := map[string]*sheet.Section{}
	var order []string
	for i := range t.Series {
		x := &t.Series[i]
		title := x.Place()
		if x.Machine != "" && machines(t) > 1 {
			title += " on " + x.Machine
		}
		if places[title] == nil {
			places[title] = &sheet.Section{Title: title}
			order = append(order, title)
		}
		places[title].Folded = append(places[title].Folded, seriesSection(t, x, i))
	}
	for _, title := range order {
		s.Sections = append(s.Sections, *places[title])
	}
	return s
}

// broken lists the runs in which calls were accepted after a logout: those that may be so
// still, and those that are shown to be mended.
func broken(t *several.Trend) (open, mended []string) {
	for _, b := range t.Broken {
		text := fmt.Sprintf("%s of %s at %s", b.Text, b.Target, t.Runs[b.Run].Name)
		if b.Mended {
			mended = append(mended, text)
		} else {
			open = append(open, text)
		}
	}
	return open, mended
}

// failing counts the runs that did not pass and names the newest.
func failing(t *several.Trend) (n int, names string) {
	var list []string
	for _, r := range slices.Backward(t.Runs) {
		if r.Outcome != proof.Pass {
			list = append(list, fmt.Sprintf("%s (%s)", r.Name, r.Outcome))
		}
	}
	n = len(list)
	if n > 5 {
		list = append(list[:5], fmt.Sprintf("%d older ones", n-5))
	}
	return n, summary.Enumerate(list)
}

func machines(t *several.Trend) int {
	seen := map[string]bool{}
	for i := range t.Series {
		if m := t.Series[i].Machine; m != "" {
			seen[m] = true
		}
	}
	return len(seen)
}

// moved says how far a series went at a change.
func moved(x *several.Series, c *several.ChangePoint) string {
	if c.Before > 0 && c.After > 0 && !x.Exact {
		return words.Change(c.After / c.Before)
	}
	return words.Figure(c.Before) + " → " + words.Figure(c.After)
}

func changesSection(t *several.Trend) sheet.Section {
	s := sheet.Section{Title: "Where figures changed"}
	table := sheet.Table{Caption: "Change points", Head: []string{"Figure", "Target", "Changed at", "Before → after, means", "Change", "p", "For the", "What else differs there"}}
	for i := range t.Series {
		x := &t.Series[i]
		for j := range x.Changes {
			c := &x.Changes[j]
			p := "exact"
			if !x.Exact {
				p = "≤ " + words.Number(c.P, 3)
			}
			differs := summary.Enumerate(c.Differs)
			if c.Why != "" {
				differs = strings.TrimSuffix(c.Why+"; "+differs, "; ")
			}
			if differs == "" {
				differs = summary.Missing
			}
			table.Rows = append(table.Rows, []sheet.Cell{{Text: x.Name}, {Text: x.Place()}, {Text: t.Runs[c.Run].Name, Sub: words.Moment(t.Runs[c.Run].Started)},
				{Text: words.Figure(c.Before) + " → " + words.Figure(c.After) + unit(x.Unit), Number: true}, {Text: moved(x, c), Number: true}, {Text: p, Number: true},
				{Text: string(c.Answer), Tone: answerTones[c.Answer]}, {Text: differs}})
		}
	}
	s.Tables = []sheet.Table{table}
	return s
}

func unit(u string) string {
	if u == "" || u == "ratio" {
		return ""
	}
	return " " + u
}

func seriesSection(t *several.Trend, x *several.Series, id int) sheet.Section {
	s := sheet.Section{Title: x.Name, Word: "no change shown"}
	switch n := len(x.Changes); {
	case n > 0:
		last := &x.Changes[n-1]
		s.Open = true
		s.Word, s.Tone = fmt.Sprintf("%s, last %s at %s", words.Plural(n, "change"), moved(x, last), t.Runs[last.Run].Name), answerTones[last.Answer]
	case x.Few != "":
		s.Word, s.Tone = x.Few, summary.Unsure
	case x.Exact:
		s.Word = "always the same"
		if len(x.Points) == 1 {
			s.Word = "one run alone"
		}
	}
	if id < mostDrawn {
		if p := seriesChart(x, id); p != "" {
			s.Charts = []sheet.Chart{{Picture: p, Caption: x.Name + unit(x.Unit) + ", run by run; bars are 95 % intervals, level lines means between changes, upright lines changes"}}
		}
	}
	table := sheet.Table{Caption: x.Name + " of " + x.Place(), Head: []string{"Run", "Started", "Figure"}}
	at := map[int]bool{}
	for _, c := range x.Changes {
		at[c.Point] = true
	}
	for i, p := range x.Points {
		m := summary.Measure(&proof.Estimate{Value: p.Value, Unit: x.Unit, Interval: p.Interval})
		c := sheet.Cell{Text: m.Value, Number: true}
		if p.Interval != nil {
			c.Sub = m.Bounds()
		}
		if x.Exact {
			c.Text = words.Figure(p.Value)
		}
		run := sheet.Cell{Text: t.Runs[p.Run].Name}
		if at[i] {
			run.Sub = "changed here"
		}
		table.Rows = append(table.Rows, []sheet.Cell{run, {Text: words.Moment(t.Runs[p.Run].Started)}, c})
	}
	s.Tables = []sheet.Table{table}
	return s
}

func seriesChart(x *several.Series, id int) template.HTML {
	low, high := math.Inf(1), 0.0
	for _, p := range x.Points {
		if p.Value != 0 && !look.Drawable(p.Value) {
			return ""
		}
		low, high = math.Min(low, p.Value), math.Max(high, p.Value)
		if p.Interval != nil && look.Drawable(p.Interval.High) {
			high = math.Max(high, math.Min(p.Interval.High, 3*p.Value))
		}
	}
	if len(x.Points) < 2 || high <= 0 {
		return ""
	}
	p := look.NewPlot(float64(len(x.Points)), 0, high, "runs in the order of time", x.Unit)
	var cut []string // bounds beyond the picture
	for i, v := range x.Points {
		at := float64(i) + 0.5
		if b := v.Interval; b != nil && look.Drawable(b.High) && p.Whisker("on", at, b.Low, b.High) {
			cut = append(cut, fmt.Sprintf("%s to %s at run %d", words.Figure(b.Low), words.Figure(b.High), i+1))
		}
		p.Dot("dot on", p.X.At(at), p.Y.At(v.Value))
	}
	from := 0
	level := func(to int, mean float64) {
		p.Line("mean off", p.X.At(float64(from)), p.Y.At(mean), p.X.At(float64(to)), p.Y.At(mean))
		from = to
	}
	description := fmt.Sprintf("%d runs, from %s to %s. ", len(x.Points), words.Figure(low), words.Figure(high))
	for i := range x.Changes {
		c := &x.Changes[i]
		level(c.Point, c.Before)
		p.Mark("change", float64(c.Point))
		description += fmt.Sprintf("At run %d the mean goes from %s to %s. ", c.Point+1, words.Figure(c.Before), words.Figure(c.After))
	}
	if n := len(x.Changes); n > 0 {
		level(len(x.Points), x.Changes[n-1].After)
	}
	if len(cut) > 0 {
		description += "Intervals that go beyond the picture: " + strings.Join(cut, "; ") + ". "
	}
	return p.Picture(fmt.Sprintf("series-%d", id), x.Name, description+"The table has the figures.")
}

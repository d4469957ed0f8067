package html

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// costView is the section on what the flag costs.
type costView struct {
	Table table
	Bars  template.HTML
	// HasDatabase says that the bars show a database's part too.
	HasDatabase bool
	Parts       partsView
	Benches     []benchView
	Left        int // benches that are left out
}

// benchView is one bench in full.
type benchView struct {
	Title   string
	Summary string
	Open    bool
	Claims  []claimLine
	Latency table
	Curve   template.HTML
	Caption string
	Rounds  template.HTML
	// What the picture of rounds shows besides the rounds themselves.
	HasMean, HasEqual, HasFloor, HasSaturated bool
	Load                                      *loadView
	Track                                     *trackView
	About                                     string
	Dropped                                   lines
}

// claimLine is one claim beside its noise floor, in words.
type claimLine struct {
	Claim, Floor, Stands string
	Tone                 summary.Tone
}

func newCostView(p *proof.Proof, l limits) costView {
	v := costView{Table: costTable(p, l), Bars: cpuBars(summary.CostRows(p), l), Parts: newPartsView(p, l)}
	for _, r := range summary.CostRows(p) {
		v.HasDatabase = v.HasDatabase || r.Database.Present
	}
	ids := 0
	for i := range p.Targets {
		t := &p.Targets[i]
		benches, left := words.First(t.Bench, l.Benches)
		v.Left += left
		for j := range benches {
			ids++
			v.Benches = append(v.Benches, newBenchView(t, &benches[j], ids, l))
		}
	}
	if len(v.Benches) > 0 {
		v.Benches[0].Open = true
	}
	return v
}

func costTable(p *proof.Proof, l limits) table {
	t := table{Caption: "Cost of the flag per verify, with 95 % intervals", Head: []string{"Target", "Core CPU off, µs", "Core CPU on, µs", "Core CPU more, µs", "Database CPU, µs", "Core and database, on / off",
		"Core CPU on / off", "Noise floor of it", "Latency, ms more at the median", "Noise floor of it", "Core CPU at full load, µs", "Calls per second at full load, off → on", "Statements off / on", "Space"}}
	for _, r := range summary.CostRows(p) {
		name := withSub(text(words.Clip(r.Target, l.Text)), words.Clip(r.Protocol, l.Text))
		cost, ratio := estimateAs(r.Cost, r.Cost.Signed), estimate(r.Ratio)
		if r.Cost.Present && r.CostStands.Mark() != "" {
			cost.Sub += ": " + r.CostStands.Mark()
		}
		if r.Ratio.Present && r.RatioStands.Mark() != "" {
			ratio.Sub += ": " + r.RatioStands.Mark()
		}
		database := estimate(r.Database)
		if !r.Database.Present && r.DatabaseNote != "" {
			database = cell{Text: summary.Missing, Sub: r.DatabaseNote, Number: true}
		}
		statements := cell{Text: r.Statements.Off + " / " + r.Statements.On, Number: true, Tone: summary.OnlyBad(r.Statements.Tone)}
		if r.Statements.Off == summary.Missing && r.Statements.On == summary.Missing {
			statements.Text = summary.Missing
		}
		throughput := numeric(summary.OffOn(r.ThroughputOff, r.ThroughputOn))
		if r.ThroughputOff.Present && r.ThroughputOn.Present {
			throughput.Sub = r.ThroughputOff.Bounds() + " → " + r.ThroughputOn.Bounds()
		}
		t.Rows = append(t.Rows, []cell{name, estimate(r.CoreOff), estimate(r.CoreOn), estimateAs(r.CoreExtra, r.CoreExtra.Signed), database, estimate(r.TotalRatio), ratio, estimate(r.Floor),
			cost, estimate(r.FloorLatency), numeric(summary.OffOn(r.SaturatedOff, r.SaturatedOn)), throughput, statements, toned(r.Space.Short, summary.OnlyBad(r.Space.Tone))})
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

func newBenchView(t *proof.Target, b *proof.Bench, id int, l limits) benchView {
	v := benchView{Title: l.text(t.Name)}
	if b.Protocol != "" {
		v.Title += ", " + l.text(b.Protocol)
	}
	v.Title += " (" + summary.ModeWord(b.FlagMode) + ")"
	c := b.Cost
	if c == nil {
		v.Summary = "no cost of the flag was measured"
		c = &proof.Cost{}
	} else if m := summary.Measure(c.CoreCPUDiff); m.Present {
		v.Summary = m.SignedString() + " µs of core CPU"
	} else if m := summary.Measure(c.CostPerCall); m.Present {
		v.Summary = m.SignedString() + " ms at the median"
	} else {
		v.Summary = "no difference is known"
	}
	v.Claims = claimLines(c)
	v.Latency = latencyTable(c, l)
	v.Curve = latencyChart(b, id, l)
	v.Caption = "Latency by percentile, from the intended send to the last byte"
	if len(b.Histograms) == 0 {
		v.Caption += "; means over rounds, bars are 95 % intervals"
	} else {
		v.Caption += "; all rounds together"
	}
	v.Rounds = roundsChart(b, id, l)
	v.HasMean, v.HasFloor = bounds(c.CoreCPURatio) != nil, c.CoreCPURatio != nil && bounds(c.Floor) != nil
	v.HasSaturated = strings.Contains(string(v.Rounds), saturatedDot)
	for _, r := range b.Rounds {
		v.HasEqual = v.HasEqual || r.Kind == proof.KindFloor
	}
	v.Load, v.Track = newLoadView(b, id, l), newTrackView(b, id, l)
	v.About = aboutRounds(b)
	var dropped []string
	for _, d := range b.Dropped {
		dropped = append(dropped, fmt.Sprintf("round %d (%s): %s", d.Index, roundKind(d.Kind), d.Reason))
	}
	v.Dropped = l.lines(dropped)
	return v
}

func claimLines(b *proof.Cost) []claimLine {
	var out []claimLine
	add := func(what, unit string, claim, floor *proof.Estimate, neutral float64) {
		if claim == nil {
			return
		}
		c, s := summary.Measure(claim), summary.Stand(claim, floor, neutral)
		value := c.String()
		if neutral == 0 {
			value = c.SignedString()
		}
		line := claimLine{Claim: fmt.Sprintf("%s%s: %s", what, unit, value), Stands: s.String(), Tone: summary.Unsure}
		if f := summary.Measure(floor); f.Interval {
			line.Floor = fmt.Sprintf("two equal sides gave %s", f)
		}
		if s == summary.ClearOf {
			line.Tone = summary.Good
		}
		out = append(out, line)
	}
	add("Core CPU, on / off", "", b.CoreCPURatio, b.Floor, 1)
	add("Median latency, on − off", ", ms", b.CostPerCall, b.FloorLatency, 0)
	return out
}

func latencyTable(b *proof.Cost, l limits) table {
	t := table{Caption: "Latency in ms, with 95 % intervals over rounds", Head: []string{"Percentile", "Flag off", "Flag on", "Difference"}}
	for _, r := range b.Latency {
		off, on, diff := r.Off, r.On, r.Diff
		d := summary.Measure(&diff)
		c := estimateAs(d, d.Signed)
		if d.Interval && diff.Interval.Low <= 0 && 0 <= diff.Interval.High {
			c.Sub += ": none shown"
		}
		t.Rows = append(t.Rows, []cell{text(percentile(r.Quantile)), estimate(summary.Measure(&off)), estimate(summary.Measure(&on)), c})
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

// percentile writes a quantile as people say it.
func percentile(q float64) string {
	if q == 0.5 {
		return "50 (median)"
	}
	return strconv.FormatFloat(q*100, 'g', 6, 64)
}

func aboutRounds(b *proof.Bench) string {
	kinds := map[string]int{}
	for _, r := range b.Rounds {
		kinds[r.Kind]++
	}
	s := fmt.Sprintf("%s with the flag off against on, %d with both sides alike, %d at full load; %d dropped.", words.Plural(kinds[proof.KindCost], "round"),
		kinds[proof.KindFloor], kinds[proof.KindSaturated], len(b.Dropped))
	c := b.Cost
	if c == nil {
		return s
	}
	if c.Sigma > 0 {
		s += fmt.Sprintf(" Rounds differ by %s %% (σ of ln on/off).", words.Number(c.Sigma*100, 1))
	}
	if c.SaturatedRounds > 0 {
		s += fmt.Sprintf(" %s saturated: they are in no figure.", words.Plural(c.SaturatedRounds, "round"))
	}
	if c.BytesPerCallOff > 0 || c.BytesPerCallOn > 0 {
		s += fmt.Sprintf(" On the wire: %s bytes per call off, %s on.", words.Number(c.BytesPerCallOff, 0), words.Number(c.BytesPerCallOn, 0))
	}
	if !c.Gateable {
		s += " These figures may not be gated on."
	}
	return s
}

func roundKind(kind string) string {
	switch kind {
	case proof.KindCost:
		return "off against on"
	case proof.KindFloor:
		return "both sides alike"
	case proof.KindSaturated:
		return "full load"
	default:
		return words.OneLine(kind)
	}
}

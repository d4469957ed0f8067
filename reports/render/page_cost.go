package render

import (
	"fmt"
	"html/template"
	"strconv"

	"github.com/coreproof/coreproof/reports/proof"
)

// costView is the section on what the flag costs.
type costView struct {
	Table table
	Bars  template.HTML
	// HasDatabase says that the bars show a database's part too.
	HasDatabase bool
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
	HasMean, HasEqual, HasFloor bool
	About                       string
	Dropped                     lines
}

// claimLine is one claim beside its noise floor, in words.
type claimLine struct {
	Claim, Floor, Stands string
	Tone                 tone
}

func newCostView(p *proof.Proof, l limits) costView {
	v := costView{Table: costTable(p, l), Bars: cpuBars(costRows(p), l)}
	for _, r := range costRows(p) {
		v.HasDatabase = v.HasDatabase || r.Database.Present
	}
	ids := 0
	for i := range p.Targets {
		t := &p.Targets[i]
		benches, left := first(t.Bench, l.Benches)
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
	t := table{Caption: "Cost of the check per call, with 95 % intervals", Head: []string{"Target", "Latency, ms more at the median", "Core CPU off, µs", "Core CPU on, µs", "Core CPU more, µs",
		"Database CPU, µs", "Core CPU on / off", "Noise floor of it", "Calls per second at full load, off → on", "Statements off / on", "Space"}}
	for _, r := range costRows(p) {
		name := withSub(text(clip(r.Target, l.Text)), clip(r.Protocol, l.Text))
		cost, ratio := estimateAs(r.Cost, r.CostSigned), estimate(r.Ratio)
		if r.Cost.Present && r.CostStands == noise {
			cost.Sub += ": noise"
		}
		if r.Ratio.Present && r.RatioStands == noise {
			ratio.Sub += ": noise"
		}
		database := estimate(r.Database)
		if !r.Database.Present && r.DatabaseNote != "" {
			database = cell{Text: missing, Sub: r.DatabaseNote, Number: true}
		}
		capacity := numeric(r.Capacity)
		if r.Capacity == missing && r.PerCPU != missing {
			capacity = cell{Text: r.PerCPU, Sub: "per second of core CPU", Number: true}
		}
		statements := cell{Text: r.Statements.Off + " / " + r.Statements.On, Number: true, Tone: onlyBad(r.Statements.Tone)}
		if r.Statements.Off == missing && r.Statements.On == missing {
			statements.Text = missing
		}
		t.Rows = append(t.Rows, []cell{name, cost, estimate(r.CoreOff), estimate(r.CoreOn), estimateAs(r.CoreExtra, r.CoreExtraSigned), database, ratio, estimate(r.Floor), capacity,
			statements, toned(r.Space.Short, onlyBad(r.Space.Tone))})
	}
	t.Rows, t.Left = first(t.Rows, l.Rows)
	return t
}

func newBenchView(t *proof.Target, b *proof.Bench, id int, l limits) benchView {
	v := benchView{Title: l.text(t.Name)}
	if b.Protocol != "" {
		v.Title += ", " + l.text(b.Protocol)
	}
	v.Title += " (" + eraWord(b.Era) + ")"
	v.Summary = "no difference of the medians is known"
	if b.CostPerCall != nil {
		v.Summary = signedValue(b.CostPerCall) + " ms at the median"
	}
	if b.CoreCPURatio != nil {
		v.Summary += ", core CPU × " + measure(b.CoreCPURatio).Value
	}
	v.Claims = claimLines(b)
	v.Latency = latencyTable(b, l)
	v.Curve = latencyChart(b, id, l)
	v.Caption = "Latency by percentile, from the intended send to the last byte"
	if len(b.Histograms) == 0 {
		v.Caption += "; means over rounds, bars are 95 % intervals"
	} else {
		v.Caption += "; all rounds together"
	}
	v.Rounds = roundsChart(b, id, l)
	v.HasMean, v.HasFloor = b.CoreCPURatio != nil, b.CoreCPURatio != nil && measure(b.Floor).Interval
	for _, r := range b.Rounds {
		v.HasEqual = v.HasEqual || r.Kind == "aa"
	}
	v.About = aboutRounds(b)
	var dropped []string
	for _, d := range b.Dropped {
		dropped = append(dropped, fmt.Sprintf("round %d (%s): %s", d.Index, roundKind(d.Kind), d.Reason))
	}
	v.Dropped = l.lines(dropped)
	return v
}

func claimLines(b *proof.Bench) []claimLine {
	var out []claimLine
	add := func(what, unit string, claim, floor *proof.Estimate, neutral float64) {
		if claim == nil {
			return
		}
		c, s := measure(claim), stand(claim, floor, neutral)
		value := c.Value
		if neutral == 0 {
			value = signedValue(claim)
		}
		line := claimLine{Claim: fmt.Sprintf("%s: %s%s", what, value, unit), Stands: s.String(), Tone: unsure}
		if c.Interval {
			line.Claim += fmt.Sprintf(" (%s to %s)", c.Low, c.High)
		} else {
			line.Claim += " (one round, no interval)"
		}
		if f := measure(floor); f.Interval {
			line.Floor = fmt.Sprintf("two equal sides gave %s (%s to %s)", f.Value, f.Low, f.High)
		}
		if s == clearOf {
			line.Tone = good
		}
		out = append(out, line)
	}
	add("Median latency, on − off", " ms", b.CostPerCall, b.FloorLatency, 0)
	add("Core CPU, on / off", "", b.CoreCPURatio, b.Floor, 1)
	return out
}

func latencyTable(b *proof.Bench, l limits) table {
	t := table{Caption: "Latency in ms, with 95 % intervals over rounds", Head: []string{"Percentile", "Check off", "Check on", "Difference"}}
	for _, r := range b.Latency {
		off, on, diff := r.Off, r.On, r.Diff
		d := measure(&diff)
		c := estimateAs(d, signedValue(&diff))
		if d.Interval && diff.Low <= 0 && 0 <= diff.High {
			c.Sub += ": none shown"
		}
		t.Rows = append(t.Rows, []cell{text(percentile(r.Quantile)), estimate(measure(&off)), estimate(measure(&on)), c})
	}
	t.Rows, t.Left = first(t.Rows, l.Rows)
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
	saturated := 0
	for _, r := range b.Rounds {
		kinds[r.Kind]++
		if r.Saturated && r.Kind != "closed" {
			saturated++
		}
	}
	s := fmt.Sprintf("%s with one side off and one on, %d with both sides alike, %d at full load; %d dropped.", plural(kinds["cost"], "round"), kinds["aa"], kinds["closed"], len(b.Dropped))
	if b.Sigma > 0 {
		s += fmt.Sprintf(" Rounds differ by %s %% (σ of ln on/off).", number(b.Sigma*100, 1))
	}
	if saturated > 0 {
		s += fmt.Sprintf(" %s saturated: their latency does not count.", plural(saturated, "round"))
	}
	if b.BytesPerCallOff > 0 || b.BytesPerCallOn > 0 {
		s += fmt.Sprintf(" On the wire: %s bytes per call off, %s on.", number(b.BytesPerCallOff, 0), number(b.BytesPerCallOn, 0))
	}
	if !b.Gateable {
		s += " These figures may not be gated on."
	}
	return s
}

func roundKind(kind string) string {
	switch kind {
	case "cost":
		return "off against on"
	case "aa":
		return "both sides alike"
	case "closed":
		return "full load"
	default:
		return oneLine(kind)
	}
}

package summary

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Figure is one of the three numbers of a report's first screen.
type Figure struct {
	Name   string
	Value  string
	Detail string
	Tone   Tone
}

// totals adds up the answers of all targets; the worst bound counts.
type totals struct {
	proof.Immediacy
	worstAt string
	targets int
}

func sum(p *proof.Proof) totals {
	var s totals
	for _, t := range p.Targets {
		if t.Conformance == nil || t.Conformance.Immediacy.Revokes <= 0 {
			continue
		}
		i := t.Conformance.Immediacy
		s.targets++
		s.Revokes += i.Revokes
		s.Broken += i.Broken
		s.Calls += i.Calls
		s.Accepted += i.Accepted
		s.Twins += i.Twins
		s.TwinsAccepted += i.TwinsAccepted
		s.AcceptanceWindow = max(s.AcceptanceWindow, i.AcceptanceWindow)
		if i.UpperBound > s.UpperBound {
			s.UpperBound, s.worstAt = i.UpperBound, words.OneLine(t.Name)
		}
	}
	return s
}

func acceptedFigure(p *proof.Proof) Figure {
	f := Figure{Name: "Accepted after logout", Tone: Unsure}
	s := sum(p)
	if s.Revokes == 0 {
		f.Value, f.Detail = "not tried", "No token was offered after its session had been revoked."
		return f
	}
	f.Value = words.Count(s.Broken) + " of " + words.Count(s.Revokes)
	where := ""
	if s.targets > 1 {
		where = " on the least sure target (" + s.worstAt + ")"
	}
	f.Detail = fmt.Sprintf("confirmed logouts, by %s of %s calls. With 95 %% confidence at most %s of logouts let a call in%s.", words.Count(s.Accepted), words.Count(s.Calls), words.Percent(s.UpperBound), where)
	if s.Broken > 0 || s.Accepted > 0 {
		f.Tone = Bad
		f.Detail += " The latest came " + words.Duration(s.AcceptanceWindow.Round(time.Microsecond)) + " after the logout."
		return f
	}
	f.Detail += fmt.Sprintf(" Negative control: %s of %s sessions that were not logged out were accepted.", words.Count(s.TwinsAccepted), words.Count(s.Twins))
	if s.TwinsAccepted > 0 {
		f.Tone = Good
	}
	return f
}

// costed calls f with each bench that has a cost.
func costed(p *proof.Proof, f func(t *proof.Target, b *proof.Bench)) {
	for i := range p.Targets {
		t := &p.Targets[i]
		for j := range t.Bench {
			if t.Bench[j].Cost != nil {
				f(t, &t.Bench[j])
			}
		}
	}
}

// extreme is a figure and how it is written.
type extreme struct {
	value float64
	text  string
}

// costFigure speaks of every version: they differ.
func costFigure(p *proof.Proof) Figure {
	f := Figure{Name: "Cost per verify", Value: "not measured", Detail: "No calls were measured with the flag on and off.", Tone: Unsure}
	var each []string
	var least, most extreme
	unit := ""
	costed(p, func(t *proof.Target, b *proof.Bench) {
		c := b.Cost
		e, in, at := c.CoreCPUDiff, "µs", " of core CPU"
		if !Measure(e).Present {
			e, in, at = c.CostPerCall, "ms", " at the median"
		}
		main := Measure(e)
		switch {
		case !main.Present:
			return
		case len(each) == 0:
			least, most, unit = extreme{e.Value, main.Signed}, extreme{e.Value, main.Signed}, in
		case in != unit:
			unit = "" // the one cannot be held beside the other
		case e.Value < least.value:
			least = extreme{e.Value, main.Signed}
		case e.Value > most.value:
			most = extreme{e.Value, main.Signed}
		}
		text := place(p, t, b) + ": " + main.SignedString() + " " + in + at
		if c.CoreCPUDiff != nil && c.CostPerCall != nil {
			text += ", " + latencyText(c)
		}
		if db := Measure(c.DatabaseCPU); db.Present {
			text += ", database CPU +" + db.Value + " µs"
		}
		each = append(each, text)
	})
	switch {
	case len(each) == 0:
		return f
	case unit == "":
		f.Value = "see below"
	case least.text == most.text:
		f.Value = least.text + " " + unit
	default:
		f.Value = least.text + " to " + most.text + " " + unit
	}
	f.Tone = Plain
	shown, left := words.First(each, 4)
	f.Detail = strings.Join(shown, ". ") + "."
	if left > 0 {
		f.Detail += fmt.Sprintf(" And %d more below.", left)
	}
	return f
}

// latencyText sets the difference of the medians beside its floor where it is
// not clear of it.
func latencyText(c *proof.Cost) string {
	m := Measure(c.CostPerCall)
	text := "latency " + m.SignedString() + " ms"
	if s := Stand(c.CostPerCall, c.FloorLatency, 0); s != ClearOf && s != NoFloor {
		text += ", " + s.String()
	}
	if floor := Measure(c.FloorLatency); floor.Interval && Stand(c.CostPerCall, c.FloorLatency, 0) != ClearOf {
		text += " (two equal sides: " + floor.Low + " to " + floor.High + ")"
	}
	return text
}

func place(p *proof.Proof, t *proof.Target, b *proof.Bench) string {
	where := words.OneLine(b.Protocol)
	if len(p.Targets) > 1 {
		where = strings.TrimSuffix(words.OneLine(t.Name)+", "+where, ", ")
	}
	return where
}

// capacityFigure is for whoever plans machines: all the CPU that a verify takes,
// the database's too, and what the core serves at full load.
func capacityFigure(p *proof.Proof) Figure {
	f := Figure{Name: "Machines it takes", Value: "not measured", Detail: "Neither CPU per call nor throughput is known.", Tone: Unsure}
	var each []string
	first := 0 // that the value is of
	costed(p, func(t *proof.Target, b *proof.Bench) {
		value, text := Capacity(t, b)
		if text == "" {
			return
		}
		if f.Value == "not measured" && value != "" {
			f.Value, f.Tone, first = value, Plain, len(each)
		}
		if len(p.Targets) > 1 || len(t.Bench) > 1 {
			text = place(p, t, b) + ": " + text
		}
		each = append(each, text)
	})
	if len(each) == 0 {
		return f
	}
	// One version says enough here: the table below has the others.
	f.Detail = each[first] + "."
	if left := len(each) - 1; left > 0 {
		f.Detail += fmt.Sprintf(" %d more below.", left)
	}
	return f
}

// Capacity is the change in all CPU per verify, and what there is to say about
// it; "" where nothing is known.
func Capacity(t *proof.Target, b *proof.Bench) (value, text string) {
	c := b.Cost
	if c == nil {
		return "", ""
	}
	var parts []string
	off, core, total, ratio := Measure(c.CoreCPUOff), Measure(c.CoreCPUOn), Measure(c.TotalCPUOn), Measure(c.TotalCPURatio)
	switch {
	case off.Present && total.Present && ratio.Present:
		value = "× " + words.Number(c.TotalCPURatio.Value, 2) + " CPU"
		parts = append(parts, fmt.Sprintf("CPU per verify, core and database: %s → %s µs, × %s", off.Value, total.Value, ratio))
	case off.Present && core.Present && c.CoreCPURatio != nil:
		value = "× " + words.Number(c.CoreCPURatio.Value, 2) + " core CPU"
		note := "the database's is not known"
		if t.Embedded(b) {
			note = "the database is inside the core"
		}
		parts = append(parts, fmt.Sprintf("core CPU per verify: %s → %s µs, %s", off.Value, core.Value, note))
	}
	if a, z := Measure(c.SaturatedCPUOff), Measure(c.SaturatedCPUOn); a.Present && z.Present {
		full := fmt.Sprintf("core CPU at full load %s → %s µs", a.Value, z.Value)
		if off.Present && core.Present {
			full += fmt.Sprintf(", at %s %s → %s µs", share(b), off.Value, core.Value)
		}
		parts = append(parts, full)
	}
	if a, z := Measure(c.ThroughputOff), Measure(c.ThroughputOn); a.Present && z.Present {
		parts = append(parts, fmt.Sprintf("calls per second at full load %s off, %s on, from %s", a, z, words.Plural(a.Rounds, "round")))
	}
	if len(parts) > 0 {
		if where := Conditions(t, b); where != "" {
			parts = append(parts, where)
		}
	}
	return value, strings.Join(parts, "; ")
}

// share is the load at which the cost was measured.
func share(b *proof.Bench) string {
	if b.Design.RateShare > 0 {
		return words.Number(b.Design.RateShare*100, 0) + " % load"
	}
	return words.Figure(b.Design.RateHz) + " calls per second"
}

// Conditions are what the figures of a bench hold under; they belong beside them.
func Conditions(t *proof.Target, b *proof.Bench) string {
	where := Database(t, b)
	if b.Design.Verifies() == 1 {
		return where
	}
	return strings.TrimPrefix(where+"; "+Others(b), "; ")
}

// aFullTable has so many times as many sessions as tokens are drawn from: it was filled.
const aFullTable = 10

// Database is where the database ran and what made it cheaper than in production.
func Database(t *proof.Target, b *proof.Bench) string {
	var parts []string
	if b.Design.DatabaseAt != "" {
		parts = append(parts, "the database ran: "+words.OneLine(b.Design.DatabaseAt))
	}
	if d := b.Design; d.Rows != nil && *d.Rows >= aFullTable*int64(max(1, d.Tokens)) {
		parts = append(parts, "on a table of "+words.Count(*d.Rows)+" session rows")
	}
	if d := t.Database; d != nil {
		if d.TLS == "yes" {
			parts = append(parts, "over TLS")
		}
		for _, name := range []string{"fsync", "autovacuum", "synchronous_commit", "full_page_writes"} {
			if strings.EqualFold(d.Settings[name], "off") {
				parts = append(parts, name+" off")
			}
		}
		if d.TLS == "unknown" {
			parts = append(parts, "TLS unknown")
		}
	}
	return strings.Join(parts, ", ")
}

// Others says what came with the verifies of a bench.
func Others(b *proof.Bench) string {
	return fmt.Sprintf("%.3g %% of the calls began, refreshed or ended sessions; what they cost is in the figures of the verifies", 100*(1-b.Design.Verifies()))
}

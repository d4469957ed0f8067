package render

import (
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
)

// costRow is one line of a side-by-side comparison: what the flag costs one
// target in one era.
type costRow struct {
	Target, Era, Protocol string
	Cost                  measured // ms, median, on − off
	CostSigned            string
	CostStands            standing
	Floor                 measured // ratio
	FloorLatency          measured // ms
	CoreOff, CoreOn       measured // µs
	CoreExtra             measured // µs
	CoreExtraSigned       string
	Database              measured // µs
	DatabaseNote          string   // why there is no figure
	Ratio                 measured
	RatioStands           standing
	Capacity              string // calls per second at full load, off → on
	PerCPU                string // where that is not known, calls per second of core CPU
	Statements            statementsCell
	Space                 spaceCell
}

// statementsCell is the count per verify on both sides.
type statementsCell struct {
	Off, On string
	Tone    tone
}

// spaceCell is the claim "no extra space" in a few words.
type spaceCell struct {
	Short string
	Tone  tone
}

// costRows gives one row per target and era, a row without figures for a target
// without a bench.
func costRows(p *proof.Proof) []costRow {
	var rows []costRow
	for i := range p.Targets {
		t := &p.Targets[i]
		if len(t.Bench) == 0 {
			rows = append(rows, costRow{Target: oneLine(t.Name), Statements: verifyStatements(t.Footprint, ""), Space: space(t.Footprint), Capacity: missing, PerCPU: missing})
		}
		for j := range t.Bench {
			rows = append(rows, newCostRow(t, &t.Bench[j]))
		}
	}
	return rows
}

func newCostRow(t *proof.Target, b *proof.Bench) costRow {
	r := costRow{
		Target: oneLine(t.Name), Era: eraWord(b.Era), Protocol: oneLine(b.Protocol),
		Cost: measure(b.CostPerCall), CostStands: stand(b.CostPerCall, b.FloorLatency, 0),
		Floor: measure(b.Floor), FloorLatency: measure(b.FloorLatency),
		CoreOff: measure(b.CoreCPUOff), CoreOn: measure(b.CoreCPUOn), CoreExtra: measure(b.CoreCPUDiff),
		Database: measure(b.DatabaseCPU), Ratio: measure(b.CoreCPURatio), RatioStands: stand(b.CoreCPURatio, b.Floor, 1),
		Capacity: missing, PerCPU: missing, Statements: verifyStatements(t.Footprint, b.Era), Space: space(t.Footprint),
	}
	if b.CostPerCall != nil {
		r.CostSigned = signedValue(b.CostPerCall)
	}
	if b.CoreCPUDiff != nil {
		r.CoreExtraSigned = signedValue(b.CoreCPUDiff)
	}
	if b.DatabaseCPU == nil {
		r.DatabaseNote = "not read"
		if t.Database != nil && t.Database.TLS == "none" {
			r.DatabaseNote = "in the core's"
		}
	}
	if c, ok := capacityOf(b); ok {
		offOn := fmt.Sprintf("%s → %s", number(c.off, 0), number(c.on, 0))
		if c.perCPU {
			r.PerCPU = offOn
		} else {
			r.Capacity = offOn
		}
	}
	return r
}

// verifyStatements finds the steady-state counts of verify in one era, or in
// all of them for "": counts that differ then stand side by side.
func verifyStatements(f *proof.Footprint, era string) statementsCell {
	cell := statementsCell{Off: missing, On: missing, Tone: unsure}
	if f == nil {
		return cell
	}
	held := true
	var off, on []string
	for _, s := range f.Statements {
		if s.Operation != "verify" || s.Era != era && s.Era != "" && era != "" {
			continue
		}
		held = held && s.Held() && s.Calls > 0
		if s.Flag == "on" {
			on = added(on, perCall(s))
		} else {
			off = added(off, perCall(s))
		}
	}
	if len(off) > 0 {
		cell.Off = enumerate(off)
	}
	if len(on) > 0 {
		cell.On = enumerate(on)
	}
	switch {
	case len(off)+len(on) == 0:
	case held:
		cell.Tone = good
	default:
		cell.Tone = bad
	}
	return cell
}

// added appends s unless it is there.
func added(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// perCall writes an exact quotient as it is and marks any other as rounded.
func perCall(s proof.Statements) string {
	switch {
	case s.Calls <= 0:
		return "no calls"
	case s.Count%s.Calls == 0:
		return count(s.Count / s.Calls)
	default:
		return "≈ " + figure(s.PerCall())
	}
}

func space(f *proof.Footprint) spaceCell {
	if f == nil || f.Space == nil {
		return spaceCell{missing, unsure}
	}
	if f.Space.Held {
		return spaceCell{"none extra", good}
	}
	return spaceCell{"extra", bad}
}

// growth is the relative difference of the sizes, in words.
func growth(s *proof.Space) string {
	if s.BytesOff <= 0 {
		return "unknown"
	}
	return change(float64(s.BytesOn) / float64(s.BytesOff))
}

// tally counts the checks of one target.
type tally struct {
	Passed, Failed, Skipped, Errors, Vacuous int
	// OptionalFailed are failures that do not decide the verdict.
	OptionalFailed int
}

func tallyChecks(c *proof.Conformance) tally {
	var n tally
	if c == nil {
		return n
	}
	for i := range c.Checks {
		switch k := &c.Checks[i]; k.Outcome {
		case proof.Pass:
			n.Passed++
		case proof.Fail:
			if c.Decides(k) {
				n.Failed++
			} else {
				n.OptionalFailed++
			}
		case proof.Skip:
			n.Skipped++
		case proof.Vacuous:
			n.Vacuous++
		default:
			n.Errors++
		}
	}
	return n
}

func (n tally) total() int {
	return n.Passed + n.Failed + n.Skipped + n.Errors + n.Vacuous + n.OptionalFailed
}

// String names every kind that occurred, passes always.
func (n tally) String() string {
	if n.total() == 0 {
		return "no checks"
	}
	s := fmt.Sprintf("%d of %d passed", n.Passed, n.total())
	for _, k := range []struct {
		n    int
		what string
	}{
		{n.Failed, "failed"}, {n.OptionalFailed, "failed (optional)"}, {n.Errors, "could not be tried"},
		{n.Vacuous, "could not have failed"}, {n.Skipped, "skipped"},
	} {
		if k.n > 0 {
			s += fmt.Sprintf(", %d %s", k.n, k.what)
		}
	}
	return s
}

package summary

import (
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// CostRow is one line of a side-by-side comparison: what the flag costs one
// target at one protocol version.
type CostRow struct {
	Target, Mode, Protocol string
	Cost                   Measured // ms, median, on − off
	CostStands             Standing
	Floor                  Measured // ratio
	FloorLatency           Measured // ms
	CoreOff, CoreOn        Measured // µs
	CoreExtra              Measured // µs
	Database               Measured // µs
	DatabaseNote           string   // why there is no figure
	TotalOn                Measured // core and database, µs
	TotalRatio             Measured
	SaturatedOff           Measured // core CPU at full load, µs
	SaturatedOn            Measured
	Ratio                  Measured
	RatioStands            Standing
	ThroughputOff          Measured // calls per second at full load
	ThroughputOn           Measured
	Statements             StatementsCell
	Space                  SpaceCell
}

// StatementsCell is the count per verify on both sides.
type StatementsCell struct {
	Off, On string
	Tone    Tone
}

// SpaceCell is the claim "no extra space" in a few words.
type SpaceCell struct {
	Short string
	Tone  Tone
}

// CostRows gives one row per target and version, a row without figures for a
// target without a bench.
func CostRows(p *proof.Proof) []CostRow {
	var rows []CostRow
	for i := range p.Targets {
		t := &p.Targets[i]
		if len(t.Bench) == 0 {
			rows = append(rows, CostRow{Target: words.OneLine(t.Name), Statements: VerifyStatements(t.Footprint, ""), Space: Space(t.Footprint)})
		}
		for j := range t.Bench {
			rows = append(rows, newCostRow(t, &t.Bench[j]))
		}
	}
	return rows
}

func newCostRow(t *proof.Target, b *proof.Bench) CostRow {
	r := CostRow{Target: words.OneLine(t.Name), Mode: ModeWord(b.FlagMode), Protocol: words.OneLine(b.Protocol),
		Statements: VerifyStatements(t.Footprint, b.Protocol), Space: Space(t.Footprint), CostStands: Undecided, RatioStands: Undecided}
	c := b.Cost
	if c == nil {
		return r
	}
	r.Cost, r.CostStands = Measure(c.CostPerCall), Stand(c.CostPerCall, c.FloorLatency, 0)
	r.Floor, r.FloorLatency = Measure(c.Floor), Measure(c.FloorLatency)
	r.CoreOff, r.CoreOn, r.CoreExtra = Measure(c.CoreCPUOff), Measure(c.CoreCPUOn), Measure(c.CoreCPUDiff)
	r.Database, r.TotalOn, r.TotalRatio = Measure(c.DatabaseCPU), Measure(c.TotalCPUOn), Measure(c.TotalCPURatio)
	r.SaturatedOff, r.SaturatedOn = Measure(c.SaturatedCPUOff), Measure(c.SaturatedCPUOn)
	r.Ratio, r.RatioStands = Measure(c.CoreCPURatio), Stand(c.CoreCPURatio, c.Floor, 1)
	r.ThroughputOff, r.ThroughputOn = Measure(c.ThroughputOff), Measure(c.ThroughputOn)
	if !r.Database.Present {
		r.DatabaseNote = "not read"
		if b.Design.Verifies() < 1 {
			r.DatabaseNote = "of both sides"
		}
		if t.Embedded(b) {
			r.DatabaseNote = "in the core's"
		}
	}
	return r
}

// VerifyStatements finds the steady-state counts of verify at one version, or at
// all of them for "": counts that differ then stand side by side.
func VerifyStatements(f *proof.Footprint, protocol string) StatementsCell {
	cell := StatementsCell{Off: Missing, On: Missing, Tone: Unsure}
	if f == nil {
		return cell
	}
	worst := proof.Pass
	var off, on []string
	for _, s := range f.Statements {
		if s.Operation != proof.OpVerify || protocol != "" && s.Protocol != protocol {
			continue
		}
		if worst == proof.Pass || s.Outcome == proof.Fail {
			worst = s.Outcome
		}
		if s.Flag == "on" {
			on = once(on, PerCall(s))
		} else {
			off = once(off, PerCall(s))
		}
	}
	if len(off) > 0 {
		cell.Off = Enumerate(off)
	}
	if len(on) > 0 {
		cell.On = Enumerate(on)
	}
	if len(off)+len(on) > 0 {
		cell.Tone = OutcomeTone(worst)
	}
	return cell
}

// once appends s unless it is there.
func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// PerCall writes an exact quotient as it is and marks any other as rounded.
func PerCall(s proof.Statements) string {
	switch {
	case s.Calls <= 0:
		return "no calls"
	case s.Count%s.Calls == 0:
		return words.Count(s.Count / s.Calls)
	default:
		return "≈ " + words.Figure(s.PerCall())
	}
}

// Space is what was found about space, in a few words.
func Space(f *proof.Footprint) SpaceCell {
	if f == nil || f.Space == nil {
		return SpaceCell{Missing, Unsure}
	}
	switch f.Space.Outcome {
	case proof.Pass:
		return SpaceCell{"none extra", Good}
	case proof.Fail:
		return SpaceCell{"extra", Bad}
	default:
		return SpaceCell{"not shown", Unsure}
	}
}

// Growth is the relative difference of the sizes, in words.
func Growth(s *proof.Space) string {
	if s.BytesOff <= 0 {
		return "unknown"
	}
	return words.Change(float64(s.BytesOn) / float64(s.BytesOff))
}

// OffOn writes a pair of figures as one goes over into the other; Missing where
// either is.
func OffOn(off, on Measured) string {
	if !off.Present || !on.Present {
		return Missing
	}
	return fmt.Sprintf("%s → %s", off.Value, on.Value)
}

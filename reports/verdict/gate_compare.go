package verdict

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
)

// statementsBudgets hold counts against each other: head's calls may send no more
// statements than base's. Counts are exact, so one more is one too many. What was
// counted of base must have been counted of head.
func statementsBudgets(x pair) (out []proof.GateBudget) {
	row := proof.GateBudget{Name: "statements", Target: x.name, Unit: "statements"}
	switch {
	case x.base.Footprint == nil || len(x.base.Footprint.Statements) == 0:
		row.Outcome, row.Reason, row.Text = proof.Skip, ReasonNotReadable, "statements were not counted of base"
		return []proof.GateBudget{row}
	case x.head.Footprint == nil || len(x.head.Footprint.Statements) == 0:
		row.Outcome, row.Reason, row.Text = proof.Error, ReasonIncomplete, "statements were counted of base and not of head"
		return []proof.GateBudget{row}
	}
	// Of all kinds of calls some begin, refresh and end sessions: a counter that saw none
	// of them saw nothing.
	for _, side := range []struct {
		name string
		f    *proof.Footprint
	}{{"base", x.base.Footprint}, {"head", x.head.Footprint}} {
		if !slices.ContainsFunc(side.f.Statements, func(s proof.Statements) bool { return s.Count > 0 }) {
			row.Outcome, row.Reason, row.Text = proof.Error, ReasonNotReadable, "no statement of "+side.name+" was seen in any call: what counts them does not see it"
			return []proof.GateBudget{row}
		}
	}
	for _, b := range x.base.Footprint.Statements {
		row := row
		row.Name, row.Protocol, row.Limit = fmt.Sprintf("statements of %s, flag %s", b.Operation, b.Flag), b.Protocol, b.PerCall()
		i := slices.IndexFunc(x.head.Footprint.Statements, func(h proof.Statements) bool {
			return h.Operation == b.Operation && h.Protocol == b.Protocol && h.Flag == b.Flag
		})
		if i < 0 {
			row.Outcome, row.Reason, row.Text = proof.Error, ReasonIncomplete, "counted of base and not of head"
			out = append(out, row)
			continue
		}
		h := x.head.Footprint.Statements[i]
		row.Text = fmt.Sprintf("%d for %d calls, base %d for %d", h.Count, h.Calls, b.Count, b.Calls)
		switch {
		case h.Calls <= 0 || b.Calls <= 0 || h.Count < 0 || b.Count < 0:
			row.Outcome, row.Reason = proof.Error, ReasonNotReadable
			row.Text += ": not a count; did the database or its counters start anew?"
		case h.Count*b.Calls > b.Count*h.Calls:
			row.Outcome, row.Reason = proof.Fail, ReasonStatements
		default:
			row.Outcome, row.Reason = proof.Pass, ReasonHeld
		}
		out = append(out, row)
	}
	return out
}

// missingTargets are those of base that head's proof has no counterpart of.
func missingTargets(g *proof.Gate) (out []proof.GateBudget) {
	for _, name := range g.Base.Targets[min(len(g.Head.Targets), len(g.Base.Targets)):] {
		out = append(out, proof.GateBudget{Name: "target", Target: strings.TrimPrefix(name, "base/"), Unit: "targets", Outcome: proof.Error, Reason: ReasonIncomplete,
			Text: "base has it and head does not"})
	}
	return out
}

// leftOut are the checks of a profile that base passed and that head's proof does not
// hold, in versions of the protocol that head was tried in; lost are the versions that
// it was not. A proof of a few checks must not look like one of all.
func leftOut(base, head *proof.Conformance, profile string) (left, lost []string) {
	tried, spoken := map[[2]string]bool{}, map[string]bool{}
	for i := range head.Checks {
		k := &head.Checks[i]
		tried[[2]string{k.ID, k.Protocol}], spoken[k.Protocol] = true, true
	}
	for i := range base.Checks {
		k := &base.Checks[i]
		switch {
		case k.Outcome != proof.Pass || tried[[2]string{k.ID, k.Protocol}] || !slices.Contains(k.Profiles, profile):
		case spoken[k.Protocol]:
			left = once(left, fmt.Sprintf("%s (%s)", k.ID, k.Protocol))
		default:
			lost = once(lost, "anything in "+k.Protocol)
		}
	}
	return left, lost
}

// muchLess: a check that head passed in so many times fewer trials than base was not shown
// as base's was. How many a check makes depends a little on the machine.
const muchLess = 3

// profileBudgets: no check that base passed may fail on head, profile by profile.
func profileBudgets(x pair) (out []proof.GateBudget) {
	base, head := x.base.Conformance, x.head.Conformance
	if base == nil || head == nil {
		return []proof.GateBudget{{Name: "profiles", Target: x.name, Unit: "checks", Outcome: proof.Error, Reason: ReasonIncomplete, Text: "checks did not run on both sides"}}
	}
	was := map[[2]string]*proof.Check{}
	for i := range base.Checks {
		k := &base.Checks[i]
		was[[2]string{k.ID, k.Protocol}] = k
	}
	for i := range head.Profiles {
		h := &head.Profiles[i]
		b := profileNamed(base, h.Name)
		row := proof.GateBudget{Name: "profile " + h.Name, Target: x.name, Unit: "checks"}
		var broken, unknown []string
		both := 0
		for j := range head.Checks {
			k := &head.Checks[j]
			o := was[[2]string{k.ID, k.Protocol}]
			if !slices.Contains(k.Profiles, h.Name) {
				continue
			}
			label := fmt.Sprintf("%s (%s)", k.ID, k.Protocol)
			switch {
			case o == nil || o.Outcome != proof.Pass: // base shows nothing that head could break
			case k.Outcome == proof.Fail:
				broken = once(broken, label)
			case k.Outcome == proof.Pass && k.Trials*muchLess < o.Trials:
				unknown = once(unknown, fmt.Sprintf("%s (%d trials, base %d)", label, k.Trials, o.Trials))
			case k.Outcome == proof.Pass:
				both++
			default:
				unknown = once(unknown, label)
			}
		}
		left, lost := leftOut(base, head, h.Name)
		unknown = append(unknown, lost...)
		switch {
		case len(broken) > 0:
			row.Outcome, row.Reason, row.Text = proof.Fail, ReasonProfile, "base passed and head fails "+strings.Join(broken, ", ")
		case b == nil || b.NotClaimed != "":
			continue
		case h.NotClaimed != "" && b.Outcome == proof.Pass:
			row.Outcome, row.Reason, row.Text = proof.Fail, ReasonProfile, "base passed it, and head does not claim it"
		case len(left) > 0:
			row.Outcome, row.Reason, row.Text = proof.Error, ReasonIncomplete, fmt.Sprintf("base passed and head left out %d checks, e.g. %s", len(left), strings.Join(left[:min(len(left), 3)], ", "))
		case len(unknown) > 0:
			row.Outcome, row.Reason, row.Text = proof.Undecided, ReasonIncomplete, "base passed and head could not show "+strings.Join(unknown, ", ")
		case both > 0:
			row.Outcome, row.Reason, row.Text = proof.Pass, ReasonHeld, fmt.Sprintf("%d checks passed on both", both)
			row.Limit = float64(both)
		default:
			continue // base shows nothing that head could break
		}
		out = append(out, row)
	}
	for i := range base.Profiles {
		b := &base.Profiles[i]
		if profileNamed(head, b.Name) != nil || b.NotClaimed != "" {
			continue
		}
		if left, lost := leftOut(base, head, b.Name); len(left)+len(lost) > 0 {
			out = append(out, proof.GateBudget{Name: "profile " + b.Name, Target: x.name, Unit: "checks", Outcome: proof.Error, Reason: ReasonIncomplete,
				Text: "base passed checks of it, and none of them was tried on head"})
		}
	}
	if len(out) == 0 {
		return []proof.GateBudget{{Name: "profiles", Target: x.name, Unit: "checks", Outcome: proof.Error, Reason: ReasonIncomplete, Text: "no check that base passed was tried on head"}}
	}
	return out
}

// ownBudgets hold head to what no base excuses: the profiles that the caller
// requires, and that nobody who was logged out gets in.
func ownBudgets(p *proof.Proof, x pair) (out []proof.GateBudget) {
	c := x.head.Conformance
	for _, name := range p.Require {
		row := proof.GateBudget{Name: "required profile " + name, Target: x.name, Unit: "checks", Outcome: proof.Error, Reason: ReasonIncomplete, Text: "head was not tried"}
		if c != nil {
			row.Text = "head was not tried in it"
			if f := profileNamed(c, name); f != nil {
				row.Text = fmt.Sprintf("on head it is %s: %s", f.Outcome, f.Reason)
				switch {
				case f.NotClaimed != "":
					row.Text = "head does not claim it: " + f.NotClaimed
				case f.Outcome == proof.Pass:
					row.Outcome, row.Reason, row.Text = proof.Pass, ReasonHeld, "head passes it"
				case f.Outcome == proof.Fail:
					row.Outcome, row.Reason = proof.Fail, ReasonProfile
				}
			}
		}
		out = append(out, row)
	}
	if c == nil || c.Immediacy.Revokes == 0 {
		return out
	}
	m := &c.Immediacy
	row := proof.GateBudget{Name: "logouts", Target: x.name, Unit: "calls", Outcome: proof.Pass, Reason: ReasonHeld,
		Text: fmt.Sprintf("head refused all calls after %d logouts", m.Revokes)}
	if m.Broken > 0 || m.Accepted > 0 {
		row.Outcome, row.Reason = proof.Fail, ReasonAccepted
		row.Text = fmt.Sprintf("head let a call in after %d of %d logouts, whatever base does", m.Broken, m.Revokes)
	}
	return append(out, row)
}

// savedBudgets hold the price of the flag in two saved proofs against each other,
// and head's own figures against absolute limits.
func savedBudgets(g *proof.Gate, x pair, figures int) (out []proof.GateBudget) {
	if limit, ok := limitOf(g, GateOnOff); ok {
		out = append(out, onOffBudgets(g, x, limit, figures)...)
	}
	for _, name := range []string{GateP50, GateP99, GateThroughput} {
		limit, ok := limitOf(g, name)
		if !ok {
			continue
		}
		measured := false
		for i := range x.head.Bench {
			h := &x.head.Bench[i]
			if h.Cost == nil {
				continue
			}
			measured = true
			var e *proof.Estimate
			switch {
			case name == GateThroughput:
				e = h.Cost.ThroughputOn
			default:
				for k := range h.Cost.Latency {
					if q := h.Cost.Latency[k].Quantile; name == GateP50 && q == 0.5 || name == GateP99 && q == 0.99 {
						e = &h.Cost.Latency[k].On
					}
				}
			}
			row := absoluteBudget(name, h.Protocol, e, limit)
			row.Target = x.name
			if why := MachinesDiffer(g.Base.Machine, g.Head.Machine); why != "" {
				row.Outcome, row.Reason, row.Text = proof.Error, ReasonMachines, "an absolute limit means nothing across machines: "+why
			}
			out = append(out, row)
		}
		if !measured {
			out = append(out, proof.GateBudget{Name: name, Target: x.name, Limit: limit, Outcome: proof.Error, Reason: ReasonNotReadable, Text: "head's proof has no figure to hold against it: it was not put under load"})
		}
	}
	return out
}

// onOffBudgets hold the price of the flag of each version against base's. What was
// priced of base must have been of head.
func onOffBudgets(g *proof.Gate, x pair, limit float64, figures int) (out []proof.GateBudget) {
	priced := func(t *proof.Target, protocol string) *proof.Bench {
		for i := range t.Bench {
			if b := &t.Bench[i]; b.Cost != nil && (protocol == "" || b.Protocol == protocol) {
				return b
			}
		}
		return nil
	}
	for j := range x.base.Bench {
		b := &x.base.Bench[j]
		if b.Cost == nil {
			continue
		}
		row := proof.GateBudget{Name: GateOnOff, Protocol: b.Protocol, Limit: 1 + limit, Unit: "ratio", Outcome: proof.Error}
		if h := priced(x.head, b.Protocol); h == nil {
			row.Reason, row.Text = ReasonIncomplete, "base was priced and head was not"
		} else if why := LoadsDiffer(x.base, x.head, b, h); why != "" {
			row.Reason, row.Text = ReasonLoads, "the price of the flag is another one: "+why
		} else {
			row = onOffBudget(b, h, limit, figures)
			if MachinesDiffer(g.Base.Machine, g.Head.Machine) != "" {
				row.Text += ", on another machine than base"
			}
		}
		row.Target = x.name
		out = append(out, row)
	}
	if len(out) == 0 {
		text := "neither was priced"
		if priced(x.head, "") != nil {
			text = "base was not priced"
		}
		out = append(out, proof.GateBudget{Name: GateOnOff, Target: x.name, Limit: 1 + limit, Unit: "ratio", Outcome: proof.Skip, Reason: ReasonNotReadable, Text: text})
	}
	return out
}

// MachinesDiffer says why figures of two machines cannot be compared; "" where they are
// the same.
func MachinesDiffer(a, b *proof.Machine) string {
	switch {
	case a == nil || b == nil:
		return "where a proof was made is not known"
	case a.CPU != b.CPU || a.CPUs != b.CPUs:
		return fmt.Sprintf("base was measured on %d CPUs (%s), head on %d (%s)", a.CPUs, a.CPU, b.CPUs, b.CPU)
	case a.MemoryBytes != b.MemoryBytes || a.Kernel != b.Kernel:
		return fmt.Sprintf("base was measured on %s with %d bytes, head on %s with %d", a.Kernel, a.MemoryBytes, b.Kernel, b.MemoryBytes)
	}
	return ""
}

// onOffBudget compares two on/off ratios that were measured apart: each with its own
// interval, so that what differs between the runs is in neither. The tolerance is
// wide for that reason. The figures of a gate share the error.
func onOffBudget(b, h *proof.Bench, limit float64, figures int) proof.GateBudget {
	row := proof.GateBudget{Name: GateOnOff, Protocol: h.Protocol, Limit: 1 + limit, Unit: "ratio"}
	logs := func(b *proof.Bench) []float64 { return sample{b, proof.KindCost}.pairs(logRatio(cpuPerCall)) }
	was, is := logs(b), logs(h)
	switch {
	case len(was) == 0 || len(is) == 0:
		row.Outcome, row.Reason, row.Text = proof.Error, ReasonNotReadable, "the CPU time of the cores is not in both proofs"
		return row
	case !b.Cost.Gateable || !h.Cost.Gateable:
		row.Outcome, row.Reason = proof.Undecided, ReasonUndecided
		row.Text = "the cost may not be gated on: " + b.Cost.NotGateable
		if b.Cost.Gateable {
			row.Text = "the cost may not be gated on: " + h.Cost.NotGateable
		}
		return row
	}
	alphaFail := gateAlphaFail / float64(max(1, figures))
	d := stats.Between(was, is, alphaFail, gateAlphaPass)
	row.Sigma = d.SD
	row.Observed = &proof.Estimate{Value: math.Exp(d.Mean), Unit: "ratio", N: d.N, Method: stats.AnytimeT.Name + ", base and head apart", Assumption: stats.AnytimeT.Assumption}
	if finite(d.Low) && finite(d.High) && d.N >= stats.AnytimeT.MinN {
		row.Observed.Interval = &proof.Interval{Low: math.Exp(d.Low), High: math.Exp(d.High), Level: 1 - alphaFail - gateAlphaPass}
	} else {
		row.Observed.Warnings = []string{few(d.N, stats.AnytimeT.MinN)}
	}
	switch bound := math.Log1p(limit); {
	case row.Observed.Interval == nil:
		row.Outcome, row.Reason = proof.Undecided, ReasonUndecided
	case d.Low > bound:
		row.Outcome, row.Reason = proof.Fail, ReasonRegression
	case d.High < bound:
		row.Outcome, row.Reason = proof.Pass, ReasonHeld
	default:
		row.Outcome, row.Reason = proof.Undecided, ReasonUndecided
	}
	row.Text = "on/off: " + sequentialText(&row)
	return row
}

package render

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// keyFigure is one of the three numbers of a report's first screen.
type keyFigure struct {
	Name   string
	Value  string
	Detail string
	Tone   tone
}

// immediacy adds up the trials of all targets; worst is the highest bound,
// worstAt where it was found.
type immediacy struct {
	trials, accepted, controls, controlsAccepted int
	window                                       time.Duration
	worst, best                                  float64 // upper bounds
	worstAt                                      string
	targets, untried                             int
}

func sumImmediacy(p *proof.Proof) immediacy {
	var s immediacy
	for _, t := range p.Targets {
		if t.Conformance == nil || t.Conformance.Immediacy.Trials == 0 {
			s.untried++
			continue
		}
		i := t.Conformance.Immediacy
		s.targets++
		s.trials += i.Trials
		s.accepted += i.Accepted
		s.controls += i.ControlTrials
		s.controlsAccepted += i.ControlAccepted
		s.window = max(s.window, i.AcceptanceWindow)
		if s.targets == 1 || i.UpperBound < s.best {
			s.best = i.UpperBound
		}
		if i.UpperBound > s.worst {
			s.worst, s.worstAt = i.UpperBound, oneLine(t.Name)
		}
	}
	return s
}

func staleFigure(p *proof.Proof) keyFigure {
	f := keyFigure{Name: "Logged out, yet let in", Tone: unsure}
	s := sumImmediacy(p)
	if s.trials == 0 {
		f.Value, f.Detail = "not tried", "No token was offered after its session had been ended."
		return f
	}
	f.Value = count(s.accepted) + " of " + count(s.trials)
	where := ""
	switch {
	case s.targets > 1 && s.best < s.worst:
		where = " on the least sure target (" + s.worstAt + ")"
	case s.targets > 1:
		where = " on any target"
	}
	f.Detail = fmt.Sprintf("calls made after a confirmed logout. With 95 %% confidence at most %s of such calls are let in%s.", percent(s.worst), where)
	switch {
	case s.accepted > 0:
		f.Tone = bad
		f.Detail += " The latest came " + duration(s.window) + " after the logout."
	case s.controlsAccepted == 0:
		f.Detail += " But no control call was let in either, so this shows nothing."
	default:
		f.Tone = good
		f.Detail += fmt.Sprintf(" Control with the check off: %s of %s let in.", count(s.controlsAccepted), count(s.controls))
	}
	return f
}

// benched calls f with the first bench of each target that has one: the one
// that the key figures speak of.
func benched(p *proof.Proof, f func(t *proof.Target, b *proof.Bench)) {
	for i := range p.Targets {
		if t := &p.Targets[i]; len(t.Bench) > 0 {
			f(t, &t.Bench[0])
		}
	}
}

func costFigure(p *proof.Proof) keyFigure {
	f := keyFigure{Name: "Cost per call", Value: "not measured", Detail: "No calls were measured with the check on and off.", Tone: unsure}
	var all []*proof.Bench
	var names []string
	low, high := math.Inf(1), math.Inf(-1)
	benched(p, func(t *proof.Target, b *proof.Bench) {
		if c := b.CostPerCall; c != nil {
			all, names = append(all, b), append(names, oneLine(t.Name))
			low, high = math.Min(low, c.Value), math.Max(high, c.Value)
		}
	})
	switch len(all) {
	case 0:
		return f
	case 1:
		b := all[0]
		if cpuAlone(b) {
			cpu, m := measure(b.CoreCPUDiff), measure(b.CostPerCall)
			f.Value, f.Tone = signedValue(b.CoreCPUDiff)+" µs CPU", plain
			f.Detail = fmt.Sprintf("more of the core's CPU, 95 %% interval %s to %s. Latency: %s ms at the median (%s to %s), which is noise.",
				cpu.Low, cpu.High, signedValue(b.CostPerCall), m.Low, m.High)
			if db := measure(b.DatabaseCPU); db.Present {
				f.Detail += " Database CPU: +" + db.Value + " µs."
			}
			return f
		}
		m := measure(b.CostPerCall)
		f.Value, f.Tone = signedValue(b.CostPerCall)+" ms", plain
		f.Detail = "more at the median"
		if m.Interval {
			f.Detail += fmt.Sprintf(", 95 %% interval %s to %s", m.Low, m.High)
		} else {
			f.Detail += ", one round, no interval"
		}
		f.Detail += "."
		if s := stand(b.CostPerCall, b.FloorLatency, 0); s != clearOf {
			f.Detail += " " + capital(s.String()) + "."
			f.Tone = unsure
		}
		if cpu := measure(b.CoreCPUDiff); cpu.Present {
			f.Detail += " CPU: core " + signedValue(b.CoreCPUDiff) + " µs"
			if db := measure(b.DatabaseCPU); db.Present {
				f.Detail += ", database +" + db.Value + " µs"
			}
			f.Detail += "."
		} else {
			f.Detail += " CPU time could not be read."
		}
		return f
	}
	d := min(3, decimals(math.Max(math.Abs(low), math.Abs(high))))
	f.Value, f.Tone = number(low, d)+" to "+number(high, d)+" ms", plain
	var each []string
	for i, b := range all {
		m := measure(b.CostPerCall)
		s := names[i] + " " + signedValue(b.CostPerCall)
		if m.Interval {
			s += " (" + m.Low + " to " + m.High + ")"
		}
		each = append(each, s)
	}
	f.Detail = "more at the median, with 95 % intervals: " + enumerate(each) + "."
	return f
}

// cpuAlone says that the cost shows in CPU time and not in latency.
func cpuAlone(b *proof.Bench) bool {
	return b.CoreCPUDiff != nil && b.CoreCPUDiff.N >= 2 && stand(b.CoreCPURatio, b.Floor, 1) == clearOf &&
		b.CostPerCall != nil && b.CostPerCall.N >= 2 && stand(b.CostPerCall, b.FloorLatency, 0) == noise
}

// costIsNoise says that no target shows a cost in latency.
func costIsNoise(p *proof.Proof) bool {
	shown, measured := 0, 0
	benched(p, func(_ *proof.Target, b *proof.Bench) {
		if b.CostPerCall != nil {
			measured++
			if stand(b.CostPerCall, b.FloorLatency, 0) != noise {
				shown++
			}
		}
	})
	return measured > 0 && shown == 0
}

// signedValue is an estimate's value with a plus sign where it is above zero.
func signedValue(e *proof.Estimate) string {
	v := measure(e).Value
	if e.Value > 0 && strings.Trim(v, "0.,") != "" {
		return "+" + v
	}
	return v
}

// enumerate joins at most six items and says how many more there are.
func enumerate(items []string) string {
	shown, left := first(items, 6)
	s := strings.Join(shown, ", ")
	if left > 0 {
		s += fmt.Sprintf(" and %d more", left)
	}
	return s
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// capacity is what the flag leaves of a core's throughput.
type capacity struct {
	ratio   float64
	off, on float64 // verifies per second
	what    string
	perCPU  bool // per second of core CPU, not of the clock
	bound   *proof.Estimate
}

// capacityOf prefers what was measured at full load; without it, CPU per call
// at the measuring rate tells how many calls one core of CPU is good for.
func capacityOf(b *proof.Bench) (capacity, bool) {
	switch {
	case b.ThroughputOff != nil && b.ThroughputOn != nil && b.ThroughputOff.Value > 0:
		c := capacity{off: b.ThroughputOff.Value, on: b.ThroughputOn.Value, what: "calls per second at full load", bound: b.ThroughputRatio}
		c.ratio = c.on / c.off
		if c.bound != nil {
			c.ratio = c.bound.Value
		}
		return c, true
	case b.SaturatedCPUOff != nil && b.SaturatedCPUOn != nil && b.SaturatedCPUOff.Value > 0 && b.SaturatedCPUOn.Value > 0:
		c := capacity{off: 1e6 / b.SaturatedCPUOff.Value, on: 1e6 / b.SaturatedCPUOn.Value, what: "calls per second of core CPU at full load", perCPU: true}
		c.ratio = c.on / c.off
		return c, true
	case b.CoreCPUOff != nil && b.CoreCPUOn != nil && b.CoreCPUOff.Value > 0 && b.CoreCPUOn.Value > 0:
		c := capacity{off: 1e6 / b.CoreCPUOff.Value, on: 1e6 / b.CoreCPUOn.Value, what: "calls per second of core CPU at the measured rate", perCPU: true}
		c.ratio = c.on / c.off
		return c, true
	}
	return capacity{}, false
}

func capacityFigure(p *proof.Proof) keyFigure {
	f := keyFigure{Name: "Capacity with the check on", Value: "not measured", Detail: "Neither throughput nor CPU per call is known.", Tone: unsure}
	var all []capacity
	var names []string
	low, high := math.Inf(1), math.Inf(-1)
	benched(p, func(t *proof.Target, b *proof.Bench) {
		if c, ok := capacityOf(b); ok {
			all, names = append(all, c), append(names, oneLine(t.Name))
			low, high = math.Min(low, c.ratio), math.Max(high, c.ratio)
		}
	})
	switch len(all) {
	case 0:
		return f
	case 1:
		c := all[0]
		f.Value, f.Tone = change(c.ratio), plain
		f.Detail = fmt.Sprintf("%s: %s with the check off, %s with it on", c.what, number(c.off, 0), number(c.on, 0))
		if c.bound != nil && c.bound.N >= 2 {
			f.Detail += fmt.Sprintf(" (95 %% interval %s to %s)", change(c.bound.Low), change(c.bound.High))
		}
		f.Detail += "."
		return f
	}
	f.Value, f.Tone = change(high)+" to "+change(low), plain
	var each []string
	for i, c := range all {
		each = append(each, fmt.Sprintf("%s %s → %s", names[i], number(c.off, 0), number(c.on, 0)))
	}
	f.Detail = all[0].what + ", check off → on: " + enumerate(each) + "."
	return f
}

package render

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// tone is how good or bad a statement is; reports colour by it, and never say
// a thing by colour alone.
type tone string

const (
	good   tone = "good"
	bad    tone = "bad"
	unsure tone = "unsure"
	plain  tone = "plain"
)

// keyFigure is one of the three numbers of a report's first screen.
type keyFigure struct {
	Name   string
	Value  string
	Detail string
	Tone   tone
}

// summary is what every report says first.
type summary struct {
	Outcome  proof.Outcome
	Word     string // PASS, FAIL, NO VERDICT
	Tone     tone
	Subject  string // what was tried
	Sentence string
	Stale    keyFigure
	Cost     keyFigure
	Capacity keyFigure
	Failures []string // what failed
	Untried  []string // what keeps a verdict from being reached
	Gaps     []string // what a reader must know is missing or weak
	Edited   string   // how the stored verdict differs from the evidence, or ""

	costIsNoise bool
}

// summarise judges p anew and puts the result into words.
func summarise(p *proof.Proof) summary {
	v := proof.Judge(p)
	s := summary{Outcome: v.Outcome, Subject: subject(p), Stale: staleFigure(p), Cost: costFigure(p), Capacity: capacityFigure(p), Gaps: gaps(p)}
	s.Failures, s.Untried = proof.Findings(p)
	s.Failures, s.Untried, s.Gaps = short(p, s.Failures), short(p, s.Untried), short(p, s.Gaps)
	s.Word, s.Tone = verdictWord(v.Outcome)
	s.costIsNoise = costIsNoise(p)
	if s.Stale.Tone == good && s.Outcome != proof.Pass {
		s.Stale.Tone = plain // nothing is green on a page that does not say PASS
	}
	s.Sentence = sentence(p, &s)
	// A proof that was never saved has no verdict yet; that is no edit.
	if p.Verdict.Outcome != "" {
		if err := proof.CheckVerdict(p); err != nil {
			s.Edited = oneLine(err.Error()) + "; the proof was edited or comes from another version. Shown here is what the evidence says."
		}
	}
	return s
}

// short leaves out the target's name before each line where there is only one.
func short(p *proof.Proof, lines []string) []string {
	if len(p.Targets) != 1 {
		return lines
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimPrefix(strings.TrimPrefix(l, p.Targets[0].Name+": "), oneLine(p.Targets[0].Name)+": ")
	}
	return out
}

func verdictWord(o proof.Outcome) (string, tone) {
	switch o {
	case proof.Pass:
		return "PASS", good
	case proof.Fail:
		return "FAIL", bad
	default:
		return "NO VERDICT", unsure
	}
}

// judgeAlone is the verdict on one target, with its budgets.
func judgeAlone(p *proof.Proof, t *proof.Target) proof.Outcome {
	one := proof.Proof{Targets: []proof.Target{*t}}
	for _, b := range p.Budgets {
		if b.Target == t.Name {
			one.Budgets = append(one.Budgets, b)
		}
	}
	return proof.Judge(&one).Outcome
}

// subject names the core, and the targets it was tried on.
func subject(p *proof.Proof) string {
	if len(p.Targets) == 0 {
		return "nothing was tried"
	}
	core := coreName(p.Targets[0].Core)
	for _, t := range p.Targets[1:] {
		if t.Error == "" && coreName(t.Core) != core {
			core = "several cores"
			break
		}
	}
	var on []string
	for _, t := range p.Targets {
		on = append(on, oneLine(t.Name))
	}
	on, left := first(on, 6)
	if left > 0 {
		on = append(on, fmt.Sprintf("%d more", left))
	}
	return core + " on " + list(on)
}

func coreName(s proof.Server) string {
	name := oneLine(strings.TrimSpace(s.Product + " " + s.Version))
	if name == "" {
		return "unnamed core"
	}
	return name
}

// list joins words as a sentence does.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
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

// sentence says in plain words what was found.
func sentence(p *proof.Proof, s *summary) string {
	i := sumImmediacy(p)
	var b strings.Builder
	switch s.Outcome {
	case proof.Pass:
		switch {
		case i.trials == 0 || i.accepted > 0:
			b.WriteString("What was tried held, but whether a logged-out user is refused was not shown")
		default:
			fmt.Fprintf(&b, "Logging out took effect at once: all %s calls made after a confirmed logout were refused%s", count(i.trials), onTargets(p, i))
		}
	case proof.Fail:
		switch {
		case i.accepted > 0:
			fmt.Fprintf(&b, "A logged-out user can still get in: %s of %s calls made after a confirmed logout were let in, up to %s later", count(i.accepted), count(i.trials), duration(i.window))
		case i.trials > 0:
			fmt.Fprintf(&b, "All %s calls made after a confirmed logout were refused, but %s", count(i.trials), failed(len(s.Failures)))
		default:
			fmt.Fprintf(&b, "%s; whether a logged-out user is refused was not shown", capital(failed(len(s.Failures))))
		}
	default:
		switch {
		case p.Interrupted != "":
			fmt.Fprintf(&b, "The run was cut short (%s), so nothing is decided; what was found until then is shown", clip(oneLine(p.Interrupted), 80))
		case len(p.Targets) == 0:
			b.WriteString("Nothing was tried, so nothing is shown, neither good nor bad")
		default:
			fmt.Fprintf(&b, "Nothing is decided: %s could not be tried or could not have failed", plural(len(s.Untried), "thing"))
		}
	}
	if s.Outcome == proof.Pass {
		switch {
		case s.Cost.Value == "not measured":
			b.WriteString("; what the check costs was not measured")
		case s.costIsNoise:
			b.WriteString("; what the check costs cannot be told from noise")
		default:
			b.WriteString("; the check costs " + strings.ReplaceAll(s.Cost.Value, "+", "") + " per call")
		}
	}
	b.WriteString(".")
	if names := incompleteProfiles(p); s.Outcome == proof.Pass && len(names) > 0 {
		fmt.Fprintf(&b, " Not fully proved, since required checks were skipped: %s.", enumerate(names))
	}
	return b.String()
}

// incompleteProfiles names the required profiles of which checks were skipped
// on any target.
func incompleteProfiles(p *proof.Proof) []string {
	var names []string
	for _, t := range p.Targets {
		if t.Conformance == nil {
			continue
		}
		for _, f := range t.Conformance.Profiles {
			if !f.Optional && f.Outcome == proof.Incomplete {
				names = added(names, oneLine(f.Name))
			}
		}
	}
	return names
}

func failed(n int) string {
	if n == 1 {
		return "1 requirement was not met"
	}
	return count(n) + " requirements were not met"
}

func onTargets(p *proof.Proof, i immediacy) string {
	if len(p.Targets) == 1 {
		return ""
	}
	if i.untried == 0 {
		return fmt.Sprintf(", on all %d targets", i.targets)
	}
	return fmt.Sprintf(", on %d of %d targets", i.targets, len(p.Targets))
}

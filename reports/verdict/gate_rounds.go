package verdict

import (
	"fmt"
	"math"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
)

// Levels of a gate's errors, over all figures of a run together: identical builds
// fail, and a regression as large as the limit passes, at most so often.
const (
	gateAlphaFail = 0.005
	gateAlphaPass = 0.025
	// memoryRounds bound the rounds that memory alone may ask for.
	memoryRounds = 20
)

// Variants of a gate's duet.
const (
	baseOff = "base-off"
	headOff = "head-off"
	baseOn  = "base-on"
	headOn  = "head-on"
)

// sequential are the budgets that are decided round by round.
var sequential = []struct {
	name, base, head string
	maxN             int
	of               func(b *proof.Bench, r *proof.Round) (float64, bool)
}{
	{GateCPUOff, baseOff, headOff, 0, cpuLog(baseOff, headOff)},
	{GateCPUOn, baseOn, headOn, 0, cpuLog(baseOn, headOn)},
	{GateMemory, "", "", memoryRounds, memoryPerSession},
	{GateP50, "", "", 0, latencyOn(0)},
	{GateP99, "", "", 0, latencyOn(2)},
}

// latencyOn is a quantile of head's calls with the flag on, in ms, of rounds that were
// not saturated.
func latencyOn(quantile int) func(*proof.Bench, *proof.Round) (float64, bool) {
	return func(_ *proof.Bench, r *proof.Round) (float64, bool) {
		w := window(r, headOn)
		if w == nil || r.Saturated {
			return 0, false
		}
		return quantiles[quantile].of(w)
	}
}

func cpuLog(base, head string) func(*proof.Bench, *proof.Round) (float64, bool) {
	return func(_ *proof.Bench, r *proof.Round) (float64, bool) {
		a, z := window(r, base), window(r, head)
		if a == nil || z == nil {
			return 0, false
		}
		return logRatio(cpuPerCall)(a, z)
	}
}

// memoryPerSession is by how many bytes more head's cores grew than base's since
// they were ready, for each session whose token was offered.
func memoryPerSession(b *proof.Bench, r *proof.Round) (float64, bool) {
	var sum float64
	var n int
	for _, v := range [][2]string{{baseOff, headOff}, {baseOn, headOn}} {
		a, z := window(r, v[0]), window(r, v[1])
		if a == nil || z == nil {
			continue
		}
		sa, sz := sessionsSeen(b, a), sessionsSeen(b, z)
		if min(a.MemoryReady, a.Memory, z.MemoryReady, z.Memory) <= 0 || sa <= 0 || sz <= 0 {
			return 0, false
		}
		sum += float64(z.Memory-z.MemoryReady)/sz - float64(a.Memory-a.MemoryReady)/sa
		n++
	}
	return sum / float64(n), n > 0
}

// sessionsSeen is how many sessions one expects to be offered, drawing uniformly.
func sessionsSeen(b *proof.Bench, w *proof.Window) float64 {
	if b.Design.Tokens <= 0 || b.Design.Window <= 0 {
		return 0
	}
	t, calls := float64(b.Design.Tokens), float64(w.Calls)*(1+b.Design.WarmUp.Seconds()/b.Design.Window.Seconds())
	return t * -math.Expm1(-calls/t)
}

// test is the sequential test of one budget.
func test(g *proof.Gate, name string, maxN int, limit float64) stats.Sequential {
	figures := 0
	for _, s := range sequential {
		if _, ok := limitOf(g, s.name); ok {
			figures++
		}
	}
	q := stats.Sequential{Bound: limit, AlphaAbove: gateAlphaFail / float64(max(1, figures)*max(1, g.Protocols)), AlphaBelow: gateAlphaPass, MinN: g.MinRounds, MaxN: g.MaxRounds}
	if k, _ := gateLimit(name); k.Unit == "ratio" {
		q.Bound = math.Log1p(limit)
	}
	if maxN > 0 {
		q.MaxN = min(q.MaxN, maxN)
	}
	return q
}

// samples of one budget: every round that counts, also those whose sends were late,
// since two sides that share a CPU are slowed down alike.
func samples(b *proof.Bench, of func(*proof.Bench, *proof.Round) (float64, bool)) (xs []float64) {
	for _, r := range kept(b, proof.KindCost) {
		if x, ok := of(b, r); ok && finite(x) {
			xs = append(xs, x)
		}
	}
	return xs
}

// GateOpen says whether more rounds can decide what is not decided yet. A figure that
// fails decides the gate.
func GateOpen(g *proof.Gate, b *proof.Bench) bool {
	rounds := len(kept(b, proof.KindCost))
	if rounds < g.MinRounds {
		return true
	}
	open := false
	for _, s := range sequential {
		limit, ok := limitOf(g, s.name)
		if !ok {
			continue
		}
		xs := samples(b, s.of)
		q := test(g, s.name, s.maxN, limit)
		switch q.Decide(xs).Position {
		case stats.Above:
			return false
		case stats.Open:
			open = open || len(xs) > 0 && len(xs) < q.MaxN
		}
	}
	return open
}

// measured are the budgets of one duet.
func measured(g *proof.Gate, b *proof.Bench) (out []proof.GateBudget) {
	for _, s := range sequential {
		limit, ok := limitOf(g, s.name)
		if !ok || s.head != "" && !hasVariant(b, s.head) {
			continue
		}
		out = append(out, sequentialBudget(g, b, s.name, s.base, s.of, test(g, s.name, s.maxN, limit), limit))
	}
	if limit, ok := limitOf(g, GateThroughput); ok {
		var xs []float64
		for _, r := range kept(b, proof.KindSaturated) {
			if w := window(r, headOn); w != nil {
				if x, ok := rate(w); ok {
					xs = append(xs, x)
				}
			}
		}
		out = append(out, absoluteBudget(GateThroughput, b.Protocol, absolute(xs, "1/s"), limit))
	}
	return out
}

func sequentialBudget(g *proof.Gate, b *proof.Bench, name, base string, of func(*proof.Bench, *proof.Round) (float64, bool), q stats.Sequential, limit float64) proof.GateBudget {
	k, _ := gateLimit(name)
	row := proof.GateBudget{Name: name, Protocol: b.Protocol, Absolute: k.Absolute, Limit: limit, Unit: k.Unit}
	if k.Unit == "ratio" {
		row.Limit = 1 + limit
		row.Floor = fixedRatio(floorOf(b, base))
	}
	xs := samples(b, of)
	if len(xs) == 0 {
		row.Outcome, row.Reason = proof.Error, ReasonNotReadable
		row.Text = "the processes of base and head could not both be read: is one a script that starts the core, without exec? Cores by URL need --base-pid and --head-pid; or leave it out: --budget " + name + "=off"
		if len(b.Rounds) == 0 {
			row.Text = "no round was measured"
		}
		if k.Absolute {
			row.Text = absoluteLimit + "the figure could not be had: no round was measured, or all were saturated"
		}
		if name == GateMemory {
			row.Outcome, row.Text = proof.Skip, "memory could not be read, or the cores were not started anew for each round"
		}
		return row
	}
	d := q.Decide(xs)
	if finite(d.SD) {
		row.Sigma = d.SD
	}
	back := func(x float64) float64 { return x }
	if k.Unit == "ratio" {
		back = math.Exp
	}
	row.Observed = &proof.Estimate{Value: back(d.Mean), Unit: k.Unit, N: d.N, Method: stats.AnytimeT.Name, Assumption: stats.AnytimeT.Assumption}
	if low, high := back(d.Low), back(d.High); finite(low) && finite(high) && d.N >= q.MinN {
		row.Observed.Interval = &proof.Interval{Low: low, High: high, Level: 1 - q.AlphaAbove - q.AlphaBelow}
	} else {
		row.Observed.Warnings = []string{few(d.N, q.MinN)}
	}
	if !b.Design.FreshProcesses {
		row.Observed.Warnings = append(row.Observed.Warnings, "the processes were the same in all rounds, so what differs from start to start is not in the interval")
	}
	dropped, _, all := badRounds(b)
	switch {
	case float64(dropped) > mostBad*float64(dropped+all):
		row.Outcome, row.Reason = proof.Undecided, ReasonNoisy
		row.Text = fmt.Sprintf("invalid machine: %d of %d rounds were dropped", dropped, dropped+all)
		return row
	case d.Position == stats.Above:
		row.Outcome, row.Reason, row.Decided = proof.Fail, ReasonRegression, d.N
	case d.Position == stats.Below:
		row.Outcome, row.Reason, row.Decided = proof.Pass, ReasonHeld, d.N
	case k.Unit == "ratio" && row.Sigma > noisy:
		row.Outcome, row.Reason = proof.Undecided, ReasonNoisy
	default:
		row.Outcome, row.Reason = proof.Undecided, ReasonUndecided
	}
	if k.Absolute && row.Outcome == proof.Fail {
		row.Reason = ReasonLimit
	}
	row.Text = sequentialText(&row)
	return row
}

// absoluteLimit begins what is said of a limit on head alone.
const absoluteLimit = "absolute limit, on this machine: "

// absoluteText says a figure of head alone; e has a value.
func absoluteText(e *proof.Estimate, unit string, limit float64) string {
	s := fmt.Sprintf("%s%.4g %s", absoluteLimit, e.Value, unit)
	if e.Interval != nil {
		s += fmt.Sprintf(" (%.4g to %.4g)", e.Interval.Low, e.Interval.High)
	}
	return s + fmt.Sprintf(", limit %.4g", limit)
}

// floorOf compares two sides of base.
func floorOf(b *proof.Bench, variant string) (logs []float64) {
	if b.Design.FloorReason != "" {
		return nil
	}
	for _, r := range kept(b, proof.KindFloor) {
		var same []*proof.Window
		for i := range r.Windows {
			if r.Windows[i].Variant == variant {
				same = append(same, &r.Windows[i])
			}
		}
		if len(same) == 2 {
			if x, ok := logRatio(cpuPerCall)(same[0], same[1]); ok && finite(x) {
				logs = append(logs, x)
			}
		}
	}
	return logs
}

// absoluteBudget holds a figure of head alone against a limit.
func absoluteBudget(name, protocol string, e *proof.Estimate, limit float64) proof.GateBudget {
	k, _ := gateLimit(name)
	row := proof.GateBudget{Name: name, Protocol: protocol, Absolute: true, Limit: limit, Unit: k.Unit, Observed: e}
	atLeast := name == GateThroughput
	switch {
	case e == nil:
		row.Outcome, row.Reason, row.Text = proof.Error, ReasonNotReadable, absoluteLimit+"the figure could not be had"
		return row
	case e.Interval == nil:
		row.Outcome, row.Reason, row.Text = proof.Undecided, ReasonUndecided, absoluteLimit+e.Warnings[0]
		return row
	case !atLeast && e.Interval.Low > limit, atLeast && e.Interval.High < limit:
		row.Outcome, row.Reason = proof.Fail, ReasonLimit
	case !atLeast && e.Interval.High <= limit, atLeast && e.Interval.Low >= limit:
		row.Outcome, row.Reason = proof.Pass, ReasonHeld
	default:
		row.Outcome, row.Reason = proof.Undecided, ReasonUndecided
	}
	row.Text = absoluteText(e, k.Unit, limit)
	return row
}

// GateSamples are the rounds of a duet as its budgets see them, by name: for records.
func GateSamples(b *proof.Bench) map[string][]float64 {
	out := map[string][]float64{}
	for _, s := range sequential {
		if xs := samples(b, s.of); len(xs) > 0 {
			out[s.name] = xs
		}
	}
	return out
}

package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// The variants whose difference is the cost of the flag.
const (
	off = "off"
	on  = "on"
)

const (
	// noisy is the standard deviation between rounds of ln(on/off) above which
	// the machine is called too noisy to rely on.
	noisy = 0.045
	// mostSaturated is the share of cost rounds that may be saturated before the load
	// is called too much. A plan makes up for some, which a noisy machine brings about;
	// a rate beyond what the cores serve saturates all.
	mostSaturated = 0.5
	// mostBad is the share of cost rounds that may be dropped before the rest is not
	// believed.
	mostBad = 0.2
)

// cost derives the cost of the flag from the rounds of b; nil where b compares
// other things than the flag on and off.
func cost(b *proof.Bench) *proof.Cost {
	if !hasVariant(b, off) || !hasVariant(b, on) {
		return nil
	}
	c := &proof.Cost{}
	s := sample{b, proof.KindCost}
	logs := s.pairs(logRatio(cpuPerCall))
	c.CoreCPUOff = absolute(s.variant(off, cpuPerCall), "µs")
	c.CoreCPUOn = absolute(s.variant(on, cpuPerCall), "µs")
	c.CoreCPUDiff = claim(s.pairs(difference(cpuPerCall)), "µs")
	c.CoreCPURatio = ratioClaim(logs)
	if i, _ := stats.StudentT.Of(logs, level); finite(i.SD) {
		c.Sigma = i.SD
	}
	c.DatabaseCPU = absolute(s.rounds(func(r *proof.Round, _, onw *proof.Window) (float64, bool) { return databaseCPU(b, r, onw) }), "µs")
	total := func(r *proof.Round, onw *proof.Window) (float64, bool) {
		core, ok1 := cpuPerCall(onw)
		db, ok2 := databaseCPU(b, r, onw)
		return core + db, ok1 && ok2
	}
	c.TotalCPUOn = absolute(s.rounds(func(r *proof.Round, _, onw *proof.Window) (float64, bool) { return total(r, onw) }), "µs")
	c.TotalCPURatio = ratioClaim(s.rounds(func(r *proof.Round, offw, onw *proof.Window) (float64, bool) {
		t, ok1 := total(r, onw)
		core, ok2 := cpuPerCall(offw)
		return math.Log(t / core), ok1 && ok2
	}))
	for _, q := range quantiles {
		row := proof.LatencyRow{Quantile: q.q}
		a, z, d := absolute(s.variant(off, q.of), "ms"), absolute(s.variant(on, q.of), "ms"), claim(s.pairs(difference(q.of)), "ms")
		if a == nil || z == nil || d == nil {
			continue
		}
		row.Off, row.On, row.Diff = *a, *z, *d
		c.Latency = append(c.Latency, row)
		if q.q == 0.5 {
			c.CostPerCall = d
		}
	}
	floor(b, c)
	saturated(b, c)
	for _, r := range kept(b, proof.KindCost) {
		if r.Saturated {
			c.SaturatedRounds++
		}
	}
	c.NotGateable = notGateable(b, c)
	c.Gateable = c.NotGateable == ""
	warn(b, c)
	return c
}

// databaseCPU is µs per flag-on call, idle subtracted. The flag-off side makes no
// statement, so all that the database does beyond idling is for the other. Calls besides
// verify make statements on both sides: then nobody can tell the two apart.
func databaseCPU(b *proof.Bench, r *proof.Round, onw *proof.Window) (float64, bool) {
	if r.DatabaseCPU < 0 || onw.Calls <= 0 || b.Design.Verifies() < 1 {
		return 0, false
	}
	return b.BeyondIdle(r.DatabaseCPU, r.Took) / float64(onw.Calls), true
}

// floor is what two sides alike gave. Its rounds are fixed beforehand.
func floor(b *proof.Bench, c *proof.Cost) {
	if b.Design.FloorReason != "" {
		return
	}
	if logs := alike(b, logRatio(cpuPerCall)); !oneClock(logs) {
		c.Floor = fixedRatio(logs)
	}
	c.FloorLatency = estimate.Of(stats.StudentT, alike(b, difference(p50)), "ms", nil)
}

// alike compares the two windows of each unsaturated floor round.
func alike(b *proof.Bench, f between) (out []float64) {
	for _, r := range unsaturated(b, proof.KindFloor) {
		if len(r.Windows) != 2 {
			continue
		}
		if x, ok := f(&r.Windows[0], &r.Windows[1]); ok && finite(x) {
			out = append(out, x)
		}
	}
	return out
}

// oneClock says whether both sides of each floor round read the same clock: no
// two processes spend the same time to the nanosecond.
func oneClock(logs []float64) bool {
	for _, x := range logs {
		if x != 0 {
			return false
		}
	}
	return len(logs) > 0
}

// saturated fills in the figures of the closed model.
func saturated(b *proof.Bench, c *proof.Cost) {
	if b.Design.RateCapHz > 0 {
		return // a capped target was never saturated
	}
	// Rounds of this kind are meant to be saturated.
	s := sample{b, proof.KindSaturated}
	c.ThroughputOff, c.ThroughputOn = absolute(s.variant(off, rate), "1/s"), absolute(s.variant(on, rate), "1/s")
	c.ThroughputRatio = fixedRatio(s.pairs(logRatio(rate)))
	c.SaturatedCPUOff, c.SaturatedCPUOn = absolute(s.variant(off, cpuPerCall), "µs"), absolute(s.variant(on, cpuPerCall), "µs")
	c.BytesPerCallOff, c.BytesPerCallOn = s.bytesPerCall(off), s.bytesPerCall(on)
}

// notGateable says why no figure of b can carry a gate; "" when one can.
func notGateable(b *proof.Bench, c *proof.Cost) string {
	dropped, saturated, all := badRounds(b)
	switch {
	case saturated == all && all > 0:
		return "all cost rounds were saturated"
	case c.CoreCPURatio == nil:
		return "the CPU time of the cores could not be read, and latency is no figure to gate on; give the processes, e.g. by --pid-on and --pid-off"
	case b.Design.FloorReason != "":
		return "the noise floor is not available: " + b.Design.FloorReason
	case oneClock(alike(b, logRatio(cpuPerCall))):
		return "the noise floor is not available: both of its sides read one process's clock"
	case len(unsteady(b)) > 0:
		return "no steady state was reached: " + unsteady(b)[0]
	case noPrice(b) != "":
		return noPrice(b)
	case float64(dropped) > mostBad*float64(dropped+all):
		return fmt.Sprintf("%d of %d cost rounds were dropped", dropped, dropped+all)
	case float64(saturated) > mostSaturated*float64(all):
		return fmt.Sprintf("%d of %d cost rounds were saturated", saturated, all)
	case c.Floor == nil:
		return "the noise floor is not available: no round of two sides alike counts; give --floor-rounds"
	case c.Floor.Interval == nil:
		return "the noise floor is not available: of two sides alike, " + c.Floor.Warnings[0] + "; give more --floor-rounds"
	}
	return ""
}

// warn tells on each claim what a reader must know before relying on it.
func warn(b *proof.Bench, c *proof.Cost) {
	var all []string
	for _, u := range unsteady(b) {
		all = append(all, "no steady state was reached: "+u)
	}
	if !b.Design.FreshProcesses {
		all = append(all, "the processes were the same in all rounds, so what differs from start to start is not in the interval")
	}
	if c.Sigma > noisy {
		all = append(all, fmt.Sprintf("the machine is noisy: rounds differ by %.1f %%", 100*c.Sigma))
	}
	for _, e := range []*proof.Estimate{c.CoreCPUDiff, c.CoreCPURatio, c.TotalCPURatio, c.CostPerCall} {
		if e != nil {
			e.Warnings = append(e.Warnings, all...)
		}
	}
	for _, e := range []*proof.Estimate{c.DatabaseCPU, c.TotalCPUOn} {
		if e != nil && b.IdleDatabaseCPU == nil {
			e.Warnings = append(e.Warnings, "what the database spends without load could not be read and is in the figure")
		}
	}
	for i := range c.Latency {
		if c.Latency[i].Quantile == 0.5 && c.CostPerCall != nil {
			c.Latency[i].Diff.Warnings = c.CostPerCall.Warnings
		}
	}
}

// unsteady names the variants that did not reach a steady state.
func unsteady(b *proof.Bench) (out []string) {
	for _, s := range b.Steady {
		if !s.Reached {
			when := fmt.Sprintf("before round %d", s.Round)
			if s.Round < 0 {
				when = "before the rounds"
			}
			out = append(out, fmt.Sprintf("variant %s %s, within %s", s.Variant, when, s.Took))
		}
	}
	return out
}

// noPrice says why a difference between the variants would be no cost of the
// flag; "" when it is one.
func noPrice(b *proof.Bench) string {
	seen := map[string]bool{}
	for _, v := range b.Controls {
		switch {
		case v.Variant != off && v.Variant != on:
			continue
		case v.Trouble != "":
			return fmt.Sprintf("no cost of a flag: variant %s could not be tried with revoked tokens: %s", v.Variant, v.Trouble)
		case v.Variant == off && v.Trials > 0 && v.Accepted <= 0:
			return fmt.Sprintf("no cost of a flag: variant off refused all %d revoked tokens: is the flag on there? give a core whose flag is off", v.Trials)
		case v.Variant == off && v.Accepted < v.Trials:
			return fmt.Sprintf("no cost of a flag: variant off refused %d of %d revoked tokens%s: is the flag on at some of its cores? give only cores whose flag is off", v.Trials-v.Accepted, v.Trials, against(&v))
		case v.Variant == on && v.Accepted > 0:
			return fmt.Sprintf("no cost of a flag: variant on accepted %d of %d revoked tokens%s", v.Accepted, v.Trials, against(&v))
		}
		seen[v.Variant] = seen[v.Variant] || v.Trials > 0
	}
	for _, name := range []string{off, on} {
		if !seen[name] {
			return fmt.Sprintf("no cost of a flag: variant %s was not tried with revoked tokens", name)
		}
	}
	return ""
}

// against names the cores that did not do what the flag says; "" where none is known.
func against(v *proof.VariantControl) string {
	if len(v.Against) == 0 {
		return ""
	}
	return " (" + strings.Join(v.Against, ", ") + ")"
}

// badRounds counts the cost rounds that were dropped, that were saturated, and
// that were kept, saturated ones included.
func badRounds(b *proof.Bench) (dropped, saturated, all int) {
	for _, d := range b.Dropped {
		if d.Kind == proof.KindCost {
			dropped++
		}
	}
	for _, r := range kept(b, proof.KindCost) {
		all++
		if r.Saturated {
			saturated++
		}
	}
	return dropped, saturated, all
}

func hasVariant(b *proof.Bench, name string) bool {
	for _, v := range b.Variants {
		if v.Name == name {
			return true
		}
	}
	return false
}

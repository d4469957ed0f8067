package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// budgetKinds are the figures that a caller can limit.
var budgetKinds = []struct {
	name, unit string
	of         func(*proof.Bench) *proof.Estimate
}{
	{"core-cpu-us", "µs", func(b *proof.Bench) *proof.Estimate { return b.CoreCPUDiff }},
	{"core-cpu-ratio", "ratio", func(b *proof.Bench) *proof.Estimate { return b.CoreCPURatio }},
	{"database-cpu-us", "µs", func(b *proof.Bench) *proof.Estimate { return b.DatabaseCPU }},
	{"cost-ms", "ms", func(b *proof.Bench) *proof.Estimate { return b.CostPerCall }},
}

func budgetNames() []string {
	var names []string
	for _, k := range budgetKinds {
		names = append(names, k.name)
	}
	return names
}

// parseBudgets reads name=limit.
func parseBudgets(in []string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, s := range in {
		name, text, ok := strings.Cut(s, "=")
		limit, err := strconv.ParseFloat(text, 64)
		known := false
		for _, n := range budgetNames() {
			known = known || n == name
		}
		if !ok || err != nil || !known || math.IsNaN(limit) || math.IsInf(limit, 0) {
			return nil, fmt.Errorf("--budget %s: want NAME=LIMIT with a name of %s", s, strings.Join(budgetNames(), ", "))
		}
		out[name] = limit
	}
	return out, nil
}

// judgeBudgets compares what was measured with the limits. A figure whose
// interval spans its limit was shown neither way.
func judgeBudgets(p *proof.Proof, limits map[string]float64) {
	for _, k := range budgetKinds {
		limit, ok := limits[k.name]
		if !ok {
			continue
		}
		for _, t := range p.Targets {
			if len(t.Bench) == 0 {
				p.Budgets = append(p.Budgets, proof.Budget{Name: k.name, Target: t.Name, Limit: limit, Unit: k.unit, Outcome: proof.Error, Reason: "nothing was measured"})
			}
			for i := range t.Bench {
				b := &t.Bench[i]
				row := proof.Budget{Name: k.name, Target: t.Name, Era: b.Era, Limit: limit, Unit: k.unit}
				switch e := k.of(b); {
				case e == nil:
					row.Outcome, row.Reason = proof.Error, "the figure could not be had on this target"
				case e.Low > limit:
					row.Observed, row.Outcome = e.Value, proof.Fail
				case e.High <= limit:
					row.Observed, row.Outcome = e.Value, proof.Pass
				default:
					row.Observed, row.Outcome = e.Value, proof.Error
					row.Reason = fmt.Sprintf("not shown either way: %.4g %s, interval [%.4g, %.4g]; try more --rounds", e.Value, k.unit, e.Low, e.High)
				}
				p.Budgets = append(p.Budgets, row)
			}
		}
	}
}

package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// BudgetKind is a figure that a caller can limit.
type BudgetKind struct {
	Name string
	Unit string
	// Title says in a few words what is limited, for help texts.
	Title string

	of func(*proof.Cost) *proof.Estimate
}

// Budgets are the figures that can be limited.
func Budgets() []BudgetKind {
	return []BudgetKind{
		{"core-cpu-us", "µs", "core CPU per verify, on − off", func(c *proof.Cost) *proof.Estimate { return c.CoreCPUDiff }},
		{"core-cpu-ratio", "ratio", "core CPU per verify, on / off", func(c *proof.Cost) *proof.Estimate { return c.CoreCPURatio }},
		{"cost-ms", "ms", "median latency, on − off", func(c *proof.Cost) *proof.Estimate { return c.CostPerCall }},
	}
}

// reportedOnly are figures that no limit can be set on, and why.
var reportedOnly = map[string]string{
	"database-cpu-us": "the database's CPU is paired with nothing and cannot be gated on; it is reported",
}

// ParseLimit reads NAME=LIMIT, e.g. "core-cpu-us=150". The error names the names
// there are.
func ParseLimit(s string) (proof.Limit, error) {
	name, text, ok := strings.Cut(s, "=")
	name = strings.TrimSpace(name)
	if why, ok := reportedOnly[name]; ok {
		return proof.Limit{}, fmt.Errorf("budget %q: %s; %s", s, why, wantBudget())
	}
	if _, known := budgetNamed(name); !ok || !known {
		return proof.Limit{}, fmt.Errorf("budget %q: %s", s, wantBudget())
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return proof.Limit{}, fmt.Errorf("budget %q: the limit is no finite number; %s", s, wantBudget())
	}
	return proof.Limit{Name: name, Value: x}, nil
}

func wantBudget() string {
	var names []string
	for _, k := range Budgets() {
		names = append(names, k.Name)
	}
	return "want NAME=LIMIT with a name of " + strings.Join(names, ", ")
}

func budgetNamed(name string) (BudgetKind, bool) {
	for _, k := range Budgets() {
		if k.Name == name {
			return k, true
		}
	}
	return BudgetKind{}, false
}

// budgets judges each limit on each bench of each target.
func budgets(p *proof.Proof) (out []proof.Budget) {
	for _, l := range p.Limits {
		kind, known := budgetNamed(l.Name)
		for i := range p.Targets {
			t := &p.Targets[i]
			row := proof.Budget{Name: l.Name, Target: t.Name, Limit: l.Value, Unit: kind.Unit}
			switch {
			case !known:
				row.Outcome, row.Reason = proof.Error, "no such budget: "+wantBudget()
				out = append(out, row)
				continue
			case len(t.Bench) == 0:
				row.Outcome, row.Reason = proof.Error, "nothing was measured; run the bench on this target"
				out = append(out, row)
				continue
			}
			for j := range t.Bench {
				b := &t.Bench[j]
				row.Protocol, row.Observed = b.Protocol, nil
				if b.Cost != nil {
					row.Observed = kind.of(b.Cost)
				}
				row.Outcome, row.Reason = budget(b.Cost, row.Observed, l.Value)
				out = append(out, row)
			}
		}
	}
	return out
}

// budget decides one limit: only by an interval, and only where the figure can
// carry a gate.
func budget(c *proof.Cost, e *proof.Estimate, limit float64) (proof.Outcome, string) {
	switch {
	case c == nil:
		return proof.Error, "no cost of the flag was measured: variants off and on are needed"
	case e == nil:
		return proof.Error, "the figure could not be had on this target"
	case !c.Gateable:
		return proof.Undecided, "it cannot be gated on: " + c.NotGateable
	case e.Interval == nil:
		return proof.Undecided, e.Warnings[0] + "; give more --rounds"
	case e.Interval.Low > limit:
		return proof.Fail, ""
	case e.Interval.High <= limit:
		return proof.Pass, ""
	}
	return proof.Undecided, fmt.Sprintf("not shown either way: the interval reaches from %.4g to %.4g %s; give more --rounds", e.Interval.Low, e.Interval.High, e.Unit)
}

package terminal

import (
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// costLines has one line per protocol instead of a table.
func (t *terminal) costLines(p *proof.Proof) {
	for _, r := range summary.CostRows(p) {
		if !r.Cost.Present && !r.CoreExtra.Present {
			continue
		}
		var parts []string
		if r.CoreExtra.Present {
			parts = append(parts, "core CPU "+r.CoreExtra.Short()+" µs"+mark(r.Ratio, r.RatioStands))
		}
		if r.Database.Present {
			parts = append(parts, "db CPU "+r.Database.Short()+" µs")
		}
		if r.Cost.Present {
			parts = append(parts, "median "+r.Cost.Short()+" ms"+mark(r.Cost, r.CostStands))
		}
		t.fact("cost, "+words.Cut(r.Protocol, 9), summary.Plain, strings.Join(parts, ", "))
	}
}

// costs has one table per protocol, so that targets stand side by side in each;
// one target alone has its protocols side by side.
func (t *terminal) costs(p *proof.Proof) {
	var order []string
	byProtocol := map[string][]summary.CostRow{}
	for _, r := range summary.CostRows(p) {
		if !r.Cost.Present && !r.CoreExtra.Present {
			continue
		}
		key := r.Protocol
		if len(p.Targets) == 1 {
			key = ""
		}
		if byProtocol[key] == nil {
			order = append(order, key)
		}
		byProtocol[key] = append(byProtocol[key], r)
	}
	for _, key := range order {
		rows := byProtocol[key]
		heads := make([]string, len(rows))
		for i, r := range rows {
			heads[i] = words.Cut(r.Target, 30)
			if len(p.Targets) == 1 {
				heads[i] = words.Cut(r.Protocol, 30)
			}
		}
		title := "cost per verify"
		if key != "" {
			title = "cost, " + key
		}
		cell := func(f func(r summary.CostRow) string) func(int) (string, summary.Tone) {
			return func(c int) (string, summary.Tone) { return f(rows[c]), summary.Plain }
		}
		t.table(title, heads, []tableRow{
			{"core CPU, µs", cell(func(r summary.CostRow) string { return r.CoreExtra.Short() })},
			{"db CPU, µs", cell(func(r summary.CostRow) string {
				if !r.Database.Present {
					return r.DatabaseNote
				}
				return r.Database.Short()
			})},
			{"core CPU on/off", cell(func(r summary.CostRow) string { return r.Ratio.Short() + mark(r.Ratio, r.RatioStands) })},
			{"  noise floor", cell(func(r summary.CostRow) string { return r.Floor.Short() })},
			{"with db, on/off", cell(func(r summary.CostRow) string { return r.TotalRatio.Short() })},
			{"median, ms", cell(func(r summary.CostRow) string { return r.Cost.Short() + mark(r.Cost, r.CostStands) })},
			{"  noise floor", cell(func(r summary.CostRow) string { return r.FloorLatency.Short() })},
			{"calls/s off→on", cell(func(r summary.CostRow) string { return summary.OffOn(r.ThroughputOff, r.ThroughputOn) })},
			{"full load, µs", cell(func(r summary.CostRow) string { return summary.OffOn(r.SaturatedOff, r.SaturatedOn) })},
		})
	}
	if len(order) > 0 {
		t.wrapped("  ", "on − off per verify, ± half of the 95 % interval. Noise floor: what two equal sides gave.")
		for i := range p.Targets {
			if x := &p.Targets[i]; len(x.Bench) > 0 {
				if where := summary.Conditions(x, &x.Bench[0]); where != "" {
					if len(p.Targets) > 1 {
						where = words.OneLine(x.Name) + ": " + where
					}
					t.wrapped("  ", where)
				}
			}
		}
	}
}

// mark says beside a figure that it shows no difference, or decides nothing.
func mark(m summary.Measured, s summary.Standing) string {
	switch {
	case m.Present && !m.Interval:
		return " few rounds"
	case m.Present && s.Mark() != "":
		return " " + s.Mark()
	}
	return ""
}

package render

import (
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// costLines has one line per protocol instead of a table.
func (t *terminal) costLines(p *proof.Proof) {
	for _, r := range costRows(p) {
		if !r.Cost.Present && !r.CoreExtra.Present {
			continue
		}
		var parts []string
		if r.Cost.Present {
			parts = append(parts, r.Cost.Short()+" ms"+mark(r.Cost, r.CostStands))
		}
		if r.CoreExtra.Present {
			parts = append(parts, "core CPU "+r.CoreExtra.Short()+" µs"+mark(r.Ratio, r.RatioStands))
		}
		if r.Database.Present {
			parts = append(parts, "db CPU "+r.Database.Short()+" µs")
		}
		t.fact("cost, "+cut(r.Protocol, 9), plain, strings.Join(parts, ", "))
	}
}

// costs has one table per protocol, so that targets stand side by side in each;
// one target alone has its protocols side by side.
func (t *terminal) costs(p *proof.Proof) {
	var order []string
	byProtocol := map[string][]costRow{}
	for _, r := range costRows(p) {
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
			heads[i] = cut(r.Target, 30)
			if len(p.Targets) == 1 {
				heads[i] = cut(r.Protocol, 30)
			}
		}
		title := "cost per call"
		if key != "" {
			title = "cost, " + key
		}
		figure := func(f func(r costRow) string) func(int) (string, tone) {
			return func(c int) (string, tone) { return f(rows[c]), plain }
		}
		t.table(title, heads, []tableRow{
			{"median, ms", figure(func(r costRow) string { return r.Cost.Short() + mark(r.Cost, r.CostStands) })},
			{"  both alike", figure(func(r costRow) string { return r.FloorLatency.Short() })},
			{"core CPU, µs", figure(func(r costRow) string { return r.CoreExtra.Short() })},
			{"db CPU, µs", figure(func(r costRow) string {
				if !r.Database.Present {
					return r.DatabaseNote
				}
				return r.Database.Short()
			})},
			{"CPU on/off", figure(func(r costRow) string { return r.Ratio.Short() + mark(r.Ratio, r.RatioStands) })},
			{"  both alike", figure(func(r costRow) string { return r.Floor.Short() })},
			{"calls/s off→on", figure(func(r costRow) string { return r.Capacity })},
			{"per CPU-second", figure(func(r costRow) string { return r.PerCPU })},
		})
	}
	if len(order) > 0 {
		t.wrapped("  ", "on − off per call, ± half of the 95 % interval. \"both alike\" is the noise floor: what two equal sides gave; a cost inside it shows nothing.")
	}
}

// mark says beside a figure that it shows nothing.
func mark(m measured, s standing) string {
	if m.Present && s == noise {
		return " noise"
	}
	return ""
}

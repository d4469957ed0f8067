// Package chart derives what pictures of a bench show: where a call's time goes, and
// how windows moved over a run. All of it is pure and follows from the evidence.
package chart

import (
	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// The variants that are drawn.
const (
	off = "off"
	on  = "on"
)

// Parts are where the time of the median call goes with the flag off or on, in ms.
// What is not known is nil.
type Parts struct {
	Flag string          // "off" or "on"
	Time *proof.Estimate // median latency, from the intended send to the last byte
	Core *proof.Estimate // CPU time of the core per call
	// Database is its CPU time per call, idle subtracted; nil where it could not be
	// read, or is in the core's. With the flag off no call asks it.
	Database *proof.Estimate
	// Rest is Time less what the two spent: network, queues, sleep. It is an estimate of
	// the rounds' differences.
	Rest *proof.Estimate
	// Beyond says why there is no Rest; "" where there is one.
	Beyond string
}

// Where gives the parts of both sides; nil where there are no rounds with both. Under a
// mixed load there are none either: what core and database spend on the other calls is in
// their CPU, and in no latency of a verify.
func Where(b *proof.Bench) []Parts {
	if b.Design.Verifies() < 1 {
		return nil
	}
	out := []Parts{{Flag: off}, {Flag: on}}
	for i := range out {
		p := &out[i]
		var times, cores, databases, rests []float64
		for k := range b.Rounds {
			r := &b.Rounds[k]
			w := window(r, p.Flag)
			if r.Kind != proof.KindCost || r.Saturated || w == nil || window(r, off) == nil || window(r, on) == nil || w.Calls <= 0 {
				continue
			}
			times = append(times, w.P50)
			if w.CPU < 0 {
				continue
			}
			core, database := w.CPU/float64(w.Calls)/1000, 0.0
			cores = append(cores, core)
			if p.Flag == on && r.DatabaseCPU >= 0 {
				database = b.BeyondIdle(r.DatabaseCPU, r.Took) / float64(w.Calls) / 1000
				databases = append(databases, database)
			}
			rests = append(rests, w.P50-core-database)
		}
		p.Time, p.Core, p.Database = estimate.Absolute(times, "ms"), estimate.Absolute(cores, "ms"), estimate.Absolute(databases, "ms")
		switch rest := estimate.Of(stats.StudentT, rests, "ms", nil); {
		case rest == nil:
			p.Beyond = "the CPU time of the core could not be read"
		case rest.Value < 0:
			p.Beyond = "a call costs more CPU time than the median call takes: some of it is spent where no call waits for it, or in parallel"
		default:
			p.Rest = rest
		}
	}
	if out[0].Time == nil || out[1].Time == nil {
		return nil
	}
	return out
}

func window(r *proof.Round, variant string) *proof.Window {
	for i := range r.Windows {
		if r.Windows[i].Variant == variant {
			return &r.Windows[i]
		}
	}
	return nil
}

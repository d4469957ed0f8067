package examples

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// swept is the reference core with a load curve, for a plan.
func swept(e *Example) {
	p := newProof("--db", "postgres", "--cdi", "5.4", "--sweep")
	p.Command[1] = "bench"
	t := e.target(postgres)
	t.Conformance = nil
	t.Bench = t.Bench[1:]
	e.Histories = nil
	t.Bench[0].Sweep = Sweep(4, 0.02,
		Curve{Variant: "off", Limit: 6000, Delay: 0.12, CPU: 150, PerSecond: 12000},
		Curve{Variant: "on", Limit: 4400, Delay: 0.2, CPU: 205, PerSecond: 15000, DB: 40, DBPerSecond: 22000, Idle: *t.Bench[0].IdleDatabaseCPU})
	p.Targets = []proof.Target{t}
	e.Proof = p
}

// Curve is the load curve of an invented core with one CPU: its response time is
// Delay + 1/(Limit − λ), and its CPU per call CPU + PerSecond/λ.
type Curve struct {
	Variant         string
	Limit           float64 // calls per second
	Delay           float64 // ms
	CPU, PerSecond  float64 // µs per call, µs per second
	DB, DBPerSecond float64 // the same of the database; DB below 0 is not readable
	Idle            float64 // µs per second that the database spends anyway
}

// Sweep invents a sweep of curves, whose figures scatter by noise.
func Sweep(blocks int, noise float64, curves ...Curve) *proof.Sweep {
	r := rand.New(rand.NewPCG(77, 7))
	s := &proof.Sweep{Window: time.Second, WarmUp: 200 * time.Millisecond, Connections: 64, Blocks: blocks, Within: 2 * time.Minute, Took: 2 * time.Minute}
	for _, c := range curves {
		s.Saturation = append(s.Saturation, proof.SweepSaturation{Variant: c.Variant, RateHz: c.Limit})
	}
	shares := []float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1}
	s.Shares = shares
	for block := range blocks {
		for _, i := range r.Perm(len(shares) * len(curves)) {
			s.Points = append(s.Points, curves[i/len(shares)].point(block, shares[i%len(shares)], func() float64 { return math.Exp(noise * r.NormFloat64()) }))
		}
	}
	return s
}

func (c *Curve) point(block int, share float64, odd func() float64) proof.SweepPoint {
	hz := share * c.Limit
	p := proof.SweepPoint{Variant: c.Variant, Block: block, Share: share, RateHz: hz, Served: hz, Achieved: 1, LagP99: 1.2, Took: time.Second, Calls: int64(hz)}
	if share >= 1 {
		p.Served, p.Achieved, p.LagP99, p.Backlog, p.Mean = 0.97*c.Limit, 0.97/share, 120, int64(0.1*hz), 60
	} else {
		p.Mean = round((c.Delay+1000/(c.Limit-hz))*odd(), 4)
	}
	p.P50, p.P90, p.P99 = round(0.75*p.Mean, 4), round(2*p.Mean, 4), round(4.2*p.Mean, 4)
	calls := float64(p.Calls)
	p.CPU = round(calls*(c.CPU+c.PerSecond/hz)*odd(), 0)
	switch {
	case c.DB < 0:
		p.DBCPU = -1
	default:
		p.DBCPU = round(c.Idle, 0)
		if c.DB > 0 {
			p.DBCPU = round(calls*(c.DB+c.DBPerSecond/hz)*odd()+c.Idle, 0)
		}
	}
	return p
}

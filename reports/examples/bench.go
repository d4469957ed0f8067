package examples

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// store is a database with the costs that its example has.
type store struct {
	name, kind, product, version, image, tls, source string
	seed                                             uint64
	off, extra, db                                   float64 // µs of CPU per verify
	p50, slower                                      float64 // ms
	settings                                         map[string]string
}

var (
	sqlite   = store{"sqlite", "embedded", "SQLite", "3.51.0", "", "none", "driver", 11, 166, 31, 0, 0.221, 0.048, map[string]string{"journal_mode": "wal", "synchronous": "full"}}
	postgres = store{"postgres", "container", "PostgreSQL", "17.2", "postgres:17.2", "no", "pg_stat_statements", 12, 171, 61, 58, 0.236, 0.139, map[string]string{"fsync": "off", "synchronous_commit": "on", "autovacuum": "off"}}
	mariadb  = store{"mariadb", "container", "MariaDB", "11.4.3", "mariadb:11.4.3", "no", "performance_schema", 13, 169, 66, 83, 0.233, 0.171, map[string]string{"innodb_flush_log_at_trx_commit": "1", "log_bin": "0"}}
	mongo    = store{"mongo", "container", "MongoDB", "7.0.14", "mongo:7.0.14", "no", "command monitor", 14, 170, 88, 97, 0.235, 0.204, map[string]string{"writeConcern": "majority, j: true"}}
)

// target is the reference core on d, everything held.
func (e *Example) target(d store) proof.Target {
	t := proof.Target{
		Name: d.name, Kind: d.kind,
		Core:        proof.Server{Name: "refcore", Product: "refcore", Version: "0.0.0-example", Protocols: []string{"CDI 2.20", "CDI 5.4"}},
		Database:    &proof.Database{Product: d.product, Version: d.version, Image: d.image, TLS: d.tls, Settings: d.settings},
		Conformance: e.conformance(d.name),
		Footprint:   footprint(d),
	}
	for _, v := range versions {
		t.Bench = append(t.Bench, newBench(v.mode, v.protocol, d, rounds{cost: 18, floor: 8, saturated: 6}))
	}
	if d.kind == "container" {
		t.Core.Image = "coreproof/refcore:0.0.0-example"
	}
	return t
}

func footprint(d store) *proof.Footprint {
	f := &proof.Footprint{Source: d.source, Space: &proof.Space{SchemaOn: "51f3a2c8", SchemaOff: "51f3a2c8", RowsOn: 10000, RowsOff: 10000,
		RevokedOn: 5000, RevokedOff: 5000, BytesOn: 2_998_272, BytesOff: 2_990_080}}
	for _, v := range versions {
		f.Statements = append(f.Statements,
			proof.Statements{Operation: proof.OpVerify, Protocol: v.protocol, Flag: "off", Calls: 2000},
			proof.Statements{Operation: proof.OpVerify, Protocol: v.protocol, Flag: "on", Calls: 2000, Count: 2000})
	}
	f.Statements = append(f.Statements,
		proof.Statements{Operation: "verify first after refresh", Protocol: "CDI 2.20", Flag: "on", Calls: 200, Count: 400},
		proof.Statements{Operation: "verify first after refresh", Protocol: "CDI 2.20", Flag: "off", Calls: 200, Count: 400},
		proof.Statements{Operation: "create", Protocol: "CDI 5.4", Flag: "on", Calls: 200, Count: 200},
		proof.Statements{Operation: "revoke", Protocol: "CDI 5.4", Flag: "on", Calls: 200, Count: 200})
	f.Notes = []string{"below CDI 5.6 the first verify of a token from refresh reads and promotes, with the flag on or off; it is counted apart"}
	return f
}

type rounds struct{ cost, floor, saturated int }

const calls = 1800 // of a side in a round

// newBench invents rounds around the costs of d.
func newBench(mode, protocol string, d store, n rounds) proof.Bench {
	r := rand.New(rand.NewPCG(d.seed, uint64(mode[0])))
	idle, rows := 310.0, int64(10000)
	b := proof.Bench{FlagMode: mode, Protocol: protocol,
		Design: proof.Design{Kind: "duet", Generator: "vegeta v12.13.0", RateHz: 2400, RateShare: 0.35, Window: 1500 * time.Millisecond, WarmUp: 250 * time.Millisecond,
			Connections: 8, Tokens: 10000, Rows: &rows, FreshProcesses: true, Pinned: true, ServerCPUs: []int{1}, GeneratorCPUs: []int{0}, GOMAXPROCS: 1,
			RoundsPlanned: n.cost + n.floor + n.saturated, DatabaseAt: "this machine, not pinned"},
		Variants: []proof.Variant{
			{Name: "off", Settings: map[string]string{"access_token_blacklisting": "false"}, Instances: 1},
			{Name: "on", Settings: map[string]string{"access_token_blacklisting": "true"}, Instances: 1}},
		Controls: []proof.VariantControl{{Variant: "off", Trials: 5, Accepted: 5}, {Variant: "on", Trials: 5}},
		Steady: []proof.Steady{
			{Variant: "off", Round: -1, Took: 2 * time.Second, Figures: []float64{190, 172, 171}, Unit: "µs", Reached: true},
			{Variant: "on", Round: -1, Took: 2 * time.Second, Figures: []float64{260, 235, 233}, Unit: "µs", Reached: true}},
	}
	if mode == "request" {
		b.Variants[0] = proof.Variant{Name: "off", Request: map[string]string{"checkDatabase": "false"}, Instances: 1}
		b.Variants[1] = proof.Variant{Name: "on", Request: map[string]string{"checkDatabase": "true"}, Instances: 1}
	}
	if d.kind == "embedded" {
		b.Design.DatabaseAt = "inside the core"
	} else {
		b.IdleDatabaseCPU = &idle
	}
	began := time.Date(2026, 3, 2, 9, 30, 26, 0, time.UTC)
	for i := range n.cost + n.floor + n.saturated {
		common := math.Exp(0.06 * r.NormFloat64()) // what both sides live through
		k := proof.Round{Index: i, Started: began.Add(time.Duration(i) * 2300 * time.Millisecond), Took: 1500 * time.Millisecond,
			Achieved: round(0.994+0.005*r.Float64(), 4), LagP99: round(0.6*common, 3)}
		switch {
		case i%4 == 3 && n.floor > 0:
			n.floor--
			k.Kind = proof.KindFloor
			k.Windows = []proof.Window{open(r, "off", d.off*common, d.p50*common), open(r, "off", d.off*common, d.p50*common)}
			k.DatabaseCPU = 465
		case n.cost > 0:
			n.cost--
			k.Kind = proof.KindCost
			k.Windows = []proof.Window{open(r, "off", d.off*common, d.p50*common), open(r, "on", (d.off+d.extra)*common, (d.p50+d.slower)*common)}
			k.DatabaseCPU = round(465+calls*d.db*math.Exp(0.12*r.NormFloat64()), 0)
		default:
			k.Kind, k.Saturated, k.Achieved, k.LagP99 = proof.KindSaturated, true, 1, 0
			k.Windows = []proof.Window{closed(r, "off", d.off*0.53*common), closed(r, "on", (d.off*0.53+d.extra*0.61)*common)}
			k.DatabaseCPU = -1
		}
		if d.kind == "embedded" {
			k.DatabaseCPU = -1
		}
		k.GeneratorCPU = round(2*calls*95*common, 0)
		b.Rounds = append(b.Rounds, k)
	}
	n.cost = 0
	for _, k := range b.Rounds {
		if k.Kind == proof.KindCost {
			n.cost++
		}
	}
	b.Histograms = []proof.Histogram{histogram("off", d.p50, int64(n.cost)*calls), histogram("on", d.p50+d.slower, int64(n.cost)*calls)}
	return b
}

// open is a window of the open model.
func open(r *rand.Rand, variant string, cpu, p50 float64) proof.Window {
	own := math.Exp(0.011 * r.NormFloat64())
	w := proof.Window{Variant: variant, Calls: calls, CPU: round(calls*cpu*own, 0)}
	quantiles(&w, r, p50*own)
	return w
}

func quantiles(w *proof.Window, r *rand.Rand, p50 float64) {
	w.P50 = round(p50, 4)
	w.P90 = round(p50*1.62*math.Exp(0.03*r.NormFloat64()), 4)
	w.P99 = round(p50*3.4*math.Exp(0.07*r.NormFloat64()), 4)
	w.P999 = round(p50*8.8*math.Exp(0.1*r.NormFloat64()), 4)
	w.Max = round(p50*31*math.Exp(0.2*r.NormFloat64()), 4)
}

// closed is one of the closed model.
func closed(r *rand.Rand, variant string, cpu float64) proof.Window {
	own := math.Exp(0.015 * r.NormFloat64())
	w := proof.Window{Variant: variant, Rate: round(1e6/(cpu*own), 1)}
	w.Calls = int64(1.5 * w.Rate)
	w.CPU = round(float64(w.Calls)*cpu*own, 0)
	w.Bytes = 1812 * w.Calls
	quantiles(&w, r, cpu*own*8/1000)
	return w
}

// withoutCPU takes from b what only a reader of CPU clocks, and a starter of
// cores, can know.
func withoutCPU(b *proof.Bench) {
	b.Rounds = slices.DeleteFunc(b.Rounds, func(r proof.Round) bool { return r.Kind == proof.KindSaturated })
	b.IdleDatabaseCPU = nil
	d := &b.Design
	d.Pinned, d.FreshProcesses, d.ServerCPUs, d.GOMAXPROCS, d.Rows, d.DatabaseAt = false, false, nil, 0, nil, ""
	d.FloorReason = "the cores are not ours to start, so there are no two processes alike"
	d.RoundsPlanned = len(b.Rounds)
	for i := range b.Rounds {
		r := &b.Rounds[i]
		r.Index, r.DatabaseCPU = i, -1
		for j := range r.Windows {
			r.Windows[j].CPU = -1
		}
	}
	for i := range b.Steady {
		b.Steady[i].Unit, b.Steady[i].Figures = "ms", []float64{0.4, 0.25, 0.24}
	}
}

// histogram follows a log-normal body with one call in fifty in a slow tail.
func histogram(variant string, p50 float64, n int64) proof.Histogram {
	h := proof.Histogram{Variant: variant}
	below := func(x float64) float64 {
		norm := func(x, median, sigma float64) float64 {
			return 0.5 * math.Erfc(-math.Log(x/median)/(sigma*math.Sqrt2))
		}
		return 0.98*norm(x, p50*0.99, 0.37) + 0.02*norm(x, p50*3.6, 0.65)
	}
	var done int64
	for upper := 0.05; done < n; upper *= 1.08 {
		upTo := int64(math.Round(float64(n) * below(upper)))
		if upTo > done {
			h.UpperMs, h.Count = append(h.UpperMs, round(upper, 4)), append(h.Count, upTo-done)
		}
		done = upTo
	}
	return h
}

func round(x float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(x*p) / p
}

package proof_test

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
	postgres = store{"postgres", "container", "PostgreSQL", "16.4", "postgres:16.4", "no", "pg_stat_statements", 12, 171, 61, 58, 0.236, 0.139, map[string]string{"fsync": "on", "synchronous_commit": "on", "autovacuum": "off"}}
	mariadb  = store{"mariadb", "container", "MariaDB", "11.4.3", "mariadb:11.4.3", "no", "performance_schema", 13, 169, 66, 83, 0.233, 0.171, map[string]string{"innodb_flush_log_at_trx_commit": "1", "log_bin": "0"}}
	mongo    = store{"mongo", "container", "MongoDB", "7.0.14", "mongo:7.0.14", "no", "command monitor", 14, 170, 88, 97, 0.235, 0.204, map[string]string{"writeConcern": "majority, j: true"}}
)

// goodTarget is the reference core on d, everything held.
func goodTarget(d store) proof.Target {
	t := proof.Target{
		Name: d.name, Kind: d.kind, Instances: 2,
		Core:        proof.Server{Product: "refcore", Version: "0.0.0-example", Protocols: []string{"CDI 2.20", "CDI 5.4"}},
		Database:    &proof.Database{Product: d.product, Version: d.version, Image: d.image, TLS: d.tls, Settings: d.settings},
		Conformance: exampleConformance(),
		Footprint:   exampleFootprint(d),
		Bench: []proof.Bench{
			newBench("setting", "CDI 2.20", d, rounds{cost: 18, aa: 8, closed: 6}),
			newBench("request", "CDI 5.4", d, rounds{cost: 18, aa: 8, closed: 6}),
		},
	}
	if d.kind == "container" {
		t.Core.Image = "coreproof/refcore:0.0.0-example"
	}
	return t
}

func exampleFootprint(d store) *proof.Footprint {
	f := &proof.Footprint{Source: d.source, Space: &proof.Space{SchemaOn: "51f3a2c8", SchemaOff: "51f3a2c8", RowsOn: 10000, RowsOff: 10000,
		RevokedOn: 5000, RevokedOff: 5000, BytesOn: 2_998_272, BytesOff: 2_990_080, Tolerance: 0.05, Held: true}}
	for _, era := range []string{"setting", "request"} {
		f.Statements = append(f.Statements,
			proof.Statements{Operation: "verify", Era: era, Flag: "off", Calls: 2000, Expected: ptr(0.0)},
			proof.Statements{Operation: "verify", Era: era, Flag: "on", Calls: 2000, Count: 2000, Expected: ptr(1.0)})
	}
	f.Statements = append(f.Statements,
		proof.Statements{Operation: "verify first after refresh", Era: "setting", Flag: "on", Calls: 200, Count: 400},
		proof.Statements{Operation: "verify first after refresh", Era: "setting", Flag: "off", Calls: 200, Count: 400},
		proof.Statements{Operation: "create", Era: "request", Flag: "on", Calls: 200, Count: 200},
		proof.Statements{Operation: "revoke", Era: "request", Flag: "on", Calls: 200, Count: 200})
	f.Notes = []string{"below CDI 5.6 the first verify of a token from refresh reads and promotes, with the flag on or off; it is counted apart"}
	return f
}

type rounds struct{ cost, aa, closed int }

// newBench invents rounds around the costs of d and sums them up as a bench does.
func newBench(era, protocol string, d store, n rounds) proof.Bench {
	r := rand.New(rand.NewPCG(d.seed, uint64(era[0])))
	b := proof.Bench{Era: era, Protocol: protocol, Gateable: true,
		Design: proof.Design{Kind: "duet", Generator: "vegeta v12.13.0", RateHz: 2400, RateShare: 0.3, Stretch: 1500 * time.Millisecond, WarmUp: 250 * time.Millisecond,
			Connections: 8, Tokens: 10000, Rows: 10000, FreshProcesses: true, Pinned: true, ServerCPUs: []int{1}, GeneratorCPUs: []int{0}, GOMAXPROCS: 1, RoundsPlanned: n.cost + n.aa + n.closed},
		BytesPerCallOff: 1812, BytesPerCallOn: 1812}
	began := time.Date(2026, 3, 2, 9, 30, 26, 0, time.UTC)
	for i := range n.cost + n.aa + n.closed {
		common := math.Exp(0.06 * r.NormFloat64()) // what both sides live through
		k := proof.Round{Index: i + 1, Started: began.Add(time.Duration(i) * 2300 * time.Millisecond), Achieved: round(0.994+0.005*r.Float64(), 4), LagP99: round(0.6*common, 3)}
		switch {
		case i%4 == 3 && n.aa > 0:
			n.aa--
			k.Kind = "aa"
			k.A, k.B = side(r, "off", 1800, d.off*common, d.p50*common), side(r, "off", 1800, d.off*common, d.p50*common)
			k.DatabaseCPU = 0
		case n.cost > 0:
			n.cost--
			k.Kind = "cost"
			k.A, k.B = side(r, "off", 1800, d.off*common, d.p50*common), side(r, "on", 1800, (d.off+d.extra)*common, (d.p50+d.slower)*common)
			k.DatabaseCPU = round(1800*d.db*math.Exp(0.12*r.NormFloat64()), 0)
		default:
			k.Kind, k.Saturated, k.Achieved, k.LagP99 = "closed", true, 1, 0
			k.A, k.B = closedSide(r, "off", d.off*0.53*common), closedSide(r, "on", (d.off*0.53+d.extra*0.61)*common)
			k.DatabaseCPU = round(1.5*k.B.Rate*d.db*0.65, 0)
		}
		if d.kind == "embedded" {
			k.DatabaseCPU = -1
		}
		k.GeneratorCPU = round(3600*95*common, 0)
		b.Rounds = append(b.Rounds, k)
	}
	sumUp(&b, d)
	return b
}

func side(r *rand.Rand, flag string, calls int64, cpu, p50 float64) proof.Side {
	own := math.Exp(0.011 * r.NormFloat64())
	return proof.Side{Flag: flag, Calls: calls, CPU: round(float64(calls)*cpu*own, 0), P50: round(p50*own, 4), P90: round(p50*1.62*math.Exp(0.03*r.NormFloat64()), 4),
		P99: round(p50*3.4*math.Exp(0.07*r.NormFloat64()), 4), P999: round(p50*8.8*math.Exp(0.15*r.NormFloat64()), 4), Max: round(p50*21*math.Exp(0.3*r.NormFloat64()), 4)}
}

func closedSide(r *rand.Rand, flag string, cpu float64) proof.Side {
	own := math.Exp(0.015 * r.NormFloat64())
	s := side(r, flag, 0, 0, cpu*own*8/1000)
	s.Rate = round(1e6/(cpu*own), 1)
	s.Calls = int64(1.5 * s.Rate)
	s.CPU = round(float64(s.Calls)*cpu*own, 0)
	return s
}

// sumUp makes the estimates of b from its rounds: t intervals over rounds.
func sumUp(b *proof.Bench, d store) {
	perCall := func(s proof.Side) float64 { return s.CPU / float64(s.Calls) }
	take := func(kind string, f func(proof.Round) float64) []float64 {
		var out []float64
		for _, r := range b.Rounds {
			if r.Kind == kind {
				out = append(out, f(r))
			}
		}
		return out
	}
	logRatio := func(r proof.Round) float64 { return math.Log(perCall(r.B) / perCall(r.A)) }
	b.CoreCPUOff = estimate(take("cost", func(r proof.Round) float64 { return perCall(r.A) }), "µs")
	b.CoreCPUOn = estimate(take("cost", func(r proof.Round) float64 { return perCall(r.B) }), "µs")
	b.CoreCPUDiff = estimate(take("cost", func(r proof.Round) float64 { return perCall(r.B) - perCall(r.A) }), "µs")
	b.CoreCPURatio = ratio(take("cost", logRatio))
	b.Sigma = round(deviation(take("cost", logRatio)), 5)
	if d.db > 0 {
		b.DatabaseCPU = estimate(take("cost", func(r proof.Round) float64 { return r.DatabaseCPU / float64(r.B.Calls) }), "µs")
	}
	for _, q := range []struct {
		quantile float64
		of       func(proof.Side) float64
	}{
		{0.5, func(s proof.Side) float64 { return s.P50 }}, {0.9, func(s proof.Side) float64 { return s.P90 }},
		{0.99, func(s proof.Side) float64 { return s.P99 }}, {0.999, func(s proof.Side) float64 { return s.P999 }},
	} {
		b.Latency = append(b.Latency, proof.LatencyRow{Quantile: q.quantile,
			Off:  *estimate(take("cost", func(r proof.Round) float64 { return q.of(r.A) }), "ms"),
			On:   *estimate(take("cost", func(r proof.Round) float64 { return q.of(r.B) }), "ms"),
			Diff: *estimate(take("cost", func(r proof.Round) float64 { return q.of(r.B) - q.of(r.A) }), "ms")})
	}
	b.CostPerCall = ptr(b.Latency[0].Diff)
	if aa := take("aa", logRatio); len(aa) > 1 {
		b.Floor = ratio(aa)
		b.FloorLatency = estimate(take("aa", func(r proof.Round) float64 { return r.B.P50 - r.A.P50 }), "ms")
	}
	if closed := take("closed", logRatio); len(closed) > 1 {
		b.ThroughputOff = estimate(take("closed", func(r proof.Round) float64 { return r.A.Rate }), "1/s")
		b.ThroughputOn = estimate(take("closed", func(r proof.Round) float64 { return r.B.Rate }), "1/s")
		b.ThroughputRatio = ratio(take("closed", func(r proof.Round) float64 { return math.Log(r.B.Rate / r.A.Rate) }))
		b.SaturatedCPUOff = estimate(take("closed", func(r proof.Round) float64 { return perCall(r.A) }), "µs")
		b.SaturatedCPUOn = estimate(take("closed", func(r proof.Round) float64 { return perCall(r.B) }), "µs")
	}
	n := int64(len(take("cost", logRatio))) * 1800
	b.Histograms = []proof.Histogram{histogram("off", d.p50, n), histogram("on", d.p50+d.slower, n)}
}

// withoutCPU takes from b what only a reader of CPU clocks can know.
func withoutCPU(b *proof.Bench, why string) {
	b.Gateable, b.NotGateable = false, why
	b.CoreCPUOff, b.CoreCPUOn, b.CoreCPUDiff, b.CoreCPURatio, b.DatabaseCPU, b.Floor, b.Sigma = nil, nil, nil, nil, nil, nil, 0
	b.ThroughputOff, b.ThroughputOn, b.ThroughputRatio, b.SaturatedCPUOff, b.SaturatedCPUOn = nil, nil, nil, nil, nil
	b.Rounds = slices.DeleteFunc(b.Rounds, func(r proof.Round) bool { return r.Kind == "closed" })
	b.Design.Pinned, b.Design.FreshProcesses, b.Design.ServerCPUs, b.Design.GOMAXPROCS, b.Design.Rows = false, false, nil, 0, 0
	for i := range b.Rounds {
		r := &b.Rounds[i]
		r.A.CPU, r.B.CPU, r.DatabaseCPU = -1, -1, -1
	}
}

// histogram follows a log-normal body with one call in fifty in a slow tail.
func histogram(flag string, p50 float64, n int64) proof.Histogram {
	h := proof.Histogram{Flag: flag}
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

// t quantiles (0.975) by degrees of freedom, for the numbers of rounds above.
var t975 = map[int]float64{2: 4.3027, 5: 2.5706, 7: 2.3646, 17: 2.1098}

func estimate(x []float64, unit string) *proof.Estimate {
	m, w := mean(x), t975[len(x)-1]*deviation(x)/math.Sqrt(float64(len(x)))
	return &proof.Estimate{Value: round(m, 4), Low: round(m-w, 4), High: round(m+w, 4), Level: 0.95, N: len(x), Unit: unit, Method: "t over rounds"}
}

func ratio(logs []float64) *proof.Estimate {
	m, w := mean(logs), t975[len(logs)-1]*deviation(logs)/math.Sqrt(float64(len(logs)))
	return &proof.Estimate{Value: round(math.Exp(m), 5), Low: round(math.Exp(m-w), 5), High: round(math.Exp(m+w), 5), Level: 0.95, N: len(logs), Unit: "ratio", Method: "t over ln of rounds"}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func deviation(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}

func round(x float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(x*p) / p
}

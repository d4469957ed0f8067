package examples

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

// gate is a head that costs more with the flag on, asks twice, and breaks a rule; with
// the flag off too few rounds show it either way.
func gate(e *Example) {
	e.Proof = gateProof(e, GateDuet{Rounds: 9, Off: 0.012, On: 0.08, Sigma: 0.012})
	head := &e.Proof.Targets[1]
	for i := range head.Footprint.Statements {
		if s := &head.Footprint.Statements[i]; s.Operation == proof.OpVerify && s.Flag == "on" {
			s.Count = 2 * s.Calls
		}
	}
	k := &head.Conformance.Checks[0]
	k.Violations = []proof.Violation{{Expected: "UNAUTHORISED", Got: "OK"}}
}

// gateProof is base against head, all held but for what the duet says.
func gateProof(e *Example, d GateDuet) *proof.Proof {
	p := newProof()
	p.Command = []string{"coreproof", "gate", "--base", "./core-main", "--head", "./core-new"}
	for _, name := range []string{"base", "head"} {
		t := e.target(sqlite)
		t.Name, t.Bench, t.Conformance.Histories = name, nil, nil
		p.Targets = append(p.Targets, t)
	}
	e.Histories = map[string]*history.History{}
	p.Gate = &proof.Gate{
		Base:      proof.GateSide{Ref: "./core-main", Kind: "program", Targets: []string{"base"}},
		Head:      proof.GateSide{Ref: "./core-new", Kind: "program", Targets: []string{"head"}},
		Limits:    []proof.Limit{{Name: "cpu-off", Value: 0.02}, {Name: "cpu-on", Value: 0.02}, {Name: "memory", Value: 8192}},
		Protocols: 1, Conform: true, Statements: true, MinRounds: 6, MaxRounds: 75, MaxTime: 3 * time.Minute,
		Measured: time.Duration(d.Rounds+3) * 2400 * time.Millisecond, Bench: []proof.Bench{d.Bench()},
	}
	return p
}

// GateDuet says what the invented rounds of a gate show.
type GateDuet struct {
	Rounds  int
	Off, On float64 // by how much head takes more, as a logarithm
	Sigma   float64 // of a round
	Memory  int64   // bytes that head takes more, all sessions together
}

// Bench makes the rounds.
func (d GateDuet) Bench() proof.Bench {
	r := rand.New(rand.NewPCG(21, 34))
	b := proof.Bench{FlagMode: "request", Protocol: "CDI 5.4", Design: proof.Design{Kind: "duet", Generator: "example", Window: 2 * time.Second, WarmUp: 250 * time.Millisecond, Connections: 8, Tokens: 2000, FreshProcesses: true, Pinned: true, ServerCPUs: []int{1}, GeneratorCPUs: []int{0}, GOMAXPROCS: 1}}
	names := []string{"base-off", "head-off", "base-on", "head-on"}
	for _, n := range names {
		b.Variants = append(b.Variants, proof.Variant{Name: n, Instances: 1})
		accepted := 3
		if n == "base-on" || n == "head-on" {
			accepted = 0
		}
		b.Controls = append(b.Controls, proof.VariantControl{Variant: n, Trials: 3, Accepted: accepted})
	}
	at := time.Date(2026, 3, 2, 9, 30, 20, 0, time.UTC)
	round := func(kind string, variants []string, more []float64) {
		const calls = 1500
		x := proof.Round{Index: len(b.Rounds), Kind: kind, Started: at, Achieved: 1, DatabaseCPU: -1, GeneratorCPU: -1, Took: 2 * time.Second}
		at = at.Add(2400 * time.Millisecond)
		level := 0.1 * r.NormFloat64() // both sides live through the same disturbance
		for i, v := range variants {
			us := map[string]float64{"base-off": 120, "head-off": 120, "base-on": 165, "head-on": 165}[v] * math.Exp(level+more[i]+d.Sigma/math.Sqrt2*r.NormFloat64())
			w := proof.Window{Variant: v, Calls: calls, CPU: math.Round(us * calls), P50: 0.9, P90: 1.6, P99: 3.1, P999: 5.2, Max: 9.8, MemoryReady: 32 << 20, Memory: 36<<20 + int64(10000*r.NormFloat64())}
			if v == "head-off" || v == "head-on" {
				w.Memory += d.Memory
			}
			x.Windows = append(x.Windows, w)
		}
		b.Rounds = append(b.Rounds, x)
	}
	for i := range d.Rounds {
		round(proof.KindCost, names, []float64{0, d.Off, 0, d.On})
		if i%3 == 2 && i < 9 {
			round(proof.KindFloor, []string{"base-off", "base-off", "base-on", "base-on"}, []float64{0, 0, 0, 0})
		}
	}
	return b
}

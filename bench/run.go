package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// Run measures every era and gives one result for each that was begun. When ctx
// ends, what was measured until then comes with its error.
func Run(ctx context.Context, o Options) ([]proof.Bench, error) {
	o = o.filled()
	b := &bench{Options: o, rnd: rand.New(rand.NewPCG(o.Seed, 0xbe4c))}
	if err := b.place(ctx); err != nil {
		return nil, fmt.Errorf("bench %s: %w", o.Target.Name(), err)
	}
	var all []proof.Bench
	var failed error
	for _, p := range o.Protocols {
		res, err := b.era(ctx, p)
		if res != nil {
			all = append(all, *res)
		}
		if err != nil {
			failed = fmt.Errorf("bench %s, CDI %s: %w", o.Target.Name(), p, err)
			break
		}
	}
	return all, errors.Join(failed, b.gen.Close())
}

// bench is a run under way.
type bench struct {
	Options
	rnd        *rand.Rand
	gen        generator.Generator
	serverCPUs []int
	genCPUs    []int
}

// place decides who runs where and starts the generator.
func (b *bench) place(ctx context.Context) error {
	if b.Pin {
		cpus, err := affinity.Allowed()
		if err == nil && len(cpus) > 1 && affinity.Supported {
			last := len(cpus) - 1
			b.serverCPUs, b.genCPUs = cpus[last:], cpus[:last]
		}
	}
	host, ok := b.Target.(target.GeneratorHost)
	if !ok {
		b.gen = &generator.Local{TLS: b.TLS}
		return nil
	}
	url, stop, err := host.Generator(ctx, b.genCPUs)
	if err != nil {
		return fmt.Errorf("start the load generator: %w", err)
	}
	remote := generator.NewRemote(url, stop)
	b.gen = remote
	if err := remote.AwaitReady(ctx); err != nil {
		return errors.Join(fmt.Errorf("start the load generator: %w", err), remote.Close())
	}
	return nil
}

// era is the work on one protocol.
type era struct {
	*bench
	protocol target.Protocol
	kind     adapter.Era
	rate     float64
	idleDB   float64 // database CPU without load, µs per second
	res      *proof.Bench
	bytesOff perCall
	bytesOn  perCall
	merged   [2]*hdrhistogram.Histogram // latencies of calm cost rounds, off and on
}

type perCall struct{ bytes, calls int64 }

func (b *bench) era(ctx context.Context, p target.Protocol) (*proof.Bench, error) {
	e := &era{bench: b, protocol: p, merged: newMerged()}
	rows, clean, err := e.populate(ctx)
	if clean != nil {
		defer clean()
	}
	if err != nil {
		return nil, err
	}
	e.res = &proof.Bench{Era: string(e.kind), Protocol: "CDI " + string(p), Gateable: true, Rounds: []proof.Round{}, Latency: []proof.LatencyRow{}}
	e.res.Design = proof.Design{
		Kind: "duet", Generator: "vegeta " + vegetaVersion() + " (open model), own lean client (closed model)",
		RateShare: b.RateShare, Stretch: b.Stretch, WarmUp: b.WarmUp, Connections: b.Connections, Tokens: b.Tokens, Rows: rows,
		FreshProcesses: !b.Target.Fixed(), Pinned: len(b.serverCPUs) > 0 && !b.Target.Fixed(), RoundsPlanned: b.CostRounds,
	}
	if e.res.Design.Pinned {
		e.res.Design.ServerCPUs, e.res.Design.GeneratorCPUs, e.res.Design.GOMAXPROCS = b.serverCPUs, b.genCPUs, 1
	}
	if err := e.calibrate(ctx); err != nil {
		return nil, err
	}
	e.res.Design.RateHz = e.rate
	err = e.rounds(ctx)
	e.summarise()
	return e.res, err
}

func newMerged() [2]*hdrhistogram.Histogram {
	return [2]*hdrhistogram.Histogram{generator.NewHistogram(), generator.NewHistogram()}
}

// rounds mixes cost and floor rounds, so that both live through the same
// disturbances, then saturates.
func (e *era) rounds(ctx context.Context) error {
	var kinds []string
	for i := range max(e.CostRounds, e.FloorRounds) {
		if i < e.CostRounds {
			kinds = append(kinds, "cost")
		}
		if i < e.FloorRounds {
			kinds = append(kinds, "aa")
		}
	}
	for range e.ClosedRounds {
		kinds = append(kinds, "closed")
	}
	floor := 0
	for i, kind := range kinds {
		if err := ctx.Err(); err != nil {
			return err
		}
		sides := [2]bool{false, true}
		if kind == "aa" {
			// Alike: both off, then both on, in turn.
			sides = [2]bool{floor%2 == 1, floor%2 == 1}
			floor++
		}
		round, reason, err := e.round(ctx, i, kind, sides)
		if err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
		if reason != "" {
			e.res.Dropped = append(e.res.Dropped, proof.Dropped{Index: i, Kind: kind, Reason: reason})
		} else {
			e.res.Rounds = append(e.res.Rounds, round)
		}
		e.Progress(Event{Target: e.Target.Name(), Protocol: e.protocol, Phase: kind, Done: i + 1, Of: len(kinds), Running: e.ratio("cost")})
	}
	return nil
}

func vegetaVersion() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range b.Deps {
			if d.Path == "github.com/tsenart/vegeta/v12" {
				return d.Version
			}
		}
	}
	return "v12"
}

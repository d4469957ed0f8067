package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coreproof/coreproof/bench/clocks"
	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// Run measures each version and gives one result for each that was begun, and what
// stays on the cores afterwards. When ctx ends, what was measured until then comes
// with its error.
func Run(ctx context.Context, o Options) ([]proof.Bench, *proof.LeftBehind, error) {
	o = o.filled()
	if len(o.Variants) < 2 {
		return nil, nil, fmt.Errorf("bench %s: %d variants given, want two at least", o.Target.Name(), len(o.Variants))
	}
	if !(o.VerifyShare > 0 && o.VerifyShare <= 1) || o.VerifyShare < 1 && o.Closed {
		return nil, nil, fmt.Errorf("bench %s: a share of verifies of %g, want more than 0 and at most 1, in the open model", o.Target.Name(), o.VerifyShare)
	}
	b := &bench{Options: o, protocol: o.Target.Protocol(), can: o.Target.Capabilities(), rnd: rand.New(rand.NewPCG(o.Seed, 0xbe4c))}
	if err := b.place(ctx); err != nil {
		return nil, nil, fmt.Errorf("bench %s: %w", o.Target.Name(), err)
	}
	var all []proof.Bench
	var failed error
	for _, v := range o.Versions {
		m := &measurement{bench: b, version: v, label: protocol.Label(b.protocol, v)}
		res, err := m.run(ctx)
		if res != nil {
			all = append(all, *res)
		}
		if err != nil {
			failed = fmt.Errorf("bench %s, %s: %w", o.Target.Name(), m.label, err)
			break
		}
	}
	return all, b.left, errors.Join(failed, b.gen.Close())
}

// bench is a run under way.
type bench struct {
	Options
	protocol   protocol.Protocol
	can        launch.Capabilities
	rnd        *rand.Rand
	gen        generator.Generator
	serverCPUs []int
	genCPUs    []int
	left       *proof.LeftBehind
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
	host, ok := b.Target.(launch.GeneratorHost)
	if !ok {
		b.gen = &generator.Local{TLS: b.can.TLS}
		return nil
	}
	url, secret, stop, err := host.Generator(ctx, b.genCPUs)
	if err != nil {
		return fmt.Errorf("start the load generator: %w", err)
	}
	remote := generator.NewRemote(url, secret, stop)
	b.gen = remote
	if err := remote.AwaitReady(ctx); err != nil {
		return errors.Join(fmt.Errorf("start the load generator: %w", err), remote.Close())
	}
	return nil
}

// measurement is the work on one version of the protocol.
type measurement struct {
	*bench
	version string
	label   string // e.g. "CDI 5.4"
	rate    float64
	// kept are cores that are not started anew for each round; nil where they are.
	kept *sides
	// settleBefore is when the cores must have come to a steady state, calm what a
	// window at a tenth of the rate came to, where the caller set the rate.
	settleBefore time.Time
	calmP50      float64 // ms; 0 where it was not measured
	res          *proof.Bench
	readings     clocks.Readings
	// goodUntil is when the first token ends, zero where that is not known, and goodFor
	// how long after the making of tokens began that is.
	goodUntil time.Time
	goodFor   time.Duration
	upTook    time.Duration // how long the cores of the last round took to be up
	filled    bool          // the database was filled and looked at
	// merged latencies of unsaturated cost rounds, by variant.
	merged []*hdrhistogram.Histogram
}

func (m *measurement) run(ctx context.Context) (_ *proof.Bench, err error) {
	m.res = &proof.Bench{
		FlagMode: string(m.protocol.FlagMode(m.version)), Protocol: m.label, Rounds: []proof.Round{},
		Design: proof.Design{
			Kind: "duet", Generator: "vegeta " + moduleVersion("github.com/tsenart/vegeta/v12") + " (open model), fasthttp " + moduleVersion("github.com/valyala/fasthttp") + " (closed model)",
			RateShare: m.RateShare, RateCapHz: m.can.Throttle.Hz(), Window: m.Window, WarmUp: m.WarmUp, Connections: m.Connections, Tokens: m.Tokens,
			FreshProcesses: m.can.Settings, Pinned: len(m.serverCPUs) > 0 && m.can.Settings,
		},
	}
	if m.VerifyShare < 1 {
		m.res.Design.VerifyShare = m.VerifyShare
	}
	if m.res.Design.Pinned {
		m.res.Design.ServerCPUs, m.res.Design.GeneratorCPUs, m.res.Design.GOMAXPROCS = m.serverCPUs, m.genCPUs, 1
	}
	for _, v := range m.Variants {
		m.res.Variants = append(m.res.Variants, v.describe(m.Instances))
	}
	m.merged = newMerged(len(m.Variants))
	defer func() {
		if m.kept != nil {
			err = errors.Join(err, m.kept.stop(ctx))
		}
	}()
	for _, t := range m.targets() {
		clean, err := m.populate(ctx, t)
		if clean != nil {
			defer clean()
		}
		if err != nil {
			return nil, err
		}
	}
	m.filled = true
	m.res.IdleDatabaseCPU = m.rest(ctx)
	proceed, err := m.control(ctx)
	if err != nil || !proceed {
		return m.res, err
	}
	if err := m.settle(ctx); err != nil {
		return m.res, err
	}
	err = m.rounds(ctx)
	m.histograms()
	if err == nil && m.res.IdleDatabaseCPU != nil {
		m.res.IdleDatabaseCPU = lesser(m.res.IdleDatabaseCPU, m.rest(ctx))
	}
	if err == nil && m.Options.Sweep != nil {
		// Its windows follow each other too closely to make tokens between them.
		err = m.last(ctx, m.Options.Sweep.filled().Within)
	}
	if err == nil {
		err = m.sweep(ctx)
	}
	return m.res, err
}

// rounds makes what the plan says. Cores that are kept may go on warming up under
// the load of the first rounds: these then belong to the warm-up, all sides alike,
// and the plan is begun anew as long as there is time.
func (m *measurement) rounds(ctx context.Context) error {
	for {
		if err := m.follow(ctx, m.Plan()); err != nil {
			return err
		}
		if !m.warmedUpMeanwhile() {
			return nil
		}
	}
}

// follow makes the rounds of one plan.
func (m *measurement) follow(ctx context.Context, plan Plan) error {
	m.res.Design.RoundsPlanned = plan.Planned()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		// A floor round that cannot be made takes no number: those told are without gaps.
		i := len(m.res.Rounds) + len(m.res.Dropped)
		step, more := plan.Next(m.res.Rounds, m.res.Dropped)
		if !more {
			return nil
		}
		if step.Kind == proof.KindFloor && m.res.Design.FloorReason != "" {
			continue // the plan gives up on it by itself
		}
		round, reason, err := m.surely(ctx, i, step)
		if err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
		if reason != "" {
			m.res.Dropped = append(m.res.Dropped, proof.Dropped{Index: i, Kind: step.Kind, Reason: reason})
		} else {
			m.res.Rounds = append(m.res.Rounds, round)
		}
		m.tell(step.Kind, i+1, plan.Planned())
	}
}

func (m *measurement) tell(phase string, done, of int) {
	m.Progress(Event{Target: m.Target.Name(), Protocol: m.label, Phase: phase, Done: done, Of: of, Rounds: m.res.Rounds})
}

// moduleVersion tells the version of a library that is linked.
func moduleVersion(path string) string {
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range b.Deps {
			if d.Path == path {
				return d.Version
			}
		}
	}
	return "(unknown version)"
}

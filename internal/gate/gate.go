// Package gate holds a new build of a core, head, against an old one, base: it brings
// both up, tries the checks on each, counts statements, and measures them as a duet
// until every budget is decided. What follows is decided by reports/verdict.
package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

const (
	// MinRounds and MaxRounds of a figure: see docs/gate.md.
	MinRounds = 6
	MaxRounds = 75
)

// Options of a gate.
type Options struct {
	// Prove holds what a proof needs besides targets: tool, command, seed, checks, ….
	Prove prove.Options
	// Pair are the two builds.
	Pair Pair
	// Limits are the budgets; see verdict.ParseGateLimits.
	Limits []proof.Limit
	Strict bool
	// MaxTime of measuring.
	MaxTime time.Duration
	// NoFloor leaves the rounds out that have base on both sides.
	NoFloor bool
	// Keep the cores for all rounds: for those that take long to warm up.
	Keep bool
	// Adjust may change how the duet is made before it begins; nil does not.
	Adjust func(*bench.Options)
}

// Pair are two builds that can be brought up.
type Pair struct {
	Base, Head Build
	// Open brings both up side by side; closing both ends all that was started.
	Open func(ctx context.Context) (base, head launch.Target, err error)
}

// Build is one of them.
type Build struct {
	Side proof.GateSide
	// Open brings it up alone.
	Open func(ctx context.Context) (launch.Target, error)
}

// New is the evidence of a gate before anything was measured.
func New(o Options) *proof.Gate {
	g := &proof.Gate{Base: o.Pair.Base.Side, Head: o.Pair.Head.Side, Strict: o.Strict, Limits: o.Limits, MinRounds: MinRounds, MaxRounds: MaxRounds, MaxTime: o.MaxTime,
		Conform: o.Prove.Stages.Conform, Statements: o.Prove.Stages.Footprint}
	g.Base.Targets, g.Head.Targets = []string{"base"}, []string{"head"}
	return g
}

// Run makes a proof with a gate.
func Run(ctx context.Context, o Options) (*proof.Proof, error) {
	g := New(o)
	o.Prove.Sources = []prove.Source{named("base", o.Pair.Base, &g.Base), named("head", o.Pair.Head, &g.Head)}
	o.Prove.Finally = func(ctx context.Context, p *proof.Proof) {
		p.Gate = g
		for _, t := range p.Targets {
			if t.Error != "" {
				return // the verdict says so
			}
		}
		// One failure decides, so what takes minutes is left out.
		if verdict.Derive(p); ctx.Err() == nil && p.Verdict.Outcome == proof.Fail {
			g.LeftOut = "head had failed before: " + g.Reason
			o.Prove.Watch.Note("head fails (%s): CPU and memory are not measured", g.Reason)
			return
		}
		if err := Measure(ctx, o, g); err != nil && ctx.Err() == nil {
			g.Error = strings.Join(strings.Fields(err.Error()), " ")
			o.Prove.Watch.Note("%s", g.Error)
		}
	}
	return prove.Run(ctx, o.Prove)
}

// target is a target under another name.
type target struct {
	launch.Target
	name string
}

func (t target) Name() string { return t.name }

// named makes a source whose target carries a name of its own in the proof.
func named(name string, b Build, side *proof.GateSide) prove.Source {
	return prove.Source{Name: name, Kind: b.Side.Kind, Open: func(ctx context.Context) (launch.Target, error) {
		t, err := b.Open(ctx)
		if err != nil {
			side.Missing = errors.Is(err, docker.ErrNoImage)
			return nil, err
		}
		return target{t, name}, nil
	}}
}

// Measure makes the duets.
func Measure(ctx context.Context, o Options, g *proof.Gate) (err error) {
	base, head, err := o.Pair.Open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, head.Close(ctx), base.Close(ctx))
	}()
	versions, err := versions(ctx, o, base, head)
	if err != nil {
		return err
	}
	g.Protocols = len(versions)
	wants := func(name string) bool {
		return slices.ContainsFunc(g.Limits, func(l proof.Limit) bool { return l.Name == name })
	}
	if len(g.Limits) == 0 {
		return nil
	}
	b := o.Prove.Bench
	b.Target, b.Versions, b.Seed, b.Log, b.Progress, b.Instances = base, versions, o.Prove.Seed, o.Prove.Log, o.Prove.Watch.Bench, max(1, o.Prove.Instances)
	b.Fresh, b.Closed = !o.Keep, b.RateHz == 0 && !wants(verdict.GateP50) && !wants(verdict.GateP99)
	b.Variants = variants(base, head)
	var began time.Time
	b.Plan = func() bench.Plan {
		began = time.Now()
		p := &plan{gate: g, cost: []int{baseOff, headOff, baseOn, headOn}, floor: []int{baseOff, baseOff, baseOn, baseOn}, floors: floorRounds, now: time.Now,
			until:  began.Add(o.MaxTime / time.Duration(len(versions))),
			design: proof.Design{Tokens: b.Tokens, Window: b.Window, WarmUp: b.WarmUp}}
		if o.NoFloor || !base.Capabilities().Settings || o.Keep {
			p.floors = 0 // one process cannot be on two sides
		}
		if wants(verdict.GateThroughput) {
			p.saturated = saturatedRounds
		}
		return p
	}
	if o.Adjust != nil {
		o.Adjust(&b)
	}
	for _, v := range versions {
		b.Versions = []string{v}
		res, left, err := bench.Run(ctx, b)
		g.Bench = append(g.Bench, res...)
		if !began.IsZero() {
			g.Measured += time.Since(began)
		}
		if left != nil {
			o.Prove.Watch.Note("%d sessions of %s stay on the cores: %s", left.Sessions, strings.Join(left.Users, ", "), left.Reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// variants are both builds in both states of the flag.
func variants(base, head launch.Target) []bench.Variant {
	on := launch.Settings{Flag: true}
	return []bench.Variant{
		{Name: "base-off", Target: base}, {Name: "head-off", Target: head},
		{Name: "base-on", Target: base, Settings: on, CheckDatabase: true}, {Name: "head-on", Target: head, Settings: on, CheckDatabase: true},
	}
}

// versions that are measured: those that the caller names, else the newest that
// both speak. They are known after a start.
func versions(ctx context.Context, o Options, base, head launch.Target) ([]string, error) {
	var common []string
	for _, t := range []launch.Target{base, head} {
		d, err := t.Start(ctx, 1, launch.Settings{Flag: true})
		if err != nil {
			return nil, err
		}
		list, err := t.Versions(ctx)
		if err = errors.Join(err, d.Stop(context.WithoutCancel(ctx))); err != nil {
			return nil, err
		}
		if common == nil {
			common = list
		}
		common = slices.DeleteFunc(common, func(v string) bool { return !slices.Contains(list, v) })
	}
	for _, v := range o.Prove.Versions {
		if !slices.Contains(common, v) {
			return nil, fmt.Errorf("base and head do not both speak %s", protocol.Label(base.Protocol(), v))
		}
	}
	if len(o.Prove.Versions) > 0 {
		return o.Prove.Versions, nil
	}
	if len(common) == 0 {
		return nil, errors.New("base and head have no protocol version in common")
	}
	newest := common[len(common)-1]
	if !base.Capabilities().Settings && base.Protocol().FlagMode(newest) == protocol.BySetting {
		return nil, errors.New("cores by URL can be gated where each request decides (CDI 2.21 and later): give binaries, images or revisions")
	}
	return []string{newest}, nil
}

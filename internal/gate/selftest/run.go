package selftest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/internal/gate"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/machine"
	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// Options of a self-test.
type Options struct {
	// Runs wanted of each kind, by name, those in the record included.
	Runs map[string]int
	// Record is the file that runs are appended to.
	Record string
	// Core starts the reference core, with --inject where it is to be slower, and
	// Generator a load generator.
	Core, Generator []string
	// Prove and MaxTime as for a gate.
	Prove   prove.Options
	MaxTime time.Duration
	// Told after each run.
	Told func(Record)
}

// Run makes runs until there are as many as wanted, and gives those that it made.
// Kinds take turns, so that all live through the same hours.
func Run(ctx context.Context, o Options) (made []Record, err error) {
	have, err := Read(o.Record)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, r := range have {
		if !r.older() {
			count[r.Kind]++
		}
	}
	for {
		k, more := next(o.Runs, count)
		if !more {
			return made, nil
		}
		o.Prove.Seed++
		r, err := one(ctx, o, k)
		if err != nil {
			return made, fmt.Errorf("self-test %s: %w", k.Name, err)
		}
		if err := Append(o.Record, r); err != nil {
			return made, err
		}
		count[k.Name]++
		made = append(made, r)
		if o.Told != nil {
			o.Told(r)
		}
	}
}

// next is the kind of which the least part is done.
func next(want, have map[string]int) (best Kind, more bool) {
	least := 1.0
	for _, k := range Kinds() {
		if want[k.Name] <= 0 {
			continue
		}
		if part := float64(have[k.Name]) / float64(want[k.Name]); part < least {
			best, least, more = k, part, true
		}
	}
	return best, more
}

// one is one run.
func one(ctx context.Context, o Options, k Kind) (r Record, err error) {
	dir, err := os.MkdirTemp("", "coreproof-self-")
	if err != nil {
		return r, fmt.Errorf("make a folder for the two builds: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opened := 0
	open := func(i Injection) func(context.Context) (launch.Target, error) {
		return func(context.Context) (launch.Target, error) {
			opened++
			at := filepath.Join(dir, fmt.Sprintf("db%04d", opened))
			if err := os.Mkdir(at, 0o755); err != nil {
				return nil, err
			}
			command := o.Core
			if k.Statements > 0 {
				command = append(command[:len(command):len(command)], injectFlag+i.text())
			}
			return launch.NewEmbedded(launch.EmbeddedOptions{Command: command, GeneratorCommand: o.Generator, Dir: at})
		}
	}
	side := func(i Injection) gate.Build {
		return gate.Build{Side: proof.GateSide{Ref: i.text(), Kind: gate.KindProgram}, Open: open(i)}
	}
	pair := gate.Pair{Base: side(Injection{}), Head: side(Injection{Statements: k.Statements})}
	pair.Open = func(ctx context.Context) (base, head launch.Target, err error) {
		if base, err = pair.Base.Open(ctx); err != nil {
			return nil, nil, err
		}
		head, err = pair.Head.Open(ctx)
		return base, head, err
	}
	g := gate.Options{Prove: o.Prove, Pair: pair, MaxTime: o.MaxTime, NoFloor: true}
	r = Record{Time: time.Now().UTC(), Tool: o.Prove.Tool.Version + " " + o.Prove.Tool.Commit, Machine: machine.Describe(), Kind: k.Name,
		MinRounds: gate.MinRounds, MaxRounds: gate.MaxRounds, MaxTime: o.MaxTime, Window: o.Prove.Bench.Window}
	p := &proof.Proof{}
	if k.Statements > 0 {
		g.Prove.Out, g.Prove.Stages = filepath.Join(dir, "proof"), prove.Stages{Footprint: true}
		if p, err = gate.Run(ctx, g); err != nil {
			return r, err
		}
	} else {
		if g.Limits, err = verdict.ParseGateLimits(nil, false); err != nil {
			return r, err
		}
		in := &injecting{share: k.Share}
		g.Adjust = in.adjust
		p.Gate = gate.New(g)
		if err := gate.Measure(ctx, g, p.Gate); err != nil {
			return r, err
		}
		verdict.Derive(p)
		r.Loops = in.loops
		if k.Share > 0 {
			r.Probe = calibrationLoops
		}
	}
	if err := ctx.Err(); err != nil {
		return r, err
	}
	r.Machine.LoadEnd = machine.Load()
	r.Took = time.Since(r.Time)
	r.Outcome, r.Reason, r.Measured, r.Budgets = p.Verdict.Outcome, p.Gate.Reason, p.Gate.Measured, p.Gate.Budgets
	for i := range p.Gate.Bench {
		b := &p.Gate.Bench[i]
		r.Rounds, r.Dropped, r.X = len(b.Rounds), len(b.Dropped), verdict.GateSamples(b)
	}
	return r, nil
}

const (
	// calibrations are rounds that find what a loop costs.
	calibrations = 4
	// calibrationLoops are injected for that: some 15 % of a verify's CPU. What a turn
	// costs beside the rest of a verify is not what it costs where it is half of it: with
	// 40,000 turns, on one side alone, an eighth too many turns were reckoned.
	calibrationLoops = 8000
)

// injecting finds, in the first rounds of a run, how many loops make the wanted share
// of the pinned CPU per verify, and starts head with them from then on.
type injecting struct {
	share float64
	loops int
	head  map[string]string // settings of head, which each start reads
}

// Indices of the variants that calibrate: head's, on base's program.
const (
	probeOff = 4 + iota
	probeOn
)

func (in *injecting) adjust(b *bench.Options) {
	none := Injection{}.text()
	in.head = map[string]string{setting: none}
	for i := range b.Variants {
		b.Variants[i].Settings.Extra = map[string]string{setting: none}
		if b.Variants[i].Target != b.Target { // head's
			b.Variants[i].Settings.Extra = in.head
		}
	}
	if in.share == 0 {
		return
	}
	for _, of := range b.Variants {
		if of.Target != b.Target {
			of.Name, of.Target = "probe"+strings.TrimPrefix(of.Name, "head"), b.Target
			of.Settings.Extra = map[string]string{setting: Injection{Loops: calibrationLoops}.text()}
			b.Variants = append(b.Variants, of)
		}
	}
	inner := b.Plan
	b.Plan = func() bench.Plan { return &calibrated{Plan: inner(), in: in} }
}

// calibrated makes the calibrating rounds before those of a plan.
type calibrated struct {
	bench.Plan
	in   *injecting
	made int
}

// Next gives base and the probe in turn, under the load that the rounds have.
func (c *calibrated) Next(rounds []proof.Round, dropped []proof.Dropped) (bench.Step, bool) {
	if c.made < calibrations {
		c.made++
		return bench.Step{Kind: proof.KindCost, Sides: []int{0, probeOff, 2, probeOn}}, true
	}
	if c.in.loops == 0 {
		c.in.loops = loopsFor(c.in.share, rounds)
		c.in.head[setting] = Injection{Loops: c.in.loops}.text()
	}
	return c.Plan.Next(rounds, dropped)
}

// loopsFor reckons loops from what calibrating rounds spent.
func loopsFor(share float64, rounds []proof.Round) int {
	var base, more float64
	for _, r := range rounds {
		var plain, slow float64
		for _, w := range r.Windows {
			switch per := w.CPU / float64(max(1, w.Calls)); w.Variant {
			case "base-off":
				plain = per
			case "probe-off":
				slow = per
			}
		}
		if plain > 0 && slow > 0 {
			base, more = base+plain, more+slow-plain
		}
	}
	if more <= 0 {
		return int(share * 100000) // the machine shows nothing; it will be too noisy as well
	}
	return max(1, int(share*base/more*calibrationLoops))
}

// Package several holds proofs against each other: two by two, and as a trend. All of
// it is pure, from what each proof's evidence says; methods and limits: docs/compare.md.
package several

import (
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/words"
)

// Named is a proof and what it is called: its path, as the caller gave it.
type Named struct {
	Name  string
	Proof *proof.Proof
}

// derived copies the proofs and derives them anew, so that an edited outcome misleads
// nobody.
func derived(list []Named) []Named {
	out := make([]Named, len(list))
	for i, n := range list {
		out[i] = Named{n.Name, proof.Clone(n.Proof)}
		verdict.Derive(out[i].Proof)
		out[i].Proof.Digest = n.Proof.Digest // which Derive clears: it tells a copy
	}
	return out
}

// kind of a figure: what two proofs must share for it to be comparable.
type kind int

const (
	exact  kind = iota // a count: it depends on no machine
	within             // on against off in the same run: the same machine and rate
	open               // of its own, at a rate: the same machine and rate, runs apart
	closed             // of its own, at full load: the same machine, runs apart
)

// figure of a bench that is followed.
type figure struct {
	key, name string
	kind      kind
	less      bool // less of it is better
	of        func(t *proof.Target, b *proof.Bench) *proof.Estimate
	promised  func(t *proof.Target, b *proof.Bench) *proof.Estimate // nil where nothing is
}

// costs says whether the figure may be relied on only where the cost may carry a budget.
func (f figure) costs() bool {
	return f.kind == within || f.key == "core-cpu-off" || f.key == "core-cpu-on"
}

// claim is what a count is promised to be; nil where nothing is promised.
func (f figure) claim(t *proof.Target, b *proof.Bench) *proof.Estimate {
	if f.promised == nil {
		return nil
	}
	return f.promised(t, b)
}

func ofCost(f func(*proof.Cost) *proof.Estimate) func(*proof.Target, *proof.Bench) *proof.Estimate {
	return func(_ *proof.Target, b *proof.Bench) *proof.Estimate {
		if b.Cost == nil {
			return nil
		}
		return f(b.Cost)
	}
}

func knee(variant string) func(*proof.Target, *proof.Bench) *proof.Estimate {
	return func(_ *proof.Target, b *proof.Bench) *proof.Estimate {
		if b.Sweep == nil {
			return nil
		}
		for i := range b.Sweep.Curves {
			if b.Sweep.Curves[i].Variant == variant {
				return b.Sweep.Curves[i].Knee
			}
		}
		return nil
	}
}

func latencyOn(q float64) func(*proof.Cost) *proof.Estimate {
	return func(c *proof.Cost) *proof.Estimate {
		for i := range c.Latency {
			if c.Latency[i].Quantile == q {
				return &c.Latency[i].On
			}
		}
		return nil
	}
}

// figures in the order of reports. A new one is a line here.
var figures = []figure{
	{"core-cpu-ratio", "core CPU, on / off", within, true, ofCost(func(c *proof.Cost) *proof.Estimate { return c.CoreCPURatio }), nil},
	{"total-cpu-ratio", "core and database CPU, on / off", within, true, ofCost(func(c *proof.Cost) *proof.Estimate { return c.TotalCPURatio }), nil},
	{"core-cpu-off", "core CPU a call, flag off", open, true, ofCost(func(c *proof.Cost) *proof.Estimate { return c.CoreCPUOff }), nil},
	{"core-cpu-on", "core CPU a call, flag on", open, true, ofCost(func(c *proof.Cost) *proof.Estimate { return c.CoreCPUOn }), nil},
	{"database-cpu", "database CPU a call", open, true, ofCost(func(c *proof.Cost) *proof.Estimate { return c.DatabaseCPU }), nil},
	{"p50-on", "median latency, flag on", open, true, ofCost(latencyOn(0.5)), nil},
	{"p99-on", "99th percentile, flag on", open, true, ofCost(latencyOn(0.99)), nil},
	{"throughput-off", "calls a second at full load, flag off", closed, false, ofCost(func(c *proof.Cost) *proof.Estimate { return c.ThroughputOff }), nil},
	{"throughput-on", "calls a second at full load, flag on", closed, false, ofCost(func(c *proof.Cost) *proof.Estimate { return c.ThroughputOn }), nil},
	{"knee-off", "knee of the load curve, flag off", closed, false, knee("off"), nil},
	{"knee-on", "knee of the load curve, flag on", closed, false, knee("on"), nil},
	{"statements-on", "statements a verify, flag on", exact, true, statements("on"), promised("on")},
	{"statements-off", "statements a verify, flag off", exact, true, statements("off"), promised("off")},
}

// verifies are the counted statements of a verify, where the counter could be relied on.
func verifies(flag string, t *proof.Target, b *proof.Bench) *proof.Statements {
	if t.Footprint == nil {
		return nil
	}
	for i := range t.Footprint.Statements {
		s := &t.Footprint.Statements[i]
		if s.Operation == proof.OpVerify && s.Protocol == b.Protocol && s.Flag == flag && s.Calls > 0 && s.Outcome != proof.Error && s.Outcome != proof.Vacuous {
			return s
		}
	}
	return nil
}

func figureOf(key string) figure {
	if i := slices.IndexFunc(figures, func(f figure) bool { return f.key == key }); i >= 0 {
		return figures[i]
	}
	return figure{}
}

func statements(flag string) func(*proof.Target, *proof.Bench) *proof.Estimate {
	return func(t *proof.Target, b *proof.Bench) *proof.Estimate {
		if s := verifies(flag, t, b); s != nil {
			return &proof.Estimate{Value: s.PerCall(), N: 1}
		}
		return nil
	}
}

func promised(flag string) func(*proof.Target, *proof.Bench) *proof.Estimate {
	return func(t *proof.Target, b *proof.Bench) *proof.Estimate {
		if s := verifies(flag, t, b); s != nil && s.Expected != nil {
			return &proof.Estimate{Value: *s.Expected, N: 1}
		}
		return nil
	}
}

// place is one target at one version.
type place struct{ target, protocol string }

func (p place) String() string {
	if p.protocol == "" {
		return p.target
	}
	return p.target + ", " + p.protocol
}

// benches of a proof by place, and their places in order.
func benches(p *proof.Proof) (map[place]*source, []place) {
	by := map[place]*source{}
	var order []place
	for i := range p.Targets {
		t := &p.Targets[i]
		for j := range t.Bench {
			at := place{t.Name, t.Bench[j].Protocol}
			if by[at] == nil {
				by[at] = &source{t, &t.Bench[j]}
				order = append(order, at)
			}
		}
	}
	return by, order
}

type source struct {
	target *proof.Target
	bench  *proof.Bench
}

// rateApart is how far apart two rates may be before CPU per call, which falls as the
// rate rises, is not compared.
const rateApart = 0.10

// methodDiffers says why figures of two benches at a rate cannot be compared; "" where
// they can.
func methodDiffers(a, z *source) string {
	x, y := &a.bench.Design, &z.bench.Design
	switch {
	case x.RateHz <= 0 || y.RateHz <= 0:
		return "the rate of one is not known"
	case x.RateHz > y.RateHz*(1+rateApart) || y.RateHz > x.RateHz*(1+rateApart):
		return fmt.Sprintf("measured at %.0f and at %.0f calls a second, and CPU per call depends on the rate: give both the same --rate", x.RateHz, y.RateHz)
	case x.Pinned != y.Pinned:
		return "one was pinned to CPUs of its own and the other was not"
	case x.FreshProcesses != y.FreshProcesses:
		return "one was started anew for each round and the other was not"
	case !slices.Equal(sides(a.bench), sides(z.bench)):
		return "the number of instances differs"
	}
	return ""
}

// loadsDiffer says in what the loads of two proofs differ, which is what is compared then
// if all else is the same; "" where they are the same.
func loadsDiffer(a, z *proof.Proof) string {
	was, order := benches(a)
	is, _ := benches(z)
	for _, at := range order {
		if x, y := was[at], is[at]; y != nil {
			if why := verdict.LoadsDiffer(x.target, y.target, x.bench, y.bench); why != "" {
				return why
			}
		}
	}
	return ""
}

func sides(b *proof.Bench) (n []int) {
	for _, v := range b.Variants {
		n = append(n, max(1, v.Instances))
	}
	return n
}

// rows of the session table, in words; "" where they could not be asked.
func rows(d *proof.Design) string {
	if d.Rows == nil {
		return ""
	}
	return words.Count(*d.Rows)
}

// whatDiffers lists what else is not the same, so that a reader knows what may have made
// a difference.
func whatDiffers(a, z *proof.Proof, at place) (out []string) {
	add := func(name, x, y string) {
		if x != y {
			out = append(out, fmt.Sprintf("%s: %s → %s", name, named(x), named(y)))
		}
	}
	add("coreproof", a.Tool.Version+" "+a.Tool.Commit, z.Tool.Version+" "+z.Tool.Commit)
	x, y := target(a, at.target), target(z, at.target)
	if x == nil || y == nil {
		return out
	}
	add("core", x.Core.Name+" "+x.Core.Version, y.Core.Name+" "+y.Core.Version)
	add("core's image", x.Core.Image, y.Core.Image)
	if x.Database != nil && y.Database != nil {
		add("database", x.Database.Product+" "+x.Database.Version, y.Database.Product+" "+y.Database.Version)
		add("TLS to the database", x.Database.TLS, y.Database.TLS)
	}
	by, _ := benches(a)
	to, _ := benches(z)
	if b, c := by[at], to[at]; b != nil && c != nil {
		d, e := &b.bench.Design, &c.bench.Design
		if d.RateHz > e.RateHz*(1+rateApart) || e.RateHz > d.RateHz*(1+rateApart) {
			add("rate", fmt.Sprintf("%.0f/s", d.RateHz), fmt.Sprintf("%.0f/s", e.RateHz))
		}
		for _, x := range []struct {
			name string
			of   func(d *proof.Design) string
		}{
			{"share of verifies", func(d *proof.Design) string { return fmt.Sprintf("%.3g %%", 100*d.Verifies()) }},
			{"database", func(d *proof.Design) string { return d.DatabaseAt }},
			{"session rows", rows},
			{"tokens", func(d *proof.Design) string { return words.Count(d.Tokens) }},
			{"connections", func(d *proof.Design) string { return words.Count(d.Connections) }},
			{"window", func(d *proof.Design) string { return words.Duration(d.Window) }},
			{"pinned", func(d *proof.Design) string { return fmt.Sprint(d.Pinned) }},
			{"started anew for each round", func(d *proof.Design) string { return fmt.Sprint(d.FreshProcesses) }},
		} {
			add(x.name, x.of(d), x.of(e))
		}
		add("generator", d.Generator, e.Generator)
	}
	return out
}

func named(s string) string {
	if s == "" || s == " " {
		return "not known"
	}
	return s
}

func target(p *proof.Proof, name string) *proof.Target {
	for i := range p.Targets {
		if p.Targets[i].Name == name {
			return &p.Targets[i]
		}
	}
	return nil
}

// undecided says why nothing that was measured in p can be used; "" where it can.
func undecided(p *proof.Proof) string {
	switch {
	case p.Interrupted != "":
		return "it was interrupted"
	case p.Gate != nil:
		return "it is a gate's, which compares builds and not the flag"
	case len(p.Targets) == 0:
		return "nothing was tried"
	}
	return ""
}

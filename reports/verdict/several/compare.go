package several

import (
	"fmt"
	"math"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// Answer is how one thing compares.
type Answer string

// Answers.
const (
	Better Answer = "better"
	Worse  Answer = "worse"
	Same   Answer = "same"      // a count that is equal
	Noise  Answer = "not shown" // the intervals, or the noise floor, hold no difference
	Untold Answer = "cannot be told"
	Mixed  Answer = "mixed" // of a whole comparison: some better, some worse
)

// Comparison holds each further proof against the first.
type Comparison struct {
	Base   Named
	Others []Against
}

// Against is one proof against the base.
type Against struct {
	Named
	Answer Answer
	// Machines says why nothing that was measured can be compared; "" where it can.
	Machines string
	Rows     []Row
	// Load says in what the loads differ, so that a difference may be theirs; "" where they
	// are the same.
	Load string
	// Differs lists what else is not the same.
	Differs []string
	// Apart says which targets and versions each has, where they have none in common.
	Apart string
}

// Row is one thing compared.
type Row struct {
	Place           string // target and version; "" of the whole proof
	Key             string // of the figure, e.g. "core-cpu-on"
	Name            string // in words
	Was             *proof.Estimate
	Is              *proof.Estimate
	WasText, IsText string // of what is no estimate
	// Ratio is is / was, its bounds those of the quotient of the two intervals; nil for
	// what is no figure or cannot be told.
	Ratio  *proof.Estimate
	Answer Answer
	// Apart: the two figures come from different runs, so that what differs from run to
	// run is in no interval. Such rows decide no comparison.
	Apart bool
	// Lost: the base showed what this one does not show any more.
	Lost bool
	Why  string // of Untold and Noise
}

// bothLevels is how sure the quotient of two independent 95 % intervals is.
const bothLevels = estimate.Level * estimate.Level

// Compare holds the others against the first; it wants two proofs at least.
func Compare(list []Named) *Comparison {
	all := derived(list)
	c := &Comparison{Base: all[0]}
	for _, n := range all[1:] {
		c.Others = append(c.Others, against(all[0], n))
	}
	return c
}

func against(base, n Named) Against {
	a := Against{Named: n, Machines: verdict.MachinesDiffer(&base.Proof.Machine, &n.Proof.Machine)}
	for _, p := range []Named{base, n} {
		if why := undecided(p.Proof); why != "" && a.Machines == "" {
			a.Machines = p.Name + ": " + why
		}
	}
	a.Rows = append(rulesRows(base.Proof, n.Proof), figureRows(base.Proof, n.Proof, a.Machines)...)
	seen := map[string]bool{}
	_, order := benches(n.Proof)
	for i := range n.Proof.Targets {
		if t := &n.Proof.Targets[i]; len(t.Bench) == 0 {
			order = append(order, place{target: t.Name})
		}
	}
	for _, at := range order {
		for _, d := range whatDiffers(base.Proof, n.Proof, at) {
			if !seen[d] {
				seen[d] = true
				a.Differs = append(a.Differs, d)
			}
		}
	}
	a.Load = loadsDiffer(base.Proof, n.Proof)
	a.Differs = append(a.Differs, alone(base, n)...)
	a.Answer = overall(a.Rows)
	if len(a.Rows) == 0 {
		a.Apart = fmt.Sprintf("%s has %s, %s has %s", base.Name, has(base.Proof), n.Name, has(n.Proof))
	}
	return a
}

// alone says what is in one of two proofs and so held against nothing.
func alone(a, z Named) (out []string) {
	has, is := tried(a.Proof), tried(z.Proof)
	for _, x := range []struct {
		name      string
		mine, all []string
	}{{a.Name, has, is}, {z.Name, is, has}} {
		var rest []string
		for _, p := range x.mine {
			if !slices.Contains(x.all, p) {
				rest = append(rest, p)
			}
		}
		if len(rest) > 0 {
			out = append(out, fmt.Sprintf("in %s alone: %s", x.name, some(rest)))
		}
	}
	return out
}

// tried are the places of a proof, and what else was tried of its targets.
func tried(p *proof.Proof) []string {
	all := places(p)
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Conformance != nil {
			all = append(all, "checks of "+t.Name)
		}
		if t.Footprint != nil {
			all = append(all, "statements of "+t.Name)
		}
	}
	return all
}

// places are the targets of a proof, and the versions that were put under load.
func places(p *proof.Proof) (all []string) {
	for i := range p.Targets {
		t := &p.Targets[i]
		if len(t.Bench) == 0 {
			all = append(all, t.Name)
		}
		for j := range t.Bench {
			all = append(all, place{t.Name, t.Bench[j].Protocol}.String())
		}
	}
	return all
}

// has names the targets and versions of a proof.
func has(p *proof.Proof) string {
	all := places(p)
	if len(all) == 0 {
		return "none"
	}
	return some(all)
}

// overall goes by counts and by figures of one run: those of runs apart may differ by
// what differs from run to run. Where none of the figures could be told, equal counts do
// not make the whole alike. What shows less than the base is not better than it, nor like it.
func overall(rows []Row) Answer {
	n := map[Answer]int{}
	lost := false
	for _, r := range rows {
		if !r.Apart {
			n[r.Answer]++
		}
		lost = lost || r.Lost
	}
	switch {
	case lost && n[Worse] == 0:
		return Untold
	case n[Better] > 0 && n[Worse] > 0:
		return Mixed
	case n[Worse] > 0:
		return Worse
	case n[Better] > 0:
		return Better
	case n[Noise] > 0 || n[Same] > 0 && n[Untold] == 0:
		return Noise
	}
	return Untold
}

// figureRows compare the figures of the benches that both have.
func figureRows(a, z *proof.Proof, machines string) (out []Row) {
	was, order := benches(a)
	is, _ := benches(z)
	for _, at := range order {
		if is[at] == nil {
			continue
		}
		for _, f := range figures {
			r := Row{Place: at.String(), Key: f.key, Name: f.name, Apart: f.kind == open || f.kind == closed}
			r.Was, r.Is = f.of(was[at].target, was[at].bench), f.of(is[at].target, is[at].bench)
			if r.Was == nil && r.Is == nil {
				continue
			}
			compare(&r, f, was[at], is[at], machines)
			out = append(out, r)
		}
	}
	return out
}

func compare(r *Row, f figure, a, z *source, machines string) {
	method := ""
	if f.kind == within || f.kind == open {
		method = methodDiffers(a, z)
	}
	switch {
	case r.Was == nil || r.Is == nil:
		r.Answer, r.Why, r.Lost = Untold, "it is in one of the two alone", f.kind == exact && r.Is == nil && z.target.Footprint != nil
		return
	case f.kind == exact:
		r.Answer, r.Why = counts(r.Was, r.Is, f.claim(z.target, z.bench))
		return
	case machines != "":
		r.Answer, r.Why = Untold, machines
		return
	case method != "":
		r.Answer, r.Why = Untold, method
		return
	case !gateable(a.bench) || !gateable(z.bench):
		if f.costs() {
			r.Answer, r.Why = Untold, "the cost of one may not be relied on: "+notGateable(a.bench, z.bench)
			return
		}
	}
	if r.Was.Interval == nil || r.Is.Interval == nil {
		r.Answer, r.Why = Untold, "too few rounds for an interval"
		return
	}
	if !(r.Was.Interval.Low > 0) || !(r.Is.Interval.Low > 0) {
		r.Answer, r.Why = Untold, "an interval reaches down to zero"
		return
	}
	q := &proof.Estimate{Value: r.Is.Value / r.Was.Value, Unit: "ratio", N: min(r.Was.N, r.Is.N), Method: "quotient of the two intervals", Assumption: "the two runs are independent",
		Interval: &proof.Interval{Low: r.Is.Interval.Low / r.Was.Interval.High, High: r.Is.Interval.High / r.Was.Interval.Low, Level: bothLevels}}
	r.Ratio = q
	floor := max(floorOf(a.bench), floorOf(z.bench))
	switch {
	case q.Interval.Low <= 1 && q.Interval.High >= 1:
		r.Answer, r.Why = Noise, "the intervals hold no difference"
	case f.kind == within && math.Abs(math.Log(q.Value)) <= floor:
		r.Answer, r.Why = Noise, "no larger than what two equal sides gave"
	default:
		r.Answer = direction(f, q.Value > 1)
	}
}

// counts compares two counts of which less is better, or, where one is claimed, only the
// claim is right.
func counts(was, is, claim *proof.Estimate) (Answer, string) {
	switch {
	case is.Value == was.Value:
		return Same, ""
	case claim != nil && is.Value == claim.Value:
		return Better, ""
	case claim != nil && was.Value == claim.Value:
		return Worse, ""
	case claim != nil:
		return Noise, "neither is what the flag promises"
	case is.Value == 0 || was.Value == 0:
		return Untold, "one of them sent none: from a cache, or not counted"
	case is.Value > was.Value:
		return Worse, ""
	}
	return Better, ""
}

func direction(f figure, more bool) Answer {
	if more == f.less {
		return Worse
	}
	return Better
}

func gateable(b *proof.Bench) bool { return b.Cost != nil && b.Cost.Gateable }

func notGateable(list ...*proof.Bench) string {
	for _, b := range list {
		if !gateable(b) && b.Cost != nil {
			return b.Cost.NotGateable
		}
	}
	return "it was not measured"
}

// floorOf is how far two equal sides were seen apart, as a logarithm.
func floorOf(b *proof.Bench) float64 {
	if b.Cost == nil || b.Cost.Floor == nil || b.Cost.Floor.Interval == nil {
		return 0
	}
	i := b.Cost.Floor.Interval
	return max(math.Abs(math.Log(i.Low)), math.Abs(math.Log(i.High)))
}

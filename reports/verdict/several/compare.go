package several

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
	Why   string // of Untold and Noise
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
	has, is := places(a.Proof), places(z.Proof)
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
// not make the whole alike.
func overall(rows []Row) Answer {
	n := map[Answer]int{}
	for _, r := range rows {
		if !r.Apart {
			n[r.Answer]++
		}
	}
	switch {
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

// rulesRows compare what the checks found, target by target.
func rulesRows(a, z *proof.Proof) (out []Row) {
	for i := range z.Targets {
		t := &z.Targets[i]
		b := target(a, t.Name)
		if b == nil || b.Conformance == nil || t.Conformance == nil {
			continue
		}
		out = append(out, logoutsRow(b, t), checksRow(b, t))
	}
	return out
}

func logoutsRow(b, t *proof.Target) Row {
	r := Row{Place: t.Name, Key: "logouts", Name: "logouts after which a call was accepted"}
	was, is := b.Conformance.Immediacy, t.Conformance.Immediacy
	text := func(m proof.Immediacy) string { return fmt.Sprintf("%d of %d", m.Broken, m.Revokes) }
	r.WasText, r.IsText = text(was), text(is)
	switch {
	case was.Revokes == 0 || is.Revokes == 0:
		r.Answer, r.Why = Untold, "not tried in both"
	case was.Broken == 0 && is.Broken > 0:
		r.Answer = Worse
	case was.Broken > 0 && is.Broken == 0:
		r.Answer = Better
	case was.Broken > 0:
		r.Answer, r.Why = Noise, "both let calls in: neither can be relied on"
	default:
		r.Answer = Same
	}
	return r
}

// checksRow compares the checks that both decided.
func checksRow(b, t *proof.Target) Row {
	r := Row{Place: t.Name, Key: "checks", Name: "checks that both decided: failed"}
	was := map[[2]string]proof.Outcome{}
	for _, k := range b.Conformance.Checks {
		was[[2]string{k.ID, k.Protocol}] = k.Outcome
	}
	decided := func(o proof.Outcome) bool { return o == proof.Pass || o == proof.Fail }
	n, before, after := 0, 0, 0
	var broken, mended []string
	for _, k := range t.Conformance.Checks {
		o := was[[2]string{k.ID, k.Protocol}]
		if !decided(o) || !decided(k.Outcome) {
			continue
		}
		n++
		label := strings.TrimSpace(k.ID + " " + k.Protocol)
		if o == proof.Fail {
			before++
		}
		if k.Outcome == proof.Fail {
			after++
		}
		switch {
		case o == proof.Pass && k.Outcome == proof.Fail:
			broken = append(broken, label)
		case o == proof.Fail && k.Outcome == proof.Pass:
			mended = append(mended, label)
		}
	}
	r.WasText, r.IsText = fmt.Sprintf("%d of %d", before, n), fmt.Sprintf("%d of %d", after, n)
	switch {
	case n == 0:
		r.Answer, r.Why = Untold, "no check was decided in both"
	case len(broken) > 0:
		r.Answer, r.Why = Worse, "broken: "+some(broken)
		if len(mended) > 0 {
			r.Why += "; mended: " + some(mended)
		}
	case len(mended) > 0:
		r.Answer, r.Why = Better, "mended: "+some(mended)
	default:
		r.Answer = Same
	}
	return r
}

// some names at most eight and says how many more there are.
func some(list []string) string {
	if len(list) <= 8 {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:8], ", "), len(list)-8)
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
		r.Answer, r.Why = Untold, "it is in one of the two alone"
		return
	case f.kind == exact:
		r.Answer = Same
		if r.Is.Value != r.Was.Value {
			r.Answer = direction(f, r.Is.Value > r.Was.Value)
		}
		return
	case machines != "":
		r.Answer, r.Why = Untold, machines
		return
	case method != "":
		r.Answer, r.Why = Untold, method
		return
	case !gateable(a.bench) || !gateable(z.bench):
		if f.kind == within || f.key == "core-cpu-off" || f.key == "core-cpu-on" {
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

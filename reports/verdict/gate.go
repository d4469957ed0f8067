package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Reasons of a gate, one word each.
const (
	ReasonHeld         = "held"
	ReasonRegression   = "regression"
	ReasonStatements   = "statements"
	ReasonProfile      = "profile"
	ReasonLimit        = "limit"
	ReasonAccepted     = "revoked-accepted"
	ReasonWrong        = "wrong-answers"
	ReasonUndecided    = "undecided"
	ReasonNoisy        = "too-noisy"
	ReasonIncomplete   = "incomplete"
	ReasonMachines     = "machines-differ"
	ReasonLoads        = "loads-differ"
	ReasonNotReadable  = "not-readable"
	ReasonTarget       = "target"
	ReasonImage        = "image"
	ReasonInterrupted  = "interrupted"
	ReasonNothingTried = "nothing-tried"
)

// deriveGate judges all budgets; targets are derived already.
func deriveGate(p *proof.Proof) {
	g := p.Gate
	for i := range g.Bench {
		g.Budgets = append(g.Budgets, measured(g, &g.Bench[i])...)
		g.Budgets = append(g.Budgets, answersBudget(&g.Bench[i])...)
	}
	defer func() { g.Budgets = append(g.Budgets, unmeasured(g)...) }()
	g.Budgets = append(g.Budgets, missingTargets(g)...)
	for _, x := range pairs(p) {
		if g.Statements {
			g.Budgets = append(g.Budgets, statementsBudgets(x)...)
		}
		if g.Conform {
			g.Budgets = append(g.Budgets, profileBudgets(x)...)
		}
		if g.Conform || len(p.Require) > 0 {
			g.Budgets = append(g.Budgets, ownBudgets(p, x)...)
		}
		if g.Saved {
			g.Budgets = append(g.Budgets, savedBudgets(g, x, pricedTogether(p))...)
		}
	}
}

// pricedTogether is how many prices of the flag saved proofs hold against each other.
func pricedTogether(p *proof.Proof) (n int) {
	for _, x := range pairs(p) {
		for i := range x.base.Bench {
			if x.base.Bench[i].Cost != nil {
				n++
			}
		}
	}
	return n
}

// unmeasured are the budgets for which no duet was made, since head had failed before.
func unmeasured(g *proof.Gate) (out []proof.GateBudget) {
	if g.LeftOut == "" {
		return nil
	}
	failed := slices.ContainsFunc(g.Budgets, func(b proof.GateBudget) bool { return b.Outcome == proof.Fail })
	for _, l := range g.Limits {
		k, _ := gateLimit(l.Name)
		row := proof.GateBudget{Name: l.Name, Unit: k.Unit, Absolute: k.Absolute, Limit: l.Value, Outcome: proof.Skip, Reason: ReasonIncomplete, Text: "not measured: " + words.OneLine(g.LeftOut)}
		if k.Unit == "ratio" {
			row.Limit++
		}
		if !failed {
			row.Outcome = proof.Error
		}
		out = append(out, row)
	}
	return out
}

// pair is a target of base and the one of head that it is held against.
type pair struct {
	name       string // "" where there is only one
	base, head *proof.Target
}

func pairs(p *proof.Proof) (out []pair) {
	find := func(name string) *proof.Target {
		for i := range p.Targets {
			if p.Targets[i].Name == name {
				return &p.Targets[i]
			}
		}
		return nil
	}
	for i, name := range p.Gate.Head.Targets {
		x := pair{head: find(name)}
		if i < len(p.Gate.Base.Targets) {
			x.base = find(p.Gate.Base.Targets[i])
		}
		if x.base == nil || x.head == nil {
			continue
		}
		if len(p.Gate.Head.Targets) > 1 {
			x.name = strings.TrimPrefix(name, "head/")
		}
		out = append(out, x)
	}
	return out
}

// answersBudget fails a head that answers wrongly under load, or accepts revoked
// tokens where it was asked to check.
func answersBudget(b *proof.Bench) (out []proof.GateBudget) {
	for _, side := range []struct {
		variants []string
		outcome  proof.Outcome
	}{{[]string{headOff, headOn}, proof.Fail}, {[]string{baseOff, baseOn}, proof.Error}} {
		var wrong, calls int64
		example := ""
		for i := range b.Rounds {
			for _, w := range b.Rounds[i].Windows {
				if slices.Contains(side.variants, w.Variant) {
					wrong, calls = wrong+w.Errors, calls+w.Calls
					if example == "" {
						example = w.Example
					}
				}
			}
		}
		name := strings.TrimSuffix(side.variants[0], "-off")
		if wrong > 0 {
			out = append(out, proof.GateBudget{Name: "answers of " + name, Protocol: b.Protocol, Unit: "calls", Outcome: side.outcome, Reason: ReasonWrong,
				Text: words.Clip(words.OneLine(fmt.Sprintf("%d of %d calls were answered wrongly under load, e.g. %s", wrong, calls, example)), mostText)})
		}
		for _, c := range b.Controls {
			if c.Variant != side.variants[1] {
				continue
			}
			row := proof.GateBudget{Name: "revoked tokens at " + name, Protocol: b.Protocol, Unit: "calls"}
			switch {
			case c.Accepted > 0:
				row.Outcome, row.Reason = side.outcome, ReasonAccepted
				row.Text = fmt.Sprintf("%d of %d revoked tokens were accepted with the flag on", c.Accepted, c.Trials)
			case c.Trouble != "" || c.Trials <= 0:
				row.Outcome, row.Reason = proof.Error, ReasonIncomplete
				row.Text = words.Clip(words.OneLine("whether they are refused could not be tried: "+cmp.Or(c.Trouble, "none was offered")), mostText)
			default:
				continue
			}
			out = append(out, row)
		}
	}
	return out
}

// judgeGate sums a proof with a gate up.
func judgeGate(p *proof.Proof) proof.Verdict {
	g := p.Gate
	v := proof.Verdict{Findings: gateFindings(p)}
	weighs := func(w proof.Weight) bool {
		return slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Weight == w })
	}
	open := firstReason(g, proof.Undecided)
	onlyOpen := open != "" && !slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Weight == proof.Untried && f.Kind != KindGate }) && firstReason(g, proof.Error) == ""
	switch {
	case weighs(proof.Fails):
		v.Outcome, v.ExitCode, g.Reason = proof.Fail, 1, firstReason(g, proof.Fail)
	case weighs(proof.Untried) && !onlyOpen:
		v.Outcome, v.ExitCode, g.Reason = proof.Error, 2, untriedReason(p)
	case open != "":
		v.Outcome, g.Reason = proof.Undecided, open
		if g.Strict {
			v.ExitCode = 2
		}
	default:
		v.Outcome, g.Reason = proof.Pass, ReasonHeld
	}
	v.Headline = gateHeadline(p, v)
	return v
}

func firstReason(g *proof.Gate, o proof.Outcome) string {
	for _, b := range g.Budgets {
		if b.Outcome == o {
			return b.Reason
		}
	}
	return ""
}

func untriedReason(p *proof.Proof) string {
	g := p.Gate
	failed := g.Error != "" || slices.ContainsFunc(p.Targets, func(t proof.Target) bool { return t.Error != "" })
	switch {
	case g.Base.Missing || g.Head.Missing:
		return ReasonImage
	case p.Interrupted != "":
		return ReasonInterrupted
	case failed:
		return ReasonTarget
	case firstReason(g, proof.Error) != "":
		return firstReason(g, proof.Error)
	case !slices.ContainsFunc(g.Budgets, func(b proof.GateBudget) bool { return b.Outcome != proof.Skip }):
		return ReasonNothingTried
	}
	return ReasonIncomplete
}

// gateFindings are what weighs on a gate: its budgets, and what could not be tried.
// What was found on one build alone is worth knowing and decides nothing, but for
// what ownBudgets hold head to.
func gateFindings(p *proof.Proof) []proof.Finding {
	g := p.Gate
	c := &collector{list: []proof.Finding{}}
	if p.Interrupted != "" {
		c.add(KindInterrupted, proof.Untried, "", "", "the run was interrupted: %s", p.Interrupted)
	}
	if g.Error != "" {
		c.add(KindTarget, proof.Untried, "", "", "%s", g.Error)
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		own := &collector{target: t.Name}
		own.ofTarget(p, t)
		for _, f := range own.list {
			if f.Kind == KindNothingRan || f.Kind == KindStatements && f.Weight == proof.Untried {
				continue
			}
			if f.Kind != KindTarget {
				f.Weight = proof.Warns
			}
			c.list = append(c.list, f)
		}
	}
	c.target = ""
	tried := false
	for _, b := range g.Budgets {
		tried = tried || b.Outcome == proof.Pass || b.Outcome == proof.Fail || b.Outcome == proof.Undecided
		text := budgetLine(b)
		switch {
		case b.Outcome == proof.Fail:
			c.add(KindGate, proof.Fails, b.Protocol, "", "%s", text)
		case b.Outcome == proof.Error:
			c.add(KindGate, proof.Untried, b.Protocol, "", "%s", text)
		case b.Outcome == proof.Undecided:
			weight := proof.Warns
			if g.Strict {
				weight = proof.Untried
			}
			c.add(KindGate, weight, b.Protocol, "", "%s is undecided: %s", b.Name, b.Text)
		case unlikely(&b):
			c.add(KindGate, proof.Warns, b.Protocol, "", "%s of head is %s of base's: so large a gain is more often work that went unseen (another process, answers from a cache) than a faster core; see that both do the same work", b.Name, words.Percent(b.Observed.Value))
		}
	}
	weighs := func(f proof.Finding) bool { return f.Weight != proof.Warns }
	if !tried && !slices.ContainsFunc(c.list, weighs) {
		c.add(KindNothingRan, proof.Untried, "", "", "nothing of base and head was compared")
	}
	order := map[proof.Weight]int{proof.Fails: 0, proof.Untried: 1, proof.Warns: 2}
	rank := func(f proof.Finding) int {
		if f.Kind == KindGate {
			return 2 * order[f.Weight]
		}
		return 2*order[f.Weight] + 1
	}
	slices.SortStableFunc(c.list, func(a, b proof.Finding) int { return rank(a) - rank(b) })
	return c.list
}

// unlikelyGain of a core is one that takes less than this share of base's CPU.
const unlikelyGain = 0.7

// unlikely says whether a budget was held by so much that the measurement is to be
// doubted first.
func unlikely(b *proof.GateBudget) bool {
	return (b.Name == GateCPUOff || b.Name == GateCPUOn) && b.Outcome == proof.Pass && b.Observed != nil && b.Observed.Value < unlikelyGain
}

func budgetLine(b proof.GateBudget) string {
	name := b.Name
	if b.Target != "" {
		name += " on " + b.Target
	}
	return name + ": " + b.Text
}

// sequentialText says effect, interval, rounds, spread and floor.
func sequentialText(b *proof.GateBudget) string {
	e := b.Observed
	if b.Absolute {
		return absoluteText(e, b.Unit, b.Limit) + ", " + words.Plural(e.N, "round")
	}
	if b.Unit != "ratio" {
		s := fmt.Sprintf("head takes %+.0f bytes per session", e.Value)
		if e.Interval != nil {
			s += fmt.Sprintf(" (%+.0f to %+.0f)", e.Interval.Low, e.Interval.High)
		}
		return s + fmt.Sprintf(", limit %+.0f, %s, σ %.0f", b.Limit, words.Plural(e.N, "round"), b.Sigma)
	}
	s := "head takes " + more(e)
	s += fmt.Sprintf(", limit %+.1f %%, %s, σ %.1f %%", 100*(b.Limit-1), words.Plural(e.N, "round"), 100*b.Sigma)
	if f := b.Floor; f != nil && f.Interval != nil {
		s += fmt.Sprintf(", noise floor %+.1f to %+.1f %%", 100*(f.Interval.Low-1), 100*(f.Interval.High-1))
	}
	if b.Reason == ReasonNoisy {
		s += ": machine too noisy"
	}
	return s
}

// more is by how much head takes more, as a share of base. The lower bound is 0, and
// says nothing, where rounds are few.
func more(e *proof.Estimate) string {
	s := fmt.Sprintf("%+.1f %%", 100*(e.Value-1))
	switch i := e.Interval; {
	case i == nil:
	case i.Low <= 0:
		s += fmt.Sprintf(" (at most %+.1f %%)", 100*(i.High-1))
	default:
		s += fmt.Sprintf(" (%+.1f to %+.1f %%)", 100*(i.Low-1), 100*(i.High-1))
	}
	return s
}

// gateHeadline is a gate's answer in a sentence.
func gateHeadline(p *proof.Proof, v proof.Verdict) string {
	g := p.Gate
	var bad, ratios []string
	held := 0
	for _, b := range g.Budgets {
		if b.Protocol != "" {
			b.Name += " (" + b.Protocol + ")" // findings carry it by themselves
		}
		switch {
		case b.Outcome == v.Outcome && v.Outcome != proof.Pass:
			bad = append(bad, budgetLine(b))
		case b.Outcome == proof.Pass:
			held++
		}
		if b.Unit == "ratio" && b.Observed != nil && b.Observed.Interval != nil {
			ratios = append(ratios, budgetLine(b))
		}
	}
	took := ""
	if g.Measured > 0 {
		took = fmt.Sprintf(" after %s of measuring", g.Measured.Round(time.Second))
	}
	switch v.Outcome {
	case proof.Pass:
		s := fmt.Sprintf("Head is no worse than base in %s%s", words.Plural(held, "budget"), took)
		if len(ratios) > 0 {
			s += ": " + strings.Join(ratios, "; ")
		}
		return words.OneLine(s) + "."
	case proof.Fail:
		return words.OneLine(words.Clip("Head is worse than base"+took+": "+strings.Join(bad, "; "), mostText)) + "."
	case proof.Undecided:
		return words.OneLine(words.Clip("Not shown either way"+took+": "+strings.Join(bad, "; "), mostText)) + "."
	}
	for _, f := range v.Findings {
		if f.Weight == proof.Untried {
			return words.OneLine(words.Clip("Base and head could not be held against each other: "+f.Text, mostText)) + "."
		}
	}
	return "Base and head could not be held against each other."
}

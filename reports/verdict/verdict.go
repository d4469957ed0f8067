// Package verdict derives every outcome from the evidence in a proof: of checks,
// profiles, statements, space, cost and budgets, and of the run as a whole. All
// of it is pure: the same evidence always gives the same outcome, so that a saved
// proof can be judged again (Verify) and an edited one is found out.
//
// Nothing else decides anything: producers store what they saw, renderers show
// what is derived here.
package verdict

import (
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
)

// Derive empties all derived fields of p and fills them in anew from the rest.
// The digest is left empty: it is proof.Save's.
func Derive(p *proof.Proof) {
	proof.Clear(p)
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Conformance != nil {
			deriveConformance(t.Conformance, p.Require)
		}
		if t.Footprint != nil {
			deriveFootprint(t.Footprint)
		}
		for j := range t.Bench {
			t.Bench[j].Cost = cost(&t.Bench[j])
			capacity.Derive(&t.Bench[j])
		}
	}
	p.Budgets = budgets(p)
	if p.Gate != nil {
		deriveGate(p)
		p.Verdict = judgeGate(p)
		return
	}
	p.Verdict = judge(p)
}

func deriveConformance(c *proof.Conformance, require []string) {
	for i := range c.Checks {
		k := &c.Checks[i]
		if k.Race != nil {
			k.Race.MetAB, k.Race.MetBA = met(k.Race.Trials)
		}
		if k.Immediacy != nil {
			k.Immediacy.UpperBound = bound(k.Immediacy)
		}
		k.Outcome, k.Reason = Check(k, c.Histories)
	}
	c.Immediacy = immediacy(c.Checks)
	for i := range c.Profiles {
		deriveProfile(c, &c.Profiles[i])
	}
}

// judge sums everything up; the parts are derived already.
func judge(p *proof.Proof) proof.Verdict {
	v := proof.Verdict{Findings: findings(p)}
	has := func(w proof.Weight) bool {
		return slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Weight == w })
	}
	switch {
	case has(proof.Fails):
		v.Outcome, v.ExitCode = proof.Fail, 1
	case has(proof.Untried):
		v.Outcome, v.ExitCode = proof.Error, 2
	case len(incomplete(p)) > 0:
		v.Outcome, v.ExitCode = proof.Incomplete, 0
	default:
		v.Outcome, v.ExitCode = proof.Pass, 0
	}
	v.Headline = headline(p, v)
	return v
}

// Target is the outcome of one target of p, whose findings are derived.
func Target(p *proof.Proof, t *proof.Target) proof.Outcome {
	out := proof.Pass
	for _, g := range incomplete(p) {
		if g.target == t {
			out = proof.Incomplete
		}
	}
	for _, f := range p.Verdict.Findings {
		switch {
		case f.Target != t.Name:
		case f.Weight == proof.Fails:
			return proof.Fail
		case f.Weight == proof.Untried:
			out = proof.Error
		}
	}
	return out
}

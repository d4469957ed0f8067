package summary

import (
	"fmt"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// gaps are parts that are missing: a report without them could look complete.
// They weigh nothing, so they are no findings.
func gaps(p *proof.Proof) []string {
	var out []string
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Error != "" || p.Gate != nil {
			continue // a finding says so, or a gate looks for other things
		}
		for _, g := range targetGaps(t) {
			if len(p.Targets) > 1 {
				g = words.OneLine(t.Name) + ": " + g
			}
			out = append(out, g)
		}
	}
	for _, l := range p.Machine.Limits {
		out = append(out, "this machine: "+words.OneLine(l))
	}
	return out
}

func targetGaps(t *proof.Target) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if c := t.Conformance; c == nil {
		say("the rules of logging out were not checked")
	} else {
		for _, f := range c.Profiles {
			if f.NotClaimed != "" {
				say("profile %s is not claimed: %s", words.OneLine(f.Name), words.OneLine(f.NotClaimed))
			}
		}
		if x := c.Pairs; x != nil && x.Met < x.Wanted {
			say("%d of %d combinations of circumstances were tried", x.Met, x.Wanted)
		}
		if x := c.Pairs; x != nil {
			for _, l := range x.LeftOut {
				say("not tried: %s", words.Clip(words.OneLine(l), 200))
			}
		}
	}
	switch f := t.Footprint; {
	case f == nil:
		say("statements and space were not counted")
	case f.Space == nil:
		say("space was not compared")
	}
	if len(t.Bench) == 0 {
		say("the cost was not measured")
	}
	for i := range t.Bench {
		b := &t.Bench[i]
		where := "cost"
		if b.Protocol != "" {
			where += " at " + words.OneLine(b.Protocol)
		}
		if c := b.Cost; c != nil {
			if !c.Gateable {
				say("%s may not be gated on: %s", where, words.OneLine(c.NotGateable))
			}
			if c.Floor == nil && c.FloorLatency == nil && b.Design.FloorReason == "" && len(b.Rounds) > 0 {
				say("%s: no noise floor was measured (rounds with both sides alike)", where)
			}
		}
		if n := len(b.Dropped); n > 0 {
			say("%s: %s dropped, see the list", where, words.Plural(n, "round"))
		}
	}
	return out
}

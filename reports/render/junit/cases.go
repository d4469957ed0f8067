package junit

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/words"
)

// mostDetailed is how many results have their exchanges in the file; proof.json
// has all of them.
const mostDetailed = 20

// document is one file under construction.
type document struct {
	sum  *summary.Summary
	left int // results that may still be shown in detail
}

// found has a case for each finding on one target, or on the run for "", that no
// other case stands for.
func (d *document) found(target string) []junitCase {
	var out []junitCase
	for _, f := range d.sum.Proof.Verdict.Findings {
		if f.Target != target || f.Weight == proof.Warns {
			continue
		}
		switch f.Kind {
		case verdict.KindCheck, verdict.KindRace, verdict.KindStatements, verdict.KindSpace, verdict.KindBench, verdict.KindBudget, verdict.KindGate:
			continue
		}
		r := &junitResult{Type: f.Kind, Message: words.Clip(words.OneLine(f.Text), mostMessage)}
		c := junitCase{Name: strings.TrimSpace(f.Kind + " " + words.OneLine(f.Check+" "+f.Protocol))}
		if f.Weight == proof.Fails {
			c.Failure = r
		} else {
			c.Error = r
		}
		out = append(out, c)
	}
	return out
}

// mostMessage bounds a message; it stands in an attribute.
const mostMessage = 1000

// checkSuites has one suite per protocol and theme.
func (d *document) checkSuites(t *proof.Target) []junitSuite {
	if t.Conformance == nil {
		return nil
	}
	c := t.Conformance
	var suites []junitSuite
	at := map[string]int{}
	for i := range c.Checks {
		k := &c.Checks[i]
		name := dotted(t.Name, k.Protocol, k.Suite)
		n, ok := at[name]
		if !ok {
			n = len(suites)
			at[name] = n
			suites = append(suites, junitSuite{Name: name})
		}
		suites[n].Cases = append(suites[n].Cases, d.checkCase(t, k))
	}
	return suites
}

// dotted joins the parts of a class name that are there.
func dotted(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = words.OneLine(p); p != "" {
			out = append(out, strings.ReplaceAll(p, ".", "_"))
		}
	}
	return strings.Join(out, ".")
}

func (d *document) checkCase(t *proof.Target, k *proof.Check) junitCase {
	c := t.Conformance
	out := junitCase{Name: words.OneLine(k.ID + " " + k.Title), took: k.Took}
	if root := d.sum.Cause(c, k); root != nil {
		out.Skipped = &junitResult{Message: words.OneLine("because " + root.ID + " failed")}
		return out
	}
	if k.Outcome == proof.Pass {
		return out
	}
	why := words.Clip(summary.Why(k), mostMessage)
	switch {
	case k.Outcome == proof.Skip:
		out.Skipped = &junitResult{Message: why}
		return out
	case !d.sum.Decides(c, k):
		out.Skipped = &junitResult{Message: "optional, not part of the verdict; " + summary.OutcomeWord(k.Outcome) + ": " + why}
		return out
	}
	r := &junitResult{Type: string(k.Outcome), Message: why}
	if d.left > 0 {
		d.left--
		r.Text = summary.Explain(t, k)
		if v := summary.First(k); v != nil {
			out.SystemOut = textOf(summary.Exchanges(v.Exchanges))
		}
	}
	if k.Outcome == proof.Fail {
		out.Failure = r
	} else {
		out.Error = r
	}
	return out
}

// result turns an outcome into what stands in a case.
func result(c *junitCase, o proof.Outcome, message string) {
	r := &junitResult{Type: string(o), Message: words.Clip(words.OneLine(message), mostMessage)}
	switch o {
	case proof.Pass:
	case proof.Fail:
		c.Failure = r
	default:
		c.Error = r
	}
}

// claims are those about statements, space and cost, and the budgets.
func (d *document) claims(t *proof.Target) []junitCase {
	var out []junitCase
	if f := t.Footprint; f != nil {
		for _, s := range f.Statements {
			if s.Outcome == "" {
				continue
			}
			c := junitCase{Name: words.OneLine(fmt.Sprintf("statements of %s, flag %s, %s", s.Operation, s.Flag, s.Protocol))}
			message := s.Reason
			if message == "" {
				message = fmt.Sprintf("%d statements for %d calls, want exactly %s a call", s.Count, s.Calls, words.Figure(*s.Expected))
			}
			result(&c, s.Outcome, message)
			out = append(out, c)
		}
		for _, line := range verdict.Uncounted(f) {
			c := junitCase{Name: words.OneLine(line)}
			result(&c, proof.Error, line)
			out = append(out, c)
		}
		if s := f.Space; s != nil {
			c := junitCase{Name: "no extra space with the flag on"}
			result(&c, s.Outcome, s.Reason)
			out = append(out, c)
		}
	}
	for i := range t.Bench {
		out = append(out, d.bench(t, &t.Bench[i])...)
	}
	for _, b := range d.sum.Proof.Budgets {
		if b.Target == t.Name {
			out = append(out, budget(b))
		}
	}
	return out
}

// bench says whether calls were answered rightly and whether the cost could be
// measured: it has no limit of its own, budgets set those.
func (d *document) bench(t *proof.Target, b *proof.Bench) []junitCase {
	right := junitCase{Name: words.OneLine("calls under load were answered rightly, " + b.Protocol)}
	enough := junitCase{Name: words.OneLine("the cost could be measured, " + b.Protocol)}
	for _, f := range d.sum.Proof.Verdict.Findings {
		switch {
		case f.Kind != verdict.KindBench || f.Target != t.Name || f.Protocol != b.Protocol:
		case f.Weight == proof.Fails && right.Failure == nil:
			result(&right, proof.Fail, f.Text)
		case f.Weight == proof.Untried && enough.Error == nil:
			result(&enough, proof.Error, f.Text)
		}
	}
	if enough.Error == nil && b.Cost != nil {
		enough.SystemOut = textOf(fmt.Sprintf("core CPU per verify, on − off: %s µs; on/off: %s; median latency: %s ms\n",
			summary.Measure(b.Cost.CoreCPUDiff), summary.Measure(b.Cost.CoreCPURatio), summary.Measure(b.Cost.CostPerCall)))
	}
	return []junitCase{right, enough}
}

func budget(b proof.Budget) junitCase {
	c := junitCase{Name: words.OneLine(strings.TrimSuffix("budget "+b.Name+", "+b.Protocol, ", "))}
	found := words.OneLine(fmt.Sprintf("%s %s, limit %s", summary.Measure(b.Observed), b.Unit, words.Figure(b.Limit)))
	switch b.Outcome {
	case proof.Pass:
		c.SystemOut = textOf(found + "\n")
	case proof.Fail:
		result(&c, b.Outcome, found)
	default:
		result(&c, b.Outcome, b.Reason)
	}
	return c
}

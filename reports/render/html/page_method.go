package html

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// methodFacts is what a reader needs to judge and to repeat the run.
func methodFacts(p *proof.Proof, l limits) []facts {
	out := []facts{runFacts(p, l), machineFacts(p, l)}
	for i := range p.Targets {
		out = append(out, targetFacts(&p.Targets[i], l))
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		benches, _ := words.First(t.Bench, l.Benches)
		for j := range benches {
			out = append(out, designFacts(t, &benches[j], l))
		}
	}
	return out
}

// put adds a fact unless there is nothing to say.
func (f *facts) put(name, value string) {
	if value != "" {
		f.Pairs = append(f.Pairs, summary.Pair{Name: name, Value: value})
	}
}

func (f *facts) list(title string, all lines) {
	if len(all.Shown) > 0 {
		f.Lists = append(f.Lists, titled{title, all})
	}
}

func runFacts(p *proof.Proof, l limits) facts {
	f := facts{Title: "Run"}
	f.put("Command", l.body(strings.Join(p.Command, " ")))
	f.put("Seed", fmt.Sprint(p.Seed))
	f.put("Started", words.Moment(p.Started))
	if !p.Started.IsZero() && !p.Finished.IsZero() {
		f.put("Took", words.Duration(p.Finished.Sub(p.Started)))
	}
	f.put("Interrupted", l.text(p.Interrupted))
	tool := strings.TrimSpace(p.Tool.Name + " " + p.Tool.Version)
	if p.Tool.Commit != "" {
		tool += ", commit " + p.Tool.Commit
	}
	f.put("Tool", l.text(tool))
	f.put("Built with", l.text(strings.TrimSpace(p.Tool.Go+" "+p.Tool.OS+" "+p.Tool.Arch)))
	f.put("Schema of the proof", fmt.Sprint(p.SchemaVersion))
	return f
}

func machineFacts(p *proof.Proof, l limits) facts {
	f := facts{Title: "Machine"}
	m := p.Machine
	f.put("Processor", l.text(m.CPU))
	f.put("CPUs that may be used", words.Count(m.CPUs))
	if m.MemoryBytes > 0 {
		f.put("Memory", words.Size(m.MemoryBytes))
	}
	f.put("Kernel", l.text(m.Kernel))
	f.put("Load average", fmt.Sprintf("%s at the start, %s at the end", words.Number(m.LoadStart, 2), words.Number(m.LoadEnd, 2)))
	f.list("What it lacks", l.lines(m.Limits))
	return f
}

func targetFacts(t *proof.Target, l limits) facts {
	f := facts{Title: "Target " + l.text(t.Name)}
	f.put("Kind", l.text(t.Kind))
	f.put("Could not be tried", l.text(t.Error))
	f.put("Core", l.text(summary.CoreName(t.Core)))
	f.put("Image", l.text(t.Core.Image))
	f.put("Addresses, flag on", l.text(strings.Join(t.Core.URLsOn, " ")))
	f.put("Addresses, flag off", l.text(strings.Join(t.Core.URLsOff, " ")))
	f.put("Protocols", l.text(strings.Join(t.Core.Protocols, ", ")))
	if c := t.Conformance; c != nil {
		f.put("Cores with the flag on", words.Count(c.Instances))
	}
	if d := t.Database; d != nil {
		f.put("Database", l.text(strings.TrimSpace(d.Product+" "+d.Version)))
		f.put("Database image", l.text(d.Image))
		f.put("TLS between core and database", tlsWord(d.TLS))
		settings, left := words.First(summary.Observations(d.Settings), l.Rows)
		for _, s := range settings {
			f.put(l.text(s.Name), l.text(s.Value))
		}
		if left > 0 {
			f.put("And", words.Plural(left, "more setting"))
		}
	} else {
		f.put("Database", "cannot be seen")
	}
	if x := t.LeftBehind; x != nil {
		f.put("Left behind", l.text(fmt.Sprintf("users %s: %s", strings.Join(x.Users, ", "), x.Reason)))
	}
	f.list("Notes", l.lines(t.Notes))
	return f
}

func tlsWord(s string) string {
	switch s {
	case "none":
		return "no connection, the database is embedded"
	case "":
		return "unknown"
	default:
		return words.OneLine(s)
	}
}

func designFacts(t *proof.Target, b *proof.Bench, l limits) facts {
	d := b.Design
	f := facts{Title: strings.TrimRight("Method of "+l.text(t.Name)+", "+l.text(b.Protocol), ", ")}
	kind := l.text(d.Kind)
	if kind == "duet" {
		kind = "duet: both variants up at once, called in turn in random order"
	}
	f.put("Design", kind)
	f.put("Generator", l.text(d.Generator))
	rate := words.Figure(d.RateHz) + " calls per second, all variants together"
	if d.RateShare > 0 {
		rate += fmt.Sprintf(" (%s %% of full load)", words.Figure(d.RateShare*100))
	}
	f.put("Rate", rate)
	if d.Verifies() < 1 {
		f.put("Other calls", summary.Others(b))
	}
	f.put("Each round", fmt.Sprintf("%s measured after %s of warm-up", words.Duration(d.Window), words.Duration(d.WarmUp)))
	f.put("Processes", map[bool]string{true: "fresh for each round", false: "the same for all rounds"}[d.FreshProcesses])
	pinned := "not pinned"
	if d.Pinned {
		pinned = "cores of all variants together on CPU " + numbers(d.ServerCPUs) + ", generator on CPU " + numbers(d.GeneratorCPUs)
	}
	f.put("Placement", words.Clip(pinned, l.Text))
	if d.GOMAXPROCS > 0 {
		f.put("GOMAXPROCS of the cores", words.Count(d.GOMAXPROCS))
	}
	f.put("Connections of each variant", words.Count(d.Connections))
	f.put("Tokens drawn from", words.Count(d.Tokens))
	if d.Rows != nil {
		f.put("Session rows", words.Count(*d.Rows))
	} else {
		f.put("Session rows", "could not be asked")
	}
	f.put("Database", l.text(summary.Database(t, b)))
	for _, v := range b.Variants {
		f.put("Variant "+l.text(v.Name), l.text(variant(v)))
	}
	for _, x := range b.Controls {
		f.put("Revoked tokens, "+l.text(x.Variant), fmt.Sprintf("%s of %s accepted", words.Count(x.Accepted), words.Count(x.Trials)))
	}
	for _, x := range b.Steady {
		f.put("Steady state, "+l.text(x.Variant), l.text(steady(x)))
	}
	f.put("Rounds planned", words.Count(d.RoundsPlanned))
	if c := b.Cost; c != nil {
		if e := c.CoreCPURatio; e != nil {
			f.put("Interval of the cost", l.text(e.Method))
			f.put("It assumes", l.text(e.Assumption))
			f.list("Mind, of the cost", l.lines(e.Warnings))
		} else if e := c.CostPerCall; e != nil {
			f.put("Interval of the cost", l.text(e.Method))
			f.put("It assumes", l.text(e.Assumption))
			f.list("Mind, of the cost", l.lines(e.Warnings))
		}
		if c.Gateable {
			f.put("May be gated on", "yes")
		} else {
			f.put("May be gated on", "no: "+l.text(c.NotGateable))
		}
	}
	return f
}

func numbers(n []int) string {
	out := make([]string, len(n))
	for i, v := range n {
		out[i] = fmt.Sprint(v)
	}
	return summary.List(out)
}

// variant says what makes it one.
func variant(v proof.Variant) string {
	var parts []string
	for _, m := range []map[string]string{v.Settings, v.Request} {
		for _, o := range summary.Observations(m) {
			parts = append(parts, o.Name+": "+o.Value)
		}
	}
	return strings.Join(append(parts, words.Plural(v.Instances, "core")), ", ")
}

func steady(s proof.Steady) string {
	figures := make([]string, 0, len(s.Figures))
	shown, left := words.First(s.Figures, 12)
	for _, x := range shown {
		figures = append(figures, words.Figure(x))
	}
	if left > 0 {
		figures = append(figures, "…")
	}
	word := "reached"
	if !s.Reached {
		word = "not reached"
	}
	return fmt.Sprintf("%s after %s: %s %s", word, words.Duration(s.Took), strings.Join(figures, ", "), s.Unit)
}

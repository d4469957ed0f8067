package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// methodFacts is what a reader needs to judge and to repeat the run.
func methodFacts(p *proof.Proof, l limits) []facts {
	out := []facts{runFacts(p, l), machineFacts(p, l)}
	for i := range p.Targets {
		out = append(out, targetFacts(&p.Targets[i], l))
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		benches, _ := first(t.Bench, l.Benches)
		for j := range benches {
			out = append(out, designFacts(t, &benches[j], l))
		}
	}
	return out
}

// put adds a fact unless there is nothing to say.
func (f *facts) put(name, value string) {
	if value != "" {
		f.Pairs = append(f.Pairs, pair{name, value})
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
	f.put("Started", moment(p.Started))
	if !p.Started.IsZero() && !p.Finished.IsZero() {
		f.put("Took", duration(p.Finished.Sub(p.Started)))
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
	f.put("CPUs that may be used", count(m.CPUs))
	if m.MemoryBytes > 0 {
		f.put("Memory", size(m.MemoryBytes))
	}
	f.put("Kernel", l.text(m.Kernel))
	f.put("Load average", fmt.Sprintf("%s at the start, %s at the end", number(m.LoadStart, 2), number(m.LoadEnd, 2)))
	f.list("What it lacks", l.lines(m.Limits))
	return f
}

func targetFacts(t *proof.Target, l limits) facts {
	f := facts{Title: "Target " + l.text(t.Name)}
	f.put("Kind", l.text(t.Kind))
	f.put("Could not be tried", l.text(t.Error))
	f.put("Core", l.text(coreName(t.Core)))
	f.put("Image", l.text(t.Core.Image))
	f.put("Address, check on", l.text(t.Core.URLOn))
	f.put("Address, check off", l.text(t.Core.URLOff))
	f.put("Protocols", l.text(strings.Join(t.Core.Protocols, ", ")))
	f.put("Instances on each side", count(t.Instances))
	if d := t.Database; d != nil {
		f.put("Database", l.text(strings.TrimSpace(d.Product+" "+d.Version)))
		f.put("Database image", l.text(d.Image))
		f.put("TLS between core and database", tlsWord(d.TLS))
		settings, left := first(observations(d.Settings), l.Rows)
		for _, s := range settings {
			f.put(l.text(s.Name), l.text(s.Value))
		}
		if left > 0 {
			f.put("And", plural(left, "more setting"))
		}
	} else {
		f.put("Database", "cannot be seen")
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
		return oneLine(s)
	}
}

func designFacts(t *proof.Target, b *proof.Bench, l limits) facts {
	d := b.Design
	f := facts{Title: strings.TrimRight("Method of "+l.text(t.Name)+", "+l.text(b.Protocol), ", ")}
	kind := l.text(d.Kind)
	if kind == "duet" {
		kind = "duet: both sides up at once, called in turn in random order"
	}
	f.put("Design", kind)
	f.put("Generator", l.text(d.Generator))
	rate := figure(d.RateHz) + " calls per second, both sides together"
	if d.RateShare > 0 {
		rate += fmt.Sprintf(" (%s %% of full load)", figure(d.RateShare*100))
	}
	f.put("Rate", rate)
	f.put("Each round", fmt.Sprintf("%s measured after %s of warm-up", duration(d.Stretch), duration(d.WarmUp)))
	f.put("Processes", map[bool]string{true: "fresh for each round", false: "the same for all rounds"}[d.FreshProcesses])
	pinned := "not pinned"
	if d.Pinned {
		pinned = "cores of both sides together on CPU " + numbers(d.ServerCPUs) + ", generator on CPU " + numbers(d.GeneratorCPUs)
	}
	f.put("Placement", clip(pinned, l.Text))
	if d.GOMAXPROCS > 0 {
		f.put("GOMAXPROCS of the cores", count(d.GOMAXPROCS))
	}
	f.put("Connections per side", count(d.Connections))
	f.put("Tokens drawn from", count(d.Tokens))
	f.put("Session rows", count(d.Rows))
	f.put("Rounds planned", count(d.RoundsPlanned))
	if b.CoreCPURatio != nil {
		f.put("Intervals", l.text(b.CoreCPURatio.Method))
	} else if b.CostPerCall != nil {
		f.put("Intervals", l.text(b.CostPerCall.Method))
	}
	f.put("May be gated on", map[bool]string{true: "yes", false: strings.TrimRight("no: "+l.text(b.NotGateable), ": ")}[b.Gateable])
	return f
}

func numbers(n []int) string {
	words := make([]string, len(n))
	for i, v := range n {
		words[i] = fmt.Sprint(v)
	}
	return list(words)
}

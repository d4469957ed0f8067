package verdict_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// duet is a bench of n cost rounds whose core costs 100 µs off and 130 on, more
// or less by spread in turn.
func duet(n int, spread float64) *proof.Bench {
	b := &proof.Bench{Protocol: "CDI 5.4",
		Design:   proof.Design{FreshProcesses: true, RateHz: 2400},
		Variants: []proof.Variant{{Name: "off"}, {Name: "on"}},
		Controls: []proof.VariantControl{{Variant: "off", Trials: 5, Accepted: 5}, {Variant: "on", Trials: 5}}}
	for i := range n {
		x := spread * float64(1-2*(i%2))
		b.Rounds = append(b.Rounds, costRound(i, 100, 130+x))
	}
	return b
}

// floored adds n rounds of two sides alike.
func floored(b *proof.Bench, n int) *proof.Bench {
	for i := range n {
		r := costRound(100+i, 100, 100.5+float64(i%2))
		r.Kind = proof.KindFloor
		r.Windows[1].Variant = "off"
		b.Rounds = append(b.Rounds, r)
	}
	return b
}

func costRound(i int, off, on float64) proof.Round {
	w := func(name string, us float64) proof.Window {
		ms := us / 500
		return proof.Window{Variant: name, Calls: 1000, CPU: us * 1000, P50: ms, P90: 2 * ms, P99: 3 * ms, P999: 4 * ms, Max: 5 * ms}
	}
	return proof.Round{Index: i, Kind: proof.KindCost, Windows: []proof.Window{w("off", off), w("on", on)}, DatabaseCPU: -1, GeneratorCPU: -1}
}

// derived judges a proof with nothing but b, and limits.
func derived(b *proof.Bench, limits ...proof.Limit) *proof.Proof {
	p := &proof.Proof{Limits: limits, Targets: []proof.Target{{Name: "x", Bench: []proof.Bench{*b}}}}
	verdict.Derive(p)
	return p
}

func costOf(b *proof.Bench) *proof.Cost { return derived(b).Targets[0].Bench[0].Cost }

// V6: a budget is decided by an interval, by a figure that can carry a gate, and
// never by what is only reported.
func TestV6BudgetNeedsAnInterval(t *testing.T) {
	t.Parallel()
	us := func(x float64) proof.Limit { return proof.Limit{Name: "core-cpu-us", Value: x} }
	for _, tc := range []struct {
		name   string
		b      *proof.Bench
		limit  proof.Limit
		want   proof.Outcome
		reason string
		exit   int
	}{
		{"one round", floored(duet(1, 1), 3), us(1000), proof.Undecided, "too few for an interval", 2},
		{"five rounds", floored(duet(5, 1), 3), us(1000), proof.Undecided, "too few for an interval", 2},
		{"six rounds, below it", floored(duet(6, 1), 3), us(1000), proof.Pass, "", 0},
		{"six rounds, above it", floored(duet(6, 1), 3), us(10), proof.Fail, "", 1},
		{"six rounds, about it", floored(duet(6, 1), 3), us(30), proof.Undecided, "not shown either way", 2},
		{"a ratio", floored(duet(10, 1), 3), proof.Limit{Name: "core-cpu-ratio", Value: 1.5}, proof.Pass, "", 0},
		{"latency", floored(duet(10, 1), 3), proof.Limit{Name: "cost-ms", Value: 1}, proof.Pass, "", 0},
		{"not gateable", unsteady(floored(duet(10, 1), 3)), us(1000), proof.Undecided, "no steady state", 2},
		{"no CPU", withoutCPU(floored(duet(10, 1), 3)), us(1000), proof.Error, "could not be had", 2},
		{"no CPU, latency", withoutCPU(floored(duet(10, 1), 3)), proof.Limit{Name: "cost-ms", Value: 1}, proof.Undecided, "cannot be gated on", 2},
		{"a figure that is only reported", floored(duet(10, 1), 3), proof.Limit{Name: "database-cpu-us", Value: 1}, proof.Error, "no such budget", 2},
		{"no floor", duet(10, 1), us(1000), proof.Undecided, "the noise floor is not available: no round of two sides alike", 2},
		{"too few floor rounds", floored(duet(10, 1), 2), us(1000), proof.Undecided, "2 rounds are too few for an interval", 2},
		{"all floor rounds saturated", saturatedFloor(floored(duet(10, 1), 3)), us(1000), proof.Undecided, "no round of two sides alike", 2},
		{"nothing measured", &proof.Bench{}, us(1), proof.Error, "no cost of the flag", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := derived(tc.b, tc.limit)
			if len(p.Budgets) != 1 || p.Budgets[0].Outcome != tc.want || !strings.Contains(p.Budgets[0].Reason, tc.reason) || p.Verdict.ExitCode != tc.exit {
				t.Errorf("got %+v, exit %d; want %s, %q, exit %d", p.Budgets, p.Verdict.ExitCode, tc.want, tc.reason, tc.exit)
			}
		})
	}
}

func saturatedFloor(b *proof.Bench) *proof.Bench {
	for i := range b.Rounds {
		b.Rounds[i].Saturated = b.Rounds[i].Kind == proof.KindFloor
	}
	return b
}

func unsteady(b *proof.Bench) *proof.Bench {
	b.Steady = []proof.Steady{{Variant: "on", Round: -1, Unit: "µs", Figures: []float64{900, 500}}}
	return b
}

func withoutCPU(b *proof.Bench) *proof.Bench {
	for i := range b.Rounds {
		for j := range b.Rounds[i].Windows {
			b.Rounds[i].Windows[j].CPU = -1
		}
	}
	return b
}

func TestV6ParseLimit(t *testing.T) {
	t.Parallel()
	for _, k := range verdict.Budgets() {
		l, err := verdict.ParseLimit(k.Name + "=1.5")
		if err != nil || l.Name != k.Name || l.Value != 1.5 || k.Unit == "" || k.Title == "" {
			t.Errorf("%s: %v, %v", k.Name, l, err)
		}
	}
	for in, want := range map[string]string{
		"database-cpu-us=5": "cannot be gated on", "core-cpu-us": "want NAME=LIMIT", "x=1": "core-cpu-ratio", "core-cpu-us=NaN": "no finite number", "core-cpu-us=": "no finite number", "": "want NAME=LIMIT",
	} {
		if _, err := verdict.ParseLimit(in); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseLimit(%q): %v, want one line with %q", in, err, want)
		}
	}
}

// V8: the half-width has one method at every number of rounds, and never grows
// with one more round of the same spread.
func TestV8HalfWidthDoesNotJump(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(*proof.Cost) *proof.Estimate{
		"difference of CPU":     func(c *proof.Cost) *proof.Estimate { return c.CoreCPUDiff },
		"ratio of CPU":          func(c *proof.Cost) *proof.Estimate { return c.CoreCPURatio },
		"difference of medians": func(c *proof.Cost) *proof.Estimate { return c.CostPerCall },
		"CPU, absolute":         func(c *proof.Cost) *proof.Estimate { return c.CoreCPUOn },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, last, shown := "", math.Inf(1), 0
			for n := 1; n <= 40; n++ {
				e := of(costOf(duet(n, 5)))
				if method == "" {
					method = e.Method
				}
				if e.Method != method || e.Assumption == "" {
					t.Errorf("n = %d: method %q, before %q", n, e.Method, method)
				}
				if e.Interval == nil {
					if shown > 0 || len(e.Warnings) == 0 {
						t.Errorf("n = %d: no interval, %d had one; warnings %q", n, shown, e.Warnings)
					}
					continue
				}
				shown++
				// Even and odd numbers of rounds differ a little in spread.
				if half := e.Interval.High - e.Value; half > last*1.05 {
					t.Errorf("n = %d: half-width %.3g after %.3g", n, half, last)
				} else {
					last = half
				}
			}
			if shown < 30 {
				t.Errorf("only %d numbers of rounds have an interval", shown)
			}
		})
	}
}

// V9: dropped floor rounds do not count against cost rounds.
func TestV9DroppedAmongCostRounds(t *testing.T) {
	t.Parallel()
	invalid := func(kind string, n int) bool {
		b := duet(9, 1)
		for i := range n {
			b.Dropped = append(b.Dropped, proof.Dropped{Index: 100 + i, Kind: kind})
		}
		f := find(derived(b), verdict.KindBench)
		return f != nil && strings.Contains(f.Text, "invalid machine")
	}
	if invalid(proof.KindFloor, 9) {
		t.Error("dropped floor rounds make the machine invalid")
	}
	if invalid(proof.KindCost, 2) {
		t.Error("2 of 11 are not above a fifth")
	}
	if !invalid(proof.KindCost, 3) {
		t.Error("3 of 12 are above a fifth")
	}
}

// V10: saturated rounds are in no figure, CPU included.
func TestV10SaturatedRoundsAreInNoFigure(t *testing.T) {
	t.Parallel()
	unsaturated := costOf(duet(10, 1))
	b := duet(10, 1)
	r := costRound(10, 500, 9000)
	r.Saturated = true
	b.Rounds = append(b.Rounds, r)
	with := costOf(b)
	if with.SaturatedRounds != 1 {
		t.Errorf("%d saturated rounds, want 1", with.SaturatedRounds)
	}
	for name, pair := range map[string][2]*proof.Estimate{
		"CPU off": {unsaturated.CoreCPUOff, with.CoreCPUOff}, "CPU on": {unsaturated.CoreCPUOn, with.CoreCPUOn}, "ratio": {unsaturated.CoreCPURatio, with.CoreCPURatio},
		"difference": {unsaturated.CoreCPUDiff, with.CoreCPUDiff}, "latency": {unsaturated.CostPerCall, with.CostPerCall},
	} {
		if pair[0].Value != pair[1].Value || pair[0].N != pair[1].N {
			t.Errorf("%s: %v with the saturated round, %v without", name, pair[1], pair[0])
		}
	}
}

// N5: overload is no pass, and names the mend; no latency is below 0.
func TestN5OverloadIsNoPass(t *testing.T) {
	t.Parallel()
	b := duet(10, 1)
	for i := range 6 {
		b.Rounds[i].Saturated = true
	}
	p := derived(b)
	if f := find(p, verdict.KindBench); p.Verdict.ExitCode != 2 || f == nil || !strings.Contains(f.Text, "overload") || !strings.Contains(f.Text, "--rate than 2400") {
		t.Errorf("exit %d, %v", p.Verdict.ExitCode, f)
	}
	wide := duet(6, 1)
	for i := range wide.Rounds {
		wide.Rounds[i].Windows[1].P99 = 1 + 300*float64(i%2)
	}
	for _, row := range costOf(wide).Latency {
		for _, e := range []proof.Estimate{row.Off, row.On} {
			if e.Interval != nil && e.Interval.Low < 0 {
				t.Errorf("quantile %g: a latency from %g ms", row.Quantile, e.Interval.Low)
			}
		}
	}
}

// N3: two cores alike have no cost of a flag.
func TestN3NoCostWithoutTheFlagsControls(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		controls []proof.VariantControl
		exit     int
		text     string
	}{
		{"both as they should be", []proof.VariantControl{{Variant: "off", Trials: 5, Accepted: 5}, {Variant: "on", Trials: 5}}, 0, ""},
		{"off refuses", []proof.VariantControl{{Variant: "off", Trials: 5}, {Variant: "on", Trials: 5}}, 2, "is the flag on there?"},
		{"on accepts", []proof.VariantControl{{Variant: "off", Trials: 5, Accepted: 5}, {Variant: "on", Trials: 5, Accepted: 1}}, 1, "variant on accepted 1 of 5"},
		{"off refuses one", []proof.VariantControl{{Variant: "off", Trials: 4, Accepted: 3, Against: []string{"off-2"}}, {Variant: "on", Trials: 4}}, 2, "variant off refused 1 of 4 revoked tokens (off-2)"},
		{"on accepts at one core", []proof.VariantControl{{Variant: "off", Trials: 4, Accepted: 4}, {Variant: "on", Trials: 4, Accepted: 1, Against: []string{"on-4"}}}, 1, "variant on accepted 1 of 4 revoked tokens (on-4)"},
		{"off not tried", []proof.VariantControl{{Variant: "on", Trials: 5}}, 2, "variant off was not tried"},
		{"on not tried", []proof.VariantControl{{Variant: "off", Trials: 5, Accepted: 5}}, 2, "variant on was not tried"},
		{"trouble", []proof.VariantControl{{Variant: "off", Trouble: "reset"}, {Variant: "on", Trials: 5}}, 2, "reset"},
		{"none", nil, 2, "not tried"},
	} {
		b := floored(duet(10, 1), 3)
		b.Controls = tc.controls
		p := derived(b)
		text := ""
		if f := find(p, verdict.KindBench); f != nil {
			text = f.Text
		}
		if p.Verdict.ExitCode != tc.exit || !strings.Contains(text, tc.text) {
			t.Errorf("%s: exit %d, %q; want %d, %q", tc.name, p.Verdict.ExitCode, text, tc.exit, tc.text)
		}
		if c := p.Targets[0].Bench[0].Cost; tc.exit > 0 && c.Gateable {
			t.Errorf("%s: it may be gated on", tc.name)
		}
	}
}

// N2: a floor that is no measurement is not available, and nothing is gated on it.
func TestN2FloorThatIsNone(t *testing.T) {
	t.Parallel()
	alike := func(b *proof.Bench, off, on float64) *proof.Bench {
		for i := range 4 {
			r := costRound(100+i, off, on)
			r.Kind = proof.KindFloor
			r.Windows[1].Variant = "off"
			b.Rounds = append(b.Rounds, r)
		}
		return b
	}
	if c := costOf(alike(duet(10, 1), 100, 101)); c.Floor == nil || c.Floor.Interval == nil || !c.Gateable {
		t.Errorf("a floor of two processes: %+v, gateable %v", c.Floor, c.Gateable)
	}
	if c := costOf(alike(duet(10, 1), 100, 100)); c.Floor != nil || c.Gateable || !strings.Contains(c.NotGateable, "one process's clock") {
		t.Errorf("one clock on both sides: floor %+v, gateable %v (%s)", c.Floor, c.Gateable, c.NotGateable)
	}
	b := alike(duet(10, 1), 100, 101)
	b.Design.FloorReason = "the cores are not ours to start"
	p := derived(b)
	if c := p.Targets[0].Bench[0].Cost; c.Floor != nil || c.Gateable || !strings.Contains(c.NotGateable, "not available: the cores are not ours") || find(p, verdict.KindBench) == nil {
		t.Errorf("no floor possible: %+v, gateable %v (%s)", c.Floor, c.Gateable, c.NotGateable)
	}
}

// F2: a core that never became steady says so, and is not gated on.
func TestF2NoSteadyStateIsSaid(t *testing.T) {
	t.Parallel()
	p := derived(unsteady(duet(10, 1)))
	c := p.Targets[0].Bench[0].Cost
	f := find(p, verdict.KindSteady)
	if c.Gateable || f == nil || f.Weight != proof.Warns || p.Verdict.ExitCode != 0 {
		t.Errorf("gateable %v, finding %v, exit %d", c.Gateable, f, p.Verdict.ExitCode)
	}
	for name, e := range map[string]*proof.Estimate{"ratio": c.CoreCPURatio, "difference": c.CoreCPUDiff, "latency": c.CostPerCall} {
		if !strings.Contains(fmt.Sprint(e.Warnings), "no steady state") {
			t.Errorf("%s has no warning: %q", name, e.Warnings)
		}
	}
}

func TestWrongAnswersUnderLoadFail(t *testing.T) {
	t.Parallel()
	b := duet(10, 1)
	b.Rounds[3].Windows[1].Errors, b.Rounds[3].Windows[1].Example = 2, "HTTP 500"
	b.Rounds[4].Windows[1].Errors = 1
	p := derived(b)
	if f := find(p, verdict.KindBench); p.Verdict.ExitCode != 1 || f == nil || !strings.Contains(f.Text, "3 calls answered wrongly under load, in 2 rounds, e.g. HTTP 500") {
		t.Errorf("exit %d, %v", p.Verdict.ExitCode, f)
	}
}

// The database's CPU is what is above idling, for the calls that ask it.
func TestDatabaseCPU(t *testing.T) {
	t.Parallel()
	b := duet(6, 0)
	for i := range b.Rounds {
		b.Rounds[i].DatabaseCPU, b.Rounds[i].Took = 50_000+1_000*2, 2e9
	}
	idle := 1000.0
	b.IdleDatabaseCPU = &idle
	c := costOf(b)
	if c.DatabaseCPU == nil || math.Abs(c.DatabaseCPU.Value-50) > 1e-9 {
		t.Errorf("database CPU %+v, want 50 µs a call", c.DatabaseCPU)
	}
	if c.TotalCPUOn == nil || math.Abs(c.TotalCPUOn.Value-180) > 1e-9 || math.Abs(c.TotalCPURatio.Value-1.8) > 1e-9 {
		t.Errorf("in all %+v, %+v; want 180 µs, 1.8", c.TotalCPUOn, c.TotalCPURatio)
	}
	most := 1e6
	b.IdleDatabaseCPU = &most
	if c := costOf(b); c.DatabaseCPU == nil || c.DatabaseCPU.Value != 0 || c.TotalCPUOn.Value != 130 {
		t.Errorf("less than idling: database %+v, in all %+v; want 0 and the core's own", c.DatabaseCPU, c.TotalCPUOn)
	}
	b.IdleDatabaseCPU = nil
	if c := costOf(b); !strings.Contains(fmt.Sprint(c.DatabaseCPU.Warnings), "without load could not be read") {
		t.Errorf("idle not read, and not said: %q", c.DatabaseCPU.Warnings)
	}
}

func TestRatioOfARunningBench(t *testing.T) {
	t.Parallel()
	b := duet(10, 1)
	whole, running := costOf(b).CoreCPURatio, verdict.Ratio(b.Rounds, proof.KindCost, "off", "on")
	if running == nil || running.Value != whole.Value || *running.Interval != *whole.Interval {
		t.Errorf("running %+v, in the end %+v", running, whole)
	}
	if r := verdict.Ratio(nil, proof.KindCost, "off", "on"); r != nil {
		t.Errorf("of no rounds: %+v", r)
	}
}

// TestTLSThatWasAskedFor: figures of plain connections are not those of TLS.
func TestTLSThatWasAskedFor(t *testing.T) {
	t.Parallel()
	for tls, want := range map[string]struct {
		kind string
		exit int
	}{"yes": {"", 0}, "no": {verdict.KindTarget, 2}, "unknown": {verdict.KindSetting, 0}} {
		e, _ := examples.Named("good")
		p := e.Proof
		p.Targets[0].Database.TLS, p.Targets[0].Database.TLSWanted = tls, true
		verdict.Derive(p)
		text := ""
		for _, f := range p.Verdict.Findings {
			if strings.Contains(f.Text, "encrypted connections") {
				text = f.Kind
			}
		}
		if text != want.kind || p.Verdict.ExitCode != want.exit {
			t.Errorf("TLS %s: a finding of kind %q, exit %d; want %q, %d", tls, text, p.Verdict.ExitCode, want.kind, want.exit)
		}
	}
}

package verdict_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// gateOf is a gate whose duet shows what d says, with one profile and counts held.
func gateOf(d examples.GateDuet, more ...func(*proof.Proof)) *proof.Proof {
	e, _ := examples.Named("gate-undecided")
	p := e.Proof
	p.Gate.Bench = []proof.Bench{d.Bench()}
	for _, f := range more {
		f(p)
	}
	verdict.Derive(p)
	return p
}

var quiet = examples.GateDuet{Rounds: 20, Sigma: 0.01}

// aboutTheLimit gives head medians about 1 ms, and a limit there.
func aboutTheLimit(p *proof.Proof) {
	for i := range p.Gate.Bench[0].Rounds {
		for j := range p.Gate.Bench[0].Rounds[i].Windows {
			p.Gate.Bench[0].Rounds[i].Windows[j].P50 = 0.9 + 0.2*float64(i%2)
		}
	}
	p.Gate.Limits = append(p.Gate.Limits, proof.Limit{Name: verdict.GateP50, Value: 1})
}

func TestGate(t *testing.T) {
	t.Parallel()
	with := func(change func(*examples.GateDuet)) examples.GateDuet {
		d := quiet
		change(&d)
		return d
	}
	headCheck := func(p *proof.Proof) *proof.Check { return &p.Targets[1].Conformance.Checks[0] }
	broken := func(k *proof.Check) { k.Violations = []proof.Violation{{Expected: "a", Got: "b"}} }
	for _, c := range []struct {
		name    string
		duet    examples.GateDuet
		change  func(*proof.Proof)
		outcome proof.Outcome
		exit    int
		reason  string
		says    string // in the headline
	}{
		{"identical", quiet, nil, proof.Pass, 0, verdict.ReasonHeld, "no worse"},
		{"slower with the flag on", with(func(d *examples.GateDuet) { d.On = math.Log(1.05) }), nil, proof.Fail, 1, verdict.ReasonRegression, "cpu-on"},
		{"slower with the flag off", with(func(d *examples.GateDuet) { d.Off = math.Log(1.05) }), nil, proof.Fail, 1, verdict.ReasonRegression, "cpu-off"},
		{"faster", with(func(d *examples.GateDuet) { d.On = -0.3 }), nil, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"at the limit", with(func(d *examples.GateDuet) { d.On = math.Log(1.02) }), nil, proof.Undecided, 0, verdict.ReasonUndecided, "Not shown"},
		{"at the limit, strict", with(func(d *examples.GateDuet) { d.On = math.Log(1.02) }), func(p *proof.Proof) { p.Gate.Strict = true }, proof.Undecided, 2, verdict.ReasonUndecided, ""},
		{"noisy", with(func(d *examples.GateDuet) { d.Sigma = 0.3 }), nil, proof.Undecided, 0, verdict.ReasonNoisy, "machine too noisy"},
		{"memory", with(func(d *examples.GateDuet) { d.Memory = 64 << 20 }), nil, proof.Fail, 1, verdict.ReasonRegression, "memory"},
		{"another statement", quiet, func(p *proof.Proof) { p.Targets[1].Footprint.Statements[1].Count++ }, proof.Fail, 1, verdict.ReasonStatements, "statements of verify"},
		{"a statement less", quiet, func(p *proof.Proof) { p.Targets[0].Footprint.Statements[1].Count++ }, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"a check broken", quiet, func(p *proof.Proof) { broken(headCheck(p)) }, proof.Fail, 1, verdict.ReasonProfile, "BL-01"},
		{"a check that base breaks too", quiet, func(p *proof.Proof) { broken(headCheck(p)); broken(&p.Targets[0].Conformance.Checks[0]) }, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"base and head let the logged-out in", quiet, func(p *proof.Proof) {
			for i := range p.Targets {
				for j := range p.Targets[i].Conformance.Checks {
					if m := p.Targets[i].Conformance.Checks[j].Immediacy; m != nil && m.Calls > 0 {
						broken(&p.Targets[i].Conformance.Checks[j])
						m.Accepted, m.Broken = 1, 1
					}
				}
			}
		}, proof.Fail, 1, verdict.ReasonAccepted, "whatever base does"},
		{"a required profile that base breaks too", quiet, func(p *proof.Proof) {
			p.Require = []string{verdict.Blacklisting}
			broken(headCheck(p))
			broken(&p.Targets[0].Conformance.Checks[0])
		}, proof.Fail, 1, verdict.ReasonProfile, "required profile blacklisting"},
		{"a required profile", quiet, func(p *proof.Proof) { p.Require = []string{verdict.Blacklisting} }, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"a required profile that nobody tried", quiet, func(p *proof.Proof) { p.Require = []string{"rotation"} }, proof.Error, 2, verdict.ReasonIncomplete, "rotation"},
		{"a check mended", quiet, func(p *proof.Proof) { broken(&p.Targets[0].Conformance.Checks[0]) }, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"a check that head could not try", quiet, func(p *proof.Proof) { headCheck(p).Trouble = "no answer" }, proof.Undecided, 0, verdict.ReasonIncomplete, "could not show"},
		{"a check that head left out", quiet, func(p *proof.Proof) {
			c, left := p.Targets[1].Conformance, *headCheck(p)
			c.Checks = slices.DeleteFunc(c.Checks, func(k proof.Check) bool { return k.ID == left.ID })
		}, proof.Error, 2, verdict.ReasonIncomplete, "head left out"},
		{"a version that head does not speak any more", quiet, func(p *proof.Proof) {
			c, left := p.Targets[1].Conformance, *headCheck(p)
			c.Checks = slices.DeleteFunc(c.Checks, func(k proof.Check) bool { return k.Protocol == left.Protocol })
		}, proof.Undecided, 0, verdict.ReasonIncomplete, "could not show"},
		{"required and skipped", quiet, func(p *proof.Proof) {
			p.Require = []string{"blacklisting"}
			headCheck(p).Lacks = &proof.Lack{Kind: "instances", Text: "one core alone"}
		}, proof.Error, 2, verdict.ReasonIncomplete, "required"},
		{"base brought nothing up", quiet, func(p *proof.Proof) { p.Targets[0].Error = "no such file" }, proof.Error, 2, verdict.ReasonTarget, "no such file"},
		{"no image", quiet, func(p *proof.Proof) { p.Targets[1].Error = "no such image"; p.Gate.Head.Missing = true }, proof.Error, 2, verdict.ReasonImage, ""},
		{"interrupted", quiet, func(p *proof.Proof) { p.Interrupted = "SIGINT" }, proof.Error, 2, verdict.ReasonInterrupted, ""},
		{"no clock", quiet, func(p *proof.Proof) {
			for i := range p.Gate.Bench[0].Rounds {
				for j := range p.Gate.Bench[0].Rounds[i].Windows {
					p.Gate.Bench[0].Rounds[i].Windows[j].CPU = -1
				}
			}
		}, proof.Error, 2, verdict.ReasonNotReadable, "--base-pid"},
		{"head answers wrongly", quiet, func(p *proof.Proof) { p.Gate.Bench[0].Rounds[1].Windows[3].Errors = 2 }, proof.Fail, 1, verdict.ReasonWrong, "wrongly"},
		{"base answers wrongly", quiet, func(p *proof.Proof) { p.Gate.Bench[0].Rounds[1].Windows[0].Errors = 2 }, proof.Error, 2, verdict.ReasonWrong, "answers of base"},
		{"head lets revoked tokens in", quiet, func(p *proof.Proof) { p.Gate.Bench[0].Controls[3].Accepted = 1 }, proof.Fail, 1, verdict.ReasonAccepted, "revoked"},
		{"rounds dropped", quiet, func(p *proof.Proof) {
			for i := range 10 {
				p.Gate.Bench[0].Dropped = append(p.Gate.Bench[0].Dropped, proof.Dropped{Index: 100 + i, Kind: proof.KindCost, Reason: "x"})
			}
		}, proof.Undecided, 0, verdict.ReasonNoisy, "invalid machine"},
		{"within an absolute limit", quiet, func(p *proof.Proof) {
			p.Gate.Limits = append(p.Gate.Limits, proof.Limit{Name: verdict.GateP99, Value: 20})
		}, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"beyond an absolute limit", quiet, func(p *proof.Proof) {
			p.Gate.Limits = append(p.Gate.Limits, proof.Limit{Name: verdict.GateP50, Value: 0.1})
		}, proof.Fail, 1, verdict.ReasonLimit, "absolute limit, on this machine"},
		{"an absolute limit in the middle of the figure's interval", quiet, aboutTheLimit, proof.Undecided, 0, verdict.ReasonUndecided, "absolute limit"},
		{"statements of base could not be counted", quiet, func(p *proof.Proof) { p.Targets[0].Footprint = &proof.Footprint{} }, proof.Pass, 0, verdict.ReasonHeld, ""},
		{"statements of head could not be counted", quiet, func(p *proof.Proof) { p.Targets[1].Footprint = &proof.Footprint{} }, proof.Error, 2, verdict.ReasonIncomplete, "not of head"},
		{"a counter that stands still", quiet, func(p *proof.Proof) {
			for i := range p.Targets[1].Footprint.Statements {
				p.Targets[1].Footprint.Statements[i].Count = 0
			}
		}, proof.Error, 2, verdict.ReasonNotReadable, "no statement of head was seen"},
		{"a counter that began anew", quiet, func(p *proof.Proof) { p.Targets[1].Footprint.Statements[1].Count = -5 }, proof.Error, 2, verdict.ReasonNotReadable, "not a count"},
		{"a tenth of base's trials", quiet, func(p *proof.Proof) { headCheck(p).Trials, p.Targets[0].Conformance.Checks[0].Trials = 5, 50 }, proof.Undecided, 0, verdict.ReasonIncomplete, "5 trials, base 50"},
		{"no revoked token could be offered to head", quiet, func(p *proof.Proof) {
			p.Gate.Bench[0].Controls[3].Trials, p.Gate.Bench[0].Controls[3].Trouble = 0, "HTTP 500"
		}, proof.Error, 2, verdict.ReasonIncomplete, "HTTP 500"},
		{"no duet, as head had failed before", quiet, func(p *proof.Proof) {
			p.Targets[1].Footprint.Statements[1].Count++
			p.Gate.Bench, p.Gate.LeftOut = nil, "head had failed before: statements"
		}, proof.Fail, 1, verdict.ReasonStatements, "statements of verify"},
		{"no duet, and head has not failed", quiet, func(p *proof.Proof) {
			p.Gate.Bench, p.Gate.LeftOut = nil, "head had failed before: statements"
		}, proof.Error, 2, verdict.ReasonIncomplete, "not measured"},
		{"nothing compared", quiet, func(p *proof.Proof) { *p.Gate = proof.Gate{}; p.Targets = nil }, proof.Error, 2, verdict.ReasonNothingTried, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := gateOf(c.duet, func(p *proof.Proof) {
				if c.change != nil {
					c.change(p)
				}
			})
			v := p.Verdict
			if v.Outcome != c.outcome || v.ExitCode != c.exit || p.Gate.Reason != c.reason || !strings.Contains(v.Headline, c.says) {
				t.Errorf("got %s, exit %d, reason %s: %s\nwant %s, exit %d, reason %s, with %q", v.Outcome, v.ExitCode, p.Gate.Reason, v.Headline, c.outcome, c.exit, c.reason, c.says)
			}
			if d := verdict.Compare(p); len(d) > 0 {
				t.Errorf("derived anew it differs: %v", d[0])
			}
		})
	}
}

// TestGateVerdictLine: effect, interval, rounds, spread, floor and time.
// A gain too large to be believed is held, and doubted.
func TestGateDoubtsLargeGains(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		gain  float64
		doubt bool
	}{{0, false}, {0.2, false}, {0.5, true}} {
		d := quiet
		d.On = -tc.gain
		p := gateOf(d)
		f := find(p, verdict.KindGate)
		if doubt := f != nil && f.Weight == proof.Warns && strings.Contains(f.Text, "went unseen"); doubt != tc.doubt || p.Verdict.ExitCode != 0 {
			t.Errorf("gain %v: exit %d, %+v", tc.gain, p.Verdict.ExitCode, f)
		}
	}
}

func TestGateVerdictLine(t *testing.T) {
	t.Parallel()
	p := gateOf(examples.GateDuet{Rounds: 20, Sigma: 0.01, On: math.Log(1.05)})
	for _, want := range []string{"head takes +", " to +", "rounds", "σ", "noise floor", "of measuring", "limit +2.0 %"} {
		if !strings.Contains(p.Verdict.Headline, want) {
			t.Errorf("%q is missing in: %s", want, p.Verdict.Headline)
		}
	}
}

// TestGateFindsEdits: a budget, a reason and a floor that do not follow are named.
func TestGateFindsEdits(t *testing.T) {
	t.Parallel()
	for path, edit := range map[string]func(*proof.Gate){
		"gate.budgets[1].outcome":        func(g *proof.Gate) { g.Budgets[1].Outcome = proof.Pass },
		"gate.reason":                    func(g *proof.Gate) { g.Reason = "held" },
		"gate.budgets[0].sigma":          func(g *proof.Gate) { g.Budgets[0].Sigma *= 2 },
		"gate.budgets[0].observed":       func(g *proof.Gate) { g.Budgets[0].Observed = nil },
		"gate.budgets[0].observed.value": func(g *proof.Gate) { g.Budgets[0].Observed.Value += 0.01 },
	} {
		p := gateOf(examples.GateDuet{Rounds: 20, Sigma: 0.01, On: math.Log(1.05)})
		edit(p.Gate)
		found := fmt.Sprint(verdict.Compare(p))
		if !strings.Contains(found, path+":") {
			t.Errorf("the edit of %s is not found: %s", path, found)
		}
	}
}

// TestGateOpen: measuring goes on while a figure is open, and no longer.
func TestGateOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		duet examples.GateDuet
		open bool
	}{
		{"before the first look", examples.GateDuet{Rounds: 5, Sigma: 0.0001}, true},
		{"decided", quiet, false},
		{"at the limit", examples.GateDuet{Rounds: 20, Sigma: 0.01, On: math.Log(1.02)}, true},
		{"at the limit, all rounds made", examples.GateDuet{Rounds: 75, Sigma: 0.03, On: math.Log(1.02)}, false},
	} {
		p := gateOf(c.duet)
		if got := verdict.GateOpen(p.Gate, &p.Gate.Bench[0]); got != c.open {
			t.Errorf("%s: open = %v", c.name, got)
		}
	}
	if p := gateOf(quiet, aboutTheLimit); !verdict.GateOpen(p.Gate, &p.Gate.Bench[0]) {
		t.Error("an absolute limit is open, and measuring ends")
	}
}

// TestGateRounds: figures share the error, so more of them need more rounds.
func TestGateSharesTheError(t *testing.T) {
	t.Parallel()
	d := examples.GateDuet{Rounds: 40, Sigma: 0.02, On: math.Log(1.05)}
	alone := gateOf(d, func(p *proof.Proof) { p.Gate.Limits = []proof.Limit{{Name: verdict.GateCPUOn, Value: 0.02}} })
	shared := gateOf(d, func(p *proof.Proof) { p.Gate.Protocols = 4 })
	at := func(p *proof.Proof) int {
		for _, b := range p.Gate.Budgets {
			if b.Name == verdict.GateCPUOn {
				return b.Decided
			}
		}
		return 0
	}
	if a, s := at(alone), at(shared); a == 0 || s <= a {
		t.Errorf("decided after %d rounds alone and %d among twelve figures", a, s)
	}
}

func savedGate(t *testing.T, change func(base, head *proof.Target, p *proof.Proof)) *proof.Proof {
	t.Helper()
	e, _ := examples.Named("good")
	base, head := proof.Clone(e.Proof), proof.Clone(e.Proof)
	p := &proof.Proof{Started: time.Now(), Finished: time.Now(), Targets: []proof.Target{base.Targets[0], head.Targets[0]}}
	p.Targets[0].Name, p.Targets[1].Name = "base/x", "head/x"
	p.Gate = &proof.Gate{Saved: true, Conform: true, Statements: true, Limits: []proof.Limit{{Name: verdict.GateOnOff, Value: 0.1}},
		Base: proof.GateSide{Targets: []string{"base/x"}, Machine: &base.Machine}, Head: proof.GateSide{Targets: []string{"head/x"}, Machine: &head.Machine}}
	change(&p.Targets[0], &p.Targets[1], p)
	verdict.Derive(p)
	return p
}

func TestGateOfSavedProofs(t *testing.T) {
	t.Parallel()
	slower := func(by float64) func(_, head *proof.Target, _ *proof.Proof) {
		return func(_, head *proof.Target, _ *proof.Proof) {
			for i := range head.Bench {
				for j := range head.Bench[i].Rounds {
					for k := range head.Bench[i].Rounds[j].Windows {
						if w := &head.Bench[i].Rounds[j].Windows[k]; w.Variant == "on" {
							w.CPU *= by
						}
					}
				}
			}
		}
	}
	design := func(change func(d *proof.Design)) func(_, head *proof.Target, _ *proof.Proof) {
		return func(_, head *proof.Target, _ *proof.Proof) {
			for i := range head.Bench {
				change(&head.Bench[i].Design)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(base, head *proof.Target, p *proof.Proof)
		want   proof.Outcome
		reason string
	}{
		{"the same", func(_, _ *proof.Target, _ *proof.Proof) {}, proof.Pass, verdict.ReasonHeld},
		{"on dearer by a half", slower(1.5), proof.Fail, verdict.ReasonRegression},
		{"on dearer by 9 %", slower(1.09), proof.Undecided, verdict.ReasonUndecided},
		{"all dearer, as on another machine", func(_, head *proof.Target, _ *proof.Proof) {
			for i := range head.Bench {
				for j := range head.Bench[i].Rounds {
					for k := range head.Bench[i].Rounds[j].Windows {
						head.Bench[i].Rounds[j].Windows[k].CPU *= 3
					}
				}
			}
		}, proof.Pass, verdict.ReasonHeld},
		{"another statement", func(_, head *proof.Target, _ *proof.Proof) { head.Footprint.Statements[1].Count++ }, proof.Fail, verdict.ReasonStatements},
		{"head without statements", func(_, head *proof.Target, _ *proof.Proof) { head.Footprint = nil }, proof.Error, verdict.ReasonIncomplete},
		{"head without one statement", func(_, head *proof.Target, _ *proof.Proof) {
			head.Footprint.Statements = head.Footprint.Statements[1:]
		}, proof.Error, verdict.ReasonIncomplete},
		{"base without statements", func(base, _ *proof.Target, _ *proof.Proof) { base.Footprint = nil }, proof.Pass, verdict.ReasonHeld},
		{"head without load", func(_, head *proof.Target, _ *proof.Proof) { head.Bench = nil }, proof.Error, verdict.ReasonIncomplete},
		{"head without load in one version", func(_, head *proof.Target, _ *proof.Proof) { head.Bench = head.Bench[:1] }, proof.Error, verdict.ReasonIncomplete},
		{"neither under load", func(base, head *proof.Target, _ *proof.Proof) { base.Bench, head.Bench = nil, nil }, proof.Pass, verdict.ReasonHeld},
		{"an absolute limit and no load", func(base, head *proof.Target, p *proof.Proof) {
			base.Bench, head.Bench = nil, nil
			p.Gate.Limits = append(p.Gate.Limits, proof.Limit{Name: verdict.GateP99, Value: 1000})
		}, proof.Error, verdict.ReasonNotReadable},
		{"a profile that was not tried on head", func(_, head *proof.Target, _ *proof.Proof) {
			c := head.Conformance
			c.Checks = slices.DeleteFunc(c.Checks, func(k proof.Check) bool { return slices.Contains(k.Profiles, "isolation") })
		}, proof.Error, verdict.ReasonIncomplete},
		{"nothing in common", func(base, head *proof.Target, p *proof.Proof) {
			p.Gate.Conform, p.Gate.Statements = false, false
			base.Bench = nil
		}, proof.Error, verdict.ReasonNothingTried},
		{"a target of base alone", func(base, _ *proof.Target, p *proof.Proof) {
			p.Gate.Base.Targets = append(p.Gate.Base.Targets, "base/gone")
		}, proof.Error, verdict.ReasonIncomplete},
		{"another share of verifies", design(func(d *proof.Design) { d.VerifyShare = 0.9 }), proof.Error, verdict.ReasonLoads},
		{"not pinned", design(func(d *proof.Design) { d.Pinned = false }), proof.Error, verdict.ReasonLoads},
		{"three times the rate, as the caller set it", func(base, head *proof.Target, p *proof.Proof) {
			design(func(d *proof.Design) { d.RateShare = 0 })(nil, base, p)
			design(func(d *proof.Design) { d.RateShare, d.RateHz = 0, 3*d.RateHz })(nil, head, p)
		}, proof.Error, verdict.ReasonLoads},
		{"a rate that was calibrated, of a core three times as fast", design(func(d *proof.Design) { d.RateHz *= 3 }), proof.Pass, verdict.ReasonHeld},
		{"a hundred times the rows", design(func(d *proof.Design) { n := 100 * *d.Rows; d.Rows = &n }), proof.Error, verdict.ReasonLoads},
		{"farther from the database", design(func(d *proof.Design) { d.DatabaseAt += ", 5ms away" }), proof.Error, verdict.ReasonLoads},
		{"TLS to the database", func(_, head *proof.Target, _ *proof.Proof) { head.Database.TLS = "yes" }, proof.Error, verdict.ReasonLoads},
		{"absolute, same machine", func(_, _ *proof.Target, p *proof.Proof) {
			p.Gate.Limits = append(p.Gate.Limits, proof.Limit{Name: verdict.GateP99, Value: 1000})
		}, proof.Pass, verdict.ReasonHeld},
		{"absolute, another machine", func(_, _ *proof.Target, p *proof.Proof) {
			p.Gate.Limits = append(p.Gate.Limits, proof.Limit{Name: verdict.GateP99, Value: 1000})
			m := *p.Gate.Head.Machine
			m.CPU = "another CPU"
			p.Gate.Head.Machine = &m
		}, proof.Error, verdict.ReasonMachines},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := savedGate(t, c.change)
			if p.Verdict.Outcome != c.want || p.Gate.Reason != c.reason {
				t.Errorf("got %s, reason %s: %s; want %s, %s", p.Verdict.Outcome, p.Gate.Reason, p.Verdict.Headline, c.want, c.reason)
			}
		})
	}
}

func TestParseGateLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		saved bool
		want  string // limits, or the error
	}{
		{"", false, "[{cpu-off 0.02} {cpu-on 0.02} {memory 8192}]"},
		{"", true, "[{on-off 0.1}]"},
		{"cpu=3%", false, "[{cpu-off 0.03} {cpu-on 0.03} {memory 8192}]"},
		{"cpu-on=0.05", false, "[{cpu-off 0.02} {cpu-on 0.05} {memory 8192}]"},
		{"memory=off", false, "[{cpu-off 0.02} {cpu-on 0.02}]"},
		{"p99-ms=20", false, "[{cpu-off 0.02} {cpu-on 0.02} {memory 8192} {p99-ms 20}]"},
		{"on-off=25%", true, "[{on-off 0.25}]"},
		{"on-off=5%", true, "10 % at least"},
		{"on-off=25%", false, "for saved proofs"},
		{"cpu=2%", true, "no duet"},
		{"cpu=2", false, "write 2% or 0.02"},
		{"cpu=-1%", false, "not negative"},
		{"cpu=NaN", false, "not negative"},
		{"memory=5%", false, "no per cent"},
		{"speed=1", false, "want NAME=LIMIT"},
		{"cpu", false, "want NAME=LIMIT"},
	} {
		var in []string
		if c.in != "" {
			in = []string{c.in}
		}
		got, err := verdict.ParseGateLimits(in, c.saved)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v, want %q", c.in, err, c.want)
			}
		} else if fmt.Sprint(got) != c.want {
			t.Errorf("%q: got %v, want %s", c.in, got, c.want)
		}
	}
}

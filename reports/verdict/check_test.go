package verdict_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// race has trials that met and trials that did not.
func race(want, ab, ba, apart int) *proof.Race {
	r := &proof.Race{Want: want}
	for i := range ab + ba {
		order := "ab"
		if i >= ab {
			order = "ba"
		}
		r.Trials = append(r.Trials, proof.RaceTrial{ACall: 0, AReturn: 10, BCall: 5, BReturn: 15, Order: order})
	}
	for range apart {
		r.Trials = append(r.Trials, proof.RaceTrial{ACall: 0, AReturn: 10, BCall: 5_000, BReturn: 5_010, Order: "ab"})
	}
	return r
}

func TestCheck(t *testing.T) {
	t.Parallel()
	broken := []proof.Violation{{Expected: "no", Got: "yes"}}
	held := proof.Immediacy{Revokes: 10, Calls: 40, Twins: 10, TwinsAccepted: 10}
	with := func(do func(*proof.Immediacy)) *proof.Immediacy {
		m := held
		do(&m)
		return &m
	}
	h := func(result string) []proof.History {
		return []proof.History{{Check: "X-1", Protocol: "P", Operations: 9, Result: result}, {Check: "X-1", Protocol: "Q", Result: "not linearizable"}}
	}
	for _, tc := range []struct {
		name      string
		c         proof.Check
		histories []proof.History
		want      proof.Outcome
		reason    string
	}{
		{"held", proof.Check{Trials: 3}, nil, proof.Pass, ""},
		{"broken", proof.Check{Trials: 3, Violations: broken}, nil, proof.Fail, ""},
		{"a harness error hides no failure", proof.Check{Trials: 3, Violations: broken, Trouble: "reset"}, nil, proof.Fail, "reset"},
		{"a lack hides no failure", proof.Check{Trials: 3, Violations: broken, Lacks: &proof.Lack{Text: "x"}}, nil, proof.Fail, ""},
		{"could not fail hides no failure", proof.Check{Trials: 3, Violations: broken, CouldNotFail: "x"}, nil, proof.Fail, ""},
		{"a lack", proof.Check{Lacks: &proof.Lack{Kind: "verb", Text: "no listing"}}, nil, proof.Skip, "no listing"},
		{"a harness error", proof.Check{Trials: 3, Trouble: "reset"}, nil, proof.Error, "reset"},
		{"could not fail", proof.Check{Trials: 3, CouldNotFail: "nothing was read before"}, nil, proof.Vacuous, "nothing was read before"},
		{"nothing at all", proof.Check{}, nil, proof.Vacuous, "nothing was tried"},
		{"a history alone is evidence", proof.Check{}, h("linearizable"), proof.Pass, ""},
		{"a broken history", proof.Check{Trials: 1}, h("not linearizable"), proof.Fail, "not linearizable"},
		{"a history without an end", proof.Check{Trials: 1}, h("unknown"), proof.Error, "could not be judged"},
		{"a history that says something else", proof.Check{Trials: 1}, h("fine"), proof.Error, "could not be judged"},
		{"accepted without a violation", proof.Check{Trials: 1, Immediacy: with(func(m *proof.Immediacy) { m.Accepted, m.Broken = 1, 1 })}, nil, proof.Fail, "1 of 40 calls"},
		{"refused, with twins", proof.Check{Trials: 1, Immediacy: &held}, nil, proof.Pass, ""},
		{"no revoke was followed by a call", proof.Check{Trials: 1, Immediacy: with(func(m *proof.Immediacy) { m.Calls = 0 })}, nil, proof.Vacuous, "no call followed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.c.ID, tc.c.Protocol = "X-1", "P"
			got, reason := verdict.Check(&tc.c, tc.histories)
			if got != tc.want || !strings.Contains(reason, tc.reason) || tc.reason == "" && reason != "" {
				t.Errorf("got %s, %q; want %s, %q", got, reason, tc.want, tc.reason)
			}
		})
	}
}

// V1: a race whose calls never met shows nothing, whatever held.
func TestV1RaceCountsOnlyWhenItsCallsMet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		race *proof.Race
		want proof.Outcome
	}{
		{"enough of both", race(10, 10, 10, 5), proof.Pass},
		{"never met", race(10, 0, 0, 80), proof.Vacuous},
		{"one order alone", race(10, 80, 0, 0), proof.Vacuous},
		{"one too few", race(10, 10, 9, 80), proof.Vacuous},
		{"no trials", &proof.Race{Want: 10}, proof.Vacuous},
		{"nothing wanted still wants one", race(0, 0, 0, 80), proof.Vacuous},
	} {
		k := proof.Check{ID: "BL-54", Trials: 80, Race: tc.race}
		got, reason := verdict.Check(&k, nil)
		if got != tc.want {
			t.Errorf("%s: got %s (%s), want %s", tc.name, got, reason, tc.want)
		}
		if got == proof.Vacuous && !strings.Contains(reason, "pairs of calls") {
			t.Errorf("%s: the reason does not say how many met: %q", tc.name, reason)
		}
	}
	p, _ := saved(t, "undecided")
	if p.Verdict.ExitCode != 2 || find(p, verdict.KindRace) == nil {
		t.Errorf("a race that did not meet: exit %d, findings %v", p.Verdict.ExitCode, p.Verdict.Findings)
	}
}

// V12: a core that always checks is proved by its twins.
func TestV12TwinsProveACoreThatAlwaysChecks(t *testing.T) {
	t.Parallel()
	p, _ := saved(t, "good")
	p.Targets[0].Conformance.Switch = nil // it has no switch
	verdict.Derive(p)
	if p.Verdict.Outcome != proof.Pass || !strings.HasPrefix(p.Verdict.Headline, "Logging out took effect at once") {
		t.Errorf("without a switch: %s, %q", p.Verdict.Outcome, p.Verdict.Headline)
	}
	// Or it has one that changes nothing, which is for its own profile to judge.
	p.Targets[0].Conformance.Switch = []proof.SwitchControl{{Protocol: "CDI 5.4", Instance: "off-0", Trials: 5}}
	verdict.Derive(p)
	if f := find(p, verdict.KindSwitch); p.Verdict.Outcome != proof.Pass || f == nil || f.Weight != proof.Warns {
		t.Errorf("a switch that changes nothing: %s, %v", p.Verdict.Outcome, f)
	}
	// Without twins nothing is proved.
	for i := range p.Targets[0].Conformance.Checks {
		if m := p.Targets[0].Conformance.Checks[i].Immediacy; m != nil {
			m.TwinsAccepted = 0
		}
	}
	verdict.Derive(p)
	if p.Verdict.ExitCode != 2 {
		t.Errorf("without twins: exit %d, want 2", p.Verdict.ExitCode)
	}
	if f := at(p).profile("blacklisting"); f.Outcome != proof.Vacuous {
		t.Errorf("without twins blacklisting is %s", f.Outcome)
	}
}

// V12: where the caller named a core as one whose flag is off, its refusal makes
// the comparison void.
func TestV12NamedOffCoreThatRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		control proof.SwitchControl
		text    string
	}{
		{"refused all", proof.SwitchControl{Trials: 5}, "is the flag on there?"},
		{"refused some", proof.SwitchControl{Trials: 5, Accepted: 3}, "refused 2 of 5"},
		{"not tried", proof.SwitchControl{Trouble: "reset"}, "reset"},
	} {
		p, _ := saved(t, "good")
		tc.control.Named, tc.control.Instance = true, "off-0"
		p.Targets[0].Conformance.Switch = []proof.SwitchControl{tc.control}
		verdict.Derive(p)
		f := find(p, verdict.KindSwitch)
		if p.Verdict.ExitCode != 2 || f == nil || !strings.Contains(f.Text, tc.text) {
			t.Errorf("%s: exit %d, %v; want 2 and %q", tc.name, p.Verdict.ExitCode, f, tc.text)
		}
	}
}

// Addresses that were given the wrong way round are named as such.
func TestSwappedSidesAreNamed(t *testing.T) {
	t.Parallel()
	p, _ := saved(t, "good")
	c := p.Targets[0].Conformance
	c.Switch = []proof.SwitchControl{{Named: true, Instance: "off-0", Trials: 5}}
	for i := range c.Checks {
		if m := c.Checks[i].Immediacy; m != nil {
			m.Broken, m.Accepted = m.Revokes, m.Calls
		}
	}
	verdict.Derive(p)
	if f := find(p, verdict.KindSwitch); f == nil || !strings.Contains(f.Text, "swapped?") || p.Verdict.ExitCode == 0 {
		t.Errorf("exit %d, %v", p.Verdict.ExitCode, f)
	}
}

// Few logouts are said to show little, many are not.
func TestFewLogoutsShowLittle(t *testing.T) {
	t.Parallel()
	for _, few := range []bool{false, true} {
		p, _ := saved(t, "good")
		if few {
			for i := range p.Targets[0].Conformance.Checks {
				if m := p.Targets[0].Conformance.Checks[i].Immediacy; m != nil && m.Revokes > 1 {
					m.Revokes, m.Calls, m.Twins, m.TwinsAccepted = 1, 1, 1, 1
				}
			}
		}
		verdict.Derive(p)
		if f := find(p, verdict.KindImmediacy); (f != nil) != few || few && (f.Weight != proof.Warns || !strings.Contains(f.Text, "would look the same")) {
			t.Errorf("few %v: %+v (%+v)", few, f, p.Targets[0].Conformance.Immediacy)
		}
	}
}

// A core named as flag off that is another deployment is said to be one.
func TestNamedOffCoreOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	p, _ := saved(t, "good")
	p.Targets[0].Conformance.Switch = []proof.SwitchControl{{Named: true, Instance: "off-0", Trials: 5, Accepted: 5, Apart: "UNAUTHORISED"}}
	verdict.Derive(p)
	f := find(p, verdict.KindSwitch)
	if p.Verdict.ExitCode != 0 || f == nil || f.Weight != proof.Warns || !strings.Contains(f.Text, "share no database") {
		t.Errorf("exit %d, %+v", p.Verdict.ExitCode, f)
	}
}

// V4: the headline claims no more than was shown.
func TestV4HeadlineNeedsItsControl(t *testing.T) {
	t.Parallel()
	const claim = "Logging out took effect at once"
	only := func(keep func(k *proof.Check) bool) func(*proof.Proof) {
		return func(p *proof.Proof) {
			c := p.Targets[0].Conformance
			var kept []proof.Check
			for _, k := range c.Checks {
				if keep(&k) {
					kept = append(kept, k)
				}
			}
			c.Checks, c.Planned, c.Histories = kept, len(kept), nil
		}
	}
	for _, tc := range []struct {
		name   string
		do     func(*proof.Proof)
		claims bool
	}{
		{"whole", func(*proof.Proof) {}, true},
		{"the session suite alone", only(func(k *proof.Check) bool { return k.Suite == "session" }), false},
		{"one check of blacklisting alone", only(func(k *proof.Check) bool { return k.ID == "BL-02" }), false},
		{"no conformance", func(p *proof.Proof) { p.Targets[0].Conformance = nil }, false},
		{"blacklisting optional", func(p *proof.Proof) { at(p).profile("blacklisting").Optional = true }, false},
		{"no blacklisting", func(p *proof.Proof) { at(p).profile("blacklisting").Name = "other" }, false},
		{"blacklisting not claimed", func(p *proof.Proof) { at(p).profile("blacklisting").NotClaimed = "no" }, false},
		{"blacklisting broken, without an acceptance", func(p *proof.Proof) { at(p).check("BL-35").Violations = []proof.Violation{{}} }, false},
		{"another profile broken", func(p *proof.Proof) { at(p).check("SE-01").Violations = []proof.Violation{{}} }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, _ := saved(t, "good")
			tc.do(p)
			verdict.Derive(p)
			if got := strings.Contains(p.Verdict.Headline, claim); got != tc.claims {
				t.Errorf("claims %v, want %v: %q", got, tc.claims, p.Verdict.Headline)
			}
			if !tc.claims && !strings.Contains(p.Verdict.Headline, "not shown") {
				t.Errorf("it does not say what was not shown: %q", p.Verdict.Headline)
			}
		})
	}
}

// V7: the unit of the bound is the revoke, not the calls that followed one.
func TestV7BoundCountsRevokes(t *testing.T) {
	t.Parallel()
	k := func(calls int) proof.Check {
		return proof.Check{ID: "BL-59", Trials: 1, Immediacy: &proof.Immediacy{Revokes: 16, Calls: calls, Twins: 16, TwinsAccepted: 16}}
	}
	bound := func(calls int) float64 {
		p := &proof.Proof{Targets: []proof.Target{{Conformance: &proof.Conformance{Checks: []proof.Check{k(calls)}}}}}
		verdict.Derive(p)
		return p.Targets[0].Conformance.Immediacy.UpperBound
	}
	few, many := bound(16), bound(1280)
	if few != many {
		t.Errorf("more calls after as many revokes made the bound %v of %v", many, few)
	}
	if few < 0.17 || few > 0.171 { // 1 − 0.05^(1/16)
		t.Errorf("0 of 16 gives %v, want 0.1707", few)
	}
}

func TestUpperBound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		hits, trials int
		want         float64
	}{
		{0, 0, 1}, {0, 1, 0.95}, {0, 2190, 0.0013670}, {0, 1_000_000, 2.99573e-6}, {1, 10, 0.394163}, {3, 10, 0.606624}, {5, 5, 1}, {9, 5, 1}, {-1, 10, 0.258866},
	} {
		if got := verdict.UpperBound(tc.hits, tc.trials); got < tc.want*0.9999 || got > tc.want*1.0001 {
			t.Errorf("UpperBound(%d, %d) = %.7g, want %.7g", tc.hits, tc.trials, got, tc.want)
		}
	}
}

// Refusals of a check that could not have failed do not make the bound smaller.
func TestBoundLeavesOutWhatCouldNotFail(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*proof.Check){
		"no twin was accepted":         func(k *proof.Check) { k.Immediacy.TwinsAccepted = 0 },
		"it could not have failed":     func(k *proof.Check) { k.CouldNotFail = "the clock stood still" },
		"a race whose calls never met": func(k *proof.Check) { k.Race = &proof.Race{Want: 5} },
	} {
		p, _ := saved(t, "good")
		before := at(p).c.Immediacy
		do(at(p).check("BL-02"))
		verdict.Derive(p)
		after := at(p).c.Immediacy
		if after.Revokes != before.Revokes-60 || after.UpperBound <= before.UpperBound {
			t.Errorf("%s: from %+v to %+v", name, before, after)
		}
	}
}

// find gives the first finding of a kind.
func find(p *proof.Proof, kind string) *proof.Finding {
	for i := range p.Verdict.Findings {
		if p.Verdict.Findings[i].Kind == kind {
			return &p.Verdict.Findings[i]
		}
	}
	return nil
}

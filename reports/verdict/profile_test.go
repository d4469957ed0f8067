package verdict_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// N10: required profiles that were skipped are no plain PASS, and --require makes
// them none at all.
func TestN10IncompleteIsSaidAndMayBeRequired(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		example string
		require []string
		want    proof.Outcome
		exit    int
		text    string
	}{
		{"complete", "good", nil, proof.Pass, 0, ""},
		{"complete and required", "good", []string{"blacklisting", "isolation"}, proof.Pass, 0, ""},
		{"incomplete", "incomplete", nil, proof.Incomplete, 0, "multi-instance is incomplete"},
		{"incomplete and required", "incomplete", []string{"multi-instance"}, proof.Error, 2, "is required, and incomplete"},
		{"another one required", "incomplete", []string{"blacklisting"}, proof.Incomplete, 0, "is incomplete"},
		{"never heard of", "good", []string{"hardening"}, proof.Error, 2, "hardening is required, and was not tried"},
	} {
		p, _ := saved(t, tc.example)
		p.Require = tc.require
		verdict.Derive(p)
		text := ""
		if f := find(p, verdict.KindProfile); f != nil {
			text = f.Text
		}
		if p.Verdict.Outcome != tc.want || p.Verdict.ExitCode != tc.exit || !strings.Contains(text, tc.text) {
			t.Errorf("%s: %s, exit %d, %q; want %s, %d, %q", tc.name, p.Verdict.Outcome, p.Verdict.ExitCode, text, tc.want, tc.exit, tc.text)
		}
		if tc.want == proof.Incomplete && !strings.Contains(p.Verdict.Headline, "Not fully proved") {
			t.Errorf("%s: the headline does not say so: %q", tc.name, p.Verdict.Headline)
		}
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	check := func(id string, do func(*proof.Check)) proof.Check {
		k := proof.Check{ID: id, Profiles: []string{"p"}, Trials: 1}
		do(&k)
		return k
	}
	pass := func(*proof.Check) {}
	fail := func(k *proof.Check) { k.Violations = []proof.Violation{{}} }
	lack := func(kind string) func(*proof.Check) {
		return func(k *proof.Check) { k.Lacks = &proof.Lack{Kind: kind, Text: "no " + kind} }
	}
	for _, tc := range []struct {
		name    string
		profile proof.Profile
		checks  []proof.Check
		planned int
		want    proof.Outcome
		exit    int
	}{
		{"passed", proof.Profile{}, []proof.Check{check("1", pass)}, 1, proof.Pass, 0},
		{"one broken", proof.Profile{}, []proof.Check{check("1", pass), check("2", fail)}, 2, proof.Fail, 1},
		{"one broken, optional", proof.Profile{Optional: true}, []proof.Check{check("1", pass), check("2", fail)}, 2, proof.Fail, 2}, // nothing that decides ran
		{"a version that is not claimed is no gap", proof.Profile{}, []proof.Check{check("1", pass), check("2", lack("version"))}, 2, proof.Pass, 0},
		{"a lack is one", proof.Profile{}, []proof.Check{check("1", pass), check("2", lack("verb"))}, 2, proof.Incomplete, 0},
		{"nothing but absent versions", proof.Profile{}, []proof.Check{check("2", lack("version"))}, 1, proof.Incomplete, 2},
		{"left out", proof.Profile{}, []proof.Check{check("1", pass)}, 3, proof.Incomplete, 2},
		{"selected in part", proof.Profile{Members: 5}, []proof.Check{check("1", pass)}, 1, proof.Incomplete, 0},
		{"selected whole", proof.Profile{Members: 1}, []proof.Check{check("1", pass)}, 1, proof.Pass, 0},
		{"trouble", proof.Profile{}, []proof.Check{check("1", func(k *proof.Check) { k.Trouble = "x" })}, 1, proof.Error, 2},
		{"vacuous", proof.Profile{}, []proof.Check{check("1", func(k *proof.Check) { k.CouldNotFail = "x" })}, 1, proof.Vacuous, 2},
		{"not claimed is not judged", proof.Profile{NotClaimed: "it always checks"}, []proof.Check{check("2", fail), {ID: "3", Trials: 1}}, 2, proof.Skip, 0},
	} {
		tc.profile.Name = "p"
		p := &proof.Proof{Targets: []proof.Target{{Name: "x", Conformance: &proof.Conformance{Planned: tc.planned, Checks: tc.checks, Profiles: []proof.Profile{tc.profile}}}}}
		verdict.Derive(p)
		if got := p.Targets[0].Conformance.Profiles[0]; got.Outcome != tc.want || p.Verdict.ExitCode != tc.exit {
			t.Errorf("%s: %s (%s), exit %d; want %s, %d; %v", tc.name, got.Outcome, got.Reason, p.Verdict.ExitCode, tc.want, tc.exit, p.Verdict.Findings)
		}
	}
}

// N4, N9: what one failure explains is one finding.
func TestN9OneCauseIsOneFinding(t *testing.T) {
	t.Parallel()
	p, _ := saved(t, "cascade")
	if n := len(p.Verdict.Findings); n != 2 { // one a version
		t.Errorf("%d findings, want one a version: %v", n, p.Verdict.Findings)
	}
	// A cause that did not fail excuses nothing.
	for i := range p.Targets[0].Conformance.Checks {
		if k := &p.Targets[0].Conformance.Checks[i]; k.ID == "SE-01" {
			k.Violations = nil
		}
	}
	verdict.Derive(p)
	if n := len(p.Verdict.Findings); p.Verdict.ExitCode != 2 || n < 40 {
		t.Errorf("without the cause: exit %d, %d findings", p.Verdict.ExitCode, n)
	}
}

func TestNothingRanIsNoPass(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(p *proof.Proof){
		"no target":                          func(p *proof.Proof) { p.Targets = nil },
		"a target of which nothing is known": func(p *proof.Proof) { p.Targets = []proof.Target{{Name: "x"}} },
		"an untried one beside a good one":   func(p *proof.Proof) { p.Targets = append(p.Targets, proof.Target{Name: "x"}) },
		"an empty conformance":               func(p *proof.Proof) { p.Targets[0].Conformance = &proof.Conformance{} },
		"all checks skipped": func(p *proof.Proof) {
			for i := range p.Targets[0].Conformance.Checks {
				p.Targets[0].Conformance.Checks[i].Lacks = &proof.Lack{Kind: "verb"}
			}
		},
		"a bench without rounds": func(p *proof.Proof) { p.Targets[0].Bench[0].Rounds = nil },
		"interrupted":            func(p *proof.Proof) { p.Interrupted = "SIGTERM" },
		"a target in error":      func(p *proof.Proof) { p.Targets[0].Error = "no docker" },
		"no calls were counted":  func(p *proof.Proof) { p.Targets[0].Footprint.Statements[0].Calls = 0 },
		"no rows were seen": func(p *proof.Proof) {
			s := p.Targets[0].Footprint.Space
			s.RowsOn, s.RowsOff, s.RevokedOn, s.RevokedOff = 0, 0, 0, 0
		},
	} {
		p, _ := saved(t, "good")
		do(p)
		verdict.Derive(p)
		if p.Verdict.ExitCode != 2 {
			t.Errorf("%s: exit %d, %v", name, p.Verdict.ExitCode, p.Verdict.Findings)
		}
	}
}

// F5: what stays on a core is said.
func TestF5LeftBehindIsSaid(t *testing.T) {
	t.Parallel()
	p, _ := saved(t, "url")
	if f := find(p, verdict.KindLeftBehind); f == nil || f.Weight != proof.Warns || !strings.Contains(f.Text, "3 sessions") || !strings.Contains(f.Text, "answered 500") {
		t.Errorf("got %v", f)
	}
}

func TestSpace(t *testing.T) {
	t.Parallel()
	good := proof.Space{SchemaOn: "a", SchemaOff: "a", RowsOn: 10, RowsOff: 10, RevokedOn: 5, RevokedOff: 5, BytesOn: 104, BytesOff: 100}
	for _, tc := range []struct {
		name string
		do   func(*proof.Space)
		want proof.Outcome
	}{
		{"the same", func(*proof.Space) {}, proof.Pass},
		{"4 % less", func(s *proof.Space) { s.BytesOn = 96 }, proof.Pass},
		{"6 % more", func(s *proof.Space) { s.BytesOn = 106 }, proof.Fail},
		{"6 % less", func(s *proof.Space) { s.BytesOn = 94 }, proof.Fail},
		{"another schema", func(s *proof.Space) { s.SchemaOn = "b" }, proof.Fail},
		{"more rows", func(s *proof.Space) { s.RowsOn = 11 }, proof.Fail},
		{"rows stay", func(s *proof.Space) { s.RevokedOn = 10 }, proof.Fail},
		{"no rows", func(s *proof.Space) { s.RowsOn, s.RowsOff, s.RevokedOn, s.RevokedOff = 0, 0, 0, 0 }, proof.Vacuous},
		{"nothing revoked", func(s *proof.Space) { s.RevokedOn, s.RevokedOff = 10, 10 }, proof.Vacuous},
		{"no schema seen", func(s *proof.Space) { s.SchemaOn, s.SchemaOff = "", "" }, proof.Vacuous},
	} {
		s := good
		tc.do(&s)
		p := &proof.Proof{Targets: []proof.Target{{Footprint: &proof.Footprint{Space: &s}}}}
		verdict.Derive(p)
		if got := p.Targets[0].Footprint.Space; got.Outcome != tc.want || got.Tolerance != 0.05 || (got.Reason == "") != (tc.want == proof.Pass) {
			t.Errorf("%s: %s (%s), want %s", tc.name, got.Outcome, got.Reason, tc.want)
		}
	}
}

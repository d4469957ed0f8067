package verdict_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// saved is an example as a run leaves it: derived, with its digest, in a folder
// with its histories.
func saved(t testing.TB, name string) (*proof.Proof, fstest.MapFS) {
	t.Helper()
	e, ok := examples.Named(name)
	if !ok {
		t.Fatalf("there is no example %q", name)
	}
	verdict.Derive(e.Proof)
	e.Proof.SchemaVersion = proof.SchemaVersion
	seal(t, e.Proof)
	folder, err := e.Folder()
	if err != nil {
		t.Fatal(err)
	}
	return e.Proof, folder
}

// seal makes the digest fit, as whoever edits a proof can.
func seal(t testing.TB, p *proof.Proof) {
	t.Helper()
	d, err := proof.DigestOf(p)
	if err != nil {
		t.Fatal(err)
	}
	p.Digest = d
}

func TestV2UntouchedExamplesVerify(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, files := saved(t, name)
			for _, d := range verdict.Verify(p, files) {
				t.Errorf("untouched, but %s", d)
			}
		})
	}
}

// TestV2GateOfCountsAlone: a gate without limits to measure has no duet, and lacks none.
func TestV2GateOfCountsAlone(t *testing.T) {
	t.Parallel()
	p, files := saved(t, "gate")
	p.Gate.Limits, p.Gate.Bench = nil, nil
	verdict.Derive(p)
	seal(t, p)
	for _, d := range verdict.Verify(p, files) {
		t.Errorf("%s", d)
	}
}

// An edit of a proof by hand.
type edit struct {
	name, example string
	do            func(p *proof.Proof, files fstest.MapFS)
	// path is what Verify must name.
	path string
	// hidden edits are of evidence that fits together: only the digest shows them,
	// and only as long as it was not made anew.
	hidden bool
}

// place gives the parts of a proof that edits are about.
type place struct {
	p *proof.Proof
	t *proof.Target
	c *proof.Conformance
	b *proof.Bench
}

func at(p *proof.Proof) place {
	x := place{p: p, t: &p.Targets[0]}
	x.c = x.t.Conformance
	if len(x.t.Bench) > 0 {
		x.b = &x.t.Bench[0]
	}
	return x
}

func (x place) check(id string) *proof.Check {
	for i := range x.c.Checks {
		if x.c.Checks[i].ID == id {
			return &x.c.Checks[i]
		}
	}
	panic("no check " + id)
}

func (x place) profile(name string) *proof.Profile {
	for i := range x.c.Profiles {
		if x.c.Profiles[i].Name == name {
			return &x.c.Profiles[i]
		}
	}
	panic("no profile " + name)
}

// edits are the ways of editing that are tried: derived fields, evidence that
// then contradicts other evidence or what was derived from it, files.
var edits = []edit{
	// What is derived.
	{"a failed check made a pass", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Outcome = proof.Pass }, "checks[1].outcome", false},
	{"a reason", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-08").Reason = "" }, "checks[4].reason", false},
	{"the sum of accepted calls", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Immediacy.Accepted = 0 }, "conformance.immediacy.accepted", false},
	{"the sum of revokes", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Immediacy.Revokes *= 10 }, "conformance.immediacy.revokes", false},
	{"the bound", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Immediacy.UpperBound = 0.0001 }, "conformance.immediacy.upperBound", false},
	{"the bound of a check", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Immediacy.UpperBound = 0.0001 }, "checks[1].immediacy.upperBound", false},
	{"the outcome of a profile", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).profile("blacklisting").Outcome = proof.Pass }, "profiles[0].outcome", false},
	{"the counts of a profile", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).profile("blacklisting").Failed = 0 }, "profiles[0].failed", false},
	{"an interval", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Cost.CoreCPUDiff.Interval.High = 61 }, "cost.coreCpuDiff.interval.high", false},
	{"an interval taken away", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Cost.CoreCPUDiff.Interval = nil }, "cost.coreCpuDiff.interval", false},
	{"a figure", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Cost.CostPerCall.Value = 0.01 }, "cost.costPerCall.value", false},
	{"a cost taken away", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Cost = nil }, "bench[0].cost", false},
	{"gateable", "url", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Cost.Gateable = true }, "cost.gateable", false},
	{"a warning", "undecided", func(p *proof.Proof, _ fstest.MapFS) { p.Targets[0].Bench[1].Cost.CoreCPURatio.Warnings = nil }, "cost.coreCpuRatio.warnings", false},
	{"the headline", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Verdict.Headline = "Logging out took effect at once." }, "verdict.headline", false},
	{"the outcome of a budget", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Budgets[0].Outcome = proof.Pass }, "budgets[0].outcome", false},
	{"a budget taken away", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Budgets = nil }, "budgets", false},
	{"what is expected of statements", "failing", func(p *proof.Proof, _ fstest.MapFS) { two := 2.0; at(p).t.Footprint.Statements[1].Expected = &two }, "footprint.statements[1].expected", false},
	{"the outcome of statements", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).t.Footprint.Statements[1].Outcome = proof.Pass }, "footprint.statements[1].outcome", false},
	{"the outcome of space", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).t.Footprint.Space.Outcome = proof.Pass }, "footprint.space.outcome", false},
	{"the tolerance of space", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).t.Footprint.Space.Tolerance = 1 }, "footprint.space.tolerance", false},
	{"a finding taken away", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Verdict.Findings = p.Verdict.Findings[1:] }, "verdict.findings", false},
	{"the weight of a finding", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Verdict.Findings[0].Weight = proof.Warns }, "verdict.findings[0].weight", false},
	{"the exit code", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Verdict.ExitCode = 0 }, "verdict.exitCode", false},
	{"the verdict", "failing", func(p *proof.Proof, _ fstest.MapFS) {
		p.Verdict = proof.Verdict{Outcome: proof.Pass, Headline: "All held."}
	}, "verdict.outcome", false},
	{"how often a race met", "undecided", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-54").Race.MetAB = 20 }, "race.metAB", false},

	// Evidence from which something else was derived.
	{"a violation taken away", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("SE-10").Violations = nil }, "checks[20].outcome", false},
	{"a violation added", "good", func(p *proof.Proof, _ fstest.MapFS) {
		at(p).check("SE-01").Violations = []proof.Violation{{Expected: "OK", Got: "no"}}
	}, "checks[15].outcome", false},
	{"no trials", "good", func(p *proof.Proof, _ fstest.MapFS) {
		k := at(p).check("SE-01")
		k.Trials, k.Tagged = 0, 0
	}, "checks[15].outcome", false},
	{"the CPU time of a round", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Rounds[0].Windows[1].CPU *= 0.8 }, "cost.coreCpuOn.value", false},
	{"the calls of a round", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Rounds[0].Windows[1].Calls *= 2 }, "rounds[0].windows[1].calls", false},
	{"a round called saturated", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Rounds[0].Saturated = true }, "cost.saturatedRounds", false},
	{"the idle CPU of the database", "good", func(p *proof.Proof, _ fstest.MapFS) { more := 30000.0; at(p).b.IdleDatabaseCPU = &more }, "cost.databaseCpu.value", false},
	{"no steady state called one", "undecided", func(p *proof.Proof, _ fstest.MapFS) { p.Targets[0].Bench[1].Steady[1].Reached = true }, "bench[1].cost.notGateable", false},
	{"a limit raised", "failing", func(p *proof.Proof, _ fstest.MapFS) { p.Limits[0].Value = 500 }, "budgets[0].limit", false},
	{"a hash of a schema", "failing", func(p *proof.Proof, _ fstest.MapFS) { s := at(p).t.Footprint.Space; s.SchemaOn = s.SchemaOff }, "footprint.space.reason", false},
	{"bytes of space", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).t.Footprint.Space.BytesOn *= 2 }, "footprint.space.outcome", false},
	{"a count of statements", "failing", func(p *proof.Proof, _ fstest.MapFS) { s := &at(p).t.Footprint.Statements[1]; s.Count = s.Calls }, "footprint.statements[1].outcome", false},
	{"the switch control", "url", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Switch[0].Accepted = 0 }, "verdict.outcome", false},
	{"the interruption", "interrupted", func(p *proof.Proof, _ fstest.MapFS) { p.Interrupted = "" }, "verdict.headline", false},
	{"twins of a check", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-08").Immediacy.TwinsAccepted = 60 }, "checks[4].outcome", false},
	{"the times of a race", "undecided", func(p *proof.Proof, _ fstest.MapFS) {
		for i := range at(p).check("BL-54").Race.Trials {
			at(p).check("BL-54").Race.Trials[i].BCall = 0
		}
	}, "race.metAB", false},
	{"trouble made a lack", "failing", func(p *proof.Proof, _ fstest.MapFS) {
		k := &p.Targets[0].Conformance.Checks[27]
		k.Trouble, k.Lacks = "", &proof.Lack{Kind: "version", Text: "not claimed"}
	}, "checks[27].outcome", false},
	{"a profile called optional", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).profile("blacklisting").Optional = true }, "verdict.findings", false},
	{"a profile not claimed", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).profile("blacklisting").NotClaimed = "no need" }, "profiles[0].outcome", false},
	{"a profile that was required", "incomplete", func(p *proof.Proof, _ fstest.MapFS) { p.Require = []string{"multi-instance"} }, "verdict.outcome", false},
	{"a check taken away", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Checks = at(p).c.Checks[1:] }, "verdict.findings", false},
	{"a target taken away", "interrupted", func(p *proof.Proof, _ fstest.MapFS) { p.Targets = p.Targets[:1] }, "verdict.findings", false},

	// Evidence that contradicts other evidence.
	{"more violations than trials", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Trials = 5 }, "checks[1].violations", false},
	{"acceptances without a violation", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Violations = nil }, "checks[1].immediacy.accepted", false},
	{"tagged trials", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Tagged = 99 }, "checks[1].tagged", false},
	{"more twins accepted than made", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Immediacy.Twins = 1 }, "immediacy.twinsAccepted", false},
	{"more broken than revokes", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Immediacy.Revokes = 1 }, "immediacy.broken", false},
	{"a check twice", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Checks[1] = at(p).c.Checks[0] }, "checks[1].id", false},
	{"dropped rounds taken away", "interrupted", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Dropped = nil }, "bench[0].rounds", false},
	{"a round taken away", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Rounds = at(p).b.Rounds[1:] }, "bench[0].rounds", false},
	{"a histogram", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Histograms[1].Count[3] += 500 }, "histograms[1].count", false},
	{"bounds of a histogram", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Histograms[1].UpperMs[0] = 99 }, "histograms[1].upperMs", false},
	{"quantiles that fall", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).b.Rounds[0].Windows[1].P99 = 0.001 }, "rounds[0].windows[1]", false},
	{"a profile taken away", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Profiles = at(p).c.Profiles[1:] }, "checks[0].profiles", false},
	{"a token put in", "good", func(p *proof.Proof, _ fstest.MapFS) {
		at(p).check("SE-01").Rerun = "curl -H 'authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJlc2lnbmF0dXJl'"
	}, "checks[15].rerun", false},
	{"a round of a gate taken away", "gate", func(p *proof.Proof, _ fstest.MapFS) { p.Gate.Bench[0].Rounds = p.Gate.Bench[0].Rounds[1:] }, "gate.bench[0].rounds", false},
	{"a round of a gate twice", "gate", func(p *proof.Proof, _ fstest.MapFS) { r := p.Gate.Bench[0].Rounds; r[1].Index = r[0].Index }, "gate.bench[0].rounds[1].index", false},
	{"a side of a gate's round taken away", "gate", func(p *proof.Proof, _ fstest.MapFS) { r := &p.Gate.Bench[0].Rounds[0]; r.Windows = r.Windows[:3] }, "gate.bench[0].rounds[0].windows", false},
	{"a side of a gate's floor taken away", "gate", func(p *proof.Proof, _ fstest.MapFS) { r := &p.Gate.Bench[0].Rounds[3]; r.Windows = r.Windows[:2] }, "gate.bench[0].rounds[3].windows", false},
	{"a side of a gate twice", "gate", func(p *proof.Proof, _ fstest.MapFS) { r := &p.Gate.Bench[0].Rounds[0]; r.Windows[1] = r.Windows[0] }, "gate.bench[0].rounds[0].windows", false},
	{"a foreign variant in a gate", "gate", func(p *proof.Proof, _ fstest.MapFS) { p.Gate.Bench[0].Rounds[0].Windows[1].Variant = "head" }, "rounds[0].windows[1].variant", false},
	{"a variant of a gate taken away", "gate", func(p *proof.Proof, _ fstest.MapFS) { b := &p.Gate.Bench[0]; b.Variants = b.Variants[:3] }, "gate.bench[0].variants", false},
	{"more errors than calls in a gate", "gate", func(p *proof.Proof, _ fstest.MapFS) { p.Gate.Bench[0].Rounds[0].Windows[1].Errors = 1e6 }, "rounds[0].windows[1].errors", false},
	{"unequal calls in a gate", "gate", func(p *proof.Proof, _ fstest.MapFS) { p.Gate.Bench[0].Rounds[0].Windows[2].Calls *= 2 }, "gate.bench[0].rounds[0].windows", false},
	{"a duet of a gate taken away", "gate", func(p *proof.Proof, _ fstest.MapFS) { p.Gate.Bench = nil }, "gate.bench", false},
	{"a window of a sweep taken away", "swept", func(p *proof.Proof, _ fstest.MapFS) { s := at(p).b.Sweep; s.Points = s.Points[1:] }, "bench[0].sweep.points", false},
	{"time that runs back", "good", func(p *proof.Proof, _ fstest.MapFS) { p.Finished = p.Started.Add(-time.Hour) }, "finished", false},

	// Files.
	{"a history's file edited", "failing", func(_ *proof.Proof, files fstest.MapFS) {
		f := files["histories/failing-postgres-BL-60-2.20.jsonl"]
		f.Data = []byte(strings.Replace(string(f.Data), `"result":"ok"`, `"result":"refused"`, 40))
	}, "histories[0].sha256", false},
	{"a history's result", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Histories[0].Result = "linearizable" }, "histories[0].result", false},
	{"a history's operations", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Histories[0].Operations *= 10 }, "histories[0].operations", false},
	{"a history of another check", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Histories[0].File = at(p).c.Histories[1].File }, "histories[0].sha256", false},
	{"a history's file gone", "good", func(_ *proof.Proof, files fstest.MapFS) { delete(files, "histories/good-postgres-BL-60-2.20.jsonl") }, "histories[0].file", false},
	{"a history outside the folder", "good", func(p *proof.Proof, _ fstest.MapFS) { at(p).c.Histories[0].File = "../../etc/passwd" }, "histories[0].file", false},

	// What only the digest shows.
	{"the digest", "good", func(p *proof.Proof, _ fstest.MapFS) { p.Digest = "sha256:00" }, "digest", true},
	{"the machine", "good", func(p *proof.Proof, _ fstest.MapFS) { p.Machine.CPU = "a faster one" }, "digest", true},
	{"the seed", "good", func(p *proof.Proof, _ fstest.MapFS) { p.Seed++ }, "digest", true},
	{"an exchange", "failing", func(p *proof.Proof, _ fstest.MapFS) { at(p).check("BL-02").Violations[0].Exchanges[2].Status = 401 }, "digest", true},
	{"a note", "good", func(p *proof.Proof, _ fstest.MapFS) { p.Notes = nil }, "digest", true},
}

func TestV2EveryEditIsNamed(t *testing.T) {
	t.Parallel()
	if len(edits) < 25 {
		t.Fatalf("only %d edits", len(edits))
	}
	names := func(found []verdict.Difference, path string) bool {
		for _, d := range found {
			if strings.Contains(d.Path, path) && d.Stored != d.Derived {
				return true
			}
		}
		return false
	}
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			p, files := saved(t, e.example)
			before, err := proof.DigestOf(p)
			if err != nil {
				t.Fatal(err)
			}
			e.do(p, files)
			found := verdict.Verify(p, files)
			if !names(found, e.path) {
				t.Errorf("not named: want %s, got %v", e.path, found)
			}
			if after, err := proof.DigestOf(p); err != nil || after != before {
				if err == nil && !names(found, "digest") {
					t.Error("the digest is not named")
				}
			}
			// Whoever edits can make the digest fit.
			seal(t, p)
			found = verdict.Verify(p, files)
			switch {
			case e.hidden && len(found) > 0:
				t.Errorf("evidence that fits together is named: %v", found)
			case !e.hidden && !names(found, e.path):
				t.Errorf("not named once the digest fits: want %s, got %v", e.path, found)
			}
		})
	}
}

// A proof whose outcomes are derived anew after the evidence was edited is
// another proof: what is left is what contradicts itself, and the files.
func TestV2EditAndDeriveAnew(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		do   func(x place)
		path string
	}{
		{"violations taken away", func(x place) { x.check("BL-02").Violations = nil }, "immediacy.accepted"},
		{"dropped rounds taken away", func(x place) { x.b.Rounds = x.b.Rounds[1:] }, "bench[0].rounds"},
		{"a history's result", func(x place) { x.c.Histories[0].Result = "linearizable" }, "histories[0].result"},
		{"fewer trials", func(x place) { x.check("BL-02").Trials = 9 }, "violations"},
		{"a round called saturated", func(x place) { x.b.Rounds[0].Saturated = true }, "histograms[0].count"},
		{"a check taken away", func(x place) {
			x.c.Planned--
			x.c.Checks = x.c.Checks[:len(x.c.Checks)-1]
			x.c.Histories[0].Check = "BL-99"
		}, "histories[0].check"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, files := saved(t, "failing")
			tc.do(at(p))
			verdict.Derive(p)
			seal(t, p)
			found := verdict.Verify(p, files)
			for _, d := range found {
				if strings.Contains(d.Path, tc.path) {
					return
				}
			}
			t.Errorf("want %s named, got %v", tc.path, found)
		})
	}
}

// TestRatesAboveTheShares: a core that kept up with all rates in one block of two is tried
// with a higher one in that block alone, and nothing is missing in the other.
func TestRatesAboveTheShares(t *testing.T) {
	t.Parallel()
	p, files := saved(t, "swept")
	s := at(p).b.Sweep
	above := s.Points[0]
	above.Share, above.RateHz = 1.5, 1.5*above.RateHz/s.Points[0].Share
	s.Points = append(s.Points, above)
	verdict.Derive(p)
	seal(t, p)
	for _, d := range verdict.Verify(p, files) {
		t.Errorf("named: %v", d)
	}
}

func TestVerifyWithoutTheFolder(t *testing.T) {
	t.Parallel()
	p, _ := saved(t, "good")
	if d := verdict.Verify(p, nil); len(d) != 2 || !strings.Contains(d[0].Derived, "not at hand") {
		t.Errorf("without the folder: %v, want both histories named", d)
	}
	var none fs.FS = fstest.MapFS{}
	if d := verdict.Verify(p, none); len(d) != 2 {
		t.Errorf("in an empty folder: %v, want both histories named", d)
	}
}

// Deriving twice changes nothing, and a copy derives to the same.
func TestDeriveIsPure(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		e, _ := examples.Named(name)
		verdict.Derive(e.Proof)
		once, err := proof.DigestOf(e.Proof)
		if err != nil {
			t.Fatal(err)
		}
		verdict.Derive(e.Proof)
		twice, err := proof.DigestOf(e.Proof)
		if err != nil || once != twice {
			t.Errorf("%s: derived again it is another (%v)", e.Name, err)
		}
	}
}

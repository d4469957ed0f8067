package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

func ptr[T any](v T) *T { return &v }

// passing is a proof in which everything was tried and held.
func passing() *proof.Proof {
	round := proof.Round{Kind: "cost", A: proof.Side{Flag: "off", Calls: 100}, B: proof.Side{Flag: "on", Calls: 100}}
	return &proof.Proof{Targets: []proof.Target{{
		Name: "sqlite",
		Conformance: &proof.Conformance{
			Profiles: []proof.Profile{{Name: "blacklisting", Outcome: proof.Pass}, {Name: "faults", Outcome: proof.Pass, Optional: true}},
			Checks: []proof.Check{
				{ID: "BL-01", Profiles: []string{"blacklisting"}, Protocol: "CDI 2.20", Outcome: proof.Pass},
				{ID: "FL-01", Profiles: []string{"faults"}, Outcome: proof.Pass},
				{ID: "BL-02", Profiles: []string{"faults", "blacklisting"}, Outcome: proof.Pass},
			},
		},
		Footprint: &proof.Footprint{
			Statements: []proof.Statements{
				{Operation: "verify", Flag: "off", Calls: 2000, Count: 0, Expected: ptr(0.0)},
				{Operation: "verify", Flag: "on", Calls: 2000, Count: 2000, Expected: ptr(1.0)},
				{Operation: "create", Flag: "on", Calls: 10, Count: 120},
			},
			Space: &proof.Space{Held: true},
		},
		Bench: []proof.Bench{{Protocol: "CDI 2.20", Rounds: slices.Repeat([]proof.Round{round}, 10)}},
	}}, Budgets: []proof.Budget{{Name: "core-cpu-us", Target: "sqlite", Limit: 90, Observed: 60, Unit: "µs", Outcome: proof.Pass}}}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(p *proof.Proof, t *proof.Target)
		want proof.Outcome
		exit int
		// reason must be part of one of the reasons; "" wants none at all.
		reason string
	}{
		{"everything held", func(*proof.Proof, *proof.Target) {}, proof.Pass, 0, ""},
		{"a required check failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[0].Outcome, t.Conformance.Checks[0].Got = proof.Fail, "OK"
		}, proof.Fail, 1, "sqlite: BL-01  (CDI 2.20): OK"},
		{"a required check could not have failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[0].Outcome, t.Conformance.Checks[0].Reason = proof.Vacuous, "control refused"
		}, proof.Error, 2, "vacuous: control refused"},
		{"a required profile could not have failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Profiles[0].Outcome = proof.Vacuous
		}, proof.Error, 2, "profile blacklisting is vacuous"},
		{"an optional profile could not have failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Profiles[1].Outcome = proof.Vacuous
		}, proof.Pass, 0, ""},
		{"the harness had trouble", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[0].Outcome, t.Conformance.Checks[0].Reason = proof.Error, "connection refused"
		}, proof.Error, 2, "error: connection refused"},
		{"a failure outweighs trouble", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[0].Outcome = proof.Error
			t.Conformance.Checks[2].Outcome = proof.Fail
		}, proof.Fail, 1, "BL-01"},
		{"a call after a revoke was accepted and no check says so", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Immediacy = proof.Immediacy{Trials: 100, Accepted: 1}
		}, proof.Fail, 1, "1 of 100 calls after a confirmed revoke were accepted"},
		{"trouble after a failure does not hide it", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[0].Outcome, t.Error = proof.Fail, "the database went away"
		}, proof.Fail, 1, "BL-01"},
		{"trouble after all held so far", func(_ *proof.Proof, t *proof.Target) {
			t.Error = "the database went away"
		}, proof.Error, 2, "the database went away"},
		{"a check of an optional profile failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[1].Outcome = proof.Fail
			t.Conformance.Profiles[1].Outcome = proof.Fail
		}, proof.Pass, 0, ""},
		{"a check of an optional and of a required profile failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[2].Outcome = proof.Fail
		}, proof.Fail, 1, "BL-02"},
		{"a check of no profile failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[1].Profiles, t.Conformance.Checks[1].Outcome = nil, proof.Fail
		}, proof.Fail, 1, "FL-01"},
		{"a check of an unknown profile failed", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[1].Profiles, t.Conformance.Checks[1].Outcome = []string{"new"}, proof.Fail
		}, proof.Fail, 1, "FL-01"},
		{"one required check was skipped", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks[0].Outcome = proof.Skip
			t.Conformance.Profiles[0].Outcome = proof.Incomplete
		}, proof.Pass, 0, ""},
		{"all checks were skipped", func(_ *proof.Proof, t *proof.Target) {
			for i := range t.Conformance.Checks {
				t.Conformance.Checks[i].Outcome = proof.Skip
			}
		}, proof.Error, 2, "sqlite: no check ran"},
		{"only optional checks ran", func(_ *proof.Proof, t *proof.Target) {
			t.Conformance.Checks = t.Conformance.Checks[1:2]
		}, proof.Error, 2, "no check ran"},
		{"one statement too many", func(_ *proof.Proof, t *proof.Target) {
			t.Footprint.Statements[1].Count++
		}, proof.Fail, 1, "2001 statements for 2000 calls, want exactly 1 a call"},
		{"one statement too few", func(_ *proof.Proof, t *proof.Target) {
			t.Footprint.Statements[1].Count--
		}, proof.Fail, 1, "1999 statements for 2000 calls"},
		{"a statement with the flag off", func(_ *proof.Proof, t *proof.Target) {
			t.Footprint.Statements[0].Count = 1
		}, proof.Fail, 1, "1 statements for 2000 calls, want exactly 0 a call"},
		{"statements were counted over no calls", func(_ *proof.Proof, t *proof.Target) {
			t.Footprint.Statements[0].Calls = 0
		}, proof.Error, 2, "no calls were made"},
		{"statements that are only reported", func(_ *proof.Proof, t *proof.Target) {
			t.Footprint.Statements[2].Count = 999
		}, proof.Pass, 0, ""},
		{"more space with the flag on", func(_ *proof.Proof, t *proof.Target) {
			t.Footprint.Space.Held, t.Footprint.Space.Reason = false, "9 rows more"
		}, proof.Fail, 1, "sqlite: space: 9 rows more"},
		{"calls under load answered wrongly", func(_ *proof.Proof, t *proof.Target) {
			t.Bench[0].Rounds[3].B.Errors = 2
		}, proof.Fail, 1, "2 calls answered wrongly"},
		{"no round counted", func(_ *proof.Proof, t *proof.Target) {
			t.Bench[0].Rounds = nil
		}, proof.Error, 2, "no round counted"},
		{"20 % of the rounds dropped", func(_ *proof.Proof, t *proof.Target) {
			t.Bench[0].Rounds, t.Bench[0].Dropped = t.Bench[0].Rounds[:8], make([]proof.Dropped, 2)
		}, proof.Pass, 0, ""},
		{"more than 20 % of the rounds dropped", func(_ *proof.Proof, t *proof.Target) {
			t.Bench[0].Rounds, t.Bench[0].Dropped = t.Bench[0].Rounds[:7], make([]proof.Dropped, 2)
		}, proof.Error, 2, "2 of 9 rounds dropped: invalid machine"},
		{"the run was interrupted", func(p *proof.Proof, _ *proof.Target) {
			p.Interrupted = "SIGINT"
		}, proof.Error, 2, "interrupted: SIGINT"},
		{"interrupted after a failure", func(p *proof.Proof, t *proof.Target) {
			p.Interrupted = "SIGINT"
			t.Conformance.Checks[0].Outcome = proof.Fail
		}, proof.Fail, 1, "interrupted: SIGINT"},
		{"a target could not be tried", func(p *proof.Proof, _ *proof.Target) {
			p.Targets = append(p.Targets, proof.Target{Name: "mysql", Error: "no docker"})
		}, proof.Error, 2, "mysql: no docker"},
		{"nothing ran on a second target", func(p *proof.Proof, _ *proof.Target) {
			p.Targets = append(p.Targets, proof.Target{Name: "mysql"})
		}, proof.Error, 2, "mysql: nothing ran"},
		{"no target", func(p *proof.Proof, _ *proof.Target) {
			p.Targets = nil
		}, proof.Error, 2, "no target was tried"},
		{"nothing ran at all", func(p *proof.Proof, t *proof.Target) {
			t.Conformance, t.Footprint, t.Bench, p.Budgets = nil, nil, nil, nil
		}, proof.Error, 2, "sqlite: nothing ran"},
		{"a budget was exceeded", func(p *proof.Proof, _ *proof.Target) {
			p.Budgets[0].Outcome, p.Budgets[0].Observed = proof.Fail, 91
		}, proof.Fail, 1, "budget core-cpu-us: 91 µs, limit 90"},
		{"a budget could not be compared", func(p *proof.Proof, _ *proof.Target) {
			p.Budgets[0].Outcome, p.Budgets[0].Reason = proof.Error, "CPU cannot be read"
		}, proof.Error, 2, "budget core-cpu-us: CPU cannot be read"},
		{"a verdict that stands there already is not looked at", func(p *proof.Proof, t *proof.Target) {
			p.Verdict = proof.Verdict{Outcome: proof.Pass}
			t.Conformance.Checks[0].Outcome = proof.Fail
		}, proof.Fail, 1, "BL-01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := passing()
			tc.edit(p, &p.Targets[0])
			got := proof.Judge(p)
			if got.Outcome != tc.want || got.ExitCode != tc.exit {
				t.Errorf("got %s, exit %d, want %s, exit %d; reasons %q", got.Outcome, got.ExitCode, tc.want, tc.exit, got.Reasons)
			}
			if got.Reasons == nil {
				t.Error("reasons are nil, want a list")
			}
			found := slices.ContainsFunc(got.Reasons, func(r string) bool { return strings.Contains(r, tc.reason) })
			if tc.reason == "" && len(got.Reasons) > 0 || tc.reason != "" && !found {
				t.Errorf("reasons %q, want one with %q", got.Reasons, tc.reason)
			}
		})
	}
}

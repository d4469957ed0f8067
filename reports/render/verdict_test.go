package render

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// shows says whether a report of one of the formats for people calls p a pass.
func shows(t *testing.T, p *proof.Proof) map[string]bool {
	t.Helper()
	return map[string]bool{
		"terminal": strings.HasPrefix(format(t, "terminal", p), "PASS"),
		"markdown": strings.HasPrefix(format(t, "markdown", p), "### ✅ PASS"),
		"html":     strings.Contains(format(t, "html", p), `<html lang="en" class="good">`),
		"github":   strings.HasPrefix(format(t, "github", p), "::notice title=coreproof%3A PASS"),
	}
}

// No report is green unless the evidence is.
func TestNothingIsGreenForNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(p *proof.Proof)
	}{
		{"no target", func(p *proof.Proof) { p.Targets = nil }},
		{"a target of which nothing is known", func(p *proof.Proof) { p.Targets = []proof.Target{{Name: "x"}} }},
		{"an empty conformance", func(p *proof.Proof) { p.Targets[0].Conformance = &proof.Conformance{} }},
		{"all checks skipped", func(p *proof.Proof) {
			for i := range p.Targets[0].Conformance.Checks {
				p.Targets[0].Conformance.Checks[i].Outcome = proof.Skip
			}
		}},
		{"a bench without rounds", func(p *proof.Proof) { p.Targets[0].Bench[0].Rounds = nil }},
		{"interrupted", func(p *proof.Proof) { p.Interrupted = "SIGTERM" }},
		{"a stored pass over a failed check", func(p *proof.Proof) {
			p.Targets[0].Conformance.Checks[0].Outcome = proof.Fail
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := example(t, "good")
			for f, pass := range shows(t, p) {
				if !pass {
					t.Errorf("%s of a good proof shows no pass", f)
				}
			}
			tc.edit(p) // the stored verdict still says pass
			for f, pass := range shows(t, p) {
				if pass {
					t.Errorf("%s shows a pass", f)
				}
			}
			for _, f := range []string{"terminal", "markdown", "html", "github"} {
				if !strings.Contains(format(t, f, p), "the stored verdict is") {
					t.Errorf("%s does not say that the stored verdict was edited", f)
				}
			}
		})
	}
}

// A proof that was not saved yet has no verdict; that is no edit.
func TestUnsavedProofIsNotCalledEdited(t *testing.T) {
	t.Parallel()
	p := example(t, "good")
	p.Verdict = proof.Verdict{}
	if s := summarise(p); s.Edited != "" || s.Word != "PASS" {
		t.Errorf("got %q, edited %q; want PASS and no edit", s.Word, s.Edited)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, proof string
		edit        func(p *proof.Proof)
		want        []string
	}{
		{"as it is", "good", func(*proof.Proof) {}, []string{"took effect at once", "all 6,100 calls", "costs 0.137 ms per call."}},
		{"several targets", "databases", func(*proof.Proof) {}, []string{"all 24,400 calls", "on all 4 targets", "costs 0.050 to 0.202 ms"}},
		{"cost not measured", "good", func(p *proof.Proof) { p.Targets[0].Bench = nil }, []string{"what the check costs was not measured"}},
		{"only the cost was measured", "good", func(p *proof.Proof) { p.Targets[0].Conformance = nil }, []string{"whether a logged-out user is refused was not shown", "costs 0.137 ms"}},
		{"cost is noise", "good", func(p *proof.Proof) {
			b := &p.Targets[0].Bench[0]
			b.CostPerCall = &proof.Estimate{Value: 0.001, Low: -0.001, High: 0.003, N: 18, Unit: "ms"}
		}, []string{"costs 60.2 µs of the core's CPU per call, and no latency that can be told from noise"}},
		{"all cost is noise", "good", func(p *proof.Proof) {
			b := &p.Targets[0].Bench[0]
			b.CostPerCall = &proof.Estimate{Value: 0.001, Low: -0.001, High: 0.003, N: 18, Unit: "ms"}
			b.CoreCPURatio = &proof.Estimate{Value: 1, Low: 0.9, High: 1.1, N: 18, Unit: "ratio"}
		}, []string{"what the check costs cannot be told from noise"}},
		{"checks were skipped", "url", func(*proof.Proof) {}, []string{"Not fully proved", "blacklisting, multi-instance, footprint"}},
		{"stale accepts", "failing", func(*proof.Proof) {}, []string{"A logged-out user can still get in: 306 of 4,600", "up to 4.93 s later"}},
		{"another failure", "good", func(p *proof.Proof) { p.Targets[0].Conformance.Checks[10].Outcome = proof.Fail }, []string{"6,100 calls made after a confirmed logout were refused, but 1 requirement was not met"}},
		{"interrupted", "interrupted", func(*proof.Proof) {}, []string{"cut short (SIGINT after 41 s)"}},
		{"nothing", "empty", func(*proof.Proof) {}, []string{"Nothing was tried"}},
		{"vacuous", "good", func(p *proof.Proof) { p.Targets[0].Conformance.Checks[0].Outcome = proof.Vacuous }, []string{"Nothing is decided: 1 thing could not be tried or could not have failed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := example(t, tc.proof)
			tc.edit(p)
			got := summarise(p).Sentence
			for _, w := range tc.want {
				if !strings.Contains(got, w) {
					t.Errorf("got %q, want %q in it", got, w)
				}
			}
		})
	}
}

// Contradictions and weak spots must be said wherever people look.
func TestGapsAreSaid(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(p *proof.Proof, t *proof.Target)
		want string
	}{
		{"no conformance", func(_ *proof.Proof, t *proof.Target) { t.Conformance = nil }, "the rules of logging out were not checked"},
		{"no trials", func(_ *proof.Proof, t *proof.Target) { t.Conformance.Immediacy = proof.Immediacy{} }, "no token was offered after its session had been ended"},
		{"accepted, and no check failed", func(_ *proof.Proof, t *proof.Target) { t.Conformance.Immediacy.Accepted = 3 }, "though no required check failed"},
		{"control refused", func(_ *proof.Proof, t *proof.Target) { t.Conformance.Immediacy.ControlAccepted = 0 }, "no control call was let in"},
		{"no footprint", func(_ *proof.Proof, t *proof.Target) { t.Footprint = nil }, "statements and space were not counted"},
		{"no space", func(_ *proof.Proof, t *proof.Target) { t.Footprint.Space = nil }, "space was not compared"},
		{"no bench", func(_ *proof.Proof, t *proof.Target) { t.Bench = nil }, "the cost was not measured"},
		{"not gateable", func(_ *proof.Proof, t *proof.Target) { t.Bench[0].Gateable = false }, "may not be gated on"},
		{"few rounds", func(_ *proof.Proof, t *proof.Target) { t.Bench[0].Rounds = t.Bench[0].Rounds[:5] }, "too few to rely on"},
		{"no floor", func(_ *proof.Proof, t *proof.Target) { t.Bench[0].Floor, t.Bench[0].FloorLatency = nil, nil }, "no noise floor was measured"},
		{"dropped", func(_ *proof.Proof, t *proof.Target) { t.Bench[0].Dropped = make([]proof.Dropped, 1) }, "1 round dropped"},
		{"noisy", func(_ *proof.Proof, t *proof.Target) { t.Bench[0].Sigma = 0.06 }, "the machine is noisy, rounds differ by 6.0 %"},
		{"limits", func(p *proof.Proof, _ *proof.Target) { p.Machine.Limits = []string{"no perf counters"} }, "this machine: no perf counters"},
		{"history unknown", func(_ *proof.Proof, t *proof.Target) { t.Conformance.Histories[0].Result = "unknown" }, "could not be judged in time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := example(t, "good")
			tc.edit(p, &p.Targets[0])
			for _, f := range []string{"terminal", "markdown", "html", "github"} {
				if got := strings.Join(strings.Fields(format(t, f, p)), " "); !strings.Contains(got, tc.want) {
					t.Errorf("%s does not say %q", f, tc.want)
				}
			}
		})
	}
	if g := gaps(example(t, "good")); len(g) > 0 {
		t.Errorf("a complete proof has gaps: %q", g)
	}
}

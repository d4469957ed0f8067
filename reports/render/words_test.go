package render_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
	"github.com/coreproof/coreproof/reports/verdict"
)

// people are the formats that people read.
var people = []string{"terminal", "markdown", "html", "github"}

// text is a format on one line, without the marks of its syntax.
func text(t *testing.T, name string, p *proof.Proof) string {
	t.Helper()
	return strings.Join(strings.Fields(strings.ReplaceAll(format(t, name, p), "\\", "")), " ")
}

// shows says whether a report of one of the formats for people calls p a pass.
func shows(t *testing.T, p *proof.Proof) map[string]bool {
	t.Helper()
	return map[string]bool{
		"terminal": strings.HasPrefix(format(t, "terminal", p), "PASS  "),
		"markdown": strings.HasPrefix(format(t, "markdown", p), "### ✅ PASS: "),
		"html":     strings.Contains(format(t, "html", p), `<html lang="en" class="good">`),
		"github":   strings.HasPrefix(format(t, "github", p), "::notice title=coreproof%3A PASS::"),
	}
}

// V2: no report is green unless the evidence is, whatever verdict is stored.
func TestV2NothingIsGreenByAStoredVerdict(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(p *proof.Proof)
	}{
		{"no target", func(p *proof.Proof) { p.Targets = nil }},
		{"a target of which nothing is known", func(p *proof.Proof) { p.Targets = []proof.Target{{Name: "x"}} }},
		{"an empty conformance", func(p *proof.Proof) { p.Targets[0].Conformance = &proof.Conformance{} }},
		{"a bench without rounds", func(p *proof.Proof) { p.Targets[0].Bench[0].Rounds = nil }},
		{"interrupted", func(p *proof.Proof) { p.Interrupted = "SIGTERM" }},
		{"a violation", func(p *proof.Proof) {
			p.Targets[0].Conformance.Checks[0].Violations = []proof.Violation{{}}
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
			for _, f := range people {
				if got := text(t, f, p); !strings.Contains(got, "from the evidence, e.g.") {
					t.Errorf("%s does not say that stored outcomes differ", f)
				}
			}
		})
	}
}

// N10: a pass with skipped profiles is not shown as a plain one.
func TestN10PassIncomplete(t *testing.T) {
	t.Parallel()
	p := example(t, "incomplete")
	for f, pass := range shows(t, p) {
		if pass {
			t.Errorf("%s shows a plain pass", f)
		}
	}
	for _, f := range people {
		got := text(t, f, p)
		for _, want := range []string{"PASS, incomplete", "multi-instance is incomplete: needs two cores"} {
			if f == "github" {
				want = strings.ReplaceAll(want, "PASS, ", "PASS%2C ")
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q", f, want)
			}
		}
	}
}

// N9: what was wanted stands beside what was got, wherever a failure is shown.
func TestN9WantStandsBesideGot(t *testing.T) {
	t.Parallel()
	p := example(t, "failing")
	for _, f := range append(people, "junit") {
		if got := text(t, f, p); !strings.Contains(got, "want UNAUTHORISED, got OK (in 46 of 60 trials)") {
			t.Errorf("%s does not say what was wanted", f)
		}
	}
}

// N4: the core of a run that started it itself is gone: no report gives a request
// to it as a replay.
func TestN4ReplayNeedsACoreThatLives(t *testing.T) {
	t.Parallel()
	p := example(t, "failing")
	for _, f := range []string{"terminal", "html", "junit"} {
		got := text(t, f, p)
		if strings.Contains(got, "curl -sS") || !strings.Contains(got, "the one of this run is gone") || !strings.Contains(got, "coreproof conform --check BL-02") {
			t.Errorf("%s of a container replays a request, or does not say why not", f)
		}
	}
	p.Targets[0].Kind = "url"
	for _, f := range []string{"terminal", "html", "junit"} {
		if got := text(t, f, p); !strings.Contains(got, "curl -sS") || strings.Contains(got, "of this run is gone") {
			t.Errorf("%s of a core by URL does not replay the request", f)
		}
	}
}

// N6: whoever plans machines sees the database's part, the interval of what full
// load gave, and what made it cheaper than production.
func TestN6CapacityCountsTheDatabase(t *testing.T) {
	t.Parallel()
	page := text(t, "html", example(t, "good"))
	for _, want := range []string{
		"CPU per verify, core and database: ", "× 1.70 CPU", "core CPU at full load ", "at 35 % load ", "calls per second at full load 11,000 (", "from 6 rounds",
		"the database ran: this machine, not pinned, fsync off, autovacuum off",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if got := text(t, "terminal", example(t, "good")); !strings.Contains(got, "with db, on/off 1.700") || !strings.Contains(got, "fsync off, autovacuum off") {
		t.Error("the terminal leaves the database out")
	}
}

// N6: a rate has no more digits than its rounds can know.
func TestN6ThroughputHasNoFourDigits(t *testing.T) {
	t.Parallel()
	p := example(t, "good")
	for i := range p.Targets[0].Bench[0].Rounds {
		if r := &p.Targets[0].Bench[0].Rounds[i]; r.Kind == proof.KindSaturated {
			r.Windows[0].Rate = 8751 + 900*float64(i%3)
		}
	}
	verdict.Derive(p)
	got := text(t, "html", p)
	i := strings.Index(got, "calls per second at full load ")
	if i < 0 {
		t.Fatal("no throughput")
	}
	value, _, _ := strings.Cut(got[i+len("calls per second at full load "):], " ")
	if digits := strings.TrimRight(strings.ReplaceAll(value, ",", ""), "0"); len(digits) > 3 {
		t.Errorf("throughput %q", value)
	}
}

// The page: what leaves "no difference" out is never called noise, and where it
// is no larger than the floor, the floor stands beside it.
func TestPageSetsSmallClaimsBesideTheFloor(t *testing.T) {
	t.Parallel()
	p := example(t, "good")
	b := &p.Targets[0].Bench[0]
	for i := range b.Rounds {
		r := &b.Rounds[i]
		switch r.Kind {
		case proof.KindCost: // + 0.02 ms, always
			r.Windows[0].P50, r.Windows[1].P50 = 0.2, 0.22+0.0001*float64(i%2)
		case proof.KindFloor: // from −0.06 to 0.06 ms
			r.Windows[0].P50, r.Windows[1].P50 = 0.2, 0.2+0.06*float64(1-2*(i/4%2))
		}
	}
	verdict.Derive(p)
	page := text(t, "html", p)
	if strings.Contains(page, "is noise") || strings.Contains(page, ": noise") {
		t.Error("a claim that leaves zero out is called noise")
	}
	for _, want := range []string{"no larger than the noise floor (two equal sides: −0.0", "within floor", "two equal sides gave "} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// The page: what may be is not worded as a breach, versions are named with their
// cost, and words are explained.
func TestPageExplainsItself(t *testing.T) {
	t.Parallel()
	page := text(t, "html", example(t, "good"))
	for _, want := range []string{
		"Accepted before the logout was answered (as it may be)", "60.2 µs of core CPU (CDI 2.20), 60.6 µs of core CPU (CDI 5.4)",
		"<dt>CDI</dt>", "<dt>flag mode</dt>", "<dt>noise floor</dt>", "<dt>linearizable</dt>", "<dt>duet</dt>", "<dt>anytime-valid</dt>", "<dt>negative control</dt>",
		"<dt>profile</dt>", "<dt>inconclusive</dt>", "<dt>GOMAXPROCS</dt>", `<abbr title="Access token`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, old := range []string{"let in", " era"} {
		if strings.Contains(page, old) {
			t.Errorf("the page still says %q", old)
		}
	}
}

// A pass that leaves something untried says so in its first sentence.
func TestHeadlineSaysWhatWasNotTried(t *testing.T) {
	t.Parallel()
	p := example(t, "good")
	p.Targets[0].Bench, p.Limits = nil, nil
	verdict.Derive(p)
	for _, f := range people {
		if got := text(t, f, p); !strings.Contains(got, "what the flag costs was not measured") {
			t.Errorf("%s does not say that the cost was not measured", f)
		}
	}
	p = example(t, "good")
	p.Targets[0].Conformance = nil
	verdict.Derive(p)
	for _, f := range people {
		if got := text(t, f, p); !strings.Contains(got, "that a logged-out user is refused at once was not shown") {
			t.Errorf("%s does not say that logging out was not shown", f)
		}
	}
}

// A proof that was not derived yet has no verdict; that is no edit.
func TestUnderivedProofIsNotCalledEdited(t *testing.T) {
	t.Parallel()
	p := example(t, "good")
	proof.Clear(p)
	if got := format(t, "terminal", p); strings.Contains(got, "differ") || !strings.HasPrefix(got, "PASS") {
		t.Errorf("got %q", got)
	}
}

// F10: a core by URL is called what its caller or it itself calls it.
func TestF10ACoreByURLHasItsName(t *testing.T) {
	t.Parallel()
	p := example(t, "url")
	for _, tc := range []struct {
		server proof.Server
		want   string
	}{
		{proof.Server{Name: "mine"}, "mine by URL"},
		{proof.Server{Name: "mine", Product: "supertokens-core", Version: "10.1"}, "mine 10.1 by URL"},
		{proof.Server{Product: "supertokens-core"}, "supertokens-core by URL"},
		{proof.Server{}, "unnamed core by URL"},
	} {
		p.Targets[0].Core = tc.server
		for _, f := range []string{"terminal", "markdown", "html"} {
			if got := text(t, f, p); !strings.Contains(got, tc.want) || strings.Contains(got, "on url") {
				t.Errorf("%s does not call it %q", f, tc.want)
			}
		}
	}
}

// F6: no report shows a credential that a recorder shortened, or makes one whole.
func TestF6ReportsHoldNoCredential(t *testing.T) {
	t.Parallel()
	for _, name := range some() {
		p := example(t, name)
		for _, f := range render.Formats {
			out := format(t, f.Name, p)
			if short := proof.ShortenTokens(out); f.Name != "html" && f.Name != "json" && short != out { // those hold hashes
				t.Errorf("%s of %s holds what looks like a credential: %s", f.Name, name, firstDifference(out, short))
			}
			if strings.Contains(out, "Bearer ey") {
				t.Errorf("%s of %s holds a bearer", f.Name, name)
			}
		}
	}
}

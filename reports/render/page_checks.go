package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// targetChecks is the part of the page on one target's checks.
type targetChecks struct {
	Name     string
	Summary  string
	Error    string
	Profiles table
	Groups   []groupView
	Left     int // groups that are left out
}

// groupView is the checks on one theme in one era.
type groupView struct {
	Title   string
	Summary string
	Tone    tone
	Open    bool
	// Shown did not pass, the failed ones first; Passed only have a line each.
	Shown      []checkView
	ShownLeft  int
	Passed     table
	PassedOnly string // their number, where there is no room for lines
}

// checkView is a check that did not pass.
type checkView struct {
	ID, Title, Word        string
	Tone                   tone
	Facts                  []pair
	Exchanges              []exchangeView
	ExchangesLeft          int
	ExchangeCount          string
	Replay, Rerun          string
	rank                   int
	Requirement, Source    string
	Expected, Got, Remarks string
}

// exchangeView is one request and its response.
type exchangeView struct {
	Line, Request, Result, Response string
}

func checksByTarget(p *proof.Proof, l limits) []targetChecks {
	var out []targetChecks
	for i := range p.Targets {
		t := &p.Targets[i]
		v := targetChecks{Name: l.text(t.Name), Error: l.text(t.Error)}
		if t.Conformance == nil {
			if t.Error == "" {
				v.Summary = "No checks were run on this target."
			}
			out = append(out, v)
			continue
		}
		c := t.Conformance
		v.Summary = fmt.Sprintf("%s, in %s.", tallyChecks(c), duration(c.Took))
		v.Profiles = profileTable(c, v.Name, l)
		v.Groups, v.Left = first(groups(c, l), l.Groups)
		out = append(out, v)
	}
	return out
}

func profileTable(c *proof.Conformance, target string, l limits) table {
	t := table{Quiet: true, Caption: "Profiles of " + target, Head: []string{"Profile", "Result", "Passed", "Failed", "Could not be tried", "Could not have failed", "Skipped"}}
	for _, f := range c.Profiles {
		name := text(l.text(f.Name))
		if f.Optional {
			name.Sub = "optional"
		}
		r := toned(outcomeWord(f.Outcome), outcomeTone(f.Outcome))
		r.Sub = l.text(f.Reason)
		t.Rows = append(t.Rows, []cell{name, r, numeric(count(f.Passed)), numeric(count(f.Failed)), numeric(count(f.Errors)), numeric(count(f.Vacuous)), numeric(count(f.Skipped))})
	}
	t.Rows, t.Left = first(t.Rows, l.Rows)
	return t
}

// groups puts checks together by suite and era: groups with failures first,
// then those with anything else than a pass, else in order of appearance.
func groups(c *proof.Conformance, l limits) []groupView {
	type key struct{ suite, era string }
	at := map[key]int{}
	var members [][]*proof.Check
	for i := range c.Checks {
		k := &c.Checks[i]
		id := key{k.Suite, k.Era}
		n, ok := at[id]
		if !ok {
			n = len(members)
			at[id] = n
			members = append(members, nil)
		}
		members[n] = append(members[n], k)
	}
	out := make([]groupView, 0, len(members))
	for _, m := range members {
		out = append(out, newGroup(c, m, l))
	}
	order := map[tone]int{bad: 0, unsure: 1, good: 2}
	slices.SortStableFunc(out, func(a, b groupView) int { return order[a.Tone] - order[b.Tone] })
	return out
}

func newGroup(c *proof.Conformance, checks []*proof.Check, l limits) groupView {
	suite := l.text(checks[0].Suite)
	if suite == "" {
		suite = "without a suite"
	}
	part := proof.Conformance{Profiles: c.Profiles}
	g := groupView{Title: suite + ", " + eraWord(checks[0].Era), Tone: good}
	g.Passed = table{Quiet: true, Caption: "Passed: " + g.Title, Head: []string{"Check", "Requirement", "Source", "Trials", "Took"}}
	for _, k := range checks {
		part.Checks = append(part.Checks, *k)
		if k.Outcome != proof.Pass {
			g.Shown = append(g.Shown, newCheckView(c, k, l))
			continue
		}
		trials := missing
		if k.Trials > 0 {
			trials = count(k.Trials)
		}
		g.Passed.Rows = append(g.Passed.Rows, []cell{withSub(text(l.text(k.ID+" "+k.Title)), l.text(k.Protocol)), text(l.text(k.Requirement)), text(l.text(k.Source)), numeric(trials), numeric(duration(k.Took))})
	}
	if n := len(g.Passed.Rows); l.Passed == 0 && n > 0 {
		g.Passed.Rows, g.PassedOnly = nil, count(n)+" passed."
	}
	g.Passed.Rows, g.Passed.Left = first(g.Passed.Rows, max(1, l.Passed))
	slices.SortStableFunc(g.Shown, func(a, b checkView) int { return a.rank - b.rank })
	if len(g.Shown) > 0 {
		g.Tone = unsure
		if g.Shown[0].rank == 0 {
			g.Tone, g.Open = bad, true
		}
	}
	g.Shown, g.ShownLeft = first(g.Shown, l.Shown)
	g.Summary = tallyChecks(&part).String()
	return g
}

func newCheckView(c *proof.Conformance, k *proof.Check, l limits) checkView {
	v := checkView{ID: l.text(k.ID), Title: l.text(k.Title), Word: outcomeWord(k.Outcome), Tone: outcomeTone(k.Outcome),
		Requirement: l.text(k.Requirement), Source: l.text(k.Source), Expected: l.body(k.Expected), Got: l.body(k.Got), Remarks: l.body(k.Reason),
		Replay: l.body(k.Replay), Rerun: l.body(k.Rerun)}
	v.rank = map[proof.Outcome]int{proof.Fail: 0, proof.Error: 1, proof.Vacuous: 2, proof.Skip: 4}[k.Outcome]
	if !c.Decides(k) {
		v.Word += " (optional, not part of the verdict)"
		if k.Outcome == proof.Fail {
			v.rank, v.Tone = 3, unsure
		}
	}
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, pair{name, l.text(value)})
		}
	}
	add("Protocol", k.Protocol)
	add("Profiles", strings.Join(k.Profiles, ", "))
	switch {
	case k.Trials > 0 && (k.Outcome == proof.Fail || k.Violations > 0):
		add("Broken", fmt.Sprintf("%s of %s trials", count(k.Violations), count(k.Trials)))
	case k.Trials > 0:
		add("Trials", count(k.Trials))
	}
	noted, left := first(observations(k.Observations), l.Rows)
	for _, o := range noted {
		v.Facts = append(v.Facts, pair{l.text(o.Name), l.text(o.Value)})
	}
	if left > 0 {
		add("And", fmt.Sprintf("%d more observations", left))
	}
	add("Took", duration(k.Took))
	list, left := first(k.Exchanges, l.Exchanges)
	v.ExchangesLeft, v.ExchangeCount = left, plural(len(k.Exchanges), "exchange")
	for _, x := range list {
		e := exchangeView{Line: l.text(x.Method) + " " + l.text(x.URL), Request: l.body(x.RequestBody), Response: l.body(x.ResponseBody)}
		if x.Tag != "" {
			e.Line += "  (X-Coreproof-Check: " + l.text(x.Tag) + ")"
		}
		e.Result = fmt.Sprintf("HTTP %d after %s", x.Status, duration(x.Took))
		if x.Error != "" {
			e.Result = fmt.Sprintf("no response after %s: %s", duration(x.Took), l.text(x.Error))
		}
		v.Exchanges = append(v.Exchanges, e)
	}
	return v
}

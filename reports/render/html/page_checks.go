package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
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

// groupView is the checks on one theme at one version.
type groupView struct {
	Title   string
	Summary string
	Tone    summary.Tone
	Open    bool
	// Shown did not pass, the failed ones first; Passed only have a line each.
	Shown     []checkView
	ShownLeft int
	Passed    table
	// Explained names checks that another one's failure explains.
	Explained  string
	PassedOnly string // their number, where there is no room for lines
}

// checkView is a check that did not pass.
type checkView struct {
	ID, Title, Word        string
	Tone                   summary.Tone
	Facts                  []summary.Pair
	Exchanges              []exchangeView
	ExchangesLeft          int
	ExchangeCount          string
	Commands               []summary.Pair
	rank                   int
	Requirement, Source    string
	Expected, Got, Remarks string
}

// exchangeView is one request and its response.
type exchangeView struct {
	Line, Request, Result, Response string
}

func checksByTarget(sum *summary.Summary, p *proof.Proof, l limits) []targetChecks {
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
		v.Summary = fmt.Sprintf("%s, in %s.", sum.Tally(c), words.Duration(c.Took))
		v.Profiles = profileTable(c, v.Name, l)
		v.Groups, v.Left = words.First(groups(sum, t, l), l.Groups)
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
		r := toned(summary.OutcomeWord(f.Outcome), summary.OutcomeTone(f.Outcome))
		r.Sub = l.text(f.Reason)
		t.Rows = append(t.Rows, []cell{name, r, numeric(words.Count(f.Passed)), numeric(words.Count(f.Failed)), numeric(words.Count(f.Errors)), numeric(words.Count(f.Vacuous)), numeric(words.Count(f.Skipped))})
	}
	t.Rows, t.Left = words.First(t.Rows, l.Rows)
	return t
}

// groups puts checks together by suite and version: groups with failures first,
// then those with anything else than a pass, else in order of appearance.
func groups(sum *summary.Summary, target *proof.Target, l limits) []groupView {
	c := target.Conformance
	type key struct{ suite, protocol string }
	at := map[key]int{}
	var members [][]*proof.Check
	for i := range c.Checks {
		k := &c.Checks[i]
		id := key{k.Suite, k.Protocol}
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
		out = append(out, newGroup(sum, target, m, l))
	}
	order := map[summary.Tone]int{summary.Bad: 0, summary.Unsure: 1, summary.Good: 2}
	slices.SortStableFunc(out, func(a, b groupView) int { return order[a.Tone] - order[b.Tone] })
	return out
}

func newGroup(sum *summary.Summary, t *proof.Target, checks []*proof.Check, l limits) groupView {
	suite := l.text(checks[0].Suite)
	if suite == "" {
		suite = "without a suite"
	}
	var explained []string
	g := groupView{Title: strings.TrimSuffix(suite+", "+l.text(checks[0].Protocol), ", ") + " (" + summary.ModeWord(checks[0].FlagMode) + ")", Tone: summary.Good}
	g.Passed = table{Quiet: true, Caption: "Passed: " + g.Title, Head: []string{"Check", "Requirement", "Source", "Trials", "Took"}}
	for _, k := range checks {
		if root := sum.Cause(t.Conformance, k); root != nil {
			explained = append(explained, l.text(k.ID)+" (because "+l.text(root.ID)+" failed)")
			continue
		}
		if k.Outcome != proof.Pass {
			g.Shown = append(g.Shown, newCheckView(sum, t, k, l))
			continue
		}
		trials := summary.Missing
		if k.Trials > 0 {
			trials = words.Count(k.Trials)
		}
		g.Passed.Rows = append(g.Passed.Rows, []cell{withSub(text(l.text(k.ID+" "+k.Title)), l.text(k.Protocol)), text(l.text(k.Requirement)), text(l.text(k.Source)), numeric(trials), numeric(words.Duration(k.Took))})
	}
	if n := len(g.Passed.Rows); l.Passed == 0 && n > 0 {
		g.Passed.Rows, g.PassedOnly = nil, words.Count(n)+" passed."
	}
	g.Passed.Rows, g.Passed.Left = words.First(g.Passed.Rows, max(1, l.Passed))
	slices.SortStableFunc(g.Shown, func(a, b checkView) int { return a.rank - b.rank })
	if len(g.Shown) > 0 {
		g.Tone = summary.Unsure
		if g.Shown[0].rank == 0 {
			g.Tone, g.Open = summary.Bad, true
		}
	}
	if len(explained) > 0 {
		g.Explained = "Not tried for a cause of their own: " + summary.Enumerate(explained) + "."
		if g.Tone == summary.Good {
			g.Tone = summary.Unsure
		}
	}
	g.Shown, g.ShownLeft = words.First(g.Shown, l.Shown)
	g.Summary = sum.Tally(t.Conformance, checks...).String()
	return g
}

func newCheckView(sum *summary.Summary, t *proof.Target, k *proof.Check, l limits) checkView {
	v := checkView{ID: l.text(k.ID), Title: l.text(k.Title), Word: summary.OutcomeWord(k.Outcome), Tone: summary.OutcomeTone(k.Outcome),
		Requirement: l.text(k.Requirement), Source: l.text(k.Source), Remarks: l.body(k.Reason)}
	var list []proof.Exchange
	if x := summary.First(k); x != nil {
		v.Expected, v.Got, list = l.body(x.Expected), l.body(x.Got), x.Exchanges
	}
	for _, c := range summary.Commands(t, k) {
		v.Commands = append(v.Commands, summary.Pair{Name: c.Name, Value: l.body(c.Value)})
	}
	v.rank = map[proof.Outcome]int{proof.Fail: 0, proof.Error: 1, proof.Vacuous: 2, proof.Skip: 4}[k.Outcome]
	if !sum.Decides(t.Conformance, k) {
		v.Word += " (optional, not part of the verdict)"
		if k.Outcome == proof.Fail {
			v.rank, v.Tone = 3, summary.Unsure
		}
	}
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, summary.Pair{Name: name, Value: l.text(value)})
		}
	}
	add("Protocol", k.Protocol)
	add("Profiles", strings.Join(k.Profiles, ", "))
	if n := summary.Broken(k); n != "" {
		add("Broken", n)
	} else if k.Trials > 0 {
		add("Trials", words.Count(k.Trials))
	}
	if k.Race != nil {
		add("Calls that met", fmt.Sprintf("%d with the first ahead, %d with the second; %d of each are wanted", k.Race.MetAB, k.Race.MetBA, k.Race.Want))
	}
	noted, left := words.First(summary.Observations(k.Observations), l.Rows)
	for _, o := range noted {
		v.Facts = append(v.Facts, summary.Pair{Name: l.text(o.Name), Value: l.text(o.Value)})
	}
	if left > 0 {
		add("And", fmt.Sprintf("%d more observations", left))
	}
	add("Took", words.Duration(k.Took))
	v.ExchangeCount = words.Plural(len(list), "exchange")
	list, v.ExchangesLeft = words.First(list, l.Exchanges)
	for _, x := range list {
		e := exchangeView{Line: l.text(summary.Sent(x)), Request: l.body(x.RequestBody), Response: l.body(x.ResponseBody)}
		e.Result = fmt.Sprintf("HTTP %d after %s", x.Status, words.Duration(x.Took))
		if x.Error != "" {
			e.Result = fmt.Sprintf("no response after %s: %s", words.Duration(x.Took), l.text(x.Error))
		}
		v.Exchanges = append(v.Exchanges, e)
	}
	return v
}

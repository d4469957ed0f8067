package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Kinds of findings.
const (
	KindCheck       = "check"
	KindRace        = "race" // a race whose calls did not meet often enough
	KindHistory     = "history"
	KindProfile     = "profile"
	KindImmediacy   = "immediacy"
	KindSwitch      = "switch"
	KindStatements  = "statements"
	KindSpace       = "space"
	KindBench       = "bench"
	KindSteady      = "steady"
	KindSetting     = "setting"
	KindBudget      = "budget"
	KindTarget      = "target"
	KindInterrupted = "interrupted"
	KindNothingRan  = "nothing-ran"
	KindLeftBehind  = "left-behind"
	KindGate        = "gate"
)

// collector gathers findings; those of one target carry its name.
type collector struct {
	list   []proof.Finding
	target string
}

// mostText bounds a finding, in characters: a core's answer may be of any length.
const mostText = 2000

func (c *collector) add(kind string, w proof.Weight, protocol, check, format string, args ...any) {
	c.list = append(c.list, proof.Finding{Kind: kind, Weight: w, Target: c.target, Protocol: protocol, Check: check, Text: words.OneLine(words.Clip(fmt.Sprintf(format, args...), mostText))})
}

// findings are all that weigh on the verdict, those that fail it first.
func findings(p *proof.Proof) []proof.Finding {
	c := &collector{list: []proof.Finding{}}
	if p.Interrupted != "" {
		c.add(KindInterrupted, proof.Untried, "", "", "the run was interrupted: %s", p.Interrupted)
	}
	if len(p.Targets) == 0 {
		c.add(KindNothingRan, proof.Untried, "", "", "no target was tried")
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		c.target = t.Name
		before := len(c.list)
		ran := c.ofTarget(p, t)
		if ran == 0 && !slices.ContainsFunc(c.list[before:], func(f proof.Finding) bool { return f.Weight != proof.Warns }) {
			// Else a target that nobody tried would hide behind one that passed.
			c.add(KindNothingRan, proof.Untried, "", "", "nothing ran")
		}
	}
	for _, b := range p.Budgets {
		c.target = b.Target
		c.ofBudget(b)
	}
	order := map[proof.Weight]int{proof.Fails: 0, proof.Untried: 1, proof.Warns: 2}
	slices.SortStableFunc(c.list, func(a, b proof.Finding) int { return order[a.Weight] - order[b.Weight] })
	return c.list
}

// ofTarget gives how many checks, claims and rounds ran.
func (c *collector) ofTarget(p *proof.Proof, t *proof.Target) (ran int) {
	if t.Error != "" {
		// What was found before it counts all the same.
		c.add(KindTarget, proof.Untried, "", "", "%s", t.Error)
	}
	if t.Conformance != nil {
		ran += c.ofChecks(t.Conformance, p.Require)
		c.ofProfiles(t.Conformance, p.Require)
		c.ofSwitch(t.Conformance)
		c.ofImmediacy(&t.Conformance.Immediacy)
	} else {
		for _, name := range p.Require {
			c.add(KindProfile, proof.Untried, "", "", "profile %s is required, and no check ran on this target", name)
		}
	}
	ran += c.ofFootprint(t.Footprint)
	for i := range t.Bench {
		ran += c.ofBench(&t.Bench[i])
	}
	if len(t.Bench) > 0 {
		c.ofSettings(t.Database)
	}
	if l := t.LeftBehind; l != nil {
		still := words.Plural(l.Sessions, "session") + " of users %s are still on the core: %s"
		if l.Sessions < 0 {
			still = "sessions of users %s may still be on the core: %s"
		}
		c.add(KindLeftBehind, proof.Warns, "", "", still, strings.Join(l.Users, ", "), l.Reason)
	}
	return ran
}

// fewRevokes bounds what is unseen: a sum whose upper bound is above it says little.
const fewRevokes = 0.01

// ofImmediacy says where too few logouts were tried for their bound to mean much.
func (c *collector) ofImmediacy(m *proof.Immediacy) {
	if m.Revokes > 0 && m.Broken == 0 && m.UpperBound > fewRevokes {
		c.add(KindImmediacy, proof.Warns, "", "", "only %s tried: a core that fails after up to %s of them would look the same", words.Plural(m.Revokes, "logout")+was(m.Revokes), words.Percent(m.UpperBound))
	}
}

func was(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

func (c *collector) ofChecks(o *proof.Conformance, require []string) (decided int) {
	explained := map[*proof.Check][]string{}
	for i := range o.Checks {
		if root := Cause(o, &o.Checks[i], require); root != nil {
			explained[root] = append(explained[root], o.Checks[i].ID)
		}
	}
	for i := range o.Checks {
		k := &o.Checks[i]
		if !Decides(o, k, require) {
			continue
		}
		if k.Outcome == proof.Pass || k.Outcome == proof.Fail {
			decided++
		}
		if Cause(o, k, require) != nil {
			continue // said with its cause
		}
		switch k.Outcome {
		case proof.Fail:
			text := k.Title + ": " + broken(k)
			if n := len(explained[k]); n > 0 {
				text += fmt.Sprintf(" (it explains %s)", words.Plural(n, "more check"))
			}
			c.add(KindCheck, proof.Fails, k.Protocol, k.ID, "%s", text)
		case proof.Error:
			c.add(KindCheck, proof.Untried, k.Protocol, k.ID, "%s: harness error: %s", k.Title, k.Reason)
		case proof.Vacuous:
			kind := KindCheck
			if k.Race != nil {
				kind = KindRace
			}
			c.add(kind, proof.Untried, k.Protocol, k.ID, "%s: inconclusive: could not have failed: %s", k.Title, k.Reason)
		}
	}
	if left := o.Planned - len(o.Checks); left > 0 {
		c.add(KindInterrupted, proof.Untried, "", "", "%d of %d planned checks were left out", left, o.Planned)
	}
	if decided == 0 {
		c.add(KindNothingRan, proof.Untried, "", "", "no check that decides ran")
	}
	if m := o.Immediacy; m.Accepted > 0 || m.Broken > 0 {
		c.add(KindImmediacy, proof.Fails, "", "", "%d of %d calls after an answered revoke were accepted, after %d of %d revokes", m.Accepted, m.Calls, m.Broken, m.Revokes)
	}
	for _, h := range o.Histories {
		if slices.ContainsFunc(o.Checks, func(k proof.Check) bool { return k.ID == h.Check && k.Protocol == h.Protocol }) {
			continue // its check says what became of it
		}
		switch h.Result {
		case history.Linearizable:
		case history.NotLinearizable:
			c.add(KindHistory, proof.Fails, h.Protocol, h.Check, "a history that belongs to no check is not linearizable")
		default:
			c.add(KindHistory, proof.Untried, h.Protocol, h.Check, "a history that belongs to no check could not be judged")
		}
	}
	return decided
}

// broken says what a failed check saw, in one line.
func broken(k *proof.Check) string {
	if len(k.Violations) == 0 {
		return k.Reason
	}
	v := k.Violations[0]
	text := "want " + v.Expected + ", got " + v.Got
	if k.Trials > 1 {
		text += fmt.Sprintf(" (in %s of %s trials)", words.Count(len(k.Violations)), words.Count(k.Trials))
	}
	return text
}

func (c *collector) ofProfiles(o *proof.Conformance, require []string) {
	for i := range o.Profiles {
		f := &o.Profiles[i]
		required := slices.Contains(require, f.Name)
		switch {
		case f.Outcome == proof.Pass:
		case required && f.NotClaimed != "":
			c.add(KindProfile, proof.Untried, "", "", "profile %s is required, and the core does not claim it: %s", f.Name, f.NotClaimed)
		case f.NotClaimed != "":
		case required:
			if f.Outcome != proof.Fail { // its checks fail, and say so
				c.add(KindProfile, proof.Untried, "", "", "profile %s is required, and %s: %s", f.Name, f.Outcome, f.Reason)
			}
		case f.Optional:
			if f.Outcome == proof.Fail {
				c.add(KindProfile, proof.Warns, "", "", "optional profile %s: %s", f.Name, f.Reason)
			}
		case f.Outcome == proof.Vacuous && f.Vacuous == 0:
			c.add(KindProfile, proof.Untried, "", "", "profile %s: inconclusive: could not have failed: %s", f.Name, f.Reason)
		case f.Outcome == proof.Incomplete:
			c.add(KindProfile, proof.Warns, "", "", "profile %s is incomplete: %s", f.Name, f.Reason)
		}
	}
	for _, name := range require {
		if profileNamed(o, name) == nil {
			c.add(KindProfile, proof.Untried, "", "", "profile %s is required, and was not tried", name)
		}
	}
}

// ofSwitch judges the negative control of the flag. A core that always checks is
// proved by its twins; only where the caller named a core as one whose flag is
// off is its refusal a contradiction.
func (c *collector) ofSwitch(o *proof.Conformance) {
	for _, s := range o.Switch {
		if s.Apart != "" {
			c.add(KindSwitch, proof.Warns, s.Protocol, "", "%s, named as flag off, does not accept sessions of the core with the flag on (%s): they share no database, so more than the flag may differ", s.Instance, s.Apart)
		}
		refused := s.Trials - s.Accepted
		switch {
		case o.AlwaysChecks && s.Accepted > 0:
			c.add(KindSwitch, proof.Fails, s.Protocol, "", "%s is described as a core that always checks, and accepted %d of %d revoked tokens with the check off", s.Instance, s.Accepted, s.Trials)
		case o.AlwaysChecks && s.Trials == 0:
			c.add(KindSwitch, proof.Untried, s.Protocol, "", "%s is described as a core that always checks, and could not be tried with the check off: %s", s.Instance, s.Trouble)
		case o.AlwaysChecks:
		case s.Named && s.Trials <= 0:
			c.add(KindSwitch, proof.Untried, s.Protocol, "", "%s, named as flag off, could not be tried with revoked tokens: %s", s.Instance, s.Trouble)
		case s.Named && s.Accepted <= 0 && swapped(&o.Immediacy):
			c.add(KindSwitch, proof.Untried, s.Protocol, "", "the core named as flag off refused revoked tokens (%s), and the one named as flag on let in after %d of %d revokes: are the two addresses swapped?", s.Instance, o.Immediacy.Broken, o.Immediacy.Revokes)
		case s.Named && s.Accepted <= 0:
			c.add(KindSwitch, proof.Untried, s.Protocol, "", "the core named as flag off refused revoked tokens too (%s): is the flag on there?", s.Instance)
		case s.Named && refused > 0:
			c.add(KindSwitch, proof.Untried, s.Protocol, "", "the core named as flag off refused %d of %d revoked tokens (%s): are there several cores behind one address?", refused, s.Trials, s.Instance)
		case s.Trouble != "":
			c.add(KindSwitch, proof.Warns, s.Protocol, "", "%s could not be tried with the flag off: %s", s.Instance, s.Trouble)
		case s.Trials > 0 && s.Accepted <= 0:
			c.add(KindSwitch, proof.Warns, s.Protocol, "", "%s refused revoked tokens with the flag off too: it always checks", s.Instance)
		}
	}
}

// swapped says whether the flag-on side looks as a flag-off side does: nearly no
// revoke was seen there.
func swapped(m *proof.Immediacy) bool { return m.Revokes > 0 && 10*m.Broken > 9*m.Revokes }

func (c *collector) ofFootprint(f *proof.Footprint) (ran int) {
	if f == nil {
		return 0
	}
	for _, s := range f.Statements {
		if s.Outcome == "" {
			continue
		}
		ran++
		switch s.Outcome {
		case proof.Pass:
		case proof.Fail:
			c.add(KindStatements, proof.Fails, s.Protocol, "", "statements of %s, flag %s: %d for %d calls, want exactly %g a call", s.Operation, s.Flag, s.Count, s.Calls, *s.Expected)
		default:
			c.add(KindStatements, proof.Untried, s.Protocol, "", "statements of %s, flag %s: %s", s.Operation, s.Flag, s.Reason)
		}
	}
	for _, line := range Uncounted(f) {
		c.add(KindStatements, proof.Untried, "", "", "%s", line)
	}
	if s := f.Space; s != nil {
		ran++
		switch s.Outcome {
		case proof.Pass:
		case proof.Fail:
			c.add(KindSpace, proof.Fails, "", "", "space: %s", s.Reason)
		default:
			c.add(KindSpace, proof.Untried, "", "", "space: %s", s.Reason)
		}
	}
	return ran
}

func (c *collector) ofBudget(b proof.Budget) {
	switch b.Outcome {
	case proof.Pass:
	case proof.Fail:
		c.add(KindBudget, proof.Fails, b.Protocol, "", "budget %s: %.4g %s, interval %.4g to %.4g, limit %.4g", b.Name, b.Observed.Value, b.Unit, b.Observed.Interval.Low, b.Observed.Interval.High, b.Limit)
	case proof.Undecided:
		c.add(KindBudget, proof.Untried, b.Protocol, "", "budget %s is undecided: %s", b.Name, b.Reason)
	default:
		c.add(KindBudget, proof.Untried, b.Protocol, "", "budget %s: %s", b.Name, b.Reason)
	}
}

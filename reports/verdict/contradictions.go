package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
)

// evidence looks for what no run can have seen.
type evidence struct{ found []Difference }

func (e *evidence) must(ok bool, path string, stored any, want string, args ...any) {
	if !ok && len(e.found) < mostDifferences {
		s, isText := stored.(string)
		if isText {
			s = quoted(s)
		} else {
			s = fmt.Sprint(stored)
		}
		e.found = append(e.found, Difference{path, s, fmt.Sprintf(want, args...)})
	}
}

// contradictions are fields of evidence that contradict others.
func contradictions(p *proof.Proof) []Difference {
	var e evidence
	e.must(p.Finished.IsZero() || !p.Finished.Before(p.Started), "finished", p.Finished, "not before started, %s", p.Started)
	names := map[string]bool{}
	for i := range p.Targets {
		t := &p.Targets[i]
		path := fmt.Sprintf("targets[%d]", i)
		e.must(!names[t.Name], path+".name", t.Name, "a name that no other target has")
		names[t.Name] = true
		if t.Conformance != nil {
			e.conformance(path+".conformance", t.Conformance)
		}
		if t.Footprint != nil {
			for j, s := range t.Footprint.Statements {
				e.must(s.Calls >= 0, fmt.Sprintf("%s.footprint.statements[%d].calls", path, j), s.Calls, "no negative count")
			}
		}
		for j := range t.Bench {
			at := fmt.Sprintf("%s.bench[%d]", path, j)
			e.bench(at, &t.Bench[j])
			if p.Interrupted == "" && t.Error == "" {
				e.wholeSweep(at+".sweep.points", t.Bench[j].Sweep)
			}
		}
	}
	if p.Gate != nil {
		e.gate(p)
	}
	return e.found
}

// gate is a duet of four a version of the protocol.
func (e *evidence) gate(p *proof.Proof) {
	g := p.Gate
	for i := range g.Bench {
		b := &g.Bench[i]
		at := fmt.Sprintf("gate.bench[%d]", i)
		for _, name := range []string{baseOff, headOff, baseOn, headOn} {
			e.must(hasVariant(b, name), at+".variants", len(b.Variants), "%s among them", name)
		}
		e.must(len(b.Variants) == 4, at+".variants", len(b.Variants), "4")
		e.bench(at, b)
	}
	e.must(len(g.Bench) <= g.Protocols, "gate.bench", len(g.Bench), "at most the %d versions that were to be measured", g.Protocols)
	broken := g.Error != "" || p.Interrupted != "" || slices.ContainsFunc(p.Targets, func(t proof.Target) bool { return t.Error != "" })
	e.must(broken || g.Saved || len(g.Limits) == 0 || len(g.Bench) == g.Protocols, "gate.bench", len(g.Bench), "all of the %d versions that were to be measured", g.Protocols)
}

// wholeSweep: a sweep that was not cut short has as many windows of a variant in each
// block. Rates above its shares are tried where these did not saturate a core, which may
// be in one block and not in the next.
func (e *evidence) wholeSweep(at string, s *proof.Sweep) {
	if s == nil || s.CutShort != "" || len(s.Shares) == 0 {
		return
	}
	points := map[string][]int{} // by variant, then block
	for _, x := range s.Saturation {
		points[x.Variant] = make([]int, max(0, s.Blocks))
	}
	for _, x := range s.Points {
		n := points[x.Variant]
		if x.Block >= 0 && x.Block < len(n) && slices.Contains(s.Shares, x.Share) {
			n[x.Block]++
		}
	}
	for _, x := range s.Saturation {
		n := points[x.Variant]
		e.must(len(n) == 0 || slices.Min(n) == slices.Max(n) && n[0] > 0, at, len(s.Points), "as many of variant %s in each of %d blocks; they are %v", x.Variant, s.Blocks, n)
	}
}

func (e *evidence) conformance(path string, c *proof.Conformance) {
	e.must(len(c.Checks) <= c.Planned, path+".planned", c.Planned, "at least the %d checks that were tried", len(c.Checks))
	seen := map[[2]string]bool{}
	for i := range c.Checks {
		k := &c.Checks[i]
		at := fmt.Sprintf("%s.checks[%d]", path, i)
		id := [2]string{k.ID, k.Protocol}
		e.must(!seen[id], at+".id", k.ID, "each check once a protocol version")
		seen[id] = true
		e.check(at, c, k)
	}
	profiles := map[string]bool{}
	for i, f := range c.Profiles {
		e.must(!profiles[f.Name], fmt.Sprintf("%s.profiles[%d].name", path, i), f.Name, "each profile once")
		profiles[f.Name] = true
	}
	for i, h := range c.Histories {
		at := fmt.Sprintf("%s.histories[%d]", path, i)
		e.must(seen[[2]string{h.Check, h.Protocol}], at+".check", h.Check, "a check that was tried")
		e.must(h.Operations >= h.Sessions, at+".sessions", h.Sessions, "at most the %d operations", h.Operations)
	}
	for i, s := range c.Switch {
		at := fmt.Sprintf("%s.switch[%d]", path, i)
		e.must(0 <= s.Accepted && s.Accepted <= s.Trials, at+".accepted", s.Accepted, "at most the %d trials", s.Trials)
		e.must(s.Trials > 0 || s.Trouble != "", at+".trouble", s.Trouble, "why it was not tried")
	}
	if x := c.Pairs; x != nil {
		e.must(0 <= x.Met && x.Met <= x.Wanted, path+".pairs.met", x.Met, "at most the %d wanted", x.Wanted)
	}
}

func (e *evidence) check(at string, c *proof.Conformance, k *proof.Check) {
	for _, name := range k.Profiles {
		e.must(profileNamed(c, name) != nil, at+".profiles", name, "a profile of the list")
	}
	e.must(k.Trials >= 0, at+".trials", k.Trials, "no negative count")
	e.must(0 <= k.Tagged && k.Tagged <= k.Trials, at+".tagged", k.Tagged, "at most the %d trials", k.Trials)
	last, tagged := -1, 0
	for i, v := range k.Violations {
		where := fmt.Sprintf("%s.violations[%d].trial", at, i)
		e.must(v.Trial >= -1 && v.Trial < max(k.Trials, 1), where, v.Trial, "one of the %d trials", k.Trials)
		e.must(v.Trial < 0 || v.Trial > last, where, v.Trial, "one violation a trial, in order")
		last = max(last, v.Trial)
		if v.Tagged {
			tagged++
		}
	}
	e.must(tagged <= k.Tagged, at+".tagged", k.Tagged, "at least the %d violations in tagged trials", tagged)
	if k.Lacks != nil {
		e.must(len(k.Violations) == 0, at+".lacks", k.Lacks.Text, "nothing, since the rule was tried and broken")
	}
	if m := k.Immediacy; m != nil {
		e.immediacy(at+".immediacy", m)
		e.must(m.Accepted == 0 && m.Broken == 0 || len(k.Violations) > 0, at+".immediacy.accepted", m.Accepted, "0, since the check has no violation")
	}
	if r := k.Race; r != nil {
		for i, t := range r.Trials {
			where := fmt.Sprintf("%s.race.trials[%d]", at, i)
			e.must(t.AReturn >= t.ACall && t.BReturn >= t.BCall && t.ACall >= 0 && t.BCall >= 0, where, "", "calls that end after they began")
			e.must(t.Order == "ab" || t.Order == "ba", where+".order", t.Order, `"ab" or "ba"`)
		}
	}
}

func (e *evidence) immediacy(at string, m *proof.Immediacy) {
	for _, n := range []struct {
		field     string
		part, all int
	}{{"broken", m.Broken, m.Revokes}, {"accepted", m.Accepted, m.Calls}, {"twinsAccepted", m.TwinsAccepted, m.Twins}, {"concurrentAccepted", m.ConcurrentAccepted, m.Concurrent}} {
		e.must(0 <= n.part && n.part <= n.all, at+"."+n.field, n.part, "at most %d", n.all)
	}
	e.must((m.Accepted > 0) == (m.Broken > 0), at+".broken", m.Broken, "above 0 just where calls were accepted (%d)", m.Accepted)
	e.must(m.Broken <= m.Accepted, at+".broken", m.Broken, "at most the %d accepted calls", m.Accepted)
	e.must(m.AcceptanceWindow >= 0 && (m.AcceptanceWindow == 0 || m.Accepted > 0), at+".acceptanceWindowNs", m.AcceptanceWindow, "0 where no call was accepted")
}

func (e *evidence) bench(at string, b *proof.Bench) {
	var names []string
	for _, v := range b.Variants {
		e.must(!slices.Contains(names, v.Name), at+".variants", v.Name, "each variant once")
		names = append(names, v.Name)
	}
	for i, v := range b.Controls {
		where := fmt.Sprintf("%s.controls[%d]", at, i)
		e.must(0 <= v.Accepted && v.Accepted <= v.Trials, where+".accepted", v.Accepted, "at most the %d trials", v.Trials)
		e.must(slices.Contains(names, v.Variant), where+".variant", v.Variant, "one of the variants")
		against := v.Accepted
		if v.Variant == off {
			against = v.Trials - v.Accepted
		}
		e.must(len(v.Against) <= against || v.Variant != off && v.Variant != on, where+".against", len(v.Against), "at most the %d trials that went against the flag", against)
	}
	index := map[int]bool{} // over all kinds
	for _, d := range b.Dropped {
		index[d.Index] = true
	}
	e.must(len(index) == len(b.Dropped), at+".dropped", len(b.Dropped), "each dropped round once")
	for i := range b.Rounds {
		r := &b.Rounds[i]
		where := fmt.Sprintf("%s.rounds[%d]", at, i)
		e.must(!index[r.Index], where+".index", r.Index, "each round once, and none that was dropped")
		index[r.Index] = true
		e.must(r.Took >= 0, where+".tookNs", r.Took, "no negative time")
		for j, w := range r.Windows {
			x := fmt.Sprintf("%s.windows[%d]", where, j)
			e.must(w.Calls >= 0 && w.Errors >= 0 && w.Errors <= w.Calls+w.Others, x+".errors", w.Errors, "no negative count, and at most the calls")
			e.must(w.Shed >= 0 && w.Shed <= w.Errors, x+".shed", w.Shed, "no negative count, and at most the errors")
			e.others(x, b, r, &w)
			e.must(slices.Contains(names, w.Variant), x+".variant", w.Variant, "one of the variants")
			q := []float64{w.P50, w.P90, w.P99, w.P999, w.Max}
			e.must(r.Kind == proof.KindSaturated || slices.IsSorted(q) && q[0] >= 0, x, "quantiles that fall", "quantiles that rise")
		}
		e.windows(where, names, r)
	}
	for _, text := range capacity.Contradictions(b) {
		e.must(false, at+".sweep", text, "a sweep that could have been measured")
	}
	e.planned(at, b)
	e.histograms(at, b)
}

// windows of one round: calls were made in turn, so all sides have as many.
func (e *evidence) windows(where string, names []string, r *proof.Round) {
	sides := map[string]int{}
	var calls []int64
	for _, w := range r.Windows {
		sides[w.Variant]++
		calls = append(calls, w.Calls)
	}
	all := func(n int) bool {
		for _, k := range sides {
			if k != n {
				return false
			}
		}
		return len(r.Windows) > 0
	}
	switch r.Kind {
	case proof.KindCost:
		e.must(len(r.Windows) == len(names) && all(1), where+".windows", len(r.Windows), "one of each of the %d variants", len(names))
	case proof.KindFloor:
		// Of a pair one variant, of base and head those of base.
		e.must(len(r.Windows) == len(names) && all(2), where+".windows", len(r.Windows), "two of each variant that is held against itself, %d in all", len(names))
	default:
		return
	}
	if len(calls) == 0 || wrong(r) {
		return
	}
	for j, n := range calls {
		least := min(n, calls[0])
		e.must(float64(max(n, calls[0])-least) <= 1+0.011*float64(least), fmt.Sprintf("%s.windows[%d].calls", where, j), n, "as many as the first side's %d, within 1 %%: calls were made in turn", calls[0])
	}
}

// others are as many as the share of verifies says, where the round was not saturated.
func (e *evidence) others(at string, b *proof.Bench, r *proof.Round, w *proof.Window) {
	s := b.Design.Verifies()
	e.must(s > 0 && s <= 1, at, s, "a share of verifies above 0 and at most 1")
	want := float64(w.Calls) * (1 - s) / s
	if s == 1 || r.Kind == proof.KindSaturated {
		e.must(w.Others == 0, at+".others", w.Others, "none: all calls are verifies")
	} else if s > 0 && !r.Saturated && !wrong(r) {
		e.must(math.Abs(float64(w.Others)-want) <= 1+othersApart*want, at+".others", w.Others, "about %.0f, by the share of verifies", want)
	}
}

// othersApart is how far the number of other calls may be from what the share of verifies
// asks for: rounds of which less than 98 % was sent are dropped.
const othersApart = 0.05

// wrong says whether a call of r was answered wrongly: such a round is kept as it
// is, whatever else is odd about it.
func wrong(r *proof.Round) bool {
	return slices.ContainsFunc(r.Windows, func(w proof.Window) bool { return w.Errors > 0 })
}

// planned: rounds that are neither kept nor dropped were left out.
func (e *evidence) planned(at string, b *proof.Bench) {
	seen := map[int]bool{}
	for i := range b.Rounds {
		seen[b.Rounds[i].Index] = true
	}
	for _, d := range b.Dropped {
		seen[d.Index] = true
	}
	last := -1
	for i := range seen {
		last = max(last, i)
	}
	e.must(len(seen) == last+1, at+".rounds", len(b.Rounds), "all rounds from 0 to %d, kept or dropped; %d are missing", last, last+1-len(seen))
}

// histograms hold the calls of unsaturated cost rounds, one by one.
func (e *evidence) histograms(at string, b *proof.Bench) {
	for i, h := range b.Histograms {
		where := fmt.Sprintf("%s.histograms[%d]", at, i)
		e.must(len(h.UpperMs) == len(h.Count), where+".count", len(h.Count), "as many counts as bounds, %d", len(h.UpperMs))
		e.must(slices.IsSorted(h.UpperMs), where+".upperMs", "bounds that fall", "bounds that rise")
		var sum, calls int64
		whole := true
		for _, n := range h.Count {
			e.must(n >= 0, where+".count", n, "no negative count")
			sum += n
		}
		for _, r := range unsaturated(b, proof.KindCost) {
			if w := window(r, h.Variant); w != nil {
				calls += w.Calls
				whole = whole && !wrong(r)
			}
		}
		e.must(sum == calls || !whole, where+".count", sum, "the %d calls of unsaturated cost rounds", calls)
	}
}

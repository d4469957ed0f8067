package several

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/words"
)

// rulesRows compare what the checks found, target by target.
func rulesRows(a, z *proof.Proof) (out []Row) {
	for i := range z.Targets {
		t := &z.Targets[i]
		b := target(a, t.Name)
		if b == nil || b.Conformance == nil || t.Conformance == nil {
			continue
		}
		out = append(out, logoutsRow(b, t), checksRow(b, t))
	}
	return out
}

// logoutsRow compares broken logouts. None in few tries is no better than some in many:
// it is better where it leaves less open than the base has shown.
func logoutsRow(b, t *proof.Target) Row {
	r := Row{Place: t.Name, Key: "logouts", Name: "logouts after which a call was accepted"}
	was, is := b.Conformance.Immediacy, t.Conformance.Immediacy
	text := func(m proof.Immediacy) string { return fmt.Sprintf("%d of %d", m.Broken, m.Revokes) }
	r.WasText, r.IsText = text(was), text(is)
	switch {
	case was.Revokes == 0 || is.Revokes == 0:
		r.Answer, r.Why, r.Lost = Untold, "not tried in both", was.Revokes > 0
	case was.Broken == 0 && is.Broken > 0:
		r.Answer = Worse
	case was.Broken > 0 && is.Broken == 0 && fewer(was.Broken, was.Revokes, is.Revokes):
		r.Answer = Better
	case was.Broken > 0 && is.Broken == 0:
		r.Answer, r.Lost = Untold, true
		r.Why = fmt.Sprintf("none in %s leaves up to %.2g %% open (95 %%), and %.2g %% were seen: too few to show that it is mended",
			words.Plural(is.Revokes, "logout"), 100*verdict.UpperBound(0, is.Revokes), 100*float64(was.Broken)/float64(was.Revokes))
	case was.Broken > 0:
		r.Answer, r.Why = Noise, "both let calls in: neither can be relied on"
	default:
		r.Answer = Same
	}
	return r
}

// fewer says whether no broken logout in so many is fewer than broken of revokes were: by
// the exact one-sided 95 % bound of the new ones.
func fewer(broken, revokes, since int) bool {
	return verdict.UpperBound(0, since) < float64(broken)/float64(revokes)
}

// checksRow compares the checks that both decided, and names those that passed in the base
// and were not decided any more.
func checksRow(b, t *proof.Target) Row {
	r := Row{Place: t.Name, Key: "checks", Name: "checks that both decided: failed"}
	was := map[[2]string]proof.Outcome{}
	for _, k := range b.Conformance.Checks {
		was[[2]string{k.ID, k.Protocol}] = k.Outcome
	}
	n, before, after := 0, 0, 0
	var broken, mended, lost []string
	is := map[[2]string]bool{}
	for _, k := range t.Conformance.Checks {
		o := was[[2]string{k.ID, k.Protocol}]
		is[[2]string{k.ID, k.Protocol}] = decided(k.Outcome)
		if !decided(o) || !decided(k.Outcome) {
			continue
		}
		n++
		if o == proof.Fail {
			before++
		}
		if k.Outcome == proof.Fail {
			after++
		}
		switch {
		case o == proof.Pass && k.Outcome == proof.Fail:
			broken = append(broken, label(k))
		case o == proof.Fail && k.Outcome == proof.Pass:
			mended = append(mended, label(k))
		}
	}
	for _, k := range b.Conformance.Checks {
		if k.Outcome == proof.Pass && !is[[2]string{k.ID, k.Protocol}] {
			lost = append(lost, label(k))
		}
	}
	r.Lost = len(lost) > 0
	r.WasText, r.IsText = fmt.Sprintf("%d of %d", before, n), fmt.Sprintf("%d of %d", after, n)
	not := ""
	if r.Lost {
		not = fmt.Sprintf("%s that passed %s not decided any more: %s", words.Plural(len(lost), "check"), map[bool]string{true: "is", false: "are"}[len(lost) == 1], some(lost))
	}
	switch {
	case n == 0 && not == "":
		r.Answer, r.Why = Untold, "no check was decided in both"
	case len(broken) > 0:
		r.Answer, r.Why = Worse, "broken: "+some(broken)
		if len(mended) > 0 {
			r.Why += "; mended: " + some(mended)
		}
		if not != "" {
			r.Why += "; " + not
		}
	case not != "":
		r.Answer, r.Why = Untold, not
	case len(mended) > 0:
		r.Answer, r.Why = Better, "mended: "+some(mended)
	default:
		r.Answer = Same
	}
	return r
}

// some names at most eight and says how many more there are.
func some(list []string) string {
	if len(list) <= 8 {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:8], ", "), len(list)-8)
}

package summary

import (
	"fmt"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// ModeWord says who decides the flag, so that a newcomer can tell the modes apart.
func ModeWord(mode string) string {
	switch mode {
	case "setting":
		return "core's setting decides"
	case "request":
		return "each request decides"
	case "":
		return "either flag mode"
	default:
		return words.OneLine(mode)
	}
}

// OutcomeWord is an outcome of a check, a profile or a budget in plain words.
func OutcomeWord(o proof.Outcome) string {
	switch o {
	case proof.Pass:
		return "passed"
	case proof.Fail:
		return "failed"
	case proof.Skip:
		return "skipped"
	case proof.Error:
		return "could not be tried"
	case proof.Vacuous:
		return "inconclusive: could not have failed"
	case proof.Incomplete:
		return "incomplete"
	case proof.Undecided:
		return "undecided"
	case "":
		return "unknown"
	default:
		return words.OneLine(string(o))
	}
}

// OutcomeTone is how good an outcome is.
func OutcomeTone(o proof.Outcome) Tone {
	switch o {
	case proof.Pass:
		return Good
	case proof.Fail:
		return Bad
	default:
		return Unsure
	}
}

// OnlyBad keeps the colour of what is wrong: a column of green says nothing.
func OnlyBad(n Tone) Tone {
	if n == Bad {
		return Bad
	}
	return Plain
}

// Tally counts the checks of one target.
type Tally struct {
	Passed, Failed, Skipped, Errors, Vacuous int
	// OptionalFailed are failures that do not decide the verdict, Explained the
	// checks that another one's failure explains.
	OptionalFailed, Explained int
}

// Tally counts checks, all of c's.
func (s *Summary) Tally(c *proof.Conformance, checks ...*proof.Check) Tally {
	var n Tally
	if c == nil {
		return n
	}
	if checks == nil {
		for i := range c.Checks {
			checks = append(checks, &c.Checks[i])
		}
	}
	for _, k := range checks {
		switch {
		case s.Cause(c, k) != nil:
			n.Explained++
		case k.Outcome == proof.Pass:
			n.Passed++
		case k.Outcome == proof.Fail && s.Decides(c, k):
			n.Failed++
		case k.Outcome == proof.Fail:
			n.OptionalFailed++
		case k.Outcome == proof.Skip:
			n.Skipped++
		case k.Outcome == proof.Vacuous:
			n.Vacuous++
		default:
			n.Errors++
		}
	}
	return n
}

// Total is how many checks were counted.
func (n Tally) Total() int {
	return n.Passed + n.Failed + n.Skipped + n.Errors + n.Vacuous + n.OptionalFailed + n.Explained
}

// String names every kind that occurred, passes always.
func (n Tally) String() string {
	if n.Total() == 0 {
		return "no checks"
	}
	s := fmt.Sprintf("%d of %d passed", n.Passed, n.Total())
	for _, k := range []struct {
		n    int
		what string
	}{
		{n.Failed, "failed"}, {n.Explained, "explained by these"}, {n.OptionalFailed, "failed (optional)"}, {n.Errors, "could not be tried"},
		{n.Vacuous, "inconclusive"}, {n.Skipped, "skipped"},
	} {
		if k.n > 0 {
			s += fmt.Sprintf(", %d %s", k.n, k.what)
		}
	}
	return s
}

package verdict

import (
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/coreproof/coreproof/reports/proof"
)

// risk is that of a bound being wrong.
const risk = 0.05

// immediacy sums up the answers to the main question, of checks whose outcomes are
// derived. Refusals of a check that could not have failed, or whose twins were not
// accepted, show nothing, and would only make the bound smaller.
func immediacy(checks []proof.Check) proof.Immediacy {
	var sum proof.Immediacy
	for i := range checks {
		m := checks[i].Immediacy
		if m == nil || checks[i].Outcome == proof.Vacuous || m.TwinsAccepted <= 0 && m.Accepted <= 0 && m.Broken <= 0 {
			continue
		}
		sum.Revokes += m.Revokes
		sum.Broken += m.Broken
		sum.Calls += m.Calls
		sum.Accepted += m.Accepted
		sum.AcceptanceWindow = max(sum.AcceptanceWindow, m.AcceptanceWindow)
		sum.Twins += m.Twins
		sum.TwinsAccepted += m.TwinsAccepted
		sum.Concurrent += m.Concurrent
		sum.ConcurrentAccepted += m.ConcurrentAccepted
	}
	sum.UpperBound = bound(&sum)
	return sum
}

// bound is UpperBound of m: 0, which is absent, where no revoke was tried.
func bound(m *proof.Immediacy) float64 {
	if m.Revokes <= 0 {
		return 0
	}
	return UpperBound(m.Broken, m.Revokes)
}

// UpperBound is the exact (Clopper-Pearson) one-sided 95 % upper bound of the
// probability of an event that was seen hits times in trials independent ones:
// the p at which seeing so few would have had a chance of 5 %. It is 1 without
// trials, and close to 3/trials for no hits.
func UpperBound(hits, trials int) float64 {
	hits = max(0, hits)
	if trials <= 0 || hits >= trials {
		return 1
	}
	return distuv.Beta{Alpha: float64(hits) + 1, Beta: float64(trials - hits)}.Quantile(1 - risk)
}

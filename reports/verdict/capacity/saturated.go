package capacity

import (
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
)

// The criteria by which a window is saturated (docs/plan.md, "The load curve").
const (
	byAchieved = "achieved"
	byLag      = "lag"
	byBacklog  = "backlog"
	byLatency  = "latency"
)

// mark names the criterion by which each window is saturated.
func mark(s *proof.Sweep) {
	calm := map[string]float64{}
	for i := range s.Points {
		v := s.Points[i].Variant
		if _, ok := calm[v]; !ok {
			calm[v] = calmP50(s, v)
		}
	}
	for i := range s.Points {
		p := &s.Points[i]
		p.Saturated = criterion(p, calm[p.Variant], float64(s.Window.Milliseconds()))
	}
}

// calmP50 is the middle of the medians at the variant's lowest rate but those below a
// tenth of saturation, where a core spends most of a call on waking up.
func calmP50(s *proof.Sweep, variant string) float64 {
	lowest := 0.0
	for i := range s.Points {
		p := &s.Points[i]
		if p.Variant == variant && p.Share >= 0.1 && (lowest == 0 || p.Share < lowest) {
			lowest = p.Share
		}
	}
	var medians []float64
	for i := range s.Points {
		if p := &s.Points[i]; p.Variant == variant && p.Share == lowest {
			medians = append(medians, p.P50)
		}
	}
	if len(medians) == 0 {
		return 0
	}
	slices.Sort(medians)
	return medians[len(medians)/2]
}

// criterion that holds first; "" where none does. Latency and lag are held against the
// calm median and, since a busy machine can hold one call up for long, against a time
// that no scheduler's delay explains.
func criterion(p *proof.SweepPoint, calm, windowMS float64) string {
	switch {
	case p.Achieved < 0.98:
		return byAchieved
	case p.LagP99 > windowMS/5, calm > 0 && p.LagP99 > 10*calm && p.LagP99 > 20:
		return byLag
	case float64(p.Backlog) > p.RateHz/20: // more than 50 ms of calls
		return byBacklog
	case calm > 0 && p.P50 > 5*calm && p.P50 > 5:
		return byLatency
	}
	return ""
}

package capacity

import (
	"cmp"
	"math"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
)

// The criteria by which a window is saturated (docs/plan.md, "The load curve").
const (
	byShedding = "shedding"
	byAchieved = "achieved"
	byLag      = "lag"
	byBacklog  = "backlog"
	byLatency  = "latency"
)

// mostShed is the share of the calls that a core turns away (429, 503) from which on it is
// one that protects itself from more than it can serve.
const mostShed = 0.01

// nearShedding is the share of the rate at which a block came to shed from which on a call
// turned away now and then is that protection too: arrivals come in bursts. Lower, or in a
// block that never came to it, it is a wrong answer like any other.
const nearShedding = 0.5

// wrongly is how many calls of window i were answered wrongly, and how many more were turned
// away near shedding; of a saturated one none.
func wrongly(s *proof.Sweep, i int) (wrong, turnedAway int64) {
	p := &s.Points[i]
	switch {
	case p.Saturated != "" || p.Errors <= 0:
		return 0, 0
	case p.Share < nearShedding*sheddingFrom(s, p.Variant, p.Block):
		return p.Errors, 0
	}
	return p.Errors - p.Shed, p.Shed
}

// sheddingFrom is the lowest share of a block's windows past saturation that was saturated
// by shedding; +Inf where none was.
func sheddingFrom(s *proof.Sweep, variant string, block int) float64 {
	var list []window
	for i := range s.Points {
		if p := &s.Points[i]; p.Variant == variant && p.Block == block {
			list = append(list, window{SweepPoint: p})
		}
	}
	slices.SortFunc(list, func(a, z window) int { return cmp.Compare(a.Share, z.Share) })
	at, _ := split(list)
	for _, w := range list[at:] {
		if w.Saturated == byShedding {
			return w.Share
		}
	}
	return math.Inf(1)
}

// Wrong is how many calls of s were answered wrongly in windows that were not saturated.
func Wrong(s *proof.Sweep) (n int64) {
	for i := range s.Points {
		wrong, _ := wrongly(s, i)
		n += wrong
	}
	return n
}

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
	case p.Shed > 0 && float64(p.Shed) >= mostShed*float64(p.Calls+p.Others):
		return byShedding
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

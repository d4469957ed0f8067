package bench

import "github.com/coreproof/coreproof/reports/proof"

// Step is the next round: its kind, and the index of a variant for each side.
type Step struct {
	Kind  string // proof.KindCost, proof.KindFloor or proof.KindSaturated
	Sides []int
}

// Plan says which round comes next, from all that was seen so far, until it has
// seen enough.
type Plan interface {
	// Next gives the next round; false ends the bench.
	Next(rounds []proof.Round, dropped []proof.Dropped) (Step, bool)
	// Planned is how many rounds there will be, as far as is known.
	Planned() int
}

// FixedPlan is a number of rounds of each kind that is fixed beforehand. Cost and
// floor rounds are mixed, so that both live through the same disturbances. Those that
// were dropped or saturated are made up for, up to half as many again: how often that
// was needed stays in the proof, and decides whether the machine is believed.
type FixedPlan struct {
	Cost, Floor, Saturated int

	made [2]int // cost and floor rounds that were asked for
	last int    // saturated rounds that were asked for
}

var _ Plan = (*FixedPlan)(nil)

// Planned is the number of rounds.
func (p *FixedPlan) Planned() int { return p.Cost + p.Floor + p.Saturated }

// spare is how many rounds may be made up for.
func spare(n int) int {
	if n == 0 {
		return 0
	}
	return max(2, n/2)
}

// Next gives the rounds one after the other.
func (p *FixedPlan) Next(rounds []proof.Round, _ []proof.Dropped) (Step, bool) {
	usable := map[string]int{}
	for _, r := range rounds {
		if !r.Saturated {
			usable[r.Kind]++
		}
	}
	cost := usable[proof.KindCost] < p.Cost && p.made[0] < p.Cost+spare(p.Cost)
	floor := usable[proof.KindFloor] < p.Floor && p.made[1] < p.Floor+spare(p.Floor)
	switch {
	case cost && (p.made[0] <= p.made[1] || !floor):
		p.made[0]++
		return Step{proof.KindCost, []int{0, 1}}, true
	case floor:
		// Two sides alike: one variant, then the other, in turn.
		v := p.made[1] % 2
		p.made[1]++
		return Step{proof.KindFloor, []int{v, v}}, true
	case p.last < p.Saturated:
		p.last++
		return Step{proof.KindSaturated, []int{0, 1}}, true
	}
	return Step{}, false
}

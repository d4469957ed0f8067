package gate

import (
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// Variants of the duet, in the order of Step.Sides: all four are called in turn, so
// that one round says something about both states of the flag.
const (
	baseOff = iota
	headOff
	baseOn
	headOn
)

const (
	// floorRounds have base on both sides; the fewest that give an interval.
	floorRounds = 3
	// saturatedRounds for a limit on throughput.
	saturatedRounds = 4
)

// plan goes on until every figure is decided, or the time is up.
type plan struct {
	gate   *proof.Gate
	design proof.Design
	// sides are indices of variants that there are.
	cost, floor []int
	floors      int
	saturated   int
	until       time.Time
	now         func() time.Time

	made, madeFloor, madeSaturated int
}

var _ bench.Plan = (*plan)(nil)

// Planned is the most there can be.
func (p *plan) Planned() int { return p.gate.MaxRounds + p.floors + p.saturated }

// Next mixes floor rounds in, so that they live through the same disturbances.
func (p *plan) Next(rounds []proof.Round, dropped []proof.Dropped) (bench.Step, bool) {
	late := p.now().After(p.until)
	open := verdict.GateOpen(p.gate, &proof.Bench{Design: p.design, Rounds: rounds, Dropped: dropped})
	switch {
	case !late && p.madeFloor < p.floors && p.made >= 2*(p.madeFloor+1):
		p.madeFloor++
		return bench.Step{Kind: proof.KindFloor, Sides: p.floor}, true
	case !late && open && p.made < p.gate.MaxRounds+p.gate.MaxRounds/4:
		p.made++
		return bench.Step{Kind: proof.KindCost, Sides: p.cost}, true
	case p.madeSaturated < p.saturated:
		p.madeSaturated++
		return bench.Step{Kind: proof.KindSaturated, Sides: p.cost[len(p.cost)-1:]}, true
	}
	return bench.Step{}, false
}

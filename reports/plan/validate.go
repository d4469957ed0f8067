package plan

import (
	"errors"
	"fmt"
	"math"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
)

// The bars of a validation: the largest relative error of what is predicted of a rate, or
// of a block's knee, that was held out.
const (
	CPUBar  = 0.10
	KneeBar = 0.15
)

// Trial is one rate, or the knee of one block, held out and predicted from the others.
type Trial struct {
	Target   string `json:"target"`
	Protocol string `json:"protocol"`
	Flag     string `json:"flag"`
	Figure   string `json:"figure"` // "core CPU", "database CPU" or "knee"
	// HeldOut is the rate that was held out, calls per second; of a knee that of the block
	// that was.
	HeldOut   float64 `json:"heldOut"`
	Measured  float64 `json:"measured"` // there
	Predicted float64 `json:"predicted"`
	Error     float64 `json:"error"` // relative
	Bar       float64 `json:"bar"`
	Held      bool    `json:"held"`
}

// Validation is what became of all trials.
type Validation struct {
	Trials []Trial `json:"trials"`
	Held   bool    `json:"held"`
	// Notes say what could not be validated.
	Notes []string `json:"notes,omitempty"`
}

// Validate holds each rate of each curve out, but the lowest and the highest of those
// that were not saturated, predicts its CPU per call from the others and compares it
// with what was measured; and the knee of each block from those of the other blocks.
func Validate(p *proof.Proof, a Ask) (*Validation, error) {
	list, err := Benches(p, a.TargetName, a.ProtocolName)
	if err != nil {
		return nil, err
	}
	out := &Validation{Held: true}
	for _, x := range list {
		if x.Bench.Sweep == nil {
			out.Notes = append(out.Notes, fmt.Sprintf("%s, %s: there is no load curve", x.Target.Name, x.Bench.Protocol))
			continue
		}
		for _, flag := range a.Flags {
			out.side(x, flag)
		}
	}
	if len(out.Trials) == 0 {
		return nil, errors.New("nothing can be validated: no load curve has four rates with a figure (run coreproof bench --sweep)")
	}
	return out, nil
}

func (v *Validation) side(x Source, flag string) {
	took := func(figure string, hz, measured, predicted, bar float64) {
		e := math.Abs(predicted/measured - 1)
		t := Trial{x.Target.Name, x.Bench.Protocol, flag, figure, hz, measured, predicted, e, bar, e <= bar}
		v.Trials = append(v.Trials, t)
		v.Held = v.Held && t.Held
	}
	miss := func(figure, why string) {
		v.Notes = append(v.Notes, fmt.Sprintf("%s, %s, flag %s: %s: %s", x.Target.Name, x.Bench.Protocol, flag, figure, why))
	}
	for _, f := range []struct {
		figure capacity.Figure
		name   string
	}{{capacity.CoreCPU, "core CPU"}, {capacity.DatabaseCPU, "database CPU"}} {
		if f.figure == capacity.DatabaseCPU && flag == Off && x.Bench.Design.Verifies() == 1 {
			continue // it asks no database
		}
		rates := capacity.Rates(x.Bench, flag, f.figure)
		if len(rates) < 4 {
			miss(f.name, "fewer than four rates were measured and not saturated")
			continue
		}
		for _, r := range rates[1 : len(rates)-1] {
			c := capacity.Read(x.Bench, flag, f.figure, func(share float64) bool { return share == r.Share })
			if c == nil || r.Value <= 0 {
				continue
			}
			if e := c.At(r.RateHz); e != nil {
				took(f.name, r.RateHz, r.Value, e.Value, CPUBar)
			}
		}
	}
	knees := capacity.Knees(x.Bench, flag)
	if len(knees) < 2 {
		miss("knee", "fewer than two blocks of the load curve have one")
		return
	}
	// The knee of a block is found on processes of its own, and no other block knows of it.
	for _, k := range knees {
		others := -k.RateHz
		for _, o := range knees {
			others += o.RateHz
		}
		if k.RateHz > 0 {
			took("knee", k.RateHz, k.RateHz, others/float64(len(knees)-1), KneeBar)
		}
	}
}

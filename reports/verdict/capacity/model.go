package capacity

import (
	"fmt"
	"math"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// response is the mean response time at a rate.
type response struct{ hz, ms float64 }

// responses of rates most of whose windows were not saturated.
func responses(rates []proof.CurveRate) (out []response) {
	for i := range rates {
		r := &rates[i]
		if r.Mean != nil && r.Mean.Value > 0 && !r.Queued() {
			out = append(out, response{r.RateHz, r.Mean.Value})
		}
	}
	return out
}

// law is a family of response times over the rate.
type law struct {
	name, formula, source string
	least                 int // rates that a fit needs, one more than it has parameters
	fit                   func(list []response, servers int) (fitted, bool)
}

// fitted is one of a family.
type fitted struct {
	parameters []proof.Parameter
	// at gives ms at a rate; false beyond what the law allows.
	at    func(hz float64) (float64, bool)
	limit float64
}

var laws = []law{
	{"queue", "R = Z + (1/m)·(1 + C(c, λ/m)/(c·(1 − λ/(c·m)))), C Erlang's; for c = 1: Z + 1/(m − λ)",
		"Kleinrock, Queueing Systems I (1975), 3.2 and 3.5; for c = 1 the mean also of M/G/1 with processor sharing (Kleinrock II, 4.4)", 3, fitQueue},
	{"usl", "R = S·(1 + σ·(N − 1) + κ·N·(N − 1)), N = λ·R",
		"Gunther, Guerrilla Capacity Planning (2007), chapter 4, Universal Scalability Law, with N by Little's law", 4, fitUSL},
}

// models fits each law and puts the one first that predicts better what it was not
// fitted to.
func models(list []response, servers int) ([]proof.LoadModel, string) {
	var out []proof.LoadModel
	for _, l := range laws {
		if len(list) < l.least+1 {
			continue
		}
		f, ok := l.fit(list, servers)
		if !ok {
			continue
		}
		m := proof.LoadModel{Name: l.name, Formula: l.formula, Source: l.source, Parameters: f.parameters, Limit: f.limit}
		m.R2, m.Worst = goodness(f, list)
		if m.HeldOut, ok = heldOut(l, list, servers); !ok || !estimate.Finite(m.R2) || !estimate.Finite(m.Worst) || !estimate.Finite(m.Limit) {
			continue
		}
		out = append(out, m)
	}
	if len(out) == 2 && out[1].HeldOut < out[0].HeldOut {
		out[0], out[1] = out[1], out[0]
	}
	if len(out) == 0 {
		return nil, fmt.Sprintf("no law fits: %d rates with a response time that is no queue's, at least %d are needed", len(list), laws[0].least+1)
	}
	return out, ""
}

// goodness is R² and the largest relative error.
func goodness(f fitted, list []response) (r2, worst float64) {
	var mean, total, rest float64
	for _, p := range list {
		mean += p.ms / float64(len(list))
	}
	for _, p := range list {
		y, ok := f.at(p.hz)
		if !ok {
			return math.Inf(-1), math.Inf(1)
		}
		total += math.Pow(p.ms-mean, 2)
		rest += math.Pow(p.ms-y, 2)
		worst = max(worst, math.Abs(y-p.ms)/p.ms)
	}
	return 1 - rest/total, worst
}

// heldOut leaves each rate but the lowest and the highest out once: those would be
// extrapolated.
func heldOut(l law, list []response, servers int) (float64, bool) {
	var sum float64
	n := 0
	for i := 1; i < len(list)-1; i++ {
		rest := append(append([]response{}, list[:i]...), list[i+1:]...)
		f, ok := l.fit(rest, servers)
		if !ok {
			return 0, false
		}
		y, ok := f.at(list[i].hz)
		if !ok {
			return 0, false
		}
		sum += math.Pow(y/list[i].ms-1, 2)
		n++
	}
	x := math.Sqrt(sum / float64(n))
	return x, n > 0 && estimate.Finite(x)
}

// Package plan says what a deployment needs for a load, from a proof: instances, CPUs,
// statements, connections, memory, disk, and what the flag adds. It is a pure function
// of the proof; formulas, sources and limits: docs/plan.md.
package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
)

// The sides of a plan.
const (
	Off = "off"
	On  = "on"
)

// Ask is the load that is planned for.
type Ask struct {
	RPS float64 `json:"rps"` // calls per second, all instances together
	// VerifyShare of the calls are verifies; 0 is the share that was measured. The others
	// are planned for where they were measured with them.
	VerifyShare float64 `json:"verifyShare"`
	// P99 that must hold; 0 asks for none.
	P99 time.Duration `json:"p99Ns,omitempty"`
	// Headroom is the share of what was measured as capacity that stays free, 0 to 1.
	Headroom float64 `json:"headroom"`
	// Flags to plan for, of Off and On.
	Flags []string `json:"flags"`
	// InstancesFail may be down while the others carry the load.
	InstancesFail int `json:"instancesFail"`
	// Sessions that are stored; 0 does not ask for their space.
	Sessions int64 `json:"sessions,omitempty"`
	// VCPUPrice is what a vCPU costs an hour; 0 asks for no price.
	VCPUPrice float64 `json:"vcpuPrice,omitempty"`
	// TargetName and ProtocolName choose among those of the proof; "" takes all.
	TargetName   string `json:"target,omitempty"`
	ProtocolName string `json:"protocol,omitempty"`
	// Extrapolate plans beyond what was measured too, and marks what that concerns.
	Extrapolate bool `json:"extrapolate,omitempty"`
}

// Plan is the answer, one case a target and version.
type Plan struct {
	Ask   Ask    `json:"ask"`
	Proof Origin `json:"proof"`
	Cases []Case `json:"cases"`
}

// Origin is the proof that the plan follows from.
type Origin struct {
	Digest  string        `json:"digest"`
	Started time.Time     `json:"started"`
	Verdict proof.Outcome `json:"verdict"`
	CPU     string        `json:"cpu"` // model of the machine that was measured
}

// Case is one target at one version of the protocol.
type Case struct {
	Target   string `json:"target"`
	Protocol string `json:"protocol"`
	Core     string `json:"core"`
	Sides    []Side `json:"sides"`
	// Flag is what turning the flag on adds; nil where not both sides were asked for.
	Flag []Figure `json:"flag,omitempty"`
	// Notes are what a reader must know before relying on the case.
	Notes []string `json:"notes,omitempty"`
}

// Side is the flag off or on.
type Side struct {
	Flag    string   `json:"flag"`
	Figures []Figure `json:"figures"`
}

// Figure is one line of a plan.
type Figure struct {
	Key  string `json:"key"`  // stable name, e.g. "instances"
	Name string `json:"name"` // in words
	Unit string `json:"unit,omitempty"`
	// Value is nil where it is not known; Missing then says why.
	Value   *float64 `json:"value,omitempty"`
	Low     *float64 `json:"low,omitempty"`  // of the 95 % interval
	High    *float64 `json:"high,omitempty"` // of the 95 % interval
	Missing string   `json:"missing,omitempty"`
	Formula string   `json:"formula,omitempty"`
	Source  string   `json:"source,omitempty"` // where the formula stands
	Tested  string   `json:"tested,omitempty"` // the range that was measured
	// Extrapolated: the figure lies outside of what was measured.
	Extrapolated bool `json:"extrapolated,omitempty"`
}

// Figure of a side by key; nil when there is none.
func (s *Side) Figure(key string) *Figure {
	i := slices.IndexFunc(s.Figures, func(f Figure) bool { return f.Key == key })
	if i < 0 {
		return nil
	}
	return &s.Figures[i]
}

// Check refuses what nobody can plan for; each error names a flag of the command line.
func (a *Ask) Check() error {
	switch {
	case !(a.RPS > 0) || a.RPS > 1e12:
		return fmt.Errorf("--rps %g: must be positive", a.RPS)
	case !(a.VerifyShare >= 0 && a.VerifyShare <= 1):
		return fmt.Errorf("--verify-share %g: above 0, at most 1", a.VerifyShare)
	case !(a.Headroom >= 0 && a.Headroom < 1):
		return fmt.Errorf("--headroom %g%%: from 0%% to below 100%%", 100*a.Headroom)
	case a.P99 < 0:
		return fmt.Errorf("--p99 %s: must be positive", a.P99)
	case a.InstancesFail < 0:
		return fmt.Errorf("--instances-fail %d: must not be negative", a.InstancesFail)
	case a.Sessions < 0:
		return fmt.Errorf("--sessions %d: must not be negative", a.Sessions)
	case !(a.VCPUPrice >= 0) || a.VCPUPrice > 1e9:
		return fmt.Errorf("--vcpu-price %g: must not be negative", a.VCPUPrice)
	}
	return nil
}

// Make plans. An error says in one line why nothing can be planned from p.
func Make(p *proof.Proof, a Ask) (*Plan, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	benches, err := Benches(p, a.TargetName, a.ProtocolName)
	if err != nil {
		return nil, err
	}
	if a.VerifyShare == 0 {
		a.VerifyShare = benches[0].Bench.Design.Verifies()
	}
	out := &Plan{Ask: a, Proof: Origin{Digest: p.Digest, Started: p.Started, Verdict: p.Verdict.Outcome, CPU: p.Machine.CPU}}
	for _, x := range benches {
		c, err := (&reckoning{Ask: a, proof: p, Source: x}).plan()
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", x.Target.Name, x.Bench.Protocol, err)
		}
		out.Cases = append(out.Cases, *c)
	}
	return out, nil
}

// Source is a bench to plan from.
type Source struct {
	Target *proof.Target
	Bench  *proof.Bench
}

// Benches of a proof that can be planned from. A proof that decided nothing, or that
// ended early, is refused.
func Benches(p *proof.Proof, target, protocol string) ([]Source, error) {
	switch {
	case p.Interrupted != "":
		return nil, fmt.Errorf("the proof was interrupted (%s): make a whole one", p.Interrupted)
	case p.Gate != nil:
		return nil, errors.New("the proof is a gate's, which compares builds and not the flag: make one with coreproof bench --sweep")
	case !slices.Contains([]proof.Outcome{proof.Pass, proof.Fail, proof.Incomplete}, p.Verdict.Outcome):
		return nil, fmt.Errorf("the proof decided nothing (%s: %s): plan from one that did", p.Verdict.Outcome, p.Verdict.Headline)
	}
	var out []Source
	var have []string
	for i := range p.Targets {
		t := &p.Targets[i]
		for j := range t.Bench {
			b := &t.Bench[j]
			have = append(have, t.Name+" at "+b.Protocol)
			if target != "" && t.Name != target || protocol != "" && !strings.HasSuffix(b.Protocol, " "+protocol) && b.Protocol != protocol {
				continue
			}
			if b.Cost == nil {
				continue
			}
			if n := wrong(b); n > 0 {
				return nil, fmt.Errorf("%s, %s: %d calls were answered wrongly under load: nothing can be planned from that", t.Name, b.Protocol, n)
			}
			out = append(out, Source{t, b})
		}
	}
	switch {
	case len(have) == 0:
		return nil, errors.New("the proof holds no bench: make one with coreproof bench --sweep")
	case len(out) == 0:
		return nil, fmt.Errorf("the proof has no cost of the flag there; it has %s", strings.Join(have, ", "))
	}
	return out, nil
}

// wrong answers in unsaturated windows.
func wrong(b *proof.Bench) (n int64) {
	for _, r := range b.Rounds {
		for _, w := range r.Windows {
			n += w.Errors
		}
	}
	if b.Sweep != nil {
		n += capacity.Wrong(b.Sweep)
	}
	return n
}

package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
	"github.com/coreproof/coreproof/reports/verdict"
)

// outputFlags say where results go.
type outputFlags struct {
	out     string
	formats []string
	quiet   bool
	seed    uint64
	require []string
	config  string
}

func (o *outputFlags) group() group {
	g := newGroup("Results")
	g.StringVar(&o.out, "out", "proof", "folder for proof.json and the reports; those of an older run are taken away")
	g.StringSliceVar(&o.formats, "format", nil, "reports to make: "+strings.Join(formatNames(), ", ")+" (default all files and the terminal summary)")
	g.StringSliceVar(&o.require, "require", nil, "profiles that must be proved whole, e.g. blacklisting,multi-instance")
	g.BoolVar(&o.quiet, "quiet", false, "print nothing but the verdict and errors")
	g.Uint64Var(&o.seed, "seed", 0, "seed of all randomness (default drawn, and kept in the proof)")
	g.StringVar(&o.config, configFlag, "", "settings file (default coreproof.yaml, when it is there)")
	return g
}

func (o *outputFlags) check() error {
	for _, name := range o.formats {
		if _, ok := render.Find(name); !ok {
			return fmt.Errorf("--format %s: there is no such report; choose from %s", name, strings.Join(formatNames(), ", "))
		}
	}
	known := profileNames()
	for _, name := range o.require {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--require %s: there is no such profile; choose from %s", name, strings.Join(known, ", "))
		}
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()>>11 + 1 // short enough to be exact in every JSON reader
	}
	return nil
}

func formatNames() []string {
	var names []string
	for _, f := range render.Formats {
		names = append(names, f.Name)
	}
	return names
}

func profileNames() []string {
	var names []string
	for _, c := range checks.All() {
		for _, p := range c.Profiles {
			if !slices.Contains(names, string(p)) {
				names = append(names, string(p))
			}
		}
	}
	slices.Sort(names)
	return names
}

// selectFlags say which checks to try and how hard.
type selectFlags struct {
	selection conformance.Selection
	scale     float64
	thorough  bool
}

func (s *selectFlags) group() group {
	g := newGroup("Which checks")
	g.StringSliceVar(&s.selection.IDs, "check", nil, "only these checks, e.g. BL-07,BL-12")
	g.StringSliceVar(&s.selection.Suites, "suite", nil, "only checks of these suites")
	g.StringSliceVar(&s.selection.Profiles, "profile", nil, "only checks of these profiles, e.g. blacklisting")
	g.Float64Var(&s.scale, "scale", 1, "multiply the number of trials")
	g.BoolVar(&s.thorough, "thorough", false, "meet every triple of the dimensions, not only every pair; takes minutes")
	return g
}

func (s *selectFlags) check() error {
	if !(s.scale > 0) || math.IsInf(s.scale, 0) {
		return fmt.Errorf("--scale %s: must be positive", strconv.FormatFloat(s.scale, 'g', -1, 64))
	}
	return nil
}

func (s *selectFlags) options() conformance.Options {
	return conformance.Options{Checks: checks.All(), Select: s.selection, Scale: s.scale, Thorough: s.thorough}
}

// measureFlags say how costs are measured.
type measureFlags struct {
	rounds, floorRounds, saturatedRounds int
	window, saturatedWindow, steady      time.Duration
	rate, verifyShare                    float64
	tokens, connections                  int
	rows                                 int64
	noPin                                bool
	budgets                              []string
	sweep                                bool
	sweepWithin                          time.Duration

	limits []proof.Limit
}

func (m *measureFlags) group(rounds, floor, saturated int, window time.Duration, tokens int) group {
	g := newGroup("Measuring")
	g.IntVar(&m.rounds, "rounds", rounds, "cost rounds a version")
	g.IntVar(&m.floorRounds, "floor-rounds", floor, "rounds with two sides alike, for the noise floor")
	g.IntVar(&m.saturatedRounds, "saturated-rounds", saturated, "rounds in the closed model")
	g.DurationVar(&m.window, "window", window, "what is measured of a round")
	g.DurationVar(&m.steady, "steady-within", 90*time.Second, "how long a core may take to a steady state")
	g.Float64Var(&m.rate, "rate", 0, "verifies per second on both sides together (default calibrated)")
	g.IntVar(&m.tokens, "tokens", tokens, "sessions whose tokens are drawn uniformly")
	g.Int64Var(&m.rows, "rows", 0, "fill the session table up to so many rows before measuring, e.g. 1000000 (default the sessions of --tokens)")
	g.IntVar(&m.connections, "connections", 8, "connections of each side in the closed model")
	g.BoolVar(&m.noPin, "no-pin", false, "pin nothing to CPUs")
	var names []string
	for _, b := range verdict.Budgets() {
		names = append(names, b.Name)
	}
	g.StringSliceVar(&m.budgets, "budget", nil, "limits that fail the run: "+strings.Join(names, ", ")+"; e.g. core-cpu-ratio=1.5")
	return g
}

// sweepFlags adds those of the load curve, and of the load itself.
func (m *measureFlags) sweepFlags(g group) {
	g.Float64Var(&m.verifyShare, "verify-share", 1, "share of the calls that are verifies; the others begin, refresh and end sessions, e.g. 0.95 (no rounds in the closed model then)")
	g.BoolVar(&m.sweep, "sweep", false, "take the load curve too: each variant alone, from idle past saturation")
	g.DurationVar(&m.sweepWithin, "sweep-within", bench.DefaultSweepWithin, "how long the load curve of a target and version may take")
}

func (m *measureFlags) check() error {
	for _, n := range []struct {
		flag   string
		n, min int
	}{{"--rounds", m.rounds, 0}, {"--floor-rounds", m.floorRounds, 0}, {"--saturated-rounds", m.saturatedRounds, 0}, {"--tokens", m.tokens, 1}, {"--connections", m.connections, 1}} {
		if n.n < n.min {
			return fmt.Errorf("%s %d: at least %d", n.flag, n.n, n.min)
		}
	}
	switch {
	case m.rows != 0 && m.rows < int64(m.tokens):
		return fmt.Errorf("--rows %d: there are %d sessions to draw tokens from (--tokens), give at least as many", m.rows, m.tokens)
	case !(m.rate >= 0) || math.IsInf(m.rate, 0):
		return fmt.Errorf("--rate %s: must be positive", strconv.FormatFloat(m.rate, 'g', -1, 64))
	case m.verifyShare != 0 && !(m.verifyShare >= leastVerifyShare && m.verifyShare <= 1):
		return fmt.Errorf("--verify-share %g: from %g to 1", m.verifyShare, leastVerifyShare)
	case m.mixed() && m.rounds+m.floorRounds == 0:
		return errors.New("--rounds 0: a share of verifies is kept in the open model alone, and nothing would be measured")
	case m.window <= 0:
		return fmt.Errorf("--window %s: must be positive", m.window)
	case m.steady <= 0:
		return fmt.Errorf("--steady-within %s: must be positive", m.steady)
	case m.sweep && m.sweepWithin < leastSweep:
		return fmt.Errorf("--sweep-within %s: at least %s", m.sweepWithin, leastSweep)
	case m.rounds+m.floorRounds+m.saturatedRounds == 0:
		return errors.New("--rounds 0: nothing would be measured; use conform to try the checks alone")
	}
	for _, b := range m.budgets {
		l, err := verdict.ParseLimit(b)
		if err != nil {
			return fmt.Errorf("--budget %w", err)
		}
		m.limits = append(m.limits, l)
	}
	return nil
}

// mixed says whether other calls come with the verifies; run has no flag for it.
func (m *measureFlags) mixed() bool { return m.verifyShare != 0 && m.verifyShare < 1 }

// leastVerifyShare leaves a call in ten to price the flag by.
const leastVerifyShare = 0.1

// leastSweep is what one whole block of a load curve needs: less gives no knee.
const leastSweep = 30 * time.Second

func (m *measureFlags) options() bench.Options {
	var sweep *bench.Sweep
	if m.sweep {
		sweep = &bench.Sweep{Within: m.sweepWithin}
	}
	return bench.Options{
		Sweep: sweep,
		Plan: func() bench.Plan {
			plan := &bench.FixedPlan{Cost: m.rounds, Floor: m.floorRounds, Saturated: m.saturatedRounds}
			if m.mixed() {
				plan.Saturated = 0
			}
			return plan
		},
		Window: m.window, SaturatedWindow: m.saturatedWindow, SteadyWithin: m.steady, RateHz: m.rate, Tokens: m.tokens, Rows: m.rows, VerifyShare: m.verifyShare, Connections: m.connections, Pin: !m.noPin,
	}
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// progress tells how far a run is: one line that changes on a terminal, a line
// a stage elsewhere.
type progress struct {
	w     io.Writer
	tty   bool
	quiet bool
	start time.Time
	mu    sync.Mutex
	shown bool
	last  string // stage of the last plain line
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet, start: time.Now()}
	p.tty = isTerminal(w) && os.Getenv("TERM") != "dumb"
	return p
}

func (p *progress) elapsed() string {
	d := time.Since(p.start).Round(time.Second)
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// say shows how a stage goes. milestone lines are kept where nothing moves.
func (p *progress) say(milestone bool, format string, args ...any) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	switch {
	case p.tty:
		if r := []rune(line); len(r) > 70 {
			line = string(r[:70])
		}
		fmt.Fprintf(p.w, "\r\x1b[K[%s] %s", p.elapsed(), line)
		p.shown = true
	case milestone && line != p.last:
		fmt.Fprintf(p.w, "[%s] %s\n", p.elapsed(), line)
		p.last = line
	}
}

// clear removes the moving line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// Note prints a line that stays.
func (p *progress) Note(format string, args ...any) {
	p.clear()
	if !p.quiet {
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Check tells that a check has ended.
func (p *progress) Check(target string, e conformance.Event) {
	outcome, reason := verdict.Check(&e.Check, nil)
	if outcome == proof.Fail || outcome == proof.Error || outcome == proof.Vacuous {
		p.Note("%s: %s %s (%s): %s", target, e.Check.ID, e.Check.Title, e.Check.Protocol, strings.TrimRight(strings.ToUpper(string(outcome))+": "+reason, ": "))
	}
	p.say(e.Done == e.Total, "%s: checks %d of %d", target, e.Done, e.Total)
}

// phases in words.
var phases = map[string]string{
	proof.KindCost: "cost rounds", proof.KindFloor: "noise floor rounds", proof.KindSaturated: "saturated rounds",
	bench.PhaseSweep: "load curve, windows", bench.PhaseTokens: "making sessions", bench.PhaseRows: "filling the session table, rows", bench.PhaseSteady: "coming to a steady state", bench.PhaseFootprint: "counting statements and bytes",
}

// Bench tells how costs are measured.
func (p *progress) Bench(e bench.Event) {
	line := e.Target + ": "
	if e.Protocol != "" {
		line += e.Protocol + ": "
	}
	line += phases[e.Phase]
	if e.Of > 1 {
		line += fmt.Sprintf(" %d of %d", e.Done, e.Of)
	}
	if r := verdict.Ratio(e.Rounds, proof.KindCost, bench.Off, bench.On); r != nil && r.Interval != nil {
		line += fmt.Sprintf("; CPU on/off %.3f [%.3f, %.3f]", r.Value, r.Interval.Low, r.Interval.High)
	}
	p.say(e.Done == e.Of, "%s", line)
}

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
	if f, ok := w.(*os.File); ok {
		st, err := f.Stat()
		p.tty = err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
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

// note prints a line that stays.
func (p *progress) note(format string, args ...any) {
	p.clear()
	if !p.quiet {
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *progress) check(name string, e conformance.Event) {
	if o := e.Check.Outcome; o == proof.Fail || o == proof.Error || o == proof.Vacuous {
		p.note("%s: %s %s (%s): %s", name, e.Check.ID, e.Check.Title, e.Check.Protocol, strings.ToUpper(string(o)))
	}
	p.say(e.Done == e.Total, "%s: checks %d of %d", name, e.Done, e.Total)
}

func (p *progress) bench(e bench.Event) {
	stage := map[string]string{"cost": "cost rounds", "aa": "A/A rounds", "closed": "saturated rounds", "tokens": "making sessions", "calibrate": "calibrating", "footprint": "counting statements and bytes"}[e.Phase]
	line := fmt.Sprintf("%s: ", e.Target)
	if e.Protocol != "" {
		line += fmt.Sprintf("CDI %s: ", e.Protocol)
	}
	line += stage
	if e.Of > 1 {
		line += fmt.Sprintf(" %d of %d", e.Done, e.Of)
	}
	if r := e.Running; r != nil && r.N > 1 {
		line += fmt.Sprintf("; CPU on/off %.3f [%.3f, %.3f]", r.Value, r.Low, r.High)
	}
	p.say(e.Done == e.Of || e.Phase == "calibrate", "%s", line)
}

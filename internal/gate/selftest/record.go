package selftest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/coreproof/coreproof/reports/proof"
)

// Kind of a self-test run.
type Kind struct {
	Name string
	// Share of CPU per verify with the flag off that is injected.
	Share float64
	// Statements more per verify.
	Statements int
	// MustFail: a gate that does not fail has missed it.
	MustFail bool
}

// Kinds of runs.
func Kinds() []Kind {
	return []Kind{
		{Name: "aa"},
		{Name: "cpu+5", Share: 0.05, MustFail: true},
		{Name: "cpu+10", Share: 0.10, MustFail: true},
		{Name: "cpu+2", Share: 0.02}, // at the tolerance: either is right, most stay undecided
		{Name: "statement+1", Statements: 1, MustFail: true},
	}
}

// Record is one run, one line of JSON in a file. Files of several machines can be
// joined: a line says all there is to know about its run.
type Record struct {
	Time    time.Time     `json:"time"`
	Tool    string        `json:"tool"` // version and commit of coreproof
	Machine proof.Machine `json:"machine"`
	Kind    string        `json:"kind"`
	Loops   int           `json:"loops"` // injected
	// Probe is with how many loops in a verify the cost of one was measured, in rounds as
	// those that count. 0: it was measured with 40,000, by which an eighth too many were injected.
	Probe int `json:"probe,omitempty"`
	// Rule that the verdict followed.
	MinRounds int           `json:"minRounds"`
	MaxRounds int           `json:"maxRounds"`
	MaxTime   time.Duration `json:"maxTimeNs"`
	Window    time.Duration `json:"windowNs"`
	// Outcome of the gate, and its reason; Measured until then.
	Outcome  proof.Outcome `json:"outcome"`
	Reason   string        `json:"reason"`
	Measured time.Duration `json:"measuredNs"`
	// Took is the whole run, from before the builds are started.
	Took    time.Duration `json:"tookNs,omitempty"`
	Rounds  int           `json:"rounds"`
	Dropped int           `json:"dropped"`
	// Budgets as they were decided.
	Budgets []proof.GateBudget `json:"budgets"`
	// X are the logarithms of head / base, round by round, by budget.
	X map[string][]float64 `json:"x,omitempty"`
}

// older says whether more was injected than the kind says.
func (r Record) older() bool {
	for _, k := range Kinds() {
		if k.Name == r.Kind {
			return k.Share > 0 && r.Probe == 0
		}
	}
	return false
}

// Append adds a run to a file.
func Append(path string, r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// Read gives all runs of some files; one that is not there yet has none.
func Read(paths ...string) (out []Record, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		list, err := read(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("record %s: %w", path, err)
		}
		out = append(out, list...)
	}
	return out, nil
}

func read(r io.Reader) (out []Record, err error) {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, end := lines.ReadBytes('\n')
		if len(line) > 0 {
			var x Record
			if err := json.Unmarshal(line, &x); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			out = append(out, x)
		}
		if errors.Is(end, io.EOF) {
			return out, nil
		}
		if end != nil {
			return nil, end
		}
	}
}

// Rate is how often something happened, with its exact (Clopper-Pearson) interval at
// 95 %.
type Rate struct {
	Hits, Of  int
	Low, High float64
}

// NewRate reckons the interval.
func NewRate(hits, of int) Rate {
	r := Rate{Hits: hits, Of: of, High: 1}
	if of <= 0 {
		return r
	}
	const tail = 0.025
	k, n := float64(hits), float64(of)
	if hits > 0 {
		r.Low = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(tail)
	}
	if hits < of {
		r.High = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(1 - tail)
	}
	return r
}

// Tally is what the runs of one kind came to.
type Tally struct {
	Kind
	Fail, Pass, Open, Noisy, Other int
	// Failed is how often the gate failed: false alarms of identical builds,
	// detections of others. Undecided and too noisy are no detection.
	Failed Rate
	// Measured until the verdict, on average over the runs that came to one; the whole run
	// where nothing had to be measured.
	Measured time.Duration
	Machines int
	// Seen is by how much more head's CPU per verify with the flag off was, on average
	// over the runs: what was injected, as the gate measures it.
	Seen float64
	// Older: with a calibration that injected more than the kind says.
	Older bool
}

// Tallies sums records up, kind by kind; those of an older calibration apart.
func Tallies(list []Record) []Tally {
	var out []Tally
	for _, k := range Kinds() {
		for _, older := range []bool{false, true} {
			of := slices.DeleteFunc(slices.Clone(list), func(r Record) bool { return r.Kind != k.Name || r.older() != older })
			if !older || len(of) > 0 {
				out = append(out, tally(k, older, of))
			}
		}
	}
	return out
}

// tally sums the runs of one kind up.
func tally(k Kind, older bool, list []Record) Tally {
	t := Tally{Kind: k, Older: older}
	var took time.Duration
	decided := 0
	var seen []float64
	machines := map[string]bool{}
	for _, r := range list {
		if x := r.X["cpu-off"]; len(x) > 0 {
			seen = append(seen, stat.Mean(x, nil))
		}
		machines[fmt.Sprint(r.Machine.CPU, r.Machine.CPUs, r.Machine.Kernel, r.Machine.MemoryBytes)] = true
		switch {
		case r.Outcome == proof.Fail:
			t.Fail++
		case r.Outcome == proof.Pass:
			t.Pass++
		case r.Reason == "too-noisy":
			t.Noisy++
		case r.Outcome == proof.Undecided:
			t.Open++
		default:
			t.Other++
		}
		if r.Outcome == proof.Fail || r.Outcome == proof.Pass {
			if d := cmp.Or(r.Measured, r.Took); d > 0 {
				decided++
				took += d
			}
		}
	}
	t.Failed, t.Machines = NewRate(t.Fail, len(list)), len(machines)
	if decided > 0 {
		t.Measured = took / time.Duration(decided)
	}
	if len(seen) > 0 {
		t.Seen = math.Expm1(stat.Mean(seen, nil))
	}
	return t
}

// Table shows tallies in Markdown.
func Table(list []Record) string {
	s := "| injected | seen, mean | runs | FAIL | PASS | undecided | too noisy | other | FAIL rate, 95 % interval | mean time to a verdict | machines |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
	for _, t := range Tallies(list) {
		rate, took, seen := "–", "–", "–"
		if t.Seen != 0 {
			seen = fmt.Sprintf("%+.2f %%", 100*t.Seen)
		}
		if t.Failed.Of > 0 {
			rate = fmt.Sprintf("%.1f %% (%.1f to %.1f %%)", 100*float64(t.Failed.Hits)/float64(t.Failed.Of), 100*t.Failed.Low, 100*t.Failed.High)
		}
		if t.Measured > 0 {
			took = t.Measured.Round(time.Second).String()
		}
		name := title(t.Kind)
		if t.Older {
			name += ", older calibration"
		}
		s += fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %d | %s | %s | %d |\n", name, seen, t.Failed.Of, t.Fail, t.Pass, t.Open, t.Noisy, t.Other, rate, took, t.Machines)
	}
	return s
}

func title(k Kind) string {
	switch {
	case k.Statements > 0:
		return fmt.Sprintf("%+d statement per verify", k.Statements)
	case k.Share > 0:
		return fmt.Sprintf("%+.0f %% CPU per verify", 100*k.Share)
	}
	return "nothing (identical builds)"
}

package several

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
)

// divisive finds the change points of a trend. Per series, one in a hundred without a
// change is given one.
var divisive = stats.Divisive{MinSize: 3, Level: 0.01, Permutations: 999, Seed: 2014}

// fewest runs in which a change point is looked for: below it a step in the middle is not
// as rare as the level. It has the largest statistic in 2 k! (n − k)! of n! orders, 0.43 % for
// 5 and 6 runs, 0.8 % for 5 and 5, 1.6 % for 4 and 5.
const fewest = 10

// MaxRuns is how many runs of a series are looked at, the newest.
const MaxRuns = 400

// Trend is how the figures of many runs moved, in the order of time.
type Trend struct {
	Runs   []Run
	Series []Series
	// Broken are the runs in which a call was accepted after a logout, in order.
	Broken []Broken
	// LeftOut names proofs that are in no series, and why.
	LeftOut []string
	// Level, Permutations and MinRuns of the test for change points, in each series.
	Level        float64
	Permutations int
	MinRuns      int
}

// Run is one proof of a trend.
type Run struct {
	Name    string // path of the proof
	Started time.Time
	Tool    string // version and commit of coreproof
	Outcome proof.Outcome
}

// Broken is a run in which calls were accepted after a logout.
type Broken struct {
	Run    int
	Target string
	Text   string // how many of how many
	// Mended: no call was accepted in so many logouts of later runs that they are fewer, by
	// the exact one-sided 95 % bound.
	Mended bool
}

// Series is one figure of one target at one version on one machine.
type Series struct {
	Target, Protocol string
	Machine          string // model, CPUs and kernel; "" of a count, which depends on none
	Key, Name, Unit  string
	Less             bool // less of it is better
	// Exact counts have a change wherever they differ; others by the test.
	Exact   bool
	Points  []Point
	Changes []ChangePoint
	// Few says why no change could be shown; "" where one could.
	Few string
}

// Place is the target and version of a series.
func (s *Series) Place() string { return place{s.Target, s.Protocol}.String() }

// Point is one run's figure.
type Point struct {
	Run      int // index in Trend.Runs
	Value    float64
	Interval *proof.Interval
	claim    *proof.Estimate          // what a count is promised to be
	checks   map[string]proof.Outcome // that were decided, of a count of failed ones
	from     *source                  // of a measured figure
}

// ChangePoint is where a series changed.
type ChangePoint struct {
	Point         int     // first after the change
	Run           int     // its run
	Before, After float64 // means between this change and its neighbours
	P             float64 // of the permutation test; 0 of a count
	Answer        Answer  // Better, Worse, or Untold
	Why           string  // of Untold, and which checks
	// Differs lists what else was not the same in the run before and this one.
	Differs []string
}

// Follow makes the trend of a list of proofs. Same proofs, same trend, whatever their order.
func Follow(list []Named) *Trend {
	t := &Trend{Level: divisive.Level, Permutations: divisive.Permutations, MinRuns: fewest}
	all := derived(list)
	slices.SortFunc(all, func(a, b Named) int {
		return cmp.Or(a.Proof.Started.Compare(b.Proof.Started), strings.Compare(a.Name, b.Name))
	})
	digests := map[string]string{}
	var kept []*proof.Proof
	for _, n := range all {
		why := undecided(n.Proof)
		if twin := digests[n.Proof.Digest]; why == "" && n.Proof.Digest != "" && twin != "" {
			why = "it is the same proof as " + twin
		}
		if why != "" {
			t.LeftOut = append(t.LeftOut, n.Name+": "+why)
			continue
		}
		digests[n.Proof.Digest] = n.Name
		t.Runs = append(t.Runs, Run{n.Name, n.Proof.Started, strings.TrimSpace(n.Proof.Tool.Version + " " + n.Proof.Tool.Commit), n.Proof.Verdict.Outcome})
		kept = append(kept, n.Proof)
	}
	if more := len(t.Runs) - MaxRuns; more > 0 {
		t.LeftOut = append(t.LeftOut, fmt.Sprintf("the oldest %d proofs: a trend holds the newest %d", more, MaxRuns))
		t.Runs, kept = t.Runs[more:], kept[more:]
	}
	t.gather(kept)
	t.logouts(kept)
	for i := range t.Series {
		t.Series[i].judge(kept)
	}
	return t
}

// gather makes the series, in the order in which places and figures first appear.
func (t *Trend) gather(kept []*proof.Proof) {
	type id struct {
		place
		machine, key string
	}
	at := map[id]int{}
	add := func(p place, machine string, f figure, e *proof.Estimate, x Point) {
		if e == nil || math.IsNaN(e.Value) || math.IsInf(e.Value, 0) || math.Abs(e.Value) > 1e15 {
			return
		}
		k := id{p, machine, f.key}
		n, ok := at[k]
		if !ok {
			n = len(t.Series)
			at[k] = n
			t.Series = append(t.Series, Series{Target: p.target, Protocol: p.protocol, Machine: machine, Key: f.key, Name: f.name, Unit: e.Unit, Less: f.less, Exact: f.kind == exact})
		}
		x.Value, x.Interval = e.Value, e.Interval
		t.Series[n].Points = append(t.Series[n].Points, x)
	}
	for run, p := range kept {
		machine := machineOf(&p.Machine)
		for i := range p.Targets {
			if c := p.Targets[i].Conformance; c != nil {
				at := place{target: p.Targets[i].Name}
				if c.Immediacy.Revokes > 0 {
					add(at, "", figure{key: "logouts-broken", name: "logouts after which a call was accepted", kind: exact, less: true}, &proof.Estimate{Value: float64(c.Immediacy.Broken)}, Point{Run: run})
				}
				checks, failed := map[string]proof.Outcome{}, 0
				for _, k := range c.Checks {
					if decided(k.Outcome) {
						checks[label(k)] = k.Outcome
					}
					if k.Outcome == proof.Fail {
						failed++
					}
				}
				add(at, "", figure{key: "checks-failed", name: "checks that failed", kind: exact, less: true}, &proof.Estimate{Value: float64(failed)}, Point{Run: run, checks: checks})
			}
		}
		by, order := benches(p)
		for _, at := range order {
			from, left := by[at], false
			for _, f := range figures {
				m := machine
				if f.kind == exact {
					m = ""
				}
				if f.costs() && !gateable(from.bench) {
					left = left || f.of(from.target, from.bench) != nil
					continue
				}
				add(at, m, f, f.of(from.target, from.bench), Point{Run: run, claim: f.claim(from.target, from.bench), from: from})
			}
			if left {
				t.LeftOut = append(t.LeftOut, fmt.Sprintf("%s, CPU of %s: the cost may not be relied on: %s", t.Runs[run].Name, at, notGateable(from.bench)))
			}
		}
	}
}

// machineOf tells machines apart as far as a proof does.
func machineOf(m *proof.Machine) string {
	return fmt.Sprintf("%s, %d CPUs, %d MiB, %s", m.CPU, m.CPUs, m.MemoryBytes>>20, m.Kernel)
}

// judge finds the changes of a series.
func (s *Series) judge(kept []*proof.Proof) {
	var at []int
	p := map[int]float64{}
	switch {
	case s.Exact:
		for i := 1; i < len(s.Points); i++ {
			if a, z := &s.Points[i-1], &s.Points[i]; a.checks == nil && a.Value != z.Value || len(moves(a, z, proof.Pass))+len(moves(a, z, proof.Fail)) > 0 {
				at = append(at, i)
			}
		}
	case len(s.Points) < fewest:
		s.Few = fmt.Sprintf("too few runs to show a change (%d, wanted %d)", len(s.Points), fewest)
	default:
		xs := make([]float64, len(s.Points))
		for i := range xs {
			xs[i] = s.Points[i].Value
		}
		for _, c := range divisive.Of(xs) {
			at = append(at, c.At)
			p[c.At] = c.P
		}
	}
	for i, k := range at {
		from, to := 0, len(s.Points)
		if i > 0 {
			from = at[i-1]
		}
		if i+1 < len(at) {
			to = at[i+1]
		}
		c := ChangePoint{Point: k, Run: s.Points[k].Run, Before: s.mean(from, k), After: s.mean(k, to), P: p[k]}
		c.Answer, c.Why = s.answer(from, k, to, c.After > c.Before)
		c.Differs = whatDiffers(kept[s.Points[k-1].Run], kept[c.Run], place{s.Target, s.Protocol})
		s.Changes = append(s.Changes, c)
	}
}

// answer of a change at point k of [from, to). Runs that were measured otherwise, which a
// comparison of two refuses, show a change and not for what it is.
func (s *Series) answer(from, k, to int, more bool) (Answer, string) {
	a, z := &s.Points[k-1], &s.Points[k]
	switch {
	case a.checks != nil:
		broken, mended := moves(a, z, proof.Pass), moves(a, z, proof.Fail)
		if len(broken) > 0 {
			return Worse, "broken: " + some(broken)
		}
		return Better, "mended: " + some(mended)
	case s.Key == "logouts-broken":
		if more {
			return Worse, ""
		}
		return Better, "" // whether it is shown to be mended, Trend.Broken says
	case s.Exact:
		return counts(&proof.Estimate{Value: a.Value}, &proof.Estimate{Value: z.Value}, z.claim)
	}
	if f := figureOf(s.Key); f.kind == within || f.kind == open {
		for _, pair := range [][2]int{{k - 1, k}, {(from + k - 1) / 2, (k + to - 1) / 2}} {
			if why := methodDiffers(s.Points[pair[0]].from, s.Points[pair[1]].from); why != "" {
				return Untold, why
			}
		}
	}
	if more == s.Less {
		return Worse, ""
	}
	return Better, ""
}

func (s *Series) mean(from, to int) float64 {
	var sum float64
	for _, p := range s.Points[from:to] {
		sum += p.Value
	}
	return sum / float64(to-from)
}

// Changed says how many series have a change.
func (t *Trend) Changed() (n int) {
	for i := range t.Series {
		if len(t.Series[i].Changes) > 0 {
			n++
		}
	}
	return n
}

// Judged says how many series had runs enough to show a change by the test.
func (t *Trend) Judged() (n int) {
	for i := range t.Series {
		if !t.Series[i].Exact && t.Series[i].Few == "" {
			n++
		}
	}
	return n
}

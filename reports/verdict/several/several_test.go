package several_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/several"
)

// named is an example after edits, under a name.
func named(t *testing.T, name, example string, edits ...func(*proof.Proof)) several.Named {
	t.Helper()
	e, ok := examples.Named(example)
	if !ok {
		t.Fatalf("there is no example %s", example)
	}
	for _, edit := range edits {
		edit(e.Proof)
	}
	return several.Named{Name: name, Proof: e.Proof}
}

// windows edits each window of each bench.
func windows(f func(r *proof.Round, w *proof.Window)) func(*proof.Proof) {
	return func(p *proof.Proof) {
		for i := range p.Targets {
			for j := range p.Targets[i].Bench {
				b := &p.Targets[i].Bench[j]
				for k := range b.Rounds {
					for l := range b.Rounds[k].Windows {
						f(&b.Rounds[k], &b.Rounds[k].Windows[l])
					}
				}
			}
		}
	}
}

func cpu(variant string, by float64) func(*proof.Proof) {
	return windows(func(r *proof.Round, w *proof.Window) {
		if r.Kind != proof.KindFloor && (variant == "" || w.Variant == variant) {
			w.CPU *= by
		}
	})
}

func row(t *testing.T, a *several.Against, key string) several.Row {
	t.Helper()
	i := slices.IndexFunc(a.Rows, func(r several.Row) bool { return r.Key == key })
	if i < 0 {
		t.Fatalf("there is no row %s", key)
	}
	return a.Rows[i]
}

// undecide makes the first n checks ones that nothing came of.
func undecide(p *proof.Proof, n int) {
	for i := range p.Targets[0].Conformance.Checks {
		if i < n {
			k := &p.Targets[0].Conformance.Checks[i]
			k.Trouble, k.Violations, k.Immediacy = "no answer", nil, nil
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	verify := func(f func(*proof.Statements)) func(*proof.Proof) {
		return func(p *proof.Proof) {
			for i := range p.Targets[0].Footprint.Statements {
				if s := &p.Targets[0].Footprint.Statements[i]; s.Operation == proof.OpVerify && s.Flag == "on" {
					f(s)
				}
			}
		}
	}
	each := func(f func(*proof.Bench)) func(*proof.Proof) {
		return func(p *proof.Proof) {
			for i := range p.Targets[0].Bench {
				f(&p.Targets[0].Bench[i])
			}
		}
	}
	for _, tc := range []struct {
		name string
		edit func(*proof.Proof)
		all  several.Answer
		rows map[string]several.Answer
		why  string // of the first row
	}{
		{"the same figures", func(*proof.Proof) {}, several.Noise, map[string]several.Answer{"core-cpu-ratio": several.Noise, "core-cpu-on": several.Noise, "statements-on": several.Same, "logouts": several.Same, "checks": several.Same}, "no difference"},
		{"on costs 20 % more", cpu("on", 1.2), several.Worse, map[string]several.Answer{"core-cpu-ratio": several.Worse, "core-cpu-on": several.Worse, "core-cpu-off": several.Noise}, ""},
		{"on costs 20 % less", cpu("on", 1/1.2), several.Better, map[string]several.Answer{"core-cpu-ratio": several.Better, "core-cpu-on": several.Better}, ""},
		// A slower machine moves both sides: runs apart show it, and it decides nothing.
		{"both sides 20 % dearer", cpu("", 1.2), several.Noise, map[string]several.Answer{"core-cpu-ratio": several.Noise, "core-cpu-on": several.Worse, "core-cpu-off": several.Worse}, ""},
		{"less than two equal sides differ", cpu("on", 1.004), several.Noise, map[string]several.Answer{"core-cpu-ratio": several.Noise}, ""},
		{"another machine", func(p *proof.Proof) { cpu("on", 0.5)(p); p.Machine.CPU = "another" }, several.Untold, map[string]several.Answer{"core-cpu-ratio": several.Untold, "core-cpu-on": several.Untold, "throughput-on": several.Untold, "statements-on": several.Same}, "another"},
		{"another rate", each(func(b *proof.Bench) { b.Design.RateHz *= 2 }), several.Untold, map[string]several.Answer{"core-cpu-ratio": several.Untold, "core-cpu-on": several.Untold, "p99-on": several.Untold, "throughput-on": several.Noise}, "--rate"},
		{"not pinned", each(func(b *proof.Bench) { b.Design.Pinned = !b.Design.Pinned }), several.Untold, map[string]several.Answer{"core-cpu-ratio": several.Untold}, "pinned"},
		{"another table", each(func(b *proof.Bench) { n := 100 * *b.Design.Rows; b.Design.Rows = &n }), several.Noise, map[string]several.Answer{"core-cpu-ratio": several.Noise}, ""},
		{"farther from the database", each(func(b *proof.Bench) { b.Design.DatabaseAt += ", 20ms away" }), several.Noise, map[string]several.Answer{"core-cpu-ratio": several.Noise}, ""},
		{"another share of verifies", each(func(b *proof.Bench) { b.Design.VerifyShare = 0.9 }), several.Noise, map[string]several.Answer{"core-cpu-ratio": several.Noise}, ""},
		{"few rounds", each(func(b *proof.Bench) { b.Rounds = b.Rounds[:2] }), several.Untold, map[string]several.Answer{"core-cpu-on": several.Untold}, ""},
		{"interrupted", func(p *proof.Proof) { p.Interrupted = "SIGINT" }, several.Untold, map[string]several.Answer{"core-cpu-ratio": several.Untold}, "interrupted"},
		{"one statement more", verify(func(s *proof.Statements) { s.Count *= 2 }), several.Worse, map[string]several.Answer{"statements-on": several.Worse}, ""},
		{"no statement: a cache", verify(func(s *proof.Statements) { s.Count = 0 }), several.Worse, map[string]several.Answer{"statements-on": several.Worse}, ""},
		{"the counter went back", verify(func(s *proof.Statements) { s.Count = -5 }), several.Untold, map[string]several.Answer{"statements-on": several.Untold}, ""},
		{"the counter does not move, and on costs less", func(p *proof.Proof) {
			cpu("on", 0.5)(p)
			for i := range p.Targets[0].Footprint.Statements {
				if s := &p.Targets[0].Footprint.Statements[i]; s.Flag == "on" {
					s.Count = 0
				}
			}
		}, several.Untold, map[string]several.Answer{"statements-on": several.Untold, "core-cpu-ratio": several.Better}, ""},
		{"a check is not decided any more, and on costs less", func(p *proof.Proof) {
			cpu("on", 0.5)(p)
			undecide(p, 1)
		}, several.Untold, map[string]several.Answer{"checks": several.Untold, "core-cpu-ratio": several.Better}, ""},
		{"no check is decided any more", func(p *proof.Proof) { undecide(p, math.MaxInt) }, several.Untold, map[string]several.Answer{"checks": several.Untold, "logouts": several.Untold}, ""},
		{"a check is not decided any more, and on costs more", func(p *proof.Proof) {
			cpu("on", 1.2)(p)
			undecide(p, 1)
		}, several.Worse, map[string]several.Answer{"checks": several.Untold}, ""},
		{"no twins, no bench", func(p *proof.Proof) { p.Targets[0].Bench = nil }, several.Noise, map[string]several.Answer{"logouts": several.Same}, ""},
		{"nothing in common", func(p *proof.Proof) { p.Targets[0].Name = "other" }, several.Untold, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := several.Compare([]several.Named{named(t, "a", "good"), named(t, "b", "good", tc.edit)})
			a := &c.Others[0]
			if a.Answer != tc.all {
				t.Errorf("the answer is %q, want %q", a.Answer, tc.all)
			}
			for key, want := range tc.rows {
				if r := row(t, a, key); r.Answer != want {
					t.Errorf("%s is %q (%s), want %q", key, r.Answer, r.Why, want)
				}
			}
			if tc.why != "" {
				if r := row(t, a, "core-cpu-ratio"); !strings.Contains(r.Why, tc.why) {
					t.Errorf("why is %q, want %q in it", r.Why, tc.why)
				}
			}
			if len(tc.rows) == 0 && (len(a.Rows) > 0 || !strings.Contains(a.Apart, "other")) {
				t.Errorf("rows %v, apart %q", a.Rows, a.Apart)
			}
		})
	}
}

// TestCompareIsRightAboutHowMuch: 20 % dearer is about 20 %, and inside the bounds.
func TestCompareIsRightAboutHowMuch(t *testing.T) {
	t.Parallel()
	c := several.Compare([]several.Named{named(t, "a", "good"), named(t, "b", "good", cpu("on", 1.2))})
	for _, key := range []string{"core-cpu-ratio", "core-cpu-on"} {
		r := row(t, &c.Others[0], key).Ratio
		if math.Abs(r.Value-1.2) > 1e-9 || r.Interval.Low > 1.2 || r.Interval.High < 1.2 {
			t.Errorf("%s: %g [%g, %g], want 1.2 inside", key, r.Value, r.Interval.Low, r.Interval.High)
		}
	}
}

// TestCompareRules: what the checks found weighs, whatever the figures.
func TestCompareRules(t *testing.T) {
	t.Parallel()
	bad := named(t, "bad", "failing", func(p *proof.Proof) { p.Targets[0].Name = "postgres"; p.Machine.CPU = "another" })
	c := several.Compare([]several.Named{named(t, "good", "good"), bad})
	a := &c.Others[0]
	if a.Answer != several.Worse || row(t, a, "logouts").Answer != several.Worse || row(t, a, "checks").Answer != several.Worse || !strings.Contains(row(t, a, "checks").Why, "broken: ") {
		t.Errorf("%s: %+v %+v", a.Answer, row(t, a, "logouts"), row(t, a, "checks"))
	}
	c = several.Compare([]several.Named{bad, named(t, "good", "good")})
	if a := &c.Others[0]; a.Answer != several.Better {
		t.Errorf("the other way round it is %q", a.Answer)
	}
	c = several.Compare([]several.Named{bad, bad})
	if r := row(t, &c.Others[0], "logouts"); r.Answer == several.Same {
		t.Error("two cores that let calls in are called the same, as if all were well")
	}
}

// TestCompareBrokenLogouts: none in few logouts does not show that some in many are mended.
func TestCompareBrokenLogouts(t *testing.T) {
	t.Parallel()
	logouts := func(broken, revokes int) func(*proof.Proof) {
		return func(p *proof.Proof) {
			first := true
			for i := range p.Targets[0].Conformance.Checks {
				if k := &p.Targets[0].Conformance.Checks[i]; k.Immediacy != nil {
					*k.Immediacy = proof.Immediacy{}
					if first {
						*k.Immediacy = proof.Immediacy{Revokes: revokes, Broken: broken, Calls: revokes, Accepted: broken, Twins: revokes, TwinsAccepted: revokes}
					}
					first = false
				}
			}
		}
	}
	for _, tc := range []struct {
		was, is [2]int
		want    several.Answer
	}{
		{[2]int{1, 2583}, [2]int{0, 12}, several.Untold},
		{[2]int{1, 2583}, [2]int{0, 2583}, several.Untold}, // up to 0.12 %, and 0.039 % were seen
		{[2]int{20, 2583}, [2]int{0, 2583}, several.Better},
		{[2]int{0, 12}, [2]int{1, 2583}, several.Worse},
		{[2]int{0, 2583}, [2]int{0, 12}, several.Same},
		{[2]int{1, 10}, [2]int{2, 10}, several.Noise},
		{[2]int{0, 10}, [2]int{0, 0}, several.Untold},
	} {
		c := several.Compare([]several.Named{named(t, "a", "good", logouts(tc.was[0], tc.was[1])), named(t, "b", "good", logouts(tc.is[0], tc.is[1]))})
		a := &c.Others[0]
		if r := row(t, a, "logouts"); r.Answer != tc.want {
			t.Errorf("%v → %v: %q (%s), want %q", tc.was, tc.is, r.Answer, r.Why, tc.want)
		}
		if tc.want == several.Untold && a.Answer != several.Untold {
			t.Errorf("%v → %v: the whole is %q", tc.was, tc.is, a.Answer)
		}
	}

	night := func(broken, revokes int) func(int, *proof.Proof) {
		return func(day int, p *proof.Proof) {
			logouts(0, revokes)(p)
			if day == 1 {
				logouts(broken, revokes)(p)
			}
		}
	}
	for _, tc := range []struct {
		nights, broken, revokes int
		mended                  bool
	}{
		{3, 2, 500, false},  // the night after it leaves 0.6 % open, and 0.4 % were seen
		{6, 2, 500, true},   // four leave 0.15 % open
		{2, 50, 500, false}, // none came after it
	} {
		x := several.Follow(nightly(t, tc.nights, night(tc.broken, tc.revokes)))
		if len(x.Broken) != 1 || x.Runs[x.Broken[0].Run].Name != "day-01/proof.json" || x.Broken[0].Mended != tc.mended {
			t.Errorf("%d of %d logouts broken in one of %d nights: %+v, want mended: %v", tc.broken, tc.revokes, tc.nights, x.Broken, tc.mended)
		}
	}
}

// nightly are n runs a day apart whose windows scatter by 2 % from run to run.
func nightly(t *testing.T, n int, edit func(day int, p *proof.Proof)) (out []several.Named) {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	for day := range n {
		by := math.Exp(0.02 * r.NormFloat64())
		ratio := math.Exp(0.01 * r.NormFloat64())
		out = append(out, named(t, fmt.Sprintf("day-%02d/proof.json", day), "good", func(p *proof.Proof) {
			p.Started = p.Started.AddDate(0, 0, day)
			p.Targets[0].Bench = p.Targets[0].Bench[1:]
			cpu("off", by)(p)
			cpu("on", by*ratio)(p)
			if edit != nil {
				edit(day, p)
			}
		}))
	}
	return out
}

func series(t *testing.T, x *several.Trend, key string) *several.Series {
	t.Helper()
	for i := range x.Series {
		if x.Series[i].Key == key {
			return &x.Series[i]
		}
	}
	t.Fatalf("there is no series %s", key)
	return nil
}

func TestTrendNamesWhereItChanged(t *testing.T) {
	t.Parallel()
	list := nightly(t, 24, func(day int, p *proof.Proof) {
		if day >= 15 {
			cpu("on", 1.1)(p)
			p.Targets[0].Core.Version = "2"
		}
	})
	x := several.Follow(list)
	for _, key := range []string{"core-cpu-on", "core-cpu-ratio"} {
		s := series(t, x, key)
		if len(s.Changes) != 1 {
			t.Fatalf("%s: %d changes, want 1", key, len(s.Changes))
		}
		c := s.Changes[0]
		if name := x.Runs[c.Run].Name; name != "day-15/proof.json" || c.Answer != several.Worse || math.Abs(c.After/c.Before-1.1) > 0.03 || c.P > x.Level {
			t.Errorf("%s changed at %s: %+v", key, name, c)
		}
		if !slices.ContainsFunc(c.Differs, func(d string) bool { return strings.HasPrefix(d, "core: ") }) {
			t.Errorf("the core's new version is not told: %v", c.Differs)
		}
	}
	for _, key := range []string{"core-cpu-off", "throughput-on", "statements-on", "logouts-broken"} {
		if s := series(t, x, key); len(s.Changes) > 0 {
			t.Errorf("%s did not change: %+v", key, s.Changes)
		}
	}
	slices.Reverse(list)
	if again := several.Follow(list); !reflect.DeepEqual(x, again) {
		t.Error("the trend depends on the order of the proofs")
	}
}

func TestTrendWithoutChange(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 24, nil))
	if x.Changed() > 0 || x.Judged() == 0 {
		t.Errorf("%d of %d series changed, want none of some", x.Changed(), x.Judged())
	}
}

func TestTrendKeepsApartWhatIsNotComparable(t *testing.T) {
	t.Parallel()
	list := nightly(t, 20, func(day int, p *proof.Proof) {
		switch {
		case day == 3:
			p.Interrupted = "SIGINT"
		case day%2 == 0: // a machine twice as slow: no change, another series
			p.Machine.CPU = "slow"
			cpu("", 2)(p)
		}
		if day >= 18 {
			for i := range p.Targets[0].Footprint.Statements {
				if s := &p.Targets[0].Footprint.Statements[i]; s.Operation == proof.OpVerify && s.Flag == "on" {
					s.Count *= 2
				}
			}
		}
	})
	x := several.Follow(list)
	if len(x.Runs) != 19 || len(x.LeftOut) != 1 || !strings.Contains(x.LeftOut[0], "interrupted") {
		t.Errorf("%d runs, left out %q", len(x.Runs), x.LeftOut)
	}
	for i := range x.Series {
		s := &x.Series[i]
		if !s.Exact && len(s.Points) > 10 || !s.Exact && len(s.Changes) > 0 {
			t.Errorf("%s on %s: %d points, changes %+v", s.Key, s.Machine, len(s.Points), s.Changes)
		}
	}
	if c := series(t, x, "statements-on").Changes; len(c) != 1 || x.Runs[c[0].Run].Name != "day-18/proof.json" || c[0].Answer != several.Worse {
		t.Errorf("statements changed at %+v, want at day 18", c)
	}
}

// TestTrendOfAnotherMethod: where the rate changed with the figure nobody can tell which of
// the two it was.
func TestTrendOfAnotherMethod(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 24, func(day int, p *proof.Proof) {
		if day >= 12 {
			cpu("on", 1.2)(p)
			p.Targets[0].Bench[0].Design.RateHz /= 2
		}
	}))
	for _, key := range []string{"core-cpu-on", "core-cpu-ratio"} {
		if c := series(t, x, key).Changes; len(c) != 1 || c[0].Answer != several.Untold || !strings.Contains(c[0].Why, "--rate") {
			t.Errorf("%s: %+v, want one change of which nothing can be told", key, c)
		}
	}
}

// TestTrendLeavesOutWhatMayNotBeReliedOn: no floor, no figure.
func TestTrendLeavesOutWhatMayNotBeReliedOn(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 4, func(day int, p *proof.Proof) {
		if day == 2 {
			p.Targets[0].Bench[0].Rounds = slices.DeleteFunc(p.Targets[0].Bench[0].Rounds, func(r proof.Round) bool { return r.Kind == proof.KindFloor })
		}
	}))
	if n := len(series(t, x, "core-cpu-ratio").Points); n != 3 {
		t.Errorf("%d points, want 3", n)
	}
	if len(x.LeftOut) != 1 || !strings.Contains(x.LeftOut[0], "day-02/proof.json, CPU of postgres") {
		t.Errorf("left out: %q", x.LeftOut)
	}
}

// TestTrendKnowsACopy: one proof under two names is one run.
func TestTrendKnowsACopy(t *testing.T) {
	t.Parallel()
	list := nightly(t, 3, nil)
	for i := range list {
		list[i].Proof.Digest = fmt.Sprint("sha256:", i)
	}
	list = append(list, several.Named{Name: "latest/proof.json", Proof: list[2].Proof})
	x := several.Follow(list)
	if len(x.Runs) != 3 || len(x.LeftOut) != 1 || !strings.Contains(x.LeftOut[0], "latest/proof.json: it is the same proof as day-02") {
		t.Errorf("%d runs, left out %q", len(x.Runs), x.LeftOut)
	}
}

// TestTrendOfChecks: that one is mended while another breaks is a change, and one that is
// not tried any more is not mended.
func TestTrendOfChecks(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 5, func(day int, p *proof.Proof) {
		fail := func(i int) {
			k := &p.Targets[0].Conformance.Checks[i]
			k.Violations = []proof.Violation{{Expected: "a", Got: "b"}}
		}
		switch day {
		case 1:
			fail(0)
		case 2:
			fail(1)
		case 3:
			fail(1)
			undecide(p, 1)
		case 4:
			undecide(p, 2)
		}
	}))
	s := series(t, x, "checks-failed")
	var got []string
	for _, c := range s.Changes {
		got = append(got, fmt.Sprintf("%d %s", c.Point, c.Answer))
	}
	if want := []string{"1 worse", "2 worse"}; !slices.Equal(got, want) {
		t.Errorf("changes %v (%+v), want %v", got, s.Changes, want)
	}
}

func TestTrendOfFewRuns(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 8, func(day int, p *proof.Proof) {
		if day >= 4 {
			cpu("on", 3)(p)
		}
	}))
	if s := series(t, x, "core-cpu-on"); len(s.Changes) > 0 || s.Few == "" {
		t.Errorf("8 runs are called enough: %+v", s)
	}
}

// TestLogs: Otava takes a table without gaps, times it can read and plain column names.
func TestLogs(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 5, func(day int, p *proof.Proof) {
		if day == 2 { // one run has no full load
			p.Targets[0].Bench[0].Rounds = slices.DeleteFunc(p.Targets[0].Bench[0].Rounds, func(r proof.Round) bool { return r.Kind == proof.KindSaturated })
		}
	}))
	logs := x.Logs()
	if len(logs) != 1 || logs[0].Name != "postgres-cdi-5.4" {
		t.Fatalf("%d logs: %+v", len(logs), logs)
	}
	if !slices.Contains(logs[0].LeftOut, "throughput-on") {
		t.Errorf("what has a gap is not left out: %v", logs[0].LeftOut)
	}
	var buf bytes.Buffer
	if err := logs[0].CSV(&buf); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&buf).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6 || !slices.Equal(rows[0][:4], []string{"time", "proof", "version", "core_cpu_ratio"}) {
		t.Fatalf("%d rows under %v", len(rows), rows[0])
	}
	for column, want := range map[string]string{"statements_on": "1", "statements_off": "0", "logouts_broken": "0", "checks_failed": "0"} {
		i := slices.Index(rows[0], column)
		if i < 0 || rows[1][i] != want {
			t.Errorf("the count %s is not in the log: %v", column, rows[:2])
		}
	}
	for _, r := range rows[1:] {
		if _, err := time.Parse(time.RFC3339, r[0]); err != nil {
			t.Error(err)
		}
		for i, c := range r[3:] {
			var v float64
			if _, err := fmt.Sscan(c, &v); err != nil || v < 0 || v == 0 && !slices.Contains([]string{"statements_off", "logouts_broken", "checks_failed"}, rows[0][3+i]) {
				t.Errorf("column %s is %q", rows[0][3+i], c)
			}
		}
	}
	config := logs[0].Config("x.csv")
	for _, want := range []string{"postgres-cdi-5.4:", "type: csv", `file: "x.csv"`, "core_cpu_on:", "direction: -1"} {
		if !strings.Contains(config, want) {
			t.Errorf("the configuration lacks %q:\n%s", want, config)
		}
	}
}

// TestCountsOfALog are those of its runs: of another machine's there are none in it.
func TestCountsOfALog(t *testing.T) {
	t.Parallel()
	x := several.Follow(nightly(t, 6, func(day int, p *proof.Proof) {
		if day%2 == 0 {
			p.Machine.CPU = "another"
		}
		if day == 5 {
			p.Targets[0].Footprint = nil
		}
	}))
	logs := x.Logs()
	if len(logs) != 2 {
		t.Fatalf("%d logs, want 2", len(logs))
	}
	for i, whole := range []bool{true, false} {
		var buf bytes.Buffer
		if err := logs[i].CSV(&buf); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&buf).ReadAll()
		if err != nil || len(rows) != 4 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		if slices.Contains(rows[0], "statements_on") != whole || slices.Contains(logs[i].LeftOut, "statements-on") == whole || !slices.Contains(rows[0], "checks_failed") {
			t.Errorf("log %d has %v and lacks %v", i, rows[0], logs[i].LeftOut)
		}
	}
}

// TestCompareNamesWhatDiffers: the load, and what is in one of the two alone.
func TestCompareNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	c := several.Compare([]several.Named{named(t, "all.json", "databases"), named(t, "one.json", "good", func(p *proof.Proof) {
		for i := range p.Targets[0].Bench {
			d := &p.Targets[0].Bench[i].Design
			n := int64(10_000_000)
			d.Rows, d.Tokens, d.Connections, d.Window = &n, 100, 64, d.Window/3
			d.DatabaseAt = "this machine, 20ms away"
		}
	})})
	if load := c.Others[0].Load; !strings.Contains(load, "20ms away") {
		t.Errorf("the loads differ in %q, want the distance to be named", load)
	}
	all := strings.Join(c.Others[0].Differs, "\n")
	for _, want := range []string{"session rows: ", "→ 10,000,000", "tokens: ", "→ 100", "connections: ", "→ 64", "window: ", "database: ", "20ms away", "in all.json alone: ", "mariadb"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in:\n%s", want, all)
		}
	}
	if strings.Contains(all, "in one.json alone") {
		t.Errorf("what is in both is said to be in one alone:\n%s", all)
	}
}

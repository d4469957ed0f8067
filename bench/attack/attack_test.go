package attack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/attack"
	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/refcore/serve"
)

// TestMain lets the test binary be a core.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "core" {
		os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

var plan = attack.Plan{Seed: 5, RateHz: 300, Duration: 2 * time.Second, Protocol: "CDI", Version: "5.4", CheckDatabase: true, Of: 3}

// made is what one shard, or several, would have written of samples.
func made(shards []int, samples []time.Duration) *attack.Shard {
	s := &attack.Shard{Schema: attack.Schema, Plan: plan, Shards: shards, Ahead: make([]*attack.Ahead, len(shards)),
		Latency: &generator.Latency{Histogram: generator.NewHistogram()}, Late: &generator.Latency{Histogram: generator.NewHistogram()}}
	began := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for range shards {
		s.Began, s.CPU = append(s.Began, began), append(s.CPU, time.Second)
	}
	for _, d := range samples {
		s.Due, s.InTime, s.Calls = s.Due+1, s.InTime+1, s.Calls+1
		_ = s.Latency.RecordValue(int64(d))
		_ = s.Late.RecordValue(int64(d / 10))
	}
	return s
}

// through writes shards and reads them again.
func through(t *testing.T, list ...*attack.Shard) []*attack.Shard {
	t.Helper()
	var b bytes.Buffer
	for _, s := range list {
		if err := json.NewEncoder(&b).Encode(s); err != nil {
			t.Fatal(err)
		}
	}
	got, err := attack.Read(&b, "test")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestMergeIsExact: parts of the same samples, however they are dealt out and in
// whatever order they come, add up to what one sender of all would have written.
func TestMergeIsExact(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([]time.Duration, 20_000)
	parts := make([][]time.Duration, plan.Of)
	for i := range samples {
		samples[i] = time.Duration(float64(50*time.Microsecond) * (1 + 40*r.ExpFloat64()))
		k := r.IntN(plan.Of)
		parts[k] = append(parts[k], samples[i])
	}
	whole := through(t, made([]int{0, 1, 2}, samples))[0]
	sum, err := attack.Merge(through(t, made([]int{2}, parts[2]), made([]int{0}, parts[0]), made([]int{1}, parts[1])))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range [][2]*generator.Latency{{sum.Latency, whole.Latency}, {sum.Late, whole.Late}} {
		if !slices.Equal(h[0].Export().Counts, h[1].Export().Counts) || h[0].TotalCount() != int64(len(samples)) {
			t.Errorf("the histograms differ: %d and %d samples of %d", h[0].TotalCount(), h[1].TotalCount(), len(samples))
		}
	}
	sum.Latency, sum.Late, whole.Latency, whole.Late = nil, nil, nil, nil
	if !reflect.DeepEqual(sum, whole) || len(sum.Doubts()) > 0 {
		t.Errorf("merged %+v\nwhole  %+v\ndoubts %q", sum, whole, sum.Doubts())
	}
}

// TestMergeAddsWhatWasTurnedAway: wrong answers, and those of them that shed load.
func TestMergeAddsWhatWasTurnedAway(t *testing.T) {
	t.Parallel()
	a, b := made([]int{0}, make([]time.Duration, 10)), made([]int{1}, make([]time.Duration, 10))
	a.Wrong, a.Shed, b.Wrong, b.Shed = 5, 3, 4, 4
	sum, err := attack.Merge(through(t, a, b))
	if err != nil || sum.Wrong != 9 || sum.Shed != 7 {
		t.Errorf("%+v, %v, want 9 wrong, 7 of them turned away", sum, err)
	}
}

// clocks of shards against the core's, ms at least and at most.
func clocks(ms ...time.Duration) (out []*attack.Ahead) {
	for i := 0; i < len(ms); i += 2 {
		out = append(out, &attack.Ahead{Low: ms[i] * time.Millisecond, High: ms[i+1] * time.Millisecond})
	}
	return out
}

// TestMergeComparesClocks: each shard says when it began by its own clock, so that shards
// which began together by them may have sent one after the other.
func TestMergeComparesClocks(t *testing.T) {
	t.Parallel()
	var list []*attack.Shard
	for i, a := range clocks(0, 300, 5000, 5200, 100, 200) {
		s := made([]int{i}, make([]time.Duration, 200))
		s.Ahead = []*attack.Ahead{a}
		list = append(list, s)
	}
	sum, err := attack.Merge(through(t, list...))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(sum.Doubts(), "; "); sum.Skew() != 0 || !strings.Contains(got, "clocks are 4.8s apart") {
		t.Errorf("skew %s, doubts %q", sum.Skew(), got)
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	samples := []time.Duration{time.Millisecond, 2 * time.Millisecond}
	changed := func(f func(*attack.Shard)) *attack.Shard {
		s := made([]int{1}, samples)
		f(s)
		return s
	}
	at := time.Date(2026, 11, 27, 13, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		other *attack.Shard
		want  string
	}{
		"twice":          {made([]int{0}, samples), "comes twice"},
		"another rate":   {changed(func(s *attack.Shard) { s.RateHz++ }), "another plan"},
		"another seed":   {changed(func(s *attack.Shard) { s.Seed++ }), "another plan"},
		"another number": {changed(func(s *attack.Shard) { s.Of++ }), "another plan"},
		"another start":  {changed(func(s *attack.Shard) { s.At = &at }), "another time"},
	} {
		if _, err := attack.Merge([]*attack.Shard{made([]int{0}, samples), tc.other}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	if _, err := attack.Merge(nil); err == nil {
		t.Error("nothing was merged")
	}
}

// TestDoubts: what is no whole load is said to be none.
func TestDoubts(t *testing.T) {
	t.Parallel()
	all := func() *attack.Shard { return made([]int{0, 1, 2}, make([]time.Duration, 600)) }
	for name, tc := range map[string]struct {
		change func(*attack.Shard)
		want   string
	}{
		"a shard missing": {func(s *attack.Shard) { s.Shards, s.Began, s.CPU = s.Shards[:2], s.Began[:2], s.CPU[:2] }, "shards [2] of 3 are missing"},
		"begun apart":     {func(s *attack.Shard) { s.Began[1] = s.Began[1].Add(time.Second) }, "began 1s apart"},
		"clocks apart":    {func(s *attack.Shard) { s.Ahead = clocks(0, 200, 1200, 1900, -1000, -400) }, "clocks are 1.6s apart at least"},
		"not kept up":     {func(s *attack.Shard) { s.InTime -= 30 }, "95.0 %"},
	} {
		s := all()
		tc.change(s)
		if got := strings.Join(s.Doubts(), "; "); !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if got := all().Doubts(); len(got) > 0 {
		t.Errorf("a whole load is doubted: %q", got)
	}
	s := all()
	if _, _, known := s.Apart(); known {
		t.Error("clocks that nobody compared are known")
	}
	s.Ahead = clocks(0, 200, 100, 1100, -100, 800)
	if least, most, known := s.Apart(); least != 0 || most != 1200*time.Millisecond || !known || len(s.Doubts()) > 0 {
		t.Errorf("clocks from %s to %s apart, known %v, doubts %q", least, most, known, s.Doubts())
	}
}

// TestQuantile: a quantile is one of all calls that were due, and those that were given up
// are the slowest.
func TestQuantile(t *testing.T) {
	t.Parallel()
	var samples []time.Duration
	for i := range 990 {
		samples = append(samples, time.Duration(i+1)*time.Millisecond)
	}
	s := made([]int{0}, samples)
	s.Due = 1000 // ten were never sent
	for q, want := range map[float64]time.Duration{50: 500 * time.Millisecond, 90: 900 * time.Millisecond, 99: 990 * time.Millisecond, 99.9: 0, 100: 0} {
		got, known := s.Quantile(q)
		if known != (want > 0) || known && (got < want*99/100 || got > want*101/100) {
			t.Errorf("%g %%: %s, known %v, want %s", q, got, known, want)
		}
	}
	if _, known := made([]int{0}, nil).Quantile(50); known {
		t.Error("nothing was sent, and the median is known")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(made([]int{0}, []time.Duration{time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ from, to, want string }{
		"nothing":        {string(good), "", "no shard in it"},
		"no JSON":        {string(good), "hello", "is no shard"},
		"another schema": {`"coreproof-shard/1"`, `"coreproof-shard/9"`, "schema"},
		"more calls":     {`"calls":1`, `"calls":2`, "edited"},
		"fewer calls":    {`"calls":1`, `"calls":0`, "edited"},
		"more wrong":     {`"wrong":0`, `"wrong":5`, "edited"},
		"more shed":      {`"wrong":0`, `"wrong":0,"shed":1`, "edited"},
		"clock":          {`"ahead":[null]`, `"ahead":[{"lowNs":2,"highNs":1}]`, "ahead"},
		"no latency":     {`"latency":`, `"latency2":`, "no latencies"},
		"shard too high": {`"shards":[0]`, `"shards":[3]`, "count from 0"},
	} {
		text := strings.Replace(string(good), tc.from, tc.to, 1)
		if _, err := attack.Read(strings.NewReader(text), "x"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// TestShardsAreOneLoad: shards of a core that runs send together what was asked for, and
// leave no session behind.
func TestShardsAreOneLoad(t *testing.T) {
	t.Parallel()
	command, err := launch.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	e, err := launch.NewEmbedded(launch.EmbeddedOptions{Command: command})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	d, err := e.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	x, err := launch.NewExternal(t.Context(), launch.ExternalOptions{On: []string{d.Instances()[0].URL}})
	if err != nil {
		t.Fatal(err)
	}
	list := make([]*attack.Shard, plan.Of)
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() {
			got, err := attack.Run(t.Context(), attack.Options{Plan: plan, Target: x, Shard: i, Tokens: 20, Connections: 16})
			if err != nil {
				t.Errorf("shard %d: %v", i, err)
			}
			list[i] = got
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	sum, err := attack.Merge(through(t, list...))
	if err != nil {
		t.Fatal(err)
	}
	if _, most, known := sum.Apart(); !known || most <= 0 || strings.Contains(strings.Join(sum.Doubts(), " "), "clocks") {
		t.Errorf("shards on one machine: clocks %s apart at most, known %v, doubts %q", most, known, sum.Doubts())
	}
	if want := int64(plan.RateHz * plan.Duration.Seconds()); sum.Due != want || sum.Wrong != 0 || sum.Calls == 0 || len(sum.Missing()) > 0 {
		t.Errorf("due %d, want %d; %d calls, %d wrong (%s), missing %v", sum.Due, want, sum.Calls, sum.Wrong, sum.Example, sum.Missing())
	}
	books, err := e.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := books.SessionRows(t.Context()); err != nil || n != 0 {
		t.Errorf("%d sessions are left, %v", n, err)
	}
	// Who comes too late says so, and cleans up too.
	late := attack.Options{Plan: plan, Target: x, Tokens: 5, Connections: 1, At: time.Now().Add(-time.Second)}
	if _, err := attack.Run(t.Context(), late); !errors.Is(err, attack.ErrLate) {
		t.Errorf("a start in the past: %v", err)
	}
	if n, err := books.SessionRows(t.Context()); err != nil || n != 0 {
		t.Errorf("%d sessions are left of a shard that was late, %v", n, err)
	}
}

func FuzzRead(f *testing.F) {
	good, err := json.Marshal(made([]int{0}, []time.Duration{time.Millisecond}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append(good, good...))
	f.Add([]byte(`{"schema":"coreproof-shard/1","latency":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := attack.Read(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		if sum, err := attack.Merge(list); err == nil {
			_ = sum.Doubts()
		}
	})
}

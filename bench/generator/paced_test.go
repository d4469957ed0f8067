package generator

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestScheduleIsPoisson: gaps of a Poisson process are as long as they scatter, and
// those of a steady one do not scatter.
func TestScheduleIsPoisson(t *testing.T) {
	t.Parallel()
	j := Job{RateHz: 10000, Duration: 2 * time.Second, Seed: 3}
	due := schedule(j)
	if len(due) != 20000 {
		t.Fatalf("%d calls, want 20,000", len(due))
	}
	var sum, squares float64
	for i := 1; i < len(due); i++ {
		gap := (due[i] - due[i-1]).Seconds()
		if gap < 0 {
			t.Fatal("not in order")
		}
		sum, squares = sum+gap, squares+gap*gap
	}
	n := float64(len(due) - 1)
	if mean := sum / n; mean < 0.99e-4 || mean > 1.01e-4 {
		t.Errorf("mean gap %g s, want 100 µs", mean)
	}
	if ratio := (squares/n - sum*sum/n/n) / (sum * sum / n / n); ratio < 0.9 || ratio > 1.1 {
		t.Errorf("variance over squared mean of the gaps is %g, want 1", ratio)
	}
	if due[len(due)-1] > j.Duration || due[0] < 0 {
		t.Errorf("calls are due from %s to %s", due[0], due[len(due)-1])
	}
}

// TestPacedTellsSaturation: a core that serves one call after the other cannot serve
// twice what it can.
func TestPacedTellsSaturation(t *testing.T) {
	t.Parallel()
	var one sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		time.Sleep(10 * time.Millisecond) // the work: at most 100 calls a second
		one.Unlock()
		_, _ = io.WriteString(w, okBody)
	}))
	defer srv.Close()
	g := &Local{}
	if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
		t.Fatal(err)
	}
	res, err := g.Run(t.Context(), Job{Kind: Paced, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 400, Duration: time.Second, Connections: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if res.Took < time.Second || res.Achieved > 0.9 || res.Backlog < 100 || res.LagP99 < 100*time.Millisecond {
		t.Errorf("took %s, achieved %g, backlog %d, lag %s: no sign of a queue", res.Took, res.Achieved, res.Backlog, res.LagP99)
	}
	if calls := res.Sides[0].Calls; calls == 0 || calls > 200 {
		t.Errorf("%d calls of 400 were sent by a tenth after the window's end", calls)
	}
}

// TestPacedWaitsForItsStart: a sender that begins later says when it did, and its window is
// as long as one that begins at once.
func TestPacedWaitsForItsStart(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&core{answer: okBody})
	defer srv.Close()
	g := &Local{}
	if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
		t.Fatal(err)
	}
	j := Job{Kind: Paced, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 100, Duration: 200 * time.Millisecond, Connections: 1, Seed: 1}
	for _, in := range []time.Duration{0, 300 * time.Millisecond} {
		asked := time.Now()
		if j.At = (time.Time{}); in > 0 {
			j.At = asked.Add(in)
		}
		res, err := g.Run(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if res.Began.Before(asked.Add(in).Round(0)) || res.Took < j.Duration || res.Began.Add(res.Took).After(time.Now().Round(0).Add(time.Millisecond)) {
			t.Errorf("asked at %s to begin after %s: began at %s, took %s", asked, in, res.Began, res.Took)
		}
	}
	j.At = time.Now().Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Run(ctx, j); err == nil {
		t.Error("a start that was not waited for reports success")
	}
}

// TestPartsAreOneSchedule: the parts of a schedule are the whole, each call once.
func TestPartsAreOneSchedule(t *testing.T) {
	t.Parallel()
	j := Job{Kind: Paced, RateHz: 97, Duration: time.Second, Seed: 3}
	whole := schedule(j)
	var all []time.Duration
	for part := range 4 {
		j.Part, j.Of = part, 4
		got := schedule(j)
		if len(got) < len(whole)/4 {
			t.Errorf("part %d has %d of %d calls", part, len(got), len(whole))
		}
		all = append(all, got...)
	}
	slices.Sort(all)
	if !slices.Equal(all, whole) {
		t.Errorf("the parts have %d calls, the whole %d", len(all), len(whole))
	}
	for _, bad := range []Job{{Part: 1}, {Part: 4, Of: 4}, {Part: -1, Of: 4}, {Part: 1, Of: 2, Kind: Closed}} {
		b := j
		b.Part, b.Of = bad.Part, bad.Of
		if bad.Kind != "" {
			b.Kind = bad.Kind
		}
		b.Sides, b.Connections = []Side{{}}, 1
		if err := b.check(); err == nil {
			t.Errorf("part %d of %d (%s) is accepted", b.Part, b.Of, b.Kind)
		}
	}
}

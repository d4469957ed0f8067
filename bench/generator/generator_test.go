package generator

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const okBody = `{"status":"OK","session":{"handle":"h","userId":"u","userDataInJWT":{},"tenantId":"public","recipeUserId":"u"}}`

// core counts what arrives by body and answers as told.
type core struct {
	mu     sync.Mutex
	bodies map[string]int
	answer string
	chunk  bool
}

func (c *core) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	if c.bodies == nil {
		c.bodies = map[string]int{}
	}
	c.bodies[string(b)]++
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if c.chunk {
		_, _ = io.WriteString(w, c.answer[:5])
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, c.answer[5:])
		return
	}
	_, _ = io.WriteString(w, c.answer)
}

func (c *core) seen() (calls int, distinct int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.bodies {
		calls += n
	}
	return calls, len(c.bodies)
}

func side(name, url, set string) Side {
	return Side{Name: name, Method: http.MethodPost, URLs: []string{url + "/recipe/session/verify"}, Header: http.Header{"Rid": {"session"}}, Set: set}
}

func generators(t *testing.T) map[string]Generator {
	srv := httptest.NewServer(Handler(&Local{}))
	t.Cleanup(srv.Close)
	return map[string]Generator{"local": &Local{}, "remote": NewRemote(srv.URL, nil)}
}

func TestDuet(t *testing.T) {
	t.Parallel()
	for name, g := range generators(t) {
		for _, kind := range []Kind{Open, Closed} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				a, b := &core{answer: okBody}, &core{answer: okBody, chunk: true}
				sa, sb := httptest.NewServer(a), httptest.NewServer(b)
				defer sa.Close()
				defer sb.Close()
				for set, bodies := range map[string][][]byte{"x": {[]byte("1"), []byte("2"), []byte("3")}, "y": {[]byte("4")}} {
					if err := g.Load(t.Context(), set, bodies); err != nil {
						t.Fatal(err)
					}
				}
				res, err := g.Run(t.Context(), Job{Kind: kind, Protocol: "5.4", Sides: []Side{side("a", sa.URL, "x"), side("b", sb.URL, "y")},
					RateHz: 400, Duration: 300 * time.Millisecond, Connections: 2, Seed: 7})
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range []*core{a, b} {
					r := res.Sides[i]
					calls, distinct := c.seen()
					if int64(calls) != r.Calls || r.Calls == 0 || r.Wrong != 0 {
						t.Errorf("side %s: %d calls arrived, books say %d, wrong %d (%s)", r.Name, calls, r.Calls, r.Wrong, r.Example)
					}
					if want := []int{3, 1}[i]; distinct != want {
						t.Errorf("side %s: %d distinct bodies, want %d", r.Name, distinct, want)
					}
					h, err := r.Histogram()
					if err != nil || h.TotalCount() != r.Calls {
						t.Errorf("side %s: histogram of %d calls, want %d (%v)", r.Name, h.TotalCount(), r.Calls, err)
					}
				}
				if kind == Open {
					if d := res.Sides[0].Calls - res.Sides[1].Calls; d < -1 || d > 1 {
						t.Errorf("the sides differ by %d calls, want at most 1", d)
					}
				}
			})
		}
	}
}

func TestWrongAnswersAreCounted(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`{"status":"UNAUTHORISED","message":"OK"}`, `{"status":"TRY_REFRESH_TOKEN"}`, `<html>OK</html>`} {
		for _, kind := range []Kind{Open, Closed} {
			srv := httptest.NewServer(&core{answer: answer})
			g := &Local{}
			if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
				t.Fatal(err)
			}
			res, err := g.Run(t.Context(), Job{Kind: kind, Protocol: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 100, Duration: 100 * time.Millisecond, Connections: 1})
			srv.Close()
			if err == nil && (res.Sides[0].Wrong == 0 || res.Sides[0].Wrong != res.Sides[0].Calls || res.Sides[0].Example == "") {
				t.Errorf("%s answer %s: %d of %d wrong", kind, answer, res.Sides[0].Wrong, res.Sides[0].Calls)
			}
		}
	}
}

func TestLatencyCountsFromTheIntendedSend(t *testing.T) {
	t.Parallel()
	// The core stalls once; calls that were due meanwhile must show the wait.
	var once sync.Once
	stall := 200 * time.Millisecond
	var gate sync.RWMutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			gate.Lock()
			time.AfterFunc(stall, gate.Unlock)
		})
		gate.RLock()
		defer gate.RUnlock()
		_, _ = io.WriteString(w, okBody)
	}))
	defer srv.Close()
	g := &Local{}
	if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
		t.Fatal(err)
	}
	res, err := g.Run(t.Context(), Job{Kind: Open, Protocol: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 200, Duration: 400 * time.Millisecond, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	h, err := res.Sides[0].Histogram()
	if err != nil {
		t.Fatal(err)
	}
	// About 40 of 80 calls were due in the stall: their median waited half of it.
	slow := 0
	for _, b := range h.Distribution() {
		if b.From > int64(stall/4) {
			slow += int(b.Count)
		}
	}
	if slow < 15 {
		t.Errorf("only %d of %d calls show the stall: latency does not count from the intended send", slow, h.TotalCount())
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&core{answer: okBody})
	defer srv.Close()
	for _, kind := range []Kind{Open, Closed} {
		g := &Local{}
		if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := g.Run(ctx, Job{Kind: kind, Protocol: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 100, Duration: time.Minute, Connections: 1})
		cancel()
		if err == nil {
			t.Errorf("%s: a cancelled run reports success", kind)
		}
	}
}

func TestJobsThatCannotRun(t *testing.T) {
	t.Parallel()
	good := Job{Kind: Open, Protocol: "5.4", Sides: []Side{side("a", "http://127.0.0.1:1", "x")}, RateHz: 1, Duration: time.Second, Connections: 1}
	for name, change := range map[string]func(*Job){
		"no side":       func(j *Job) { j.Sides = nil },
		"no duration":   func(j *Job) { j.Duration = 0 },
		"no rate":       func(j *Job) { j.RateHz = 0 },
		"kind":          func(j *Job) { j.Kind = "x" },
		"set":           func(j *Job) { j.Sides[0].Set = "missing" },
		"protocol":      func(j *Job) { j.Protocol = "9.9" },
		"no connection": func(j *Job) { j.Connections = 0 },
	} {
		j := good
		j.Sides = append([]Side(nil), good.Sides...)
		change(&j)
		g := &Local{}
		if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Run(t.Context(), j); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error = %v, want one line", name, err)
		}
	}
}

package generator

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
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
	srv := httptest.NewServer(Handler(&Local{}, "s"))
	t.Cleanup(srv.Close)
	return map[string]Generator{"local": &Local{}, "remote": NewRemote(srv.URL, "s", nil)}
}

// enough makes a window longer until there is enough to judge: a busy machine makes
// few calls in a short one.
func enough(t *testing.T, run func(time.Duration) (Result, error), judge func(Result) bool) Result {
	t.Helper()
	for d := 300 * time.Millisecond; ; d *= 2 {
		res, err := run(d)
		if err != nil {
			t.Fatal(err)
		}
		if judge(res) || d > 10*time.Second {
			return res
		}
	}
}

func TestDuet(t *testing.T) {
	t.Parallel()
	for name, g := range generators(t) {
		for _, kind := range []Kind{Open, Closed, Paced} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				var a, b *core
				for set, bodies := range map[string][][]byte{"x": {[]byte("1"), []byte("2"), []byte("3")}, "y": {[]byte("4")}} {
					if err := g.Load(t.Context(), set, bodies); err != nil {
						t.Fatal(err)
					}
				}
				res := enough(t, func(d time.Duration) (Result, error) {
					a, b = &core{answer: okBody}, &core{answer: okBody, chunk: true}
					sa, sb := httptest.NewServer(a), httptest.NewServer(b)
					defer sa.Close()
					defer sb.Close()
					return g.Run(t.Context(), Job{Kind: kind, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", sa.URL, "x"), side("b", sb.URL, "y")},
						RateHz: 400, Duration: d, Connections: 2, Seed: 7})
				}, func(r Result) bool { return r.Sides[0].Calls >= 30 && r.Sides[1].Calls >= 30 })
				for i, c := range []*core{a, b} {
					r := res.Sides[i]
					calls, distinct := c.seen()
					if int64(calls) != r.Calls || r.Calls == 0 || r.Wrong != 0 {
						t.Errorf("side %s: %d calls arrived, books say %d, wrong %d (%s)", r.Name, calls, r.Calls, r.Wrong, r.Example)
					}
					if want := []int{3, 1}[i]; distinct != want {
						t.Errorf("side %s: %d distinct bodies, want %d", r.Name, distinct, want)
					}
					if n := r.Latency.TotalCount(); n != r.Calls {
						t.Errorf("side %s: histogram of %d calls, want %d", r.Name, n, r.Calls)
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

// TestEveryOrderIsDrawn: no side is always the one after another.
func TestEveryOrderIsDrawn(t *testing.T) {
	t.Parallel()
	const turns = 24000
	for k := uint64(1); k <= 4; k++ {
		seen, orders := map[string]int{}, 1
		for i := range k {
			orders *= int(i + 1)
		}
		for turn := range uint64(turns) {
			var order []byte
			for at := range k {
				order = append(order, byte('0'+drawn(mix(turn), k, at)))
			}
			seen[string(order)]++
		}
		if len(seen) != orders {
			t.Errorf("%d sides: %d orders of %d", k, len(seen), orders)
		}
		for order, n := range seen {
			if want := turns / orders; n < want*8/10 || n > want*12/10 || len(slices.Compact(slices.Sorted(slices.Values([]byte(order))))) != int(k) {
				t.Errorf("%d sides: order %s came %d times of %d", k, order, n, turns)
			}
		}
	}
}

// TestLagOfASenderThatKeepsTime: vegeta sends its first call an interval after its start.
func TestLagOfASenderThatKeepsTime(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&core{answer: okBody})
	defer srv.Close()
	g := &Local{}
	if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
		t.Fatal(err)
	}
	// An interval is 250 ms, so only a machine that stands still for half of one hides it.
	res, err := g.Run(t.Context(), Job{Kind: Open, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 4, Duration: 2 * time.Second, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	if least := time.Duration(res.Sides[0].Latency.Min()); least > 125*time.Millisecond {
		t.Errorf("the quickest call took %v from when it was due", least)
	}
}

func TestWrongAnswersAreCounted(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`{"status":"UNAUTHORISED","message":"OK"}`, `{"status":"TRY_REFRESH_TOKEN"}`, `<html>OK</html>`} {
		for _, kind := range []Kind{Open, Closed, Paced} {
			srv := httptest.NewServer(&core{answer: answer})
			g := &Local{}
			if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
				t.Fatal(err)
			}
			window := 100 * time.Millisecond
			if kind == Paced {
				window = 2 * time.Second // it gives up what it could not send in time, which a busy machine may make all
			}
			res, err := g.Run(t.Context(), Job{Kind: kind, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 100, Duration: window, Connections: 1})
			srv.Close()
			if err != nil || (res.Sides[0].Wrong == 0 || res.Sides[0].Wrong != res.Sides[0].Calls || res.Sides[0].Example == "") {
				t.Errorf("%s answer %s: %d of %d wrong, %v", kind, answer, res.Sides[0].Wrong, res.Sides[0].Calls, err)
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
	res, err := g.Run(t.Context(), Job{Kind: Open, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 200, Duration: 400 * time.Millisecond, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := res.Sides[0].Latency
	// About 40 of 80 calls were due in the stall: their median waited half of it.
	slow := 0
	for _, b := range h.Distribution() {
		if b.From > int64(stall/4) {
			slow += int(b.Count)
		}
	}
	if int64(slow) < max(1, min(15, h.TotalCount()/4)) { // a busy machine sends fewer
		t.Errorf("only %d of %d calls show the stall: latency does not count from the intended send", slow, h.TotalCount())
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&core{answer: okBody})
	defer srv.Close()
	for _, kind := range []Kind{Open, Closed, Paced} {
		g := &Local{}
		if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := g.Run(ctx, Job{Kind: kind, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 100, Duration: time.Minute, Connections: 1})
		cancel()
		if err == nil {
			t.Errorf("%s: a cancelled run reports success", kind)
		}
	}
}

func TestJobsThatCannotRun(t *testing.T) {
	t.Parallel()
	good := Job{Kind: Open, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", "http://127.0.0.1:1", "x")}, RateHz: 1, Duration: time.Second, Connections: 1}
	for name, change := range map[string]func(*Job){
		"no side":       func(j *Job) { j.Sides = nil },
		"no duration":   func(j *Job) { j.Duration = 0 },
		"no rate":       func(j *Job) { j.RateHz = 0 },
		"kind":          func(j *Job) { j.Kind = "x" },
		"set":           func(j *Job) { j.Sides[0].Set = "missing" },
		"protocol":      func(j *Job) { j.Protocol = "XYZ" },
		"version":       func(j *Job) { j.Version = "9.9" },
		"no connection": func(j *Job) { j.Connections = 0 },
		"many sides":    func(j *Job) { j.Sides = slices.Repeat(j.Sides, maxSides+1) },
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

// TestF1ConnectionsThatEnd: HTTP allows a core to close its connections, to speak
// HTTP/1.0 and to answer in chunks; none of it is a wrong answer.
func TestF1ConnectionsThatEnd(t *testing.T) {
	t.Parallel()
	good := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, okBody) })
	for name, url := range map[string]string{
		"after each answer, announced": serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			good(w, r)
		})),
		"after three answers, announced": serveHTTP(t, everyNth(3, good)),
		"after each answer, in silence":  serveRaw(t, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"),
		"HTTP/1.0":                       serveRaw(t, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s"),
		"HTTP/1.0 without a length":      serveRaw(t, "HTTP/1.0 200 OK\r\nX-Bytes: %d\r\n\r\n%s"),
	} {
		for _, kind := range []Kind{Open, Closed, Paced} {
			t.Run(name+", "+string(kind), func(t *testing.T) {
				t.Parallel()
				g := &Local{}
				if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
					t.Fatal(err)
				}
				res := enough(t, func(d time.Duration) (Result, error) {
					return g.Run(t.Context(), Job{Kind: kind, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", url, "x")}, RateHz: 300, Duration: d, Connections: 4})
				}, func(r Result) bool { return r.Sides[0].Calls >= 20 })
				if r := res.Sides[0]; r.Calls < 20 || r.Wrong != 0 {
					t.Errorf("%d of %d calls were wrong, e.g. %s", r.Wrong, r.Calls, r.Example)
				}
			})
		}
	}
}

func serveHTTP(t *testing.T, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// everyNth closes a connection after its n-th answer.
func everyNth(n int, next http.Handler) http.Handler {
	var mu sync.Mutex
	answers := map[string]int{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answers[r.RemoteAddr]++
		if answers[r.RemoteAddr]%n == 0 {
			w.Header().Set("Connection", "close")
		}
		mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// serveRaw answers each connection once, as format says, and closes it.
func serveRaw(t *testing.T, format string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = fmt.Fprintf(c, format, len(okBody), okBody)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestControlPortAsksForItsSecret: nobody else on the network sets it to work.
func TestControlPortAsksForItsSecret(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(Handler(&Local{}, "right"))
	defer srv.Close()
	for secret, want := range map[string]bool{"right": true, "wrong": false, "": false} {
		err := NewRemote(srv.URL, secret, nil).Load(t.Context(), "x", [][]byte{[]byte("{}")})
		if (err == nil) != want {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

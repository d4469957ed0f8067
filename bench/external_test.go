package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/announce"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// manners are ways of good cores that are not ours.
var manners = map[string]func(http.Handler) http.Handler{
	"plain":             nil,
	"closes-after-100":  func(next http.Handler) http.Handler { return closing(100, next) },
	"closes-after-each": func(next http.Handler) http.Handler { return closing(1, next) },
	"http-1.0":          oldHTTP,
	"dear":              func(next http.Handler) http.Handler { return burning(400_000*slowed, next) },
	"warms-up-in-3s":    func(next http.Handler) http.Handler { return warming(3*time.Second, next) },
	"warms-up-in-30s":   func(next http.Handler) http.Handler { return warming(30*time.Second, next) },
	"warms-up-in-10s":   func(next http.Handler) http.Handler { return warming(10*time.Second, next) },
}

// manneredMain is a core with manners: the test binary's own command.
func manneredMain(args []string) int {
	return serve.MainDecorated(context.Background(), serve.Decorate{Handler: manners[args[0]]}, "core", args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
}

// closing ends a connection with its n-th answer, as Tomcat does with the 100th.
func closing(n int, next http.Handler) http.Handler {
	var mu sync.Mutex
	answers := map[string]int{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answers[r.RemoteAddr]++
		if answers[r.RemoteAddr] >= n {
			w.Header().Set("Connection", "close")
			delete(answers, r.RemoteAddr)
		}
		mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// oldHTTP answers as HTTP/1.0 does: once, and the end of the connection is the end
// of the answer.
func oldHTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(buf, "HTTP/1.0 %d %s\r\nContent-Type: %s\r\n\r\n%s", rec.Code, http.StatusText(rec.Code), rec.Header().Get("Content-Type"), rec.Body)
		_ = buf.Flush()
	})
}

// warming makes each call dear at first, as an interpreter does whose code is being
// compiled: the extra falls off to nothing at the end of the span.
func warming(span time.Duration, next http.Handler) http.Handler {
	work := 400_000 * min(8, float64(slowed)) // about four times that of a verify, or of one that is watched
	var once sync.Once
	var began time.Time
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { began = time.Now() })
		if left := 1 - float64(time.Since(began))/float64(span); left > 0 {
			burnt.Add(burn(int(work * left)))
		}
		next.ServeHTTP(w, r)
	})
}

// burning makes each call dearer by fixed work.
func burning(n int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		burnt.Add(burn(n))
		next.ServeHTTP(w, r)
	})
}

// burnt keeps the work from being optimised away.
var burnt atomic.Uint64

// burn is fixed work; a spin by the clock would be none where it is preempted.
//
//go:noinline
func burn(n int) (x uint64) {
	for i := range n {
		x = x*2862933555777941757 + uint64(i)
	}
	return x
}

// mannered starts a core with manners on a database.
func mannered(t *testing.T, manner, database string, flag bool, env ...string) (url string, pid int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "mannered", manner, "--host", "127.0.0.1", "--port", "0", "--exit-with-stdin")
	cmd.Env = []string{"SQLITE_DATABASE_PATH=" + database, "ACCESS_TOKEN_BLACKLISTING=" + strconv.FormatBool(flag), "LOG_LEVEL=WARN", "GOMAXPROCS=1"}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if u, ok := strings.CutPrefix(lines.Text(), announce.CoreReady); ok {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return u, cmd.Process.Pid
		}
	}
	t.Fatalf("the core (%s) ended before it was ready", manner)
	return "", 0
}

func manneredPair(t *testing.T, manner string) *launch.External {
	t.Helper()
	return unlikePair(t, manner, manner)
}

// unlikePair is a flag-on core and a flag-off core with manners of their own.
func unlikePair(t *testing.T, mannerOn, mannerOff string) *launch.External {
	t.Helper()
	database := filepath.Join(t.TempDir(), "sessions.db")
	on, pidOn := mannered(t, mannerOn, database, true)
	off, pidOff := mannered(t, mannerOff, database, false)
	o := launch.ExternalOptions{On: []string{on}, Off: []string{off}}
	if meter.CPUClock {
		o.PIDsOn, o.PIDsOff = []int{pidOn}, []int{pidOff}
	}
	e, err := launch.NewExternal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return e
}

// TestF1CoresThatEndConnections are priced without one wrong answer.
func TestF1CoresThatEndConnections(t *testing.T) {
	t.Parallel()
	for _, manner := range []string{"closes-after-100", "closes-after-each", "http-1.0"} {
		t.Run(manner, func(t *testing.T) {
			if testing.Short() && manner != "closes-after-each" {
				t.Skip("it takes a while; without -short it does")
			}
			t.Parallel()
			res, left, err := Run(t.Context(), Options{
				Target: manneredPair(t, manner), Versions: []string{"2.20"}, Plan: fixed(2, 1, 1), Seed: 5,
				Window: 300 * time.Millisecond, SaturatedWindow: 200 * time.Millisecond, SteadyWindow: 50 * time.Millisecond, SteadyWithin: time.Minute, Tokens: 200, Connections: 4,
			})
			if err != nil {
				t.Fatal(err)
			}
			if left != nil {
				t.Errorf("left behind: %+v", left)
			}
			b := res[0]
			kinds := map[string]int{}
			numbers := []int{}
			for _, r := range b.Rounds {
				kinds[r.Kind]++
				numbers = append(numbers, r.Index)
				for _, w := range r.Windows {
					if w.Errors > 0 {
						t.Errorf("%s round %d, flag %s: %d of %d calls were wrong, e.g. %s", r.Kind, r.Index, w.Variant, w.Errors, w.Calls, w.Example)
					}
				}
			}
			for _, d := range b.Dropped {
				kinds[d.Kind]++
				numbers = append(numbers, d.Index)
			}
			slices.Sort(numbers)
			for i, n := range numbers {
				if i != n {
					t.Fatalf("rounds %v: one is missing, which a check of the proof takes for left out", numbers)
				}
			}
			if kinds[proof.KindCost] < 2 || kinds[proof.KindSaturated] != 1 {
				t.Errorf("rounds %v, want 2 of cost and 1 saturated", kinds)
			}
			// N2: one process a variant is no noise floor.
			if kinds[proof.KindFloor] != 0 || b.Design.FloorReason == "" || b.Design.FreshProcesses {
				t.Errorf("%d floor rounds, reason %q, fresh processes %v", kinds[proof.KindFloor], b.Design.FloorReason, b.Design.FreshProcesses)
			}
		})
	}
}

// TestF2CoresThatWarmUp are brought to a steady state first, and it is said where
// there was none.
func TestF2CoresThatWarmUp(t *testing.T) {
	t.Parallel()
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	for _, tc := range []struct {
		manner  string
		within  time.Duration
		reached bool
	}{{"warms-up-in-3s", time.Minute, true}, {"warms-up-in-10s", 4 * time.Second, false}} {
		t.Run(tc.manner, func(t *testing.T) {
			if testing.Short() && tc.reached {
				t.Skip("it takes a while; without -short it does")
			}
			t.Parallel()
			res, _, err := Run(t.Context(), Options{
				Target: manneredPair(t, tc.manner), Versions: []string{"2.20"}, Plan: fixed(3, 0, 0), Seed: 5,
				Window: 200 * time.Millisecond, SteadyWindow: 300 * time.Millisecond, SteadyWithin: tc.within, Tokens: 100, Connections: 2,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range res[0].Steady {
				if s.Reached != tc.reached || s.Unit != "µs" || len(s.Figures) == 0 {
					t.Errorf("variant %s: steady %v after %s, figures %.0f in %s", s.Variant, s.Reached, s.Took, s.Figures, s.Unit)
				}
			}
			p := &proof.Proof{Targets: []proof.Target{{Name: "url", Bench: res}}}
			verdict.Derive(p)
			if c := p.Targets[0].Bench[0].Cost; !tc.reached && (c == nil || c.Gateable) {
				t.Errorf("cost %+v: a gate would rely on cores that were still warming up", c)
			}
		})
	}
}

// TestV14KnownCostShows: fixed work of several verifies, put into the flag-on side
// alone, comes out as that side's cost.
func TestV14KnownCostShows(t *testing.T) {
	t.Parallel()
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	res, _, err := Run(t.Context(), Options{
		// In a closed loop: at a rate, a starved machine makes a few calls a window, and
		// then what a process does of itself is most of its CPU.
		Target: unlikePair(t, "dear", "plain"), Versions: []string{"2.20"}, Plan: fixed(6, 0, 0), Seed: 5, Closed: true,
		Window: 300 * time.Millisecond, SteadyWindow: 50 * time.Millisecond, Tokens: 200, Connections: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	var on, off float64
	for _, r := range res[0].Rounds {
		for _, w := range r.Windows {
			if w.Calls == 0 || w.CPU <= 0 {
				t.Fatalf("window %+v", w)
			}
			if w.Variant == On {
				on += w.CPU / float64(w.Calls)
			} else {
				off += w.CPU / float64(w.Calls)
			}
		}
	}
	// The work is four times a verify's; a half of it is far above any noise.
	if on < 2*off {
		t.Errorf("CPU per call: %.0f µs with the extra work, %.0f without", on, off)
	}
}

// TestF1F2RatiosAgree measures: a core with manners has the same on/off ratio as the
// plain one. It takes minutes, so it is run when asked for.
func TestF1F2RatiosAgree(t *testing.T) {
	if os.Getenv("COREPROOF_LONG_TESTS") == "" {
		t.Skip("COREPROOF_LONG_TESTS=1 runs it")
	}
	ratio := func(manner string) *proof.Estimate {
		res, _, err := Run(t.Context(), Options{
			Target: manneredPair(t, manner), Versions: []string{"2.20"}, Plan: fixed(12, 0, 0), Seed: 5, Window: time.Second, Tokens: 2000,
		})
		if err != nil {
			t.Fatal(err)
		}
		p := &proof.Proof{Targets: []proof.Target{{Name: "url", Bench: res}}}
		verdict.Derive(p)
		c := p.Targets[0].Bench[0].Cost
		for _, s := range res[0].Steady {
			t.Logf("%s, flag %s: steady %v after %.0f s, %.0f -> %.0f µs", manner, s.Variant, s.Reached, s.Took.Seconds(), s.Figures[0], s.Figures[len(s.Figures)-1])
		}
		if c == nil || c.CoreCPURatio == nil || c.CoreCPURatio.Interval == nil {
			t.Fatalf("%s: no ratio: %+v", manner, c)
		}
		t.Logf("%s: on/off %.3f [%.3f, %.3f]", manner, c.CoreCPURatio.Value, c.CoreCPURatio.Interval.Low, c.CoreCPURatio.Interval.High)
		return c.CoreCPURatio
	}
	plain := ratio("plain")
	for _, manner := range []string{"closes-after-100", "warms-up-in-30s", "closes-after-each", "http-1.0"} {
		r := ratio(manner)
		if r.Interval.Low > plain.Interval.High || r.Interval.High < plain.Interval.Low {
			t.Logf("%s: its interval does not meet that of the plain core", manner)
		}
	}
}

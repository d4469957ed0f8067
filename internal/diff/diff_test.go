package diff

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// cores starts n reference cores on one database, decorated or not.
func cores(t *testing.T, n int, flag bool, d serve.Decorate) *calls.Core {
	t.Helper()
	db, err := sqlite.Open(t.Context(), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	putKeys(t, db)
	core := &calls.Core{Client: cdi.NewHTTPClient(nil)}
	t.Cleanup(core.Client.CloseIdleConnections)
	for range n {
		asked := db
		if d.Store != nil {
			asked = d.Store(asked)
		}
		settings := refcore.DefaultSettings()
		settings.Blacklisting, settings.Jitter = flag, 0
		inner, err := refcore.New(t.Context(), refcore.Options{Store: asked, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		var engine httpapi.Engine = inner
		if d.Engine != nil {
			engine = d.Engine(engine)
		}
		api, err := httpapi.New(httpapi.Options{Engine: engine})
		if err != nil {
			t.Fatal(err)
		}
		var handler http.Handler = api
		if d.Handler != nil {
			handler = d.Handler(handler)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
			inner.Close()
		})
		core.URLs = append(core.URLs, server.URL)
	}
	return core
}

func pair(t *testing.T, n int, flag bool, d serve.Decorate) Pair {
	t.Helper()
	return Pair{Name: "flag on", Left: Side{"good", cores(t, n, flag, serve.Decorate{})}, Right: Side{"other", cores(t, n, flag, d)}}
}

// keys are those of every core here: making new ones costs more than many a test. The
// first core makes them.
var keys struct {
	sync.Mutex
	dynamic, static []store.Key
}

func putKeys(t *testing.T, db store.Store) {
	t.Helper()
	keys.Lock()
	defer keys.Unlock()
	ctx := t.Context()
	if keys.static == nil {
		engine, err := refcore.New(ctx, refcore.Options{Store: db, Settings: refcore.DefaultSettings()})
		if err != nil {
			t.Fatal(err)
		}
		engine.Close()
		var errs [2]error
		keys.dynamic, errs[0] = db.DynamicKeys(ctx)
		keys.static, errs[1] = db.StaticKeys(ctx)
		if err := errors.Join(errs[:]...); err != nil || len(keys.static) == 0 {
			t.Fatalf("%v, %d static keys", err, len(keys.static))
		}
		return
	}
	for _, k := range keys.static {
		if _, err := db.AddStaticKey(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range keys.dynamic {
		if _, err := db.AddDynamicKey(ctx, 0, k); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAlike: two good cores do not differ, and much of what there is was seen.
func TestAlike(t *testing.T) {
	t.Parallel()
	versions, sequences, least := []string{"2.20", "5.4", "5.6"}, 150, 0.9
	if testing.Short() {
		versions, sequences, least = versions[1:2], 60, 0.8
	}
	r, err := Run(t.Context(), Options{
		Pairs: []Pair{pair(t, 2, true, serve.Decorate{}), pair(t, 1, false, serve.Decorate{})}, Versions: versions, Seed: 3, Sequences: sequences, Tidy: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Differences {
		var b bytes.Buffer
		d.Show(&b)
		t.Errorf("two good cores differ:\n%s", &b)
	}
	c := Cover(r.Cells, versions)
	if r.Sequences != sequences || r.Next != sequences || r.Calls < 13*sequences || c.Share() < least {
		t.Errorf("%d sequences up to %d, %d calls, coverage %.2f; missing %v", r.Sequences, r.Next, r.Calls, c.Share(), c.Missing)
	}
}

// TestBrokenCores: each is found, and what is told is small.
func TestBrokenCores(t *testing.T) {
	t.Parallel()
	good := cores(t, 2, true, serve.Decorate{})
	for _, c := range []struct {
		name      string
		instances int
		most      int // calls that the told sequence may have
	}{
		{"positive-cache-2s", 1, 5},
		{"flag-ignored", 1, 4},
		{"revoke-reaches-one-instance", 2, 5},
		{"refresh-survives-revoke", 1, 4},
		{"users-ignore-case", 1, 4},
		{"handles-stop-at-10", 1, 15},
		{"unknown-handles-reported", 1, 3},
		{"no-grace", 1, 4},
		{"theft-unseen", 1, 6},
		{"writes-merge", 1, 4},
		{"anti-csrf-not-checked", 1, 4},
		{"fractions-lost", 1, 3},
		{"times-in-seconds", 1, 2},
		{"handshake-hides-the-flag", 1, 2},
		{"garbage-refresh-is-a-500", 1, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && (c.most > 4 || c.name == "users-ignore-case") {
				t.Skip("takes long to be found or to be made small")
			}
			defect, ok := broken.Find(c.name)
			if !ok {
				t.Fatal("there is no such defect")
			}
			p := Pair{"flag on", Side{"good", good}, Side{"other", cores(t, c.instances, true, defect.Decorate)}}
			r, err := Run(t.Context(), Options{Pairs: []Pair{p}, Versions: cdi.Versions(), Seed: 1, Sequences: 400})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Differences) != 1 {
				t.Fatalf("%d differences in %d sequences, want one", len(r.Differences), r.Sequences)
			}
			d := r.Differences[0]
			var b bytes.Buffer
			d.Show(&b)
			t.Logf("%s", &b)
			if d.Again == 0 || len(d.Calls) > c.most || len(d.Calls) > d.Was || d.Path == "" || d.Left == d.Right {
				t.Errorf("%d calls of %d, %d times again, at %q: %s, %s; want at most %d calls", len(d.Calls), d.Was, d.Again, d.Path, d.Left, d.Right, c.most)
			}
			for _, want := range []string{"≠", "good", "other", "DIFFERENT"} {
				if !strings.Contains(b.String(), want) {
					t.Errorf("what is shown lacks %q", want)
				}
			}
		})
	}
}

// TestScript: the script plays on a core what the difference says, and shows it.
func TestScript(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s", tool)
		}
	}
	defect, _ := broken.Find("refresh-survives-revoke")
	p := pair(t, 1, true, defect.Decorate)
	r, err := Run(t.Context(), Options{Pairs: []Pair{p}, Versions: []string{"5.4"}, Seed: 1, Sequences: 400})
	if err != nil || len(r.Differences) != 1 {
		t.Fatalf("%v, %d differences", err, len(r.Differences))
	}
	file := filepath.Join(t.TempDir(), "replay.sh")
	if err := os.WriteFile(file, []byte(r.Differences[0].Script()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", file, p.Left.Core.URLs[0], p.Right.Core.URLs[0]).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	parts := strings.Split(string(out), "== ")
	if len(parts) != 3 {
		t.Fatalf("want the answers of two cores:\n%s", out)
	}
	last := func(s string) string {
		lines := strings.Split(strings.TrimSpace(s), "\n")
		return lines[len(lines)-1]
	}
	if good, bad := last(parts[1]), last(parts[2]); !strings.Contains(good, `"UNAUTHORISED"`) || !strings.Contains(bad, `"OK"`) {
		t.Errorf("the script shows %s and %s", good, bad)
	}
	if strings.Contains(string(out), "not-given") || strings.Count(string(out), "HTTP 200") != 2*len(r.Differences[0].Calls) {
		t.Errorf("not each call was answered:\n%s", out)
	}
}

// TestScriptOfAnySequence: whatever is in a sequence, the script gets the statuses that
// this program gets.
func TestScriptOfAnySequence(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s", tool)
		}
	}
	core := cores(t, 1, true, serve.Decorate{})
	n := 2
	if testing.Short() {
		n = 1 // a process for each line of sed takes its time
	}
	for i := range n {
		list := calls.Generate(11, 3+i*16, cdi.Versions())
		var want []string
		play := core.NewPlay("here-")
		for n := range list {
			a, err := play.Send(t.Context(), &list[n])
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, calls.Outcome(&list[n], a).Outcome)
		}
		file := filepath.Join(t.TempDir(), "replay.sh")
		if err := os.WriteFile(file, []byte(calls.Script(list)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", file, core.URLs[0]+"/").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var got []string
		for line := range strings.SplitSeq(string(out), "\n") {
			if status, ok := strings.CutPrefix(line, "HTTP "); ok {
				status, body, _ := strings.Cut(status, " ")
				a := &calls.Answer{Body: []byte(body)}
				for _, d := range status {
					a.Status = 10*a.Status + int(d-'0')
				}
				if len(got) < len(list) {
					got = append(got, calls.Outcome(&list[len(got)], a).Outcome)
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("sequence %d: %d answers, want %d:\n%s", i, len(got), len(want), out)
		}
		for n := range want {
			if got[n] != want[n] {
				t.Errorf("sequence %d, %s: the script gets %s, want %s", i, &list[n], got[n], want[n])
			}
		}
	}
}

// TestSeenOnce: a difference that does not come again is told all the same.
func TestSeenOnce(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	p := pair(t, 1, true, serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 20 {
				http.Error(w, "now and then", http.StatusTeapot)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	r, err := Run(t.Context(), Options{Pairs: []Pair{p}, Versions: []string{"5.4"}, Seed: 1, Sequences: 10, Workers: 1})
	if err != nil || len(r.Differences) != 1 {
		t.Fatalf("%v, %d differences, want one", err, len(r.Differences))
	}
	if d := r.Differences[0]; d.Again != 0 || d.Tries != tries || d.Path != "status" || d.Right != "418" {
		t.Errorf("%d of %d again, at %s: %s", d.Again, d.Tries, d.Path, d.Right)
	}
}

// TestSeenAndGone: a difference was seen, whatever ends the comparison before it is
// explained.
func TestSeenAndGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(cancel func())
		says bool // an error
	}{
		{"the core dies", func(func()) {}, true},
		{"it is interrupted", func(cancel func()) { cancel() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int64
			p := pair(t, 1, true, serve.Decorate{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch n := asked.Add(1); {
					case n < 20:
						next.ServeHTTP(w, r)
					case n == 20:
						http.Error(w, "now and then", http.StatusTeapot)
					default:
						c.end(cancel)
						panic(http.ErrAbortHandler)
					}
				})
			}})
			r, err := Run(ctx, Options{Pairs: []Pair{p}, Versions: []string{"5.4"}, Seed: 1, Sequences: 10, Workers: 1, Differences: 2})
			if len(r.Differences) != 1 || (err != nil) != c.says {
				t.Fatalf("%v, %d differences, want one", err, len(r.Differences))
			}
			d := r.Differences[0]
			if d.Path != "status" || d.Right != "418" || d.Kind == "" || r.Next > d.Sequence {
				t.Errorf("at %s: %s, kind %q of sequence %d; it goes on at %d", d.Path, d.Right, d.Kind, d.Sequence, r.Next)
			}
			var s Saved
			if s.Add(r); len(s.Differences) != 1 || s.Differences[0].Text == "" || s.Differences[0].Script == "" {
				t.Errorf("the record has %+v", s.Differences)
			}
		})
	}
}

func TestCannotBeReached(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p := Pair{Left: Side{"good", cores(t, 1, true, serve.Decorate{})}, Right: Side{"gone", &calls.Core{Client: http.DefaultClient, URLs: []string{gone.URL}}}}
	r, err := Run(t.Context(), Options{Pairs: []Pair{p}, Versions: []string{"5.4"}, Seed: 1, Sequences: 5})
	if err == nil || !strings.Contains(err.Error(), "gone") || r.Sequences != 0 {
		t.Errorf("%v, %d sequences; want an error that names the side", err, r.Sequences)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if r, _ := Run(ended, Options{Pairs: []Pair{p}, Versions: []string{"5.4"}, Within: time.Minute}); r.Sequences != 0 {
		t.Errorf("%d sequences were played after the end", r.Sequences)
	}
	for _, o := range []Options{{}, {Pairs: []Pair{p}, Versions: []string{"5.4"}}, {Pairs: []Pair{p}, Sequences: 1}} {
		if _, err := Run(t.Context(), o); err == nil {
			t.Errorf("%+v compares nothing and is no error", o)
		}
	}
}

func TestShrink(t *testing.T) {
	t.Parallel()
	var list []calls.Call
	for id := 1; id <= 20; id++ {
		c := calls.Call{ID: id, Endpoint: "get", Version: "5.4", Home: "5.4"}
		if id == 7 {
			c.Query = []calls.Field{{Name: "sessionHandle", Text: "{{3.handle}}"}}
		}
		if id == 9 {
			c.Query = []calls.Field{{Name: "sessionHandle", Text: "{{7.handle}}"}}
		}
		list = append(list, c)
	}
	// Calls 3, 7 and 12 in this order make a difference.
	differs := func(list []calls.Call) (played, bool, error) {
		need := []int{3, 7, 12}
		for n, c := range list {
			if c.ID == need[0] {
				if need = need[1:]; len(need) == 0 {
					return played{sent: n + 1, path: "x"}, true, nil
				}
			}
		}
		return played{}, false, nil
	}
	small, p, err := shrink(list, played{sent: 20, path: "x"}, differs)
	if err != nil || p.sent != 3 || len(small) != 3 || small[0].ID != 3 || small[1].ID != 7 || small[2].ID != 12 {
		t.Errorf("%v: left are %v", err, small)
	}
	if left := without(list, 2, 3); len(left) != 17 {
		t.Errorf("without call 3 there are %d calls, want 17: 7 needs it, and 9 needs 7", len(left))
	}
}

func TestSaved(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.json")
	cell := calls.Cell{Endpoint: "verify", Version: "5.4", Outcome: "OK"}
	s := Saved{Left: "a", Right: "b", Versions: []string{"5.4"}, Pairs: []string{"flag on"}, Seed: 1}
	if ok, err := s.Load(file); ok || err != nil {
		t.Fatalf("no file: %v, %v", ok, err)
	}
	s.Add(Result{Sequences: 3, Calls: 30, Next: 3, Cells: map[calls.Cell]int{cell: 2}, Took: time.Second})
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
	again := Saved{Left: "a", Right: "b", Versions: []string{"5.4"}, Pairs: []string{"flag on"}, Seed: 1}
	if ok, err := again.Load(file); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	again.Add(Result{Sequences: 2, Calls: 20, Next: 5, Cells: map[calls.Cell]int{cell: 1}, Took: time.Second})
	if again.Next != 5 || again.Sequences != 5 || again.Calls != 50 || again.Seconds != 2 || again.Seen()[cell] != 3 {
		t.Errorf("%+v", again)
	}
	for _, other := range []Saved{{Left: "a", Right: "c", Versions: []string{"5.4"}, Pairs: []string{"flag on"}, Seed: 1}, {Left: "a", Right: "b", Versions: []string{"5.4"}, Pairs: []string{"flag on"}, Seed: 2}} {
		if _, err := other.Load(file); err == nil {
			t.Errorf("the record of another comparison is taken: %+v", other)
		}
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(file); err == nil {
		t.Error("half a file is taken")
	}
}

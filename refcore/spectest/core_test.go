package spectest

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// obj is a JSON object.
type obj = map[string]any

// with gives base changed by more; a value of absent takes the name away.
func with(base obj, more ...obj) obj {
	out := maps.Clone(base)
	for _, m := range more {
		for k, v := range m {
			if v == absent {
				delete(out, k)
			} else {
				out[k] = v
			}
		}
	}
	return out
}

type nothing struct{}

var absent any = nothing{}

// clock stands still but for advance, so that no test depends on the machine.
type clock struct{ ms atomic.Int64 }

// epoch is no whole second, so that a forgotten rounding shows.
const epoch = int64(1_790_000_000_250)

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// core is one core under test: engine, handler and its store.
type core struct {
	t       *testing.T
	store   store.Store
	engine  *refcore.Engine
	handler http.Handler
	clock   *clock
	// check: a database check is on, by the setting in one era and by the
	// request in the other.
	check bool
}

// setup is what start is told.
type setup struct {
	settings refcore.Settings
	http     httpapi.Options
	store    store.Store
	clock    *clock
	log      *slog.Logger
	check    bool
}

type option func(*setup)

func settings(f func(*refcore.Settings)) option { return func(s *setup) { f(&s.settings) } }
func surface(f func(*httpapi.Options)) option   { return func(s *setup) { f(&s.http) } }
func onStore(st store.Store) option             { return func(s *setup) { s.store = st } }
func onClock(c *clock) option                   { return func(s *setup) { s.clock = c } }

// checked turns the database check on, in either era.
func checked(s *setup) { s.check, s.settings.Blacklisting = true, true }

// start gives a core on a database of its own, in memory.
func start(t *testing.T, opts ...option) *core {
	t.Helper()
	s := setup{settings: refcore.DefaultSettings(), clock: &clock{}}
	s.clock.ms.Store(epoch)
	s.settings.Jitter, s.settings.CleanupEvery = 0, 0
	for _, o := range opts {
		o(&s)
	}
	if s.store == nil {
		s.store = openStore(t, "")
		seedKeys(t, s.store, s.clock.ms.Load()-600_000)
	}
	engine, err := refcore.New(context.Background(), refcore.Options{Store: s.store, Settings: s.settings, Now: s.clock.now, Log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	s.http.Engine, s.http.Log = engine, s.log
	h, err := httpapi.New(s.http)
	if err != nil {
		t.Fatal(err)
	}
	return &core{t: t, store: s.store, engine: engine, handler: h, clock: s.clock, check: s.check}
}

func openStore(t *testing.T, path string) store.Store {
	t.Helper()
	st, err := sqlite.Open(context.Background(), store.Config{URI: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return st
}

// deploy starts n cores on one new database file, with one clock.
func deploy(t *testing.T, n int, opts ...option) []*core {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sessions.db")
	c := &clock{}
	c.ms.Store(epoch)
	cores := make([]*core, n)
	for i := range cores {
		cores[i] = start(t, append([]option{onStore(openStore(t, path)), onClock(c)}, opts...)...)
	}
	return cores
}

// madeKeys are a dynamic and a static key that most cores here share: making
// RSA keys takes longer than all the rest.
var madeKeys = sync.OnceValues(func() ([2]string, error) {
	ctx := context.Background()
	st, err := sqlite.Open(ctx, store.Config{})
	if err != nil {
		return [2]string{}, err
	}
	defer st.Close()
	e, err := refcore.New(ctx, refcore.Options{Store: st, Settings: refcore.DefaultSettings()})
	if err != nil {
		return [2]string{}, err
	}
	defer e.Close()
	dynamic, err := st.DynamicKeys(ctx)
	if err != nil {
		return [2]string{}, err
	}
	static, err := st.StaticKeys(ctx)
	if err != nil {
		return [2]string{}, err
	}
	return [2]string{dynamic[0].Value, static[0].Value}, nil
})

const seededStatic = "s-00000000-0000-4000-8000-000000000000"

func seedKeys(t testing.TB, st store.Store, at int64) {
	t.Helper()
	made, err := madeKeys()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddDynamicKey(context.Background(), 0, store.Key{Value: made[0], CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddStaticKey(context.Background(), store.Key{ID: seededStatic, Value: made[1], CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
}

// row reads a session's row; false when there is none.
func (c *core) row(handle string) (store.Session, bool) {
	c.t.Helper()
	s, err := c.store.Session(context.Background(), handle)
	if err != nil && err != store.ErrNotFound {
		c.t.Fatal(err)
	}
	return s, err == nil
}

// expire moves the end of a session's row.
func (c *core) expire(handle string, at int64) {
	c.t.Helper()
	r, ok := c.row(handle)
	if !ok {
		c.t.Fatalf("no session %s", handle)
	}
	done, err := c.store.Rotate(context.Background(), handle, store.Rotation{
		Expect: r.RefreshHash2, RefreshHash2: r.RefreshHash2, PrevRefreshHash2: r.PrevRefreshHash2,
		RotatedAt: r.RotatedAt, ExpiresAt: at, UseStaticKey: r.UseStaticKey,
	})
	if err != nil || !done {
		c.t.Fatalf("move the expiry: %v, %v", done, err)
	}
}

// cost is how many statements f sends.
func (c *core) cost(f func()) int {
	before := c.engine.Statements()
	f()
	return int(c.engine.Statements() - before)
}

func (c *core) costs(want int, what string, f func()) {
	c.t.Helper()
	if got := c.cost(f); got != want {
		c.t.Errorf("%s: %d statements, want %d", what, got, want)
	}
}

func atLeast(cdi, v string) bool { return httpapi.CompareVersions(cdi, v) >= 0 }

// every lists all CDI versions.
func every() []string { return httpapi.Versions() }

// Ranges of CDI versions: the first and the last of each run of versions that
// mean the same to sessions, since those between differ in nothing.
func all() []string {
	return []string{"2.7", "2.8", "2.9", "2.20", "2.21", "3.0", "3.1", "4.0", "5.0", "5.5", "5.6"}
}
func from(v string) (list []string) {
	for _, x := range all() {
		if atLeast(x, v) {
			list = append(list, x)
		}
	}
	return list
}

// eras are versions of each way to decide about the database and to refresh,
// for what needs a database file and with it a disk.
var eras = []string{"2.20", "2.21", "5.5", "5.6"}

func upTo(v string) (list []string) {
	for _, x := range all() {
		if atLeast(v, x) {
			list = append(list, x)
		}
	}
	return list
}
func between(a, b string) (list []string) {
	for _, x := range from(a) {
		if atLeast(b, x) {
			list = append(list, x)
		}
	}
	return list
}

// rule is one numbered rule of the specification.
type rule struct {
	number int
	name   string
	// cdi are the versions that the rule is tested at; none: once, with "".
	cdi []string
	run func(t *testing.T, cdi string)
	// whynot is why there is no test here.
	whynot string
}

func runRules(t *testing.T, rules []rule) {
	for _, r := range rules {
		if r.whynot != "" {
			continue
		}
		t.Run(fmt.Sprintf("%03d_%s", r.number, strings.ReplaceAll(r.name, " ", "_")), func(t *testing.T) {
			t.Parallel()
			if len(r.cdi) == 0 {
				r.run(t, "")
				return
			}
			for _, v := range r.cdi {
				t.Run(v, func(t *testing.T) { r.run(t, v) })
			}
		})
	}
}

func checkNumbers(t *testing.T, rules []rule, last int) {
	t.Helper()
	tested, excused := 0, 0
	seen := map[int]bool{}
	for _, r := range rules {
		switch {
		case seen[r.number]:
			t.Errorf("rule %d stands twice", r.number)
		case r.number < 1 || r.number > last:
			t.Errorf("there is no rule %d", r.number)
		case (r.run == nil) == (r.whynot == ""):
			t.Errorf("rule %d: want a test or a reason why there is none", r.number)
		}
		seen[r.number] = true
		if r.run != nil {
			tested++
		} else {
			excused++
		}
	}
	for n := 1; n <= last; n++ {
		if !seen[n] {
			t.Errorf("rule %d is neither tested nor has a reason", n)
		}
	}
	t.Logf("%d rules tested, %d with a reason why not", tested, excused)
}

// seedForeign stores other keys under the ids that seedKeys uses.
func seedForeign(t testing.TB, st store.Store) {
	t.Helper()
	k := foreignKey()
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	value := base64.StdEncoding.EncodeToString(pub) + "|" + base64.StdEncoding.EncodeToString(private)
	if _, err := st.AddDynamicKey(context.Background(), 0, store.Key{Value: value, CreatedAt: epoch - 600_000}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddStaticKey(context.Background(), store.Key{ID: seededStatic, Value: value, CreatedAt: epoch - 600_000}); err != nil {
		t.Fatal(err)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

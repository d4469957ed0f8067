// Package coretest starts cores for the tests of refcore, speaks to them, and
// demands something of their answers.
package coretest

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
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

// Obj is a JSON object.
type Obj = map[string]any

// With gives base changed by more; a value of absent takes the name away.
func With(base Obj, more ...Obj) Obj {
	out := maps.Clone(base)
	for _, m := range more {
		for k, v := range m {
			if v == Absent {
				delete(out, k)
			} else {
				out[k] = v
			}
		}
	}
	return out
}

type nothing struct{}

var Absent any = nothing{}

// Clock stands still but for advance, so that no test depends on the machine.
type Clock struct{ Ms atomic.Int64 }

// Epoch is no whole second, so that a forgotten rounding shows.
const Epoch = int64(1_790_000_000_250)

func (c *Clock) Now() time.Time          { return time.UnixMilli(c.Ms.Load()) }
func (c *Clock) Advance(d time.Duration) { c.Ms.Add(d.Milliseconds()) }

// Core is one core under test: engine, handler and its store.
type Core struct {
	T       *testing.T
	Store   store.Store
	Engine  *refcore.Engine
	handler http.Handler
	Clock   *Clock
	// check: a database check is on, by the setting in one era and by the
	// request in the other.
	check bool
}

// Setup is what start is told.
type Setup struct {
	Settings refcore.Settings
	HTTP     httpapi.Options
	Store    store.Store
	Clock    *Clock
	Log      *slog.Logger
	check    bool
}

type Option func(*Setup)

func Settings(f func(*refcore.Settings)) Option { return func(s *Setup) { f(&s.Settings) } }
func Surface(f func(*httpapi.Options)) Option   { return func(s *Setup) { f(&s.HTTP) } }
func OnStore(st store.Store) Option             { return func(s *Setup) { s.Store = st } }
func OnClock(c *Clock) Option                   { return func(s *Setup) { s.Clock = c } }

// Checked turns the database check on, in either era.
func Checked(s *Setup) { s.check, s.Settings.Blacklisting = true, true }

// Start gives a core on a database of its own, in memory.
func Start(t *testing.T, opts ...Option) *Core {
	t.Helper()
	s := Setup{Settings: refcore.DefaultSettings(), Clock: &Clock{}}
	s.Clock.Ms.Store(Epoch)
	s.Settings.Jitter, s.Settings.CleanupEvery = 0, 0
	for _, o := range opts {
		o(&s)
	}
	if s.Store == nil {
		s.Store = OpenStore(t, "")
		SeedKeys(t, s.Store, s.Clock.Ms.Load()-600_000)
	}
	engine, err := refcore.New(context.Background(), refcore.Options{Store: s.Store, Settings: s.Settings, Now: s.Clock.Now, Log: s.Log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	s.HTTP.Engine, s.HTTP.Log = engine, s.Log
	h, err := httpapi.New(s.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	return &Core{T: t, Store: s.Store, Engine: engine, handler: h, Clock: s.Clock, check: s.check}
}

func OpenStore(t *testing.T, path string) store.Store {
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

// Deploy starts n cores on one new database file, with one clock.
func Deploy(t *testing.T, n int, opts ...Option) []*Core {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sessions.db")
	c := &Clock{}
	c.Ms.Store(Epoch)
	cores := make([]*Core, n)
	for i := range cores {
		cores[i] = Start(t, append([]Option{OnStore(OpenStore(t, path)), OnClock(c)}, opts...)...)
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

const SeededStatic = "s-00000000-0000-4000-8000-000000000000"

func SeedKeys(t testing.TB, st store.Store, at int64) {
	t.Helper()
	made, err := madeKeys()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddDynamicKey(context.Background(), 0, store.Key{Value: made[0], CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddStaticKey(context.Background(), store.Key{ID: SeededStatic, Value: made[1], CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
}

// Row reads a session's row; false when there is none.
func (c *Core) Row(handle string) (store.Session, bool) {
	c.T.Helper()
	s, err := c.Store.Session(context.Background(), handle)
	if err != nil && err != store.ErrNotFound {
		c.T.Fatal(err)
	}
	return s, err == nil
}

// Expire moves the end of a session's row.
func (c *Core) Expire(handle string, at int64) {
	c.T.Helper()
	r, ok := c.Row(handle)
	if !ok {
		c.T.Fatalf("no session %s", handle)
	}
	done, err := c.Store.Rotate(context.Background(), handle, store.Rotation{
		Expect: r.RefreshHash2, ExpectStaticKey: r.UseStaticKey, RefreshHash2: r.RefreshHash2, PrevRefreshHash2: r.PrevRefreshHash2,
		RotatedAt: r.RotatedAt, ExpiresAt: at, UseStaticKey: r.UseStaticKey,
	})
	if err != nil || !done {
		c.T.Fatalf("move the expiry: %v, %v", done, err)
	}
}

// Cost is how many statements f sends.
func (c *Core) Cost(f func()) int {
	before := c.Engine.Statements()
	f()
	return int(c.Engine.Statements() - before)
}

func (c *Core) Costs(want int, what string, f func()) {
	c.T.Helper()
	if got := c.Cost(f); got != want {
		c.T.Errorf("%s: %d statements, want %d", what, got, want)
	}
}

// SeedForeign stores other keys under the ids that seedKeys uses.
func SeedForeign(t testing.TB, st store.Store) {
	t.Helper()
	k := ForeignKey()
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	value := base64.StdEncoding.EncodeToString(pub) + "|" + base64.StdEncoding.EncodeToString(private)
	if _, err := st.AddDynamicKey(context.Background(), 0, store.Key{Value: value, CreatedAt: Epoch - 600_000}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddStaticKey(context.Background(), store.Key{ID: SeededStatic, Value: value, CreatedAt: Epoch - 600_000}); err != nil {
		t.Fatal(err)
	}
}

func Itoa(n int64) string { return strconv.FormatInt(n, 10) }

const (
	APIKey  = "first-key-of-20-chars-AbC="
	APIKey2 = "second-key-of-20-chars-xYz"
)

func WithKeys(s *Setup) { s.HTTP.APIKeys = []string{APIKey, APIKey2} }

func (c *Core) DynamicKeys() []store.Key {
	c.T.Helper()
	keys, err := c.Store.DynamicKeys(context.Background())
	if err != nil {
		c.T.Fatal(err)
	}
	return keys
}

// Raw sends a request and gives its body, for use in goroutines, where a test
// must not be ended.
func (c *Core) Raw(method, cdi, path string, body []byte) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
	r.Header.Set("cdi-version", cdi)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// Handler is the core's own.
func (c *Core) Handler() http.Handler { return c.handler }

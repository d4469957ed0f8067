package spectest

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// until polls for a state that work in the background brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (c *core) dynamicKeys() []store.Key {
	c.t.Helper()
	keys, err := c.store.DynamicKeys(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return keys
}

const (
	keyInterval = 2 * time.Hour
	keyLife     = keyInterval + 2*time.Hour // I + 2V
)

func rotating(s *refcore.Settings) { s.KeyInterval = keyInterval }

// seeded starts cores on one database whose dynamic key is new.
func seeded(t *testing.T, n int, opts ...option) []*core {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sessions.db")
	k := &clock{}
	k.ms.Store(epoch)
	cores := make([]*core, n)
	for i := range cores {
		st := openStore(t, path)
		if i == 0 {
			seedKeys(t, st, epoch)
		}
		cores[i] = start(t, append([]option{onStore(st), onClock(k), settings(rotating)}, opts...)...)
	}
	return cores
}

var engineCores = []rule{
	{number: 79, name: "cores started together on an empty database", run: func(t *testing.T, _ string) {
		path := filepath.Join(t.TempDir(), "sessions.db")
		const n = 3
		stores, engines := make([]store.Store, n), make([]*refcore.Engine, n)
		k := &clock{}
		k.ms.Store(epoch)
		for i := range stores {
			stores[i] = openStore(t, path)
		}
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				e, err := refcore.New(context.Background(), refcore.Options{Store: stores[i], Settings: refcore.DefaultSettings(), Now: k.now})
				if err != nil {
					t.Error(err)
					return
				}
				engines[i] = e
			})
		}
		wg.Wait()
		cores := make([]*core, n)
		for i, e := range engines {
			if e == nil {
				t.Fatal("a core did not start")
			}
			e.Close()
			cores[i] = start(t, onStore(stores[i]), onClock(k))
		}
		if got := len(cores[0].dynamicKeys()); got != 1 {
			t.Errorf("%d dynamic keys", got)
		}
		masters := map[string]bool{}
		for _, st := range stores {
			m, err := st.ValueOrInsert(context.Background(), "refresh_token_key", "late", epoch)
			if err != nil {
				t.Fatal(err)
			}
			masters[m] = true
		}
		if len(masters) != 1 || masters["late"] {
			t.Errorf("%d refresh token keys", len(masters))
		}
		for _, cdi := range []string{"2.20", "5.0", "5.6"} {
			for _, a := range cores {
				s := a.create(cdi, obj{"useDynamicSigningKey": false})
				for _, b := range cores {
					b.verify(cdi, s.access).ok()
					s = b.next(cdi, s.refresh)
				}
			}
		}
	}},
	{number: 80, name: "key rotated by another core", run: func(t *testing.T, _ string) {
		cores := seeded(t, 3)
		a, b := cores[0], cores[1]
		v3, v2 := a.create("5.0"), a.create("2.20")
		b.verify("5.0", v3.access).ok() // warm
		a.clock.advance(keyInterval)
		fresh, fresh2 := a.create("5.0"), a.create("2.20")
		if kid(t, fresh.access) == kid(t, v3.access) {
			t.Fatal("the key was not rotated")
		}
		for _, c := range cores[1:] {
			c.verify("2.20", fresh2.access).ok()
			c.verify("5.0", fresh.access).ok()
			if got := c.create("5.0"); kid(t, got.access) != kid(t, fresh.access) {
				t.Error("two cores sign with two keys")
			}
		}
		// The old key verifies for I + 2V. Expiry is judged after the signature.
		expired := func(c *core) {
			for cdi, s := range map[string]session{"5.0": v3, "2.20": v2} {
				if m := c.verify(cdi, s.access).tryRefresh().str("message"); m != "Access token expired" {
					t.Errorf("%s: %s", cdi, m)
				}
			}
		}
		a.clock.ms.Store(epoch + keyLife.Milliseconds())
		for _, c := range cores {
			expired(c)
		}
		a.clock.advance(time.Millisecond)
		for _, c := range cores {
			for cdi, s := range map[string]session{"5.0": v3, "2.20": v2} {
				if m := c.verify(cdi, s.access).tryRefresh().str("message"); m == "Access token expired" {
					t.Errorf("%s: the old key still verifies", cdi)
				}
			}
			if _, there := c.get("", pathJWKS).jwks()[kid(t, v3.access)]; there {
				t.Error("the old key is still published")
			}
		}
	}},
	{number: 81, name: "a new key is published before it signs", run: func(t *testing.T, _ string) {
		cores := seeded(t, 3)
		a := cores[0]
		old := kid(t, a.create("5.0").access)
		a.clock.ms.Store(epoch + keyInterval.Milliseconds() - token.Overlap)
		if got := a.get("", pathJWKS).header.Get("Cache-Control"); got != "max-age=1, must-revalidate" {
			t.Errorf("Cache-Control: %s", got)
		}
		if n := len(a.dynamicKeys()); n != 1 {
			t.Fatalf("%d keys before one is due", n)
		}
		a.clock.advance(time.Millisecond)
		a.create("5.0") // finds that one is due
		until(t, "a second key is stored", func() bool { return len(a.dynamicKeys()) == 2 })
		var next string
		for _, k := range a.dynamicKeys()[:1] {
			next = "d-" + itoa(k.CreatedAt)
		}
		for _, c := range cores {
			until(t, "every core publishes the new key", func() bool { return c.get("", pathJWKS).jwks()[next] != nil })
			if got := kid(t, c.create("5.0").access); got != old {
				t.Errorf("%s signs at once", got)
			}
			list, _ := c.post("2.20", pathHandshake, obj{}).ok().at("jwtSigningPublicKeyList").([]any)
			if len(list) != 2 {
				t.Errorf("%d keys in the handshake", len(list))
			}
		}
		a.clock.advance(token.Overlap*time.Millisecond - 2*time.Millisecond)
		for _, c := range cores {
			if got := kid(t, c.create("5.0").access); got != old {
				t.Errorf("%s signs before its time", got)
			}
		}
		a.clock.advance(2 * time.Millisecond)
		for _, c := range cores {
			if got := kid(t, c.create("5.0").access); got != next {
				t.Errorf("%s signs, want %s", got, next)
			}
		}
		if n := len(a.dynamicKeys()); n != 2 {
			t.Errorf("%d keys stored", n)
		}
	}},
	{number: 85, name: "clean-up deletes what it should", run: func(t *testing.T, _ string) {
		cores := seeded(t, 3)
		a := cores[0]
		ctx := context.Background()
		dead, edge, alive := a.create("5.0"), a.create("5.0"), a.create("5.0", obj{"useDynamicSigningKey": false})
		a.expire(dead.handle, epoch-1)
		a.expire(edge.handle, epoch)
		a.expire(alive.handle, epoch+1)
		if n, err := a.engine.CleanUp(ctx); n != 2 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
		a.gone(dead.handle)
		a.gone(edge.handle)
		if _, there := a.row(alive.handle); !there {
			t.Error("a live session was deleted")
		}
		a.clock.ms.Store(epoch + keyLife.Milliseconds())
		a.expire(alive.handle, a.clock.ms.Load()+1)
		for _, c := range cores {
			c.create("5.0") // makes a second key, once
			if _, err := c.engine.CleanUp(ctx); err != nil {
				t.Error(err)
			}
		}
		if n := len(a.dynamicKeys()); n != 2 {
			t.Errorf("%d keys at the last moment of the first", n)
		}
		a.clock.advance(time.Millisecond)
		for _, c := range cores {
			if _, err := c.engine.CleanUp(ctx); err != nil {
				t.Error(err)
			}
		}
		if n := len(a.dynamicKeys()); n != 1 {
			t.Errorf("%d dynamic keys, want the second only", n)
		}
		static, err := a.store.StaticKeys(ctx)
		if err != nil || len(static) != 1 {
			t.Errorf("%d static keys, %v", len(static), err)
		}
	}},
	{number: 90, name: "promotion at a serialization failure", whynot: "SQLite knows none, and the compare-and-set statements of the other stores run outside transactions; the contract's races (storetest) hold them to it"},
	{number: 91, name: "answer lost", cdi: []string{"2.20", "5.5", "5.6"}, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 2, checked)
		s := cores[0].create(cdi)
		cores[0].refresh(cdi, s.refresh).ok() // committed; the client never sees the answer
		n := cores[1].next(cdi, s.refresh)
		cores[0].verify(cdi, n.access).ok() // promotes up to 5.5; the answer is lost again
		cores[1].verify(cdi, n.access).ok()
		n = cores[1].next(cdi, n.refresh)
		cores[0].verify(cdi, n.access).ok()
	}},
	{number: 95, name: "static key survives rotation", run: func(t *testing.T, _ string) {
		cores := seeded(t, 2)
		s := cores[0].create("5.0", obj{"useDynamicSigningKey": false})
		for range 3 {
			cores[0].clock.advance(keyInterval)
			for _, c := range cores {
				dynamic, static := 0, 0
				for id := range c.get("", pathJWKS).jwks() {
					if strings.HasPrefix(id, "d-") {
						dynamic++
					} else {
						static++
					}
				}
				if dynamic < 1 || static < 1 {
					t.Errorf("%d dynamic and %d static keys", dynamic, static)
				}
				s = c.next("5.0", s.refresh, obj{"useDynamicSigningKey": false})
				if kid(t, s.access) != seededStatic {
					t.Errorf("kid %s", kid(t, s.access))
				}
				cores[0].verify("5.0", s.access).ok()
			}
		}
	}},
}

// TestRotationUnderLoad: three cores sign and verify while their keys rotate
// again and again; no token is ever refused, and the keys form one chain.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	cores := seeded(t, 3)
	for round := range 2 {
		cores[0].clock.advance(keyInterval - time.Second)
		together(cores, 12, func(c *core, i int) {
			cdi := []string{"2.20", "5.0", "5.6"}[i/3%3]
			code, text := c.raw("POST", cdi, pathSession, encode(t, createBody()))
			tok := excerpt(text, `"accessToken":{"token":"`, `"`)
			if code != 200 {
				t.Errorf("create: HTTP %d %s", code, text)
			}
			if i == 5 {
				c.clock.advance(time.Second) // the old key stops signing in the middle of it
			}
			for _, other := range cores {
				if code, text := other.raw("POST", cdi, pathVerify, encode(t, other.verifyBody(cdi, tok))); code != 200 || !strings.Contains(text, `"status":"OK"`) {
					t.Errorf("verify at %s: HTTP %d %s", cdi, code, clip(text))
				}
			}
		})
		// The new key is made beside the calls: it may come later than they end.
		until(t, "a new key is stored", func() bool { return len(cores[0].dynamicKeys()) == round+2 })
	}
	created := map[string]bool{}
	for _, c := range cores {
		until(t, "rotation has come to rest", func() bool { return kid(t, c.create("5.0").access) == kid(t, cores[0].create("5.0").access) })
		created[kid(t, c.create("5.0").access)] = true
	}
	if n := len(cores[0].dynamicKeys()); n != 3 || len(created) != 1 {
		t.Errorf("%d keys after two rotations; %d sign", n, len(created))
	}
}

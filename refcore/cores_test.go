package refcore_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

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

const (
	keyInterval = 2 * time.Hour
	keyLife     = keyInterval + 2*time.Hour // I + 2V
)

func rotating(s *refcore.Settings) { s.KeyInterval = keyInterval }

// seeded starts cores on one database whose dynamic key is new.
func seeded(t *testing.T, n int, opts ...coretest.Option) []*coretest.Core {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sessions.db")
	k := &coretest.Clock{}
	k.Ms.Store(coretest.Epoch)
	cores := make([]*coretest.Core, n)
	for i := range cores {
		st := coretest.OpenStore(t, path)
		if i == 0 {
			coretest.SeedKeys(t, st, coretest.Epoch)
		}
		cores[i] = coretest.Start(t, append([]coretest.Option{coretest.OnStore(st), coretest.OnClock(k), coretest.Settings(rotating)}, opts...)...)
	}
	return cores
}

var engineCores = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.79", Name: "cores started together on an empty database", Run: func(t *testing.T, _ string) {
		path := filepath.Join(t.TempDir(), "sessions.db")
		const n = 3
		stores, engines := make([]store.Store, n), make([]*refcore.Engine, n)
		k := &coretest.Clock{}
		k.Ms.Store(coretest.Epoch)
		for i := range stores {
			stores[i] = coretest.OpenStore(t, path)
		}
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				e, err := refcore.New(context.Background(), refcore.Options{Store: stores[i], Settings: refcore.DefaultSettings(), Now: k.Now})
				if err != nil {
					t.Error(err)
					return
				}
				engines[i] = e
			})
		}
		wg.Wait()
		cores := make([]*coretest.Core, n)
		for i, e := range engines {
			if e == nil {
				t.Fatal("a core did not start")
			}
			e.Close()
			cores[i] = coretest.Start(t, coretest.OnStore(stores[i]), coretest.OnClock(k))
		}
		if got := len(cores[0].DynamicKeys()); got != 1 {
			t.Errorf("%d dynamic keys", got)
		}
		masters := map[string]bool{}
		for _, st := range stores {
			m, err := st.ValueOrInsert(context.Background(), "refresh_token_key", "late", coretest.Epoch)
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
				s := a.Create(cdi, coretest.Obj{"useDynamicSigningKey": false})
				for _, b := range cores {
					b.Verify(cdi, s.Access).OK()
					s = b.Next(cdi, s.Refresh)
				}
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.80", Name: "key rotated by another core", Run: func(t *testing.T, _ string) {
		cores := seeded(t, 3)
		a, b := cores[0], cores[1]
		v3, v2 := a.Create("5.0"), a.Create("2.20")
		b.Verify("5.0", v3.Access).OK() // warm
		a.Clock.Advance(keyInterval)
		fresh, fresh2 := a.Create("5.0"), a.Create("2.20")
		if coretest.Kid(t, fresh.Access) == coretest.Kid(t, v3.Access) {
			t.Fatal("the key was not rotated")
		}
		for _, c := range cores[1:] {
			c.Verify("2.20", fresh2.Access).OK()
			c.Verify("5.0", fresh.Access).OK()
			if got := c.Create("5.0"); coretest.Kid(t, got.Access) != coretest.Kid(t, fresh.Access) {
				t.Error("two cores sign with two keys")
			}
		}
		// The old key verifies for I + 2V. Expiry is judged after the signature.
		expired := func(c *coretest.Core) {
			for cdi, s := range map[string]coretest.Session{"5.0": v3, "2.20": v2} {
				if m := c.Verify(cdi, s.Access).TryRefresh().Str("message"); m != "Access token expired" {
					t.Errorf("%s: %s", cdi, m)
				}
			}
		}
		a.Clock.Ms.Store(coretest.Epoch + keyLife.Milliseconds())
		for _, c := range cores {
			expired(c)
		}
		a.Clock.Advance(time.Millisecond)
		for _, c := range cores {
			for cdi, s := range map[string]coretest.Session{"5.0": v3, "2.20": v2} {
				if m := c.Verify(cdi, s.Access).TryRefresh().Str("message"); m == "Access token expired" {
					t.Errorf("%s: the old key still verifies", cdi)
				}
			}
			if _, there := c.Get("", coretest.PathJWKS).JWKS()[coretest.Kid(t, v3.Access)]; there {
				t.Error("the old key is still published")
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.81", Name: "a new key is published before it signs", Run: func(t *testing.T, _ string) {
		cores := seeded(t, 3)
		a := cores[0]
		old := coretest.Kid(t, a.Create("5.0").Access)
		a.Clock.Ms.Store(coretest.Epoch + keyInterval.Milliseconds() - token.Overlap)
		if got := a.Get("", coretest.PathJWKS).Header.Get("Cache-Control"); got != "max-age=1, must-revalidate" {
			t.Errorf("Cache-Control: %s", got)
		}
		if n := len(a.DynamicKeys()); n != 1 {
			t.Fatalf("%d keys before one is due", n)
		}
		a.Clock.Advance(time.Millisecond)
		a.Create("5.0") // finds that one is due
		until(t, "a second key is stored", func() bool { return len(a.DynamicKeys()) == 2 })
		var next string
		for _, k := range a.DynamicKeys()[:1] {
			next = "d-" + coretest.Itoa(k.CreatedAt)
		}
		for _, c := range cores {
			until(t, "every core publishes the new key", func() bool { return c.Get("", coretest.PathJWKS).JWKS()[next] != nil })
			if got := coretest.Kid(t, c.Create("5.0").Access); got != old {
				t.Errorf("%s signs at once", got)
			}
			list, _ := c.Post("2.20", coretest.PathHandshake, coretest.Obj{}).OK().At("jwtSigningPublicKeyList").([]any)
			if len(list) != 2 {
				t.Errorf("%d keys in the handshake", len(list))
			}
		}
		a.Clock.Advance(token.Overlap*time.Millisecond - 2*time.Millisecond)
		for _, c := range cores {
			if got := coretest.Kid(t, c.Create("5.0").Access); got != old {
				t.Errorf("%s signs before its time", got)
			}
		}
		a.Clock.Advance(2 * time.Millisecond)
		for _, c := range cores {
			if got := coretest.Kid(t, c.Create("5.0").Access); got != next {
				t.Errorf("%s signs, want %s", got, next)
			}
		}
		if n := len(a.DynamicKeys()); n != 2 {
			t.Errorf("%d keys stored", n)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.85", Name: "clean-up deletes what it should", Run: func(t *testing.T, _ string) {
		cores := seeded(t, 3)
		a := cores[0]
		ctx := context.Background()
		dead, edge, alive := a.Create("5.0"), a.Create("5.0"), a.Create("5.0", coretest.Obj{"useDynamicSigningKey": false})
		a.Expire(dead.Handle, coretest.Epoch-1)
		a.Expire(edge.Handle, coretest.Epoch)
		a.Expire(alive.Handle, coretest.Epoch+1)
		if n, err := a.Engine.CleanUp(ctx); n != 2 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
		a.Gone(dead.Handle)
		a.Gone(edge.Handle)
		if _, there := a.Row(alive.Handle); !there {
			t.Error("a live session was deleted")
		}
		a.Clock.Ms.Store(coretest.Epoch + keyLife.Milliseconds())
		a.Expire(alive.Handle, a.Clock.Ms.Load()+1)
		for _, c := range cores {
			c.Create("5.0") // makes a second key, once
			if _, err := c.Engine.CleanUp(ctx); err != nil {
				t.Error(err)
			}
		}
		if n := len(a.DynamicKeys()); n != 2 {
			t.Errorf("%d keys at the last moment of the first", n)
		}
		a.Clock.Advance(time.Millisecond)
		for _, c := range cores {
			if _, err := c.Engine.CleanUp(ctx); err != nil {
				t.Error(err)
			}
		}
		if n := len(a.DynamicKeys()); n != 1 {
			t.Errorf("%d dynamic keys, want the second only", n)
		}
		static, err := a.Store.StaticKeys(ctx)
		if err != nil || len(static) != 1 {
			t.Errorf("%d static keys, %v", len(static), err)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.90", Name: "promotion at a serialization failure", WhyNot: "SQLite knows none, and the compare-and-set statements of the other stores run outside transactions; the contract's races (storetest) hold them to it"},
	{Cite: "docs/spec/session-engine.md 9.91", Name: "answer lost", CDI: []string{"2.20", "5.5", "5.6"}, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 2, coretest.Checked)
		s := cores[0].Create(cdi)
		cores[0].Refresh(cdi, s.Refresh).OK() // committed; the client never sees the answer
		n := cores[1].Next(cdi, s.Refresh)
		cores[0].Verify(cdi, n.Access).OK() // promotes up to 5.5; the answer is lost again
		cores[1].Verify(cdi, n.Access).OK()
		n = cores[1].Next(cdi, n.Refresh)
		cores[0].Verify(cdi, n.Access).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.95", Name: "static key survives rotation", Run: func(t *testing.T, _ string) {
		cores := seeded(t, 2)
		s := cores[0].Create("5.0", coretest.Obj{"useDynamicSigningKey": false})
		for range 3 {
			cores[0].Clock.Advance(keyInterval)
			for _, c := range cores {
				dynamic, static := 0, 0
				for id := range c.Get("", coretest.PathJWKS).JWKS() {
					if strings.HasPrefix(id, "d-") {
						dynamic++
					} else {
						static++
					}
				}
				if dynamic < 1 || static < 1 {
					t.Errorf("%d dynamic and %d static keys", dynamic, static)
				}
				s = c.Next("5.0", s.Refresh, coretest.Obj{"useDynamicSigningKey": false})
				if coretest.Kid(t, s.Access) != coretest.SeededStatic {
					t.Errorf("kid %s", coretest.Kid(t, s.Access))
				}
				cores[0].Verify("5.0", s.Access).OK()
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
		cores[0].Clock.Advance(keyInterval - time.Second)
		together(cores, 12, func(c *coretest.Core, i int) {
			cdi := []string{"2.20", "5.0", "5.6"}[i/3%3]
			code, text := c.Raw("POST", cdi, coretest.PathSession, coretest.Encode(t, coretest.CreateBody()))
			tok := excerpt(text, `"accessToken":{"token":"`, `"`)
			if code != 200 {
				t.Errorf("create: HTTP %d %s", code, text)
			}
			if i == 5 {
				c.Clock.Advance(time.Second) // the old key stops signing in the middle of it
			}
			for _, other := range cores {
				if code, text := other.Raw("POST", cdi, coretest.PathVerify, coretest.Encode(t, other.VerifyBody(cdi, tok))); code != 200 || !strings.Contains(text, `"status":"OK"`) {
					t.Errorf("verify at %s: HTTP %d %s", cdi, code, coretest.Clip(text))
				}
			}
		})
		// The new key is made beside the calls: it may come later than they end.
		until(t, "a new key is stored", func() bool { return len(cores[0].DynamicKeys()) == round+2 })
	}
	created := map[string]bool{}
	for _, c := range cores {
		until(t, "rotation has come to rest", func() bool {
			return coretest.Kid(t, c.Create("5.0").Access) == coretest.Kid(t, cores[0].Create("5.0").Access)
		})
		created[coretest.Kid(t, c.Create("5.0").Access)] = true
	}
	if n := len(cores[0].DynamicKeys()); n != 3 || len(created) != 1 {
		t.Errorf("%d keys after two rotations; %d sign", n, len(created))
	}
}

package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// demoted: whatever is asked of a server that became read-only under open
// connections is an error, since another may be the primary by now; and soon
// after it is writable again all is well (T5).
func demoted(f *fixture, server Server) {
	s := f.open(func(c *store.Config) { c.PoolSize, c.MinIdle = 3, 3 })
	lives := f.create(s, session("user"))
	missing := session("nobody") // was never created: "not found" is no answer either
	f.several(12, func(int) error { return second(s.Liveness(f.Context(), lives.Handle)) })

	server.Demote(f.T, true)
	undo := func() { server.Demote(f.T, false) }
	defer func() { undo() }()
	// The server may take a moment until all connections know.
	until(f, "a read tells", func() bool { return second(s.Liveness(f.Context(), lives.Handle)) != nil })
	for range 5 {
		for _, x := range []store.Session{lives, missing} {
			for name, call := range map[string]func(context.Context) error{
				"liveness": func(ctx context.Context) error { return second(s.Liveness(ctx, x.Handle)) },
				"session":  func(ctx context.Context) error { return second(s.Session(ctx, x.Handle)) },
				"handles":  func(ctx context.Context) error { return second(s.Handles(ctx, x.UserID, now)) },
				"ping":     s.Ping,
			} {
				if err := call(f.Context()); err == nil || errors.Is(err, store.ErrNotFound) {
					f.Errorf("%s of a demoted server: %v, want an error of its own", name, err)
				}
			}
		}
	}
	began := time.Now()
	undo()
	undo = func() {}
	until(f, "a write succeeds", func() bool {
		ok, err := s.SetData(f.Context(), lives.Handle, lives.Data, now)
		return err == nil && ok
	})
	f.Logf("a write succeeded after %v", time.Since(began).Round(time.Millisecond))
	f.recovers(s, lives)
	f.soon(time.Since(began))
}

func until(f *fixture, what string, ok func() bool) {
	f.Helper()
	for end := time.Now().Add(bound); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("%s: not within %v", what, bound)
		}
	}
}

// RunFailover opens a store through a switch that first leads to one server; that
// is demoted, and new connections are led to another, where the session has been
// revoked. It is never accepted again (T1), and within 5 s the store works on the
// other. URIs of both must be of the form scheme://user:password@host:port/name, alike but for the address.
func RunFailover(t *testing.T, b Backend, first Server, firstURI, secondURI string) {
	f := &fixture{T: t, backend: b}
	to := newWay(t, "127.0.0.1:0", host(t, firstURI))
	f.config = store.Config{URI: to.through(t, firstURI), PoolSize: 3, MinIdle: 3}
	// The other has the same tables under the same name.
	other := ask(b.Open(t.Context(), store.Config{URI: secondURI})).or(f)
	defer func() { _ = other.Close() }()

	s := f.open()
	revoked, lives := f.create(s, session("revoked")), f.create(s, session("lives"))
	f.create(other, lives) // replicated; the other one was revoked there
	f.several(12, func(int) error { return second(s.Liveness(t.Context(), revoked.Handle)) })

	to.point(host(t, secondURI))
	first.Demote(t, true)
	defer first.Demote(t, false)
	// Writes may still be allowed to administrators: only what is read tells.
	until(f, "the first server is read-only", func() bool { return second(s.Liveness(t.Context(), revoked.Handle)) != nil })
	began := time.Now()
	recovered := false
	for end := began.Add(20 * time.Second); time.Now().Before(end) && !(recovered && time.Since(began) > 2*time.Second); {
		_, err := s.Liveness(t.Context(), revoked.Handle)
		if err == nil {
			t.Fatalf("a session revoked at the new primary is accepted %v after the failover", time.Since(began))
		}
		if _, err := s.Liveness(t.Context(), lives.Handle); errors.Is(err, store.ErrNotFound) {
			t.Fatalf("a living session is said to be gone %v after the failover", time.Since(began))
		} else if ok, werr := s.SetData(t.Context(), lives.Handle, lives.Data, now); err == nil && werr == nil && ok && !recovered {
			recovered = true
			took := time.Since(began).Round(time.Millisecond)
			t.Logf("the store works again after %v", took)
			f.soon(took)
		}
	}
	if !recovered {
		t.Error("the pool has not recovered")
	}
	if _, err := s.Liveness(t.Context(), revoked.Handle); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the revoked session at the new primary: %v, want ErrNotFound", err)
	}
}

package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// TestT1StreamingReplica: a core knows both hosts. The replica becomes the primary
// and another core revokes a session there, of which the old primary never hears;
// that stays, read-only, or comes back as a replica. The revoked session is
// accepted at no time, and the core finds the new primary.
func TestT1StreamingReplica(t *testing.T) {
	for _, tc := range []struct {
		name         string
		demote, back func(t *testing.T, old *dbtest.Server)
	}{
		{"the old primary stays, read-only", func(t *testing.T, old *dbtest.Server) { old.Demote(t, true) }, nil},
		{"the old primary dies and comes back as a replica", func(t *testing.T, old *dbtest.Server) { old.StandBy(t); old.Stop(t) },
			func(t *testing.T, old *dbtest.Server) { old.Start(t) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			old := dbtest.Own(t, dbtest.Postgres)
			replica := dbtest.PostgresReplica(t, old)
			ctx := t.Context()
			s := openBoth(t, old.URI, replica.URI)
			revoked := store.Session{Handle: "revoked", UserID: "user", RefreshHash2: "hash", ExpiresAt: 1 << 50}
			lives := revoked
			lives.Handle = "lives"
			for _, x := range []store.Session{revoked, lives} {
				if err := s.CreateSession(ctx, x); err != nil {
					t.Fatal(err)
				}
			}
			for range 12 {
				if _, err := s.Liveness(ctx, "revoked"); err != nil {
					t.Fatal(err)
				}
			}
			replica.Follows(t, old)

			tc.demote(t, old)
			replica.Promote(t)
			began := time.Now()
			other, err := Open(ctx, store.Config{URI: replica.URI, PoolSize: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = other.Close() }()
			if gone, err := other.Delete(ctx, []string{"revoked"}); err != nil || len(gone) != 1 {
				t.Fatalf("revoke at the new primary: %q, %v", gone, err)
			}
			asked := 0
			check := func() (works bool) {
				t.Helper()
				if _, err := s.Liveness(ctx, "revoked"); err == nil {
					t.Fatalf("a session revoked at the new primary is accepted %v after it", time.Since(began))
				}
				asked++
				_, err := s.Liveness(ctx, "lives")
				if errors.Is(err, store.ErrNotFound) {
					t.Fatal("a living session is said to be gone")
				}
				return err == nil
			}
			for !check() {
				if time.Since(began) > time.Minute {
					t.Fatal("the core does not find the new primary")
				}
			}
			t.Logf("the core works at the new primary %v after it takes writes", time.Since(began).Round(time.Millisecond))
			if tc.back != nil {
				tc.back(t, old)
			}
			// New connections meet the old primary first.
			for range 5 {
				s.pool.Reset()
				for range 20 {
					if !check() {
						t.Error("a call failed with both servers up")
					}
				}
			}
			if _, err := s.Liveness(ctx, "revoked"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the revoked session: %v, want ErrNotFound", err)
			}
			t.Logf("asked %d times for the revoked session, accepted 0 times", asked)
		})
	}
}

// openBoth opens a store on two hosts in one URI.
func openBoth(t *testing.T, first, second string) *Store {
	t.Helper()
	a, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := url.Parse(second)
	if err != nil {
		t.Fatal(err)
	}
	uri := fmt.Sprintf("postgresql://%s@%s,%s%s?%s", a.User, a.Host, b.Host, a.Path, a.RawQuery)
	s, err := Open(t.Context(), store.Config{URI: uri, PoolSize: 3, MinIdle: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*Store)
}

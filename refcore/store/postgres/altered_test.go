package postgres

import (
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
)

// TestAlteredTable: a table that is altered under a running core costs no caller
// an error, on any connection.
func TestAlteredTable(t *testing.T) {
	t.Parallel()
	s, cfg := openOn(t, func(c *store.Config) { c.PoolSize, c.MinIdle = 3, 3 })
	admin, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	x := store.Session{Handle: "handle", UserID: "user", RefreshHash2: "hash", ExpiresAt: 1}
	if err := s.CreateSession(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	reads := func(when string) {
		errs := make(chan error, 30)
		for range cap(errs) {
			go func() { _, err := s.Liveness(t.Context(), "handle"); errs <- err }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	reads("before")
	if _, err := admin.(*Store).pool.Exec(t.Context(), "ALTER TABLE session_info ALTER COLUMN refresh_token_hash_2 TYPE varchar(200)"); err != nil {
		t.Fatal(err)
	}
	reads("after")
}

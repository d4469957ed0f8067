package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// TestRealCoresDatabase: tables of the real core are not taken for this one's, and
// nothing is made beside them; with a prefix both live in one database.
func TestRealCoresDatabase(t *testing.T) {
	t.Parallel()
	cfg := store.Config{URI: dbtest.Postgres(t).Fresh(t)}
	admin, err := pgx.Connect(t.Context(), cfg.URI)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(t.Context()) }()
	if _, err := admin.Exec(t.Context(), `CREATE TABLE session_access_token_signing_keys (
		app_id VARCHAR(64) DEFAULT 'public', created_at_time BIGINT NOT NULL, value TEXT, PRIMARY KEY (app_id, created_at_time))`); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), cfg)
	if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "session_access_token_signing_keys has no column predecessor") || strings.Contains(err.Error(), "\n") {
		t.Errorf("open: %v, want one line that names table and column", err)
	}
	var n int
	if err := admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d tables, %v, want the one that was there", n, err)
	}
	cfg.Prefix = "coreproof"
	for range 2 { // made, and found
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
}

package postgres

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func backend(server *dbtest.Server) storetest.Backend {
	return storetest.Backend{
		Open:  Open,
		Fresh: func(t *testing.T) store.Config { return store.Config{URI: server.Fresh(t)} },
	}
}

func TestContract(t *testing.T) {
	storetest.Run(t, backend(dbtest.Postgres(t)))
}

func TestOutages(t *testing.T) {
	server := dbtest.Postgres(t)
	storetest.RunOutages(t, backend(server), server)
}

func TestT1Failover(t *testing.T) {
	a, b := dbtest.Own(t, dbtest.Postgres), dbtest.Own(t, dbtest.Postgres)
	storetest.RunFailover(t, backend(a), a, a.URI, b.URI)
}

func TestOpenErrors(t *testing.T) {
	storetest.RefusesToOpen(t, Open, "postgresql://localhost:1/name?sslmode=disable")
}

// openOn opens a store on a fresh database and returns both.
func openOn(t *testing.T, mods ...func(*store.Config)) (*Store, store.Config) {
	t.Helper()
	cfg := store.Config{URI: dbtest.Postgres(t).Fresh(t)}
	for _, mod := range mods {
		mod(&cfg)
	}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*Store), cfg
}

// TestServerCountsOneStatement asks the server, not the store, what a call costs.
func TestServerCountsOneStatement(t *testing.T) {
	t.Parallel()
	s, cfg := openOn(t)
	ctx := t.Context()
	admin, err := pgx.Connect(ctx, cfg.URI)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, "CREATE EXTENSION pg_stat_statements"); err != nil {
		t.Fatal(err)
	}
	executed := func() (n int) {
		err := admin.QueryRow(ctx, `SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
			WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND query NOT LIKE '%pg_stat_statements%'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	x := store.Session{Handle: "handle", UserID: "user", RefreshHash2: "hash", ExpiresAt: 1}
	for _, tc := range []struct {
		name string
		call func() error
	}{
		{"create", func() error { return s.CreateSession(ctx, x) }},
		{"liveness", func() error { _, err := s.Liveness(ctx, "handle"); return err }},
		{"rotate", func() error {
			_, err := s.Rotate(ctx, "handle", store.Rotation{Expect: "hash", RefreshHash2: "hash"})
			return err
		}},
		{"set data", func() error { _, err := s.SetData(ctx, "handle", nil, 0); return err }},
		{"delete by user", func() error { _, err := s.DeleteByUser(ctx, "user", 0); return err }},
		{"delete", func() error { _, err := s.Delete(ctx, []string{"handle"}); return err }},
		{"delete two", func() error { _, err := s.Delete(ctx, []string{"handle", "other"}); return err }},
	} {
		before := executed()
		if err := tc.call(); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if n := executed() - before; n != 1 {
			t.Errorf("%s: the server executed %d statements, want 1", tc.name, n)
		}
	}
}

func TestSessionSettings(t *testing.T) {
	t.Parallel()
	s, _ := openOn(t, func(c *store.Config) {
		c.URI += "&options=" + strings.ReplaceAll(url.QueryEscape("-c synchronous_commit=off -c default_transaction_isolation=serializable"), "+", "%20")
		c.StatementTimeout = 1234 * time.Millisecond
	})
	for name, want := range map[string]string{
		"synchronous_commit":            "on",
		"default_transaction_isolation": "read committed",
		"statement_timeout":             "1234ms",
	} {
		var got string
		if err := s.pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	plain, cfg := openOn(t)
	cfg.Schema = `my "schema"`
	other, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if err := other.CreateSession(ctx, store.Session{Handle: "handle"}); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Liveness(ctx, "handle"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a session of another schema: got %v, want ErrNotFound", err)
	}

	// A role that may not create anything can use what is there.
	for _, statement := range []string{
		`CREATE ROLE user_of_` + dbName(cfg.URI) + ` LOGIN PASSWORD 'pw'`,
		`GRANT USAGE ON SCHEMA "my ""schema""" TO user_of_` + dbName(cfg.URI),
		`GRANT ALL ON ALL TABLES IN SCHEMA "my ""schema""" TO user_of_` + dbName(cfg.URI),
	} {
		if _, err := plain.pool.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	u, _ := url.Parse(cfg.URI)
	u.User = url.UserPassword("user_of_"+dbName(cfg.URI), "pw")
	cfg.URI = u.String()
	t.Cleanup(func() { // before the database, which the role's rights are in
		_, err := plain.pool.Exec(context.Background(), `DROP OWNED BY user_of_`+dbName(cfg.URI)+`; DROP ROLE user_of_`+dbName(cfg.URI))
		if err != nil {
			t.Error(err)
		}
	})
	poor, err := Open(ctx, cfg)
	if err != nil {
		t.Fatalf("open without the right to create: %v", err)
	}
	defer func() { _ = poor.Close() }()
	if gone, err := poor.Delete(ctx, []string{"handle"}); err != nil || len(gone) != 1 {
		t.Errorf("delete without the right to create: got %q, %v", gone, err)
	}
}

func dbName(uri string) string {
	u, _ := url.Parse(uri)
	return strings.TrimPrefix(u.Path, "/")
}

func TestLongNames(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]store.Config{
		"prefix":        {Prefix: strings.Repeat("p", 40)},
		"session table": {SessionTable: strings.Repeat("s", 47)},
		"schema":        {Schema: strings.Repeat("s", 64)},
	} {
		if _, err := nameTables(cfg); err == nil {
			t.Errorf("a %s that PostgreSQL would cut: got no error", name)
		}
	}
}

func TestPoolSizes(t *testing.T) {
	t.Parallel()
	s, _ := openOn(t, func(c *store.Config) { c.PoolSize, c.MinIdle, c.IdleTimeout = 6, 2, 50*time.Millisecond })
	// The pool's own filling may have been in the way of Open's.
	if n := s.pool.Stat().TotalConns(); n < 2 || n > 4 {
		t.Errorf("connections after open: got %d, want MinIdle, 2, or few more", n)
	}
	if err := fill(t.Context(), s.pool, 6); err != nil {
		t.Fatal(err)
	}
	if n := s.pool.Stat().TotalConns(); n != 6 {
		t.Errorf("connections when six are asked for: got %d, want PoolSize, 6", n)
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.pool.Stat().TotalConns() != 2 {
		if time.Now().After(deadline) {
			t.Fatalf("idle connections are still %d, want 2", s.pool.Stat().TotalConns())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestSuspect: a healthy idle connection is not pinged, one that the server has
// ended is.
func TestSuspect(t *testing.T) {
	t.Parallel()
	s, cfg := openOn(t)
	ctx := t.Context()
	admin, err := pgx.Connect(ctx, cfg.URI)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(ctx) }()
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	ask := func() bool {
		return suspect(ctx, pgxpool.ShouldPingParams{Conn: c.Conn(), IdleDuration: time.Hour})
	}
	if ask() {
		t.Error("a healthy connection is suspect")
	}
	if _, err := admin.Exec(ctx, "SELECT pg_terminate_backend($1)", c.Conn().PgConn().PID()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !ask(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a connection that the server ended is not suspect")
		}
	}
}

// BenchmarkLiveness compares with the bare driver's point select.
func BenchmarkLiveness(b *testing.B) {
	cfg := store.Config{URI: dbtest.Postgres(b).Fresh(b)}
	ctx := b.Context()
	opened, err := Open(ctx, cfg)
	if err != nil {
		b.Fatal(err)
	}
	s := opened.(*Store)
	defer func() { _ = s.Close() }()
	if err := s.CreateSession(ctx, store.Session{Handle: "handle", Payload: []byte(`{}`)}); err != nil {
		b.Fatal(err)
	}
	b.Run("by=store", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Liveness(ctx, "handle"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by=pgx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var x store.Liveness
			err := s.pool.QueryRow(ctx, s.Stmts.Liveness, "handle").Scan(&x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

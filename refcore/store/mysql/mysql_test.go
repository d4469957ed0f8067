package mysql

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// servers speak the same protocol and differ in what their deletes can say.
var servers = []struct {
	name  string
	start func(testing.TB) *dbtest.Server
}{
	{"mysql", dbtest.MySQL},
	{"mariadb", dbtest.MariaDB},
}

func backend(server *dbtest.Server) storetest.Backend {
	return storetest.Backend{
		Open:  Open,
		Fresh: func(t *testing.T) store.Config { return store.Config{URI: server.Fresh(t)} },
	}
}

func TestContract(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) { storetest.Run(t, backend(s.start(t))) })
	}
}

func TestOutages(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			server := s.start(t)
			storetest.RunOutages(t, backend(server), server)
		})
	}
}

func TestT1Failover(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			a, b := dbtest.Own(t, s.start), dbtest.Own(t, s.start)
			storetest.RunFailover(t, backend(a), a, a.URI, b.URI)
		})
	}
}

func TestOpenErrors(t *testing.T) {
	storetest.RefusesToOpen(t, Open, "mysql://localhost:1/name")
}

// openOn opens a store on a fresh database of a server.
func openOn(t *testing.T, server *dbtest.Server, mods ...func(*store.Config)) *Store {
	t.Helper()
	cfg := store.Config{URI: server.Fresh(t), MinIdle: 1, PoolSize: 1}
	for _, mod := range mods {
		mod(&cfg)
	}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*Store)
}

// TestServerCountsOneStatement asks the server, not the store, what a call costs.
// The server's counters are for all connections: no other test runs beside it.
func TestServerCountsOneStatement(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := openOn(t, server.start(t))
			probe := openOn(t, server.start(t)).db
			ctx := t.Context()
			// Questions counts executions and ad-hoc statements, the other two the
			// round trips that an ad-hoc statement with parameters would add.
			counters := func() (n int) {
				rows, err := probe.QueryContext(ctx, `SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_stmt_prepare', 'Com_stmt_close')`)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = rows.Close() }()
				for rows.Next() {
					var name string
					var value int
					if err := rows.Scan(&name, &value); err != nil {
						t.Fatal(err)
					}
					n += value
				}
				return n
			}
			base := counters()
			own := counters() - base // what asking costs

			x := store.Session{Handle: "handle", UserID: "user", RefreshHash2: "hash", ExpiresAt: 1}
			many := 4 // begin, lock, delete, commit
			if server.name == "mariadb" {
				many = 1
			}
			for _, tc := range []struct {
				name string
				want int
				call func() error
			}{
				{"create", 1, func() error { return s.CreateSession(ctx, x) }},
				{"liveness", 1, func() error { _, err := s.Liveness(ctx, "handle"); return err }},
				{"rotate", 1, func() error {
					_, err := s.Rotate(ctx, "handle", store.Rotation{Expect: "hash", RefreshHash2: "hash", ExpiresAt: 1})
					return err
				}},
				{"set data", 1, func() error { _, err := s.SetData(ctx, "handle", nil, 0); return err }},
				{"set payload", 1, func() error { _, err := s.SetPayload(ctx, "handle", nil, 0); return err }},
				{"delete", 1, func() error { _, err := s.Delete(ctx, []string{"handle"}); return err }},
				{"create again", 1, func() error { return s.CreateSession(ctx, x) }},
				{"delete two", many, func() error { _, err := s.Delete(ctx, []string{"handle", "other"}); return err }},
				{"create once more", 1, func() error { return s.CreateSession(ctx, x) }},
				{"delete by user", many, func() error { _, err := s.DeleteByUser(ctx, "user", 0); return err }},
			} {
				before := counters()
				if err := tc.call(); err != nil {
					t.Fatalf("%s: %v", tc.name, err)
				}
				if n := counters() - before - own; n != tc.want {
					t.Errorf("%s: the server counts %d, want %d", tc.name, n, tc.want)
				}
			}
		})
	}
}

func TestRefusesReplica(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			s := openOn(t, server.start(t))
			set := func(v string) {
				if _, err := s.db.ExecContext(context.Background(), "SET GLOBAL read_only = "+v); err != nil {
					t.Fatal(err)
				}
			}
			set("1")
			defer set("0")
			_, err := Open(t.Context(), s.cfg)
			if err == nil || !strings.Contains(err.Error(), "primary") {
				t.Errorf("open a read-only server: got %v, want an error that asks for the primary", err)
			}
		})
	}
}

func TestSessionSettings(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			s := openOn(t, server.start(t), func(c *store.Config) {
				c.URI += "?clientFoundRows=false&sql_mode=''&autocommit=0&allowPublicKeyRetrieval=true"
				c.StatementTimeout = 1500 * time.Millisecond
			})
			isolation, limit, wantLimit := "@@transaction_isolation", "@@max_execution_time", "1500"
			if server.name == "mariadb" {
				limit, wantLimit = "@@max_statement_time", "1.5"
			}
			for expression, want := range map[string]string{
				isolation:                    "READ-COMMITTED",
				limit:                        wantLimit,
				"@@autocommit":               "1",
				"@@sql_mode":                 "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
				"@@innodb_lock_wait_timeout": "2",
				"@@character_set_client":     "utf8mb4",
				"@@collation_connection":     "utf8mb4_bin",
			} {
				var got string
				if err := s.db.QueryRowContext(t.Context(), "SELECT "+expression).Scan(&got); err != nil || got != want {
					t.Errorf("%s: got %q, %v, want %q", expression, got, err, want)
				}
			}
		})
	}
}

func TestDriverConfig(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ uri, user, password, address, database string }{
		{"mysql://u:p@h:1/d", "u", "p", "h:1", "d"},
		{"mysql://u%40x:p%3A%2F%23%25@h/d", "u@x", "p:/#%", "h:3306", "d"},
		{"mariadb://h/d", "", "", "h:3306", "d"},
		{"mysql://u:p@[::1]:3307/d", "u", "p", "[::1]:3307", "d"},
	} {
		c, err := driverConfig(store.Config{URI: tc.uri})
		if err != nil {
			t.Errorf("%s: %v", tc.uri, err)
			continue
		}
		if c.User != tc.user || c.Passwd != tc.password || c.Addr != tc.address || c.DBName != tc.database || c.TLS != nil {
			t.Errorf("%s: got user %q, password %q, address %q, database %q, TLS %v", tc.uri, c.User, c.Passwd, c.Addr, c.DBName, c.TLS)
		}
		if !c.ClientFoundRows {
			t.Errorf("%s: counts changed rows, not found ones", tc.uri)
		}
	}
	for _, uri := range []string{
		"", "h:3306/d", "postgresql://h/d", "mysql:///d", "mysql://h", "mysql://h/", "mysql://u:p#q@h/d", "mysql://u:%zz@h/d", "mysql://h/d?tls=maybe",
	} {
		if _, err := driverConfig(store.Config{URI: uri}); err == nil {
			t.Errorf("%q: got no error", uri)
		}
	}
}

// BenchmarkLiveness compares with the bare driver's point select.
func BenchmarkLiveness(b *testing.B) {
	ctx := b.Context()
	opened, err := Open(ctx, store.Config{URI: dbtest.MySQL(b).Fresh(b)})
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
	b.Run("by=driver", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var x store.Liveness
			err := s.Stmts.Liveness.QueryRowContext(ctx, "handle").Scan(&x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

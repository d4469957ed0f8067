package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// fill adds n rows of other users' sessions, by the store's own fast way.
func fill(ctx context.Context, kind, uri string, n int) error {
	const columns = `(session_handle, user_id, refresh_token_hash_2, prev_refresh_token_hash_2, refresh_token_rotated_at,
		session_data, jwt_user_payload, created_at_time, expires_at, use_static_key)`
	far := time.Now().Add(24 * time.Hour).UnixMilli()
	hash := strings.Repeat("0", 64)
	switch kind {
	case "sqlite":
		db, err := sql.Open("sqlite", "file:"+uri+"?_pragma=busy_timeout(10000)")
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.ExecContext(ctx, `WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < ?)
			INSERT INTO session_info `+columns+` SELECT lower(hex(randomblob(16))), 'filler-' || (i % 100000), ?, '', 0, '{}', '{"role":"user"}', 0, ?, 0 FROM s`, n, hash, far)
		return err
	case "postgres":
		c, err := pgx.Connect(ctx, uri)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close(ctx) }()
		_, err = c.Exec(ctx, `INSERT INTO session_info `+columns+`
			SELECT gen_random_uuid()::text, ('filler-' || (i % 100000))::bytea, $2, '', 0, '{}'::bytea, '{"role":"user"}'::bytea, 0, $3, false FROM generate_series(1, $1::int) i`, n, hash, far)
		return err
	case "mysql":
		u, err := url.Parse(uri)
		if err != nil {
			return err
		}
		cfg := mysqldriver.NewConfig()
		cfg.Net, cfg.Addr, cfg.DBName, cfg.User, cfg.InterpolateParams = "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), u.User.Username(), true
		cfg.Passwd, _ = u.User.Password()
		connector, err := mysqldriver.NewConnector(cfg)
		if err != nil {
			return err
		}
		db := sql.OpenDB(connector)
		defer db.Close()
		const digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
		for done := 0; done < n; done += 100000 {
			if _, err := db.ExecContext(ctx, `INSERT INTO session_info `+columns+` SELECT uuid(), concat('filler-', a.d, b.d, c.d, d.d, e.d), ?, '', 0, '{}', '{"role":"user"}', 0, ?, false
				FROM `+digits+` a, `+digits+` b, `+digits+` c, `+digits+` d, `+digits+` e`, hash, far); err != nil {
				return err
			}
		}
		return nil
	case "mongo":
		u, err := url.Parse(uri)
		if err != nil {
			return err
		}
		c, err := mongo.Connect(options.Client().ApplyURI(uri))
		if err != nil {
			return err
		}
		defer func() { _ = c.Disconnect(ctx) }()
		coll := c.Database(strings.TrimPrefix(u.Path, "/")).Collection("session_info")
		for done := 0; done < n; done += 10000 {
			docs := make([]any, 10000)
			for i := range docs {
				docs[i] = bson.D{
					{Key: "_id", Value: fmt.Sprintf("filler-%d", done+i)}, {Key: "user_id", Value: fmt.Sprintf("filler-%d", i)},
					{Key: "refresh_token_hash_2", Value: hash}, {Key: "prev_refresh_token_hash_2", Value: ""}, {Key: "refresh_token_rotated_at", Value: int64(0)},
					{Key: "session_data", Value: "{}"}, {Key: "jwt_user_payload", Value: `{"role":"user"}`}, {Key: "created_at_time", Value: int64(0)},
					{Key: "expires_at", Value: far}, {Key: "use_static_key", Value: false},
				}
			}
			if _, err := coll.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false)); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("no filler for %q", kind)
}

// BenchmarkRows: does a verify with the flag on cost more with a million rows
// than with ten thousand? The same core and tokens, before and after the rest
// was filled in, and its memory.
func BenchmarkRows(b *testing.B) {
	rows := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("COREPROOF_BENCH_ROWS")); err == nil {
		rows = n
	}
	for _, s := range []struct {
		name, kind, env string
		uri             func(*testing.B) string
	}{
		{"sqlite", "sqlite", "SQLITE_DATABASE_PATH", func(b *testing.B) string { return filepath.Join(b.TempDir(), "sessions.db") }},
		{"postgres", "postgres", "POSTGRESQL_CONNECTION_URI", func(b *testing.B) string { return dbtest.Postgres(b).Fresh(b) }},
		{"mysql", "mysql", "MYSQL_CONNECTION_URI", func(b *testing.B) string { return dbtest.MySQL(b).Fresh(b) }},
		{"mariadb", "mysql", "MYSQL_CONNECTION_URI", func(b *testing.B) string { return dbtest.MariaDB(b).Fresh(b) }},
		{"mongo", "mongo", "MONGODB_CONNECTION_URI", func(b *testing.B) string { return dbtest.Mongo(b).Fresh(b) }},
	} {
		b.Run("store="+s.name, func(b *testing.B) {
			if s.name != "sqlite" && os.Getenv("COREPROOF_BENCH_STORES") != "all" {
				b.Skip("COREPROOF_BENCH_STORES=all measures the stores in containers")
			}
			exe, err := os.Executable()
			if err != nil {
				b.Fatal(err)
			}
			uri := s.uri(b)
			t, err := target.NewEmbedded(target.EmbeddedOptions{Command: []string{exe, "core-on-server", s.env, uri}})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = t.Close(context.Background()) })
			d, err := t.Start(b.Context(), 1, target.Settings{Flag: true})
			if err != nil {
				b.Fatal(err)
			}
			client := d.Clients("5.4")[0]
			e := &era{bench: &bench{Options: Options{Target: t, Tokens: 10000, Progress: func(Event) {}}}, protocol: "5.4"}
			tokens, err := e.create(b.Context(), client, "rows")
			if err != nil {
				b.Fatal(err)
			}
			gen := &generator.Local{}
			bodies := make([][]byte, len(tokens))
			for i, t := range tokens {
				_, _, _, bodies[i] = client.VerifyHTTP(adapter.VerifyRequest{AccessToken: t, CheckDatabase: true})
			}
			if err := gen.Load(b.Context(), "on", bodies); err != nil {
				b.Fatal(err)
			}
			measure := func() (p50, us float64) {
				var medians, costs []float64
				for i := range 7 {
					before := cpu(d)
					res, err := gen.Run(b.Context(), generator.Job{Kind: generator.Closed, Protocol: "5.4", Sides: []generator.Side{e.side("core", d, true)}, Duration: 700 * time.Millisecond, Connections: 2, Seed: uint64(i)})
					if err != nil {
						b.Fatal(err)
					}
					if res.Sides[0].Wrong > 0 {
						b.Fatalf("%d wrong, e.g. %s", res.Sides[0].Wrong, res.Sides[0].Example)
					}
					h, err := res.Sides[0].Histogram()
					if err != nil {
						b.Fatal(err)
					}
					medians = append(medians, float64(h.ValueAtQuantile(50))/1e3)
					costs = append(costs, spent(before, cpu(d))/float64(res.Sides[0].Calls))
				}
				slices.Sort(medians)
				slices.Sort(costs)
				return medians[len(medians)/2], costs[len(costs)/2]
			}
			for b.Loop() {
				p0, c0 := measure()
				m0 := rss(b, d)
				if err := fill(b.Context(), s.kind, uri, rows); err != nil {
					b.Fatal(err)
				}
				p1, c1 := measure()
				b.ReportMetric(p0, "p50-10k-µs")
				b.ReportMetric(p1, "p50-1M-µs")
				b.ReportMetric(p1/p0, "p50-ratio")
				b.ReportMetric(c1/c0, "cpu-ratio")
				b.ReportMetric(rss(b, d)/m0, "rss-ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func rss(b *testing.B, d target.Deployment) float64 {
	b.Helper()
	var sum float64
	for _, p := range d.Processes() {
		n, err := p.RSS()
		if err != nil {
			b.Skipf("memory: %v", err)
		}
		sum += float64(n)
	}
	return sum
}

// BenchmarkMemory: the core's memory after 100,000 sessions against 1,000, on a
// store outside the process, each after the same load of verifies.
func BenchmarkMemory(b *testing.B) {
	if os.Getenv("COREPROOF_BENCH_STORES") != "all" {
		b.Skip("COREPROOF_BENCH_STORES=all measures the stores in containers")
	}
	if !meter.CPUClock {
		b.Skip("memory of processes cannot be read here")
	}
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	t, err := target.NewEmbedded(target.EmbeddedOptions{Command: []string{exe, "core-on-server", "POSTGRESQL_CONNECTION_URI", dbtest.Postgres(b).Fresh(b)}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = t.Close(context.Background()) })
	for b.Loop() {
		d, err := t.Start(b.Context(), 1, target.Settings{Flag: true})
		if err != nil {
			b.Fatal(err)
		}
		client := d.Clients("5.4")[0]
		after := func(sessions int, users string) float64 {
			e := &era{bench: &bench{Options: Options{Target: t, Tokens: sessions, Progress: func(Event) {}}}, protocol: "5.4"}
			tokens, err := e.create(b.Context(), client, users)
			if err != nil {
				b.Fatal(err)
			}
			gen := &generator.Local{}
			bodies := make([][]byte, min(len(tokens), 1000))
			for i := range bodies {
				_, _, _, bodies[i] = client.VerifyHTTP(adapter.VerifyRequest{AccessToken: tokens[i], CheckDatabase: true})
			}
			if err := gen.Load(b.Context(), "on", bodies); err != nil {
				b.Fatal(err)
			}
			if _, err := gen.Run(b.Context(), generator.Job{Kind: generator.Closed, Protocol: "5.4", Sides: []generator.Side{e.side("core", d, true)}, Duration: 5 * time.Second, Connections: 8, Seed: 1}); err != nil {
				b.Fatal(err)
			}
			return rss(b, d)
		}
		few := after(1000, "few")
		many := after(100_000, "many")
		b.ReportMetric(few/(1<<20), "MiB-1k")
		b.ReportMetric(many/(1<<20), "MiB-100k")
		b.ReportMetric(many/few, "rss-ratio")
		if err := d.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

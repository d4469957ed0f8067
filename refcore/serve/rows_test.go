package serve_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"
	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
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
	case "postgresql":
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
	case "mongodb":
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
// was filled in, and its memory. COREPROOF_BENCH_ROWS asks for another number.
func BenchmarkRows(b *testing.B) {
	rows := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("COREPROOF_BENCH_ROWS")); err == nil {
		rows = n
	}
	benchmarked(b, func(b *testing.B, db kindtest.Database) {
		uri := db.Fresh(b)
		core := startCore(b, db.Environ(uri))
		pop := populate(b, core, 10_000)
		measure := func() (p50, us float64) {
			var medians, costs []float64
			for range 7 {
				c, m := cost(b, core, pop.on, 2, 700*time.Millisecond)
				medians, costs = append(medians, float64(m.Nanoseconds())/1e3), append(costs, c)
			}
			return median(medians), median(costs)
		}
		for b.Loop() {
			p0, c0 := measure()
			m0 := rss(b, core)
			if err := fill(b.Context(), db.Kind.Name, uri, rows); err != nil {
				b.Fatal(err)
			}
			p1, c1 := measure()
			b.ReportMetric(p0, "p50-before-µs")
			b.ReportMetric(p1, "p50-after-µs")
			b.ReportMetric(p1/p0, "p50-ratio")
			b.ReportMetric(c1/c0, "cpu-ratio")
			b.ReportMetric(rss(b, core)/m0, "rss-ratio")
		}
		b.ReportMetric(0, "ns/op")
	})
}

// rss is the resident memory of a core in bytes.
func rss(b *testing.B, p *process) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		b.Skipf("memory: %v", err)
	}
	var size, resident float64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		b.Fatal(err)
	}
	return resident * float64(os.Getpagesize())
}

// BenchmarkMemory: the core's memory after 101,000 sessions against 1,000, on
// stores outside the process, each after the same load of verifies.
func BenchmarkMemory(b *testing.B) {
	benchmarked(b, func(b *testing.B, db kindtest.Database) {
		if db.Server == nil {
			b.Skip("this store is in the core's memory")
		}
		core := startCore(b, db.Environ(db.Fresh(b)))
		after := func(sessions int) float64 {
			load(b, core.url, populate(b, core, sessions).on[:1000], 8, 5*time.Second)
			return rss(b, core)
		}
		for b.Loop() {
			few := after(1000)
			many := after(100_000)
			b.ReportMetric(few/(1<<20), "MiB-1k")
			b.ReportMetric(many/(1<<20), "MiB-101k")
			b.ReportMetric(many/few, "rss-ratio")
		}
		b.ReportMetric(0, "ns/op")
	})
}

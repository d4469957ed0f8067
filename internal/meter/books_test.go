package meter_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	_ "modernc.org/sqlite"

	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/mongo"
	mysqlstore "github.com/coreproof/coreproof/refcore/store/mysql"
	"github.com/coreproof/coreproof/refcore/store/postgres"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// kind is a database with its store, its books, and a way to change its schema
// behind the store's back.
type kind struct {
	name    string
	product string
	tls     string
	fresh   func(*testing.T) string
	store   func(context.Context, store.Config) (store.Store, error)
	books   func(ctx context.Context, uri string, st store.Store) (meter.Database, error)
	index   func(t *testing.T, uri string)
}

var kinds = []kind{
	{
		"sqlite", "SQLite", "none", func(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions.db") }, sqlite.Open,
		func(_ context.Context, uri string, st store.Store) (meter.Database, error) {
			return meter.SQLite(uri, func(context.Context) (uint64, error) { return st.Statements(), nil })
		},
		func(t *testing.T, uri string) { execSQL(t, "sqlite", uri) },
	},
	{"postgres", "PostgreSQL", "no", func(t *testing.T) string { return dbtest.Postgres(t).Fresh(t) }, postgres.Open, server(meter.Postgres), indexPostgres},
	{"mysql", "MySQL", "no", func(t *testing.T) string { return dbtest.MySQL(t).Fresh(t) }, mysqlstore.Open, server(meter.MySQL), indexMySQL},
	{"mariadb", "MariaDB", "no", func(t *testing.T) string { return dbtest.MariaDB(t).Fresh(t) }, mysqlstore.Open, server(meter.MySQL), indexMySQL},
	{"mongo", "FerretDB", "no", func(t *testing.T) string { return dbtest.Mongo(t).Fresh(t) }, mongo.Open, server(meter.Mongo), indexMongo},
}

func server(open func(ctx context.Context, uri, database string, p meter.Process) (meter.Database, error)) func(context.Context, string, store.Store) (meter.Database, error) {
	return func(ctx context.Context, uri string, _ store.Store) (meter.Database, error) {
		u, err := url.Parse(uri)
		if err != nil {
			return nil, err
		}
		return open(ctx, uri, strings.TrimPrefix(u.Path, "/"), nil)
	}
}

func (k kind) open(t *testing.T) (uri string, st store.Store, books meter.Database) {
	t.Helper()
	uri = k.fresh(t)
	st, err := k.store(t.Context(), store.Config{URI: uri, MinIdle: 4})
	if err != nil {
		t.Fatal(err)
	}
	books, err = k.books(t.Context(), uri, st)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := books.Close(); err != nil {
			t.Errorf("close the books: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return uri, st, books
}

// TestBooks on every database. Some servers count for all their databases
// together, so one server's steps follow each other.
func TestBooks(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			uri, st, books := k.open(t)
			product(t, k, books)
			rows(t, st, books)
			statements(t, st, books)
			schema(t, k, uri, books)
			filled(t, st, books)
		})
	}
}

// TestV13FailuresAreTold: a database without the core's tables has no rows to count and
// nothing to compact. MySQL tells of it in a row of its answer, not by an error.
func TestV13FailuresAreTold(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		if k.name == "sqlite" || k.name == "mongo" {
			continue // these compact as a whole, or make a collection by asking for it
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			books, err := k.books(t.Context(), k.fresh(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = books.Close() })
			if err := books.Compact(t.Context()); err == nil {
				t.Error("a table that is not there was compacted")
			}
			if n, err := books.SessionRows(t.Context()); err == nil {
				t.Errorf("%d rows in a table that is not there", n)
			}
			if err := books.Fill(t.Context(), 10); err == nil {
				t.Error("a table that is not there was filled")
			}
		})
	}
}

func product(t *testing.T, k kind, books meter.Database) {
	t.Helper()
	name, version, err := books.Product(t.Context())
	if err != nil || version == "" || name != k.product && k.name != "mongo" {
		t.Errorf("product %q %q, %v", name, version, err)
	}
	if got, err := books.TLS(t.Context()); err != nil || got != k.tls {
		t.Errorf("TLS %q, %v, want %q", got, err, k.tls)
	}
	if set, err := books.Settings(t.Context()); err != nil || len(set) == 0 && k.name != "mongo" { // what a client asks of it, it does not tell
		t.Errorf("settings %v, %v", set, err)
	}
	if books.Source() == "" || books.Process() != nil {
		t.Errorf("source %q, process %v", books.Source(), books.Process())
	}
}

func session(i int) store.Session {
	return store.Session{
		Handle: fmt.Sprintf("handle-%d", i), UserID: "u", RefreshHash2: strings.Repeat("a", 64), Data: []byte(`{}`), Payload: []byte(`{}`),
		CreatedAt: 1, ExpiresAt: 1 << 50,
	}
}

func rows(t *testing.T, st store.Store, books meter.Database) {
	t.Helper()
	const n = 7
	for i := range n {
		if err := st.CreateSession(t.Context(), session(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := books.SessionRows(t.Context()); err != nil || got != n {
		t.Errorf("%d rows, %v, want %d", got, err, n)
	}
	if _, err := st.Delete(t.Context(), []string{"handle-6"}); err != nil {
		t.Fatal(err)
	}
	if got, err := books.SessionRows(t.Context()); err != nil || got != n-1 {
		t.Errorf("%d rows after a delete, %v, want %d", got, err, n-1)
	}
	if err := books.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := books.Bytes(t.Context()); err != nil || got <= 0 {
		t.Errorf("%d bytes, %v", got, err)
	}
}

// statements: N reads are N statements in the books, and reading the books is none.
func statements(t *testing.T, st store.Store, books meter.Database) {
	t.Helper()
	read := func() uint64 {
		t.Helper()
		n, err := books.Statements(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := read()
	for range 5 {
		if n := read(); n != first {
			t.Fatalf("the books went from %d to %d while nobody asked but the meter", first, n)
		}
	}
	for _, n := range []int{1, 10, 100} {
		before, sent := read(), st.Statements()
		for i := range n {
			want := error(nil)
			handle := fmt.Sprintf("handle-%d", i%6)
			if i%3 == 2 { // a refusal costs what an acceptance costs
				handle, want = "none", store.ErrNotFound
			}
			if _, err := st.Liveness(t.Context(), handle); err != want {
				t.Fatalf("read %s: %v", handle, err)
			}
		}
		if got := read() - before; got != uint64(n) || st.Statements()-sent != uint64(n) {
			t.Errorf("%d reads are %d statements in the books (%s) and %d in the store's own count", n, got, books.Source(), st.Statements()-sent)
		}
	}
	before := read()
	if _, err := st.Delete(t.Context(), []string{"handle-0"}); err != nil {
		t.Fatal(err)
	}
	if got := read() - before; got != 1 {
		t.Errorf("the delete of one session is %d statements in the books", got)
	}
}

// filled: rows are made up beside those that are there, which stay as they were.
func filled(t *testing.T, st store.Store, books meter.Database) {
	t.Helper()
	const want = 1000
	if err := books.Fill(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := books.SessionRows(t.Context()); err != nil || n != want {
			t.Errorf("%d rows after filling, %v, want %d", n, err, want)
		}
		if err := books.Fill(t.Context(), 10); err != nil { // there are more
			t.Error(err)
		}
	}
	if list, err := st.Handles(t.Context(), "u", 0); err != nil || len(list) != 5 {
		t.Errorf("the user has %d sessions, %v, want 5", len(list), err)
	}
	if _, err := st.Liveness(t.Context(), "handle-1"); err != nil {
		t.Errorf("a session that was there: %v", err)
	}
	if _, err := st.Delete(t.Context(), []string{"handle-1"}); err != nil {
		t.Error(err)
	}
	if n, err := books.SessionRows(t.Context()); err != nil || n != want-1 {
		t.Errorf("%d rows after a delete, %v, want %d", n, err, want-1)
	}
}

// schema: what the flag must not change has a hash that rows do not change and
// an index does.
func schema(t *testing.T, k kind, uri string, books meter.Database) {
	t.Helper()
	hash := func(b meter.Database) string {
		t.Helper()
		h, err := b.SchemaHash(t.Context())
		if err != nil || h == "" {
			t.Fatalf("schema hash %q, %v", h, err)
		}
		return h
	}
	_, _, other := k.open(t)
	before := hash(books)
	if got := hash(other); got != before {
		t.Errorf("two databases of one version have the schemas %s and %s", before, got)
	}
	k.index(t, uri)
	if hash(books) == before {
		t.Error("a new index did not change the hash of the schema")
	}
	if hash(other) == hash(books) {
		t.Error("the other database has the new index too")
	}
}

const newIndex = "CREATE INDEX extra ON session_info (expires_at)"

func execSQL(t *testing.T, driverName, dsn string) {
	t.Helper()
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), newIndex); err != nil {
		t.Fatal(err)
	}
}

// TestPingsArePings: on PostgreSQL what a pool asks to test a connection is no statement,
// also where it was prepared, and a read of the session table is one.
func TestPingsArePings(t *testing.T) {
	t.Parallel()
	uri, _, books := kinds[1].open(t)
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for query, want := range map[string]uint64{"SELECT 1": 0, "select 1 as alive;": 0, ";": 0, "SELECT 1 FROM session_info WHERE session_handle = 'x'": 2} {
		before, err := books.Statements(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeCacheStatement} {
			if _, err := conn.Exec(t.Context(), query, mode); err != nil {
				t.Fatalf("%q: %v", query, err)
			}
		}
		if after, err := books.Statements(t.Context()); err != nil || after-before != want {
			t.Errorf("%q, twice: counted %d, %v, want %d", query, after-before, err, want)
		}
	}
}

func indexPostgres(t *testing.T, uri string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), newIndex); err != nil {
		t.Fatal(err)
	}
}

func indexMySQL(t *testing.T, uri string) {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName, cfg.User = "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	execSQL(t, "mysql", cfg.FormatDSN())
}

func indexMongo(t *testing.T, uri string) {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	c, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Disconnect(context.Background()) }()
	_, err = c.Database(strings.TrimPrefix(u.Path, "/")).Collection("session_info").Indexes().
		CreateOne(t.Context(), driver.IndexModel{Keys: bson.D{{Key: "extra", Value: 1}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPostgresCountsOnlyItsOwnDatabase: a proof reads the books while other
// databases of the server are busy.
func TestPostgresCountsOnlyItsOwnDatabase(t *testing.T) {
	t.Parallel()
	pg := kinds[1]
	_, _, books := pg.open(t)
	_, busy, _ := pg.open(t)
	before, err := books.Statements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := busy.Liveness(t.Context(), "none"); err != store.ErrNotFound {
			t.Fatal(err)
		}
	}
	if after, err := books.Statements(t.Context()); err != nil || after != before {
		t.Errorf("statements of another database were counted: %d, %v", after-before, err)
	}
}

// TestBooksOfADeadServer are an error, in time.
func TestBooksOfADeadServer(t *testing.T) {
	t.Parallel()
	const at = "127.0.0.1:1" // nobody listens there
	for name, open := range map[string]func() (meter.Database, error){
		"postgres": func() (meter.Database, error) {
			return meter.Postgres(t.Context(), "postgresql://u:pw-secret@"+at+"/d", "d", nil)
		},
		"mysql": func() (meter.Database, error) {
			return meter.MySQL(t.Context(), "mysql://u:pw-secret@"+at+"/d", "d", nil)
		},
		"mongo": func() (meter.Database, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			return meter.Mongo(ctx, "mongodb://"+at+"/d", "d", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := open()
			if err == nil {
				_ = b.Close()
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "pw-secret") {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

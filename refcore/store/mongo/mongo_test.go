package mongo

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

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
	storetest.Run(t, backend(dbtest.Mongo(t)))
}

func TestOutages(t *testing.T) {
	server := dbtest.Mongo(t)
	storetest.RunOutages(t, backend(server), server)
}

func TestOpenErrors(t *testing.T) {
	storetest.RefusesToOpen(t, Open, "mongodb://localhost:1/name")
}

// TestConcerns watches what is sent: the server of these tests takes concerns
// without checking them.
func TestT1Concerns(t *testing.T) {
	server := dbtest.Mongo(t)
	for _, tc := range []struct{ name, options, level string }{
		{"a server that is alone", "w=0&journal=false&readPreference=secondary&retryWrites=true", "local"},
		{"a level from the URI", "readConcernLevel=linearizable", "linearizable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			var log commandLog
			cfg := store.Config{URI: server.Fresh(t) + "?" + tc.options}
			s, err := openWith(ctx, cfg, func(o *options.ClientOptions) { o.SetMonitor(log.monitor()) })
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			log.take() // Open's own
			x := store.Session{Handle: "handle", UserID: "user", RefreshHash2: "hash", ExpiresAt: 10}
			for _, call := range []struct {
				name    string
				command string // of all commands it sends
				n       int
				do      func() error
			}{
				{"create", "insert", 1, func() error { return s.CreateSession(ctx, x) }},
				{"session", "find", 1, func() error { _, err := s.Session(ctx, "handle"); return err }},
				{"liveness", "find", 1, func() error { _, err := s.Liveness(ctx, "handle"); return err }},
				{"rotate", "update", 1, func() error {
					_, err := s.Rotate(ctx, "handle", store.Rotation{Expect: "hash", RefreshHash2: "hash", ExpiresAt: 10})
					return err
				}},
				{"set data", "update", 1, func() error { _, err := s.SetData(ctx, "handle", nil, 0); return err }},
				{"set payload", "update", 1, func() error { _, err := s.SetPayload(ctx, "handle", nil, 0); return err }},
				{"handles", "find", 1, func() error { _, err := s.Handles(ctx, "user", 0); return err }},
				{"delete", "delete", 1, func() error { _, err := s.Delete(ctx, []string{"handle"}); return err }},
				{"delete three", "delete", 3, func() error { _, err := s.Delete(ctx, []string{"a", "b", "c", "a"}); return err }},
				{"dynamic keys", "find", 1, func() error { _, err := s.DynamicKeys(ctx); return err }},
				{"add dynamic key", "insert", 1, func() error { _, err := s.AddDynamicKey(ctx, 0, store.Key{CreatedAt: 1}); return err }},
				{"delete dynamic keys", "delete", 1, func() error { _, err := s.DeleteDynamicKeys(ctx, 9); return err }},
				{"static keys", "find", 1, func() error { _, err := s.StaticKeys(ctx); return err }},
				{"add static key", "insert", 1, func() error { _, err := s.AddStaticKey(ctx, store.Key{ID: "s-1"}); return err }},
			} {
				before := s.Statements()
				if err := call.do(); err != nil {
					t.Fatalf("%s: %v", call.name, err)
				}
				sent := log.take()
				if len(sent) != call.n || s.Statements()-before != uint64(call.n) {
					t.Errorf("%s: sent %d commands, counted %d, want %d", call.name, len(sent), s.Statements()-before, call.n)
				}
				for _, c := range sent {
					if name := c.Index(0).Key(); name != call.command {
						t.Errorf("%s: sent %s, want %s", call.name, name, call.command)
					}
					checkConcern(t, call.name, c, tc.level)
				}
			}
		})
	}
}

func checkConcern(t *testing.T, what string, c bson.Raw, level string) {
	t.Helper()
	if mode, ok := c.Lookup("$readPreference", "mode").StringValueOK(); ok && mode != "primary" && mode != "primaryPreferred" {
		t.Errorf("%s: read preference %q", what, mode)
	}
	if c.Index(0).Key() == "find" {
		if got, _ := c.Lookup("readConcern", "level").StringValueOK(); got != level {
			t.Errorf("%s: read concern %q, want %q", what, got, level)
		}
		return
	}
	w, _ := c.Lookup("writeConcern", "w").StringValueOK()
	j, _ := c.Lookup("writeConcern", "j").BooleanOK()
	if w != "majority" || !j {
		t.Errorf("%s: write concern %v, want majority and journaled", what, c.Lookup("writeConcern"))
	}
	if upsert, _ := c.Lookup("updates", "0", "upsert").BooleanOK(); upsert {
		t.Errorf("%s: an upsert brings deleted sessions back", what)
	}
	if _, err := c.LookupErr("startTransaction"); err == nil {
		t.Errorf("%s: a transaction, which the server of these tests would not undo", what)
	}
}

// commandLog holds the commands that a client sent.
type commandLog struct {
	mu   sync.Mutex
	sent []bson.Raw
}

func (l *commandLog) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, slices.Clone(e.Command))
	}}
}

func (l *commandLog) take() []bson.Raw {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent
	l.sent = nil
	return sent
}

func TestT1ReadLevel(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		hello bson.D
		asked *readconcern.ReadConcern
		want  string
	}{
		{"alone", bson.D{{Key: "isWritablePrimary", Value: true}}, nil, "local"},
		{"member of a set", bson.D{{Key: "setName", Value: "rs0"}}, nil, "linearizable"},
		{"router of a cluster", bson.D{{Key: "msg", Value: "isdbgrid"}}, nil, "linearizable"},
		{"member of a set, the URI has a level", bson.D{{Key: "setName", Value: "rs0"}}, readconcern.Local(), "local"},
		{"alone, the URI has a level", bson.D{}, readconcern.Majority(), "majority"},
	} {
		hello, err := bson.Marshal(tc.hello)
		if err != nil {
			t.Fatal(err)
		}
		if got := readLevel(hello, tc.asked); got.Level != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got.Level, tc.want)
		}
	}
}

func TestDatabaseName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ uri, configured, want string }{
		{"mongodb://h/inuri", "", "inuri"},
		{"mongodb://h/inuri?w=1", "configured", "configured"},
		{"mongodb://u:p@a:1,b:2/in%20uri?w=1", "", "in uri"},
		{"mongodb://u:p@a:1,b:2/?w=1", "configured", "configured"},
		{"mongodb://h", "configured", "configured"},
		{"mongodb://h", "", ""},
	} {
		got, err := databaseName(store.Config{URI: tc.uri, Database: tc.configured})
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s and %q: got %q, %v, want %q", tc.uri, tc.configured, got, err, tc.want)
		}
	}
}

func TestPoolSizes(t *testing.T) {
	t.Parallel()
	var open, most atomic.Int64
	cfg := store.Config{URI: dbtest.Mongo(t).Fresh(t), PoolSize: 4, MinIdle: 2}
	s, err := openWith(t.Context(), cfg, func(o *options.ClientOptions) {
		o.SetPoolMonitor(&event.PoolMonitor{Event: func(e *event.PoolEvent) {
			switch e.Type {
			case event.ConnectionCreated:
				most.Store(max(most.Load(), open.Add(1)))
			case event.ConnectionClosed:
				open.Add(-1)
			}
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for deadline := time.Now().Add(20 * time.Second); open.Load() < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open, want MinIdle, 2", open.Load())
		}
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := s.CreateSession(t.Context(), store.Session{Handle: rand.Text()}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n > 4 {
		t.Errorf("%d connections were open, want at most PoolSize, 4", n)
	}
}

// BenchmarkLiveness compares with the bare driver's point select.
func BenchmarkLiveness(b *testing.B) {
	ctx := b.Context()
	s, err := openWith(ctx, store.Config{URI: dbtest.Mongo(b).Fresh(b)}, nil)
	if err != nil {
		b.Fatal(err)
	}
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
			var d document
			if err := s.sessions.FindOne(ctx, bson.D{{Key: "_id", Value: "handle"}}, livenessFields).Decode(&d); err != nil {
				b.Fatal(err)
			}
		}
	})
}

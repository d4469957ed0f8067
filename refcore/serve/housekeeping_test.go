package serve_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/postgres"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
	"github.com/coreproof/coreproof/refcore/token"
)

// BenchmarkHousekeeping: p99 of verify with the flag on, quiet against with the
// clean-up job deleting 2,000 expired rows and a signing key rotation under way,
// in interleaved stretches of the same engine.
func BenchmarkHousekeeping(b *testing.B) {
	for _, s := range []struct {
		name string
		open func(*testing.B) (store.Store, error)
	}{
		{"sqlite", func(b *testing.B) (store.Store, error) {
			return sqlite.Open(b.Context(), store.Config{URI: filepath.Join(b.TempDir(), "sessions.db")})
		}},
		{"postgres", func(b *testing.B) (store.Store, error) {
			return postgres.Open(b.Context(), store.Config{URI: dbtest.Postgres(b).Fresh(b)})
		}},
	} {
		b.Run("store="+s.name, func(b *testing.B) {
			if s.name != "sqlite" && os.Getenv("COREPROOF_BENCH_STORES") != "all" {
				b.Skip("COREPROOF_BENCH_STORES=all measures the stores in containers")
			}
			st, err := s.open(b)
			if err != nil {
				b.Fatal(err)
			}
			housekeeping(b, st)
		})
	}
}

func housekeeping(b *testing.B, st store.Store) {
	var offset atomic.Int64 // ns; moving the clock makes keys due
	set := refcore.DefaultSettings()
	set.KeyInterval, set.AccessValidity, set.CleanupEvery = time.Hour, 10000*time.Hour, 0
	set.RefreshValidity = 20000 * time.Hour
	engine, err := refcore.New(b.Context(), refcore.Options{Store: st, Settings: set, Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		engine.Close()
		_ = st.Close()
	})
	h, err := httpapi.New(httpapi.Options{Engine: engine})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	client, err := cdi.New(protocol.DialOptions{BaseURL: srv.URL, Version: "5.4"})
	if err != nil {
		b.Fatal(err)
	}
	var bodies [][]byte
	for i := range 2000 {
		t, err := client.Create(b.Context(), protocol.CreateRequest{UserID: fmt.Sprint(i)})
		if err != nil || t.Status != protocol.OK {
			b.Fatalf("create session %d: %s, %v", i, t.Status, err)
		}
		_, _, _, body := client.VerifyHTTP(protocol.VerifyRequest{AccessToken: t.Access.Value, CheckDatabase: true})
		bodies = append(bodies, body)
	}
	gen := &generator.Local{}
	if err := gen.Load(b.Context(), "on", bodies); err != nil {
		b.Fatal(err)
	}
	method, url, header, _ := client.VerifyHTTP(protocol.VerifyRequest{})
	job := generator.Job{Kind: generator.Open, Protocol: "CDI", Version: "5.4", RateHz: 500, Duration: 2 * time.Second, Connections: 8,
		Sides: []generator.Side{{Name: "core", Method: method, URLs: []string{url}, Header: header, Set: "on"}}}
	p99 := func() float64 {
		res, err := gen.Run(b.Context(), job)
		if err != nil {
			b.Fatal(err)
		}
		if w := res.Sides[0].Wrong; w > 0 {
			b.Fatalf("%d calls went wrong, e.g. %s", w, res.Sides[0].Example)
		}
		return float64(res.Sides[0].Latency.ValueAtQuantile(99)) / 1e3
	}
	var quiet, busy []float64
	deleted, rotated := 0, 0
	for b.Loop() {
		for range 8 {
			quiet = append(quiet, p99())
			expire(b, st, 2000)
			var wg sync.WaitGroup
			wg.Go(func() {
				n, err := engine.CleanUp(b.Context())
				if err != nil {
					b.Errorf("clean-up: %v", err)
				}
				deleted += n
			})
			wg.Go(func() {
				offset.Add(int64(time.Hour)) // the current key is due
				engine.Keys().Refresh(b.Context())
				rotated++
			})
			busy = append(busy, p99())
			wg.Wait()
		}
	}
	slices.Sort(quiet)
	slices.Sort(busy)
	q, w := quiet[len(quiet)/2], busy[len(busy)/2]
	b.ReportMetric(q, "p99-quiet-µs")
	b.ReportMetric(w, "p99-busy-µs")
	b.ReportMetric(w/q, "p99-ratio")
	b.ReportMetric(float64(deleted), "rows-deleted")
	b.ReportMetric(float64(rotated), "rotations")
	b.ReportMetric(0, "ns/op")
}

// expire adds rows that have expired.
func expire(b *testing.B, st store.Store, n int) {
	b.Helper()
	for range n {
		row := store.Session{Handle: token.NewUUID(), UserID: "x", RefreshHash2: "h", Data: []byte("{}"), Payload: []byte("{}"), ExpiresAt: 1}
		if err := st.CreateSession(b.Context(), row); err != nil {
			b.Fatal(err)
		}
	}
}

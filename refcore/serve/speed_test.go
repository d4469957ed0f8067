package serve_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"
)

// benchmarked are the databases to measure: those in containers only with
// COREPROOF_BENCH_STORES=all.
func benchmarked(b *testing.B, run func(b *testing.B, db kindtest.Database)) {
	for _, db := range kindtest.All() {
		b.Run("store="+db.Name, func(b *testing.B) {
			if db.Server != nil && os.Getenv("COREPROOF_BENCH_STORES") != "all" {
				b.Skip("COREPROOF_BENCH_STORES=all measures the stores in containers")
			}
			run(b, db)
		})
	}
}

// BenchmarkSaturated compares the CPU per verify of the core with that of a bare
// handler, each in a process of its own with one thread of Go, saturated in
// turn: off against bare, and the extra of the flag against one bare driver
// select. COREPROOF_BENCH_ROUNDS asks for more rounds.
func BenchmarkSaturated(b *testing.B) {
	rounds := 8
	if n, err := strconv.Atoi(os.Getenv("COREPROOF_BENCH_ROUNDS")); err == nil {
		rounds = n
	}
	benchmarked(b, func(b *testing.B, db kindtest.Database) {
		uri := db.Fresh(b)
		core := startCore(b, db.Environ(uri), "GOMAXPROCS=1")
		pop := populate(b, core, 10_000)
		jwks := core.url + "/.well-known/jwks.json"
		arms := []*struct {
			name   string
			p      *process
			bodies [][]byte
			us     []float64
		}{
			{"core-off", core, pop.off, nil},
			{"core-on", startCore(b, db.Environ(uri), "GOMAXPROCS=1"), pop.on, nil},
			{"bare-off", startProcess(b, []string{"GOMAXPROCS=1"}, "bare", "none", "-", jwks), pop.off, nil},
			{"bare-on", startProcess(b, []string{"GOMAXPROCS=1"}, "bare", db.Kind.Name, uri, jwks), pop.on, nil},
		}
		for b.Loop() {
			for range rounds {
				for _, i := range rand.Perm(len(arms)) {
					a := arms[i]
					load(b, a.p.url, a.bodies, 8, 100*time.Millisecond)
					us, _ := cost(b, a.p, a.bodies, 8, 700*time.Millisecond)
					a.us = append(a.us, us)
				}
			}
		}
		by := map[string]float64{}
		for _, a := range arms {
			by[a.name] = median(a.us)
			b.ReportMetric(by[a.name], a.name+"-µs/call")
		}
		b.ReportMetric(by["core-off"]/by["bare-off"], "off/bare")
		b.ReportMetric((by["core-on"]-by["core-off"])/(by["bare-on"]-by["bare-off"]), "extra/bare-extra")
		b.ReportMetric(0, "ns/op")
	})
}

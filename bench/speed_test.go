package bench

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// coreEnviron is the environment of a core on another database than its target's.
func coreEnviron(name, uri string) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "SQLITE_DATABASE_PATH=") })
	return append(env, name+"="+uri)
}

// BenchmarkSaturated compares the CPU per verify of the reference core with
// that of a bare handler, each in a process of its own, all saturated in turn
// on the same CPU: off against bare, and the extra of the flag against one bare
// driver select. Memoising and coalescing: none. Set COREPROOF_BENCH_STORES=all
// for the stores in containers, COREPROOF_BENCH_ROUNDS for more rounds.
func BenchmarkSaturated(b *testing.B) {
	stores := []struct {
		name, bare, env string
		uri             func(*testing.B) string
	}{
		{"sqlite", "sqlite", "SQLITE_DATABASE_PATH", func(b *testing.B) string { return filepath.Join(b.TempDir(), "sessions.db") }},
		{"postgres", "postgres", "POSTGRESQL_CONNECTION_URI", func(b *testing.B) string { return dbtest.Postgres(b).Fresh(b) }},
		{"mysql", "mysql", "MYSQL_CONNECTION_URI", func(b *testing.B) string { return dbtest.MySQL(b).Fresh(b) }},
		{"mariadb", "mysql", "MYSQL_CONNECTION_URI", func(b *testing.B) string { return dbtest.MariaDB(b).Fresh(b) }},
		{"mongo", "mongo", "MONGODB_CONNECTION_URI", func(b *testing.B) string { return dbtest.Mongo(b).Fresh(b) }},
	}
	for _, s := range stores {
		b.Run("store="+s.name, func(b *testing.B) {
			if s.name != "sqlite" && os.Getenv("COREPROOF_BENCH_STORES") != "all" {
				b.Skip("COREPROOF_BENCH_STORES=all measures the stores in containers")
			}
			saturate(b, s.bare, s.env, s.uri(b))
		})
	}
}

// arm is one server and the kind of verify that it is asked for.
type arm struct {
	name  string
	check bool
	dep   target.Deployment
	us    []float64 // CPU per call, a round each
}

func saturate(b *testing.B, bareKind, env, uri string) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	settings := target.Settings{GOMAXPROCS: 1}
	if cpus, err := affinity.Allowed(); err == nil && len(cpus) > 1 && affinity.Supported {
		settings.CPUs = cpus[len(cpus)-1:]
		if err := affinity.Self(cpus[:len(cpus)-1]); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = affinity.Self(cpus) }()
	}
	up := func(command ...string) target.Deployment {
		t, err := target.NewEmbedded(target.EmbeddedOptions{Command: append([]string{exe}, command...)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = t.Close(context.Background()) })
		d, err := t.Start(b.Context(), 1, settings)
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	here, err := target.NewEmbedded(target.EmbeddedOptions{Command: []string{exe}}) // names the bench in its progress
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = here.Close(context.Background()) })
	core := up("core-on-server", env, uri)
	client := core.Clients("5.4")[0]
	e := &era{bench: &bench{Options: Options{Target: here, Tokens: 10000, Progress: func(Event) {}}}}
	tokens, err := e.create(b.Context(), client, "speed")
	if err != nil {
		b.Fatal(err)
	}
	jwks := client.URL() + "/.well-known/jwks.json"
	arms := []*arm{
		{name: "core-off", dep: core}, {name: "core-on", check: true, dep: up("core-on-server", env, uri)},
		{name: "bare-off", dep: up("bare", "none", "-", jwks)}, {name: "bare-on", check: true, dep: up("bare", bareKind, uri, jwks)},
	}
	gen := &generator.Local{}
	for _, check := range []bool{false, true} {
		bodies := make([][]byte, len(tokens))
		for i, t := range tokens {
			_, _, _, bodies[i] = client.VerifyHTTP(adapter.VerifyRequest{AccessToken: t, CheckDatabase: check})
		}
		if err := gen.Load(b.Context(), setName(check), bodies); err != nil {
			b.Fatal(err)
		}
	}
	rounds := 8
	if n, err := strconv.Atoi(os.Getenv("COREPROOF_BENCH_ROUNDS")); err == nil {
		rounds = n
	}
	e.protocol = "5.4"
	for b.Loop() {
		for range rounds {
			for _, i := range rand.Perm(len(arms)) {
				a := arms[i]
				side := e.side(a.name, a.dep, a.check)
				job := generator.Job{Kind: generator.Closed, Protocol: "5.4", Sides: []generator.Side{side}, Duration: 100 * time.Millisecond, Connections: 8, Seed: rand.Uint64()}
				if _, err := gen.Run(b.Context(), job); err != nil {
					b.Fatal(err)
				}
				job.Duration = 700 * time.Millisecond
				before := cpu(a.dep)
				res, err := gen.Run(b.Context(), job)
				if err != nil {
					b.Fatal(err)
				}
				s := res.Sides[0]
				if s.Wrong > 0 {
					b.Fatalf("%s: %d of %d wrong, e.g. %s", a.name, s.Wrong, s.Calls, s.Example)
				}
				a.us = append(a.us, spent(before, cpu(a.dep))/float64(s.Calls))
			}
		}
	}
	median := map[string]float64{}
	for _, a := range arms {
		slices.Sort(a.us)
		median[a.name] = a.us[len(a.us)/2]
		b.ReportMetric(median[a.name], a.name+"-µs/call")
	}
	b.ReportMetric(median["core-off"]/median["bare-off"], "off/bare")
	b.ReportMetric((median["core-on"]-median["core-off"])/(median["bare-on"]-median["bare-off"]), "extra/bare-extra")
	b.ReportMetric(0, "ns/op")
}

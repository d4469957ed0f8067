package sdktest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/stats"
)

const (
	priceRounds = 12
	priceWindow = 2 * time.Second
	priceRate   = 150.0 // calls per second: far from what any part can serve
	priceTokens = 500
)

// TestPriceOfAProtectedCall measures what the check costs where users feel it: at an API
// that the SDK protects, with the API, the core and the database as processes of their
// own. It takes minutes, so COREPROOF_LONG_TESTS=1 runs it; docs/protected.md has its
// figures. Nothing about time is asserted.
func TestPriceOfAProtectedCall(t *testing.T) {
	if os.Getenv("COREPROOF_LONG_TESTS") == "" {
		t.Skip("COREPROOF_LONG_TESTS=1 runs it")
	}
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	for _, db := range []string{"sqlite", "postgres", "mysql", "mariadb", "mongo"} {
		t.Run(db, func(t *testing.T) { price(t, db) })
	}
}

func price(t *testing.T, db string) {
	ctx := t.Context()
	d, err := descriptor.Find("refcore")
	if err != nil {
		t.Fatal(err)
	}
	x, err := launch.NewDescribed(ctx, launch.DescribedOptions{Descriptor: d, Database: db, StateRoot: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := x.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	dep, err := x.Start(ctx, 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	core := dep.Instances()[0]
	clocks := map[string]meter.Process{"core": core.Process}
	if db != "sqlite" {
		books, err := x.Database(ctx)
		if err != nil {
			t.Fatal(err)
		}
		clocks["database"] = books.Process()
	}
	url, pid := startAPI(t, core.URL)
	clocks["api"] = meter.PID("api", pid)

	cores, err := dep.Cores("3.1")
	if err != nil {
		t.Fatal(err)
	}
	bodies := make([][]byte, priceTokens)
	for i := range bodies {
		s, err := cores[0].Create(ctx, protocol.CreateRequest{UserID: fmt.Sprintf("u-%d", i), Payload: map[string]any{"role": "user"}})
		if err != nil || s.Status != protocol.OK {
			t.Fatalf("create: %s, %v", s.Status, err)
		}
		bodies[i], _ = json.Marshal(map[string]string{"accessToken": s.Access.Value})
	}
	gen := &generator.Local{}
	if err := gen.Load(ctx, "tokens", bodies); err != nil {
		t.Fatal(err)
	}
	window := func(path string, d time.Duration, seed uint64) (us map[string]float64, p50, p99 float64) {
		before := read(t, clocks)
		res, err := gen.Run(ctx, generator.Job{
			Kind: generator.Open, Protocol: "CDI", Version: "3.1", RateHz: priceRate, Duration: d, Connections: 16, Seed: seed,
			Sides: []generator.Side{{Name: path, Method: http.MethodPost, URLs: []string{url + path}, Header: http.Header{"Content-Type": {"application/json"}}, Set: "tokens"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		side := res.Sides[0]
		if side.Wrong > 0 || side.Calls == 0 {
			t.Fatalf("%s: %d of %d calls were wrong, e.g. %s", path, side.Wrong, side.Calls, side.Example)
		}
		us = read(t, clocks)
		for name := range us {
			us[name] = (us[name] - before[name]) / float64(side.Calls)
		}
		return us, float64(side.Latency.ValueAtQuantile(50)) / 1e6, float64(side.Latency.ValueAtQuantile(99)) / 1e6
	}
	for _, path := range []string{"/off", "/on"} {
		window(path, priceWindow, 1) // warm-up
	}
	figures := map[string][]float64{}
	rnd := rand.New(rand.NewPCG(3, 4))
	for round := range priceRounds {
		paths := []string{"off", "on"}
		if rnd.IntN(2) == 0 {
			paths = []string{"on", "off"}
		}
		round := map[string]float64{"seed": float64(round)}
		for _, p := range paths {
			us, p50, p99 := window("/"+p, priceWindow, rnd.Uint64())
			for name, v := range us {
				round[name+" µs, "+p] = v
			}
			round["median ms, "+p], round["p99 ms, "+p] = p50, p99
		}
		for name, v := range round {
			figures[name] = append(figures[name], v)
		}
		for _, name := range []string{"api µs", "core µs", "database µs", "median ms", "p99 ms"} {
			if on, ok := round[name+", on"]; ok {
				figures[name+", on − off"] = append(figures[name+", on − off"], on-round[name+", off"])
			}
		}
	}
	for _, name := range []string{"api µs", "core µs", "database µs", "median ms", "p99 ms"} {
		if len(figures[name+", on"]) == 0 {
			continue
		}
		line := fmt.Sprintf("%-12s", name)
		for _, of := range []string{"off", "on", "on − off"} {
			i := stats.T(figures[name+", "+of], 0.95)
			line += fmt.Sprintf("  %s %.3f [%.3f, %.3f]", of, (i.Low+i.High)/2, i.Low, i.High)
		}
		t.Log(line)
	}
}

// read gives what each has spent, in µs.
func read(t *testing.T, clocks map[string]meter.Process) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for name, c := range clocks {
		d, err := c.CPU()
		if err != nil {
			t.Fatalf("CPU of the %s: %v", name, err)
		}
		out[name] = float64(d.Nanoseconds()) / 1e3
	}
	return out
}

// startAPI starts the protected API as a process.
func startAPI(t *testing.T, coreURL string) (url string, pid int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "api", coreURL)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), apiReady)
	if err != nil || !ok {
		t.Fatalf("the API says %q, %v", line, err)
	}
	return url, cmd.Process.Pid
}

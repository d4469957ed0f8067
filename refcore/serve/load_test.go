package serve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// population is a set of sessions of a core, as verify requests.
type population struct {
	off, on [][]byte // bodies without and with the database check
}

// populate makes n sessions.
func populate(b *testing.B, p *process, n int) population {
	b.Helper()
	pop := population{off: make([][]byte, n), on: make([][]byte, n)}
	work := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range work {
				r, err := p.call(b.Context(), http.MethodPost, "/recipe/session", object{
					"userId": fmt.Sprintf("user-%d", i%1000), "userDataInJWT": object{"role": "user", "n": i}, "userDataInDatabase": object{},
					"enableAntiCsrf": false, "useDynamicSigningKey": true,
				})
				if err != nil || r.Status != "OK" {
					b.Errorf("create: %s, %v", r, err)
					continue
				}
				for check, to := range map[bool][][]byte{false: pop.off, true: pop.on} {
					to[i], _ = json.Marshal(object{"accessToken": r.Access.Token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": check})
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return pop
}

// load calls verify for d over some connections, each as fast as it can, and
// gives the time of each call.
func load(b *testing.B, url string, bodies [][]byte, connections int, d time.Duration) []time.Duration {
	b.Helper()
	return loadAt(b, url, bodies, connections, 0, d)
}

// loadAt is load at a rate of calls a second over all connections; 0 is as fast as they
// can. A connection that is late sends at once.
func loadAt(b *testing.B, url string, bodies [][]byte, connections int, hz float64, d time.Duration) []time.Duration {
	b.Helper()
	began := time.Now()
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	end := began.Add(d)
	for c := range connections {
		wg.Go(func() {
			var mine []time.Duration
			for now := time.Now(); now.Before(end); {
				if hz > 0 {
					nth := len(mine)*connections + c
					time.Sleep(time.Until(began.Add(time.Duration(float64(nth) / hz * 1e9))))
					now = time.Now()
				}
				req, err := http.NewRequest(http.MethodPost, url+"/recipe/session/verify", bytes.NewReader(bodies[rand.IntN(len(bodies))]))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("cdi-version", "5.4")
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				answer, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || !bytes.Contains(answer, []byte(`"status":"OK"`)) {
					b.Errorf("verify: HTTP %d %.200s, %v", resp.StatusCode, answer, err)
					return
				}
				then := time.Now()
				mine, now = append(mine, then.Sub(now)), then
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	wg.Wait()
	if len(all) == 0 {
		b.Fatal("no call was answered")
	}
	return all
}

// cost is the CPU time that a process spends on a call under load, in µs, and
// the median time of a call.
func cost(b *testing.B, p *process, bodies [][]byte, connections int, d time.Duration) (us float64, p50 time.Duration) {
	b.Helper()
	return costAt(b, p, bodies, connections, 0, d)
}

// costAt is cost at a rate; 0 is as fast as the connections can.
func costAt(b *testing.B, p *process, bodies [][]byte, connections int, hz float64, d time.Duration) (us float64, p50 time.Duration) {
	b.Helper()
	before, err := cpuClock(p.cmd.Process.Pid)
	if err != nil {
		b.Skipf("CPU time of processes: %v", err)
	}
	times := loadAt(b, p.url, bodies, connections, hz, d)
	after, err := cpuClock(p.cmd.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(times)
	return float64((after - before).Nanoseconds()) / 1e3 / float64(len(times)), times[len(times)/2]
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

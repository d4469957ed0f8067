package generator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestShedIsCountedApart: of the wrong answers those that turn a call away, in each kind of
// load, here and in another process.
func TestShedIsCountedApart(t *testing.T) {
	t.Parallel()
	for name, g := range generators(t) {
		if err := g.Load(t.Context(), "x", [][]byte{[]byte("{}")}); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Kind{Open, Closed, Paced} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				var n, shed, failed atomic.Int64
				res := enough(t, func(d time.Duration) (Result, error) {
					for _, c := range []*atomic.Int64{&n, &shed, &failed} {
						c.Store(0)
					}
					srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						switch n.Add(1) % 4 {
						case 1:
							shed.Add(1)
							w.WriteHeader(http.StatusServiceUnavailable)
						case 2:
							shed.Add(1)
							w.WriteHeader(http.StatusTooManyRequests)
						case 3:
							failed.Add(1)
							w.WriteHeader(http.StatusInternalServerError)
						default:
							_, _ = io.WriteString(w, okBody)
						}
					}))
					defer srv.Close()
					return g.Run(t.Context(), Job{Kind: kind, Protocol: "CDI", Version: "5.4", Sides: []Side{side("a", srv.URL, "x")}, RateHz: 200, Duration: d, Connections: 2, Seed: 7})
				}, func(r Result) bool { return r.Sides[0].Calls >= 20 })
				if r := res.Sides[0]; r.Shed != shed.Load() || r.Wrong != shed.Load()+failed.Load() || r.Shed == 0 || r.Wrong == r.Shed {
					t.Errorf("%d wrong and %d turned away of %d calls, want %d and %d", r.Wrong, r.Shed, r.Calls, shed.Load()+failed.Load(), shed.Load())
				}
			})
		}
	}
}

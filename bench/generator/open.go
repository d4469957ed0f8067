package generator

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// callTimeout bounds one call; a slower one counts as wrong.
const callTimeout = 30 * time.Second

// open sends at a fixed rate: one vegeta attack whose targeter draws the side
// of each call.
func (w *window) open(ctx context.Context) (Result, error) {
	transport := &http.Transport{
		TLSClientConfig:     w.tls,
		MaxIdleConnsPerHost: max(w.job.Connections, 64),
		MaxIdleConns:        0,
		DisableCompression:  true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	// An attacker is good for one attack; the client carries the connections.
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.Workers(uint64(w.job.Connections*len(w.job.Sides))))

	fragments := make([]string, len(w.job.Sides))
	headers := make([]http.Header, len(w.job.Sides))
	for i, s := range w.job.Sides {
		fragments[i] = "#" + strconv.Itoa(i)
		headers[i] = s.Header.Clone()
		if headers[i] == nil {
			headers[i] = http.Header{}
		}
		// A verify may be sent again where a kept connection was closed before anything
		// was answered: net/http knows that by this header, which is not sent, as it
		// has no value.
		headers[i]["X-Idempotency-Key"] = []string{}
	}
	var n atomic.Uint64
	targeter := func(t *vegeta.Target) error {
		side, body, url := w.draw(n.Add(1) - 1)
		t.Method, t.Header = w.job.Sides[side].Method, headers[side]
		// The fragment stays here and tells the sides apart.
		t.URL, t.Body = url+fragments[side], body
		return nil
	}
	rate := vegeta.ConstantPacer{Freq: int(w.job.RateHz * 1000), Per: 1000 * time.Second}
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	began := time.Now()
	b := newCounters(w)
	lag := NewHistogram()
	due := began.Add(w.job.Duration)
	var backlog int64
	for r := range attacker.Attack(targeter, rate, w.job.Duration, "") {
		// Vegeta counts hits from 0 and sends the first an interval after its start.
		intended := began.Add(time.Duration(float64(r.Seq+1) / w.job.RateHz * float64(time.Second)))
		record(lag, r.Timestamp.Sub(intended))
		if r.Timestamp.Add(r.Latency).After(due) {
			backlog++
		}
		side := sideOf(r.URL)
		why := r.Error
		if why == "" && !w.good(int(r.Code), r.Body) {
			why = fmt.Sprintf("HTTP %d %.200s", r.Code, r.Body)
		}
		b.add(side, r.Timestamp.Add(r.Latency).Sub(intended), why, Sheds(int(r.Code)), int64(r.BytesIn), int64(r.BytesOut))
	}
	res := b.result()
	res.Backlog = backlog
	res.LagP99 = time.Duration(lag.ValueAtQuantile(99))
	res.Achieved = float64(b.calls()) / (w.job.RateHz * w.job.Duration.Seconds())
	if ctx.Err() != nil {
		return res, fmt.Errorf("load: %w", ctx.Err())
	}
	return res, nil
}

// sideOf reads the fragment that marks a side in vegeta's results.
func sideOf(url string) int {
	_, mark, _ := strings.Cut(url, "#")
	n, err := strconv.Atoi(mark)
	if err != nil {
		return 0
	}
	return n
}

// counters of a window, one line a side.
type counters struct {
	sides []SideResult
	hists []*hdrhistogram.Histogram
}

func newCounters(w *window) *counters {
	b := &counters{}
	for _, side := range w.job.Sides {
		b.sides = append(b.sides, SideResult{Name: side.Name})
		b.hists = append(b.hists, NewHistogram())
	}
	return b
}

// Sheds says whether an answer turns a call away: too many requests (RFC 6585, 4), or
// unavailable for now (RFC 9110, 15.6.4).
func Sheds(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// add counts a call; why says what was wrong with it, "" nothing.
func (b *counters) add(side int, latency time.Duration, why string, shed bool, in, out int64) {
	r := &b.sides[side]
	r.Calls++
	r.BytesIn += in
	r.BytesOut += out
	if why != "" {
		r.Wrong++
		if shed {
			r.Shed++
		}
		if r.Example == "" {
			r.Example = strings.Join(strings.Fields(why), " ")
		}
	}
	record(b.hists[side], latency)
}

func (b *counters) merge(o *counters) {
	for i := range b.sides {
		r, x := &b.sides[i], &o.sides[i]
		r.Calls += x.Calls
		r.Wrong += x.Wrong
		r.Shed += x.Shed
		r.BytesIn += x.BytesIn
		r.BytesOut += x.BytesOut
		if r.Example == "" {
			r.Example = x.Example
		}
		b.hists[i].Merge(o.hists[i])
	}
}

func (b *counters) calls() (n int64) {
	for i := range b.sides {
		n += b.sides[i].Calls
	}
	return n
}

func (b *counters) result() Result {
	for i := range b.sides {
		b.sides[i].Latency = &Latency{b.hists[i]}
	}
	return Result{Sides: b.sides}
}

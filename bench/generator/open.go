package generator

import (
	"context"
	"fmt"
	"net/http"
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
func (s *stretch) open(ctx context.Context) (Result, error) {
	transport := &http.Transport{
		TLSClientConfig:     s.tls,
		MaxIdleConnsPerHost: max(s.job.Connections, 64),
		MaxIdleConns:        0,
		DisableCompression:  true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	// An attacker is good for one attack; the client carries the connections.
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.Workers(uint64(s.job.Connections*len(s.job.Sides))))

	var n atomic.Uint64
	targeter := func(t *vegeta.Target) error {
		side, body, url := s.draw(n.Add(1) - 1)
		t.Method, t.Header = s.job.Sides[side].Method, s.job.Sides[side].Header
		// The fragment stays here and tells the sides apart.
		t.URL, t.Body = url+fragments[side], body
		return nil
	}
	rate := vegeta.ConstantPacer{Freq: int(s.job.RateHz * 1000), Per: 1000 * time.Second}
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	began := time.Now()
	b := newBooks(s)
	lag := NewHistogram()
	for r := range attacker.Attack(targeter, rate, s.job.Duration, "") {
		intended := began.Add(time.Duration(float64(r.Seq) / s.job.RateHz * float64(time.Second)))
		record(lag, r.Timestamp.Sub(intended))
		side := sideOf(r.URL)
		why := r.Error
		if why == "" && !s.good(int(r.Code), r.Body) {
			why = fmt.Sprintf("HTTP %d %.200s", r.Code, r.Body)
		}
		b.add(side, r.Timestamp.Add(r.Latency).Sub(intended), why, int64(r.BytesIn), int64(r.BytesOut))
	}
	res, err := b.result()
	if err != nil {
		return res, err
	}
	res.LagP99 = time.Duration(lag.ValueAtQuantile(99))
	res.Achieved = float64(b.calls()) / (s.job.RateHz * s.job.Duration.Seconds())
	if ctx.Err() != nil {
		return res, fmt.Errorf("load: %w", ctx.Err())
	}
	return res, nil
}

// fragments mark the sides in vegeta's results.
var fragments = [...]string{"#0", "#1", "#2", "#3"}

func sideOf(url string) int {
	if i := strings.LastIndexByte(url, '#'); i >= 0 && i+1 < len(url) {
		return int(url[i+1] - '0')
	}
	return 0
}

// books of a stretch, one line a side.
type books struct {
	sides []SideResult
	hists []*hdrhistogram.Histogram
}

func newBooks(s *stretch) *books {
	b := &books{}
	for _, side := range s.job.Sides {
		b.sides = append(b.sides, SideResult{Name: side.Name})
		b.hists = append(b.hists, NewHistogram())
	}
	return b
}

func (b *books) add(side int, latency time.Duration, why string, in, out int64) {
	r := &b.sides[side]
	r.Calls++
	r.BytesIn += in
	r.BytesOut += out
	if why != "" {
		r.Wrong++
		if r.Example == "" {
			r.Example = strings.Join(strings.Fields(why), " ")
		}
	}
	record(b.hists[side], latency)
}

func (b *books) merge(o *books) {
	for i := range b.sides {
		r, x := &b.sides[i], &o.sides[i]
		r.Calls += x.Calls
		r.Wrong += x.Wrong
		r.BytesIn += x.BytesIn
		r.BytesOut += x.BytesOut
		if r.Example == "" {
			r.Example = x.Example
		}
		b.hists[i].Merge(o.hists[i])
	}
}

func (b *books) calls() (n int64) {
	for i := range b.sides {
		n += b.sides[i].Calls
	}
	return n
}

func (b *books) result() (Result, error) {
	for i := range b.sides {
		enc, err := b.hists[i].Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return Result{}, fmt.Errorf("encode latencies: %w", err)
		}
		b.sides[i].Latency = enc
	}
	return Result{Sides: b.sides}, nil
}

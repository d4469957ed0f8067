package generator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/coreproof/coreproof/internal/pause"
)

// graceShare of a window: what was due in it is sent still for so long after its end,
// so that latencies do not leave out who waited longest; the rest is given up.
const graceShare = 0.1

// paced sends calls when they are due.
func (w *window) paced(ctx context.Context) (Result, error) {
	due := w.due
	var (
		next          atomic.Uint64
		inTime, ended atomic.Int64 // calls sent, and answered, before the window's end
		wg            sync.WaitGroup
		mu            sync.Mutex
		total         = newCounters(w)
		lags          = NewHistogram()
		first         error
	)
	began := time.Now()
	end := began.Add(w.job.Duration)
	last := end.Add(time.Duration(graceShare * float64(w.job.Duration)))
	caller := func(b *counters, lag *hdrhistogram.Histogram) error {
		c := newCaller(w)
		defer c.close()
		for {
			n := next.Add(1) - 1
			if n >= uint64(len(due)) {
				return nil
			}
			intended := began.Add(due[n])
			if err := pause.Until(ctx, intended); err != nil {
				return err
			}
			sent := time.Now()
			if sent.After(last) {
				return nil
			}
			record(lag, sent.Sub(intended))
			if sent.Before(end) {
				inTime.Add(1)
			}
			if err := c.call(n, intended, b); err != nil && !errors.Is(err, errAllWrong) {
				return err
			}
			if time.Now().Before(end) {
				ended.Add(1)
			}
		}
	}
	for range w.job.Connections {
		wg.Go(func() {
			b, lag := newCounters(w), NewHistogram()
			err := caller(b, lag)
			mu.Lock()
			defer mu.Unlock()
			total.merge(b)
			lags.Merge(lag)
			first = errors.Join(first, err)
		})
	}
	wg.Wait()
	if first == nil {
		first = pause.Until(ctx, end) // a window has its whole length, whenever its last call was due
	}
	res := total.result()
	res.Achieved = float64(inTime.Load()) / float64(len(due))
	res.LagP99 = time.Duration(lags.ValueAtQuantile(99))
	res.Backlog = int64(len(due)) - ended.Load()
	res.Due, res.InTime, res.Late = int64(len(due)), inTime.Load(), &Latency{lags}
	if ctx.Err() != nil {
		return res, fmt.Errorf("load: %w", ctx.Err())
	}
	return res, first
}

// Moments are when n calls are due, from a window's start, in order. They are drawn
// uniformly from the window: that is a Poisson process, given its number of events (Ross,
// Introduction to Probability Models, 5.3).
func Moments(rnd *rand.Rand, n int, window time.Duration) []time.Duration {
	due := make([]time.Duration, n)
	for i := range due {
		due[i] = time.Duration(rnd.Float64() * float64(window))
	}
	slices.Sort(due)
	return due
}

// schedule says when each call is due, from the window's start.
func schedule(j Job) []time.Duration {
	due := Moments(rand.New(rand.NewPCG(j.Seed, 0x9ace)), max(1, int(j.RateHz*j.Duration.Seconds())), j.Duration)
	if j.Of < 2 {
		return due
	}
	var part []time.Duration
	for i := j.Part; i < len(due); i += j.Of {
		part = append(part, due[i])
	}
	return part
}

package generator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// closed keeps Connections callers a side busy, each with one call under way.
// With several sides each caller takes them in turn.
func (s *stretch) closed(ctx context.Context) (Result, error) {
	var (
		n     atomic.Uint64
		wg    sync.WaitGroup
		mu    sync.Mutex
		total = newBooks(s)
		first error
	)
	deadline := time.Now().Add(s.job.Duration)
	for range s.job.Connections {
		wg.Go(func() {
			b := newBooks(s)
			err := s.caller(ctx, &n, deadline, b)
			mu.Lock()
			defer mu.Unlock()
			total.merge(b)
			first = errors.Join(first, err)
		})
	}
	wg.Wait()
	res, err := total.result()
	if err != nil {
		return res, err
	}
	res.Achieved = 1
	if ctx.Err() != nil {
		return res, fmt.Errorf("load: %w", ctx.Err())
	}
	return res, first
}

// caller makes one call after the other until the deadline.
func (s *stretch) caller(ctx context.Context, n *atomic.Uint64, deadline time.Time, b *books) error {
	conns := map[string]*conn{}
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	for time.Now().Before(deadline) && ctx.Err() == nil {
		side, body, url := s.draw(n.Add(1) - 1)
		c := conns[url]
		if c == nil {
			var err error
			if c, err = dial(ctx, s.tls, s.job.Sides[side], url); err != nil {
				return fmt.Errorf("load: %w", err)
			}
			conns[url] = c
		}
		start := time.Now()
		code, answer, in, out, err := c.call(body, start.Add(callTimeout))
		took := time.Since(start)
		var why string
		switch {
		case err != nil:
			why = err.Error()
			c.close()
			delete(conns, url)
		case !s.good(code, answer):
			why = fmt.Sprintf("HTTP %d %.200s", code, answer)
		}
		b.add(side, took, why, in, out)
		if b.sides[side].Wrong > 100 && b.sides[side].Wrong == b.sides[side].Calls {
			return fmt.Errorf("load: side %s: the first 100 calls all went wrong, e.g. %s", s.job.Sides[side].Name, b.sides[side].Example)
		}
	}
	return nil
}

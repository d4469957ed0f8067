package generator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// maxAnswer bounds an answer's body.
const maxAnswer = 1 << 20

// closed keeps Connections callers a side busy, each with one call under way.
// With several sides each caller takes them in turn. The client is fasthttp's,
// which weighs little beside a core and lives with connections that are closed
// under it: one that was closed before anything was answered is dialled anew.
func (w *window) closed(ctx context.Context) (Result, error) {
	var (
		n     atomic.Uint64
		wg    sync.WaitGroup
		mu    sync.Mutex
		total = newCounters(w)
		first error
	)
	deadline := time.Now().Add(w.job.Duration)
	for range w.job.Connections {
		wg.Go(func() {
			b := newCounters(w)
			err := w.caller(ctx, &n, deadline, b)
			mu.Lock()
			defer mu.Unlock()
			total.merge(b)
			first = errors.Join(first, err)
		})
	}
	wg.Wait()
	res := total.result()
	res.Achieved = 1
	if ctx.Err() != nil {
		return res, fmt.Errorf("load: %w", ctx.Err())
	}
	return res, first
}

// caller makes one call after the other until the deadline.
func (w *window) caller(ctx context.Context, n *atomic.Uint64, deadline time.Time, b *counters) error {
	c := newCaller(w)
	defer c.close()
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if err := c.call(n.Add(1)-1, time.Now(), b); errors.Is(err, errAllWrong) {
			return nil // that is what was measured
		} else if err != nil {
			return err
		}
	}
	return nil
}

// errAllWrong says that a side answers all calls wrongly: more of them tell no more.
var errAllWrong = errors.New("all calls were answered wrongly")

// lean is one caller with a request and a connection a URL.
type lean struct {
	w        *window
	resp     *fasthttp.Response
	requests map[string]*fasthttp.Request // by URL: only the body changes from call to call
	lines    map[string]*line
}

func newCaller(w *window) *lean {
	return &lean{w: w, resp: fasthttp.AcquireResponse(), requests: map[string]*fasthttp.Request{}, lines: map[string]*line{}}
}

func (c *lean) close() {
	for _, l := range c.lines {
		l.client.CloseIdleConnections()
	}
	for _, r := range c.requests {
		fasthttp.ReleaseRequest(r)
	}
	fasthttp.ReleaseResponse(c.resp)
}

// call makes call n, whose latency counts from since.
func (c *lean) call(n uint64, since time.Time, b *counters) error {
	side, body, target := c.w.draw(n)
	s := &c.w.job.Sides[side]
	req := c.requests[target]
	if req == nil {
		l, err := newLine(target, c.w.tls)
		if err != nil {
			return err
		}
		req = prepare(s, target)
		c.requests[target], c.lines[target] = req, l
	}
	req.SetBodyRaw(body)
	c.resp.Reset()
	err := c.lines[target].client.Do(req, c.resp)
	took := time.Since(since)
	var why string
	switch {
	case err != nil:
		why = err.Error()
	case !c.w.good(c.resp.StatusCode(), c.resp.Body()):
		why = fmt.Sprintf("HTTP %d %.200s", c.resp.StatusCode(), c.resp.Body())
	}
	b.add(side, took, why, err == nil && Sheds(c.resp.StatusCode()), int64(len(c.resp.Header.Header())+len(c.resp.Body())), int64(len(req.Header.Header())+len(body)))
	switch {
	case b.sides[side].Wrong <= 100 || b.sides[side].Wrong != b.sides[side].Calls:
	case err == nil:
		return errAllWrong
	default:
		return fmt.Errorf("load: side %s: the first 100 calls all went wrong, e.g. %s", s.Name, b.sides[side].Example)
	}
	return nil
}

// prepare makes a request without its body.
func prepare(s *Side, target string) *fasthttp.Request {
	req := fasthttp.AcquireRequest()
	req.SetRequestURI(target)
	req.Header.SetMethod(s.Method)
	for name, values := range s.Header {
		for _, v := range values {
			req.Header.Set(name, v)
		}
	}
	return req
}

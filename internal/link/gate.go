package link

import (
	"context"
	"net"
	"sync"
)

// Gate breaks a relay off and mends it. The zero value is open.
type Gate struct {
	mu      sync.Mutex
	refuses bool
	silence chan struct{} // closed when nothing is held back any more; nil: nothing is
	open    map[*through]bool
}

// through is one connection that a gate knows of.
type through struct {
	end   context.CancelFunc
	ended chan struct{} // both its sides have
}

// Open lets everything pass, first what was held back.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuses = false
	g.sound()
}

// Silence holds back all that is said, and what new connections begin with, both ways
// and without a word to either side, as a server that is frozen does: the system in
// between goes on answering to what keeps connections alive.
func (g *Gate) Silence() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuses = false
	if g.silence == nil {
		g.silence = make(chan struct{})
	}
}

// Refuse ends all connections, and each new one at once, as a machine does whose server
// has died. All have ended when it returns.
func (g *Gate) Refuse() {
	g.mu.Lock()
	g.refuses = true
	var ending []*through
	for t := range g.open {
		t.end()
		ending = append(ending, t)
	}
	g.sound()
	g.mu.Unlock()
	for _, t := range ending {
		<-t.ended
	}
}

// sound ends a silence; g.mu is held.
func (g *Gate) sound() {
	if g.silence != nil {
		close(g.silence)
		g.silence = nil
	}
}

// enter gives the context of a connection, and what to call when it has ended; false
// where none is let in.
func (g *Gate) enter(ctx context.Context) (context.Context, func(), bool) {
	if g == nil {
		return ctx, func() {}, true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuses {
		return ctx, nil, false
	}
	ctx, end := context.WithCancel(ctx)
	t := &through{end, make(chan struct{})}
	if g.open == nil {
		g.open = map[*through]bool{}
	}
	g.open[t] = true
	return ctx, func() {
		end()
		close(t.ended)
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, t)
	}, true
}

// wait returns once nothing is held back, or ctx has ended.
func (g *Gate) wait(ctx context.Context) {
	if g == nil {
		return
	}
	for {
		g.mu.Lock()
		silence := g.silence
		g.mu.Unlock()
		if silence == nil {
			return
		}
		select {
		case <-silence:
		case <-ctx.Done():
			return
		}
	}
}

// abort closes a connection so that the other side sees a reset.
func abort(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

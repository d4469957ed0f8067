// Package link is the way between a core and its database, made longer or broken off: a
// relay of TCP connections that delays what passes, both ways alike, and loses none of it.
// It puts a database that is near as far away as one in another zone, and a gate takes it
// away and gives it back.
package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// chunk is what is read at a time, in bytes.
	chunk = 32 << 10
	// underWay bounds how many chunks are on the way, so that a fast sender waits for a
	// slow receiver as without a relay.
	underWay   = 256
	dialWithin = 10 * time.Second
)

// Relay passes on every connection of l to the address to until ctx ends or l is
// closed. Each round trip takes delay longer: half of it each way. What is on the way
// together arrives together, so a delay costs time and no throughput. It closes l and
// ends all connections.
func Relay(ctx context.Context, l net.Listener, to string, delay time.Duration) error {
	return RelayThrough(ctx, l, to, delay, nil)
}

// RelayThrough is Relay with a gate that can break it off; nil is always open.
func RelayThrough(ctx context.Context, l net.Listener, to string, delay time.Duration, gate *Gate) error {
	if delay < 0 {
		return fmt.Errorf("relay to %s: a delay of %s: must not be negative", to, delay)
	}
	ctx, cancel := context.WithCancel(ctx)
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("relay to %s: %w", to, err)
		}
		open.Go(func() { pass(ctx, c, to, delay/2, gate) })
	}
}

// pass relays one connection. A far end that cannot be reached ends it, as it would
// without a relay.
func pass(ctx context.Context, near net.Conn, to string, oneWay time.Duration, gate *Gate) {
	ctx, leave, ok := gate.enter(ctx)
	if !ok {
		abort(near)
		return
	}
	defer leave()
	defer near.Close()
	gate.wait(ctx)
	d := net.Dialer{Timeout: dialWithin}
	far, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	defer context.AfterFunc(ctx, func() { abort(near); abort(far) })()
	nearSaid, farSaid := make(chan struct{}), make(chan struct{}) // all that they will
	var both sync.WaitGroup
	held := func() { gate.wait(ctx) }
	both.Go(func() { defer close(nearSaid); carry(far, near, farSaid, oneWay, held) })
	both.Go(func() { defer close(farSaid); carry(near, far, nearSaid, oneWay, held) })
	both.Wait()
}

// parcel arrives at due. One of no data is the last.
type parcel struct {
	data []byte
	due  time.Time
}

// carry moves what from says to to, oneWay later. When one side has ended, so has the
// other, once all on the way has arrived: a reset is passed on as an end both ways, and so
// is that nothing can be written to to, after what that said before. held is called
// before anything is told to to.
func carry(to, from net.Conn, toSaid <-chan struct{}, oneWay time.Duration, held func()) {
	way := make(chan parcel, underWay)
	reset := false
	go func() {
		defer close(way)
		for {
			buf := make([]byte, chunk)
			n, err := from.Read(buf)
			if n > 0 {
				way <- parcel{buf[:n], time.Now().Add(oneWay)}
			}
			if err != nil {
				reset = !errors.Is(err, io.EOF)
				way <- parcel{due: time.Now().Add(oneWay)}
				return
			}
		}
	}()
	broken := false
	w := newWaiter()
	defer w.close()
	for p := range way {
		w.until(p.due)
		held()
		if len(p.data) == 0 || broken {
			continue // until the reader has seen the end
		}
		if _, err := to.Write(p.data); err != nil {
			broken = true
			go func() {
				<-toSaid
				_ = from.Close()
			}()
		}
	}
	if c, ok := to.(*net.TCPConn); ok && !reset {
		_ = c.CloseWrite()
		return
	}
	_ = to.Close()
}

package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/link"
)

// relay listens and relays to to until the test ends.
func relay(t testing.TB, to string, delay time.Duration) (addr string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- link.Relay(ctx, l, to, delay) }()
	stop = func() {
		cancel()
		if err, open := <-done; open && err != nil {
			t.Errorf("relay: %v", err)
		}
	}
	return l.Addr().String(), stop
}

// echo answers what it is told, and ends when the caller has.
func echo(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// TestAllArrives: a lot of bytes come back as they were sent, and both ends end.
func TestAllArrives(t *testing.T) {
	t.Parallel()
	addr, stop := relay(t, echo(t), 4*time.Millisecond)
	defer stop()
	sent := make([]byte, 12<<20) // more than is on the way at once
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(sent)
	c := dial(t, addr)
	go func() {
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes, equal %v, %v", len(got), len(sent), bytes.Equal(got, sent), err)
	}
}

// TestRoundTripsTakeTheDelay: never less than it, and many at once take it together.
func TestRoundTripsTakeTheDelay(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Millisecond
	addr, stop := relay(t, echo(t), delay)
	defer stop()
	c := dial(t, addr)
	buf := make([]byte, 1)
	for range 3 {
		began := time.Now()
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < delay {
			t.Errorf("a round trip took %s, less than %s", took, delay)
		}
	}
}

// TestEndsArePassedOn: what ends on one side ends on the other.
func TestEndsArePassedOn(t *testing.T) {
	t.Parallel()
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nobody := l.Addr().String()
		_ = l.Close()
		addr, stop := relay(t, nobody, 0)
		defer stop()
		if _, err := dial(t, addr).Read(make([]byte, 1)); err == nil {
			t.Error("a connection to nobody stays open")
		}
	})
	t.Run("who writes to nobody", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addr, stop := relay(t, l.Addr().String(), time.Millisecond)
		defer stop()
		c := dial(t, addr)
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = far.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		for err == nil {
			_, err = c.Write(make([]byte, 1024))
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("it may write on for ever")
		}
	})
	t.Run("the relay stops", func(t *testing.T) {
		t.Parallel()
		addr, stop := relay(t, echo(t), time.Millisecond)
		c := dial(t, addr)
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		stop()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a connection outlives the relay")
		}
	})
	t.Run("a negative delay", func(t *testing.T) {
		t.Parallel()
		if err := link.Relay(t.Context(), nil, "127.0.0.1:1", -1); err == nil {
			t.Error("accepted")
		}
	})
}

// TestWhatWasSaidBeforeAResetArrives, also where the other side writes on meanwhile.
func TestWhatWasSaidBeforeAResetArrives(t *testing.T) {
	t.Parallel()
	const said = "the last words"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(c, make([]byte, 1)) // asked
			_, _ = io.WriteString(c, said)
			_ = c.(*net.TCPConn).SetLinger(0) // an end is a reset
			_ = c.Close()
		}
	}()
	addr, stop := relay(t, l.Addr().String(), 60*time.Millisecond)
	defer stop()
	for name, writesOn := range map[string]bool{"it waits": false, "it writes on": true} {
		c := dial(t, addr)
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if writesOn {
			go func() {
				for tick := time.NewTicker(2 * time.Millisecond); ; <-tick.C {
					if _, err := c.Write([]byte{2}); err != nil {
						return
					}
				}
			}()
		}
		got := make([]byte, len(said))
		if n, err := io.ReadFull(c, got); err != nil || string(got) != said {
			t.Errorf("%s: %q, %v", name, got[:n], err)
		}
		if _, err := c.Read(got); err == nil {
			t.Errorf("%s: the connection goes on", name)
		}
		_ = c.Close()
	}
}

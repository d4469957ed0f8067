package link_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/link"
)

// gated relays to an echo until the test ends.
func gated(t *testing.T) (addr string, gate *link.Gate) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gate = &link.Gate{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	to := echo(t)
	go func() { done <- link.RelayThrough(ctx, l, to, 0, gate) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), gate
}

// said is what comes back of one byte within a time.
func said(c net.Conn, within time.Duration) error {
	if _, err := c.Write([]byte{1}); err != nil {
		return err
	}
	return heard(c, within)
}

func heard(c net.Conn, within time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// ended says whether err tells that a connection has ended, or was not let in.
func ended(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

// fresh is what a new connection ends with that says nothing.
func fresh(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	return heard(c, enough)
}

// enough is for what must come; briefly for what must not.
const enough, briefly = 20 * time.Second, 50 * time.Millisecond

// TestSilenceHoldsBack: nothing comes, nothing ends and nothing is lost, on connections old
// and new.
func TestSilenceHoldsBack(t *testing.T) {
	t.Parallel()
	addr, gate := gated(t)
	old := dial(t, addr)
	if err := said(old, enough); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		gate.Silence()
		fresh := dial(t, addr)
		for _, c := range []net.Conn{old, fresh} {
			if err := said(c, briefly); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("in a silence: %v", err)
			}
		}
		gate.Open()
		for _, c := range []net.Conn{old, fresh} {
			if err := heard(c, enough); err != nil {
				t.Errorf("after a silence: %v", err)
			}
		}
	}
}

// TestRefusalEndsAll: connections that are open are reset, one that waits in a silence too,
// and new ones until it is open again.
func TestRefusalEndsAll(t *testing.T) {
	t.Parallel()
	addr, gate := gated(t)
	old := dial(t, addr)
	if err := said(old, enough); err != nil {
		t.Fatal(err)
	}
	gate.Silence()
	waiting := dial(t, addr)
	if _, err := waiting.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	gate.Refuse()
	for name, c := range map[string]net.Conn{"old": old, "waiting": waiting} {
		if err := heard(c, enough); !ended(err) {
			t.Errorf("%s: %v, want its end", name, err)
		}
	}
	if err := fresh(addr); !ended(err) {
		t.Errorf("new: %v, want its end", err)
	}
	gate.Open()
	if err := said(dial(t, addr), enough); err != nil {
		t.Errorf("once open: %v", err)
	}
}

//go:build unix

package link_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/coreproof/coreproof/internal/link"
)

// TestSignalsWorkTheGate: each is answered once it is done. Not parallel: signals go to the
// process.
func TestSignalsWorkTheGate(t *testing.T) {
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	to := echo(t)
	go func() { done <- link.Main(ctx, []string{"--to", to}, in, io.Discard) }()
	defer func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("ended with %d", code)
		}
	}()
	lines := bufio.NewScanner(out)
	next := func(want string) string {
		t.Helper()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) {
			t.Fatalf("said %q, want %q", lines.Text(), want)
		}
		return strings.TrimPrefix(lines.Text(), want)
	}
	addr := strings.TrimPrefix(next(link.Ready), ": ")
	tell := func(s syscall.Signal, want string) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		next(want)
	}
	tell(syscall.SIGUSR1, link.Refuses)
	if err := fresh(addr); !ended(err) {
		t.Errorf("refused: %v", err)
	}
	tell(syscall.SIGUSR2, link.Silent)
	var c net.Conn = dial(t, addr)
	if err := said(c, briefly); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silent: %v", err)
	}
	tell(syscall.SIGHUP, link.Opened)
	if err := heard(c, enough); err != nil {
		t.Errorf("open: %v", err)
	}
}

package main

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestOnlyOutputsTellThatNobodyReads: a connection to a core or a database that is gone
// does not end a run. That of a core of this program once did, with the first database
// that was restarted.
func TestOnlyOutputsTellThatNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, out, _ := untilNobodyReads(t.Context(), w, w)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = far.(*net.TCPConn).SetLinger(0)
	_ = far.Close()
	for end := time.Now().Add(time.Minute); ; {
		if _, err = c.Write([]byte("x")); errors.Is(err, syscall.EPIPE) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no broken pipe, but %v", err)
		}
	}
	select {
	case <-ctx.Done():
		t.Fatal("a broken connection ended the run")
	case <-time.After(100 * time.Millisecond): // a signal comes at once
	}
	if _, err := out.Write([]byte("read\n")); err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write([]byte("unread\n")); !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	if ctx.Err() == nil {
		t.Error("nobody reads, and the run goes on")
	}
}

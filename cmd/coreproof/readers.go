package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// untilNobodyReads ends a run in order when what it prints goes nowhere any more, as
// below "| head". By itself that ends the program at once, and its cores would stay.
// SIGPIPE comes for connections too, to a core or a database that is gone, so that it is
// the write to an output that tells.
func untilNobodyReads(ctx context.Context, out, errs *os.File) (context.Context, printed, printed) {
	ctx, cancel := context.WithCancel(ctx)
	// For good: writes give errors from now on. It is not ignored, which cores would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return ctx, printed{out, cancel}, printed{errs, cancel}
}

// printed is an output of this program, whose reader may go.
type printed struct {
	file   *os.File
	unread context.CancelFunc
}

func (p printed) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		p.unread()
	}
	return n, err
}

// Fd is for who asks whether it is a terminal.
func (p printed) Fd() uintptr { return p.file.Fd() }

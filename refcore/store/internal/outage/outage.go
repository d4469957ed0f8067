// Package outage tells a database that cannot be reached from one that refuses.
package outage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// Network says that nobody answered: refused, unreachable, no such host, cut
// off, too late.
func Network(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var errno syscall.Errno
	return errors.As(err, &op) || errors.As(err, &dns) || errors.As(err, &errno) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// Mark wraps err in store.ErrUnavailable if it will pass.
func Mark(err error, passes bool) error {
	if err == nil || !passes {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// Wait does again what failed for a reason that passes, as that the server has no
// room for one more connection just now, until ctx ends. do changed nothing then.
func Wait(ctx context.Context, passes func(error) bool, do func() error) error {
	for {
		err := do()
		if err == nil || !passes(err) {
			return err
		}
		if Pause(ctx); ctx.Err() != nil {
			return err
		}
	}
}

// Pause is short and differs from call to call: those that were in each other's
// way are so no more.
func Pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(20 * time.Millisecond)):
	}
}

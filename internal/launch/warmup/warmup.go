// Package warmup calls cores before they are measured.
package warmup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coreproof/coreproof/internal/protocol"
)

// callers call each core side by side.
const callers = 4

// Call calls each core for a time: a virtual machine's compiler needs the calls that
// will be measured. The sessions are ended again.
func Call(ctx context.Context, cores []protocol.Core, length time.Duration) error {
	end := time.Now().Add(length)
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range cores {
		for range callers {
			g.Go(func() error { return warm(ctx, c, end) })
		}
	}
	return g.Wait()
}

func warm(ctx context.Context, c protocol.Core, end time.Time) error {
	s, err := c.Create(ctx, protocol.CreateRequest{UserID: "warm-up"})
	if err != nil || s.Status != protocol.OK {
		return errors.Join(fmt.Errorf("warm up %s: create gave %q", c.Name(), s.Status), err)
	}
	for time.Now().Before(end) {
		if v, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: true}); err != nil || v.Status != protocol.OK {
			return errors.Join(fmt.Errorf("warm up %s: verify gave %q", c.Name(), v.Status), err)
		}
	}
	if _, err := c.Revoke(ctx, s.Session.Handle); err != nil {
		return fmt.Errorf("warm up %s: %w", c.Name(), err)
	}
	return nil
}

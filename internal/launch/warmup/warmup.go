// Package warmup calls cores before they are measured.
package warmup

import (
	"context"
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
	if err := protocol.Answered(s.Reply, err); err != nil {
		return fmt.Errorf("warm up %s: create: %w", c.Name(), err)
	}
	for time.Now().Before(end) {
		v, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: true})
		if err := protocol.Answered(v.Reply, err); err != nil {
			return fmt.Errorf("warm up %s: verify: %w", c.Name(), err)
		}
	}
	if _, err := c.Revoke(ctx, s.Session.Handle); err != nil {
		return fmt.Errorf("warm up %s: %w", c.Name(), err)
	}
	return nil
}

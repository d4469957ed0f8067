// Package pause waits, and no longer than a context lives.
package pause

import (
	"context"
	"time"
)

// For waits for a time; one that is not positive is over at once. It gives ctx's error
// where that ends before.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Until waits for a moment as For does.
func Until(ctx context.Context, t time.Time) error { return For(ctx, time.Until(t)) }

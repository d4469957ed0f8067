package refcore

import (
	"context"
	"time"
)

const (
	// cleanupBatch bounds one delete, so that the job never holds locks for long.
	cleanupBatch = 500
	cleanupPause = 20 * time.Millisecond
)

// cleanUp deletes what has expired, every so often until ctx ends.
func (e *Engine) cleanUp(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n, err := e.CleanUp(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("clean-up failed; the next one tries again", "deleted", n, "error", err)
		} else if n > 0 {
			e.log.Info("deleted expired sessions", "sessions", n)
		}
	}
}

// CleanUp deletes expired sessions in small batches, and dynamic keys that no
// longer verify. It says how many sessions went.
func (e *Engine) CleanUp(ctx context.Context) (int, error) {
	if _, err := e.ring.DeleteExpired(ctx); err != nil {
		return 0, err
	}
	total := 0
	for {
		n, err := e.store.DeleteExpired(ctx, e.now(), cleanupBatch)
		total += n
		if err != nil || n < cleanupBatch {
			return total, err
		}
		select {
		case <-ctx.Done():
			return total, ctx.Err()
		case <-time.After(cleanupPause):
		}
	}
}

package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/store"
)

// tryEvery is how long to wait before a database is asked for again.
const tryEvery = 2 * time.Second

// waitForStore opens the store, again every few seconds while the database may
// yet come, at most for cfg.DatabaseWait. Anything else, a wrong password for
// one, ends it at once.
func waitForStore(ctx context.Context, cfg *config.Config, log *slog.Logger) (store.Store, error) {
	began := time.Now()
	how := cfg.Store
	how.Warn = func(text string) { log.Warn(text) }
	for {
		st, err := cfg.Kind.Open(ctx, how)
		if err == nil || !errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			return st, err
		}
		left := cfg.DatabaseWait - time.Since(began)
		if left <= 0 {
			return nil, fmt.Errorf("%w (waited %s; see database_wait_seconds)", err, time.Since(began).Round(time.Second))
		}
		log.Warn("waiting for the database", "error", err, "gives_up_in", left.Round(time.Second).String())
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(min(tryEvery, left)):
		}
	}
}

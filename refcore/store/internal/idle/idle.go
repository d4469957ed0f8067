// Package idle keeps some connections of a database/sql pool open, which by
// itself knows only a most, not a least.
package idle

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// Keep bounds db to most connections, keeps at least least of them open, and
// closes the others after they were idle for timeout. Stop it before db is
// closed.
func Keep(db *sql.DB, least, most int, timeout time.Duration) (stop func()) {
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	if least >= most {
		return func() {}
	}
	db.SetConnMaxIdleTime(timeout)
	if least <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(max(timeout/3, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				// Borrowing a connection counts as using it. What callers use now
				// needs no keeping.
				Touch(ctx, db, least-db.Stats().InUse)
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// Touch borrows n connections at once, which opens those that are missing. It
// is no error if the server has no room for them.
func Touch(ctx context.Context, db *sql.DB, n int) {
	conns := make([]*sql.Conn, max(n, 0))
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() { conns[i], _ = db.Conn(ctx) })
	}
	wg.Wait()
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
}

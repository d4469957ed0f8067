// Package sqlite keeps sessions in a SQLite file, or in memory.
//
// A file is in WAL mode with synchronous=FULL: a commit is on disk when its
// statement returns. One connection writes, PoolSize read; other processes may
// have the same file open.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/coreproof/coreproof/refcore/store"
)

// Store is a SQLite database with its schema in place.
type Store struct {
	cfg    store.Config
	anchor *sql.DB // keeps a database in memory alive; nil for a file
	write  *sql.DB // one connection
	read   *sql.DB // the same as write for a database in memory
	stop   func()  // ends the keeping of idle readers; may be nil
	stmts  stmts
	sent   atomic.Uint64
}

var _ store.Store = (*Store)(nil)

// Ping reads the schema's version number.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	var n int
	err := retryBusy(ctx, func() error {
		return s.read.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&n)
	})
	if err != nil {
		return fmt.Errorf("ping sqlite: %w", err)
	}
	return nil
}

// Statements counts a statement again when it was tried again on a busy file.
func (s *Store) Statements() uint64 { return s.sent.Load() }

// Close closes all connections; a database in memory is gone then.
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
	}
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write, s.anchor} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// run tries f until it meets no lock or the statement's time is up.
func (s *Store) run(ctx context.Context, what string, f func(ctx context.Context) error) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	err := retryBusy(ctx, func() error {
		s.sent.Add(1)
		return f(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s in sqlite: %w", what, err)
	}
	return nil
}

// exec runs one write and returns how many rows it matched.
func (s *Store) exec(ctx context.Context, what string, stmt *sql.Stmt, args ...any) (n int64, err error) {
	err = s.run(ctx, what, func(ctx context.Context) error {
		res, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// retryBusy repeats f while another connection holds the lock it needs. A
// statement that met a lock has changed nothing, so repeating it is safe. The
// pauses are short because SQLite's locks have no queue: who asks seldom among
// busy writers may never get its turn.
func retryBusy(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		if !busy(err) {
			if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
				return fmt.Errorf("%w (%w)", ctx.Err(), err)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", ctx.Err(), err)
		case <-time.After(time.Millisecond + rand.N(4*time.Millisecond)):
		}
	}
}

func busy(err error) bool {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

func duplicate(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return true
	}
	return false
}

// code is SQLite's extended result code, 0 if err is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

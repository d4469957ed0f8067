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

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/coreproof/coreproof/refcore/store"
)

// Store is a SQLite database with its schema in place.
type Store struct {
	sqlstore.Base[*sql.Stmt]
	cfg    store.Config
	anchor *sql.DB // keeps a database in memory alive; nil for a file
	writer *sql.DB // one connection
	reader *sql.DB // the same as writer for a database in memory
	stop   func()  // ends the keeping of idle readers; may be nil
	own    own
	sent   atomic.Uint64

	// One place for each connection. Callers wait here and not in database/sql, so
	// that a read that need not wait needs no context of its own.
	writers, readers chan struct{}
}

var _ store.Store = (*Store)(nil)

// Ping reads the schema's version number.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return s.read(ctx, "ping", func(ctx context.Context) error {
		return s.reader.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&n)
	})
}

// Statements counts a statement again when it was tried again on a busy file.
func (s *Store) Statements() uint64 { return s.sent.Load() }

// Close closes all connections; a database in memory is gone then.
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
	}
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer, s.anchor} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// write runs f on the writing connection until it meets no lock or the
// statement's time is up.
func (s *Store) write(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, s.writers, what, f)
}

// read does the same on a reading one.
func (s *Store) read(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, s.readers, what, f)
}

func (s *Store) list(ctx context.Context, what string, stmt *sql.Stmt, read func(sqlstore.Rows) error, args ...any) error {
	return s.read(ctx, what, func(ctx context.Context) error {
		s.sent.Add(1)
		rows, err := stmt.QueryContext(ctx, args...)
		return sqlstore.Read(rows, err, read)
	})
}

func (s *Store) run(ctx context.Context, places chan struct{}, what string, f func(ctx context.Context) error) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	if err := take(ctx, places); err != nil {
		return fmt.Errorf("%s in sqlite: wait for a connection: %w", what, err)
	}
	defer func() { <-places }()
	if err := retryBusy(ctx, func() error { return f(ctx) }); err != nil {
		return fmt.Errorf("%s in sqlite: %w", what, err)
	}
	return nil
}

// point reads one row by its primary key. It gives SQLite a context that does not
// end: watching one costs two goroutines, more than the read itself, and the
// read waits for nobody.
func (s *Store) point(ctx context.Context, what string, stmt *sql.Stmt, key any, into ...any) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s in sqlite: %w", what, err)
	}
	select {
	case s.readers <- struct{}{}:
	default:
		bound, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
		defer cancel()
		if err := take(bound, s.readers); err != nil {
			return fmt.Errorf("%s in sqlite: wait for a connection: %w", what, err)
		}
	}
	defer func() { <-s.readers }()

	read := func() error {
		s.sent.Add(1)
		return stmt.QueryRowContext(context.Background(), key).Scan(into...)
	}
	err := read()
	if busy(err) { // seldom, as when the last process but this one closes the file
		bound, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
		defer cancel()
		err = retryBusy(bound, read)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return store.ErrNotFound
	default:
		return fmt.Errorf("%s in sqlite: %w", what, err)
	}
}

func take(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exec runs one write and returns how many rows it matched.
func (s *Store) exec(ctx context.Context, what string, stmt *sql.Stmt, args ...any) (n int64, err error) {
	err = s.write(ctx, what, func(ctx context.Context) (err error) {
		s.sent.Add(1)
		n, err = sqlstore.Affected(stmt.ExecContext(ctx, args...))
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
		case <-time.After(100*time.Microsecond + rand.N(time.Millisecond)):
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

func taken(err error) bool {
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

// Package postgres keeps sessions in PostgreSQL.
//
// Handles and user ids compare byte for byte: a handle is text of the collation
// "C", a user id is bytea, as text cannot hold a NUL. Payloads are bytea too, so
// that the database's encoding has no say in them.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coreproof/coreproof/refcore/store"
)

// Store is a PostgreSQL database with its schema in place.
type Store struct {
	sqlstore.Base[string]
	cfg  store.Config
	pool *pgxpool.Pool
	own  own
	sent atomic.Uint64
}

var _ store.Store = (*Store)(nil)

// Ping asks the server whether it would write.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	var demoted bool
	err := s.pool.QueryRow(ctx, `SELECT `+readOnly).Scan(&demoted)
	if err == nil && demoted {
		s.Demoted()
		err = sqlstore.ErrReadOnly
	}
	if err != nil {
		return fmt.Errorf("ping postgres: %w", err)
	}
	return nil
}

// Statements counts a statement again when it was sent again after a deadlock
// or on another connection.
func (s *Store) Statements() uint64 { return s.sent.Load() }

// Close waits for statements under way.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// read runs an idempotent statement. Once more if its connection was dead,
// because then the answer that is missing is nobody's.
func (s *Store) read(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, what, f, func(err error) bool {
		return deadlock(err) || full(err) || stale(err) || lost(err)
	})
}

// write runs a statement that may change rows. It is sent again only if the
// database did not execute it: after an error on the way back nobody knows.
func (s *Store) write(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, what, f, func(err error) bool {
		return deadlock(err) || full(err) || pgconn.SafeToRetry(err)
	})
}

func (s *Store) run(ctx context.Context, what string, f func(ctx context.Context) error, again func(error) bool) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	for deaths := 0; ; {
		s.sent.Add(1)
		err := f(ctx)
		if state(err) == "25006" || stale(err) {
			s.pool.Reset() // read-only: the primary is another, or will be; stale: all are
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, pgx.ErrNoRows):
			return store.ErrNotFound
		case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
			return fmt.Errorf("%s in postgres: %w (%w)", what, ctx.Err(), err)
		case ctx.Err() != nil || !again(err):
			return fmt.Errorf("%s in postgres: %w", what, err)
		case deadlock(err), full(err): // until the statement's time is up
			outage.Pause(ctx)
		default:
			if deaths++; deaths > 2 {
				return fmt.Errorf("%s in postgres: %w", what, err)
			}
		}
	}
}

func (s *Store) point(ctx context.Context, what, sql string, key any, into ...any) error {
	return s.read(ctx, what, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, sql, key).Scan(into...)
	})
}

func (s *Store) list(ctx context.Context, what, sql string, read func(sqlstore.Rows) error, args ...any) error {
	return s.query(ctx, what, s.read, read, sql, args...)
}

type runner = func(ctx context.Context, what string, f func(ctx context.Context) error) error

// query lets read read all rows. Its error includes that of the commit, which
// follows the rows.
func (s *Store) query(ctx context.Context, what string, run runner, read func(sqlstore.Rows) error, sql string, args ...any) error {
	return run(ctx, what, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return read(rows)
	})
}

// exec runs one write and returns how many rows it matched.
func (s *Store) exec(ctx context.Context, what, sql string, args ...any) (n int64, err error) {
	err = s.write(ctx, what, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, sql, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// deadlock says that the database undid the statement in favour of another.
func deadlock(err error) bool {
	switch state(err) {
	case "40P01", "40001":
		return true
	}
	return false
}

// full says that the server has no room for one more connection: the call waits
// until one of those that are open is free. Nothing was executed.
func full(err error) bool {
	code := state(err)
	return code == "53300" || code == "53400"
}

// stale says that a prepared statement no longer fits its table, or is gone:
// nothing was executed. New connections prepare it anew.
func stale(err error) bool {
	code := state(err)
	return code == "0A000" || code == "26000"
}

// passes says that a database that could not be opened may yet come.
func passes(err error) bool {
	if code := state(err); code != "" {
		return full(err) || strings.HasPrefix(code, "57P0") || strings.HasPrefix(code, "08")
	}
	return errors.Is(err, sqlstore.ErrReadOnly) || outage.Network(err)
}

// lost says that a connection ended or could not be made, as when the database
// restarts.
func lost(err error) bool {
	if code := state(err); code != "" {
		return strings.HasPrefix(code, "57P0") || strings.HasPrefix(code, "08")
	}
	return !errors.Is(err, pgx.ErrNoRows)
}

func taken(err error) bool { return state(err) == "23505" }

// state is the server's SQLSTATE, "" if the error is not the server's.
func state(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// holds says whether the handle's column can hold it. What it cannot hold is not
// in it; asking the server would be an error.
func holds(handle string) bool {
	return len(handle) <= maxHandle && utf8.ValidString(handle) && strings.IndexByte(handle, 0) < 0
}

// maxHandle keeps an entry of the primary key's index below a third of a page.
const maxHandle = 2048

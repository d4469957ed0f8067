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
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coreproof/coreproof/refcore/store"
)

// Store is a PostgreSQL database with its schema in place.
type Store struct {
	cfg  store.Config
	pool *pgxpool.Pool
	sql  statements
	sent atomic.Uint64
}

var _ store.Store = (*Store)(nil)

// Ping sends an empty statement.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	if err := s.pool.Ping(ctx); err != nil {
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
		return deadlock(err) || lost(err)
	})
}

// write runs a statement that may change rows. It is sent again only if the
// database did not execute it: after an error on the way back nobody knows.
func (s *Store) write(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, what, f, func(err error) bool {
		return deadlock(err) || pgconn.SafeToRetry(err)
	})
}

func (s *Store) run(ctx context.Context, what string, f func(ctx context.Context) error, again func(error) bool) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	for deaths := 0; ; {
		s.sent.Add(1)
		err := f(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, pgx.ErrNoRows):
			return store.ErrNotFound
		case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
			return fmt.Errorf("%s in postgres: %w (%w)", what, ctx.Err(), err)
		case ctx.Err() != nil || !again(err):
			return fmt.Errorf("%s in postgres: %w", what, err)
		case deadlock(err): // until the statement's time is up
			pause(ctx)
		default:
			if deaths++; deaths > 2 {
				return fmt.Errorf("%s in postgres: %w", what, err)
			}
		}
	}
}

// pause lets the other party of a deadlock finish.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(20 * time.Millisecond)):
	}
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

// lost says that a connection ended or could not be made, as when the database
// restarts.
func lost(err error) bool {
	if code := state(err); code != "" {
		return strings.HasPrefix(code, "57P0") || strings.HasPrefix(code, "08")
	}
	return !errors.Is(err, pgx.ErrNoRows)
}

func duplicate(err error) bool { return state(err) == "23505" }

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

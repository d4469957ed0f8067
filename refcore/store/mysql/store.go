// Package mysql keeps sessions in MySQL or MariaDB.
//
// Handles and user ids are VARBINARY, so that no collation has a say in them.
// A delete is durable when it returns if the server has
// innodb_flush_log_at_trx_commit=1 and, with a binary log, sync_binlog=1; a
// session cannot change these, so Open warns of others.
package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"github.com/go-sql-driver/mysql"

	"github.com/coreproof/coreproof/refcore/store"
)

// Store is a MySQL or MariaDB database with its schema in place.
type Store struct {
	sqlstore.Base[*sql.Stmt]
	cfg   store.Config
	db    *sql.DB
	stop  func() // ends the keeping of idle connections
	own   own
	maria bool // has DELETE … RETURNING
	words bool // read_only is ON or OFF
	sent  atomic.Uint64
	epoch atomic.Uint64 // see connector
}

var _ store.Store = (*Store)(nil)

// Ping asks the server whether it would write.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	var demoted bool
	err := s.db.QueryRowContext(ctx, "SELECT "+readOnly(s.words)).Scan(&demoted)
	if err == nil && demoted {
		s.Demoted()
		err = sqlstore.ErrReadOnly
	}
	if err != nil {
		return fmt.Errorf("ping mysql: %w", err)
	}
	return nil
}

// Statements counts a statement again when it was sent again after a deadlock
// or on another connection.
func (s *Store) Statements() uint64 { return s.sent.Load() }

// Close closes all connections.
func (s *Store) Close() error {
	s.stop()
	return s.db.Close()
}

// read runs an idempotent statement. Once more if its connection was dead,
// because then the answer that is missing is nobody's.
func (s *Store) read(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, what, f, lost)
}

// write runs what may change rows. It is sent again only if the database undid
// it: after an error on the way back nobody knows. (database/sql itself takes
// another connection if one was dead before anything was sent.)
func (s *Store) write(ctx context.Context, what string, f func(ctx context.Context) error) error {
	return s.run(ctx, what, f, func(error) bool { return false })
}

func (s *Store) run(ctx context.Context, what string, f func(ctx context.Context) error, again func(error) bool) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	for deaths := 0; ; {
		err := f(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, sql.ErrNoRows):
			return store.ErrNotFound
		case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
			return fmt.Errorf("%s in mysql: %w (%w)", what, ctx.Err(), err)
		case ctx.Err() != nil:
			return fmt.Errorf("%s in mysql: %w", what, err)
		case deadlock(err), full(err): // until the statement's time is up
			outage.Pause(ctx)
		case again(err) && deaths < 2:
			deaths++
		default:
			return fmt.Errorf("%s in mysql: %w", what, err)
		}
	}
}

func (s *Store) point(ctx context.Context, what string, stmt *sql.Stmt, key any, into ...any) error {
	return s.read(ctx, what, func(ctx context.Context) error {
		s.sent.Add(1)
		return stmt.QueryRowContext(ctx, key).Scan(into...)
	})
}

func (s *Store) list(ctx context.Context, what string, stmt *sql.Stmt, read func(sqlstore.Rows) error, args ...any) error {
	return s.read(ctx, what, func(ctx context.Context) error {
		s.sent.Add(1)
		rows, err := stmt.QueryContext(ctx, args...)
		return sqlstore.Read(rows, err, read)
	})
}

// exec runs one write and returns how many rows it matched, whether or not it
// changed them.
func (s *Store) exec(ctx context.Context, what string, stmt *sql.Stmt, args ...any) (n int64, err error) {
	err = s.write(ctx, what, func(ctx context.Context) error {
		s.sent.Add(1)
		n, err = sqlstore.Affected(stmt.ExecContext(ctx, args...))
		return err
	})
	return n, err
}

const (
	erConCount        = 1040
	erTooManyUserConn = 1203
	erUserLimit       = 1226
	erDupEntry        = 1062
	erShutdown        = 1053
	erLockWaitTimeout = 1205
	erLockDeadlock    = 1213
	erConnKilled      = 1927
)

// deadlock says that the database undid the statement in favour of another.
func deadlock(err error) bool {
	n := number(err)
	return n == erLockDeadlock || n == erLockWaitTimeout
}

// full says that the server has no room for one more connection: the call waits
// until one of those that are open is free. Nothing was executed.
func full(err error) bool {
	switch number(err) {
	case erConCount, erTooManyUserConn, erUserLimit:
		return true
	}
	return false
}

// passes says that a database that could not be opened may yet come.
func passes(err error) bool {
	if n := number(err); n != 0 {
		return full(err) || n == erShutdown
	}
	return errors.Is(err, sqlstore.ErrReadOnly) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, driver.ErrBadConn) || outage.Network(err)
}

// lost says that a connection ended or could not be made, as when the database
// restarts.
func lost(err error) bool {
	switch number(err) {
	case 0:
		return true
	case erShutdown, erConnKilled:
		return true
	}
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)
}

func taken(err error) bool { return number(err) == erDupEntry }

// number is the server's error number, 0 if the error is not the server's.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

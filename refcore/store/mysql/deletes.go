package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"
)

// Delete is one DELETE for one handle. For more, MariaDB's DELETE says which rows
// went, a thousand handles a statement; MySQL's does not, so there it is a
// transaction that locks the rows, which names them, and deletes what it locked.
func (s *Store) Delete(ctx context.Context, handles []string) (gone []string, err error) {
	switch len(handles) {
	case 0:
		return nil, nil
	case 1:
		return s.DeleteOne(ctx, handles[0])
	}
	what := fmt.Sprintf("delete %d sessions", len(handles))
	if s.maria && len(handles) <= sqlstore.Chunk {
		err = s.write(ctx, what, func(ctx context.Context) error {
			gone, err = s.deleteReturning(ctx, s.db, handles)
			return err
		})
		return gone, err
	}
	err = s.write(ctx, what, func(ctx context.Context) error {
		gone, err = s.deleteMany(ctx, handles)
		return err
	})
	return gone, err
}

func (s *Store) deleteMany(ctx context.Context, handles []string) (gone []string, err error) {
	err = s.transaction(ctx, func(tx *sql.Tx) error {
		for list := range sqlstore.Chunks(handles) {
			var some []string
			if s.maria {
				some, err = s.deleteReturning(ctx, tx, list)
			} else {
				some, err = s.lockAndDelete(ctx, tx, list)
			}
			if err != nil {
				return err
			}
			gone = append(gone, some...)
		}
		return nil
	})
	return gone, err
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) deleteReturning(ctx context.Context, on querier, handles []string) ([]string, error) {
	text, args := s.own.deleteManyReturning.Of(handles, literal)
	s.sent.Add(1)
	return sqlstore.Strings(on.QueryContext(ctx, text, args...))
}

func (s *Store) lockAndDelete(ctx context.Context, tx *sql.Tx, handles []string) ([]string, error) {
	text, args := s.own.lockMany.Of(handles, literal)
	s.sent.Add(1)
	locked, err := sqlstore.Strings(tx.QueryContext(ctx, text, args...))
	if err != nil || len(locked) == 0 {
		return nil, err
	}
	return locked, s.deleteLocked(ctx, tx, locked)
}

// deleteLocked deletes rows that the transaction has locked: all must go.
func (s *Store) deleteLocked(ctx context.Context, tx *sql.Tx, locked []string) error {
	for list := range sqlstore.Chunks(locked) {
		text, args := s.own.deleteMany.Of(list, literal)
		s.sent.Add(1)
		n, err := sqlstore.Affected(tx.ExecContext(ctx, text, args...))
		if err != nil {
			return err
		}
		if n != int64(len(list)) {
			return fmt.Errorf("deleted %d of %d rows that were locked", n, len(list))
		}
	}
	return nil
}

// DeleteByUser is one DELETE in MariaDB. In MySQL it is a transaction that locks
// the user's rows, which names them, and deletes what it locked, not what the
// user has by then: a login in between is not in the answer and stays.
func (s *Store) DeleteByUser(ctx context.Context, userID string, aliveAt int64) (gone []string, err error) {
	err = s.write(ctx, "delete sessions of a user", func(ctx context.Context) error {
		if s.maria {
			s.sent.Add(1)
			gone, err = sqlstore.Strings(s.own.deleteByUser.QueryContext(ctx, userID, aliveAt))
			return err
		}
		gone = nil
		return s.transaction(ctx, func(tx *sql.Tx) error {
			s.sent.Add(1)
			gone, err = sqlstore.Strings(tx.StmtContext(ctx, s.own.lockByUser).QueryContext(ctx, userID, aliveAt))
			if err != nil {
				return err
			}
			return s.deleteLocked(ctx, tx, gone)
		})
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// DeleteExpired is one SELECT, and one DELETE for each thousand rows. It looks
// without locks and deletes by primary key, which keeps it out of deadlocks with
// refreshes; a session that was refreshed in between stays.
func (s *Store) DeleteExpired(ctx context.Context, now int64, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	var handles []string
	err := s.read(ctx, "list expired sessions", func(ctx context.Context) (err error) {
		s.sent.Add(1)
		handles, err = sqlstore.Strings(s.own.expired.QueryContext(ctx, now, limit))
		return err
	})
	if err != nil {
		return 0, err
	}
	total := 0
	for list := range sqlstore.Chunks(handles) {
		err := s.write(ctx, "delete expired sessions", func(ctx context.Context) error {
			text, args := s.own.deleteManyExpired.Of(list, literal)
			s.sent.Add(1)
			n, err := sqlstore.Affected(s.db.ExecContext(ctx, text, append([]any{now}, args...)...))
			total += int(n)
			return err
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// transaction begins, does, and commits. One connection, held for all of it.
func (s *Store) transaction(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no more than an error after Commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// literal is a byte slice, so that the driver writes it as a _binary literal: a
// handle need not be valid UTF-8.
func literal(handle string) any { return []byte(handle) }

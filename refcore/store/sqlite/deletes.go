package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"
)

// Delete is one DELETE; for more than a thousand handles it is one for each
// thousand, in one transaction.
func (s *Store) Delete(ctx context.Context, handles []string) ([]string, error) {
	switch len(handles) {
	case 0:
		return nil, nil
	case 1:
		return s.DeleteOne(ctx, handles[0])
	}

	var gone []string
	err := s.write(ctx, fmt.Sprintf("delete %d sessions", len(handles)), func(ctx context.Context) (err error) {
		gone, err = s.deleteMany(ctx, handles)
		return err
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

func (s *Store) deleteMany(ctx context.Context, handles []string) ([]string, error) {
	type querier interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	var on querier = s.writer
	commit := func() error { return nil }
	if len(handles) > sqlstore.Chunk {
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		defer func() { _ = tx.Rollback() }()
		on, commit = tx, tx.Commit
	}

	var gone []string
	for list := range sqlstore.Chunks(handles) {
		text, args := s.own.deleteMany.Of(list, func(h string) any { return h })
		s.sent.Add(1)
		some, err := sqlstore.Strings(on.QueryContext(ctx, text, args...))
		if err != nil {
			return nil, err
		}
		gone = append(gone, some...)
	}
	return gone, commit()
}

// DeleteByUser is one DELETE.
func (s *Store) DeleteByUser(ctx context.Context, userID string, aliveAt int64) (gone []string, err error) {
	err = s.write(ctx, "delete sessions of a user", func(ctx context.Context) (err error) {
		s.sent.Add(1)
		gone, err = sqlstore.Strings(s.own.deleteByUser.QueryContext(ctx, userID, aliveAt))
		return err
	})
	return gone, err
}

// DeleteExpired is one DELETE.
func (s *Store) DeleteExpired(ctx context.Context, now int64, limit int) (int, error) {
	if limit <= 0 { // a negative LIMIT means none
		return 0, nil
	}
	n, err := s.exec(ctx, "delete expired sessions", s.own.deleteExpired, now, limit)
	return int(n), err
}

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/refcore/store"
)

// maxParameters is far below SQLite's limit of 32,766 and keeps the writer's
// lock short.
const maxParameters = 1000

// CreateSession is one INSERT.
func (s *Store) CreateSession(ctx context.Context, x store.Session) error {
	_, err := s.exec(ctx, "create session", s.stmts.create,
		x.Handle, x.UserID, x.RefreshHash2, x.PrevRefreshHash2, x.RotatedAt,
		string(x.Data), string(x.Payload), x.CreatedAt, x.ExpiresAt, x.UseStaticKey)
	if duplicate(err) {
		return store.ErrExists
	}
	return err
}

// Session is one SELECT by primary key.
func (s *Store) Session(ctx context.Context, handle string) (store.Session, error) {
	x := store.Session{Handle: handle}
	err := s.point(ctx, "read session", s.stmts.session, handle,
		&x.UserID, &x.RefreshHash2, &x.PrevRefreshHash2, &x.RotatedAt,
		&x.Data, &x.Payload, &x.CreatedAt, &x.ExpiresAt, &x.UseStaticKey)
	if err != nil {
		return store.Session{}, err
	}
	return x, nil
}

// Liveness is one SELECT by primary key. A statement outside a transaction sees
// everything that any process committed before it started, also in WAL mode.
func (s *Store) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	var x store.Liveness
	err := s.point(ctx, "read session", s.stmts.liveness, handle,
		&x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey)
	if err != nil {
		return store.Liveness{}, err
	}
	return x, nil
}

// Rotate is one UPDATE.
func (s *Store) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	n, err := s.exec(ctx, "rotate session", s.stmts.rotate,
		r.RefreshHash2, r.PrevRefreshHash2, r.RotatedAt, r.ExpiresAt, r.UseStaticKey, handle, r.Expect)
	return n == 1, err
}

// SetData is one UPDATE.
func (s *Store) SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error) {
	n, err := s.exec(ctx, "set session data", s.stmts.setData, string(data), handle, aliveAt)
	return n == 1, err
}

// SetPayload is one UPDATE.
func (s *Store) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	n, err := s.exec(ctx, "set session payload", s.stmts.setPayload, string(payload), handle, aliveAt)
	return n == 1, err
}

// Handles is one SELECT.
func (s *Store) Handles(ctx context.Context, userID string, aliveAt int64) (handles []string, err error) {
	err = s.list(ctx, "list sessions", func(ctx context.Context) (err error) {
		s.sent.Add(1)
		handles, err = texts(s.stmts.handles.QueryContext(ctx, userID, aliveAt))
		return err
	})
	return handles, err
}

// Delete is one DELETE; for more than a thousand handles it is one for each
// thousand, in one transaction.
func (s *Store) Delete(ctx context.Context, handles []string) ([]string, error) {
	switch len(handles) {
	case 0:
		return nil, nil
	case 1:
		n, err := s.exec(ctx, "delete session", s.stmts.deleteOne, handles[0])
		if err != nil || n == 0 {
			return nil, err
		}
		return []string{handles[0]}, nil
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
	if len(handles) > maxParameters {
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		defer func() { _ = tx.Rollback() }()
		on, commit = tx, tx.Commit
	}

	var gone []string
	for len(handles) > 0 {
		chunk := handles[:min(len(handles), maxParameters)]
		handles = handles[len(chunk):]
		args := make([]any, len(chunk))
		for i, h := range chunk {
			args[i] = h
		}
		marks := strings.Repeat(", ?", len(chunk))[2:]
		s.sent.Add(1)
		some, err := texts(on.QueryContext(ctx, s.stmts.deleteMany.before+marks+s.stmts.deleteMany.after, args...))
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
		gone, err = texts(s.stmts.deleteByUser.QueryContext(ctx, userID, aliveAt))
		return err
	})
	return gone, err
}

// DeleteExpired is one DELETE.
func (s *Store) DeleteExpired(ctx context.Context, now int64, limit int) (int, error) {
	if limit <= 0 { // a negative LIMIT means none
		return 0, nil
	}
	n, err := s.exec(ctx, "delete expired sessions", s.stmts.deleteExpired, now, limit)
	return int(n), err
}

// texts reads all rows of one column. For a DELETE … RETURNING this matters:
// SQLite commits it with the step that finds no more rows, and an error of the
// commit comes only there.
func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

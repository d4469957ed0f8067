package mysql

import (
	"context"
	"database/sql"

	"github.com/coreproof/coreproof/refcore/store"
)

// CreateSession is one INSERT.
func (s *Store) CreateSession(ctx context.Context, x store.Session) error {
	_, err := s.exec(ctx, "create session", s.stmts.create,
		x.Handle, x.UserID, x.RefreshHash2, x.PrevRefreshHash2, x.RotatedAt,
		blob(x.Data), blob(x.Payload), x.CreatedAt, x.ExpiresAt, x.UseStaticKey)
	if duplicate(err) {
		return store.ErrExists
	}
	return err
}

// Session is one SELECT by primary key.
func (s *Store) Session(ctx context.Context, handle string) (store.Session, error) {
	x := store.Session{Handle: handle}
	err := s.read(ctx, "read session", func(ctx context.Context) error {
		s.sent.Add(1)
		return s.stmts.session.QueryRowContext(ctx, handle).Scan(
			&x.UserID, &x.RefreshHash2, &x.PrevRefreshHash2, &x.RotatedAt,
			&x.Data, &x.Payload, &x.CreatedAt, &x.ExpiresAt, &x.UseStaticKey)
	})
	if err != nil {
		return store.Session{}, err
	}
	return x, nil
}

// Liveness is one SELECT by primary key. Outside a transaction it reads what was
// committed before it started.
func (s *Store) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	var x store.Liveness
	err := s.read(ctx, "read session", func(ctx context.Context) error {
		s.sent.Add(1)
		return s.stmts.liveness.QueryRowContext(ctx, handle).Scan(
			&x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey)
	})
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
	n, err := s.exec(ctx, "set session data", s.stmts.setData, blob(data), handle, aliveAt)
	return n == 1, err
}

// SetPayload is one UPDATE.
func (s *Store) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	n, err := s.exec(ctx, "set session payload", s.stmts.setPayload, blob(payload), handle, aliveAt)
	return n == 1, err
}

// Handles is one SELECT.
func (s *Store) Handles(ctx context.Context, userID string, aliveAt int64) (handles []string, err error) {
	err = s.read(ctx, "list sessions", func(ctx context.Context) error {
		s.sent.Add(1)
		handles, err = texts(s.stmts.handles.QueryContext(ctx, userID, aliveAt))
		return err
	})
	return handles, err
}

// texts reads all rows of one column.
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

// blob keeps the driver from making NULL of a nil slice.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

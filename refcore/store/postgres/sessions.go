package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/coreproof/coreproof/refcore/store"
)

// CreateSession is one INSERT.
func (s *Store) CreateSession(ctx context.Context, x store.Session) error {
	if !holds(x.Handle) {
		return fmt.Errorf("create session: a handle of %d bytes does not fit or is not text", len(x.Handle))
	}
	_, err := s.exec(ctx, "create session", s.sql.create,
		x.Handle, []byte(x.UserID), x.RefreshHash2, x.PrevRefreshHash2, x.RotatedAt,
		bytea(x.Data), bytea(x.Payload), x.CreatedAt, x.ExpiresAt, x.UseStaticKey)
	if duplicate(err) {
		return store.ErrExists
	}
	return err
}

// Session is one SELECT by primary key.
func (s *Store) Session(ctx context.Context, handle string) (store.Session, error) {
	if !holds(handle) {
		return store.Session{}, store.ErrNotFound
	}
	x := store.Session{Handle: handle}
	err := s.read(ctx, "read session", func(ctx context.Context) error {
		var userID []byte
		err := s.pool.QueryRow(ctx, s.sql.session, handle).Scan(
			&userID, &x.RefreshHash2, &x.PrevRefreshHash2, &x.RotatedAt,
			&x.Data, &x.Payload, &x.CreatedAt, &x.ExpiresAt, &x.UseStaticKey)
		x.UserID = string(userID)
		return err
	})
	if err != nil {
		return store.Session{}, err
	}
	return x, nil
}

// Liveness is one SELECT by primary key on the primary. At read committed its
// snapshot is taken when it starts, so it sees every commit before.
func (s *Store) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	if !holds(handle) {
		return store.Liveness{}, store.ErrNotFound
	}
	var x store.Liveness
	err := s.read(ctx, "read session", func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.sql.liveness, handle).Scan(
			&x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey)
	})
	if err != nil {
		return store.Liveness{}, err
	}
	return x, nil
}

// Rotate is one UPDATE.
func (s *Store) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	return s.update(ctx, "rotate session", s.sql.rotate, handle,
		r.Expect, r.RefreshHash2, r.PrevRefreshHash2, r.RotatedAt, r.ExpiresAt, r.UseStaticKey)
}

// SetData is one UPDATE.
func (s *Store) SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error) {
	return s.update(ctx, "set session data", s.sql.setData, handle, bytea(data), aliveAt)
}

// SetPayload is one UPDATE.
func (s *Store) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	return s.update(ctx, "set session payload", s.sql.setPayload, handle, bytea(payload), aliveAt)
}

func (s *Store) update(ctx context.Context, what, sql, handle string, args ...any) (bool, error) {
	if !holds(handle) {
		return false, nil
	}
	n, err := s.exec(ctx, what, sql, append([]any{handle}, args...)...)
	return n == 1, err
}

// Handles is one SELECT.
func (s *Store) Handles(ctx context.Context, userID string, aliveAt int64) (handles []string, err error) {
	err = s.read(ctx, "list sessions", func(ctx context.Context) (err error) {
		handles, err = s.texts(ctx, s.sql.handles, []byte(userID), aliveAt)
		return err
	})
	return handles, err
}

// Delete is one DELETE, whatever the number of handles.
func (s *Store) Delete(ctx context.Context, handles []string) (gone []string, err error) {
	held := make([]string, 0, len(handles))
	for _, h := range handles {
		if holds(h) {
			held = append(held, h)
		}
	}
	switch len(held) {
	case 0:
		return nil, nil
	case 1:
		n, err := s.exec(ctx, "delete session", s.sql.deleteOne, held[0])
		if err != nil || n == 0 {
			return nil, err
		}
		return held, nil
	}
	err = s.write(ctx, fmt.Sprintf("delete %d sessions", len(held)), func(ctx context.Context) (err error) {
		gone, err = s.texts(ctx, s.sql.deleteMany, held)
		return err
	})
	return gone, err
}

// DeleteByUser is one DELETE.
func (s *Store) DeleteByUser(ctx context.Context, userID string, aliveAt int64) (gone []string, err error) {
	err = s.write(ctx, "delete sessions of a user", func(ctx context.Context) (err error) {
		gone, err = s.texts(ctx, s.sql.deleteByUser, []byte(userID), aliveAt)
		return err
	})
	return gone, err
}

// DeleteExpired is one DELETE.
func (s *Store) DeleteExpired(ctx context.Context, now int64, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	n, err := s.exec(ctx, "delete expired sessions", s.sql.deleteExpired, now, limit)
	return int(n), err
}

// texts returns the one column of all rows. Its error includes that of the
// commit, which follows the rows.
func (s *Store) texts(ctx context.Context, sql string, args ...any) ([]string, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// bytea keeps pgx from making NULL of a nil slice.
func bytea(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

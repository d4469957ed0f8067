package sqlstore

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store"
)

// CreateSession is one INSERT.
func (b *Base[S]) CreateSession(ctx context.Context, x store.Session) error {
	if !b.holds(x.Handle) {
		return fmt.Errorf("create session: a handle of %d bytes does not fit or is not text", len(x.Handle))
	}
	_, err := b.Exec(ctx, "create session", b.Stmts.Create,
		x.Handle, b.UserID(x.UserID), x.RefreshHash2, x.PrevRefreshHash2, x.RotatedAt,
		b.JSON(x.Data), b.JSON(x.Payload), x.CreatedAt, x.ExpiresAt, x.UseStaticKey)
	if b.Taken(err) {
		return store.ErrExists
	}
	return err
}

// Session is one SELECT by primary key.
func (b *Base[S]) Session(ctx context.Context, handle string) (store.Session, error) {
	if !b.holds(handle) {
		return store.Session{}, store.ErrNotFound
	}
	x := store.Session{Handle: handle}
	var userID []byte // text that may hold anything
	g := guard{found: true}
	into := []any{
		&g.readOnly, &g.found,
		&userID, &x.RefreshHash2, &x.PrevRefreshHash2, &x.RotatedAt,
		&x.Data, &x.Payload, &x.CreatedAt, &x.ExpiresAt, &x.UseStaticKey,
	}
	if b.Demoted == nil {
		into = into[2:]
	}
	err := b.Point(ctx, readSession, b.Stmts.Session, handle, into...)
	if err == nil {
		err = b.judge(readSession, g)
	}
	if err != nil {
		return store.Session{}, err
	}
	x.UserID = string(userID)
	return x, nil
}

const readSession = "read session"

// Liveness is one SELECT by primary key, outside a transaction: it sees every
// commit before it started, if the server is the primary, which it says as well.
func (b *Base[S]) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	if !b.holds(handle) {
		return store.Liveness{}, store.ErrNotFound
	}
	var x store.Liveness
	g := guard{found: true}
	into := []any{&g.readOnly, &g.found, &x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey}
	if b.Demoted == nil {
		into = into[2:]
	}
	err := b.Point(ctx, readSession, b.Stmts.Liveness, handle, into...)
	if err == nil {
		err = b.judge(readSession, g)
	}
	if err != nil {
		return store.Liveness{}, err
	}
	return x, nil
}

// Rotate is one UPDATE.
func (b *Base[S]) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	return b.update(ctx, "rotate session", b.Stmts.Rotate, handle,
		r.RefreshHash2, r.PrevRefreshHash2, r.RotatedAt, r.ExpiresAt, r.UseStaticKey, handle, r.Expect, r.ExpectStaticKey)
}

// SetData is one UPDATE.
func (b *Base[S]) SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error) {
	return b.update(ctx, "set session data", b.Stmts.SetData, handle, b.JSON(data), handle, aliveAt)
}

// SetPayload is one UPDATE.
func (b *Base[S]) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	return b.update(ctx, "set session payload", b.Stmts.SetPayload, handle, b.JSON(payload), handle, aliveAt)
}

func (b *Base[S]) update(ctx context.Context, what string, stmt S, handle string, args ...any) (bool, error) {
	if !b.holds(handle) {
		return false, nil
	}
	n, err := b.Exec(ctx, what, stmt, args...)
	return n == 1, err
}

// Handles is one SELECT.
func (b *Base[S]) Handles(ctx context.Context, userID string, aliveAt int64) (handles []string, err error) {
	const what = "list sessions"
	if b.Demoted == nil {
		err = b.List(ctx, what, b.Stmts.Handles, ReadColumn(&handles), b.UserID(userID), aliveAt)
		return handles, err
	}
	g := guard{found: true}
	err = b.List(ctx, what, b.Stmts.Handles, func(rows Rows) error {
		handles = nil
		for rows.Next() {
			var readOnly, ofServer bool
			var handle string
			if err := rows.Scan(&readOnly, &ofServer, &handle); err != nil {
				return err
			}
			g.readOnly = g.readOnly || readOnly
			if !ofServer {
				handles = append(handles, handle)
			}
		}
		return rows.Err()
	}, b.UserID(userID), aliveAt)
	if err == nil {
		err = b.judge(what, g)
	}
	if err != nil {
		return nil, err
	}
	return handles, nil
}

// DeleteOne is one DELETE; the handle if its row went.
func (b *Base[S]) DeleteOne(ctx context.Context, handle string) ([]string, error) {
	n, err := b.Exec(ctx, "delete session", b.Stmts.DeleteOne, handle)
	if err != nil || n == 0 {
		return nil, err
	}
	return []string{handle}, nil
}

package postgres

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"
)

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
		return s.DeleteOne(ctx, held[0])
	}
	err = s.query(ctx, fmt.Sprintf("delete %d sessions", len(held)), s.write, sqlstore.ReadColumn(&gone), s.own.deleteMany, held)
	return gone, err
}

// DeleteByUser is one DELETE.
func (s *Store) DeleteByUser(ctx context.Context, userID string, aliveAt int64) (gone []string, err error) {
	err = s.query(ctx, "delete sessions of a user", s.write, sqlstore.ReadColumn(&gone), s.own.deleteByUser, []byte(userID), aliveAt)
	return gone, err
}

// DeleteExpired is one DELETE.
func (s *Store) DeleteExpired(ctx context.Context, now int64, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	n, err := s.exec(ctx, "delete expired sessions", s.own.deleteExpired, now, limit)
	return int(n), err
}

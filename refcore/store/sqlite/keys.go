package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store"
)

// DynamicKeys is one SELECT.
func (s *Store) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	return s.keys(ctx, "list dynamic keys", s.stmts.dynamicKeys)
}

// StaticKeys is one SELECT.
func (s *Store) StaticKeys(ctx context.Context) ([]store.Key, error) {
	return s.keys(ctx, "list static keys", s.stmts.staticKeys)
}

func (s *Store) keys(ctx context.Context, what string, stmt *sql.Stmt) (keys []store.Key, err error) {
	err = s.list(ctx, what, func(ctx context.Context) error {
		keys = nil
		s.sent.Add(1)
		rows, err := stmt.QueryContext(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var k store.Key
			if err := rows.Scan(&k.ID, &k.Value, &k.CreatedAt); err != nil {
				return err
			}
			keys = append(keys, k)
		}
		return rows.Err()
	})
	return keys, err
}

// AddDynamicKey is one INSERT.
func (s *Store) AddDynamicKey(ctx context.Context, newest int64, k store.Key) (bool, error) {
	n, err := s.exec(ctx, "add dynamic key", s.stmts.addDynamicKey, k.CreatedAt, k.Value, newest)
	return n == 1, err
}

// AddStaticKey is one INSERT.
func (s *Store) AddStaticKey(ctx context.Context, k store.Key) (bool, error) {
	n, err := s.exec(ctx, "add static key", s.stmts.addStaticKey, k.ID, k.Value, k.CreatedAt)
	return n == 1, err
}

// DeleteDynamicKeys is one DELETE.
func (s *Store) DeleteDynamicKeys(ctx context.Context, before int64) (int, error) {
	n, err := s.exec(ctx, "delete dynamic keys", s.stmts.deleteKeys, before)
	return int(n), err
}

// ValueOrInsert is one SELECT when the value is there, else up to three
// statements.
func (s *Store) ValueOrInsert(ctx context.Context, name, value string, now int64) (string, error) {
	got, err := s.value(ctx, name)
	if !errors.Is(err, store.ErrNotFound) {
		return got, err
	}
	n, err := s.exec(ctx, fmt.Sprintf("insert value %q", name), s.stmts.addValue, name, value, now)
	if err != nil || n == 1 {
		return value, err
	}
	return s.value(ctx, name) // another core was faster
}

func (s *Store) value(ctx context.Context, name string) (value string, err error) {
	err = s.point(ctx, fmt.Sprintf("read value %q", name), s.stmts.value, name, &value)
	return value, err
}

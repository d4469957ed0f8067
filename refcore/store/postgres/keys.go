package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/coreproof/coreproof/refcore/store"
)

// DynamicKeys is one SELECT.
func (s *Store) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	return s.keys(ctx, "list dynamic keys", s.sql.dynamicKeys)
}

// StaticKeys is one SELECT.
func (s *Store) StaticKeys(ctx context.Context) ([]store.Key, error) {
	return s.keys(ctx, "list static keys", s.sql.staticKeys)
}

func (s *Store) keys(ctx context.Context, what, sql string) (keys []store.Key, err error) {
	err = s.read(ctx, what, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, sql)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowToStructByPos[store.Key])
		return err
	})
	return keys, err
}

// AddDynamicKey is one INSERT.
func (s *Store) AddDynamicKey(ctx context.Context, newest int64, k store.Key) (bool, error) {
	n, err := s.exec(ctx, "add dynamic key", s.sql.addDynamicKey, k.CreatedAt, k.Value, newest)
	return n == 1, err
}

// AddStaticKey is one INSERT.
func (s *Store) AddStaticKey(ctx context.Context, k store.Key) (bool, error) {
	n, err := s.exec(ctx, "add static key", s.sql.addStaticKey, k.ID, k.Value, k.CreatedAt)
	return n == 1, err
}

// DeleteDynamicKeys is one DELETE.
func (s *Store) DeleteDynamicKeys(ctx context.Context, before int64) (int, error) {
	n, err := s.exec(ctx, "delete dynamic keys", s.sql.deleteKeys, before)
	return int(n), err
}

// ValueOrInsert is one SELECT when the value is there, else up to three
// statements.
func (s *Store) ValueOrInsert(ctx context.Context, name, value string, now int64) (string, error) {
	got, err := s.value(ctx, name)
	if !errors.Is(err, store.ErrNotFound) {
		return got, err
	}
	n, err := s.exec(ctx, fmt.Sprintf("insert value %q", name), s.sql.addVal, name, value, now)
	if err != nil || n == 1 {
		return value, err
	}
	return s.value(ctx, name) // another core was faster
}

func (s *Store) value(ctx context.Context, name string) (value string, err error) {
	err = s.read(ctx, fmt.Sprintf("read value %q", name), func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.sql.value, name).Scan(&value)
	})
	return value, err
}

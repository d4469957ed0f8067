package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store"
)

// DynamicKeys is one SELECT.
func (b *Base[S]) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	return b.keys(ctx, "list dynamic keys", b.Stmts.DynamicKeys)
}

// StaticKeys is one SELECT.
func (b *Base[S]) StaticKeys(ctx context.Context) ([]store.Key, error) {
	return b.keys(ctx, "list static keys", b.Stmts.StaticKeys)
}

func (b *Base[S]) keys(ctx context.Context, what string, stmt S) (keys []store.Key, err error) {
	err = b.List(ctx, what, stmt, func(rows Rows) error {
		keys = nil
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
func (b *Base[S]) AddDynamicKey(ctx context.Context, newest int64, k store.Key) (bool, error) {
	return b.insert(ctx, "add dynamic key", b.Stmts.AddDynamicKey, k.CreatedAt, k.Value, newest)
}

// AddStaticKey is one INSERT.
func (b *Base[S]) AddStaticKey(ctx context.Context, k store.Key) (bool, error) {
	return b.insert(ctx, "add static key", b.Stmts.AddStaticKey, k.ID, k.Value, k.CreatedAt)
}

// insert is false if a row is in the way.
func (b *Base[S]) insert(ctx context.Context, what string, stmt S, args ...any) (bool, error) {
	n, err := b.Exec(ctx, what, stmt, args...)
	if b.Taken(err) {
		return false, nil
	}
	return n == 1, err
}

// DeleteDynamicKeys is one DELETE.
func (b *Base[S]) DeleteDynamicKeys(ctx context.Context, before int64) (int, error) {
	n, err := b.Exec(ctx, "delete dynamic keys", b.Stmts.DeleteKeys, before)
	return int(n), err
}

// ValueOrInsert is one SELECT when the value is there, else up to three
// statements.
func (b *Base[S]) ValueOrInsert(ctx context.Context, name, value string, now int64) (string, error) {
	got, err := b.value(ctx, name)
	if !errors.Is(err, store.ErrNotFound) {
		return got, err
	}
	inserted, err := b.insert(ctx, fmt.Sprintf("insert value %q", name), b.Stmts.AddValue, name, value, now)
	if err != nil || inserted {
		return value, err
	}
	return b.value(ctx, name) // another core was faster
}

func (b *Base[S]) value(ctx context.Context, name string) (value string, err error) {
	err = b.Point(ctx, fmt.Sprintf("read value %q", name), b.Stmts.Value, name, &value)
	return value, err
}

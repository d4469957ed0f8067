package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"github.com/coreproof/coreproof/refcore/store"
)

// createSchema creates what is missing. TEXT compares as BINARY, byte for byte.
// predecessor makes two cores' new signing keys collide: each key has one
// successor.
func createSchema(ctx context.Context, db *sql.DB, t store.Names) error {
	statements := []string{
		`CREATE TABLE IF NOT EXISTS ` + quote(t.Session) + ` (
			session_handle TEXT NOT NULL PRIMARY KEY,
			user_id TEXT NOT NULL,
			refresh_token_hash_2 TEXT NOT NULL,
			prev_refresh_token_hash_2 TEXT NOT NULL,
			refresh_token_rotated_at INTEGER NOT NULL,
			session_data TEXT NOT NULL,
			jwt_user_payload TEXT NOT NULL,
			created_at_time INTEGER NOT NULL,
			expires_at INTEGER NOT NULL,
			use_static_key BOOLEAN NOT NULL
		)`,
		`CREATE INDEX IF NOT EXISTS ` + quote(t.Session+"_user_id_index") + ` ON ` + quote(t.Session) + ` (user_id)`,
		`CREATE INDEX IF NOT EXISTS ` + quote(t.Session+"_expires_at_index") + ` ON ` + quote(t.Session) + ` (expires_at)`,
		`CREATE TABLE IF NOT EXISTS ` + quote(t.DynamicKey) + ` (
			created_at_time INTEGER NOT NULL PRIMARY KEY,
			value TEXT NOT NULL,
			predecessor INTEGER NOT NULL UNIQUE
		)`,
		`CREATE TABLE IF NOT EXISTS ` + quote(t.StaticKey) + ` (
			key_id TEXT NOT NULL PRIMARY KEY,
			key_string TEXT NOT NULL,
			algorithm TEXT NOT NULL UNIQUE,
			created_at INTEGER NOT NULL
		)`,
		`CREATE TABLE IF NOT EXISTS ` + quote(t.KeyValue) + ` (
			name TEXT NOT NULL PRIMARY KEY,
			value TEXT NOT NULL,
			created_at_time INTEGER NOT NULL
		)`,
	}
	err := retryBusy(ctx, func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
	if err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	return nil
}

func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// own are the prepared statements that only SQLite has; database/sql prepares
// each again on every connection that meets it first.
type own struct {
	deleteByUser, deleteExpired *sql.Stmt
	deleteMany                  sqlstore.Listed
}

func (s *Store) prepare(ctx context.Context, names store.Names) error {
	t := sqlstore.Tables{
		Session: quote(names.Session), DynamicKey: quote(names.DynamicKey),
		StaticKey: quote(names.StaticKey), KeyValue: quote(names.KeyValue),
	}
	prepare := func(text string, reads bool) (stmt *sql.Stmt, err error) {
		on := s.writer
		if reads {
			on = s.reader
		}
		err = retryBusy(ctx, func() (err error) {
			stmt, err = on.PrepareContext(ctx, text)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("prepare %q: %w", text, err)
		}
		return stmt, nil
	}
	var err error
	if s.Stmts, err = sqlstore.Prepare(sqlstore.Texts(t, sqlstore.Dialect{IfAbsent: "ON CONFLICT DO NOTHING"}), prepare); err != nil {
		return err
	}
	s.own.deleteMany = sqlstore.Listed{Before: `DELETE FROM ` + t.Session + ` WHERE session_handle IN (`, After: `) RETURNING session_handle`}
	s.own.deleteByUser, err = prepare(`DELETE FROM `+t.Session+` WHERE user_id = ? AND expires_at >= ? RETURNING session_handle`, false)
	if err != nil {
		return err
	}
	s.own.deleteExpired, err = prepare(`DELETE FROM `+t.Session+` WHERE rowid IN
		(SELECT rowid FROM `+t.Session+` WHERE expires_at <= ? LIMIT ?)`, false)
	return err
}

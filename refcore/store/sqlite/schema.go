package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

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

// stmts are the prepared statements; database/sql prepares each again on every
// connection that meets it first.
type stmts struct {
	create, rotate, setData, setPayload     *sql.Stmt
	deleteOne, deleteByUser, deleteExpired  *sql.Stmt
	session, liveness, handles              *sql.Stmt
	addDynamicKey, addStaticKey, deleteKeys *sql.Stmt
	dynamicKeys, staticKeys                 *sql.Stmt
	value, addValue                         *sql.Stmt
	deleteMany                              struct{ before, after string } // around its parameters
}

func (p *stmts) prepare(ctx context.Context, write, read *sql.DB, t store.Names) error {
	session, dynamic, static, keyValue := quote(t.Session), quote(t.DynamicKey), quote(t.StaticKey), quote(t.KeyValue)
	p.deleteMany.before = `DELETE FROM ` + session + ` WHERE session_handle IN (`
	p.deleteMany.after = `) RETURNING session_handle`
	for _, s := range []struct {
		on   *sql.DB
		to   **sql.Stmt
		text string
	}{
		{write, &p.create, `INSERT INTO ` + session + ` (session_handle, user_id, refresh_token_hash_2,
			prev_refresh_token_hash_2, refresh_token_rotated_at, session_data, jwt_user_payload,
			created_at_time, expires_at, use_static_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{write, &p.rotate, `UPDATE ` + session + ` SET refresh_token_hash_2 = ?, prev_refresh_token_hash_2 = ?,
			refresh_token_rotated_at = ?, expires_at = ?, use_static_key = ?
			WHERE session_handle = ? AND refresh_token_hash_2 = ?`},
		{write, &p.setData, `UPDATE ` + session + ` SET session_data = ? WHERE session_handle = ? AND expires_at > ?`},
		{write, &p.setPayload, `UPDATE ` + session + ` SET jwt_user_payload = ? WHERE session_handle = ? AND expires_at > ?`},
		{write, &p.deleteOne, `DELETE FROM ` + session + ` WHERE session_handle = ?`},
		{write, &p.deleteByUser, `DELETE FROM ` + session + ` WHERE user_id = ? AND expires_at >= ? RETURNING session_handle`},
		{write, &p.deleteExpired, `DELETE FROM ` + session + ` WHERE rowid IN
			(SELECT rowid FROM ` + session + ` WHERE expires_at <= ? LIMIT ?)`},
		{read, &p.session, `SELECT user_id, refresh_token_hash_2, prev_refresh_token_hash_2, refresh_token_rotated_at,
			session_data, jwt_user_payload, created_at_time, expires_at, use_static_key
			FROM ` + session + ` WHERE session_handle = ?`},
		{read, &p.liveness, `SELECT refresh_token_hash_2, prev_refresh_token_hash_2, jwt_user_payload, use_static_key
			FROM ` + session + ` WHERE session_handle = ?`},
		{read, &p.handles, `SELECT session_handle FROM ` + session + ` WHERE user_id = ? AND expires_at >= ?`},
		{write, &p.addDynamicKey, `INSERT INTO ` + dynamic + ` (created_at_time, value, predecessor) VALUES (?, ?, ?)
			ON CONFLICT DO NOTHING`},
		{write, &p.addStaticKey, `INSERT INTO ` + static + ` (key_id, key_string, algorithm, created_at) VALUES (?, ?, 'RS256', ?)
			ON CONFLICT DO NOTHING`},
		{write, &p.deleteKeys, `DELETE FROM ` + dynamic + ` WHERE created_at_time < ?`},
		{read, &p.dynamicKeys, `SELECT '', value, created_at_time FROM ` + dynamic + ` ORDER BY created_at_time DESC`},
		{read, &p.staticKeys, `SELECT key_id, key_string, created_at FROM ` + static + ` ORDER BY created_at DESC, key_id`},
		{read, &p.value, `SELECT value FROM ` + keyValue + ` WHERE name = ?`},
		{write, &p.addValue, `INSERT INTO ` + keyValue + ` (name, value, created_at_time) VALUES (?, ?, ?)
			ON CONFLICT DO NOTHING`},
	} {
		err := retryBusy(ctx, func() (err error) {
			*s.to, err = s.on.PrepareContext(ctx, s.text)
			return err
		})
		if err != nil {
			return fmt.Errorf("prepare %q: %w", s.text, err)
		}
	}
	return nil
}

package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/refcore/store"
)

// maxName is MySQL's limit in characters.
const maxName = 64

// createSchema does nothing if all tables are there, so that an account without
// the right to create can use them. CREATE TABLE IF NOT EXISTS is safe against
// itself here: the server takes the name's lock first.
func createSchema(ctx context.Context, db *sql.DB, t store.Names) error {
	names := []any{t.Session, t.DynamicKey, t.StaticKey, t.KeyValue}
	for _, n := range names {
		if s := n.(string); len(s) > maxName || strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("name %q has %d bytes or a NUL; %d are allowed", s, len(s), maxName)
		}
	}
	var n int
	err := db.QueryRowContext(ctx, `SELECT COUNT(DISTINCT table_name) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?, ?)`, names...).Scan(&n)
	if err != nil {
		return fmt.Errorf("look for tables: %w", err)
	}
	if n == len(names) {
		return nil
	}
	for _, text := range definitions(t) {
		for {
			_, err := db.ExecContext(ctx, text)
			if err == nil {
				break
			}
			if !deadlock(err) || ctx.Err() != nil {
				return fmt.Errorf("create schema: %w", err)
			}
			pause(ctx)
		}
	}
	return nil
}

// definitions create what is missing. predecessor makes two cores' new signing
// keys collide: each key has one successor.
func definitions(t store.Names) []string {
	const suffix = `) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`
	return []string{
		`CREATE TABLE IF NOT EXISTS ` + quote(t.Session) + ` (
			session_handle VARBINARY(255) NOT NULL PRIMARY KEY,
			user_id VARBINARY(2048) NOT NULL,
			refresh_token_hash_2 VARBINARY(128) NOT NULL,
			prev_refresh_token_hash_2 VARBINARY(128) NOT NULL,
			refresh_token_rotated_at BIGINT NOT NULL,
			session_data MEDIUMBLOB NOT NULL,
			jwt_user_payload MEDIUMBLOB NOT NULL,
			created_at_time BIGINT NOT NULL,
			expires_at BIGINT NOT NULL,
			use_static_key BOOLEAN NOT NULL,
			INDEX session_info_user_id_index (user_id),
			INDEX session_info_expires_at_index (expires_at)
		` + suffix,
		`CREATE TABLE IF NOT EXISTS ` + quote(t.DynamicKey) + ` (
			created_at_time BIGINT NOT NULL PRIMARY KEY,
			value MEDIUMTEXT NOT NULL,
			predecessor BIGINT NOT NULL UNIQUE
		` + suffix,
		`CREATE TABLE IF NOT EXISTS ` + quote(t.StaticKey) + ` (
			key_id VARBINARY(255) NOT NULL PRIMARY KEY,
			key_string MEDIUMTEXT NOT NULL,
			algorithm VARBINARY(10) NOT NULL UNIQUE,
			created_at BIGINT NOT NULL
		` + suffix,
		`CREATE TABLE IF NOT EXISTS ` + quote(t.KeyValue) + ` (
			name VARBINARY(128) NOT NULL PRIMARY KEY,
			value MEDIUMTEXT NOT NULL,
			created_at_time BIGINT NOT NULL
		` + suffix,
	}
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// stmts are kept prepared; database/sql prepares each again on every connection
// that meets it first.
type stmts struct {
	create, session, liveness, rotate     *sql.Stmt
	setData, setPayload, handles          *sql.Stmt
	deleteOne, lockByUser, deleteByUser   *sql.Stmt
	expired                               *sql.Stmt
	dynamicKeys, addDynamicKey, deleteKey *sql.Stmt
	staticKeys, addStaticKey              *sql.Stmt
	value, addValue                       *sql.Stmt

	// These have a list of parameters, whose length differs.
	lockMany, deleteMany, deleteManyReturning, deleteManyExpired listed
}

func (p *stmts) prepare(ctx context.Context, db *sql.DB, t store.Names, maria bool) error {
	session, dynamic, static, keyValue := quote(t.Session), quote(t.DynamicKey), quote(t.StaticKey), quote(t.KeyValue)
	// In the order of the primary key, so that two calls that lock the same
	// sessions wait for each other and do not deadlock.
	p.lockMany = listed{`SELECT session_handle FROM ` + session + ` WHERE session_handle IN (`, `) ORDER BY session_handle FOR UPDATE`}
	p.deleteMany = listed{`DELETE FROM ` + session + ` WHERE session_handle IN (`, `)`}
	p.deleteManyReturning = listed{`DELETE FROM ` + session + ` WHERE session_handle IN (`, `) RETURNING session_handle`}
	p.deleteManyExpired = listed{`DELETE FROM ` + session + ` WHERE expires_at <= ? AND session_handle IN (`, `)`}
	byUser := `DELETE FROM ` + session + ` WHERE user_id = ? AND expires_at >= ?`
	if maria {
		byUser += ` RETURNING session_handle`
	}
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&p.create, `INSERT INTO ` + session + ` (session_handle, user_id, refresh_token_hash_2,
			prev_refresh_token_hash_2, refresh_token_rotated_at, session_data, jwt_user_payload,
			created_at_time, expires_at, use_static_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&p.session, `SELECT user_id, refresh_token_hash_2, prev_refresh_token_hash_2, refresh_token_rotated_at,
			session_data, jwt_user_payload, created_at_time, expires_at, use_static_key
			FROM ` + session + ` WHERE session_handle = ?`},
		{&p.liveness, `SELECT refresh_token_hash_2, prev_refresh_token_hash_2, jwt_user_payload, use_static_key
			FROM ` + session + ` WHERE session_handle = ?`},
		{&p.rotate, `UPDATE ` + session + ` SET refresh_token_hash_2 = ?, prev_refresh_token_hash_2 = ?,
			refresh_token_rotated_at = ?, expires_at = ?, use_static_key = ?
			WHERE session_handle = ? AND refresh_token_hash_2 = ?`},
		{&p.setData, `UPDATE ` + session + ` SET session_data = ? WHERE session_handle = ? AND expires_at > ?`},
		{&p.setPayload, `UPDATE ` + session + ` SET jwt_user_payload = ? WHERE session_handle = ? AND expires_at > ?`},
		{&p.handles, `SELECT session_handle FROM ` + session + ` WHERE user_id = ? AND expires_at >= ?`},
		{&p.deleteOne, `DELETE FROM ` + session + ` WHERE session_handle = ?`},
		{&p.lockByUser, `SELECT session_handle FROM ` + session + ` WHERE user_id = ? AND expires_at >= ?
			ORDER BY session_handle FOR UPDATE`},
		{&p.deleteByUser, byUser},
		{&p.expired, `SELECT session_handle FROM ` + session + ` WHERE expires_at <= ? LIMIT ?`},
		{&p.dynamicKeys, `SELECT '', value, created_at_time FROM ` + dynamic + ` ORDER BY created_at_time DESC`},
		{&p.addDynamicKey, `INSERT INTO ` + dynamic + ` (created_at_time, value, predecessor) VALUES (?, ?, ?)`},
		{&p.deleteKey, `DELETE FROM ` + dynamic + ` WHERE created_at_time < ?`},
		{&p.staticKeys, `SELECT key_id, key_string, created_at FROM ` + static + ` ORDER BY created_at DESC, key_id`},
		{&p.addStaticKey, `INSERT INTO ` + static + ` (key_id, key_string, algorithm, created_at) VALUES (?, ?, 'RS256', ?)`},
		{&p.value, `SELECT value FROM ` + keyValue + ` WHERE name = ?`},
		{&p.addValue, `INSERT INTO ` + keyValue + ` (name, value, created_at_time) VALUES (?, ?, ?)`},
	} {
		var err error
		if *s.to, err = db.PrepareContext(ctx, s.text); err != nil {
			return fmt.Errorf("prepare %q: %w", s.text, err)
		}
	}
	return nil
}

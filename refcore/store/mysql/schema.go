package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"github.com/coreproof/coreproof/refcore/store"
)

// maxName is MySQL's limit in characters.
const maxName = 64

// createSchema does nothing if all tables are there, so that an account without
// the right to create can use them, and refuses those of another program. CREATE TABLE IF NOT EXISTS is safe against
// itself here: the server takes the name's lock first.
func createSchema(ctx context.Context, db *sql.DB, t store.Names) error {
	names := []any{t.Session, t.DynamicKey, t.StaticKey, t.KeyValue}
	for _, n := range names {
		if s := n.(string); len(s) > maxName || strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("name %q has %d bytes or a NUL; %d are allowed", s, len(s), maxName)
		}
	}
	complete, err := complete(ctx, db, t, names)
	if err != nil || complete {
		return err
	}
	for _, text := range definitions(t) {
		err := outage.Wait(ctx, deadlock, func() error {
			_, err := db.ExecContext(ctx, text)
			return err
		})
		if err != nil {
			return fmt.Errorf("create schema: %w", err)
		}
	}
	return nil
}

func complete(ctx context.Context, db *sql.DB, t store.Names, names []any) (_ bool, err error) {
	rows, err := db.QueryContext(ctx, `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?, ?)`, names...)
	have := map[string][]string{}
	err = sqlstore.Read(rows, err, func(rows sqlstore.Rows) error {
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				return err
			}
			have[table] = append(have[table], column)
		}
		return rows.Err()
	})
	if err != nil {
		return false, fmt.Errorf("look for tables: %w", err)
	}
	return sqlstore.Complete(t, have, "mysql_table_names_prefix")
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

// own are the prepared statements that only MySQL and MariaDB have; database/sql
// prepares each again on every connection that meets it first.
type own struct {
	lockByUser, deleteByUser, expired *sql.Stmt
	// Those with a list of parameters are not prepared.
	lockMany, deleteMany, deleteManyReturning, deleteManyExpired sqlstore.Listed
}

func (s *Store) prepare(ctx context.Context) error {
	names := s.cfg.Names()
	t := sqlstore.Tables{
		Session: quote(names.Session), DynamicKey: quote(names.DynamicKey),
		StaticKey: quote(names.StaticKey), KeyValue: quote(names.KeyValue),
	}
	prepare := func(text string, _ bool) (*sql.Stmt, error) {
		var stmt *sql.Stmt
		err := outage.Wait(ctx, full, func() (err error) {
			stmt, err = s.db.PrepareContext(ctx, text)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("prepare %q: %w", text, err)
		}
		return stmt, nil
	}
	var err error
	// No INSERT IGNORE: it would cut what is too long.
	if s.Stmts, err = sqlstore.Prepare(sqlstore.Texts(t, sqlstore.Dialect{ReadOnly: readOnly(s.words), OneRow: sqlstore.Aggregate}), prepare); err != nil {
		return err
	}
	p := &s.own
	// In the order of the primary key, so that two calls that lock the same
	// sessions wait for each other and do not deadlock.
	const inOrder = ` ORDER BY session_handle FOR UPDATE`
	deleteFrom, some := `DELETE FROM `+t.Session, `session_handle IN (`
	p.lockMany = sqlstore.Listed{Before: `SELECT session_handle FROM ` + t.Session + ` WHERE ` + some, After: `)` + inOrder}
	p.deleteMany = sqlstore.Listed{Before: deleteFrom + ` WHERE ` + some, After: `)`}
	p.deleteManyReturning = sqlstore.Listed{Before: deleteFrom + ` WHERE ` + some, After: `) RETURNING session_handle`}
	p.deleteManyExpired = sqlstore.Listed{Before: deleteFrom + ` WHERE expires_at <= ? AND ` + some, After: `)`}
	const ofUser = ` WHERE user_id = ? AND expires_at >= ?`
	byUser := deleteFrom + ofUser
	if s.maria {
		byUser += ` RETURNING session_handle`
	}
	for _, x := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&p.lockByUser, `SELECT session_handle FROM ` + t.Session + ofUser + inOrder},
		{&p.deleteByUser, byUser},
		{&p.expired, `SELECT session_handle FROM ` + t.Session + ` WHERE expires_at <= ? LIMIT ?`},
	} {
		if *x.to, err = prepare(x.text, false); err != nil {
			return err
		}
	}
	return nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"
)

// tables are the qualified, quoted names of one deployment.
type tables struct {
	schema                                 string // not quoted
	names                                  store.Names
	session, dynamicKey, staticKey, values string
}

// maxName is PostgreSQL's limit in bytes. It cuts longer names without an error,
// so that two could become one; the session table's name gets suffixes.
const maxName = 63

func nameTables(cfg store.Config) (tables, error) {
	t := tables{schema: cfg.Schema, names: cfg.Names()}
	if t.schema == "" {
		t.schema = "public"
	}
	longest := t.names.Session + "_expires_at_index"
	for _, n := range []string{t.schema, longest, t.names.DynamicKey, t.names.StaticKey, t.names.KeyValue} {
		if len(n) > maxName || strings.IndexByte(n, 0) >= 0 {
			return tables{}, fmt.Errorf("name %q has %d bytes or a NUL; %d are allowed", n, len(n), maxName)
		}
	}
	qualify := func(name string) string { return pgx.Identifier{t.schema, name}.Sanitize() }
	t.session, t.values = qualify(t.names.Session), qualify(t.names.KeyValue)
	t.dynamicKey, t.staticKey = qualify(t.names.DynamicKey), qualify(t.names.StaticKey)
	return t, nil
}

// createSchema does nothing if all tables are there, so that a role without the
// right to create can use them, and refuses those of another program. Else one core creates and the others wait:
// CREATE … IF NOT EXISTS alone fails when two do it at once.
func createSchema(ctx context.Context, config *pgx.ConnConfig, t tables) (err error) {
	var conn *pgx.Conn
	err = outage.Wait(ctx, full, func() (err error) {
		conn, err = pgx.ConnectConfig(ctx, config.Copy())
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	complete, err := complete(ctx, conn, t)
	if err != nil || complete {
		return err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// Waiting for another core's set-up is bounded by ctx.
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		lock := fnv.New64a()
		_, _ = lock.Write([]byte("coreproof schema " + t.schema))
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lock.Sum64())); err != nil {
			return err
		}
		for _, statement := range definitions(t) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	return nil
}

func complete(ctx context.Context, conn *pgx.Conn, t tables) (bool, error) {
	names := []string{t.names.Session, t.names.DynamicKey, t.names.StaticKey, t.names.KeyValue}
	rows, err := conn.Query(ctx, `SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p')`, t.schema, names)
	if err != nil {
		return false, fmt.Errorf("look for tables: %w", err)
	}
	have := map[string][]string{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		have[table] = append(have[table], column)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look for tables: %w", err)
	}
	return sqlstore.Complete(t.names, have, "postgresql_table_names_prefix or postgresql_table_schema")
}

// definitions create what is missing. predecessor makes two cores' new signing
// keys collide: each key has one successor.
func definitions(t tables) []string {
	index := func(table, suffix string) string { return pgx.Identifier{table + suffix}.Sanitize() }
	var all []string
	if t.schema != "public" {
		all = append(all, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{t.schema}.Sanitize())
	}
	return append(all,
		`CREATE TABLE IF NOT EXISTS `+t.session+` (
			session_handle TEXT COLLATE "C" NOT NULL PRIMARY KEY,
			user_id BYTEA NOT NULL,
			refresh_token_hash_2 TEXT COLLATE "C" NOT NULL,
			prev_refresh_token_hash_2 TEXT COLLATE "C" NOT NULL,
			refresh_token_rotated_at BIGINT NOT NULL,
			session_data BYTEA NOT NULL,
			jwt_user_payload BYTEA NOT NULL,
			created_at_time BIGINT NOT NULL,
			expires_at BIGINT NOT NULL,
			use_static_key BOOLEAN NOT NULL
		)`,
		`CREATE INDEX IF NOT EXISTS `+index(t.names.Session, "_user_id_index")+` ON `+t.session+` (user_id)`,
		`CREATE INDEX IF NOT EXISTS `+index(t.names.Session, "_expires_at_index")+` ON `+t.session+` (expires_at)`,
		`CREATE TABLE IF NOT EXISTS `+t.dynamicKey+` (
			created_at_time BIGINT NOT NULL PRIMARY KEY,
			value TEXT NOT NULL,
			predecessor BIGINT NOT NULL UNIQUE
		)`,
		`CREATE TABLE IF NOT EXISTS `+t.staticKey+` (
			key_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
			key_string TEXT NOT NULL,
			algorithm TEXT COLLATE "C" NOT NULL UNIQUE,
			created_at BIGINT NOT NULL
		)`,
		`CREATE TABLE IF NOT EXISTS `+t.values+` (
			name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
			value TEXT NOT NULL,
			created_at_time BIGINT NOT NULL
		)`,
	)
}

package meter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// mark stands in every statement of a meter, so that it does not count itself.
const mark = "/* coreproof-meter */ "

// AdministerPostgres creates or drops a database.
func AdministerPostgres(ctx context.Context, uri, database string, create bool) error {
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	name := pgx.Identifier{database}.Sanitize()
	q := "CREATE DATABASE " + name
	if !create {
		q = "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"
	}
	_, err = conn.Exec(ctx, q)
	return err
}

// Postgres reads a database of a PostgreSQL server through pg_stat_statements,
// which must be preloaded.
func Postgres(ctx context.Context, uri, _ string, p Process) (Database, error) {
	cfg, err := pgxpool.ParseConfig(uri)
	if err != nil {
		return nil, fmt.Errorf("read the books of PostgreSQL: %w", err)
	}
	cfg.MaxConns = 1
	cfg.ConnConfig.RuntimeParams["application_name"] = "coreproof-meter"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("read the books of PostgreSQL: %w", err)
	}
	if _, err := pool.Exec(ctx, mark+"CREATE EXTENSION IF NOT EXISTS pg_stat_statements"); err != nil {
		pool.Close()
		return nil, fmt.Errorf("read the books of PostgreSQL: %w", err)
	}
	return &pgBooks{pool, p}, nil
}

type pgBooks struct {
	pool    *pgxpool.Pool
	process Process
}

func (b *pgBooks) Product(ctx context.Context) (string, string, error) {
	var v string
	err := b.pool.QueryRow(ctx, mark+"SHOW server_version").Scan(&v)
	return "PostgreSQL", v, err
}

func (b *pgBooks) TLS(ctx context.Context) (string, error) {
	var encrypted, plain int
	err := b.pool.QueryRow(ctx, mark+`SELECT count(*) FILTER (WHERE s.ssl), count(*) FILTER (WHERE NOT s.ssl)
		FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
		WHERE a.datname = current_database() AND a.application_name <> 'coreproof-meter' AND a.client_addr IS NOT NULL`).Scan(&encrypted, &plain)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the encryption of connections: %w", err)
	case encrypted+plain == 0:
		return "unknown", nil
	case plain == 0:
		return "yes", nil
	}
	return "no", nil
}

func (b *pgBooks) Settings(ctx context.Context) (map[string]string, error) {
	rows, err := b.pool.Query(ctx, mark+`SELECT name, setting FROM pg_settings
		WHERE name IN ('fsync', 'synchronous_commit', 'autovacuum', 'shared_buffers', 'jit')`)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return pairs(rows)
}

func pairs(rows pgx.Rows) (map[string]string, error) {
	out := map[string]string{}
	defer rows.Close()
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return nil, fmt.Errorf("read the settings: %w", err)
		}
		out[k] = v
	}
	return out, rows.Err()
}

// emptyQuery is the pattern of what pools ask to see whether a connection is good:
// nothing, or a constant alone, which the books write as $1. It names no table and calls
// nothing, so no session can be read by it.
const emptyQuery = `^\s*(select\s+(\$?[0-9]+|true|'[^']*')(\s+as\s+[a-z_"]+)?)?\s*;?\s*$`

// Statements counts all statements in this database but transaction borders,
// session settings, pings (see emptyQuery) and the meter's own.
func (b *pgBooks) Statements(ctx context.Context) (uint64, error) {
	var n int64
	err := b.pool.QueryRow(ctx, mark+`SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
		WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND query !~* '^\s*(begin|start|commit|rollback|set|show|reset|discard|deallocate)'
		AND query NOT LIKE '%coreproof-meter%' AND query NOT LIKE '-- ping%' AND query !~* $1`, emptyQuery).Scan(&n)
	return uint64(n), err
}

func (b *pgBooks) Source() string { return "pg_stat_statements" }

func (b *pgBooks) SessionRows(ctx context.Context) (n int64, err error) {
	err = b.pool.QueryRow(ctx, mark+"SELECT count(*) FROM session_info").Scan(&n)
	return n, err
}

func (b *pgBooks) SchemaHash(ctx context.Context) (string, error) {
	rows, err := b.pool.Query(ctx, mark+`SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name NOT LIKE 'pg_stat%'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1`)
	if err != nil {
		return "", fmt.Errorf("read the schema: %w", err)
	}
	defer rows.Close()
	h := sha256.New()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return "", fmt.Errorf("read the schema: %w", err)
		}
		fmt.Fprintf(h, "%s\x00", s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), rows.Err()
}

func (b *pgBooks) Bytes(ctx context.Context) (n int64, err error) {
	err = b.pool.QueryRow(ctx, mark+"SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace").Scan(&n)
	return n, err
}

func (b *pgBooks) Compact(ctx context.Context) error {
	if _, err := b.pool.Exec(ctx, "VACUUM FULL session_info "+mark); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

func (b *pgBooks) Fill(ctx context.Context, rows int64) error {
	// A core may keep text as bytes, so that no collation takes part.
	found, err := b.pool.Query(ctx, mark+"SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'session_info' AND is_generated = 'NEVER'")
	if err != nil {
		return fmt.Errorf("read the columns: %w", err)
	}
	var columns []string
	var name, kind string
	names := filler("gen_random_uuid()::text")
	_, err = pgx.ForEachRow(found, []any{&name, &kind}, func() error {
		columns = append(columns, name)
		if value, ok := names[name]; ok && kind == "bytea" {
			names[name] = "convert_to(" + value + ", 'UTF8')"
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the columns: %w", err)
	}
	err = grow(ctx, rows, b.SessionRows, func(ctx context.Context, n int64) error {
		_, err := b.pool.Exec(ctx, mark+copying(columns, doubleQuoted, names, n))
		return err
	})
	if err != nil {
		return err
	}
	// Else the server does both by itself, while it is measured.
	for _, statement := range []string{"VACUUM ANALYZE session_info", "CHECKPOINT"} {
		if _, err := b.pool.Exec(ctx, statement+" "+mark); err != nil {
			return fmt.Errorf("settle the filled table: %s: %w", statement, err)
		}
	}
	return nil
}

func (b *pgBooks) Process() Process { return b.process }

func (b *pgBooks) Close() error {
	b.pool.Close()
	return nil
}

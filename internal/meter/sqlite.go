package meter

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver of the embedded store
)

// SQLite reads an embedded database's file. Statements are counted by the
// cores' own driver, which the caller knows how to ask.
func SQLite(path string, statements func(context.Context) (uint64, error)) (Database, error) {
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return &sqliteBooks{db: db, statements: statements}, nil
}

type sqliteBooks struct {
	db         *sql.DB
	statements func(context.Context) (uint64, error)
}

func (b *sqliteBooks) Product(ctx context.Context) (string, string, error) {
	var v string
	err := b.db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&v)
	return "SQLite", v, err
}

func (b *sqliteBooks) TLS(context.Context) (string, error) { return "none", nil }

func (b *sqliteBooks) Settings(ctx context.Context) (map[string]string, error) {
	set := map[string]string{}
	var mode string
	if err := b.db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, fmt.Errorf("read the journal mode: %w", err)
	}
	set["journal_mode"] = mode
	return set, nil
}

func (b *sqliteBooks) Statements(ctx context.Context) (uint64, error) { return b.statements(ctx) }

func (b *sqliteBooks) Source() string { return "driver (the core's own counter)" }

func (b *sqliteBooks) SessionRows(ctx context.Context) (n int64, err error) {
	err = b.db.QueryRowContext(ctx, "SELECT count(*) FROM session_info").Scan(&n)
	return n, err
}

func (b *sqliteBooks) SchemaHash(ctx context.Context) (string, error) {
	rows, err := b.db.QueryContext(ctx, "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name")
	if err != nil {
		return "", fmt.Errorf("read the schema: %w", err)
	}
	defer rows.Close()
	h := sha256.New()
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return "", fmt.Errorf("read the schema: %w", err)
		}
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00", kind, name, text)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), rows.Err()
}

func (b *sqliteBooks) Bytes(ctx context.Context) (n int64, err error) {
	err = b.db.QueryRowContext(ctx, "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)").Scan(&n)
	return n, err
}

func (b *sqliteBooks) Compact(ctx context.Context) error {
	for _, q := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := b.db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

func (b *sqliteBooks) Fill(ctx context.Context, rows int64) error {
	err := table{
		db: b.db, columns: "SELECT name FROM pragma_table_info('session_info')",
		quote: doubleQuoted,
		uuid:  "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))",
	}.fill(ctx, rows, b.SessionRows)
	if err != nil {
		return err
	}
	// What stays in the log would be looked up there by each read.
	var busy, pages, moved int
	if err := b.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("settle the filled table: %w", err)
	}
	if busy != 0 {
		return errors.New("settle the filled table: the log is in use, so it was not written back")
	}
	return nil
}

func (b *sqliteBooks) Process() Process { return nil }

func (b *sqliteBooks) Close() error { return b.db.Close() }

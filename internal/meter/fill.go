package meter

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// fillBatch is how many rows a statement adds at most: enough to be quick, few enough to
// stay within the limits that servers set on a transaction.
const fillBatch = 100_000

// grow adds rows in batches until there are enough. Each batch copies rows that are
// there, so a table is filled by doubling it.
func grow(ctx context.Context, want int64, count func(context.Context) (int64, error), add func(ctx context.Context, n int64) error) error {
	for {
		have, err := count(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("count the session rows: %w", err)
		case have >= want:
			return nil
		case have == 0:
			return fmt.Errorf("fill the session table: there is no row to copy")
		}
		if err := add(ctx, min(have, want-have, fillBatch)); err != nil {
			return fmt.Errorf("fill the session table: %w", err)
		}
	}
}

// filler gives the columns of which each copy has a value of its own, and the expression
// for that, a random UUID: as cores name their sessions, so that rows that were made up lie
// between the others in every index, and not beside them.
func filler(uuid string) map[string]string {
	return map[string]string{"session_handle": uuid, "user_id": uuid}
}

// copying is the statement that copies n rows of the session table, but for the columns
// in values.
func copying(columns []string, quote func(string) string, values map[string]string, n int64) string {
	into, from := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		into[i], from[i] = quote(c), quote(c)
		if v, ok := values[c]; ok {
			from[i] = v
		}
	}
	return fmt.Sprintf("INSERT INTO session_info (%s) SELECT %s FROM session_info LIMIT %d", strings.Join(into, ", "), strings.Join(from, ", "), n)
}

// table is a session table behind database/sql, and how its database is spoken to.
type table struct {
	db      *sql.DB
	columns string // a query that gives their names
	args    []any
	quote   func(string) string
	uuid    string // an expression for a random one
	// after are run on one connection when there are enough rows. They end with nothing
	// left to be written: the server would do that while it is measured.
	after []string
}

// fill makes rows up until there are so many.
func (t table) fill(ctx context.Context, rows int64, count func(context.Context) (int64, error)) error {
	columns, err := columnsOf(ctx, t.db, t.columns, t.args...)
	if err != nil {
		return err
	}
	err = grow(ctx, rows, count, func(ctx context.Context, n int64) error {
		_, err := t.db.ExecContext(ctx, copying(columns, t.quote, filler(t.uuid), n))
		return err
	})
	if err != nil {
		return err
	}
	c, err := t.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("settle the filled table: %w", err)
	}
	defer func() { _ = c.Close() }()
	for _, statement := range t.after {
		if _, err := c.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("settle the filled table: %s: %w", statement, err)
		}
	}
	return nil
}

func doubleQuoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func backQuoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// columnsOf the session table, by a query that gives their names.
func columnsOf(ctx context.Context, db *sql.DB, query string, args ...any) (list []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the columns: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read the columns: %w", err)
		}
		list = append(list, name)
	}
	return list, rows.Err()
}

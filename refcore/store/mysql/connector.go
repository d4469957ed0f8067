package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// connector prepares each new connection for the store's statements.
type connector struct {
	driver.Connector
	timeout time.Duration // of a statement
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.setUp(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func (c connector) setUp(ctx context.Context, conn driver.Conn) error {
	version, readOnly, err := introduce(ctx, conn)
	if err != nil {
		return fmt.Errorf("ask for version and role: %w", err)
	}
	if readOnly != "0" && readOnly != "OFF" { // a word since MariaDB 11.8
		return errors.New("it is read-only, a replica perhaps; sessions need the primary")
	}
	// Read committed: a statement sees what was committed before it and locks
	// rows, not the gaps where logins insert.
	limit := fmt.Sprintf("SET SESSION max_execution_time = %d", max(1, c.timeout.Milliseconds()))
	if isMariaDB(version) {
		limit = fmt.Sprintf("SET SESSION max_statement_time = %f", c.timeout.Seconds())
	}
	for _, text := range []string{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", limit} {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, text, nil); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

func isMariaDB(version string) bool { return strings.Contains(version, "MariaDB") }

func introduce(ctx context.Context, conn driver.Conn) (version, readOnly string, err error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT VERSION(), CAST(@@global.read_only AS CHAR)", nil)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 2)
	if err := rows.Next(row); err != nil {
		return "", "", err
	}
	version, readOnly = text(row[0]), text(row[1])
	if err := rows.Next(row); err != io.EOF {
		return "", "", fmt.Errorf("a second row: %v", err)
	}
	return version, readOnly, nil
}

func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

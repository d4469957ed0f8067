package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"
)

// connector prepares each new connection for the store's statements.
type connector struct {
	driver.Connector
	timeout time.Duration  // of a statement
	epoch   *atomic.Uint64 // connections of an older one are not used again
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	born := c.epoch.Load()
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.setUp(ctx, inner); err != nil {
		_ = inner.Close()
		return nil, err
	}
	return &conn{inner.(capable), born, c.epoch}, nil
}

// capable is what the driver's connections can do, all of which database/sql
// makes use of.
type capable interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is not used again once a later epoch has begun.
type conn struct {
	capable
	born  uint64
	epoch *atomic.Uint64
}

// IsValid is asked when the connection is given back.
func (c *conn) IsValid() bool { return c.born == c.epoch.Load() && c.capable.IsValid() }

// ResetSession is asked before the connection is used again.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.born != c.epoch.Load() {
		return driver.ErrBadConn
	}
	return c.capable.ResetSession(ctx)
}

// readOnly is an expression that is true where the server would not write. It is
// asked with every read, so it is what can change under a connection, and no
// more: innodb_read_only is fixed at the server's start, and a session's own
// default at the session's. MariaDB has words for the value since 11.8.
func readOnly(words bool) string {
	if words {
		return `@@global.read_only <> 'OFF'`
	}
	return `@@global.read_only`
}

func (c connector) setUp(ctx context.Context, conn driver.Conn) error {
	version, err := ask(ctx, conn, "SELECT VERSION()")
	if err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	session := "@@session.transaction_read_only"
	if isMariaDB(version) {
		session = "@@session.tx_read_only"
	}
	demoted, err := ask(ctx, conn, "SELECT CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF') OR @@global.innodb_read_only OR "+session)
	if err != nil {
		return fmt.Errorf("ask for the role: %w", err)
	}
	if demoted != "0" {
		return sqlstore.ErrReadOnly
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

// ask reads one value.
func ask(ctx context.Context, conn driver.Conn, question string) (answer string, err error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, question, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return "", err
	}
	answer = text(row[0])
	if err := rows.Next(row); err != io.EOF {
		return "", fmt.Errorf("a second row: %v", err)
	}
	return answer, nil
}

func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

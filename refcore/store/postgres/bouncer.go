package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coreproof/coreproof/refcore/store/internal/outage"
)

// errTransactionPooling: time-outs and prepared statements would be another
// client's at each statement.
var errTransactionPooling = errors.New("there is a pooler in transaction or statement mode before the database (PgBouncer, pool_mode=transaction): session settings and prepared statements get lost; use its session mode (pool_mode=session) or the database itself")

// needsSessions finds a pooler that gives each transaction another session: two
// connections leave a mark of their own in their sessions, and the first has to
// find its own again.
func needsSessions(ctx context.Context, config *pgx.ConnConfig) (err error) {
	var conns [2]*pgconn.PgConn
	for i := range conns {
		connect := func() (err error) {
			conns[i], err = pgconn.ConnectConfig(ctx, &config.Copy().Config)
			return err
		}
		if i == 0 {
			err = outage.Wait(ctx, full, connect)
		} else if err = connect(); full(err) {
			return nil // one connection is all there is: no pooler would say so
		}
		if err != nil {
			return err
		}
		defer func() { _ = conns[i].Close(ctx) }()
	}
	first, other := rand.Text(), rand.Text()
	for i, mark := range []string{first, other} {
		if _, err := query(ctx, conns[i], "SELECT set_config('refcore.mark', '"+mark+"', false)"); err != nil {
			return err
		}
	}
	switch got, err := query(ctx, conns[0], "SELECT current_setting('refcore.mark', true)"); {
	case err != nil:
		return err
	case got != first:
		return errTransactionPooling
	}
	return nil
}

// query reads one value by the simple protocol, which prepares nothing.
func query(ctx context.Context, conn *pgconn.PgConn, sql string) (string, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", fmt.Errorf("look for a pooler: %w", err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return "", errors.New("look for a pooler: no answer")
	}
	return string(results[0].Rows[0][0]), nil
}

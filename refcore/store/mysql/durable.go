package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// durability are variables of the server that decide what a commit's answer is
// worth; a session cannot change them.
type durability struct {
	flush, sync int64 // innodb_flush_log_at_trx_commit, sync_binlog
	binlog      bool
}

func askDurability(ctx context.Context, db *sql.DB) (d durability, err error) {
	err = db.QueryRowContext(ctx, "SELECT @@global.innodb_flush_log_at_trx_commit, @@global.sync_binlog, @@global.log_bin").Scan(&d.flush, &d.sync, &d.binlog)
	if err != nil {
		return d, fmt.Errorf("ask how durable a commit is: %w", err)
	}
	return d, nil
}

// weakerThanPromised asks and names what is weaker. A server that answers with an error
// lacks one of the variables, which is no reason not to start.
func weakerThanPromised(ctx context.Context, db *sql.DB) ([]string, error) {
	d, err := askDurability(ctx, db)
	if said := (*mysql.MySQLError)(nil); errors.As(err, &said) {
		return []string{fmt.Sprintf("whether a revoke is durable when it is answered: the server does not say (%s)", said.Message)}, nil
	}
	if err != nil {
		return nil, err
	}
	return d.weaker(), nil
}

// weaker names what is weaker than "a revoke answers after it is durable". With 3,
// which MariaDB alone has, a commit is flushed as with 1.
func (d durability) weaker() (texts []string) {
	if d.flush != 1 && d.flush != 3 {
		texts = append(texts, fmt.Sprintf("innodb_flush_log_at_trx_commit=%d: a revoke may be lost when the server's machine fails; 1 waits for the disk", d.flush))
	}
	if d.binlog && d.sync != 1 {
		texts = append(texts, fmt.Sprintf("sync_binlog=%d: a revoke may be lost, or be missing on the replicas, when the server's machine fails; 1 waits for the disk", d.sync))
	}
	return texts
}

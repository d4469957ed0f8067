package meter

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

func openMySQL(uri string) (*sql.DB, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("read the books of MySQL: malformed URI")
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.InterpolateParams = true
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("read the books of MySQL: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// AdministerMySQL creates or drops a database.
func AdministerMySQL(ctx context.Context, uri, database string, create bool) error {
	db, err := openMySQL(uri)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	name := "`" + strings.ReplaceAll(database, "`", "``") + "`"
	q := "CREATE DATABASE " + name
	if !create {
		q = "DROP DATABASE IF EXISTS " + name
	}
	_, err = db.ExecContext(ctx, q)
	return err
}

// MySQL reads a database of a MySQL or MariaDB server.
func MySQL(ctx context.Context, uri, database string, p Process) (Database, error) {
	db, err := openMySQL(uri)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("read the books of MySQL: %w", err)
	}
	return &mysqlBooks{db, database, p}, nil
}

type mysqlBooks struct {
	db       *sql.DB
	database string
	process  Process
}

func (b *mysqlBooks) Product(ctx context.Context) (string, string, error) {
	var v, comment string
	if err := b.db.QueryRowContext(ctx, "SELECT @@version, @@version_comment").Scan(&v, &comment); err != nil {
		return "", "", err
	}
	if strings.Contains(strings.ToLower(v+comment), "mariadb") {
		return "MariaDB", v, nil
	}
	return "MySQL", v, nil
}

// TLS looks at the other connections to this database. Where the server keeps no
// account of each (MariaDB without performance_schema), fewer TLS handshakes than
// connections show that some are plain; more show nothing, as the server counts
// one even when there was none.
func (b *mysqlBooks) TLS(ctx context.Context) (string, error) {
	var encrypted, plain int
	err := b.db.QueryRowContext(ctx, `SELECT coalesce(sum(connection_type = 'SSL/TLS'), 0), coalesce(sum(connection_type = 'TCP/IP'), 0)
		FROM performance_schema.threads WHERE processlist_db = ? AND processlist_id <> connection_id()`, b.database).Scan(&encrypted, &plain)
	switch {
	case err != nil || encrypted+plain == 0:
	case plain == 0:
		return "yes", nil
	default:
		return "no", nil
	}
	var others uint64
	if err := b.db.QueryRowContext(ctx, "SELECT count(*) FROM information_schema.processlist WHERE db = ? AND id <> connection_id()", b.database).Scan(&others); err != nil {
		return "", fmt.Errorf("read the encryption of connections: %w", err)
	}
	if n, err := b.status(ctx, "Ssl_finished_accepts"); err == nil && n < others {
		return "no", nil
	}
	return "unknown", nil
}

func (b *mysqlBooks) Settings(ctx context.Context) (map[string]string, error) {
	rows, err := b.db.QueryContext(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', 'innodb_buffer_pool_size')")
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return nil, fmt.Errorf("read the settings: %w", err)
		}
		out[k] = v
	}
	return out, rows.Err()
}

// Statements adds up what the server counts of each kind that reads or writes
// rows. SHOW, with which this is read, is none of them. A prepared statement that
// the server has to prepare anew, because its table was compacted or changed, is
// counted once more although it was sent once.
func (b *mysqlBooks) Statements(ctx context.Context) (uint64, error) {
	var sum uint64
	for _, kind := range []string{"Com_select", "Com_insert", "Com_insert_select", "Com_update", "Com_update_multi", "Com_delete", "Com_delete_multi", "Com_replace", "Com_replace_select", "Com_call_procedure"} {
		n, err := b.status(ctx, kind)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	again, err := b.status(ctx, "Com_stmt_reprepare")
	if err != nil {
		return 0, err
	}
	return sum - min(sum, again), nil
}

func (b *mysqlBooks) status(ctx context.Context, name string) (uint64, error) {
	var k, v string
	if err := b.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&k, &v); err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return strconv.ParseUint(v, 10, 64)
}

func (b *mysqlBooks) Source() string { return "the server's Com_ counters" }

func (b *mysqlBooks) SessionRows(ctx context.Context) (n int64, err error) {
	err = b.db.QueryRowContext(ctx, "SELECT count(*) FROM session_info").Scan(&n)
	return n, err
}

func (b *mysqlBooks) SchemaHash(ctx context.Context) (string, error) {
	h := sha256.New()
	for _, q := range []string{
		"SELECT concat_ws(' ', table_name, column_name, column_type, is_nullable, column_default, collation_name) FROM information_schema.columns WHERE table_schema = ? ORDER BY 1",
		"SELECT concat_ws(' ', table_name, index_name, seq_in_index, column_name, non_unique) FROM information_schema.statistics WHERE table_schema = ? ORDER BY 1",
	} {
		rows, err := b.db.QueryContext(ctx, q, b.database)
		if err != nil {
			return "", fmt.Errorf("read the schema: %w", err)
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				_ = rows.Close()
				return "", fmt.Errorf("read the schema: %w", err)
			}
			fmt.Fprintf(h, "%s\x00", s)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return "", fmt.Errorf("read the schema: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func (b *mysqlBooks) Bytes(ctx context.Context) (n int64, err error) {
	if _, err = b.db.ExecContext(ctx, "ANALYZE TABLE session_info"); err != nil {
		return 0, fmt.Errorf("read the size: %w", err)
	}
	// MySQL keeps these figures for a day unless told otherwise; MariaDB does not.
	_, _ = b.db.ExecContext(ctx, "SET SESSION information_schema_stats_expiry = 0")
	err = b.db.QueryRowContext(ctx, "SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.tables WHERE table_schema = ?", b.database).Scan(&n)
	return n, err
}

func (b *mysqlBooks) Compact(ctx context.Context) error {
	rows, err := b.db.QueryContext(ctx, "OPTIMIZE TABLE session_info")
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	// One line a step: table, operation, kind of message, message.
	for rows.Next() {
		var table, operation, kind, text sql.NullString
		if err := rows.Scan(&table, &operation, &kind, &text); err != nil {
			return errors.Join(fmt.Errorf("compact: %w", err), rows.Close())
		}
		if strings.EqualFold(kind.String, "error") {
			return errors.Join(fmt.Errorf("compact %s: %s", table.String, text.String), rows.Close())
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

func (b *mysqlBooks) Fill(ctx context.Context, rows int64) error {
	return table{
		db: b.db, columns: "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = 'session_info'", args: []any{b.database},
		quote: backQuoted, after: []string{"ANALYZE TABLE session_info", "FLUSH TABLES session_info FOR EXPORT", "UNLOCK TABLES"},
		// The server's own uuid() ascends with the time.
		uuid: "lower(concat(hex(random_bytes(4)), '-', hex(random_bytes(2)), '-4', substr(hex(random_bytes(2)), 2), '-a', substr(hex(random_bytes(2)), 2), '-', hex(random_bytes(6))))",
	}.fill(ctx, rows, b.SessionRows)
}

func (b *mysqlBooks) Process() Process { return b.process }

func (b *mysqlBooks) Close() error { return b.db.Close() }

package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"github.com/go-sql-driver/mysql"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/idle"
	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// Open connects to the database that cfg.URI names
// (mysql://user:password@host:port/name?options), creates the schema if it is
// missing, and fills the pool to cfg.MinIdle.
func Open(ctx context.Context, cfg store.Config) (store.Store, error) {
	cfg = cfg.Filled()
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenTimeout())
	defer cancel()
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place.Of(cfg.URI), place.OneLine(outage.Mark(err, passes(err))))
	}
	return s, nil
}

func open(ctx context.Context, cfg store.Config) (*Store, error) {
	if err := prepareDatabase(ctx, cfg); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg}
	db, err := connect(cfg, &s.epoch)
	if err != nil {
		return nil, err
	}
	db.SetConnMaxLifetime(store.ConnLifetime)
	s.db, s.stop = db, idle.Keep(db, cfg.MinIdle, cfg.PoolSize, cfg.IdleTimeout)
	s.Base = sqlstore.Base[*sql.Stmt]{
		Point: s.point, List: s.list, Exec: s.exec, Taken: taken,
		UserID: func(id string) any { return id }, JSON: sqlstore.Blob,
		Demoted: func() { s.epoch.Add(1) },
	}
	if err := s.start(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// prepareDatabase creates the schema on a connection of its own, whose
// statements may take as long as Open may.
func prepareDatabase(ctx context.Context, cfg store.Config) error {
	names := cfg.Names()
	cfg.StatementTimeout = cfg.OpenTimeout()
	db, err := connect(cfg, new(atomic.Uint64))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	return outage.Wait(ctx, full, func() error { return createSchema(ctx, db, names) })
}

func connect(cfg store.Config, epoch *atomic.Uint64) (*sql.DB, error) {
	c, err := driverConfig(cfg)
	if err != nil {
		return nil, err
	}
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{inner, cfg.StatementTimeout, epoch}), nil
}

func (s *Store) start(ctx context.Context) error {
	var version, readOnly string
	err := outage.Wait(ctx, full, func() error {
		return s.db.QueryRowContext(ctx, "SELECT VERSION(), CAST(@@global.read_only AS CHAR)").Scan(&version, &readOnly)
	})
	if err != nil {
		return err
	}
	s.maria, s.words = isMariaDB(version), strings.HasPrefix(readOnly, "O")
	if err := s.prepare(ctx); err != nil {
		return err
	}
	weaker, err := weakerThanPromised(ctx, s.db)
	if err != nil {
		return err
	}
	s.fill(ctx)
	s.cfg.Weaker(weaker)
	return nil
}

// fill opens MinIdle connections and prepares on each the statement of verify,
// whose first call would else pay a second round trip. It holds the rows of one
// connection while it asks for the next; what fails now is tried again when it
// is needed.
func (s *Store) fill(ctx context.Context) {
	var open []*sql.Rows
	for range s.cfg.MinIdle {
		rows, err := s.Stmts.Liveness.QueryContext(ctx, "")
		if err != nil {
			break
		}
		open = append(open, rows)
		if rows.Err() != nil {
			break
		}
	}
	for _, rows := range open {
		_ = rows.Close()
	}
}

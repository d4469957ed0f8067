package mysql

import (
	"context"
	"database/sql"
	"fmt"

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
		return nil, fmt.Errorf("open %s: %w", place.Of(cfg.URI), place.OneLine(err))
	}
	return s, nil
}

func open(ctx context.Context, cfg store.Config) (*Store, error) {
	if err := prepareDatabase(ctx, cfg); err != nil {
		return nil, err
	}
	db, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, db: db, stop: idle.Keep(db, cfg.MinIdle, cfg.PoolSize, cfg.IdleTimeout)}
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
	db, err := connect(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	return createSchema(ctx, db, names)
}

func connect(cfg store.Config) (*sql.DB, error) {
	c, err := driverConfig(cfg)
	if err != nil {
		return nil, err
	}
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{inner, cfg.StatementTimeout}), nil
}

func (s *Store) start(ctx context.Context) error {
	var version string
	if err := s.db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return err
	}
	s.maria = isMariaDB(version)
	if err := s.stmts.prepare(ctx, s.db, s.cfg.Names(), s.maria); err != nil {
		return err
	}
	s.fill(ctx)
	return nil
}

// fill opens MinIdle connections and prepares on each the statement of verify,
// whose first call would else pay a second round trip. It holds the rows of one
// connection while it asks for the next; what fails now is tried again when it
// is needed.
func (s *Store) fill(ctx context.Context) {
	var open []*sql.Rows
	for range s.cfg.MinIdle {
		rows, err := s.stmts.liveness.QueryContext(ctx, "")
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

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// Open connects to the database that cfg.URI names
// (postgresql://user:password@host:port/name?options), creates the schema if it
// is missing, and fills the pool to cfg.MinIdle.
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
	t, err := nameTables(cfg)
	if err != nil {
		return nil, err
	}
	config, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := createSchema(ctx, config.ConnConfig, t); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, sql: statementsOn(t)}
	if config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		// Else a connection's first verify would pay a second round trip.
		config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Prepare(ctx, s.sql.liveness, s.sql.liveness)
			return err
		}
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if err := fill(ctx, s.pool, max(1, cfg.MinIdle)); err != nil {
		s.pool.Close()
		return nil, err
	}
	return s, nil
}

func poolConfig(cfg store.Config) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(cfg.URI)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	config.MaxConns = int32(cfg.PoolSize)
	config.MinConns = int32(cfg.MinIdle)
	config.MaxConnIdleTime = cfg.IdleTimeout
	config.HealthCheckPeriod = min(time.Minute, max(cfg.IdleTimeout/4, 10*time.Millisecond))
	config.PingTimeout = cfg.StatementTimeout
	config.ShouldPing = suspect

	c := config.ConnConfig
	c.ConnectTimeout = cfg.StatementTimeout
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "refcore"
	}
	// What the client gives up, the server shall give up too.
	c.RuntimeParams["statement_timeout"] = strconv.FormatInt(max(1, cfg.StatementTimeout.Milliseconds()), 10)
	// The statements are written for it: each is a transaction of its own that
	// waits for a row's lock and then judges the row's newest version.
	c.RuntimeParams["default_transaction_isolation"] = "read committed"
	further := c.ValidateConnect
	c.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if further != nil { // target_session_attrs
			if err := further(ctx, conn); err != nil {
				return err
			}
		}
		return validate(ctx, conn)
	}
	return config, nil
}

// validate refuses a replica, which may lag behind deletes, and mends a session
// whose commits would return before they are durable.
func validate(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, `SELECT pg_is_in_recovery(), CASE current_setting('synchronous_commit')
		WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`).ReadAll()
	if err != nil {
		return fmt.Errorf("ask whether it is the primary: %w", err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return errors.New("ask whether it is the primary: no answer")
	}
	if string(results[0].Rows[0][0]) != "f" {
		return errors.New("it is a replica in recovery; sessions need the primary")
	}
	return nil
}

// fill opens n connections by holding all of them at once. The first must
// succeed; if the server has no room for the others, the pool goes on trying.
func fill(ctx context.Context, pool *pgxpool.Pool, n int) error {
	first, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer first.Release()
	var wg sync.WaitGroup
	var all sync.WaitGroup
	all.Add(n - 1)
	for range n - 1 {
		wg.Go(func() {
			c, err := pool.Acquire(ctx)
			all.Done()
			if err != nil {
				return
			}
			all.Wait() // else the next would get this one
			c.Release()
		})
	}
	wg.Wait()
	return nil
}

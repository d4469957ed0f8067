package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

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
		return nil, fmt.Errorf("open %s: %w", where(cfg.URI), place.OneLine(outage.Mark(err, passes(err))))
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
	if err := needsSessions(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	if err := createSchema(ctx, config.ConnConfig, t); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg}
	s.Base = sqlstore.Base[string]{
		Point: s.point, List: s.list, Exec: s.exec, Taken: taken, Holds: holds, Demoted: func() { s.pool.Reset() },
		UserID: func(id string) any { return []byte(id) }, JSON: sqlstore.Blob,
	}
	s.Stmts, s.own = statementsOn(t)
	if config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		// Else a connection's first verify would pay a second round trip.
		config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Prepare(ctx, s.Stmts.Liveness, s.Stmts.Liveness)
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
	d, err := askDurability(ctx, s.pool)
	if err != nil {
		s.pool.Close()
		return nil, err
	}
	cfg.Weaker(d.weaker())
	return s, nil
}

func poolConfig(cfg store.Config) (*pgxpool.Config, error) {
	t, err := parseTarget(cfg.URI)
	if err != nil {
		return nil, err
	}
	if t.params, _, _, err = translate(t.params); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(t.dsn())
	if err != nil {
		return nil, withoutDSN(err)
	}
	config.MaxConns = int32(cfg.PoolSize)
	config.MinConns = int32(cfg.MinIdle)
	config.MaxConnIdleTime = cfg.IdleTimeout
	config.MaxConnLifetime, config.MaxConnLifetimeJitter = store.ConnLifetime, store.ConnLifetime/5
	config.HealthCheckPeriod = min(time.Minute, max(cfg.IdleTimeout/4, 10*time.Millisecond))
	config.PingTimeout = cfg.StatementTimeout
	config.ShouldPing = suspect
	config.BeforeClose = forget

	c := config.ConnConfig
	c.ConnectTimeout = cfg.StatementTimeout
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "refcore"
	}
	further := c.ValidateConnect
	c.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if further != nil { // target_session_attrs
			if err := further(ctx, conn); err != nil {
				return err
			}
		}
		return validate(ctx, conn, cfg.StatementTimeout)
	}
	return config, nil
}

// withoutDSN is pgx's error about a connection string without the string: what it
// blots out ends at an apostrophe in the password.
func withoutDSN(err error) error {
	var parse *pgconn.ParseConfigError
	if !errors.As(err, &parse) {
		return errors.New("its options cannot be used")
	}
	bare := *parse
	bare.ConnString = ""
	return errors.New(strings.TrimPrefix(bare.Error(), "cannot parse ``: "))
}

// forget ends a connection whose statement had no answer in time. pgx waits
// fifteen seconds for the server's farewell, with the connection's place in the
// pool taken; behind a middle box that forgot it, no farewell comes.
func forget(c *pgx.Conn) {
	if c.IsClosed() {
		time.AfterFunc(farewell, func() { _ = c.PgConn().Conn().Close() })
	}
}

// farewell leaves a server that answers the time to hear that the statement is
// given up.
const farewell = 500 * time.Millisecond

// validate refuses a replica, which may lag behind deletes, and sets the session
// up: by a statement, as PgBouncer knows few parameters of the start. What the
// client gives up after its time-out, the server shall give up too; the
// statements are written for read committed: each is a transaction of its own
// that waits for a row's lock and then judges the row's newest version; and no
// commit is to return before it is durable on this server. How far it waits for
// standbys stays as it is set: see durability.
func validate(ctx context.Context, conn *pgconn.PgConn, timeout time.Duration) error {
	results, err := conn.Exec(ctx, `SELECT `+readOnly+`, set_config('statement_timeout', '`+strconv.FormatInt(max(1, timeout.Milliseconds()), 10)+`', false),
		set_config('default_transaction_isolation', 'read committed', false),
		CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`).ReadAll()
	if err != nil {
		return fmt.Errorf("ask whether it is the primary: %w", err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return errors.New("ask whether it is the primary: no answer")
	}
	if string(results[0].Rows[0][0]) != "f" {
		return sqlstore.ErrReadOnly
	}
	return nil
}

// fill opens n connections by holding all of them at once. The first must
// succeed; if the server has no room for the others, the pool goes on trying. Of
// several that come at once for the last place the server may refuse all, the
// pool's own among them, so the first waits for its turn.
func fill(ctx context.Context, pool *pgxpool.Pool, n int) error {
	var first *pgxpool.Conn
	err := outage.Wait(ctx, full, func() (err error) {
		first, err = pool.Acquire(ctx)
		return err
	})
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

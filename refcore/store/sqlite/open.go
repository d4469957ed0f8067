package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/idle"
)

// Open opens or creates the database in the file that cfg.URI names, or one in
// memory, private to this store, if it is "".
func Open(ctx context.Context, cfg store.Config) (store.Store, error) {
	cfg = cfg.Filled()
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenTimeout())
	defer cancel()

	s := &Store{cfg: cfg}
	s.Base = sqlstore.Base[*sql.Stmt]{
		Point: s.point, List: s.list, Exec: s.exec, Taken: taken,
		UserID: func(id string) any { return id },
		JSON:   func(b []byte) any { return string(b) }, // a TEXT column would keep a blob a blob
	}
	if err := s.connect(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open sqlite %s: %w", describe(cfg.URI), err)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context) (err error) {
	if inMemory(s.cfg.URI) {
		// One connection: in shared memory readers would meet the writer's table
		// locks. The anchor keeps the data when that connection is replaced, which
		// database/sql may do after a cancelled call.
		// Its name is seen by the whole process, so it must be no one else's.
		dsn := "file:coreproof-" + rand.Text() + "?mode=memory&cache=shared&_txlock=immediate"
		if s.anchor, err = pool(ctx, dsn, 1); err != nil {
			return err
		}
		if s.writer, err = pool(ctx, dsn, 1); err != nil {
			return err
		}
		s.reader = s.writer
		s.writers = make(chan struct{}, 1)
		s.readers = s.writers
	} else {
		s.writers = make(chan struct{}, 1)
		s.readers = make(chan struct{}, s.cfg.PoolSize)
		if s.writer, err = pool(ctx, fileDSN(s.cfg.URI, "_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)"), 1); err != nil {
			return err
		}
		var mode string
		if err := retryBusy(ctx, func() error {
			return s.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
		}); err != nil {
			return fmt.Errorf("read journal mode: %w", err)
		}
		if mode != "wal" {
			return fmt.Errorf("journal mode is %q, want wal: does its file system have shared memory and locks?", mode)
		}
	}
	names := s.cfg.Names()
	if err := createSchema(ctx, s.writer, names); err != nil {
		return err
	}
	if s.reader == nil {
		if s.reader, err = pool(ctx, fileDSN(s.cfg.URI, "_query_only=1"), s.cfg.PoolSize); err != nil {
			return err
		}
		s.stop = idle.Keep(s.reader, s.cfg.MinIdle, s.cfg.PoolSize, s.cfg.IdleTimeout)
	}
	if err := s.prepare(ctx, names); err != nil {
		return err
	}
	idle.Touch(ctx, s.reader, s.cfg.MinIdle)
	return nil
}

// pool opens a pool of at most n connections and the first of them.
func pool(ctx context.Context, dsn string, n int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	if err := retryBusy(ctx, func() error { return db.PingContext(ctx) }); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

func inMemory(path string) bool { return path == "" || path == ":memory:" }

// fileDSN escapes what would end a path in SQLite's URI syntax. The time-out is
// short because retryBusy waits better than SQLite does.
func fileDSN(path string, options ...string) string {
	u := url.URL{Path: filepath.Clean(path)} // "//x" would name a host
	return "file:" + strings.ReplaceAll(u.EscapedPath(), "#", "%23") +
		"?_pragma=busy_timeout(1)&" + strings.Join(options, "&")
}

func describe(path string) string {
	if inMemory(path) {
		return "in memory"
	}
	return path
}

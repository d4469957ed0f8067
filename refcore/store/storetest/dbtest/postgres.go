package dbtest

import (
	"context"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
)

// Postgres has pg_stat_statements loaded; a test that wants it creates the
// extension.
func Postgres(t testing.TB) *Server {
	t.Helper()
	return get(t, "POSTGRES", "postgres:17", startPostgres)
}

func startPostgres(ctx context.Context, image string) (*Server, error) {
	loopback, err := onLoopback("5432/tcp")
	if err != nil {
		return nil, err
	}
	c, err := postgres.Run(ctx, image,
		postgres.WithUsername("admin"), postgres.WithPassword(Password), postgres.WithDatabase("admin"),
		postgres.BasicWaitStrategies(), loopback,
		testcontainers.WithCmdArgs("-c", "max_connections=400", "-c", "shared_preload_libraries=pg_stat_statements"),
	)
	s, err := started(c, err)
	if err != nil {
		return nil, err
	}
	at, err := endpoint(ctx, c, "5432/tcp")
	if err != nil {
		return nil, err
	}
	uri := func(database string) string {
		u := url.URL{
			Scheme: "postgresql", User: url.UserPassword("admin", Password), Host: at, Path: database,
			RawQuery: "sslmode=disable",
		}
		return u.String()
	}
	exec := func(ctx context.Context, sql string) error {
		conn, err := pgx.Connect(ctx, uri("admin"))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, sql)
		return err
	}
	s.URI = uri("admin")
	s.ping = func(ctx context.Context) error { return exec(ctx, "SELECT 1") }
	s.create = func(ctx context.Context, name string) (string, error) {
		return uri(name), exec(ctx, "CREATE DATABASE "+name)
	}
	s.drop = func(ctx context.Context, name string) error {
		return exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	}
	return s, nil
}

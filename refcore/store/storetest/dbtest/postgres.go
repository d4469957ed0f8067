package dbtest

import (
	"context"
	"fmt"
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
	return get(t, "POSTGRES", postgresImage, func(ctx context.Context, image string) (*Server, error) { return startPostgres(ctx, image) })
}

const postgresImage = "postgres:17"

func startPostgres(ctx context.Context, image string, more ...testcontainers.ContainerCustomizer) (*Server, error) {
	loopback, err := onLoopback("5432/tcp")
	if err != nil {
		return nil, err
	}
	c, err := postgres.Run(ctx, image, append(more,
		postgres.WithUsername("admin"), postgres.WithPassword(Password), postgres.WithDatabase("admin"),
		postgres.BasicWaitStrategies(), loopback,
		testcontainers.WithCmdArgs("-c", "max_connections=400", "-c", "shared_preload_libraries=pg_stat_statements"),
	)...)
	s, err := started(c, err)
	if err != nil {
		return nil, err
	}
	at, err := endpoint(ctx, c, "5432/tcp")
	if err != nil {
		return nil, err
	}
	s.postgres(&url.URL{Scheme: "postgresql", User: url.UserPassword("admin", Password), Host: at, Path: "admin", RawQuery: "sslmode=disable"})
	return s, nil
}

// postgres fills in how a server is spoken to whose administrator's URI is admin.
func (s *Server) postgres(admin *url.URL) {
	uri := func(database string) string {
		u := *admin
		u.Path = database
		return u.String()
	}
	with := func(ctx context.Context, do func(*pgx.Conn) error) error {
		conn, err := pgx.Connect(ctx, uri("admin"))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		return do(conn)
	}
	exec := func(ctx context.Context, sql string) error {
		return with(ctx, func(c *pgx.Conn) error { _, err := c.Exec(ctx, sql); return err })
	}
	s.value = func(ctx context.Context, sql string, into any) error {
		return with(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, sql).Scan(into) })
	}
	s.URI, s.exec = uri("admin"), exec
	s.ping = func(ctx context.Context) error { return exec(ctx, "SELECT 1") }
	s.create = func(ctx context.Context, name string) (string, error) {
		return uri(name), exec(ctx, "CREATE DATABASE "+name)
	}
	s.demote = func(ctx context.Context, on bool) error {
		if err := exec(ctx, fmt.Sprintf("ALTER SYSTEM SET default_transaction_read_only = %t", on)); err != nil {
			return err
		}
		return exec(ctx, "SELECT pg_reload_conf()")
	}
	s.account = func(name string) (create []string, alter string) {
		return []string{"CREATE ROLE " + name + " LOGIN SUPERUSER PASSWORD '?'"}, "ALTER ROLE " + name + " PASSWORD '?'"
	}
	s.drop = func(ctx context.Context, name string) error {
		return exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	}
}

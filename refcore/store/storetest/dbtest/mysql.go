package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/mariadb"
	"github.com/testcontainers/testcontainers-go/modules/mysql"
)

const mysqlImage, mariadbImage = "mysql:9", "mariadb:11"

// MySQL has the durability of its defaults.
func MySQL(t testing.TB) *Server {
	t.Helper()
	return get(t, "MYSQL", mysqlImage, func(ctx context.Context, image string) (*Server, error) { return startMySQL(ctx, image) })
}

// MariaDB has the durability of its defaults.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	return get(t, "MARIADB", mariadbImage, func(ctx context.Context, image string) (*Server, error) { return startMariaDB(ctx, image) })
}

func startMySQL(ctx context.Context, image string, more ...testcontainers.ContainerCustomizer) (*Server, error) {
	loopback, err := onLoopback("3306/tcp", "33060/tcp")
	if err != nil {
		return nil, err
	}
	c, err := mysql.Run(ctx, image, append(more,
		mysql.WithUsername("root"), mysql.WithPassword(Password), mysql.WithDatabase("admin"), loopback,
		testcontainers.WithCmdArgs("--max-connections=400"))...)
	return startedMySQL(ctx, c, err)
}

func startMariaDB(ctx context.Context, image string, more ...testcontainers.ContainerCustomizer) (*Server, error) {
	loopback, err := onLoopback("3306/tcp", "33060/tcp")
	if err != nil {
		return nil, err
	}
	c, err := mariadb.Run(ctx, image, append(more,
		mariadb.WithUsername("root"), mariadb.WithPassword(Password), mariadb.WithDatabase("admin"), loopback,
		testcontainers.WithCmdArgs("--max-connections=400"))...)
	return startedMySQL(ctx, c, err)
}

func startedMySQL(ctx context.Context, c testcontainers.Container, err error) (*Server, error) {
	s, err := started(c, err)
	if err != nil {
		return nil, err
	}
	at, err := endpoint(ctx, c, "3306/tcp")
	if err != nil {
		return nil, err
	}
	uri := func(database string) string {
		u := url.URL{Scheme: "mysql", User: url.UserPassword("root", Password), Host: at, Path: database}
		return u.String()
	}
	exec := func(ctx context.Context, text string) error {
		cfg := driver.NewConfig()
		cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = "root", Password, "tcp", at
		cfg.Logger = &driver.NopLogger{} // a restart is no news
		connector, err := driver.NewConnector(cfg)
		if err != nil {
			return err
		}
		db := sql.OpenDB(connector)
		defer func() { _ = db.Close() }()
		_, err = db.ExecContext(ctx, text)
		return err
	}
	s.URI, s.exec = uri("admin"), exec
	s.ping = func(ctx context.Context) error { return exec(ctx, "DO 1") }
	s.create = func(ctx context.Context, name string) (string, error) {
		return uri(name), exec(ctx, "CREATE DATABASE "+name)
	}
	s.demote = func(ctx context.Context, on bool) error {
		return exec(ctx, fmt.Sprintf("SET GLOBAL read_only = %t", on))
	}
	s.account = func(name string) (create []string, alter string) {
		return []string{"CREATE USER " + name + " IDENTIFIED BY '?'", "GRANT ALL ON *.* TO " + name}, "ALTER USER " + name + " IDENTIFIED BY '?'"
	}
	s.drop = func(ctx context.Context, name string) error { return exec(ctx, "DROP DATABASE "+name) }
	return s, nil
}

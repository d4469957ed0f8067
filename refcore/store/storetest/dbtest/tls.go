package dbtest

import (
	"context"
	"strings"
	"testing"

	"github.com/testcontainers/testcontainers-go"
)

// SecureHost is the host for which the servers of Secure have a certificate:
// under its other name, localhost, it is not theirs.
const SecureHost = "127.0.0.1"

// The servers of Secure let SecureUser in, who has all rights and no password but
// a client's certificate of the authority, issued for that name.
const SecureUser = "certified"

// Secure starts a server of the test's own that speaks TLS with a certificate of
// the authority.
func Secure(t testing.TB, product string, a *Authority) *Server {
	t.Helper()
	var more []testcontainers.ContainerCustomizer
	cert, key := a.Issue(t, "server", SecureHost)
	for to, from := range map[string]string{"ca.pem": a.File, "server.pem": cert, "server.key": key} {
		more = append(more, testcontainers.WithFiles(testcontainers.ContainerFile{HostFilePath: from, ContainerFilePath: "/tls/" + to, FileMode: 0o644}))
	}
	image, kind, start := "", "", startPostgres
	switch product {
	case "postgres":
		kind, image = "POSTGRES", postgresImage
		more = append(more, testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: strings.NewReader(postgresTLS), ContainerFilePath: "/docker-entrypoint-initdb.d/tls.sh", FileMode: 0o755,
		}))
	case "mysql":
		kind, image, start = "MYSQL", mysqlImage, startMySQL
	case "mariadb":
		kind, image, start = "MARIADB", mariadbImage, startMariaDB
	default:
		t.Fatalf("%s: how it speaks TLS is not known", product)
	}
	if kind != "POSTGRES" {
		more = append(more, testcontainers.WithCmdArgs("--ssl-ca=/tls/ca.pem", "--ssl-cert=/tls/server.pem", "--ssl-key=/tls/server.key"))
	}
	s := get(own{t}, kind, image, func(ctx context.Context, image string) (*Server, error) { return start(ctx, image, more...) })
	if kind != "POSTGRES" {
		s.Exec(t, "CREATE USER "+SecureUser+" REQUIRE SUBJECT '/CN="+SecureUser+"'")
		s.Exec(t, "GRANT ALL ON *.* TO "+SecureUser)
	}
	return s
}

// postgresTLS runs before the server's first start: the key must be its own.
const postgresTLS = `#!/bin/sh
set -eu
cp /tls/* "$PGDATA/"
chmod 600 "$PGDATA/server.key"
echo "ssl = on
ssl_ca_file = 'ca.pem'
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'" >> "$PGDATA/postgresql.conf"
{ echo 'hostssl all ` + SecureUser + ` all cert'; cat "$PGDATA/pg_hba.conf"; } > /tmp/hba
cat /tmp/hba > "$PGDATA/pg_hba.conf"
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "CREATE ROLE ` + SecureUser + ` LOGIN SUPERUSER"
`

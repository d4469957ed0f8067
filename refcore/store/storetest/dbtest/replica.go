package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// PostgresReplica starts a server that follows a primary of Postgres by streaming
// replication, as long as the test lives. It accepts what the primary accepts,
// users and databases, and is read-only until it is promoted.
func PostgresReplica(t testing.TB, primary *Server) *Server {
	t.Helper()
	// A file of the server's own is changed by the server.
	primary.Exec(t, `COPY (SELECT 'host replication all all scram-sha-256') TO PROGRAM 'cat >> "$PGDATA/pg_hba.conf"'`)
	primary.Exec(t, "SELECT pg_reload_conf()")
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	address, err := primary.container.ContainerIP(ctx)
	if err != nil {
		t.Fatal(err)
	}
	image := imageOf("POSTGRES", postgresImage)
	loopback, err := onLoopback("5432/tcp")
	if err != nil {
		t.Fatal(err)
	}
	const follow = `set -eu
[ -s "$PGDATA/PG_VERSION" ] || pg_basebackup -h "$PRIMARY" -U admin -D "$PGDATA" -R -X stream -c fast
chmod 700 "$PGDATA"
exec postgres -c unix_socket_directories=/tmp -c max_connections=400 -c shared_preload_libraries=pg_stat_statements`
	c, err := testcontainers.Run(ctx, image, loopback,
		testcontainers.WithExposedPorts("5432/tcp"),
		testcontainers.WithEntrypoint("sh", "-c", follow),
		testcontainers.WithConfigModifier(func(c *container.Config) { c.User = "postgres" }),
		testcontainers.WithEnv(map[string]string{"PRIMARY": address, "PGPASSWORD": Password}),
		testcontainers.WithWaitStrategy(wait.ForLog("database system is ready to accept read-only connections").WithStartupTimeout(2*time.Minute)))
	s, err := started(c, err)
	if err != nil {
		t.Fatalf("start a replica: %v", err)
	}
	t.Cleanup(func() {
		if err := s.terminate(); err != nil {
			t.Errorf("terminate the replica: %v", err)
		}
	})
	at, err := endpoint(ctx, c, "5432/tcp")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(primary.URI)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = at
	s.postgres(u)
	return s
}

// Follows waits until a replica has all that the primary has written.
func (s *Server) Follows(t testing.TB, primary *Server) {
	t.Helper()
	var at string
	primary.ask(t, "SELECT pg_current_wal_flush_lsn()::text", &at)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var there bool
		s.ask(t, fmt.Sprintf("SELECT pg_last_wal_replay_lsn() >= '%s'::pg_lsn", at), &there)
		if there {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the replica does not follow")
		}
	}
}

// Promote makes a primary of a replica; it returns when it accepts writes.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.Exec(t, "SELECT pg_promote(true, 60)")
}

// StandBy lets a server that is stopped next come back as a replica, of nobody.
func (s *Server) StandBy(t testing.TB) {
	t.Helper()
	s.Exec(t, `COPY (SELECT '') TO PROGRAM 'cat > "$PGDATA/standby.signal"'`)
}

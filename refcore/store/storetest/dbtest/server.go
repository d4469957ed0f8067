// Package dbtest starts databases in containers for tests. Nothing but tests
// imports it: it links Docker's client.
//
// Images come from COREPROOF_POSTGRES_IMAGE, COREPROOF_MYSQL_IMAGE,
// COREPROOF_MARIADB_IMAGE and COREPROOF_MONGO_IMAGE, or are the official ones.
// Without Docker, or where an image cannot be had, a test is skipped with the
// reason, or fails if COREPROOF_REQUIRE_DOCKER is 1.
package dbtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// Password is the administrator's on all servers that have one. It is made of
// what URIs must escape; no error may show it.
const Password = "p@ss:w/rd#%&?+"

// patience bounds what is asked of a server and of Docker: on a starved machine a
// database takes over a minute to start.
const patience = 3 * time.Minute

// Server is one database server in a container, published on loopback only.
// Its port stays when it restarts.
type Server struct {
	URI string // connects the administrator; names no database of a test's own

	container testcontainers.Container
	databases atomic.Uint64 // made by Fresh
	// create makes a database and returns its URI; drop removes it.
	create func(ctx context.Context, name string) (string, error)
	drop   func(ctx context.Context, name string) error
	ping   func(ctx context.Context) error
	// exec runs a statement as the administrator; nil where there is no SQL.
	exec func(ctx context.Context, sql string) error
	// demote makes the server read-only, as a failover does, and back; nil where
	// that cannot be done.
	demote func(ctx context.Context, on bool) error
	// value reads one value as the administrator; nil where nobody needs it.
	value func(ctx context.Context, sql string, into any) error
	// account gives the statements that make a user, and that change its password,
	// with ? for that; nil where there are no accounts.
	account func(name string) (create []string, alter string)
}

// Main runs a package's tests with servers shared between them, one of each
// kind, and terminates these at the end:
//
//	func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
//
// In a package without it each call of Postgres, MySQL, MariaDB or Mongo starts
// a server that lives as long as its test.
func Main(m *testing.M) int {
	shared.on = true
	defer shared.terminate()
	return m.Run()
}

// shared is what tests of one binary share; a process has one TestMain.
var shared pool

type pool struct {
	on      bool
	mu      sync.Mutex
	servers map[string]*Server
}

func (p *pool) terminate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for kind, s := range p.servers {
		if err := s.terminate(); err != nil {
			fmt.Fprintf(os.Stderr, "terminate %s: %v\n", kind, err)
		}
	}
}

// get returns the shared server of a kind, or one of the test's own.
func get(t testing.TB, kind, image string, start func(ctx context.Context, image string) (*Server, error)) *Server {
	t.Helper()
	needDocker(t)
	image = imageOf(kind, image)
	if err := haveImage(image); err != nil {
		unavailable(t, err)
	}
	launch := func() *Server {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		var s *Server
		var err error
		for range 3 { // another process may take the port between choice and start
			if s, err = start(ctx, image); err == nil {
				return s
			}
		}
		t.Fatalf("start %s: %v", image, err)
		return nil
	}
	if _, alone := t.(own); alone || !shared.on {
		s := launch()
		t.Cleanup(func() {
			if err := s.terminate(); err != nil {
				t.Errorf("terminate %s: %v", image, err)
			}
		})
		return s
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if s := shared.servers[kind]; s != nil {
		return s
	}
	s := launch()
	if shared.servers == nil {
		shared.servers = map[string]*Server{}
	}
	shared.servers[kind] = s
	return s
}

// imageOf is the image of a kind: the usual one, or what the environment says.
func imageOf(kind, usual string) string {
	return cmp.Or(os.Getenv("COREPROOF_"+kind+"_IMAGE"), usual)
}

// Own starts a server that no other test has, e.g. Own(t, Postgres).
func Own(t testing.TB, start func(testing.TB) *Server) *Server {
	t.Helper()
	return start(own{t})
}

type own struct{ testing.TB }

func needDocker(t testing.TB) {
	t.Helper()
	if err := dockerAnswers(); err != nil {
		unavailable(t, fmt.Errorf("Docker does not answer: %w", err))
	}
}

// unavailable skips the test, or fails it where Docker is required.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("COREPROOF_REQUIRE_DOCKER") == "1" {
		t.Fatalf("COREPROOF_REQUIRE_DOCKER is 1: %v", err)
	}
	t.Skip(err)
}

// dockerAnswers turns the library's panic into an error.
func dockerAnswers() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	provider, err := testcontainers.ProviderDefault.GetProvider()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, provider.Close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return provider.Health(ctx)
}

// Fresh creates an empty database, returns its URI, and drops it when the test
// ends.
func (s *Server) Fresh(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("t%d_%d", os.Getpid(), s.databases.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	uri, err := s.create(ctx, name)
	if err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.drop(ctx, name); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return uri
}

// Exec runs a statement as the administrator.
func (s *Server) Exec(t testing.TB, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (s *Server) ask(t testing.TB, sql string, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.value(ctx, sql, into); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// ContainerID names the server's container to Docker.
func (s *Server) ContainerID() string { return s.container.GetContainerID() }

// Pause freezes the server: connections stay and nothing answers.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	s.docker(t, "pause", func(ctx context.Context, c client.APIClient) error {
		_, err := c.ContainerPause(ctx, s.ContainerID(), client.ContainerPauseOptions{})
		return err
	})
}

// Unpause lets it go on.
func (s *Server) Unpause(t testing.TB) {
	t.Helper()
	s.docker(t, "unpause", func(ctx context.Context, c client.APIClient) error {
		_, err := c.ContainerUnpause(ctx, s.ContainerID(), client.ContainerUnpauseOptions{})
		return err
	})
}

// Restart stops the server and starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// Stop ends the server in its own way; its data stays.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.docker(t, "stop", func(ctx context.Context, c client.APIClient) error {
		seconds := 20
		_, err := c.ContainerStop(ctx, s.ContainerID(), client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

// Start starts a server that was stopped, at the same port, and returns when it
// answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.docker(t, "start", func(ctx context.Context, c client.APIClient) error {
		if _, err := c.ContainerStart(ctx, s.ContainerID(), client.ContainerStartOptions{}); err != nil {
			return err
		}
		for {
			err := s.ping(ctx)
			if err == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
}

// Demote makes the server refuse writes, or accept them again, while connections
// stay. The test is skipped where this cannot be done.
func (s *Server) Demote(t testing.TB, on bool) {
	t.Helper()
	if s.demote == nil {
		t.Skip("this server cannot be made read-only")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.demote(ctx, on); err != nil {
		t.Fatalf("demote the database (%v): %v", on, err)
	}
}

// Account makes a user with all rights and returns what changes its password. The
// test is skipped where there are no accounts.
func (s *Server) Account(t testing.TB, name, password string) (change func(password string)) {
	t.Helper()
	if s.account == nil {
		t.Skip("this server has no accounts")
	}
	create, alter := s.account(name)
	for _, text := range create {
		s.Exec(t, strings.ReplaceAll(text, "?", password))
	}
	return func(password string) { s.Exec(t, strings.ReplaceAll(alter, "?", password)) }
}

func (s *Server) docker(t testing.TB, what string, do func(ctx context.Context, c client.APIClient) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		t.Fatalf("%s the database: %v", what, err)
	}
	defer func() { _ = c.Close() }()
	if err := do(ctx, c); err != nil {
		t.Fatalf("%s the database: %v", what, err)
	}
}

func (s *Server) terminate() error {
	return testcontainers.TerminateContainer(s.container)
}

// started is the Server of a container that has run, or the container's end.
func started(c testcontainers.Container, err error) (*Server, error) {
	if err != nil {
		return nil, errors.Join(err, testcontainers.TerminateContainer(c))
	}
	return &Server{container: c}, nil
}

// onLoopback publishes ports on 127.0.0.1, which keep their numbers when the
// container restarts.
func onLoopback(ports ...string) (testcontainers.CustomizeRequestOption, error) {
	bindings := network.PortMap{}
	for _, p := range ports {
		port, err := network.ParsePort(p)
		if err != nil {
			return nil, err
		}
		free, err := freePort()
		if err != nil {
			return nil, err
		}
		bindings[port] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: strconv.Itoa(free)}}
	}
	return testcontainers.WithHostConfigModifier(func(c *container.HostConfig) { c.PortBindings = bindings }), nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// endpoint is where a port of the container is reached from here.
func endpoint(ctx context.Context, c testcontainers.Container, port string) (string, error) {
	host, err := c.Host(ctx)
	if err != nil {
		return "", err
	}
	p, err := c.MappedPort(ctx, port)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, p.Port()), nil
}

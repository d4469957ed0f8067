package launch_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
)

// container is a target whose end the test sees to.
func container(t *testing.T, db string) *launch.Container {
	t.Helper()
	return containerOn(t, launch.ContainerOptions{Database: db})
}

func containerOn(t *testing.T, o launch.ContainerOptions) *launch.Container {
	t.Helper()
	c, err := launch.NewContainerOn(t.Context(), o)
	if (errors.Is(err, docker.ErrUnavailable) || errors.Is(err, docker.ErrNoImage)) && os.Getenv("COREPROOF_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func create(t *testing.T, c protocol.Core) protocol.Tokens {
	t.Helper()
	s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	if err != nil || s.Status != protocol.OK {
		t.Fatalf("create at %s: %s, %v", c.Name(), s.Status, err)
	}
	return s
}

func left(t *testing.T, c *launch.Container) (network string, containers []string) {
	t.Helper()
	network, containers, err := c.Left(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return network, containers
}

// cpuGrows waits until a clock moves while the core is asked for something.
func cpuGrows(t *testing.T, p meter.Process, work func()) {
	t.Helper()
	before, err := p.CPU()
	if err != nil || before <= 0 {
		t.Fatalf("CPU of %s: %s, %v", p.Name(), before, err)
	}
	for end := time.Now().Add(time.Minute); ; {
		work()
		now, err := p.CPU()
		if err != nil {
			t.Fatal(err)
		}
		if now > before {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the CPU clock of %s stands still at %s", p.Name(), now)
		}
	}
}

func TestContainer(t *testing.T) {
	t.Parallel()
	tg := container(t, "postgres")
	if tg.Name() != "postgres" || tg.Kind() != "container" || !tg.Capabilities().Settings {
		t.Errorf("%s %s %v", tg.Name(), tg.Kind(), tg.Capabilities().Settings)
	}
	on := start(t, tg, 2, launch.Settings{Flag: true})
	off := start(t, tg, 1, launch.Settings{})
	a, b, c := cores(t, on, "2.20")[0], cores(t, on, "2.20")[1], cores(t, off, "2.20")[0]

	s := create(t, a)
	for _, core := range []protocol.Core{a, b, c} {
		if got := status(t, core, s.Access.Value); got != protocol.OK {
			t.Errorf("%s: verify before the revoke = %s", core.Name(), got)
		}
	}
	if r, err := b.Revoke(t.Context(), s.Session.Handle); err != nil || len(r.Handles) != 1 {
		t.Fatalf("revoke: %v, %v", r.Handles, err)
	}
	for core, want := range map[protocol.Core]protocol.Status{a: protocol.Unauthorised, b: protocol.Unauthorised, c: protocol.OK} {
		if got := status(t, core, s.Access.Value); got != want {
			t.Errorf("%s: verify after the revoke = %s, want %s", core.Name(), got, want)
		}
	}

	d, err := tg.Describe(t.Context())
	if err != nil || d.CoreProduct == "" || d.CoreImage == "" || d.DatabaseProduct != "PostgreSQL" || d.DatabaseVersion == "" || d.Image == "" || d.TLS != "no" || d.DatabaseSettings["fsync"] == "" {
		t.Errorf("describe = %+v, %v", d, err)
	}
	if i := on.Instances(); len(i) != 2 || i[0].Inner == i[1].Inner || i[0].Inner == "" {
		t.Errorf("addresses on the network: %+v", i)
	}
	if n := len(on.Instances()); n != 2 {
		t.Errorf("%d clocks of two cores", n)
	}
	living := create(t, a)
	for _, p := range []meter.Process{on.Instances()[0].Process, database(t, tg).Process()} {
		cpuGrows(t, p, func() { status(t, a, living.Access.Value) })
		if rss, err := p.RSS(); err != nil || rss <= 0 {
			t.Errorf("memory of %s: %d, %v", p.Name(), rss, err)
		}
	}

	isolated(t, tg, living)
	killed(t, on, b, living)
	generated(t, tg)

	_, all := left(t, tg)
	if len(all) != 4 { // the database and three cores
		t.Errorf("%d containers on the network, want 4", len(all))
	}
	if err := off.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := tg.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if network, containers := left(t, tg); network != "" || len(containers) > 0 {
		t.Errorf("after Close there are network %q and containers %v", network, containers)
	}
	for _, id := range all {
		if there, err := launch.Exists(context.Background(), id); err != nil || there {
			t.Errorf("after Close container %s exists: %v, %v", id, there, err)
		}
	}
	if _, err := tg.Start(t.Context(), 1, launch.Settings{}); err == nil {
		t.Error("a closed target starts cores")
	}
}

// isolated: a database of its own knows none of the other's sessions, although
// its user is the same.
func isolated(t *testing.T, tg *launch.Container, other protocol.Tokens) {
	t.Helper()
	apart, err := tg.Isolated(t.Context(), "apart")
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, apart, 1, launch.Settings{Flag: true})
	core := cores(t, d, "5.4")[0]
	if got, err := core.(protocol.Reader).Get(t.Context(), other.Session.Handle); err != nil || got.Status != protocol.Unauthorised {
		t.Errorf("a session of the other database: %s, %v", got.Status, err)
	}
	before, err := database(t, tg).SessionRows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	create(t, core)
	if n, err := database(t, apart).SessionRows(t.Context()); err != nil || n != 1 {
		t.Errorf("%d rows in the new database, %v", n, err)
	}
	if n, err := database(t, tg).SessionRows(t.Context()); err != nil || n != before {
		t.Errorf("%d rows in the old database, %v; before there were %d", n, err, before)
	}
	if err := apart.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := core.(protocol.Greeter).Hello(t.Context()); err == nil {
		t.Error("a core of a closed target answers")
	}
}

// killed: a core that was killed is gone, and back after a restart.
func killed(t *testing.T, d launch.Deployment, core protocol.Core, s protocol.Tokens) {
	t.Helper()
	if err := d.Kill(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := core.(protocol.Greeter).Hello(t.Context()); err == nil {
		t.Error("a killed core answers")
	}
	if got := status(t, cores(t, d, "2.20")[0], s.Access.Value); got != protocol.OK {
		t.Errorf("verify at the other core = %s", got)
	}
	if err := d.Restart(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := status(t, cores(t, d, "2.20")[1], s.Access.Value); got != protocol.OK {
		t.Errorf("verify after the restart = %s", got)
	}
	for _, i := range []int{-1, 2} {
		if d.Kill(t.Context(), i) == nil || d.Restart(t.Context(), i) == nil {
			t.Errorf("core %d was killed or restarted; there is none", i)
		}
	}
}

// generated: the load generator answers as long as it is wanted.
func generated(t *testing.T, h launch.GeneratorHost) {
	t.Helper()
	url, _, stop, err := h.Generator(t.Context(), []int{0})
	if err != nil {
		t.Fatal(err)
	}
	ready := func() bool {
		resp, err := http.Get(url + "/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusNoContent
	}
	if !ready() {
		t.Error("the generator is not ready")
	}
	if err := stop(); err != nil {
		t.Errorf("stop the generator: %v", err)
	}
	if ready() {
		t.Error("a stopped generator answers")
	}
}

// TestContainerDatabases: each says what it is and how it is spoken to, and can
// be reached from this machine alone.
func TestContainerDatabases(t *testing.T) {
	t.Parallel()
	products := map[string][]string{"postgres": {"PostgreSQL"}, "mysql": {"MySQL"}, "mariadb": {"MariaDB"}, "mongo": {"MongoDB", "FerretDB"}}
	for _, db := range dbserver.Names() {
		t.Run(db, func(t *testing.T) {
			tg := container(t, db)
			core := cores(t, start(t, tg, 1, launch.Settings{Flag: true}), "5.4")[0]
			s := create(t, core)
			if got := status(t, core, s.Access.Value); got != protocol.OK {
				t.Errorf("verify = %s", got)
			}
			d, err := tg.Describe(t.Context())
			if err != nil || !slices.Contains(products[db], d.DatabaseProduct) || d.TLS != "no" {
				t.Errorf("describe = %+v, %v", d, err)
			}
			addresses, err := tg.Published(t.Context())
			if err != nil || len(addresses) != 2 {
				t.Errorf("published: %v, %v; want the database's port and the core's", addresses, err)
			}
			for _, a := range addresses {
				if !strings.HasPrefix(a, "127.0.0.1:") {
					t.Errorf("published at %s", a)
				}
			}
		})
	}
}

// TestContainerFailedStart leaves nothing but the database.
func TestContainerFailedStart(t *testing.T) {
	t.Parallel()
	tg := container(t, "postgres")
	_, err := tg.Start(t.Context(), 2, launch.Settings{Extra: map[string]string{"ACCESS_TOKEN_VALIDITY": "0"}})
	if err == nil {
		t.Fatal("an impossible setting started a core")
	}
	t.Log(err)
	if _, containers := left(t, tg); len(containers) != 1 {
		t.Errorf("%d containers after a failed start, want the database alone", len(containers))
	}
}

// TestContainerNameIsChecked before anything is started.
func TestContainerNameIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := launch.NewContainerOn(t.Context(), launch.ContainerOptions{Database: "oracle"}); err == nil || !strings.Contains(err.Error(), "postgres") {
		t.Errorf("got %v, want an error that names the choices", err)
	}
}

package launch_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/link"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
	"github.com/coreproof/coreproof/internal/protocol/oauth2/oauthtest"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
)

// TestMain lets the test binary be a core or a load generator, as coreproof itself can be.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "generator" {
		os.Exit(generator.Main(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "core" {
		os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "relay" {
		os.Exit(link.Main(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "oauth" {
		fmt.Fprintln(os.Stderr, oauthtest.Serve(os.Args[2], oauthtest.Options{JWT: os.Args[3] == "jwt"}))
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == "verifier" {
		keys := &oauth2.KeySet{URL: os.Args[3], HTTP: http.DefaultClient}
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], oauth2.NewVerifier(keys)))
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == "harness" {
		harness(os.Args[2])
	}
	os.Exit(m.Run())
}

func embedded(t *testing.T) *launch.Embedded {
	t.Helper()
	command, err := launch.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	gen, err := launch.Own("generator")
	if err != nil {
		t.Fatal(err)
	}
	e, err := launch.NewEmbedded(launch.EmbeddedOptions{Command: command, GeneratorCommand: gen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func start(t *testing.T, tg launch.Target, n int, s launch.Settings) launch.Deployment {
	t.Helper()
	d, err := tg.Start(t.Context(), n, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func status(t *testing.T, c protocol.Core, token string) protocol.Status {
	t.Helper()
	v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: token, CheckDatabase: true})
	if err != nil {
		t.Fatal(err)
	}
	return v.Status
}

func TestSeveralProcessesAreOneCore(t *testing.T) {
	t.Parallel()
	tg := embedded(t)
	on := start(t, tg, 2, launch.Settings{Flag: true})
	off := start(t, tg, 1, launch.Settings{})
	a, b, c := cores(t, on, "2.20")[0], cores(t, on, "2.20")[1], cores(t, off, "2.20")[0]
	s, err := a.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	if err != nil || s.Status != protocol.OK {
		t.Fatalf("create: %v %v", s.Status, err)
	}
	for _, core := range []protocol.Core{a, b, c} {
		if got := status(t, core, s.Access.Value); got != protocol.OK {
			t.Errorf("%s: verify before the revoke = %s", core.Name(), got)
		}
	}
	if r, err := b.Revoke(t.Context(), s.Session.Handle); err != nil || len(r.Handles) != 1 {
		t.Fatalf("revoke: %v %v", r.Handles, err)
	}
	for core, want := range map[protocol.Core]protocol.Status{a: protocol.Unauthorised, b: protocol.Unauthorised, c: protocol.OK} {
		if got := status(t, core, s.Access.Value); got != want {
			t.Errorf("%s: verify after the revoke = %s, want %s", core.Name(), got, want)
		}
	}
	n, err := database(t, tg).Statements(t.Context())
	if err != nil || n == 0 {
		t.Errorf("statements = %d, %v", n, err)
	}
	if d, err := tg.Describe(t.Context()); err != nil || d.DatabaseProduct != "SQLite" || d.TLS != "none" || d.DatabaseAt != proof.DatabaseInside {
		t.Errorf("describe = %+v, %v", d, err)
	}
}

// TestKilledRightAfterARevoke: what was answered is durable.
func TestKilledRightAfterARevoke(t *testing.T) {
	t.Parallel()
	tg := embedded(t)
	d := start(t, tg, 1, launch.Settings{Flag: true})
	core := cores(t, d, "5.4")[0]
	s, err := core.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.Revoke(t.Context(), s.Session.Handle); err != nil {
		t.Fatal(err)
	}
	if err := d.Kill(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.Restart(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got := status(t, cores(t, d, "5.4")[0], s.Access.Value); got != protocol.Unauthorised {
		t.Errorf("verify after the restart = %s, want UNAUTHORISED", got)
	}
}

// TestChildrenEndWithTheHarness: closing the target leaves no process behind.
func TestChildrenEndWithTheHarness(t *testing.T) {
	t.Parallel()
	command, err := launch.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	tg, err := launch.NewEmbedded(launch.EmbeddedOptions{Command: command})
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, tg, 2, launch.Settings{})
	urls := cores(t, d, "5.4")
	if err := tg.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, c := range urls {
		if _, err := c.(protocol.Greeter).Hello(ctx); err == nil {
			t.Errorf("%s still answers", c.URL())
		}
	}
	if _, err := tg.Start(t.Context(), 1, launch.Settings{}); err == nil {
		t.Error("a closed target starts cores")
	}
}

func TestStartTellsWhyItFailed(t *testing.T) {
	t.Parallel()
	tg := embedded(t)
	_, err := tg.Start(t.Context(), 1, launch.Settings{Extra: map[string]string{"ACCESS_TOKEN_VALIDITY": "0"}})
	if err == nil {
		t.Fatal("an impossible setting started a core")
	}
	t.Log(err)
}

func TestEmbeddedGenerator(t *testing.T) {
	t.Parallel()
	generated(t, embedded(t))
}

// TestEmbeddedClocks: the CPU time of each core can be read and grows.
func TestEmbeddedClocks(t *testing.T) {
	t.Parallel()
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	d := start(t, embedded(t), 2, launch.Settings{})
	core := cores(t, d, "5.4")[1]
	s := create(t, core)
	if n := len(d.Instances()); n != 2 {
		t.Fatalf("%d clocks of two cores", n)
	}
	cpuGrows(t, d.Instances()[1].Process, func() { status(t, core, s.Access.Value) })
}

func cores(t *testing.T, d launch.Deployment, version string) []protocol.Core {
	t.Helper()
	list, err := d.Cores(version)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func database(t *testing.T, tg launch.Target) meter.Database {
	t.Helper()
	db, err := tg.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

package launch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// described brings the cores of a shipped descriptor, or of a text, up in a state
// folder of the test's own, which must be empty at the end.
func described(t *testing.T, nameOrText, db string) (*launch.Described, string) {
	t.Helper()
	return describedFar(t, nameOrText, db, 0)
}

func describedFar(t *testing.T, nameOrText, db string, delay time.Duration) (*launch.Described, string) {
	t.Helper()
	d, err := descriptor.Find(nameOrText)
	if strings.Contains(nameOrText, "\n") {
		d, err = descriptor.Read("test.yaml", "", []byte(nameOrText))
	}
	if err != nil {
		t.Fatal(err)
	}
	gen, err := launch.Own("generator")
	if err != nil {
		t.Fatal(err)
	}
	state, logs := t.TempDir(), t.TempDir()
	x, err := launch.NewDescribed(t.Context(), launch.DescribedOptions{Descriptor: d, Database: db, DatabaseDelay: delay, GeneratorCommand: gen, StateRoot: state, LogDir: logs,
		Say: func(line string) { t.Errorf("found of a former run: %s", line) }})
	if (errors.Is(err, docker.ErrUnavailable) || errors.Is(err, docker.ErrNoImage)) && os.Getenv("COREPROOF_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
		if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
			t.Errorf("left on disk: %v, %v", left, err)
		}
	})
	return x, logs
}

// revokedIs makes a session at a core, revokes it and asks others for it.
func revokedIs(t *testing.T, at protocol.Core, want map[protocol.Core]protocol.Status) {
	t.Helper()
	s := create(t, at)
	for c := range want {
		if got := status(t, c, s.Access.Value); got != protocol.OK {
			t.Errorf("%s: verify before the revoke = %s", c.Name(), got)
		}
	}
	if r, err := at.Revoke(t.Context(), s.Session.Handle); err != nil || r.Status != protocol.OK {
		t.Fatalf("revoke: %s, %v", r.Status, err)
	}
	for c, w := range want {
		if got := status(t, c, s.Access.Value); got != w {
			t.Errorf("%s: verify after the revoke = %s, want %s", c.Name(), got, w)
		}
	}
}

func TestDescribedProcesses(t *testing.T) {
	t.Parallel()
	x, logs := described(t, "refcore", "")
	on, off := start(t, x, 2, launch.Settings{Flag: true}), start(t, x, 1, launch.Settings{})
	a, b, c := cores(t, on, "2.20")[0], cores(t, on, "2.20")[1], cores(t, off, "2.20")[0]
	revokedIs(t, a, map[protocol.Core]protocol.Status{a: protocol.Unauthorised, b: protocol.Unauthorised, c: protocol.OK})

	// What a killed core had promised still holds when it is back.
	s := create(t, b)
	if err := on.Kill(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Verify(t.Context(), protocol.VerifyRequest{AccessToken: s.Access.Value}); err == nil {
		t.Error("a killed core answers")
	}
	if err := on.Restart(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := status(t, b, s.Access.Value); got != protocol.OK {
		t.Errorf("after a restart: %s", got)
	}

	apart, err := x.Isolated(t.Context(), "apart")
	if err != nil {
		t.Fatal(err)
	}
	alone := cores(t, start(t, apart, 1, launch.Settings{Flag: true}), "2.20")[0]
	if got := status(t, alone, s.Access.Value); got == protocol.OK {
		t.Error("a session is known on another database")
	}
	books, err := x.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := books.SessionRows(t.Context()); err != nil || n != 1 {
		t.Errorf("%d rows, %v; want 1", n, err)
	}
	if n, err := books.Statements(t.Context()); err != nil || n == 0 {
		t.Errorf("%d statements, %v", n, err)
	}
	d, err := x.Describe(t.Context())
	if err != nil || d.CoreProduct != "refcore" || d.DatabaseProduct != "SQLite" || d.DatabaseAt != proof.DatabaseInside {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = x.Start(t.Context(), 1, launch.Settings{Extra: map[string]string{"CONNECTION_POOL_SIZE": "3"}})
	if !errors.Is(err, launch.ErrUnsupported) {
		t.Errorf("a setting that is not in the descriptor: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(logs, "sqlite-o*.log")); err != nil || len(files) != 3 {
		t.Errorf("logs %v, %v", files, err)
	}
}

// TestTheWarmViewIsTheTarget: books are opened once, and what is made by way of the one is
// closed with the other.
func TestTheWarmViewIsTheTarget(t *testing.T) {
	t.Parallel()
	x, _ := described(t, "refcore", "")
	warm := x.Warm()
	books, err := warm.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if same, err := x.Database(t.Context()); err != nil || same != books {
		t.Errorf("other books, %v", err)
	}
	apart, err := warm.Isolated(t.Context(), "apart")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, closed := range map[string]launch.Target{"the view": warm, "what it made": apart} {
		if _, err := closed.Start(t.Context(), 1, launch.Settings{}); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s starts cores after the end of the target: %v", name, err)
		}
	}
}

// TestASettingThatTheUnitCannotTell is one that the core has not.
func TestASettingThatTheUnitCannotTell(t *testing.T) {
	t.Parallel()
	x, _ := described(t, "name: x\ncommand: [/no/such/core]\nflag: request\nsettings: {access_token_validity: {env: A, unit: minutes}}\n", "")
	if _, err := x.Start(t.Context(), 1, launch.Settings{AccessTokenValidity: 2 * time.Second}); !errors.Is(err, launch.ErrUnsupported) || !strings.Contains(err.Error(), "whole minutes") {
		t.Errorf("%v", err)
	}
}

// TestAnAdapterCarriesTheRunsMark, by which a later run finds it.
func TestAnAdapterCarriesTheRunsMark(t *testing.T) {
	t.Parallel()
	needsShell(t)
	at := filepath.Join(t.TempDir(), "env")
	x, _ := described(t, fmt.Sprintf(`
name: x
command: ["{{.Self}}", core, --host, "{{.Host}}", --port, "{{.Port}}"]
flag: request
protocol: {name: exec, adapter: [sh, -c, "env > %s; exit 1"]}
databases: [{kind: sqlite, env: {SQLITE_DATABASE_PATH: "{{.Database.File}}"}}]
`, at), "")
	if _, err := x.Start(t.Context(), 1, launch.Settings{Flag: true}); err == nil {
		t.Error("an adapter that says nothing is spoken to")
	}
	if b, err := os.ReadFile(at); err != nil || !strings.Contains(string(b), "\nCOREPROOF_RUN=") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestDescribedProcessesOnAServer(t *testing.T) {
	t.Parallel()
	for _, db := range []string{"postgres", "mysql", "mariadb", "mongo"} {
		t.Run(db, func(t *testing.T) { // one server at a time
			x, _ := described(t, "refcore", db)
			on, off := start(t, x, 2, launch.Settings{Flag: true}), start(t, x, 1, launch.Settings{})
			a, b, c := cores(t, on, "2.20")[0], cores(t, on, "2.20")[1], cores(t, off, "2.20")[0]
			revokedIs(t, a, map[protocol.Core]protocol.Status{a: protocol.Unauthorised, b: protocol.Unauthorised, c: protocol.OK})
		})
	}
}

func TestDescribedImage(t *testing.T) {
	t.Parallel()
	if err := docker.Answers(t.Context()); err != nil && os.Getenv("COREPROOF_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	image, err := docker.SelfImage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x, logs := described(t, `
name: in-a-box
image: `+image+`
port: 3567
env: {ACCESS_TOKEN_BLACKLISTING: "{{.Flag}}", LOG_LEVEL: INFO}
flag: environment
databases: [{kind: postgres, env: {POSTGRESQL_CONNECTION_URI: "{{.Database.URI}}"}}]
start: together
ready: {text: Hello}
`, "")
	on, off := start(t, x, 2, launch.Settings{Flag: true}), start(t, x, 1, launch.Settings{})
	a, b, c := cores(t, on, "2.20")[0], cores(t, on, "2.20")[1], cores(t, off, "2.20")[0]
	revokedIs(t, a, map[protocol.Core]protocol.Status{a: protocol.Unauthorised, b: protocol.Unauthorised, c: protocol.OK})
	if err := x.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(logs, "postgres-on-0.log")); err != nil || len(b) == 0 {
		t.Errorf("log of %d bytes, %v", len(b), err)
	}
}

func needsShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
}

// TestCoresThatDoNotComeUp say why, with the end of their log, and are gone with all
// that they started.
func TestCoresThatDoNotComeUp(t *testing.T) {
	t.Parallel()
	needsShell(t)
	for name, tc := range map[string]struct{ script, want string }{
		"ends":         {"echo out of luck; exit 3", "out of luck"},
		"never ready":  {"echo still loading; sleep 600 & echo child $!; wait", "not ready after 2s: nothing listened"},
		"no such file": {"", "/no/such/core: no such file or directory: build it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := `[sh, -c, "` + tc.script + `"]`
			if tc.script == "" {
				command = "[/no/such/core]"
			}
			x, logs := described(t, "name: lame\ncommand: "+command+"\nflag: request\nready: {within: 2s}\n", "")
			_, err := x.Start(t.Context(), 1, launch.Settings{Flag: true})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			b, _ := os.ReadFile(filepath.Join(logs, "no-database-on-0.log"))
			if _, pid, ok := strings.Cut(strings.TrimSpace(string(b)), "child "); ok {
				gone(t, pid)
			} else if name == "never ready" {
				t.Errorf("log %q", b)
			}
		})
	}
}

// gone wants a process that is not there, or is only still to be waited for.
func gone(t *testing.T, pid string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
		if err != nil || strings.HasPrefix(strings.TrimSpace(string(out)), "Z") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %s is still there", pid)
		}
	}
}

// harness is a run that is killed: it says what it has started, and waits.
func harness(state string) {
	d, err := descriptor.Find("refcore")
	if err == nil {
		var x *launch.Described
		if x, err = launch.NewDescribed(context.Background(), launch.DescribedOptions{Descriptor: d, StateRoot: state}); err == nil {
			_, err = x.Start(context.Background(), 2, launch.Settings{Flag: true})
		}
	}
	fmt.Println("started", err)
	select {}
}

func TestAKilledRunIsCleanedUpByTheNext(t *testing.T) {
	t.Parallel()
	needsShell(t)
	state := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "harness", state)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "started <nil>\n" {
		_ = cmd.Process.Kill()
		t.Fatalf("%q, %v", line, err)
	}
	noted, err := filepath.Glob(filepath.Join(state, "*", "process-*.json"))
	if err != nil || len(noted) != 2 {
		t.Errorf("noted %v, %v", noted, err)
	}
	var said []string
	next := func() {
		t.Helper()
		d, err := descriptor.Find("refcore")
		if err != nil {
			t.Fatal(err)
		}
		x, err := launch.NewDescribed(t.Context(), launch.DescribedOptions{Descriptor: d, StateRoot: state, Say: func(line string) { said = append(said, line) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if next(); len(said) > 0 {
		t.Errorf("a run that lives was touched: %v", said)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if next(); len(said) != 1 || !strings.Contains(said[0], "2 processes ended") {
		t.Errorf("said %q, want 2 processes ended", said)
	}
	for _, f := range noted {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(f), "process-"), ".")
		gone(t, pid)
	}
	if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
}

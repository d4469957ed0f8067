package program_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch/program"
)

// spec of a program that is ready when a port of the loopback answers 200.
func spec(t *testing.T, port int, command ...string) program.Spec {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skip(err)
	}
	return program.Spec{
		Command: command, Dir: t.TempDir(), Log: filepath.Join(t.TempDir(), "log"), Signal: "TERM", Grace: time.Second,
		Ready: program.Ready{URL: "http://127.0.0.1:" + strconv.Itoa(port) + "/", Status: http.StatusOK, Within: 20 * time.Second},
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	ports, err := program.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return ports[0]
}

// serveAt answers 200 at a port until the test ends.
func serveAt(t *testing.T, port int) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return nil
}

// TestAnothersAnswerIsNotThePrograms: neither that of who listened before, nor that of
// who does while the program ends.
func TestAnothersAnswerIsNotThePrograms(t *testing.T) {
	t.Parallel()
	before := freePort(t)
	if err := serveAt(t, before); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	during := spec(t, port, "false")
	during.Started = func(int) error { return serveAt(t, port) }
	for name, tc := range map[string]struct {
		spec program.Spec
		want string
	}{
		"before":           {spec(t, before, "false"), "listens at"},
		"before, it lives": {spec(t, before, "sleep", "600"), "listens at"},
		"meanwhile":        {during, "another program may listen there"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := program.Start(t.Context(), tc.spec)
			if err == nil {
				_ = p.Kill()
				t.Fatal("another's answer was taken for the program's")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestAProgramMayHaveAnotherAnswerForIt, as the client of a container does: it lives, and
// somebody answers.
func TestAProgramMayHaveAnotherAnswerForIt(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := spec(t, port, "sleep", "600")
	s.Started = func(int) error { return serveAt(t, port) }
	p, err := program.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
}

// TestNoPortIsGivenTwice to one process.
func TestNoPortIsGivenTwice(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 500 {
		ports, err := program.FreePorts(4)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ports {
			if seen[p] {
				t.Fatalf("port %d was given twice", p)
			}
			seen[p] = true
		}
	}
}

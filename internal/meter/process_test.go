package meter_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/meter"
)

// TestProcess: the CPU clock of a process grows when it works, and says so when
// there is no such process. Not parallel: TestParent's script is a child of this
// process while it runs.
func TestProcess(t *testing.T) {
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	p := meter.PID("self", os.Getpid())
	before, err := p.CPU()
	if err != nil || before <= 0 || p.Name() != "self" {
		t.Fatalf("%s: %s, %v", p.Name(), before, err)
	}
	sum := 0
	for end := time.Now().Add(time.Minute); ; {
		for i := range 1_000_000 {
			sum += i
		}
		now, err := p.CPU()
		if err != nil {
			t.Fatal(err)
		}
		if now >= before+time.Millisecond {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the clock stands still at %s (%d)", now, sum)
		}
	}
	if rss, err := p.RSS(); err != nil || rss < 1<<20 {
		t.Errorf("resident memory %d, %v", rss, err)
	}
	none := meter.PID("none", 1<<22+1) // above the largest id that Linux gives
	if _, err := none.CPU(); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("CPU of no process: %v", err)
	}
	if _, err := none.RSS(); err == nil {
		t.Error("memory of no process")
	}
}

// TestParent: the work of what a start script started would be in no figure, so the
// script cannot be read. Not parallel, for TestProcess.
func TestParent(t *testing.T) {
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	cmd := exec.Command("sh", "-c", "exec 3<&0; cat <&3 & echo started; wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	p := meter.PID("script", cmd.Process.Pid)
	if _, err := p.CPU(); err == nil || !strings.Contains(err.Error(), "exec") {
		t.Errorf("CPU of a script that started another process: %v", err)
	}
}

// TestStartsLater: a process that starts another one after it was first read says so,
// and counts what it spent once it ended. Not parallel, for TestProcess.
func TestStartsLater(t *testing.T) {
	if !meter.CPUClock {
		t.Skip("this system has no CPU clock of other processes")
	}
	// At each line that it is told it starts another process, which works until the next.
	cmd := exec.Command("sh", "-c", `echo ready; read x; (while :; do :; done) & echo busy; read x; kill $!; wait $!; echo ended; read x`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	said := bufio.NewScanner(out)
	next := func(want string) {
		t.Helper()
		if !said.Scan() || said.Text() != want {
			t.Fatalf("it said %q, want %q", said.Text(), want)
		}
	}
	next("ready")
	p := meter.PID("worker", cmd.Process.Pid).(meter.Starter)
	if ended, err := p.Started(); err != nil || ended != 0 {
		t.Fatalf("before it started any: %s, %v", ended, err)
	}
	fmt.Fprintln(in)
	next("busy")
	if _, err := p.Started(); err == nil || !strings.Contains(err.Error(), "started another process") {
		t.Errorf("while one lives: %v", err)
	}
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(list)))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		spent, err := meter.PID("child", child).CPU()
		if err != nil {
			t.Fatal(err)
		}
		if spent > 30*time.Millisecond {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it worked for %s only", spent)
		}
	}
	fmt.Fprintln(in)
	next("ended")
	if ended, err := p.Started(); err != nil || ended < 20*time.Millisecond {
		t.Errorf("after it ended: %s, %v; want what it spent", ended, err)
	}
}

func TestScrapeCounter(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "# HELP a_total x\n# TYPE a_total counter\na_total_created 7\na_total 1.5e+06\nb_total nonsense\n")
	}))
	t.Cleanup(srv.Close)
	if n, err := meter.ScrapeCounter(t.Context(), srv.URL, "a_total"); err != nil || n != 1_500_000 {
		t.Errorf("a_total = %d, %v", n, err)
	}
	for _, name := range []string{"b_total", "c_total"} {
		if n, err := meter.ScrapeCounter(t.Context(), srv.URL, name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s = %d, %v; want an error that names it", name, n, err)
		}
	}
	if _, err := meter.ScrapeCounter(t.Context(), "http://127.0.0.1:1", "a_total"); err == nil {
		t.Error("a page that is not there was read")
	}
}

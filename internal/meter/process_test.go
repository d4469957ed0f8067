package meter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
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

package beside_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch/beside"
)

type clock struct{ cpu time.Duration }

func (clock) Name() string                  { return "c" }
func (c clock) CPU() (time.Duration, error) { return c.cpu, nil }
func (c clock) RSS() (int64, error)         { return int64(c.cpu), nil }

func TestPreparationRunsOnce(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	dir := t.TempDir()
	var p beside.Preparation
	if err := p.Run(t.Context(), nil, nil, dir); err != nil {
		t.Errorf("no command: %v", err)
	}
	if err := p.Run(t.Context(), []string{"sh", "-c", "echo what is wrong; exit 1"}, os.Environ(), dir); err == nil || !strings.HasSuffix(err.Error(), "exit status 1; it said: what is wrong") {
		t.Errorf("a command that fails: %v", err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := p.Run(t.Context(), []string{"sh", "-c", "echo once >> log"}, os.Environ(), dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b, err := os.ReadFile(filepath.Join(dir, "log")); err != nil || string(b) != "once\n" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	s := beside.Sum{A: clock{3}, B: clock{4}}
	cpu, err := s.CPU()
	rss, errRSS := s.RSS()
	if cpu != 7 || rss != 7 || err != nil || errRSS != nil || s.Name() != "c" {
		t.Errorf("%v %v %s", cpu, rss, s.Name())
	}
}

package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/gate/selftest"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/reports/proof"
)

// TestGateOfBuilds holds the reference core against itself, and against one whose
// verify does several times the work.
func TestGateOfBuilds(t *testing.T) {
	if testing.Short() || !meter.CPUClock || runtime.GOOS == "windows" {
		t.Skip("needs minutes, and the CPU clock of processes")
	}
	exe, err := os.Executable() // alone: gates that share the CPUs are each other's noise
	if err != nil {
		t.Fatal(err)
	}
	build := func(inject string) string { return exe + " core --inject=" + inject }
	for _, c := range []struct {
		name, head string
		more       []string
		fails      string // the reason; "" for a head that must not fail
	}{
		{"identical", "000000000,0", []string{"--profile", "switch", "--max-time", "20s"}, ""},
		{"slower", "000100000,0", []string{"--skip-conformance", "--budget", "memory=off"}, "regression"},
		{"another statement", "000000000,1", []string{"--skip-conformance", "--budget", "cpu=off,memory=off"}, "statements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := t.TempDir()
			args := append([]string{"gate", "--base", build("000000000,0"), "--head", build(c.head), "--out", out, "--tokens", "200", "--window", "1s", "--seed", "7"}, c.more...)
			r := coreproof(t.Context(), args...)
			p := load(t, out)
			last := r.out[strings.LastIndexByte(strings.TrimSpace(r.out), '\n')+1:]
			if !strings.HasPrefix(last, "gate: verdict=") || !strings.Contains(last, "reason="+p.Gate.Reason) {
				t.Errorf("the last line is %q", last)
			}
			switch {
			case c.fails == "" && (r.code != 0 || p.Verdict.Outcome == proof.Fail):
				t.Errorf("exit %d: %s\n%s", r.code, p.Verdict.Headline, r.err)
			case c.fails != "" && (r.code != 1 || p.Gate.Reason != c.fails):
				t.Errorf("exit %d, reason %s, want 1 and %s: %s\n%s", r.code, p.Gate.Reason, c.fails, p.Verdict.Headline, r.err)
			}
		})
	}
}

// TestGateSelfTest makes a run, and goes on from the record.
func TestGateSelfTest(t *testing.T) {
	if testing.Short() || !meter.CPUClock || runtime.GOOS == "windows" {
		t.Skip("needs minutes, and the CPU clock of processes")
	}
	t.Parallel()
	record := filepath.Join(t.TempDir(), "record.jsonl")
	run := func() outcome {
		return coreproof(t.Context(), "gate", "--self-test", "--runs", "statement+1=1,aa=0", "--record", record)
	}
	r := run()
	list, err := selftest.Read(record)
	if err != nil || len(list) != 1 || list[0].Outcome != proof.Fail || list[0].Reason != "statements" || r.code != 0 || !strings.Contains(r.out, "+1 statement per verify | 1 | 1 |") {
		t.Fatalf("exit %d, %v, record %+v\n%s%s", r.code, err, list, r.out, r.err)
	}
	if r := run(); r.code != 0 || strings.Count(r.err, "\n") != 0 {
		t.Errorf("with the record full: exit %d, %s", r.code, r.err)
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// children of a process, by what Linux tells; other systems tell nothing.
func children(t *testing.T, of int) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it ended
		}
		_, rest, _ := strings.Cut(string(b), ") ") // the name may hold anything
		if f := strings.Fields(rest); len(f) > 1 && f[1] == fmt.Sprint(of) {
			list = append(list, string(b))
		}
	}
	return list
}

// TestInterrupted: what was found is saved and marked, and nothing stays behind.
// It counts this process's children, so it runs alone.
func TestInterrupted(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system does not tell children")
	}
	for _, command := range []string{"conform", "bench", "run"} {
		t.Run(command, func(t *testing.T) {
			if c := children(t, os.Getpid()); len(c) > 0 {
				t.Fatalf("children before: %v", c)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			dir := t.TempDir()
			ended := make(chan outcome, 1)
			go func() { ended <- coreproof(ctx, command, "--out", dir) }()
			deadline := time.After(time.Minute)
			for len(children(t, os.Getpid())) < 2 { // both sides are up, or nearly
				select {
				case o := <-ended:
					t.Fatalf("it ended before it was interrupted: %+v", o)
				case <-deadline:
					t.Fatal("no core was started")
				case <-time.After(5 * time.Millisecond):
				}
			}
			cancel()
			var o outcome
			select {
			case o = <-ended:
			case <-time.After(time.Minute):
				t.Fatal("no end after the interruption")
			}
			if o.code != exitUntried {
				t.Errorf("exit %d: %s %s", o.code, o.out, o.err)
			}
			p := load(t, dir)
			if p.Interrupted == "" || p.Verdict.ExitCode != exitUntried || !slices.ContainsFunc(p.Verdict.Findings, func(f proof.Finding) bool { return f.Kind == "interrupted" }) {
				t.Errorf("interrupted %q, verdict %+v", p.Interrupted, p.Verdict)
			}
			if len(p.Targets) != 1 {
				t.Errorf("%d targets", len(p.Targets))
			}
			if c := children(t, os.Getpid()); len(c) > 0 {
				t.Errorf("children after: %v", c)
			}
		})
	}
}

// TestSignalledTwice at once, as timeout(1) does, is interrupted in order too.
func TestSignalledTwice(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system does not tell children")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(exe, "conform", "--out", dir)
	var stderr text
	cmd.Env, cmd.Stderr = append(os.Environ(), asProgram+"=1"), &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for end := time.Now().Add(time.Minute); len(children(t, cmd.Process.Pid)) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no core was started: %s", stderr.String())
		}
	}
	cores := children(t, cmd.Process.Pid)
	for range 2 {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitUntried {
		t.Errorf("%v, want exit 2: %s", err, stderr.String())
	}
	if p := load(t, dir); p.Interrupted == "" {
		t.Error("the proof does not say that the run was interrupted")
	}
	for _, c := range cores {
		pid, _, _ := strings.Cut(c, " ")
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("core %s is still there", c)
		}
	}
}

// TestNobodyReads: a run whose output nobody reads any more leaves no core behind.
func TestNobodyReads(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system does not tell children")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "target", "check", "refcore")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var cores []string
	for end := time.Now().Add(time.Minute); len(cores) == 0; time.Sleep(time.Millisecond) {
		if cores = children(t, cmd.Process.Pid); time.Now().After(end) {
			t.Fatal("no core was started")
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it may have come to its end
	if status := cmd.ProcessState; !status.Exited() {
		t.Errorf("it ended by itself: %v", status)
	}
	for _, c := range cores {
		pid, _, _ := strings.Cut(c, " ")
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("core %s is still there", c)
		}
	}
}

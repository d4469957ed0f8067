package main

import (
	"os"
	"path/filepath"
	"regexp"
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

// TestGateOfForeignCores holds builds against each other that are started as their
// descriptor says: head forgets a revoke.
func TestGateOfForeignCores(t *testing.T) {
	t.Parallel()
	describe := tiny(t)
	good, bad := describe(t, "tinycore.yaml", ""), describe(t, "tinycore.yaml", "remembers")
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	starts := regexp.MustCompile(`\{\{or \.Build "(.+?)"\}\}`)
	program := starts.FindStringSubmatch(string(b))[1]
	with := func(start string) string {
		path := filepath.Join(t.TempDir(), "core.yaml")
		if err := os.WriteFile(path, []byte(starts.ReplaceAllLiteralString(string(b), start)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	forgets := filepath.Join(t.TempDir(), "core")
	if err := os.WriteFile(forgets, []byte("#!/bin/sh\nTINY_DEFECT=remembers exec '"+program+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		args   []string
		exit   int
		reason string // in the last line, or the error
	}{
		{"descriptors alike", []string{"--base", good, "--head", good}, 0, "reason=held"},
		{"descriptors, head forgets", []string{"--base", good, "--head", bad}, 1, "reason=profile"},
		{"programs alike", []string{"--target", good, "--base", program, "--head", program}, 0, "reason=held"},
		{"programs, head forgets", []string{"--target", good, "--base", program, "--head", forgets}, 1, "reason=profile"},
		{"nothing to put them into", []string{"--target", with(program), "--base", program, "--head", program}, 2, "uses {{.Build}}"},
		{"arguments", []string{"--target", good, "--base", program + " x", "--head", program}, 2, "no arguments here"},
		{"images", []string{"--target", good, "--base", "acme/core:1", "--head", "acme/core:2"}, 2, "starts a command"},
		{"a database that it does not run on", []string{"--target", good, "--base", program, "--head", program, "--db", "mysql"}, 2, "runs on sqlite"},
		{"a database for programs", []string{"--base", program, "--head", program, "--db", "mysql"}, 2, "take it out"},
		{"URLs", []string{"--target", good, "--base", "http://127.0.0.1:1", "--head", "http://127.0.0.1:2"}, 2, "take one out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := coreproof(t.Context(), append([]string{"gate", "--check", "BL-02", "--budget", "cpu=off,memory=off", "--out", t.TempDir(), "--quiet"}, c.args...)...)
			if r.code != c.exit || !strings.Contains(r.out+r.err, c.reason) {
				t.Errorf("exit %d, want %d and %q:\n%s%s", r.code, c.exit, c.reason, r.out, r.err)
			}
		})
	}
	// Outside of a gate nobody says what is started.
	if r := coreproof(t.Context(), "conform", "--target", with("{{.Build}}"), "--out", t.TempDir(), "--quiet"); r.code != 2 || !strings.Contains(r.out+r.err, "stands for what gate tries") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
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
	if err != nil || len(list) != 1 || list[0].Outcome != proof.Fail || list[0].Reason != "statements" || r.code != 0 || !strings.Contains(r.out, "+1 statement per verify | – | 1 | 1 |") {
		t.Fatalf("exit %d, %v, record %+v\n%s%s", r.code, err, list, r.out, r.err)
	}
	if r := run(); r.code != 0 || strings.Count(r.err, "\n") != 0 {
		t.Errorf("with the record full: exit %d, %s", r.code, r.err)
	}
}

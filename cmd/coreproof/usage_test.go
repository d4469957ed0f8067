package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"prove"}, `no command "prove"`},
		{[]string{"help", "prove"}, `no command "prove"`},
		{[]string{"run", "--colour"}, "-colour"},
		{[]string{"conform", "--rounds", "3"}, "-rounds"},
		{[]string{"bench", "--check", "BL-01"}, "-check"},
		{[]string{"checks", "--nope"}, "-nope"},
		{[]string{"version", "--nope"}, "-nope"},
		{[]string{"core", "--nope"}, "-nope"},
		{[]string{"conform", "proof/"}, `unexpected argument "proof/"`},
		{[]string{"conform", "--scale", "many"}, "-scale"},
		{[]string{"conform", "--scale", "-1"}, "--scale"},
		{[]string{"conform", "--scale", "NaN"}, "--scale"},
		{[]string{"conform", "--scale", "Inf"}, "--scale"},
		{[]string{"conform", "--db", "oracle"}, "choose from sqlite, postgres, mysql, mariadb, mongo"},
		{[]string{"run", "--db", "sqlite,oracle"}, "--db oracle"},
		{[]string{"run", "--format", "pdf"}, "--format pdf"},
		{[]string{"conform", "--cdi", "1.0"}, "--cdi 1.0"},
		{[]string{"conform", "--cdi", "2.20,latest"}, "--cdi latest"},
		{[]string{"conform", "--instances", "-1"}, "--instances"},
		{[]string{"bench", "--rounds", "-1"}, "--rounds"},
		{[]string{"bench", "--stretch", "0s"}, "--stretch"},
		{[]string{"bench", "--stretch", "-1s"}, "--stretch"},
		{[]string{"bench", "--rate", "-5"}, "--rate"},
		{[]string{"bench", "--rate", "NaN"}, "--rate"},
		{[]string{"conform", "--rate-cap", "0"}, "--rate-cap"},
		{[]string{"bench", "--budget", "speed=1"}, "--budget speed=1"},
		{[]string{"bench", "--budget", "core-cpu-us=NaN"}, "--budget"},
		{[]string{"conform", "--url-off", "http://127.0.0.1:1"}, "--url-off needs --url-on"},
		{[]string{"conform", "--url-on", "http://127.0.0.1:1", "--db", "sqlite"}, "exclude each other"},
		{[]string{"conform", "--url-on", "http://127.0.0.1:1", "--instances", "2"}, "--instances needs --db"},
		{[]string{"report"}, "want one proof"},
		{[]string{"report", "a", "b"}, "want one proof"},
		{[]string{"report", "--format", "pdf", "a"}, "--format pdf"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			t.Parallel()
			coreproof(t.Context(), tc.args...).refused(t, tc.want)
		})
	}
}

// TestNoCommand shows what there is.
func TestNoCommand(t *testing.T) {
	t.Parallel()
	if o := coreproof(t.Context()); o.code != exitUntried || o.out != "" || !strings.Contains(o.err, "Examples:") {
		t.Errorf("%+v", o)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		o := coreproof(t.Context(), args...)
		if o.code != exitHeld || o.err != "" || !strings.Contains(o.out, "Examples:") {
			t.Errorf("%v: %+v", args, o)
		}
		for _, c := range commands() {
			if strings.Contains(o.out, "\n  "+c.name+" ") == c.hidden {
				t.Errorf("%v: command %s, hidden %v", args, c.name, c.hidden)
			}
		}
	}
	for _, c := range commands() {
		if c.hidden {
			continue
		}
		for _, args := range [][]string{{c.name, "--help"}, {c.name, "-h"}, {"help", c.name}} {
			o := coreproof(t.Context(), args...)
			if o.code != exitHeld || o.err != "" || !strings.Contains(o.out, "Usage: coreproof "+c.name) || strings.Count(o.out, "\n  ") == 0 {
				t.Errorf("%v: %+v", args, o)
			}
			if c.name != "core" && !strings.Contains(o.out, "Examples:\n  coreproof "+c.name) {
				t.Errorf("%v: no examples in %q", args, o.out)
			}
		}
	}
}

func TestVersionAndChecks(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if o := coreproof(t.Context(), args...); o.code != exitHeld || !strings.HasPrefix(o.out, "coreproof ") || strings.Count(o.out, "\n") != 1 {
			t.Errorf("%v: %+v", args, o)
		}
	}
	for _, args := range [][]string{{"checks"}, {"checks", "--long"}} {
		o := coreproof(t.Context(), args...)
		if o.code != exitHeld || !strings.Contains(o.out, "BL-01") || strings.Contains(o.out, "Requirement:") != (len(args) > 1) {
			t.Errorf("%v: exit %d, %.200s", args, o.code, o.out)
		}
	}
}

// TestOutThatCannotBe: the folder for the proof is a file.
func TestOutThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "go.mod")
	coreproof(t.Context(), "conform", "--check", "BL-01", "--out", file).refused(t, "--out")
}

// TestUnknownSelection: a check that is not there is no success.
func TestUnknownSelection(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--check", "NOPE"}, {"--suite", "NOPE"}, {"--profile", "NOPE"}, {"--check", "BL-01,NOPE"}} {
		t.Run(args[0][2:]+" "+args[1], func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "proof")
			coreproof(t.Context(), append([]string{"conform", "--quiet", "--out", dir}, args...)...).refused(t, "NOPE")
		})
	}
}

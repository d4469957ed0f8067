package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestThePlanThatIsNextWorks: its load is within what was measured.
func TestThePlanThatIsNextWorks(t *testing.T) {
	t.Parallel()
	swept, _ := examples.Named("swept")
	verdict.Derive(swept.Proof)
	fields := strings.Fields(planLine("proof", swept.Proof))
	rps, err := strconv.ParseFloat(fields[len(fields)-1], 64)
	if err != nil || rps != 1900 { // half of what was served with the flag on, a little below 4,000
		t.Fatalf("%q", fields)
	}
	if _, err := plan.Make(swept.Proof, plan.Ask{RPS: rps, Headroom: 0.4, Flags: []string{plan.Off, plan.On}}); err != nil {
		t.Error(err)
	}
	closed, _ := examples.Named("good")
	verdict.Derive(closed.Proof)
	if got := planLine("proof", closed.Proof); !strings.Contains(got, " --rps ") || strings.HasSuffix(got, " 1000") {
		t.Error(got)
	}
	if got := planLine("proof", &proof.Proof{}); got != "coreproof plan --from proof --html plan.html" {
		t.Error(got)
	}
	for x, want := range map[float64]float64{7650: 7600, 199: 190, 99.9: 99, 7.8: 7, 0.5: 0} {
		if got := twoDigits(x); got != want {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
}

// TestLinesToCopyCallWhatWasCalled: who has no coreproof on the PATH can copy the lines
// all the same.
func TestLinesToCopyCallWhatWasCalled(t *testing.T) {
	dir := t.TempDir()
	program := func(name string) string {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	installed, other, byGo := program("bin/coreproof"), program("here/coreproof"), program("go-build1/b001/exe/coreproof")
	if err := os.MkdirAll(filepath.Join(dir, "clone", "cmd", "coreproof"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ path, from, argument, executable, want string }{
		{"bin", "here", "coreproof", installed, "coreproof"},
		{"bin", "here", installed, installed, "coreproof"},
		{"bin", "here", "./coreproof", other, "./coreproof"},
		{"here", "here", "./coreproof", byGo, "./coreproof"},
		{"none", "clone", byGo, byGo, "go run ./cmd/coreproof"},
		{"bin", "clone", byGo, byGo, "go run ./cmd/coreproof"},
		{"none", "here", "coreproof", other, "coreproof"},
	} {
		t.Setenv("PATH", filepath.Join(dir, tc.path))
		t.Chdir(filepath.Join(dir, tc.from))
		if got := calledAs(tc.argument, tc.executable); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
	const line = `  COREPROOF_API_KEY="$API_KEY" coreproof conform --name coreproof --out coreproof-conform`
	if got, want := ourCommand.ReplaceAllString(line, "${1}X $2"), strings.Replace(line, "coreproof conform", "X conform", 1); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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

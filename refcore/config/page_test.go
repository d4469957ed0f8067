package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/store/kinds"
)

var update = flag.Bool("update", false, "write the generated part of docs/operations.md")

// TestOperationsPage: the table of settings in docs/operations.md is that of the code.
func TestOperationsPage(t *testing.T) {
	const path, begin, end = "../../docs/operations.md", "<!-- settings: generated", "<!-- end of settings -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	head, rest, ok2 := strings.Cut(rest, "\n")
	_, after, ok3 := strings.Cut(rest, end)
	if !ok || !ok2 || !ok3 {
		t.Fatalf("%s has lost its marks", path)
	}
	var b strings.Builder
	b.WriteString("\n| config.yaml | environment | default | |\n| --- | --- | --- | --- |\n")
	code := func(s string) string {
		if s == "" {
			return ""
		}
		return "`" + s + "`"
	}
	for _, s := range config.Settings(kinds.All()) {
		key, env, doc := code(s.Key), code(s.Env), s.Doc
		if s.OnlyEnv {
			key = ""
		}
		if s.FileEnv != "" {
			env += " or, in a file, " + code(s.FileEnv)
		}
		if s.Ignored {
			doc += " (read and ignored)"
		}
		if len(s.Aliases) > 0 {
			doc += "; also `" + strings.Join(s.Aliases, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", key, env, code(s.Default), strings.ReplaceAll(doc, "|", `\|`))
	}
	b.WriteString("\n")
	want := before + begin + head + "\n" + b.String() + end + after
	if want == string(page) {
		return
	}
	if !*update {
		t.Errorf("%s is not of this code: go test ./refcore/config -run OperationsPage -update", path)
		return
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

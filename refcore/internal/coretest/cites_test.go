package coretest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const repository = "../../.."

var (
	heading  = regexp.MustCompile(`^#{2,3} ([0-9]+(?:\.[0-9]+)?)\.? `)
	listed   = regexp.MustCompile(`^(?:\| )?([0-9]+)(?:\. | \| )`)
	citation = regexp.MustCompile(`docs/spec/([a-z-]+\.md) ([0-9]+(?:\.[0-9]+)?)`)
)

// specification reads the numbers of a page: sections, and the rules of its
// section of numbered rules.
func specification(t *testing.T, page string) (sections, rules map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs/spec", page))
	if err != nil {
		t.Fatal(err)
	}
	sections, rules = map[string]bool{}, map[string]bool{}
	section, numbered := "", false
	for line := range strings.Lines(string(text)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			section, numbered = m[1], strings.Contains(line, "Numbered rules")
			sections[section] = true
		} else if m := listed.FindStringSubmatch(line); m != nil && numbered {
			rules[section+"."+m[1]] = true
		}
	}
	return sections, rules
}

// TestCitations: each number that a source cites is in the specification, and
// each numbered rule is cited by a test of the core, which tests it or says why not.
func TestCitations(t *testing.T) {
	t.Parallel()
	cited := map[string]map[string][]string{} // page, number, files
	walk := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range citation.FindAllStringSubmatch(string(text), -1) {
			if cited[m[1]] == nil {
				cited[m[1]] = map[string][]string{}
			}
			cited[m[1]][m[2]] = append(cited[m[1]][m[2]], strings.TrimPrefix(path, repository+"/"))
		}
		return nil
	}
	if err := filepath.WalkDir(repository, walk); err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]int{"http-api.md": 124, "session-engine.md": 98} {
		sections, rules := specification(t, page)
		if len(rules) != want {
			t.Errorf("%s: %d numbered rules, want %d: is this test blind?", page, len(rules), want)
		}
		for number, files := range cited[page] {
			if !sections[number] && !rules[number] {
				t.Errorf("%s cites docs/spec/%s %s, which is not there", files[0], page, number)
			}
		}
		for number := range rules {
			tests := 0
			for _, f := range cited[page][number] {
				if strings.HasPrefix(f, "refcore/") && strings.HasSuffix(f, "_test.go") && !strings.HasPrefix(f, "refcore/internal/coretest/") {
					tests++
				}
			}
			if tests == 0 {
				t.Errorf("docs/spec/%s %s is cited by no test of the core", page, number)
			}
		}
	}
	for page := range cited {
		if _, err := os.Stat(filepath.Join(repository, "docs/spec", page)); err != nil {
			t.Errorf("a source cites %s: %v", page, err)
		}
	}
}

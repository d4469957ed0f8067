package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/render"
)

var examples = filepath.Join("..", "..", "testdata", "proofs")

// example copies an example proof, changed by edit.
func example(t *testing.T, name string, edit func(map[string]any)) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	edit(doc)
	if b, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "proof.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReportOfWhatIsNoProof(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "garbage": "\x00\x01 garbage", "cut": `{"schemaVersion": 1, "targ`, "other": `{"a": 1}`, "list": "[]"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"report", filepath.Join(dir, name)}, {"report", "--verify", filepath.Join(dir, name)}} {
			coreproof(t.Context(), args...).refused(t, name)
		}
	}
	coreproof(t.Context(), "report", filepath.Join(dir, "missing")).refused(t, "no such file")
	coreproof(t.Context(), "report", dir).refused(t, "no such file") // a folder without one
}

// TestReportVerify: the verdict is judged again, whatever it says.
func TestReportVerify(t *testing.T) {
	t.Parallel()
	verdict := func(p map[string]any) map[string]any { return p["verdict"].(map[string]any) }
	for name, tc := range map[string]struct {
		file string
		edit func(map[string]any)
		want int
	}{
		"a good one":               {"good.json", func(map[string]any) {}, exitHeld},
		"a failing one":            {"failing.json", func(map[string]any) {}, exitHeld}, // its verdict is right
		"a fail made a pass":       {"failing.json", func(p map[string]any) { verdict(p)["outcome"], verdict(p)["exitCode"] = "pass", 0 }, exitFailed},
		"the exit code alone":      {"failing.json", func(p map[string]any) { verdict(p)["exitCode"] = 0 }, exitFailed},
		"a reason left out":        {"failing.json", func(p map[string]any) { verdict(p)["reasons"] = []string{} }, exitFailed},
		"an interruption left out": {"interrupted.json", func(p map[string]any) { delete(p, "interrupted") }, exitFailed},
		"all targets left out":     {"good.json", func(p map[string]any) { p["targets"] = []any{} }, exitFailed},
		"a pass made of no evidence": {"empty.json", func(p map[string]any) {
			p["verdict"] = map[string]any{"outcome": "pass", "exitCode": 0, "reasons": []string{}}
		}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := example(t, tc.file, tc.edit)
			o := coreproof(t.Context(), "report", "--verify", path)
			if o.code != tc.want {
				t.Errorf("%+v, want exit %d", o, tc.want)
			}
			if tc.want == exitFailed && (strings.Count(o.err, "\n") != 1 || o.out != "" || !strings.Contains(o.err, "evidence")) {
				t.Errorf("want one line that says so, got %q and %q", o.err, o.out)
			}
		})
	}
}

func TestReportFormats(t *testing.T) {
	t.Parallel()
	path := filepath.Join(examples, "failing.json")
	for _, f := range render.Formats {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			// The proof may stand before the flags or after them.
			before := coreproof(t.Context(), "report", path, "--format", f.Name)
			after := coreproof(t.Context(), "report", "--format", f.Name, path)
			if before.code != exitHeld || before.out == "" || before != after {
				t.Errorf("exit %d and %d, %d and %d bytes, %q", before.code, after.code, len(before.out), len(after.out), before.err)
			}
			file := filepath.Join(t.TempDir(), "report")
			if o := coreproof(t.Context(), "report", "--format", f.Name, "-o", file, path); o.code != exitHeld || o.out != "" {
				t.Errorf("to a file: %+v", o)
			}
			if b, err := os.ReadFile(file); err != nil || string(b) != before.out {
				t.Errorf("%d bytes in the file, %v; %d on standard output", len(b), err, len(before.out))
			}
		})
	}
	coreproof(t.Context(), "report", "-o", filepath.Join(t.TempDir(), "no", "folder"), path).refused(t, "no")
}

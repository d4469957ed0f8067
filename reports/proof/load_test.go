package proof_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

func TestReadErrorsNameTheFileAndTheMend(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "x.json: it is empty; run again"},
		{"cut short", `{"schemaVersion":1,"targets":[`, "x.json: no valid JSON at byte 30 of 30"},
		{"two documents", `{"schemaVersion":1} {}`, "x.json: no valid JSON at byte 21 of 22"},
		{"another document", `{"version":"1"}`, "x.json: it has no schemaVersion, so it is no proof"},
		{"not an object", `[]`, "x.json: it holds a JSON array, not an object"},
		{"newer", `{"schemaVersion":2,"targets":"all"}`, "x.json: schemaVersion 2 is newer than this program reads (1); update coreproof"},
		{"older", `{"schemaVersion":0}`, "x.json: schemaVersion 0 is older than this program reads (1); run again"},
		{"wrong kind of version", `{"schemaVersion":"1"}`, "x.json: field schemaVersion at byte 20: got a JSON string, want int"},
		{"wrong kind of field", `{"schemaVersion":1,"targets":"all"}`, "x.json: field targets at byte 34: got a JSON string"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := proof.Read(strings.NewReader(tc.in), "x.json")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Read(%q): %v, want an error with %q", tc.in, err, tc.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("Read(%q): the error has several lines: %v", tc.in, err)
			}
		})
	}
}

func TestReadToleratesUnknownFields(t *testing.T) {
	t.Parallel()
	p, err := proof.Read(strings.NewReader(`{"schemaVersion":1,"seed":7,"later":{"a":[1]},"machine":{"cpus":2,"gpus":9}}`), "x.json")
	if err != nil {
		t.Fatal(err)
	}
	if p.Seed != 7 || p.Machine.CPUs != 2 {
		t.Errorf("got seed %d, %d CPUs, want 7, 2", p.Seed, p.Machine.CPUs)
	}
}

// endless gives blanks for ever.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	_, err := proof.Read(io.MultiReader(strings.NewReader(`{"schemaVersion":1}`), endless{}), "x.json")
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("reading without end: %v, want an error about the size", err)
	}
}

func TestLoadMissing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "no.json")
	_, err := proof.Load(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "coreproof run") {
		t.Errorf("Load(%s): %v, want fs.ErrNotExist with path and mend", path, err)
	}
}

func TestSaveThenLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := passing()
	path := filepath.Join(dir, "new", "folder", "p.json")
	if err := proof.Save(path, p); err != nil {
		t.Fatal(err)
	}
	if p.Verdict.Outcome != proof.Pass || p.SchemaVersion != proof.SchemaVersion {
		t.Errorf("saved with verdict %q, version %d; want pass, %d", p.Verdict.Outcome, p.SchemaVersion, proof.SchemaVersion)
	}
	got, err := proof.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := errors.Join(proof.Encode(&a, p), proof.Encode(&b, got)); err != nil {
		t.Fatal(err)
	}
	if a.String() != b.String() {
		t.Errorf("loaded\n%s\nwant\n%s", b.String(), a.String())
	}
	// Saving over it, by folder, leaves one file and nothing temporary.
	if err := proof.Save(dir, p); err != nil {
		t.Fatal(err)
	}
	if err := proof.Save(dir, p); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 || files[1].Name() != proof.FileName {
		t.Errorf("after saving to the folder it holds %v, %v; want new and %s", files, err, proof.FileName)
	}
	if _, err := proof.Load(dir); err != nil {
		t.Errorf("load by folder: %v", err)
	}
}

func TestSaveThatFailsLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.json")
	if err := proof.Save(path, passing()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := passing()
	p.Targets[0].Bench = []proof.Bench{{CostPerCall: &proof.Estimate{High: math.Inf(1)}}}
	err = proof.Save(path, p)
	if err == nil || !strings.Contains(err.Error(), "targets[0].bench[0].costPerCall.high is not a finite number") {
		t.Errorf("saving an infinite bound: %v, want an error that names it", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old file changed (%v)", err)
	}
}

func TestEncodeChangesNothing(t *testing.T) {
	t.Parallel()
	p := &proof.Proof{Targets: []proof.Target{{Conformance: &proof.Conformance{}}}}
	var buf bytes.Buffer
	if err := proof.Encode(&buf, p); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(buf.String(), "null") {
		t.Errorf("a required list is null:\n%s", buf.String())
	}
	if p.Command != nil || p.Targets[0].Conformance.Checks != nil {
		t.Error("Encode filled lists in the caller's proof")
	}
}

func TestCheckVerdict(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.json")
	p := passing()
	p.Targets[0].Conformance.Checks[0].Outcome = proof.Fail
	if err := proof.Save(path, p); err != nil {
		t.Fatal(err)
	}
	if err := proof.CheckVerdict(p); err != nil {
		t.Errorf("as saved: %v", err)
	}
	for name, edit := range map[string]func(*proof.Verdict){
		"outcome": func(v *proof.Verdict) { v.Outcome = proof.Pass },
		"exit":    func(v *proof.Verdict) { v.ExitCode = 0 },
		"fewer":   func(v *proof.Verdict) { v.Reasons = nil },
		"other":   func(v *proof.Verdict) { v.Reasons = []string{"nothing much"} },
	} {
		edited, err := proof.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		edit(&edited.Verdict)
		if proof.CheckVerdict(edited) == nil {
			t.Errorf("%s: the edit went unnoticed", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(examples, "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 64<<10 { // large seeds only slow the fuzzer down
			f.Add(data)
		}
	}
	f.Add([]byte(`{"schemaVersion":1,"targets":[{"conformance":{"profiles":[{}],"checks":[{"profiles":["x"]}]},"footprint":{"statements":[{"expected":1}],"space":{}},"bench":[{"rounds":[{}],"dropped":[{}]}]}],"budgets":[{}]}`))
	f.Add([]byte(`{"schemaVersion":1,"started":"2026-01-01T00:00:00+01:00","machine":{"loadStart":1e308}}`))
	f.Add([]byte(`{"schemaVersion":1}{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := proof.Read(bytes.NewReader(data), "fuzz")
		if err != nil {
			if p != nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v with error %q", p, err)
			}
			return
		}
		v := proof.Judge(p)
		if v.Outcome == proof.Pass && len(p.Targets) == 0 {
			t.Error("a proof without targets passed")
		}
		var buf bytes.Buffer
		if err := proof.Encode(&buf, p); err != nil {
			return // e.g. a year beyond 9999 cannot be written
		}
		again, err := proof.Read(&buf, "again")
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if w := proof.Judge(again); !reflect.DeepEqual(v, w) {
			t.Errorf("judged %v, after writing and reading %v", v, w)
		}
	})
}

package proof_test

import (
	"bytes"
	"encoding/json"
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
		{"cut short", `{"schemaVersion":2,"targets":[`, "x.json: no valid JSON at byte 30 of 30"},
		{"two documents", `{"schemaVersion":2} {}`, "x.json: no valid JSON at byte 21 of 22"},
		{"another document", `{"version":"1"}`, "x.json: it has no schemaVersion, so it is no proof"},
		{"not an object", `[]`, "x.json: it holds a JSON array, not an object"},
		{"newer", `{"schemaVersion":9,"targets":"all"}`, "x.json: schemaVersion 9 is newer than this program reads (2); update coreproof"},
		{"older", `{"schemaVersion":1,"targets":"all"}`, "x.json: schemaVersion 1 is older than this program reads (2), which stores other evidence; run again"},
		{"wrong kind of version", `{"schemaVersion":"1"}`, "x.json: field schemaVersion at byte 20: got a JSON string, want int"},
		{"wrong kind of field", `{"schemaVersion":2,"targets":"all"}`, "x.json: field targets at byte 34: got a JSON string"},
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
	p, err := proof.Read(strings.NewReader(`{"schemaVersion":2,"seed":7,"later":{"a":[1]},"machine":{"cpus":2,"gpus":9}}`), "x.json")
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
	_, err := proof.Read(io.MultiReader(strings.NewReader(`{"schemaVersion":2}`), endless{}), "x.json")
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
	if p.Verdict.Outcome != "" || p.SchemaVersion != proof.SchemaVersion || p.Digest == "" {
		t.Errorf("saved with verdict %q, version %d, digest %q; want no verdict, version %d and a digest", p.Verdict.Outcome, p.SchemaVersion, p.Digest, proof.SchemaVersion)
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
	p.Targets[0].Bench = []proof.Bench{{Cost: &proof.Cost{CostPerCall: &proof.Estimate{Interval: &proof.Interval{High: math.Inf(1)}}}}}
	err = proof.Save(path, p)
	if err == nil || !strings.Contains(err.Error(), "targets[0].bench[0].cost.costPerCall.interval.high is not a finite number") {
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

// V2: a digest shows any edit of what is written.
func TestV2DigestShowsEdits(t *testing.T) {
	t.Parallel()
	p := passing()
	want, err := proof.DigestOf(p)
	if err != nil || !strings.HasPrefix(want, "sha256:") || len(want) != len("sha256:")+64 {
		t.Fatalf("digest %q, %v", want, err)
	}
	p.Digest = "anything"
	if got, err := proof.DigestOf(p); err != nil || got != want {
		t.Errorf("the digest depends on the digest that is stored: %q, %q, %v", got, want, err)
	}
	p.Targets[0].Conformance.Checks[0].Trials++
	if got, err := proof.DigestOf(p); err != nil || got == want {
		t.Errorf("one trial more has the same digest (%v)", err)
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
	f.Add([]byte(`{"schemaVersion":2,"targets":[{"conformance":{"profiles":[{}],"checks":[{"profiles":["x"]}]},"footprint":{"statements":[{"expected":1}],"space":{}},"bench":[{"rounds":[{}],"dropped":[{}]}]}],"budgets":[{}]}`))
	f.Add([]byte(`{"schemaVersion":2,"started":"2026-01-01T00:00:00+01:00","machine":{"loadStart":1e308}}`))
	f.Add([]byte(`{"schemaVersion":2}{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := proof.Read(bytes.NewReader(data), "fuzz")
		if err != nil {
			if p != nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v with error %q", p, err)
			}
			return
		}
		var buf bytes.Buffer
		if err := proof.Encode(&buf, p); err != nil {
			return // e.g. a year beyond 9999 cannot be written
		}
		again, err := proof.Read(&buf, "again")
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		digest, err := proof.DigestOf(p)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := proof.DigestOf(again); err != nil || d != digest {
			t.Errorf("digest %s, after writing and reading %s (%v)", digest, d, err)
		}
		if c := proof.Clone(p); !reflect.DeepEqual(c, p) {
			t.Error("a clone differs")
		}
		proof.Clear(p)
		if p.Digest != "" || p.Verdict.Outcome != "" {
			t.Error("clearing left a verdict")
		}
	})
}

// passing is a small proof as a producer leaves it.
func passing() *proof.Proof {
	return &proof.Proof{Targets: []proof.Target{{Name: "sqlite", Conformance: &proof.Conformance{Planned: 1,
		Checks: []proof.Check{{ID: "BL-01", Protocol: "CDI 5.4", Trials: 3}}, Profiles: []proof.Profile{{Name: "blacklisting"}}}}}}
}

// TestReadRefusesFieldsThatStandTwice: two readers would take different ones.
func TestReadRefusesFieldsThatStandTwice(t *testing.T) {
	t.Parallel()
	p, err := proof.Load("../../testdata/proofs/good.json")
	if err != nil {
		t.Fatal(err)
	}
	good, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Read(bytes.NewReader(good), "good"); err != nil {
		t.Fatal(err)
	}
	for _, first := range []string{`"seed":1,`, `"Verdict":{},`, `"verdict":{"outcome":"pass"},`} {
		edited := append([]byte("{"+first), good[1:]...)
		if _, err := proof.Read(bytes.NewReader(edited), "edited"); err == nil || !strings.Contains(err.Error(), "stands twice") {
			t.Errorf("with %s: %v", first, err)
		}
	}
}

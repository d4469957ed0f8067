package proof_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coreproof/coreproof/reports/proof"
)

const examples = "../../testdata/proofs"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(proof.Schema()))
	if err != nil {
		t.Fatalf("read schema.json: %v", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(proof.SchemaID, doc); err != nil {
		t.Fatalf("add schema.json: %v", err)
	}
	s, err := c.Compile(proof.SchemaID)
	if err != nil {
		t.Fatalf("compile schema.json: %v", err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, name string, data []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s does not follow the schema: %v", name, err)
	}
}

func TestExamplesFollowTheSchema(t *testing.T) {
	t.Parallel()
	s := compileSchema(t)
	files, err := filepath.Glob(filepath.Join(examples, "*.json"))
	if err != nil || len(files) < 9 {
		t.Fatalf("examples in %s: got %v, %v; want at least 9", examples, files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, s, f, data)
	}
}

func TestNearlyEmptyProofsFollowTheSchema(t *testing.T) {
	t.Parallel()
	s := compileSchema(t)
	for _, tc := range []struct {
		name string
		p    proof.Proof
	}{
		{"nothing at all", proof.Proof{}},
		{"a target of which nothing is known", proof.Proof{Targets: []proof.Target{{}}}},
		{"parts without content", proof.Proof{Targets: []proof.Target{{
			Database:    &proof.Database{},
			Conformance: &proof.Conformance{Profiles: []proof.Profile{{Outcome: proof.Vacuous}}, Checks: []proof.Check{{Outcome: proof.Skip, Race: &proof.Race{}}}},
			Footprint:   &proof.Footprint{Space: &proof.Space{Outcome: proof.Pass}},
			Bench:       []proof.Bench{{Histograms: []proof.Histogram{{Variant: "on"}}, Cost: &proof.Cost{}}},
		}}}},
	} {
		path := filepath.Join(t.TempDir(), "proof.json")
		if err := proof.Save(path, &tc.p); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, s, tc.name, data)
	}
}

func TestSchemaRefusesWhatIsNoProof(t *testing.T) {
	t.Parallel()
	s := compileSchema(t)
	for _, doc := range []string{`{}`, `[]`, `{"schemaVersion":2}`} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(v) == nil {
			t.Errorf("%s follows the schema, want it refused", doc)
		}
	}
}

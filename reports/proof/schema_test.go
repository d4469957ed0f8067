package proof_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

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
	if err != nil || len(files) < 6 {
		t.Fatalf("examples in %s: got %v, %v; want at least 6", examples, files, err)
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
			Conformance: &proof.Conformance{Profiles: []proof.Profile{{Outcome: proof.Vacuous}}, Checks: []proof.Check{{Outcome: proof.Skip}}},
			Footprint:   &proof.Footprint{Space: &proof.Space{}},
			Bench:       []proof.Bench{{Histograms: []proof.Histogram{{Flag: "on"}}}},
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

// A schema object as far as the comparison with the Go types needs it.
type object struct {
	Type        string            `json:"type"`
	Ref         string            `json:"$ref"`
	Description string            `json:"description"`
	Required    []string          `json:"required"`
	Properties  map[string]object `json:"properties"`
	Defs        map[string]object `json:"$defs"`
	Items       *object           `json:"items"`
}

// The schema has every field of every Go type, with the right kind, required
// unless the field has omitempty; and it has no others.
func TestSchemaMatchesTheTypes(t *testing.T) {
	t.Parallel()
	var root object
	if err := json.Unmarshal([]byte(proof.Schema()), &root); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var compare func(typ reflect.Type, o object, name string)
	compare = func(typ reflect.Type, o object, name string) {
		var required []string
		fields := map[string]bool{}
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" || tag == "-" {
				t.Errorf("%s.%s has no JSON name", typ, f.Name)
			}
			fields[tag] = true
			if opts != "omitempty" {
				required = append(required, tag)
			}
			prop, ok := o.Properties[tag]
			if !ok {
				t.Errorf("%s.%s (%s) is not in the schema of %s", typ, f.Name, tag, name)
				continue
			}
			ft := f.Type
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Slice {
				if prop.Type != "array" || prop.Items == nil {
					t.Errorf("%s.%s: schema has type %q, want an array with items", name, tag, prop.Type)
					continue
				}
				ft, prop = ft.Elem(), *prop.Items
			}
			if def, ok := strings.CutPrefix(prop.Ref, "#/$defs/"); ok {
				if want := lowerFirst(ft.Name()); def != want {
					t.Errorf("%s.%s: schema refers to %q, want %q", name, tag, def, want)
				}
				if seen[def] {
					continue
				}
				seen[def] = true
				target, ok := root.Defs[def]
				switch {
				case !ok:
					t.Errorf("%s.%s: schema has no definition of %q", name, tag, def)
				case ft.Kind() == reflect.Struct:
					compare(ft, target, def)
				case target.Type != kindOf(ft):
					t.Errorf("%s: schema has type %q, want %q", def, target.Type, kindOf(ft))
				}
				continue
			}
			if prop.Type != kindOf(ft) {
				t.Errorf("%s.%s: schema has type %q, want %q", name, tag, prop.Type, kindOf(ft))
			}
		}
		for p, o := range o.Properties {
			if !fields[p] {
				t.Errorf("schema of %s has %s, but the type %s has not", name, p, typ)
			}
			if o.Description == "" && o.Ref == "" {
				t.Errorf("schema of %s: %s has no description", name, p)
			}
		}
		got := slices.Clone(o.Required)
		slices.Sort(got)
		slices.Sort(required)
		if !slices.Equal(got, required) {
			t.Errorf("schema of %s requires %v, want %v", name, got, required)
		}
		if o.Description == "" {
			t.Errorf("schema of %s has no description", name)
		}
	}
	compare(reflect.TypeFor[proof.Proof](), root, "proof")
	for def := range root.Defs {
		if !seen[def] {
			t.Errorf("schema defines %s, which nothing uses", def)
		}
	}
}

func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "string"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.Map:
		return "object"
	default:
		return "integer"
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return ""
	}
	return string(unicode.ToLower(rune(s[0]))) + s[1:]
}

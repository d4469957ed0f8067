package proof_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/coreproof/coreproof/reports/proof"
)

var update = flag.Bool("update", false, "write schema.json again")

// The schema is made from the types and their comments, so that it says what
// they say: a new field needs a comment, and nothing else.
func TestSchemaIsMadeFromTheTypes(t *testing.T) {
	t.Parallel()
	g := generator{t: t, comments: comments(t), defs: map[string]any{}}
	doc := g.object(reflect.TypeFor[proof.Proof]())
	doc["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	doc["$id"] = proof.SchemaID
	doc["title"] = "coreproof proof, version 2"
	doc["description"] = "Everything that one run of coreproof found out. Fields are stable within a schema version; new ones may come at any time, so readers pass over what they do not know. " +
		"Fields with x-derived follow from the others: whoever reads them may derive them anew, as coreproof report --verify does."
	doc["properties"].(map[string]any)["schemaVersion"].(map[string]any)["const"] = proof.SchemaVersion
	doc["$defs"] = g.defs
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if proof.Schema() != want.String() {
		t.Error("schema.json is not what the types say; run: go test ./reports/proof -run TestSchemaIsMadeFromTheTypes -update")
	}
}

// comments of types ("Proof") and fields ("Proof.Seed"), each on one line.
func comments(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	text := func(groups ...*ast.CommentGroup) string {
		var parts []string
		for _, g := range groups {
			if g != nil {
				parts = append(parts, strings.Fields(g.Text())...)
			}
		}
		return strings.Join(parts, " ")
	}
	var decls []ast.Decl
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	for _, d := range decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range decl.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			out[spec.Name.Name] = text(decl.Doc, spec.Doc)
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range fields.Fields.List {
				c := text(f.Doc, f.Comment)
				for _, n := range f.Names {
					out[spec.Name.Name+"."+n.Name] = c
				}
			}
		}
	}
	return out
}

type generator struct {
	t        *testing.T
	comments map[string]string
	defs     map[string]any
}

// enums are the values of named strings.
var enums = map[string][]any{
	"Outcome": {proof.Pass, proof.Fail, proof.Skip, proof.Error, proof.Vacuous, proof.Incomplete, proof.Undecided, proof.Outcome("")},
	"Weight":  {proof.Fails, proof.Untried, proof.Warns},
}

func (g *generator) object(typ reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			g.t.Errorf("%s.%s has no JSON name", typ, f.Name)
		}
		if opts != "omitempty" {
			required = append(required, tag)
		}
		p := g.value(f.Type)
		p["description"] = g.comments[typ.Name()+"."+f.Name]
		if p["description"] == "" {
			g.t.Errorf("%s.%s has no comment", typ, f.Name)
		}
		if proof.Derived(f) {
			p["x-derived"], p["readOnly"] = true, true
		}
		properties[tag] = p
	}
	return map[string]any{"type": "object", "description": g.comments[typ.Name()], "properties": properties, "required": required}
}

func (g *generator) value(typ reflect.Type) map[string]any {
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case enums[typ.Name()] != nil:
		return map[string]any{"type": "string", "enum": enums[typ.Name()]}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return g.value(typ.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.value(typ.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": g.value(typ.Elem())}
	case reflect.Struct:
		name := string(unicode.ToLower(rune(typ.Name()[0]))) + typ.Name()[1:]
		if g.defs[name] == nil {
			g.defs[name] = true // it may hold itself
			g.defs[name] = g.object(typ)
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	default:
		return map[string]any{"type": "integer"}
	}
}

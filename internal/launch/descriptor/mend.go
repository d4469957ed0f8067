package descriptor

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/coreproof/coreproof/internal/spelling"
)

// Mistakes are what is wrong in a descriptor, each with its place and the mend. All
// that a caller can add is where the fields are listed.
type Mistakes []string

func (m Mistakes) Error() string { return strings.Join(m, "; and ") }

// mend gives a mistake of the library's error.
func mend(file string, b []byte, err error) error {
	text := strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " ")
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		if m := badTimes(file, b); len(m) > 0 {
			return m
		}
		return Mistakes{file + ": " + text}
	}
	token := e.GetToken()
	text = strings.Join(strings.Fields(e.GetMessage()), " ")
	var (
		unknown *yaml.UnknownFieldError
		other   *yaml.UnexpectedNodeTypeError
		typed   *yaml.TypeError
		syntax  *yaml.SyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		text = noField(token.Value, fieldsBeside(b, token.Position.Line, token.Position.Column))
	case errors.As(err, &other):
		text = fmt.Sprintf("want %s, not %s", plain(other.Expected), plain(other.Actual))
	case errors.As(err, &typed):
		text = fmt.Sprintf("%q: want %s", token.Value, named(typed.DstType))
	case strings.Contains(text, "already defined"):
		text += "; take one out"
	case errors.As(err, &syntax):
		text += "; " + layout(b, token.Position.Line)
	}
	return Mistakes{fmt.Sprintf("%s:%d:%d: %s", file, token.Position.Line, token.Position.Column, text)}
}

// noField says what a mistyped field was meant to be, or which there are.
func noField(name string, beside []string) string {
	if near := spelling.Nearest(name, beside); near != "" {
		return fmt.Sprintf("there is no field %q; did you mean %s?", name, near)
	}
	return fmt.Sprintf("there is no field %q here; take it out, or choose from %s", name, strings.Join(beside, ", "))
}

// fields are the names of all fields.
func fields() (names []string) {
	walk(reflect.TypeFor[Descriptor](), func(f reflect.StructField) { names = append(names, yamlName(f)) })
	return names
}

// fieldsBeside are those that could stand where a key stands.
func fieldsBeside(b []byte, line, column int) (names []string) {
	tree, err := parser.ParseBytes(b, 0)
	if err != nil {
		return fields()
	}
	t := reflect.TypeFor[Descriptor]()
	for _, doc := range tree.Docs {
		ast.Walk(visitor(func(n ast.Node) {
			v, ok := n.(*ast.MappingValueNode)
			if !ok || v.Key.GetToken().Position.Line != line || v.Key.GetToken().Position.Column != column {
				return
			}
			steps := step.FindAllString(strings.TrimPrefix(v.Key.GetPath(), "$"), -1)
			for _, s := range steps[:max(len(steps)-1, 0)] {
				t = below(t, strings.Trim(s, ".'"))
			}
		}), doc.Body)
	}
	if t.Kind() != reflect.Struct {
		return fields()
	}
	for i := range t.NumField() {
		if name := yamlName(t.Field(i)); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// step is one step of a path of the YAML library.
var step = regexp.MustCompile(`\.'[^']*'|\.[^.\[]+|\[\d+\]`)

// below is the type of a field, or of an element, of t.
func below(t reflect.Type, name string) reflect.Type {
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); yamlName(f) == name {
				t = f.Type
				break
			}
		}
	} else if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

// plain names a kind of node as one writes it.
func plain(t ast.NodeType) string {
	switch t {
	case ast.SequenceType:
		return "a list such as [a, b]"
	case ast.MappingType, ast.MappingValueType:
		return "fields such as {name: value}"
	case ast.StringType, ast.LiteralType:
		return "one text"
	}
	return "a " + strings.ToLower(t.String())
}

// named is plain for a type.
func named(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return plain(ast.SequenceType)
	case reflect.Map, reflect.Struct:
		return plain(ast.MappingType)
	}
	return "one " + t.Kind().String()
}

// layout says how a line that is no YAML is probably mended.
func layout(b []byte, line int) string {
	lines := strings.Split(string(b), "\n")
	for _, l := range lines[max(line-2, 0):min(line, len(lines))] {
		if indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]; strings.Contains(indent, "\t") {
			return "indent with spaces: there is a tab"
		}
	}
	return "fields of one level begin in one column, and a text with {, : or # in it stands in quotes"
}

// badTimes finds times that cannot be read, whose errors have no place in the library.
func badTimes(file string, b []byte) (m Mistakes) {
	tree, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil
	}
	for _, doc := range tree.Docs {
		ast.Walk(visitor(func(n ast.Node) {
			v, ok := n.(*ast.MappingValueNode)
			if !ok || !slices.Contains(times(), strings.TrimPrefix(v.Key.GetPath(), "$.")) {
				return
			}
			at := v.Value.GetToken()
			if _, err := time.ParseDuration(at.Value); err != nil {
				m = append(m, fmt.Sprintf("%s:%d:%d: %q: say a time such as 30s", file, at.Position.Line, at.Position.Column, at.Value))
			}
		}), doc.Body)
	}
	return m
}

// times are the paths of fields that hold a time.
func times() (paths []string) {
	t := reflect.TypeFor[Descriptor]()
	for i := range t.NumField() {
		if of := below(t.Field(i).Type, ""); of.Kind() == reflect.Struct {
			for j := range of.NumField() {
				if of.Field(j).Type == reflect.TypeFor[time.Duration]() {
					paths = append(paths, yamlName(t.Field(i))+"."+yamlName(of.Field(j)))
				}
			}
		}
	}
	return paths
}

var noValue = regexp.MustCompile(`can't evaluate field (\w+) in type descriptor\.(\w+)`)

// templateMend is what to do about a template that cannot be rendered.
func templateMend(err error) string {
	m := noValue.FindStringSubmatch(err.Error())
	if m == nil {
		return err.Error() + "; write {{.Name}}, with names from docs/targets.md"
	}
	of, before := reflect.TypeFor[Values](), "."
	switch m[2] {
	case reflect.TypeFor[DatabaseValues]().Name():
		of, before = reflect.TypeFor[DatabaseValues](), ".Database."
	case reflect.TypeFor[AdapterValues]().Name():
		of = reflect.TypeFor[AdapterValues]()
	}
	var names []string
	for i := range of.NumField() {
		names = append(names, of.Field(i).Name)
	}
	if near := spelling.Nearest(m[1], names); near != "" {
		return fmt.Sprintf("there is no {{%s%s}}; did you mean {{%s%s}}?", before, m[1], before, near)
	}
	if _, elsewhere := reflect.TypeFor[Values]().FieldByName(m[1]); elsewhere && before == "." {
		return fmt.Sprintf("there is no {{.%s}} here, as it differs from instance to instance; choose from .%s", m[1], strings.Join(names, " ."))
	}
	return fmt.Sprintf("there is no {{%s%s}}; choose from %s%s", before, m[1], before, strings.Join(names, " "+before))
}

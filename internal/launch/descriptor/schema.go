package descriptor

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Schema is the JSON Schema of descriptors, made from the types.
func Schema() ([]byte, error) {
	s := object(reflect.TypeFor[Descriptor]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "How a core is brought up"
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

func object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := yamlName(f)
		if name == "" {
			continue
		}
		p := schemaOf(f.Type)
		p["description"] = f.Tag.Get("doc")
		if words := f.Tag.Get("enum"); words != "" {
			p["enum"] = strings.Split(words, ",")
		}
		if f.Tag.Get("required") != "" {
			required = append(required, name)
		}
		properties[name] = p
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	case t.Kind() == reflect.Struct:
		return object(t)
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case t.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case t.Kind() == reflect.Int:
		return map[string]any{"type": "integer"}
	}
	return map[string]any{"type": "string"}
}

// yamlName is a field's name in a file; "" for one that is in none.
func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return strings.TrimPrefix(name, "-")
}

// enum are the words that a field takes.
func enum(field string, t reflect.Type) []string {
	f, _ := t.FieldByName(field)
	return strings.Split(f.Tag.Get("enum"), ",")
}

// walk visits the fields of a struct and of all structs in it.
func walk(t reflect.Type, visit func(reflect.StructField)) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		walk(t.Elem(), visit)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); yamlName(f) != "" {
				visit(f)
				walk(f.Type, visit)
			}
		}
	}
}

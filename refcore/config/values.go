package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// values are settings as texts that fit their types.
type values struct {
	byKey      map[string]string
	table      map[string]setting
	structured bool
	warnings   []string
	// passwordFile is POSTGRESQL_PASSWORD_FILE.
	passwordFile string
}

func newValues() *values {
	v := &values{byKey: map[string]string{}, table: map[string]setting{}}
	for _, s := range settings {
		v.table[s.key] = s
		v.byKey[s.key] = s.def
	}
	return v
}

func (v *values) text(key string) string { return v.byKey[key] }

func (v *values) bool(key string) bool { return v.byKey[key] == "true" }

// long gives 0 for a setting that was not set.
func (v *values) long(key string) int64 {
	n, _ := strconv.ParseInt(v.byKey[key], 10, 64) // checked by set
	return n
}

func (v *values) double(key string) float64 {
	f, _ := strconv.ParseFloat(v.byKey[key], 64) // checked by set
	return f
}

// readFile takes config.yaml. An empty file is fine; an unknown key is named
// in a warning, a value of the wrong type is an Error.
func (v *values) readFile(path string, content []byte) error {
	var doc yaml.MapSlice
	if err := yaml.Unmarshal(content, &doc); err != nil {
		return Error(fmt.Sprintf("config file %s: %s", path, oneLine(yaml.FormatError(err, false, false))))
	}
	for _, item := range doc {
		key, ok := item.Key.(string)
		if !ok {
			return Error(fmt.Sprintf("config file %s: key %v is not a name", path, item.Key))
		}
		if a, ok := aliases[key]; ok {
			key = a
		}
		s, ok := v.table[key]
		if !ok {
			if !elsewhere(key) {
				v.warnings = append(v.warnings, fmt.Sprintf("config file %s: unknown key %q is ignored", path, key))
			}
			continue
		}
		if item.Value == nil {
			continue
		}
		if err := v.set(s, fileText(item.Value), "'"+key+"'"); err != nil {
			return err
		}
	}
	return nil
}

// fileText spells a YAML scalar; anything else becomes a text that no type takes.
func fileText(x any) string {
	switch y := x.(type) {
	case string:
		return y
	case bool:
		return strconv.FormatBool(y)
	case float64:
		return strconv.FormatFloat(y, 'f', -1, 64)
	case int, int64, uint64:
		return fmt.Sprint(y)
	}
	return fmt.Sprintf("%T", x)
}

// readEnviron takes the environment. An empty value counts as not set.
func (v *values) readEnviron(environ []string) error {
	env := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && value != "" {
			env[name] = unquoteEnv(value)
		}
	}
	for _, s := range settings {
		if value, ok := env[s.env]; ok && s.env != "" {
			if err := v.set(s, value, s.env); err != nil {
				return err
			}
		}
	}
	v.structured = strings.EqualFold(env["USE_STRUCTURED_LOGGING"], "true")
	v.passwordFile = env["POSTGRESQL_PASSWORD_FILE"]
	return nil
}

// unquoteEnv removes double quotes around a value and the escapes inside.
func unquoteEnv(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\"`, `"`, `\'`, "'", `\\`, `\`).Replace(s[1 : len(s)-1])
}

// set checks a value's type. name is what the caller wrote it under.
func (v *values) set(s setting, value, name string) error {
	wrong := Error(fmt.Sprintf("%s must be of type %s, not %q", name, s.kind, clip(value)))
	switch s.kind {
	case boolean:
		value = strings.ToLower(value)
		if value != "true" && value != "false" {
			return Error(fmt.Sprintf("%s must be of type boolean: true or false, not %q", name, clip(value)))
		}
	case integer, long:
		f, err := strconv.ParseFloat(value, 64)
		limit := 1e15
		if s.kind == integer {
			limit = math.MaxInt32
		}
		if err != nil || f != math.Trunc(f) || math.Abs(f) > limit {
			return wrong
		}
		value = strconv.FormatInt(int64(f), 10)
	case double:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return wrong
		}
	}
	v.byKey[s.key] = value
	return nil
}

// clip keeps an error to one short line; values may be long.
func clip(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Package setting describes what can be set, in config.yaml and in the
// environment, and holds the values. refcore/config reads them; each store
// brings the rows of its own.
package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Type of a setting's value.
type Type int

const (
	Text    Type = iota
	Boolean      // true or false
	Integer      // 32 bits
	Long
	Double
)

func (t Type) String() string {
	return [...]string{"String", "boolean", "int", "long", "double"}[t]
}

// Setting is one row: a key of config.yaml, its name in the environment, its
// type and its default.
type Setting struct {
	// Key in config.yaml; it names the setting everywhere.
	Key string
	// Env is its name in the environment; "" for none.
	Env string
	// FileEnv is the environment variable that names a file with the value, for
	// secrets; "" for none.
	FileEnv string
	// OnlyEnv: it cannot stand in config.yaml.
	OnlyEnv bool
	// Aliases are older names of the key.
	Aliases []string
	Type    Type
	Default string
	// Example is a value that is accepted and is not the default.
	Example string
	// Doc says in one line what it does.
	Doc string
	// Ignored: it is read, its type is checked, and it changes nothing here.
	Ignored bool
}

// Error is a setting that cannot be used; its text is one line that names it.
type Error string

func (e Error) Error() string { return string(e) }

// Errorf makes an Error.
func Errorf(format string, args ...any) error { return Error(fmt.Sprintf(format, args...)) }

// Values are settings as texts that fit their types.
type Values struct {
	texts map[string]string
	given map[string]bool
}

// NewValues holds the defaults of the rows.
func NewValues(rows []Setting) *Values {
	v := &Values{texts: make(map[string]string, len(rows)), given: map[string]bool{}}
	for _, s := range rows {
		v.texts[s.Key] = s.Default
	}
	return v
}

// Text is a value as it was written, or the default.
func (v *Values) Text(key string) string { return v.texts[key] }

// Trimmed is Text without blanks and control characters at either end, a CR among
// them, as the real core trims some settings.
func (v *Values) Trimmed(key string) string {
	return strings.TrimFunc(v.texts[key], func(r rune) bool { return r <= ' ' })
}

// Bool is false for a setting without a value.
func (v *Values) Bool(key string) bool { return v.texts[key] == "true" }

// Long is 0 for a setting without a value.
func (v *Values) Long(key string) int64 {
	n, _ := strconv.ParseInt(v.texts[key], 10, 64) // checked by Set
	return n
}

// Double is 0 for a setting without a value.
func (v *Values) Double(key string) float64 {
	f, _ := strconv.ParseFloat(v.texts[key], 64) // checked by Set
	return f
}

// Given says whether a value was set, be it the default's or blank.
func (v *Values) Given(key string) bool { return v.given[key] }

// Set checks a value's type and keeps it. name is what the caller wrote it
// under, for the Error.
func (v *Values) Set(s Setting, value, name string) error {
	wrong := Errorf("%s must be of type %s, not %q", name, s.Type, clip(value))
	switch s.Type {
	case Boolean:
		value = strings.ToLower(value)
		if value != "true" && value != "false" {
			return Errorf("%s must be of type boolean: true or false, not %q", name, clip(value))
		}
	case Integer, Long:
		f, err := strconv.ParseFloat(value, 64)
		limit := 1e15
		if s.Type == Integer {
			limit = math.MaxInt32
		}
		if err != nil || f != math.Trunc(f) || math.Abs(f) > limit {
			return wrong
		}
		value = strconv.FormatInt(int64(f), 10)
	case Double:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return wrong
		}
	}
	v.texts[s.Key], v.given[s.Key] = value, true
	return nil
}

// clip keeps an error to one short line; values may be long.
func clip(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return s
}

package config

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/coreproof/coreproof/internal/spelling"
	"github.com/coreproof/coreproof/refcore/setting"
)

// readFile takes config.yaml. An empty file is fine; an unknown key is named
// in a warning, a value of the wrong type is an Error.
func (b *build) readFile(all []setting.Setting, content []byte) error {
	path := b.src.File
	items, err := scalars(content)
	if err != nil {
		return setting.Errorf("config file %s: %s", path, oneLine(yaml.FormatError(err, false, false)))
	}
	byKey, known, others := map[string]setting.Setting{}, []string(nil), foreignKeys(b.src.Kinds)
	for _, s := range all {
		if s.OnlyEnv {
			continue
		}
		for _, name := range append([]string{s.Key}, s.Aliases...) {
			byKey[name], known = s, append(known, name)
		}
	}
	for _, item := range items {
		s, ok := byKey[item.key]
		switch {
		case ok && item.null:
		case ok:
			err = b.set(s, item.text, "'"+item.key+"'")
		case slices.Contains(others, item.key):
			err = b.passOver(item.key, "'"+item.key+"'", item.text)
		default:
			b.warn("config file %s: unknown key %q is ignored%s", path, item.key, meant(item.key, known))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// set keeps a value that was found under name. The same setting under two names
// of one source with two values is an Error; over another source's it wins.
func (b *build) set(s setting.Setting, value, name string) error {
	if s.Type == setting.Text && strings.HasSuffix(s.Key, "host") { // [::1] is a URI's spelling
		if inner, ok := strings.CutPrefix(value, "["); ok && strings.HasSuffix(inner, "]") {
			value = strings.TrimSuffix(inner, "]")
		}
	}
	before, had := b.v.Text(s.Key), b.names[s.Key]
	if err := b.v.Set(s, value, name); err != nil {
		return err
	}
	b.names[s.Key] = name
	if bare := strings.ToLower(strings.Trim(name, "'")); slices.Contains(s.Aliases, bare) {
		current := s.Key
		if bare != strings.Trim(name, "'") {
			current = s.Env
		}
		b.warn("%s is the old name of %s", strings.Trim(name, "'"), current)
	}
	if had == "" || before == b.v.Text(s.Key) {
		return nil
	}
	if strings.HasPrefix(had, "'") == strings.HasPrefix(name, "'") {
		return setting.Errorf("%s and %s are the same setting and differ: keep one", had, name)
	}
	b.warn("%s from the environment goes before %s of the config file", name, had)
	return nil
}

// readEnviron takes the environment. An empty value counts as not set.
func (b *build) readEnviron(all []setting.Setting) error {
	env := map[string]string{}
	for _, e := range b.src.Environ {
		name, value, ok := strings.Cut(e, "=")
		switch {
		case ok && value != "":
			env[name] = unquoteEnv(value)
		case ok && name == apiKeysVariable:
			b.warn("%s is set and empty, so callers need no key", name)
		}
	}
	var known []string
	for _, s := range all {
		if s.Env == "" {
			continue
		}
		names := []string{s.Env}
		for _, a := range s.Aliases {
			names = append(names, strings.ToUpper(a))
		}
		for _, name := range names {
			value, ok := env[name]
			if !ok {
				continue
			}
			if err := b.set(s, value, name); err != nil {
				if strings.HasPrefix(value, "tcp://") {
					b.links[s.Key] = setting.Errorf("%v; Kubernetes sets this variable for a service of that name: rename the service, or say enableServiceLinks: false", err)
					continue
				}
				return err
			}
		}
		if s.FileEnv != "" {
			names = append(names, s.FileEnv)
			if path, ok := env[s.FileEnv]; ok {
				secret, err := readSecret(s.FileEnv, path)
				if err != nil {
					return err
				}
				if err := b.set(s, secret, s.FileEnv); err != nil {
					return err
				}
			}
		}
		known = append(known, names...)
	}
	others := foreignKeys(b.src.Kinds)
	for i, key := range others {
		others[i] = strings.ToUpper(key)
		if value, ok := env[others[i]]; ok {
			if err := b.passOver(key, others[i], value); err != nil {
				return err
			}
		}
	}
	b.warnMistyped(env, known, others)
	return nil
}

// reads is the known name that a name would be read as by a person: but for case,
// underscores, the prefix SUPERTOKENS_, a plural, or an end that is missing.
func reads(name string, known []string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "_", "") }
	short := strings.TrimPrefix(plain(name), "SUPERTOKENS")
	const telling = 12 // letters of a beginning that is no other word's
	for _, k := range known {
		long := plain(k)
		if short == long || short+"S" == long || len(short) >= telling && strings.HasPrefix(long, short) {
			return k
		}
	}
	return ""
}

// warnMistyped names variables that are nearly those of settings. Most of an
// environment is other programs': only a name that nothing else explains.
func (b *build) warnMistyped(env map[string]string, known, others []string) {
	var names []string
	for name := range env {
		if !slices.Contains(known, name) && !slices.Contains(others, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		near := ""
		if len(name) >= 8 {
			near = spelling.Nearest(name, known)
		}
		if near == "" {
			near = reads(name, known)
		}
		if _, set := env[near]; near != "" && !set {
			b.warn("variable %s is not read; did you mean %s?", name, near)
		}
	}
}

// readSecret is a file's text without the newline that most editors end it with,
// and without the mark that some begin it with.
func readSecret(name, path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", setting.Errorf("%s: %v", name, err)
	}
	text := strings.TrimRight(string(bytes.TrimPrefix(content, []byte(byteOrderMark))), "\r\n")
	if strings.TrimSpace(text) == "" {
		return "", setting.Errorf("%s: the file %s is empty", name, path)
	}
	return text, nil
}

// unquoteEnv removes double quotes around a value and the escapes inside.
func unquoteEnv(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\"`, `"`, `\'`, "'", `\\`, `\`).Replace(s[1 : len(s)-1])
}

// meant is a question that ends a line about a name that is not known.
func meant(name string, known []string) string {
	if near := spelling.Nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

func (b *build) warn(format string, args ...any) {
	b.Warnings = append(b.Warnings, fmt.Sprintf(format, args...))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

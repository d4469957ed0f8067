package config_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/kinds"
)

// TestEverySetting ranges over the table: each row's example is accepted in the
// file, under each of its names, and in the environment, means the same there,
// and changes the Config, unless the row says that it is ignored.
func TestEverySetting(t *testing.T) {
	t.Parallel()
	// What a row's effect may need: nothing, or one of the connections.
	bases := []map[string]string{{}}
	byKey := map[string]setting.Setting{}
	for _, s := range config.Settings(kinds.All()) {
		if _, twice := byKey[s.Key]; twice {
			t.Errorf("%s stands twice", s.Key)
		}
		byKey[s.Key] = s
	}
	for _, k := range kinds.All() {
		for _, pick := range k.Picks {
			bases = append(bases, map[string]string{pick: byKey[pick].Example})
		}
	}
	for _, s := range config.Settings(kinds.All()) {
		t.Run(s.Key, func(t *testing.T) {
			t.Parallel()
			if s.Doc == "" || s.Example == "" || s.Example == s.Default {
				t.Fatalf("a row needs a Doc, and an Example that is not the default: %+v", s)
			}
			changed, accepted := false, map[string]error{}
			for _, base := range bases {
				before, err := loadBoth(t, base, nil)
				if err != nil {
					continue // this connection alone is not enough
				}
				var seen []config.Config
				try := func(how string, file, environ map[string]string) {
					got, err := loadBoth(t, join(base, file), environ)
					if last, tried := accepted[how]; !tried || last != nil {
						accepted[how] = err
					}
					if err != nil {
						return // e.g. two connections at once
					}
					seen = append(seen, got)
					if !reflect.DeepEqual(got, seen[0]) {
						t.Errorf("%s differs:\n%+v\n%+v", how, got, seen[0])
					}
				}
				if !s.OnlyEnv {
					for _, name := range append([]string{s.Key}, s.Aliases...) {
						try("in the file as "+name, map[string]string{name: s.Example}, nil)
					}
				}
				if s.Env != "" {
					try("in the environment", nil, map[string]string{s.Env: s.Example})
				}
				if len(seen) > 0 && !reflect.DeepEqual(seen[0], before) {
					changed = true
				}
			}
			for how, err := range accepted {
				if err != nil {
					t.Errorf("%s: %v", how, err)
				}
			}
			if changed == s.Ignored {
				t.Errorf("changes the Config: %v, ignored: %v", changed, s.Ignored)
			}
		})
	}
}

func join(a, b map[string]string) map[string]string {
	both := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			both[k] = v
		}
	}
	return both
}

// loadBoth gives a Config without what cannot be compared. The API key lets
// settings in that need one.
func loadBoth(t *testing.T, file, environ map[string]string) (config.Config, error) {
	t.Helper()
	text := ""
	if _, ok := file["api_keys"]; !ok {
		text = "api_keys: a-key-of-20-characters\n"
	}
	for k, v := range file {
		text += fmt.Sprintf("%s: %q\n", k, v)
	}
	src := config.Source{File: yamlFile(t, text), Kinds: kinds.All(), Versions: httpapi.Versions()}
	for k, v := range environ {
		src.Environ = append(src.Environ, k+"="+v)
	}
	c, err := config.Load(src)
	if err != nil {
		return config.Config{}, err
	}
	c.Kind = store.Kind{Name: c.Kind.Name}
	c.Warnings, c.File = nil, "" // each has a file of its own
	return *c, nil
}

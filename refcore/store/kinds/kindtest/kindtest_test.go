package kindtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store/kinds"
)

// TestKinds: each kind has all that the lists need, a database to test with, and
// shares no setting with another.
func TestKinds(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, k := range kinds.All() {
		if k.Name == "" || k.Open == nil || k.Configure == nil {
			t.Errorf("kind %q is incomplete: %+v", k.Name, k)
		}
		if !slices.ContainsFunc(All(), func(d Database) bool {
			return d.Kind.Name == k.Name && strings.HasSuffix(d.Environ("x"), "=x") && len(d.Environ("x")) > 2
		}) {
			t.Errorf("kind %s: no database to test with, or its Connection has no name in the environment", k.Name)
		}
		for _, key := range append([]string{k.Connection}, k.Picks...) {
			if !slices.ContainsFunc(k.Settings, func(s setting.Setting) bool { return s.Key == key }) {
				t.Errorf("kind %s: %q is no setting of it", k.Name, key)
			}
		}
		for _, s := range k.Settings {
			for _, name := range []string{s.Key, s.Env} {
				if other, taken := owner[name]; taken && name != "" {
					t.Errorf("setting %s of kind %s is also of %s", name, k.Name, other)
				}
				owner[name] = k.Name
			}
		}
	}
}

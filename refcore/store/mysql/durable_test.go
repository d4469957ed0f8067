package mysql

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
)

// TestWeakerDurability names each variable that is weaker than promised, and no
// other.
func TestWeakerDurability(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		d    durability
		want string // the names, in order
	}{
		{durability{1, 1, true}, ""},
		{durability{1, 0, false}, ""},
		{durability{3, 1, true}, ""},
		{durability{1, 0, true}, "sync_binlog=0"},
		{durability{2, 1, true}, "innodb_flush_log_at_trx_commit=2"},
		{durability{0, 100, true}, "innodb_flush_log_at_trx_commit=0 sync_binlog=100"},
	} {
		var names []string
		for _, text := range tc.d.weaker() {
			name, _, _ := strings.Cut(text, ":")
			names = append(names, name)
		}
		if got := strings.Join(names, " "); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.d, got, tc.want)
		}
	}
}

// TestWarnsOfWhatTheServerSays asks each server: it is told what its variables say.
func TestWarnsOfWhatTheServerSays(t *testing.T) {
	t.Parallel()
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			s := openOn(t, server.start(t), func(c *store.Config) { c.Warn = func(text string) { got = append(got, text) } })
			d, err := askDurability(t.Context(), s.db)
			if err != nil {
				t.Fatal(err)
			}
			if want := d.weaker(); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("warned of %q, want %q", got, want)
			}
		})
	}
}

package postgres

import (
	"net/url"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
)

// TestWeakerDurability names each setting that is weaker than promised, and no
// other.
func TestWeakerDurability(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		d    durability
		want string // the names, in order
	}{
		{durability{"on", "", "on", "on"}, ""},
		{durability{"on", "a, b", "on", "on"}, ""},
		{durability{"remote_apply", "a", "on", "on"}, ""},
		{durability{"local", "", "on", "on"}, "synchronous_commit=local"},
		{durability{"local", "a", "on", "on"}, "synchronous_commit=local"},
		{durability{"remote_write", "", "on", "on"}, ""},
		{durability{"remote_write", "a", "on", "on"}, "synchronous_commit=remote_write"},
		{durability{"on", "", "off", "off"}, "fsync=off full_page_writes=off"},
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

// TestWarnsOfWeakCommits asks a server.
func TestWarnsOfWeakCommits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ commit, want string }{{"on", ""}, {"off", ""}, {"local", "synchronous_commit=local"}} {
		var got []string
		openOn(t, func(c *store.Config) {
			c.URI += "&options=" + url.QueryEscape("-c synchronous_commit="+tc.commit)
			c.Warn = func(text string) {
				if !strings.HasPrefix(text, "fsync") && !strings.HasPrefix(text, "full_page_writes") { // a server for tests may be fast and loose
					got = append(got, text)
				}
			}
		})
		if len(got) > 1 || (len(got) == 0) != (tc.want == "") || !strings.HasPrefix(strings.Join(got, ""), tc.want) {
			t.Errorf("synchronous_commit=%s: warned of %q", tc.commit, got)
		}
	}
}

package sqlstore

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
)

// TestComplete: all tables, some, none, in small letters, and one of the real core's.
func TestComplete(t *testing.T) {
	t.Parallel()
	n := store.Config{Prefix: "P"}.Names()
	all := func(change func(map[string][]string)) map[string][]string {
		have := map[string][]string{}
		for _, c := range Needed(n) {
			have[c.Table] = append([]string{"more"}, c.Names...)
		}
		if change != nil {
			change(have)
		}
		return have
	}
	for _, tc := range []struct {
		name string
		have map[string][]string
		want bool
		err  string
	}{
		{"all", all(nil), true, ""},
		{"none", nil, false, ""},
		{"one is missing", all(func(h map[string][]string) { delete(h, n.KeyValue) }), false, ""},
		{"in small letters", all(func(h map[string][]string) {
			h[strings.ToLower(n.Session)] = h[n.Session]
			delete(h, n.Session)
		}), true, ""},
		{"the real core's keys", all(func(h map[string][]string) { h[n.DynamicKey] = []string{"app_id", "created_at_time", "value"} }), false,
			"table P_session_access_token_signing_keys has no column predecessor: another program made it, as the real core does; give this core a database of its own, or tables by x_prefix"},
		{"the real core's keys alone", map[string][]string{n.DynamicKey: {"created_at_time", "value"}}, false, "predecessor"},
		{"an old core's sessions", all(func(h map[string][]string) { h[n.Session] = []string{"session_handle", "user_id"} }), false, "no column refresh_token_hash_2"},
	} {
		got, err := Complete(n, tc.have, "x_prefix")
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && (!strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v, %v, want %v, %q", tc.name, got, err, tc.want, tc.err)
		}
	}
}

// TestNeededAreWhatStatementsName: no statement writes a column that is not listed.
func TestNeededAreWhatStatementsName(t *testing.T) {
	t.Parallel()
	texts := Texts(Tables{"session_info", "dynamic", "static", "kv"}, Dialect{})
	inserts := []string{texts.Create, texts.AddDynamicKey, texts.AddStaticKey, texts.AddValue}
	for i, c := range Needed(store.Config{}.Names()) {
		_, rest, _ := strings.Cut(inserts[i], "(")
		list, _, _ := strings.Cut(rest, ")")
		named := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r <= ' ' })
		if len(named) != len(c.Names) {
			t.Errorf("%s: %q are written, %q needed", c.Table, named, c.Names)
		}
		for _, name := range c.Names {
			if !strings.Contains(" "+strings.Join(named, " ")+" ", " "+name+" ") {
				t.Errorf("%s: %s is needed and not written", c.Table, name)
			}
		}
	}
}

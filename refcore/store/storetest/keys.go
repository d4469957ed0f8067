package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/store"
)

func dynamicKey(createdAt int64) store.Key {
	return store.Key{Value: fmt.Sprintf("public+/%d=|private+/%s=", createdAt, strings.Repeat("k", 2000)), CreatedAt: createdAt}
}

// same says whether two lists hold the same keys in the same order; dynamic
// keys have no ID to compare.
func same(a, b []store.Key) bool { return slices.Equal(a, b) }

func chainsKeys(f *fixture) {
	s := f.open()
	ctx := f.Context()
	if keys := ask(s.DynamicKeys(ctx)).or(f); len(keys) != 0 {
		f.Errorf("keys of an empty database: %v", keys)
	}
	k1, k2, k3 := dynamicKey(now), dynamicKey(now+1), dynamicKey(now+2)
	for _, tc := range []struct {
		name   string
		newest int64
		k      store.Key
		want   bool
	}{
		{"the first", 0, k1, true},
		{"another first", 0, k2, false},
		{"the first again", 0, k1, false},
		{"a second", k1.CreatedAt, k2, true},
		{"another second", k1.CreatedAt, k3, false},
		{"a third", k2.CreatedAt, k3, true},
	} {
		if ok := ask(s.AddDynamicKey(ctx, tc.newest, tc.k)).or(f); ok != tc.want {
			f.Errorf("add %s key: got %v, want %v", tc.name, ok, tc.want)
		}
	}
	if got := ask(s.DynamicKeys(ctx)).or(f); !same(got, []store.Key{k3, k2, k1}) {
		f.Errorf("dynamic keys: got %.200v, want three, newest first", got)
	}
	for _, tc := range []struct {
		before int64
		want   int
	}{{k1.CreatedAt, 0}, {k3.CreatedAt, 2}, {k3.CreatedAt, 0}} {
		if n := ask(s.DeleteDynamicKeys(ctx, tc.before)).or(f); n != tc.want {
			f.Errorf("delete keys created before %d: got %d, want %d", tc.before, n, tc.want)
		}
	}
	if got := ask(s.DynamicKeys(ctx)).or(f); !same(got, []store.Key{k3}) {
		f.Errorf("dynamic keys after the delete: got %.200v, want the third", got)
	}
	if n := ask(s.DeleteDynamicKeys(ctx, k3.CreatedAt+1)).or(f); n != 1 {
		f.Errorf("delete the last key: got %d, want 1", n)
	}
	if !ask(s.AddDynamicKey(ctx, 0, k1)).or(f) {
		f.Error("add a first key after all were deleted: got false")
	}
}

func keepsStaticKey(f *fixture) {
	s := f.open()
	ctx := f.Context()
	if keys := ask(s.StaticKeys(ctx)).or(f); len(keys) != 0 {
		f.Errorf("keys of an empty database: %v", keys)
	}
	first := store.Key{ID: "s-1", Value: dynamicKey(1).Value, CreatedAt: now}
	for _, k := range []store.Key{first, first, {ID: "s-2", Value: "other", CreatedAt: now + 1}} {
		want := k == first && len(ask(s.StaticKeys(ctx)).or(f)) == 0
		if ok := ask(s.AddStaticKey(ctx, k)).or(f); ok != want {
			f.Errorf("add static key %s: got %v, want %v", k.ID, ok, want)
		}
	}
	if got := ask(s.StaticKeys(ctx)).or(f); !same(got, []store.Key{first}) {
		f.Errorf("static keys: got %.200v, want the first", got)
	}
}

func keepsValue(f *fixture) {
	s := f.open()
	ctx := f.Context()
	for _, tc := range []struct{ name, value, want string }{
		{"refresh_token_key", "secret:one+/=", "secret:one+/="},
		{"refresh_token_key", "secret:two", "secret:one+/="},
		{"Refresh_Token_Key", "another", "another"},
		{"refresh_token_key ", "a third", "a third"},
		{"long", strings.Repeat("v", 70_000), strings.Repeat("v", 70_000)},
		{"empty", "", ""},
		{"empty", "full", ""},
	} {
		if got := ask(s.ValueOrInsert(ctx, tc.name, tc.value, now)).or(f); got != tc.want {
			f.Errorf("value %q or %q: got %q, want %q", tc.name, short(tc.value), short(got), short(tc.want))
		}
	}
}

func racesKeys(f *fixture) {
	const cores = 10
	stores := make([]store.Store, cores)
	for i := range stores {
		stores[i] = f.open(small)
	}
	ctx := f.Context()
	newest := int64(0)
	for round := range 5 {
		added := at(cores, func(i int) answer[bool] {
			k := dynamicKey(now + int64(100*round+i))
			return ask(stores[i].AddDynamicKey(ctx, newest, k))
		})
		if n := f.count("add a dynamic key", added); n != 1 {
			f.Errorf("round %d: %d of %d cores added a dynamic key, want 1", round, n, cores)
		}
		lists := at(cores, func(i int) answer[[]store.Key] { return ask(stores[i].DynamicKeys(ctx)) })
		for i, l := range lists {
			if got := l.or(f); len(got) != round+1 || !same(got, lists[0].value) {
				f.Fatalf("round %d: core %d reads %d keys, core 0 reads %d, want %d", round, i, len(got), len(lists[0].value), round+1)
			}
		}
		newest = lists[0].value[0].CreatedAt

		name := fmt.Sprint("value ", round)
		values := at(cores, func(i int) answer[string] {
			return ask(stores[i].ValueOrInsert(ctx, name, fmt.Sprint("of core ", i), now))
		})
		for i, v := range values {
			if v.or(f) != values[0].value {
				f.Errorf("round %d: core %d has the value %q, core 0 %q", round, i, v.value, values[0].value)
			}
		}
	}

	added := at(cores, func(i int) answer[bool] {
		return ask(stores[i].AddStaticKey(ctx, store.Key{ID: fmt.Sprint("s-", i), Value: "v", CreatedAt: now}))
	})
	if n := f.count("add a static key", added); n != 1 {
		f.Errorf("%d of %d cores added a static key, want 1", n, cores)
	}
	first := ask(stores[0].StaticKeys(ctx)).or(f)
	for i, s := range stores {
		if got := ask(s.StaticKeys(ctx)).or(f); len(got) != 1 || !same(got, first) {
			f.Errorf("core %d reads static keys %v, core 0 %v", i, got, first)
		}
	}
}

// small keeps ten stores from asking for a hundred connections.
func small(c *store.Config) { c.PoolSize, c.MinIdle = 2, 0 }

// count says how many calls answered true.
func (f *fixture) count(what string, all []answer[bool]) (n int) {
	f.Helper()
	for i, a := range all {
		if a.err != nil {
			f.Fatalf("%s, call %d: %v", what, i, a.err)
		}
		if a.value {
			n++
		}
	}
	return n
}

package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/refcore/store"
)

// wantSet reports where got is not want in another order, each once.
func (f *fixture) wantSet(what string, got, want []string) {
	f.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		f.Errorf("%s: got %d %.300q, want %d %.300q", what, len(got), got, len(want), want)
	}
}

// createMany inserts n sessions of one user and returns their handles.
func (f *fixture) createMany(in store.Sessions, n int, userID string, mods ...func(*store.Session)) []string {
	f.Helper()
	handles := make([]string, n)
	f.several(n, func(i int) error {
		x := session(userID)
		for _, mod := range mods {
			mod(&x)
		}
		handles[i] = x.Handle
		return in.CreateSession(f.Context(), x)
	})
	return handles
}

func expired(x *store.Session) { x.ExpiresAt = now - 1 }

func deletes(f *fixture) {
	s := f.open()
	ctx := f.Context()
	h := f.createMany(s, 8, "user")
	old := f.createMany(s, 1, "user", expired)

	for _, tc := range []struct {
		name       string
		give, want []string
	}{
		{"nothing", nil, nil},
		{"one", h[:1], h[:1]},
		{"one again", h[:1], nil},
		{"a missing one", []string{handle()}, nil},
		{"an expired one", old, old},
		{"one twice", []string{h[1], h[1]}, h[1:2]},
		{"some with duplicates, gone and missing ones", []string{h[3], h[0], h[2], handle(), h[3], h[2]}, h[2:4]},
		{"only gone ones", []string{h[0], h[1], h[2]}, nil},
	} {
		before := slices.Clone(tc.give)
		f.wantSet("delete "+tc.name, ask(s.Delete(ctx, tc.give)).or(f), tc.want)
		if !slices.Equal(before, tc.give) {
			f.Errorf("delete %s changed its input", tc.name)
		}
	}
	for i, handle := range h {
		_, err := s.Session(ctx, handle)
		if gone := errors.Is(err, store.ErrNotFound); gone != (i < 4) {
			f.Errorf("session %d of 8 after deleting the first four: %v", i, err)
		}
	}
	f.wantSet("handles after the deletes", ask(s.Handles(ctx, "user", now)).or(f), h[4:])

	// More than any store's number of parameters a statement need be good for.
	many := f.createMany(s, 30, "many")
	give := make([]string, 0, 2500)
	for i := range 2470 {
		give = append(give, fmt.Sprintf("missing-%d", i))
	}
	for i, h := range many { // spread over the whole list
		give = slices.Insert(give, i*80, h)
	}
	f.wantSet("delete 30 among 2,500", ask(s.Delete(ctx, give)).or(f), many)
	f.wantSet("handles after it", ask(s.Handles(ctx, "many", 0)).or(f), nil)
}

func deletesByUser(f *fixture) {
	s := f.open()
	ctx := f.Context()
	f.wantSet("delete by a user without sessions", ask(s.DeleteByUser(ctx, "nobody", now)).or(f), nil)

	bystanders := f.createMany(s, 3, "bystander")
	for _, n := range []int{1, 11, 200, 1000} { // 50, 100 and 101 are other people's page sizes
		user := fmt.Sprint("user of ", n)
		live := f.createMany(s, n, user)
		old := f.createMany(s, 2, user, expired)
		f.wantSet("handles of the "+user, ask(s.Handles(ctx, user, now)).or(f), live)
		f.wantSet("delete by the "+user, ask(s.DeleteByUser(ctx, user, now)).or(f), live)
		f.wantSet("live ones after it", ask(s.Handles(ctx, user, now)).or(f), nil)
		f.wantSet("expired ones after it", ask(s.Handles(ctx, user, 0)).or(f), old)
		f.wantSet("the same again", ask(s.DeleteByUser(ctx, user, now)).or(f), nil)
		f.wantSet("expired ones too", ask(s.DeleteByUser(ctx, user, 0)).or(f), old)
	}
	f.wantSet("the bystander's", ask(s.Handles(ctx, "bystander", 0)).or(f), bystanders)
}

func deletesExpired(f *fixture) {
	s := f.open()
	ctx := f.Context()
	live := f.createMany(s, 3, "user")
	f.createMany(s, 25, "user", expired)
	for _, tc := range []struct{ limit, want int }{{0, 0}, {10, 10}, {10, 10}, {10, 5}, {10, 0}} {
		if n := ask(s.DeleteExpired(ctx, now, tc.limit)).or(f); n != tc.want {
			f.Errorf("delete expired, at most %d: got %d, want %d", tc.limit, n, tc.want)
		}
	}
	f.wantSet("what is left", ask(s.Handles(ctx, "user", 0)).or(f), live)
}

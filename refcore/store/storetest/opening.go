package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

func countsStatements(f *fixture) {
	s := f.open()
	ctx := f.Context()
	x := session("user")
	missing := handle()
	rotation := store.Rotation{Expect: x.RefreshHash2, RefreshHash2: x.RefreshHash2, ExpiresAt: x.ExpiresAt}
	if n := s.Statements(); n != 0 {
		f.Errorf("statements after open: got %d, want 0", n)
	}
	for _, tc := range []struct {
		name string
		want uint64
		call func() error
	}{
		{"ping", 0, func() error { return s.Ping(ctx) }},
		{"create", 1, func() error { return s.CreateSession(ctx, x) }},
		{"create again", 1, func() error { return expect(store.ErrExists, s.CreateSession(ctx, x)) }},
		{"session", 1, func() error { return second(s.Session(ctx, x.Handle)) }},
		{"liveness", 1, func() error { return second(s.Liveness(ctx, x.Handle)) }},
		{"liveness of a missing one", 1, func() error { return expect(store.ErrNotFound, second(s.Liveness(ctx, missing))) }},
		{"rotate", 1, func() error { return second(s.Rotate(ctx, x.Handle, rotation)) }},
		{"rotate a missing one", 1, func() error { return second(s.Rotate(ctx, missing, rotation)) }},
		{"set data", 1, func() error { return second(s.SetData(ctx, x.Handle, x.Data, now)) }},
		{"set payload", 1, func() error { return second(s.SetPayload(ctx, x.Handle, x.Payload, now)) }},
		{"handles", 1, func() error { return second(s.Handles(ctx, "user", now)) }},
		{"delete one", 1, func() error { return second(s.Delete(ctx, []string{x.Handle})) }},
		{"delete a missing one", 1, func() error { return second(s.Delete(ctx, []string{x.Handle})) }},
		{"delete none", 0, func() error { return second(s.Delete(ctx, nil)) }},
	} {
		before := s.Statements()
		if err := tc.call(); err != nil {
			f.Fatalf("%s: %v", tc.name, err)
		}
		if got := s.Statements() - before; got != tc.want {
			f.Errorf("%s: got %d statements, want %d", tc.name, got, tc.want)
		}
	}

	// Beyond these the number is the store's own affair; it is logged so that a
	// change of cost shows.
	f.createMany(s, 50, "user")
	for _, n := range []int{10, 40} {
		handles := ask(s.Handles(ctx, "user", now)).or(f)[:n]
		before := s.Statements()
		ask(s.Delete(ctx, handles)).or(f)
		f.Logf("delete %d handles: %d statements", n, s.Statements()-before)
	}
	f.createMany(s, 50, "user")
	before := s.Statements()
	ask(s.DeleteByUser(ctx, "user", now)).or(f)
	f.Logf("delete by user, 50 sessions: %d statements", s.Statements()-before)
}

func second[T any](_ T, err error) error { return err }

func expect(want, got error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("got %v, want %w", got, want)
	}
	return nil
}

// calls are all methods of a store on a session that may be there.
func calls(s store.Store, x store.Session) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"create session": func(ctx context.Context) error { return s.CreateSession(ctx, session("new")) },
		"session":        func(ctx context.Context) error { return second(s.Session(ctx, x.Handle)) },
		"liveness":       func(ctx context.Context) error { return second(s.Liveness(ctx, x.Handle)) },
		"rotate": func(ctx context.Context) error {
			return second(s.Rotate(ctx, x.Handle, store.Rotation{Expect: x.RefreshHash2, RefreshHash2: x.RefreshHash2, ExpiresAt: x.ExpiresAt}))
		},
		"set data":            func(ctx context.Context) error { return second(s.SetData(ctx, x.Handle, x.Data, now)) },
		"set payload":         func(ctx context.Context) error { return second(s.SetPayload(ctx, x.Handle, x.Payload, now)) },
		"handles":             func(ctx context.Context) error { return second(s.Handles(ctx, x.UserID, now)) },
		"delete one":          func(ctx context.Context) error { return second(s.Delete(ctx, []string{x.Handle})) },
		"delete two":          func(ctx context.Context) error { return second(s.Delete(ctx, []string{x.Handle, handle()})) },
		"delete by user":      func(ctx context.Context) error { return second(s.DeleteByUser(ctx, x.UserID, now)) },
		"delete expired":      func(ctx context.Context) error { return second(s.DeleteExpired(ctx, now, 10)) },
		"dynamic keys":        func(ctx context.Context) error { return second(s.DynamicKeys(ctx)) },
		"add dynamic key":     func(ctx context.Context) error { return second(s.AddDynamicKey(ctx, 0, dynamicKey(now))) },
		"static keys":         func(ctx context.Context) error { return second(s.StaticKeys(ctx)) },
		"add static key":      func(ctx context.Context) error { return second(s.AddStaticKey(ctx, store.Key{ID: "s-1"})) },
		"delete dynamic keys": func(ctx context.Context) error { return second(s.DeleteDynamicKeys(ctx, 1)) },
		"value or insert":     func(ctx context.Context) error { return second(s.ValueOrInsert(ctx, "name", "value", now)) },
		"ping":                s.Ping,
	}
}

func heedsDeadlines(f *fixture) {
	s := f.open()
	x := f.create(s, session("user"))
	late, cancelLate := context.WithDeadline(f.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	cancelled, cancel := context.WithCancel(f.Context())
	cancel()
	for name, call := range calls(s, x) {
		for why, ctx := range map[error]context.Context{context.DeadlineExceeded: late, context.Canceled: cancelled} {
			err := call(ctx)
			if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrExists) {
				f.Errorf("%s with %v: got %v, want an error of its own", name, why, err)
			}
		}
	}
	if got := ask(s.Session(f.Context(), x.Handle)).or(f); !reflect.DeepEqual(got, x) {
		f.Errorf("after calls that were late from the start: got %+v, want %+v", got, x)
	}
}

func sharesOneConnection(f *fixture) {
	s := f.open(func(c *store.Config) { c.PoolSize, c.MinIdle, c.StatementTimeout = 1, 0, bound })
	ctx := f.Context()
	f.several(50, func(i int) error {
		x := session(fmt.Sprint("user ", i))
		if err := s.CreateSession(ctx, x); err != nil {
			return err
		}
		for name, call := range calls(s, x) {
			switch name {
			case "delete one", "delete two", "delete by user", "delete dynamic keys":
				continue
			}
			if err := call(ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		other := session(x.UserID)
		if err := s.CreateSession(ctx, other); err != nil {
			return err
		}
		if gone, err := s.Delete(ctx, []string{x.Handle, other.Handle}); err != nil || len(gone) != 2 {
			return fmt.Errorf("delete two: got %q, %w", gone, err)
		}
		return second(s.DeleteByUser(ctx, x.UserID, now))
	})
}

func opensAtOnce(f *fixture) {
	const cores = 10
	stores := at(cores, func(int) answer[store.Store] {
		cfg := f.config
		small(&cfg)
		return ask(f.backend.Open(f.Context(), cfg))
	})
	for i, a := range stores {
		if a.err != nil {
			f.Errorf("core %d: open: %v", i, a.err)
			continue
		}
		f.Cleanup(func() { _ = a.value.Close() })
	}
	if f.Failed() {
		f.FailNow()
	}
	x := f.create(stores[0].value, session("user"))
	for i, a := range stores {
		if got := ask(a.value.Session(f.Context(), x.Handle)).or(f); !reflect.DeepEqual(got, x) {
			f.Errorf("core %d reads %+v, want %+v", i, got, x)
		}
	}
}

func reopens(f *fixture) {
	ctx := f.Context()
	first := ask(f.backend.Open(ctx, f.config)).or(f)
	x := f.create(first, session("user"))
	ask(first.AddDynamicKey(ctx, 0, dynamicKey(now))).or(f)
	if err := first.Close(); err != nil {
		f.Fatalf("close: %v", err)
	}
	if _, err := first.Liveness(ctx, x.Handle); err == nil || errors.Is(err, store.ErrNotFound) {
		f.Errorf("liveness after close: got %v, want an error", err)
	}
	again := f.open()
	if got := ask(again.Session(ctx, x.Handle)).or(f); !reflect.DeepEqual(got, x) {
		f.Errorf("after opening again: got %+v, want %+v", got, x)
	}
	if got := ask(again.DynamicKeys(ctx)).or(f); !same(got, []store.Key{dynamicKey(now)}) {
		f.Errorf("dynamic keys after opening again: %.200v", got)
	}
}

func keepsNamesApart(f *fixture) {
	ctx := f.Context()
	stores := map[string]store.Store{
		"plain":          f.open(small),
		"prefix a":       f.open(small, func(c *store.Config) { c.Prefix = "a" }),
		"prefix b":       f.open(small, func(c *store.Config) { c.Prefix = "b" }),
		"prefix quoted":  f.open(small, func(c *store.Config) { c.Prefix = "we'ird\"`; %s-?" }),
		"tables renamed": f.open(small, func(c *store.Config) { c.SessionTable, c.KeyValueTable = "logins", "constants" }),
	}
	for name, s := range stores {
		x := session("user")
		x.Handle, x.UserID = "same handle", "same user"
		x.Data = fmt.Appendf(nil, "%q", name)
		f.create(s, x)
		ask(s.ValueOrInsert(ctx, "same name", name, now)).or(f)
		ok := ask(s.AddDynamicKey(ctx, 0, store.Key{Value: name, CreatedAt: now})).or(f)
		// Renaming the session table leaves the keys shared, which have no option.
		if !ok && name != "plain" && name != "tables renamed" {
			f.Errorf("%s: has another's dynamic key", name)
		}
	}
	for name, s := range stores {
		got := ask(s.Session(ctx, "same handle")).or(f)
		if string(got.Data) != fmt.Sprintf("%q", name) {
			f.Errorf("%s: reads the session of %s", name, got.Data)
		}
		if v := ask(s.ValueOrInsert(ctx, "same name", "other", now)).or(f); v != name {
			f.Errorf("%s: reads the value of %s", name, v)
		}
		f.wantSet(name+": delete two", ask(s.Delete(ctx, []string{"same handle", "other"})).or(f), []string{"same handle"})
		x := session("same user")
		x.Handle = "same handle"
		f.create(s, x)
		f.wantSet(name+": delete by user", ask(s.DeleteByUser(ctx, "same user", now)).or(f), []string{"same handle"})
	}
	if a, b := ask(stores["plain"].DynamicKeys(ctx)).or(f), ask(stores["tables renamed"].DynamicKeys(ctx)).or(f); !same(a, b) {
		f.Errorf("a renamed session table parted the keys: %v and %v", a, b)
	}
}

// Package storetest is the contract of store.Store as tests. Each store's own
// tests call Run; so should a new store's.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// Backend is a kind of database under test.
type Backend struct {
	// Open is the store's own.
	Open func(ctx context.Context, cfg store.Config) (store.Store, error)
	// Fresh returns the configuration of a new, empty database, removed when the
	// test ends. Opening it again, also with other names, opens the same database.
	Fresh func(t *testing.T) store.Config
	// Private says that two stores never see the same data, as in memory; what
	// needs two of them is skipped then.
	Private bool
	// Odd are handles that the store cannot hold. Whatever is asked about them,
	// they are not there.
	Odd []string
}

// Run checks every sentence of store.go. The tests are parallel; each has a
// database of its own.
func Run(t *testing.T, b Backend) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.shared && b.Private {
				t.Skip("this store shares its data with no other")
			}
			c.run(&fixture{T: t, backend: b, config: b.Fresh(t)})
		})
	}
}

// RunSome checks what needs one store at a time, for databases behind something
// that bounds their connections.
func RunSome(t *testing.T, b Backend) {
	for _, c := range contract {
		if c.shared {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(&fixture{T: t, backend: b, config: b.Fresh(t)}) })
	}
}

var contract = []struct {
	name   string
	shared bool // needs two stores on one database
	run    func(f *fixture)
}{
	{"a session reads back as written", false, readsBack},
	{"payloads up to 1 MiB survive byte for byte", false, keepsPayloads},
	{"user ids are compared byte for byte", false, tellsUsersApart},
	{"handles are compared byte for byte", false, tellsHandlesApart},
	{"odd handles are not found", false, oddHandles},
	{"rotate replaces what it expects", false, rotates},
	{"updates replace one column of a live session", false, updates},
	{"expiry has the boundaries documented", false, expires},
	{"delete returns what it deleted", false, deletes},
	{"delete by user takes all of them", false, deletesByUser},
	{"delete expired takes at most limit", false, deletesExpired},
	{"statements are counted", false, countsStatements},
	{"a deadline is an error, never not found", false, heedsDeadlines},
	{"a pool of one serves fifty callers", false, sharesOneConnection},
	{"dynamic keys form one chain", false, chainsKeys},
	{"the first static key stays", false, keepsStaticKey},
	{"the first value stays", false, keepsValue},
	{"names keep deployments apart", true, keepsNamesApart},
	{"a second open finds the data", true, reopens},
	{"ten stores open an empty database at once", true, opensAtOnce},
	{"ten stores create keys at once", true, racesKeys},
	{"a delete is seen by every store at once", true, deletesAtOnce},
	{"no write brings a deleted session back", true, staysDeleted},
	{"writes beside each other all succeed", true, writesBeside},
	{"one of many deletes gets the handle", true, deletesOnce},
	{"overlapping deletes neither fail nor repeat", true, deletesOverlapping},
	{"one of many rotations wins", true, rotatesOnce},
	{"delete by user beside logins", true, deletesBesideLogins},
}

// fixture is one test with its database.
type fixture struct {
	*testing.T
	backend Backend
	config  store.Config
}

// open opens the test's database, with the configuration changed by mods.
func (f *fixture) open(mods ...func(*store.Config)) store.Store {
	f.Helper()
	cfg := f.config
	for _, mod := range mods {
		mod(&cfg)
	}
	s, err := f.backend.Open(f.Context(), cfg)
	if err != nil {
		f.Fatalf("open: %v", err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Errorf("close: %v", err)
		}
	})
	return s
}

// create inserts s.
func (f *fixture) create(in store.Sessions, s store.Session) store.Session {
	f.Helper()
	if err := in.CreateSession(f.Context(), s); err != nil {
		f.Fatalf("create session %q of %q: %v", short(s.Handle), short(s.UserID), err)
	}
	return s
}

// answer is what a store's method returned.
type answer[T any] struct {
	value T
	err   error
}

func ask[T any](value T, err error) answer[T] { return answer[T]{value, err} }

// or is the value; an error ends the test.
func (a answer[T]) or(f *fixture) T {
	f.Helper()
	if a.err != nil {
		f.Fatalf("unexpected error: %v", a.err)
	}
	return a.value
}

// now is the tests' time; no store looks at a clock.
const now int64 = 1_700_000_000_000

// session is a live one with a handle of its own.
func session(userID string) store.Session {
	return store.Session{
		Handle:       handle(),
		UserID:       userID,
		RefreshHash2: hash("first"),
		Data:         []byte(`{"in":"database"}`),
		Payload:      []byte(`{"in":"token"}`),
		CreatedAt:    now - 1000,
		ExpiresAt:    now + 100_000,
	}
}

// handle has the form of a UUID.
func handle() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// hash is 64 characters long, as a real one.
func hash(name string) string { return strings.Repeat("0", 64-len(name)) + name }

// at starts n calls of f at once, from a barrier, and waits for all.
func at[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			results[i] = f(i)
		}()
	}
	close(start)
	wg.Wait()
	return results
}

// several runs do for 0 to n-1, twenty at a time; an error ends the test.
func (f *fixture) several(n int, do func(i int) error) {
	f.Helper()
	slots := make(chan struct{}, 20)
	errs := at(n, func(i int) error {
		slots <- struct{}{}
		defer func() { <-slots }()
		return do(i)
	})
	if err := errors.Join(errs...); err != nil {
		f.Fatal(err)
	}
}

func short(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%s… (%d bytes)", s[:40], len(s))
	}
	return s
}

// bound is far above what a test's statement takes and far below the test's
// own time-out.
const bound = 30 * time.Second

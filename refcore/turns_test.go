package refcore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// waiting is how many calls have or want the turn of a handle.
func (t *turns) waiting(handle string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.by[handle]; x != nil {
		return x.users
	}
	return 0
}

func settle(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestTurns: one at a time for a handle, others are not held up, waiting obeys
// the caller's context, and nothing is kept.
func TestTurns(t *testing.T) {
	t.Parallel()
	var all turns
	give, err := all.take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := all.take(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.take(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up: %v", err)
	}
	var wg sync.WaitGroup
	inside, most := 0, 0
	for range 50 {
		wg.Go(func() {
			give, err := all.take(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			inside++ // the race detector looks as well
			most = max(most, inside)
			inside--
			give(nil)
		})
	}
	settle(t, "all wait", func() bool { return all.waiting("a") == 51 })
	give(nil)
	wg.Wait()
	if most != 1 || len(all.by) != 0 {
		t.Errorf("%d at once, want 1; %d handles kept, want none", most, len(all.by))
	}
}

// TestTurnsOfAFailedDatabase: those that wait share its error, those that come
// later ask for themselves.
func TestTurnsOfAFailedDatabase(t *testing.T) {
	t.Parallel()
	var all turns
	give, err := all.take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	down := errors.New("down")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := all.take(t.Context(), "a"); !errors.Is(err, down) {
				t.Errorf("%v, want that the database is down", err)
			}
		})
	}
	settle(t, "all wait", func() bool { return all.waiting("a") == 21 })
	give(down)
	wg.Wait()
	if len(all.by) != 0 {
		t.Errorf("%d handles kept", len(all.by))
	}
	if give, err = all.take(t.Context(), "a"); err != nil {
		t.Errorf("a later call: %v", err)
	} else {
		give(nil)
	}
}

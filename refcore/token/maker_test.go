package token

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestMakerMakesOneForAll: of many that want a key at once one makes it.
func TestMakerMakesOneForAll(t *testing.T) {
	t.Parallel()
	m := newMaker()
	var made atomic.Int64
	wanted := func() bool { return made.Load() == 0 }
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := m.run(t.Context(), wanted, func(context.Context) error { made.Add(1); return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d keys", made.Load())
	}
}

// TestMakerRemembersAFailure: who waited for an attempt that failed, or comes just
// after it, gets its error and makes none; but not that of a caller who went away.
func TestMakerRemembersAFailure(t *testing.T) {
	t.Parallel()
	always := func() bool { return true }
	m := newMaker()
	var tried atomic.Int64
	fail := func(context.Context) error { tried.Add(1); return errDown }
	m.busy <- struct{}{} // all wait
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := m.run(t.Context(), always, fail); !errors.Is(err, errDown) {
				t.Error(err)
			}
		})
	}
	began := time.Now()
	<-m.busy
	wg.Wait()
	if most := 1 + int64(time.Since(began)/failureRest); tried.Load() > most {
		t.Errorf("%d attempts, want at most %d", tried.Load(), most)
	}

	m = newMaker()
	ctx, cancel := context.WithCancel(t.Context())
	err := m.run(ctx, always, func(ctx context.Context) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || m.resting() != nil {
		t.Errorf("%v, remembered as %v", err, m.resting())
	}
	if err := m.run(ctx, always, fail); err == nil {
		t.Error("a caller that went away waited for nothing and got no error")
	}
}

// TestNoKeyIsMadeWithoutADatabase: an RSA key that cannot be stored costs a core
// that is in trouble as much as hundreds of calls.
func TestNoKeyIsMadeWithoutADatabase(t *testing.T) {
	t.Parallel()
	m := &sharedKeys{}
	var now atomic.Int64
	now.Store(keysNow)
	r := ringAt(t, m, now.Load)
	now.Add(2 * time.Hour.Milliseconds()) // the key may not sign any more
	m.down.Store(true)
	before, began := m.reads.Load(), time.Now()
	for range 100 {
		if _, err := r.Signer(t.Context(), false); !errors.Is(err, errDown) {
			t.Fatalf("sign without a database: %v", err)
		}
	}
	if most, got := 1+int64(time.Since(began)/failureRest), m.reads.Load()-before; got > most {
		t.Errorf("%d reads, want at most %d", got, most)
	}
	if m.added.Load() != 2 {
		t.Errorf("%d keys were to be stored, want the first two", m.added.Load())
	}
	m.down.Store(false)
	wait(t, "a new key signs", func() bool {
		k, err := r.Signer(t.Context(), false)
		return err == nil && k.CreatedAt == now.Load()
	})
	if m.added.Load() != 3 {
		t.Errorf("%d keys were to be stored, want one more", m.added.Load())
	}
}

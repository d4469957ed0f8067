package protocol_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// TestThrottleBoundsTheAverage, however many callers there are at once, and saves
// nothing up.
func TestThrottleBoundsTheAverage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := protocol.NewThrottle(100)
		began := time.Now()
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for range 5 {
					if err := l.Wait(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		callers.Wait()
		if d := time.Since(began); d < 390*time.Millisecond || d > 410*time.Millisecond {
			t.Errorf("40 calls at 100/s took %s", d)
		}
		time.Sleep(time.Minute)
		began = time.Now()
		for range 3 {
			if err := l.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(began); d < 19*time.Millisecond {
			t.Errorf("three calls after a pause took %s: time was saved up", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Wait(ctx); err == nil {
			t.Error("a cancelled call waited for its turn")
		}
	})
}

// TestV1PrepaidCallsDoNotWait: calls that must meet are paid for beforehand, and the
// average holds all the same.
func TestV1PrepaidCallsDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := protocol.NewThrottle(30)
		began := time.Now()
		for range 10 {
			ctx, err := l.Prepay(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			sent := time.Now()
			for range 2 {
				if err := l.Wait(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if d := time.Since(sent); d != 0 {
				t.Errorf("two prepaid calls were %s apart", d)
			}
		}
		if d := time.Since(began); d < 620*time.Millisecond {
			t.Errorf("20 calls at 30/s took %s", d)
		}
		ctx, err := l.Prepay(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Wait(ctx)
		sent := time.Now()
		if _ = l.Wait(ctx); time.Since(sent) == 0 {
			t.Error("a call beyond those that were paid for did not wait")
		}
	})
}

// TestNoThrottle bounds nothing.
func TestNoThrottle(t *testing.T) {
	t.Parallel()
	var l *protocol.Throttle
	if err := l.Wait(t.Context()); err != nil || l.Hz() != 0 {
		t.Error(err, l.Hz())
	}
	if ctx, err := l.Prepay(t.Context(), 5); err != nil || ctx != t.Context() {
		t.Error(err)
	}
}

package target

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRateCapSpacesRequests, however many callers there are at once.
func TestRateCapSpacesRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const gap = 10 * time.Millisecond
		var mu sync.Mutex
		var sent []time.Time
		l := &limited{gap: gap, next: roundTrip(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, time.Now())
			return &http.Response{}, nil
		})}
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for range 5 {
					if _, err := l.RoundTrip(&http.Request{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		callers.Wait()
		if len(sent) != 40 {
			t.Fatalf("%d requests went out, want 40", len(sent))
		}
		for i := range sent[1:] {
			if d := sent[i+1].Sub(sent[i]); d < gap {
				t.Errorf("request %d came %s after the one before, want %s", i+1, d, gap)
			}
		}
		time.Sleep(time.Minute) // what was not used is not saved up
		before := time.Now()
		for range 3 {
			if _, err := l.RoundTrip(&http.Request{}); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(before); d != 2*gap {
			t.Errorf("three requests after a pause took %s, want %s", d, 2*gap)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.RoundTrip((&http.Request{}).WithContext(ctx)); err == nil {
			t.Error("a cancelled request waited for its turn and went out")
		}
	})
}

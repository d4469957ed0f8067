package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
)

// Callers is how many calls a check has under way at once when nothing else is said.
const Callers = 8

// guarded calls f and turns a panic into an error, for a check that breaks must
// not take the run with it.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// Each calls f for 0 … n−1, at most workers at a time, and joins the errors.
// After the first error no further call is begun.
func Each(ctx context.Context, n, workers int, f func(ctx context.Context, i int) error) error {
	var (
		mu   sync.Mutex
		errs []error
		next int
		wg   sync.WaitGroup
	)
	for range min(n, workers) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= n || len(errs) > 0 || ctx.Err() != nil
				mu.Unlock()
				if stop {
					return
				}
				if err := guarded(func() error { return f(ctx, i) }); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if len(errs) == 0 {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

// AtOnce starts all functions at the same moment and waits for all.
func AtOnce(ctx context.Context, runners ...func(ctx context.Context) error) error {
	start := make(chan struct{})
	errs := make([]error, len(runners))
	var ready, done sync.WaitGroup
	for i, f := range runners {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = guarded(func() error { return f(ctx) })
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errors.Join(errs...)
}

// Pause waits, or returns ctx's error when it ends before.
func Pause(ctx context.Context, d time.Duration) error { return pause.For(ctx, d) }

// Millis prints a time in milliseconds.
func Millis(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

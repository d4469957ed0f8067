package protocol

import (
	"context"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// Throttle bounds the average of calls per second to a core. It stands before a
// call's clock and never between a barrier and its calls: calls that must be sent
// at the same moment are paid for beforehand. A nil Throttle bounds nothing.
type Throttle struct {
	limit *rate.Limiter
	hz    float64
}

// NewThrottle bounds to hz calls per second on average.
func NewThrottle(hz float64) *Throttle {
	return &Throttle{limit: rate.NewLimiter(rate.Limit(hz), 1), hz: hz}
}

// Hz is the bound, calls per second; 0 for none.
func (t *Throttle) Hz() float64 {
	if t == nil {
		return 0
	}
	return t.hz
}

type prepaidKey struct{}

// Wait returns when one call may be sent: at once where it was prepaid.
func (t *Throttle) Wait(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if left, ok := ctx.Value(prepaidKey{}).(*atomic.Int64); ok && left.Add(-1) >= 0 {
		return nil
	}
	return t.limit.Wait(ctx)
}

// Prepay waits until n calls are paid for and gives a context under which n calls
// do not wait: they can be sent at the same moment, and the average holds.
func (t *Throttle) Prepay(ctx context.Context, n int) (context.Context, error) {
	if t == nil {
		return ctx, nil
	}
	for range n {
		if err := t.limit.Wait(ctx); err != nil {
			return ctx, err
		}
	}
	left := new(atomic.Int64)
	left.Store(int64(n))
	return context.WithValue(ctx, prepaidKey{}, left), nil
}

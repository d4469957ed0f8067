package token

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// failureRest is how long a failure to make a key stands for those who ask next:
// each would wait for the same database.
const failureRest = time.Second

// maker makes signing keys of one kind, for one caller at a time: an RSA key takes
// as long as hundreds of verifies.
type maker struct {
	busy chan struct{} // a channel, so that waiting obeys a context
	last atomic.Pointer[failure]
}

type failure struct {
	at  time.Time
	err error
}

func newMaker() maker { return maker{busy: make(chan struct{}, 1)} }

// resting is the error of an attempt that failed just now; nil for none.
func (m *maker) resting() error {
	if f := m.last.Load(); f != nil && time.Since(f.at) < failureRest {
		return f.err
	}
	return nil
}

// run lets add make a key if, when it is this caller's turn, one is still wanted
// and no attempt has just failed.
func (m *maker) run(ctx context.Context, wanted func() bool, add func(context.Context) error) error {
	select {
	case m.busy <- struct{}{}:
		defer func() { <-m.busy }()
	case <-ctx.Done():
		return fmt.Errorf("wait for a new signing key: %w", ctx.Err())
	}
	if !wanted() {
		return nil
	}
	if err := m.resting(); err != nil {
		return err
	}
	err := add(ctx)
	switch {
	case err == nil:
		m.last.Store(nil)
	case !errors.Is(ctx.Err(), context.Canceled): // that is this caller's affair alone
		m.last.Store(&failure{time.Now(), err})
	}
	return err
}

//go:build !linux

package link

import "time"

// waiter waits for moments.
type waiter struct{}

func newWaiter() *waiter { return &waiter{} }

// until waits until t.
func (*waiter) until(t time.Time) { time.Sleep(time.Until(t)) }

func (*waiter) close() {}

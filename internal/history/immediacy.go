package history

import "time"

// Counts sums up what a history says about immediacy.
type Counts struct {
	// After are verifies invoked after some revoke of their session had been
	// answered; AfterOK those of them that succeeded.
	After, AfterOK int
	// Window is the longest time between a revoke's answer and the invocation
	// of a verify that succeeded; 0 when none did.
	Window time.Duration
	// During are verifies that overlapped a revoke that was the first to be
	// answered; either answer is right. DuringOK succeeded.
	During, DuringOK int
}

// Count counts the verifies of h by when they were invoked.
func Count(h *History) Counts {
	type span struct {
		call, answered time.Duration
		known          bool
	}
	// The revoke that was answered first decides: from then on the session is over.
	first := map[string]span{}
	for i := range h.Operations {
		o := &h.Operations[i]
		// A revoke that found nothing proves as well that the session is over.
		if o.Kind != Revoke || o.Result == Unknown {
			continue
		}
		if s, ok := first[o.Handle]; !ok || o.Return < s.answered {
			first[o.Handle] = span{call: o.Call, answered: o.Return, known: true}
		}
	}
	var c Counts
	for i := range h.Operations {
		o := &h.Operations[i]
		if o.Kind != Verify || o.Result == Unknown {
			continue
		}
		s := first[o.Handle]
		switch {
		case !s.known:
		case o.Call > s.answered:
			c.After++
			if o.Result == OK {
				c.AfterOK++
				c.Window = max(c.Window, o.Call-s.answered)
			}
		case o.Return >= s.call:
			c.During++
			if o.Result == OK {
				c.DuringOK++
			}
		}
	}
	return c
}

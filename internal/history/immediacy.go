package history

import (
	"cmp"
	"slices"
	"time"
)

// Counts sums up what a history says about immediacy.
type Counts struct {
	// Revokes are sessions with a verify after an answered revoke, Broken those of
	// them of which one succeeded.
	Revokes, Broken int
	// After are verifies invoked after some revoke of their session had been
	// answered; AfterOK those of them that succeeded.
	After, AfterOK int
	// Window is the longest time between a revoke's answer and the invocation
	// of a verify that succeeded; 0 when none did.
	Window time.Duration
	// During are verifies that overlapped a revoke that was the first to be
	// answered; either answer is right. DuringOK succeeded.
	During, DuringOK int
	// Twins are the negative control: for each first answer to a revoke, the next
	// verify of a session that nobody had begun to revoke. TwinsOK succeeded.
	Twins, TwinsOK int
}

// span is the revoke of a session that was answered first.
type span struct {
	call, answered time.Duration
	known          bool
}

// Count counts the verifies of h by when they were invoked.
func Count(h *History) Counts {
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
	after, broken := map[string]bool{}, map[string]bool{}
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
			after[o.Handle] = true
			if o.Result == OK {
				c.AfterOK++
				broken[o.Handle] = true
				c.Window = max(c.Window, o.Call-s.answered)
			}
		case o.Return >= s.call:
			c.During++
			if o.Result == OK {
				c.DuringOK++
			}
		}
	}
	c.Revokes, c.Broken = len(after), len(broken)
	c.twins(h, first)
	return c
}

// twins looks behind each revoke for a verify of a session that lives on.
func (c *Counts) twins(h *History, first map[string]span) {
	// The first begun revoke of each session, answered or not: before it the session
	// must be alive.
	begun := map[string]time.Duration{}
	var verifies []*Operation // by call
	for i := range h.Operations {
		o := &h.Operations[i]
		switch {
		case o.Kind == Revoke:
			if at, ok := begun[o.Handle]; !ok || o.Call < at {
				begun[o.Handle] = o.Call
			}
		case o.Kind == Verify && o.Result != Unknown:
			verifies = append(verifies, o)
		}
	}
	slices.SortStableFunc(verifies, func(a, b *Operation) int { return cmp.Compare(a.Call, b.Call) })
	for handle, s := range first {
		at, _ := slices.BinarySearchFunc(verifies, s.answered, func(o *Operation, t time.Duration) int {
			return cmp.Compare(o.Call, t)
		})
		for _, o := range verifies[at:min(len(verifies), at+within)] {
			if end, revoked := begun[o.Handle]; o.Handle != handle && (!revoked || o.Return < end) {
				c.Twins++
				if o.Result == OK {
					c.TwinsOK++
				}
				break
			}
		}
	}
}

// within so many verifies behind a revoke a twin is looked for.
const within = 50

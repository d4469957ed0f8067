// Package lives makes the calls of a load that are no verifies: sessions that begin, are
// refreshed and end, as those of an application do.
package lives

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/bench/population"
	"github.com/coreproof/coreproof/internal/pause"
	"github.com/coreproof/coreproof/internal/protocol"
)

// steps are what sessions go through, in turn: each begins once, is refreshed twice and
// ends once. As many begin as end, so a load leaves no more sessions than it found.
var steps = []step{begin, refresh, refresh, end}

// Requests of a call on average: every second one is a refresh, which is two.
const Requests = 1.5

type step int

const (
	begin step = iota
	// refresh and the first verify of the new token are one call: below CDI 5.6 that
	// verify writes, as the core makes the new tokens the session's (docs/spec,
	// session engine 3.4).
	refresh
	end
)

// abreast is how many of these calls are under way at the same time at most.
const abreast = 16

// pool is how many sessions are there to be refreshed and ended: twice as many as can
// be in use.
const pool = 2 * abreast

// Load is such calls at the instances of a side.
type Load struct {
	cores []protocol.Core
	check bool
	user  func(i int) string
	// open are sessions that nobody works at.
	open chan protocol.Tokens
	made atomic.Uint64 // sessions, which tells them apart
	turn atomic.Uint64 // steps that were begun, over all windows
}

// Result is what a window of them came to.
type Result struct {
	Calls int64 // answered or not
	Wrong int64 // of these, not answered or answered otherwise than OK
	Shed  int64 // of the wrong ones, turned away (generator.Sheds)
	// Example of a wrong one, one line.
	Example string
	// Achieved is the share that was sent before the window's end.
	Achieved float64
	Took     time.Duration // to the last answer
}

// New makes the sessions to work at. check is sent with verifies. A core whose sessions
// cannot be refreshed is refused.
func New(ctx context.Context, cores []protocol.Core, users population.Population, check bool) (*Load, error) {
	for _, c := range cores {
		if !protocol.Has(c, protocol.VerbRefresh) {
			return nil, fmt.Errorf("calls besides verify at %s: its sessions cannot be refreshed", c.Name())
		}
	}
	l := &Load{cores: cores, check: check, user: users.User, open: make(chan protocol.Tokens, pool+abreast)}
	for range pool {
		t, err := l.create(ctx)
		if err != nil {
			return nil, fmt.Errorf("calls besides verify: %w", err)
		}
		l.open <- t
	}
	return l, nil
}

// End ends the sessions that are open still. What fails stays, and is ended by user.
func (l *Load) End(ctx context.Context) {
	for {
		select {
		case t := <-l.open:
			_, _ = l.cores[0].Revoke(ctx, t.Session.Handle)
		default:
			return
		}
	}
}

// Paced makes n calls when they are due (generator.Moments). What is not sent before the
// window's end is given up.
func (l *Load) Paced(ctx context.Context, n int, window time.Duration, seed uint64) (Result, error) {
	due := generator.Moments(rand.New(rand.NewPCG(seed, 0x11f3)), n, window)
	var next atomic.Int64
	began := time.Now()
	end := began.Add(window)
	r, err := l.workers(ctx, func() bool {
		i := next.Add(1) - 1
		return i < int64(n) && pause.Until(ctx, began.Add(due[i])) == nil && time.Now().Before(end)
	})
	if err == nil {
		err = pause.Until(ctx, end)
	}
	r.Achieved = 1
	if n > 0 {
		r.Achieved = float64(r.Calls) / float64(n)
	}
	return r, err
}

// Busy keeps callers busy, one call after the other, for as long as the window is.
func (l *Load) Busy(ctx context.Context, window time.Duration) (Result, error) {
	end := time.Now().Add(window)
	r, err := l.workers(ctx, func() bool { return time.Now().Before(end) })
	r.Achieved = 1
	return r, err
}

// workers make calls as long as more says that there is one.
func (l *Load) workers(ctx context.Context, more func() bool) (Result, error) {
	var (
		mu  sync.Mutex
		sum Result
		wg  sync.WaitGroup
	)
	began := time.Now()
	for range abreast {
		wg.Go(func() {
			for more() && ctx.Err() == nil {
				err := l.step(ctx)
				if ctx.Err() != nil {
					return // it was cut off, and says nothing of the core
				}
				mu.Lock()
				sum.Calls++
				if err != nil {
					sum.Wrong++
					if errors.Is(err, errShed) {
						sum.Shed++
					}
					if sum.Example == "" {
						sum.Example = strings.Join(strings.Fields(err.Error()), " ")
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	sum.Took = time.Since(began)
	if err := ctx.Err(); err != nil {
		return sum, fmt.Errorf("calls besides verify: %w", err)
	}
	return sum, nil
}

// step makes the call whose turn it is. A session at which a call went wrong is left.
func (l *Load) step(ctx context.Context) error {
	n := l.turn.Add(1) - 1
	kind := steps[n%uint64(len(steps))]
	var t protocol.Tokens
	if kind != begin {
		select {
		case t = <-l.open:
		default: // calls went wrong, and what they left is used up
			kind = begin
		}
	}
	var err error
	switch kind {
	case begin:
		t, err = l.create(ctx)
	case refresh:
		t, err = l.refresh(ctx, l.core(n), t)
	default:
		r, failed := l.core(n).Revoke(ctx, t.Session.Handle)
		if err := answered(r.Reply, failed); err != nil {
			return fmt.Errorf("revoke: %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case l.open <- t:
	default: // enough are open; it stays, as one that nobody logs out of
	}
	return nil
}

// core whose turn it is.
func (l *Load) core(n uint64) protocol.Core {
	// Steps and cores have their turns apart: two cores must not get one kind each.
	return l.cores[n/uint64(len(steps))%uint64(len(l.cores))]
}

// errShed says that a core turned a call away.
var errShed = errors.New("turned away")

// answered is protocol.Answered, and tells a call that was turned away.
func answered(r protocol.Reply, err error) error {
	failed := protocol.Answered(r, err)
	if failed != nil && generator.Sheds(r.HTTPStatus) {
		return fmt.Errorf("%w: %w", errShed, failed)
	}
	return failed
}

func (l *Load) create(ctx context.Context) (protocol.Tokens, error) {
	i := int(l.made.Add(1) - 1)
	t, err := l.cores[i%len(l.cores)].Create(ctx, protocol.CreateRequest{UserID: l.user(i), Payload: population.Payload(i)})
	if err := answered(t.Reply, err); err != nil {
		return t, fmt.Errorf("create: %w", err)
	}
	return t, nil
}

// refresh exchanges the session's refresh token and uses the new access token once.
func (l *Load) refresh(ctx context.Context, at protocol.Core, old protocol.Tokens) (protocol.Tokens, error) {
	client, ok := at.(protocol.Refresher)
	if !ok {
		return old, errors.New("refresh: the client cannot")
	}
	t, err := client.Refresh(ctx, protocol.RefreshRequest{RefreshToken: old.Refresh.Value})
	if err := answered(t.Reply, err); err != nil {
		return old, fmt.Errorf("refresh: %w", err)
	}
	if t.Session.Handle == "" {
		t.Session = old.Session // some cores do not say it again
	}
	v, err := at.Verify(ctx, protocol.VerifyRequest{AccessToken: t.Access.Value, CheckDatabase: l.check})
	if err := answered(v.Reply, err); err != nil {
		return t, fmt.Errorf("verify after a refresh: %w", err)
	}
	return t, nil
}

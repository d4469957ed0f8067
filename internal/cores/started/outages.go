package started

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/cores"
)

const (
	// longest is how long an outage lasts at most. Connection pools have time-outs of up to
	// 30 s by default, and a server may have so few threads that calls take three turns.
	longest = 100 * time.Second
	// patience bounds a call to a core that can lose its database: the time after the end
	// of the outage included.
	patience = longest + 15*time.Second
	// breakWithin bounds the beginning of an outage, and its end.
	breakWithin = time.Minute
)

// Outages are shared by the checks of a run: each begins when all that still want one wait
// for it, and ends when all that they ask meanwhile has been answered, so that many checks
// wait for the time-outs of a core once.
type Outages struct {
	mu      sync.Mutex
	way     cores.Way
	wanting int // checks
	waiting []*part
	ran     int
	given   map[string]bool
}

// part is what one check does in an outage.
type part struct {
	ctx  context.Context
	kind cores.Outage
	call func(context.Context) error
	done chan struct{}

	err  error
	over time.Time
}

func (o *Outages) from(w cores.Way) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.way = w
}

// Kinds that can be had.
func (o *Outages) Kinds() []cores.Outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.way.Outages()
}

// Ran is how many there were so far.
func (o *Outages) Ran() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ran
}

// GiveUp notes that a core did not come back: nobody need wait for it again.
func (o *Outages) GiveUp(core string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.given == nil {
		o.given = map[string]bool{}
	}
	o.given[core] = true
}

// GivenUp says whether a core did not come back.
func (o *Outages) GivenUp(core string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.given[core]
}

// Expect says how many checks will want outages; each calls Leave when it has ended.
func (o *Outages) Expect(checks int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wanting += checks
}

// Leave says that a check wants none any more.
func (o *Outages) Leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wanting--
	o.beginIfAll()
}

// During makes a call while the database is away, and gives when the end of the outage
// began. It returns when the call has.
func (o *Outages) During(ctx context.Context, kind cores.Outage, call func(context.Context) error) (over time.Time, err error) {
	p := &part{ctx: ctx, kind: kind, call: call, done: make(chan struct{})}
	o.mu.Lock()
	o.waiting = append(o.waiting, p)
	o.beginIfAll()
	o.mu.Unlock()
	select {
	case <-p.done:
		return p.over, p.err
	case <-ctx.Done():
	}
	o.mu.Lock()
	i := slices.Index(o.waiting, p)
	if i >= 0 {
		o.waiting = slices.Delete(o.waiting, i, i+1)
	}
	o.mu.Unlock()
	if i >= 0 {
		return time.Time{}, ctx.Err()
	}
	<-p.done // it is under way, and its calls end with ctx
	return p.over, errors.Join(p.err, ctx.Err())
}

// beginIfAll begins an outage when all wait for one; o.mu is held.
func (o *Outages) beginIfAll() {
	if len(o.waiting) == 0 || len(o.waiting) < o.wanting {
		return
	}
	var now, later []*part
	for _, p := range o.waiting {
		if p.kind == o.waiting[0].kind {
			now = append(now, p)
		} else {
			later = append(later, p)
		}
	}
	o.waiting = later
	o.ran++
	go outage(o.way, now)
}

// outage is one, from its beginning to the end of all calls.
func outage(w cores.Way, parts []*part) {
	kind := parts[0].kind
	err := bounded(func(ctx context.Context) error { return w.Break(ctx, kind) })
	if err != nil {
		err = fmt.Errorf("take the database away (%s): %w", kind, err)
	}
	var calls sync.WaitGroup
	if err == nil {
		for _, p := range parts {
			calls.Go(func() { p.err = p.call(p.ctx) })
		}
	}
	answered := make(chan struct{})
	go func() { calls.Wait(); close(answered) }()
	most := time.NewTimer(longest)
	defer most.Stop()
	select {
	case <-answered:
	case <-most.C:
	}
	over := time.Now()
	if mendErr := bounded(w.Mend); mendErr != nil {
		err = errors.Join(err, fmt.Errorf("give the database back (%s): %w", kind, mendErr))
	}
	<-answered
	for _, p := range parts {
		p.over, p.err = over, errors.Join(p.err, err)
		close(p.done)
	}
}

func bounded(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), breakWithin)
	defer cancel()
	return f(ctx)
}

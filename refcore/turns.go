package refcore

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// turns lets calls that fight over one session change it one after the other. It
// keeps nothing of a session that nobody waits for.
type turns struct {
	mu sync.Mutex
	by map[string]*turn
}

type turn struct {
	place  chan struct{} // who has sent into it has the turn; a channel, so that waiting obeys a context
	users  int           // who has it and who waits
	broken chan struct{} // closed once the database failed whoever had it
	err    error         // how, when broken is closed
}

// longestTurn bounds waiting for the turn. With a database that answers this is
// enough for thousands of calls at once on one session.
const longestTurn = 30 * time.Second

// take waits for the turn; give passes it on. An error given to it goes to all
// that wait: each asking a frozen database in turn would take each a time-out.
func (t *turns) take(ctx context.Context, handle string) (give func(error), err error) {
	t.mu.Lock()
	x := t.by[handle]
	if x == nil {
		x = &turn{place: make(chan struct{}, 1), broken: make(chan struct{})}
		if t.by == nil {
			t.by = map[string]*turn{}
		}
		t.by[handle] = x
	}
	x.users++
	t.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	select {
	case x.place <- struct{}{}:
		select {
		case <-x.broken:
			<-x.place
			err = x.err
		default:
			return func(err error) { t.leave(handle, x, err); <-x.place }, nil
		}
	case <-x.broken:
		err = x.err
	case <-ctx.Done():
		err = fmt.Errorf("wait for other calls that change session %s: %w", handle, ctx.Err())
	}
	t.leave(handle, x, nil)
	return nil, err
}

// leave forgets the turn with the last that uses it, or with an error: who comes
// later has not waited and asks for itself.
func (t *turns) leave(handle string, x *turn, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && x.err == nil {
		x.err = err
		close(x.broken)
	}
	if x.users--; (x.users == 0 || x.err != nil) && t.by[handle] == x {
		delete(t.by, handle)
	}
}

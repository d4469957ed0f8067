package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// made is what a run made on cores.
type made struct {
	mu      sync.Mutex
	users   []string
	seen    map[string]bool
	handles []string
}

func (m *made) user(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	if !m.seen[id] {
		m.seen[id] = true
		m.users = append(m.users, id)
	}
}

func (m *made) session(handle string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handles = append(m.handles, handle)
}

// tidyFor bounds tidying where calls are not throttled.
const tidyFor = 20 * time.Second

// tidy stops cores that checks started and, where the database stays, ends the
// sessions that were made, in a version that the core speaks. It looks whether they
// are gone, and gives what is not.
func (r *run) tidy(ctx context.Context, stages []*stage) *proof.LeftBehind {
	ctx = context.WithoutCancel(ctx)
	stopping, cancel := context.WithTimeout(ctx, tidyFor)
	defer cancel()
	if err := r.started.Stop(stopping); err != nil {
		r.log.Warn("cores that checks started did not stop", "err", err)
	}
	if r.options.Target.Capabilities().Throwaway {
		return nil
	}
	r.made.mu.Lock()
	users, handles := slices.Clone(r.made.users), slices.Clone(r.made.handles)
	r.made.mu.Unlock()
	if len(users) == 0 {
		return nil
	}
	left := &proof.LeftBehind{Users: []string{r.prefix + "-*"}, Sessions: -1}
	var at *Instance
	for _, s := range stages {
		if s.lacks == nil {
			at = &s.on[0] // the newest version comes last
		}
	}
	if at == nil {
		left.Reason = "no version that was tried is spoken by the core"
		return left
	}
	calls := 2 * len(users)
	ctx, cancel = context.WithTimeout(ctx, tidyFor+r.paced(calls))
	defer cancel()
	if err := tidyAt(ctx, *at, users, handles); err != nil {
		left.Reason = proof.ShortenTokens(err.Error())
		left.Sessions = alive(ctx, *at, users)
		if left.Sessions == 0 {
			return nil
		}
		return left
	}
	if n := alive(ctx, *at, users); n != 0 {
		left.Sessions = n
		left.Reason = "the core answered OK to their revoke and lists them still"
		if n < 0 {
			left.Reason = "the core answered OK to their revoke, and its listing could not be asked"
		}
		return left
	}
	return nil
}

func tidyAt(ctx context.Context, at Instance, users, handles []string) error {
	if at.Has(protocol.VerbRevokeUser) {
		return Each(ctx, len(users), Callers, func(ctx context.Context, i int) error {
			v, err := at.RevokeUser(ctx, users[i])
			return Need(v.Reply, err, "end the sessions of "+users[i])
		})
	}
	const most = 100 // handles a call
	batches := slices.Collect(slices.Chunk(handles, most))
	return Each(ctx, len(batches), Callers, func(ctx context.Context, i int) error {
		v, err := at.Revoke(ctx, batches[i]...)
		return Need(v.Reply, err, fmt.Sprintf("end %d sessions", len(batches[i])))
	})
}

// longestListed is the longest user id, in bytes, that is asked for in a URL: servers
// refuse long ones.
const longestListed = 2000

// alive counts the sessions that are listed still; -1 when it cannot be known. A
// core that cannot list has been asked to end them and said OK.
func alive(ctx context.Context, at Instance, users []string) int {
	if !at.Has(protocol.VerbList) {
		return 0
	}
	var mu sync.Mutex
	n := 0
	if err := Each(ctx, len(users), Callers, func(ctx context.Context, i int) error {
		if len(users[i]) > longestListed {
			return nil // no URL holds it; its revoke was answered with OK
		}
		l, err := at.List(ctx, users[i])
		if err := Need(l.Reply, err, "list the sessions of "+users[i]); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		n += len(l.Handles)
		return nil
	}); err != nil {
		return -1
	}
	return n
}

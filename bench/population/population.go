// Package population makes the sessions whose tokens a load draws from, and ends them.
package population

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coreproof/coreproof/internal/protocol"
)

// abreast is how many calls are under way at the same time: enough to hide the
// database's commits, few enough not to flood a small core.
const abreast = 16

// Population is sessions of users of its own, so that they can be ended by user.
type Population struct {
	Core protocol.Core
	// Prefix of the users: they are named PREFIX-0 to PREFIX-(Users-1).
	Prefix string
	// Users over whom the sessions are spread evenly.
	Users int
}

// User is the i-th user; they come round again after Users.
func (p Population) User(i int) string { return fmt.Sprintf("%s-%d", p.Prefix, i%p.Users) }

// Pattern names all users.
func (p Population) Pattern() string { return p.Prefix + "-*" }

// Payload is what an application puts into its tokens: a few roles and a number.
func Payload(i int) map[string]any {
	return map[string]any{"role": "user", "n": i, "st-ev": map[string]any{"v": true, "t": 1700000000000 + i}}
}

// Create is Make for who needs the tokens for a short while only.
func (p Population) Create(ctx context.Context, n int, made func(sofar int)) ([]string, error) {
	tokens, _, err := p.Make(ctx, n, made)
	return tokens, err
}

// Make makes n sessions and gives their access tokens, and until when all of them are
// good, by this machine's clock; the zero time where the answers do not tell. made, if
// not nil, is told how many there are, one call at a time. The first session that cannot
// be made ends it.
func (p Population) Make(ctx context.Context, n int, made func(sofar int)) (tokens []string, until time.Time, err error) {
	tokens = make([]string, n)
	var mu sync.Mutex
	sofar := 0
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(abreast)
	for i := range n {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error {
			began := time.Now()
			t, err := p.Core.Create(inner, protocol.CreateRequest{UserID: p.User(i), Payload: Payload(i)})
			if err := protocol.Answered(t.Reply, err); err != nil {
				return fmt.Errorf("create session %d of %d: %w", i+1, n, err)
			}
			tokens[i] = t.Access.Value
			mu.Lock()
			defer mu.Unlock()
			sofar++
			if l := lifetime(t.Access); l > 0 && (until.IsZero() || began.Add(l).Before(until)) {
				until = began.Add(l)
			}
			if made != nil {
				made(sofar)
			}
			return nil
		})
	}
	if err := cmp.Or(g.Wait(), ctx.Err()); err != nil {
		return nil, time.Time{}, err
	}
	return tokens, until, nil
}

// lifetime of a token, by the clock of whoever made it, which may not be this machine's;
// 0 where it is not told.
func lifetime(t protocol.Token) time.Duration {
	if t.Expiry <= 0 || t.Created <= 0 || t.Expiry <= t.Created {
		return 0
	}
	return time.Duration(t.Expiry-t.Created) * time.Millisecond
}

// End revokes all sessions of the users. It goes on after a failure; failed says how many
// users kept theirs, by reason. ok is false where the protocol cannot end the sessions of
// a user: then all stay.
func (p Population) End(ctx context.Context) (failed map[string]int, ok bool) {
	revoker, ok := p.Core.(protocol.UserRevoker)
	if !ok {
		return nil, false
	}
	failed = map[string]int{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(abreast)
	for i := range p.Users {
		g.Go(func() error {
			r, err := revoker.RevokeUser(ctx, p.User(i))
			if err := protocol.Answered(r.Reply, err); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[err.Error()]++
			}
			return nil
		})
	}
	_ = g.Wait() // reasons are collected instead
	return failed, true
}

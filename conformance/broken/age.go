package broken

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// ageDefects: what takes its time, and what depends on what a session holds.
func ageDefects() []Defect {
	return []Defect{
		{
			Name: "old-sessions-cached", Text: "good answers about sessions older than three seconds are remembered for a second",
			CaughtBy: []string{"BL-71"},
			Decorate: cache(time.Second, func(_ context.Context, a token.Access, _ refcore.VerifyInput) string {
				if time.Since(time.UnixMilli(a.Created)) < 3*time.Second {
					return ""
				}
				return a.Handle
			}),
		},
		{
			Name: "revoke-forgotten", Text: "a revoked session is refused for three seconds and then let in again",
			CaughtBy: []string{"BL-71"},
			Decorate: forgets(3 * time.Second),
		},
		{
			Name: "revoke-forgotten-in-15s", Text: "a revoked session is refused for fifteen seconds and then let in again",
			CaughtBy: []string{"BL-73"},
			Decorate: forgets(15 * time.Second),
		},
		{
			Name: "user-revokes-forgotten-in-2s", Text: "that all sessions of a user were revoked is known for two seconds, and then they are let in again",
			CaughtBy: []string{"BL-71", "BL-73"},
			Decorate: over(func(next httpapi.Engine) engine {
				ended := &sync.Map{} // handle: when
				return engine{
					revokeUser: func(ctx context.Context, user string) ([]string, error) {
						gone, err := next.RevokeUser(ctx, user)
						for _, h := range gone {
							ended.Store(h, time.Now())
						}
						return gone, err
					},
					verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
						at, ok := ended.Load(a.Handle)
						return ok && time.Since(at.(time.Time)) > 2*time.Second
					}),
				}
			}),
		},
		{
			Name: "fails-open-when-idle", Text: "the first verify after ten seconds without one lets everybody in",
			CaughtBy: []string{"BL-73"},
			Decorate: idleOpen(10 * time.Second),
		},
		{
			Name: "sessions-with-data-stay", Text: "revoke by handle reports a session with stored data and leaves it",
			CaughtBy: []string{"BL-72"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{revoke: func(ctx context.Context, handles []string) ([]string, error) {
					var plain, told []string
					for _, h := range handles {
						s, err := next.Get(ctx, h)
						if err == nil && strings.TrimSpace(string(s.Data)) != "{}" {
							told = append(told, h)
							continue
						}
						plain = append(plain, h)
					}
					gone, err := next.Revoke(ctx, plain)
					return append(told, gone...), err
				}}
			}),
		},
		{
			Name: "long-users-not-covered", Text: "sessions of users with ids of over 64 letters are let in after a revoke",
			CaughtBy: []string{"BL-72"},
			Decorate: blind(func(a asked) bool { return len(a.access.UserID) > 64 }),
		},
		{
			Name: "double-handle-loses-the-rest", Text: "a handle that stands twice in a call keeps those after it alive",
			CaughtBy: []string{"BL-72"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{revoke: func(ctx context.Context, handles []string) ([]string, error) {
					seen := map[string]bool{}
					for i, h := range handles {
						if seen[h] {
							handles = handles[:i]
							break
						}
						seen[h] = true
					}
					return next.Revoke(ctx, handles)
				}}
			}),
		},
		{
			Name: "handles-stop-at-256", Text: "a revoke by handles ends the first 256 of them",
			CaughtBy: []string{"BL-72"}, Decorate: handlesUpTo(256),
		},
		{
			Name: "handles-stop-at-999", Text: "a revoke by handles ends the first 999 of them",
			CaughtBy: []string{"BL-72"}, Decorate: handlesUpTo(999),
		},
		{
			Name: "revokes-stop-at-10000", Text: "of revoked sessions the last 10,000 are known; those before them are let in again",
			CaughtBy: []string{"BL-72"}, Thorough: true, Decorate: remembers(10_000),
		},
		{
			Name: "users-stop-at-200", Text: "a revoke of all sessions of a user reports all of them and ends 200",
			CaughtBy: []string{"BL-72"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{revokeUser: func(ctx context.Context, user string) ([]string, error) {
					all, err := next.List(ctx, user)
					if err != nil || len(all) <= 200 {
						return next.RevokeUser(ctx, user)
					}
					_, err = next.Revoke(ctx, all[:200])
					return all, err
				}}
			}),
		},
		{
			Name: "users-stop-at-500", Text: "a revoke of all sessions of a user ends 500 of them",
			CaughtBy: []string{"BL-72"}, Decorate: userUpTo(500),
		},
		{
			Name: "users-stop-at-1000", Text: "a revoke of all sessions of a user ends 1,000 of them",
			CaughtBy: []string{"BL-72"}, Decorate: userUpTo(1000),
		},
		{
			Name: "users-stop-at-240-of-any", Text: "a revoke of all sessions of a user reports all of them and ends 240, in no order",
			CaughtBy: []string{"BL-72"}, Decorate: onRevokeUser(func(ctx context.Context, next httpapi.Engine, user string) ([]string, error) {
				all, err := next.List(ctx, user)
				if err != nil || len(all) <= 240 {
					return next.RevokeUser(ctx, user)
				}
				_, err = next.Revoke(ctx, shuffled(all)[:240])
				return all, err
			}),
		},
		{
			Name: "handles-stop-at-1000-of-any", Text: "a revoke by handles reports all of them and ends 1,000, in no order",
			CaughtBy: []string{"BL-72"}, Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				if len(handles) <= 1000 {
					return next.Revoke(ctx, handles)
				}
				_, err := next.Revoke(ctx, shuffled(handles)[:1000])
				return handles, err
			}),
		},
		{
			Name: "a-chunk-of-the-deny-list-is-lost", Text: "a revoke by over 1,000 handles ends and reports them, and the third 250 are let in for all that",
			CaughtBy: []string{"BL-72"}, Decorate: over(func(next httpapi.Engine) engine {
				let := &set{}
				return engine{
					revoke: func(ctx context.Context, handles []string) ([]string, error) {
						if len(handles) > 1000 {
							for _, h := range handles[500:750] {
								let.add(h)
							}
						}
						return next.Revoke(ctx, handles)
					},
					verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool { return let.has(a.Handle) }),
				}
			}),
		},
		{
			Name: "busy-users-partly-covered", Text: "a revoke of over 200 sessions of a user ends and reports them, and every sixteenth is let in for all that",
			CaughtBy: []string{"BL-72"}, Decorate: over(func(next httpapi.Engine) engine {
				let := &set{}
				return engine{
					revokeUser: func(ctx context.Context, user string) ([]string, error) {
						gone, err := next.RevokeUser(ctx, user)
						for i, h := range shuffled(gone) {
							if len(gone) > 200 && i%16 == 0 {
								let.add(h)
							}
						}
						return gone, err
					},
					verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool { return let.has(a.Handle) }),
				}
			}),
		},
		{
			Name: "answers-shared-in-flight", Text: "verifies of one token that are under way share an answer, also with one that came later",
			CaughtBy: []string{"BL-59"},
			Decorate: over(func(next httpapi.Engine) engine {
				var flights singleflight.Group
				return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
					if !in.CheckDatabase {
						return next.Verify(ctx, in)
					}
					v, err, _ := flights.Do(in.AccessToken, func() (any, error) {
						v, err := next.Verify(context.WithoutCancel(ctx), in)
						time.Sleep(10 * time.Millisecond)
						return v, err
					})
					return v.(refcore.Verified), err
				}}
			}),
		},
	}
}

// shuffled is a list in no order.
func shuffled(list []string) []string {
	list = slices.Clone(list)
	rand.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	return list
}

// forgets lets a revoked session in again some time after it was first refused.
func forgets(after time.Duration) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		first := &sync.Map{}
		return engine{verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
			t, _ := first.LoadOrStore(a.Handle, time.Now())
			return time.Since(t.(time.Time)) > after
		})}
	})
}

// remembers is a list of revoked sessions that holds the last n.
func remembers(n int) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		var mu sync.Mutex
		known, order := map[string]bool{}, make([]string, 0, n)
		return engine{
			revoke: func(ctx context.Context, handles []string) ([]string, error) {
				gone, err := next.Revoke(ctx, handles)
				mu.Lock()
				defer mu.Unlock()
				for _, h := range gone {
					if len(order) == n {
						known[order[0]] = false
						order = order[1:]
					}
					known[h], order = true, append(order, h)
				}
				return gone, err
			},
			verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
				mu.Lock()
				defer mu.Unlock()
				kept, told := known[a.Handle]
				return told && !kept
			}),
		}
	})
}

// idleOpen lets in as the first call after a time without any.
func idleOpen(after time.Duration) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		var last atomic.Int64
		last.Store(time.Now().UnixNano())
		return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			idle := time.Since(time.Unix(0, last.Swap(time.Now().UnixNano())))
			v, err := next.Verify(ctx, in)
			if a, bad := next.Keys().Verify(ctx, in.AccessToken); gone(err) && bad == nil && in.CheckDatabase && idle > after {
				return refcore.Verified{Session: a}, nil
			}
			return v, err
		}}
	})
}

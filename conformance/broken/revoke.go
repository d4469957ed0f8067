package broken

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// onRevoke replaces what a revoke by handles does.
func onRevoke(f func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error)) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		return engine{revoke: func(ctx context.Context, handles []string) ([]string, error) { return f(ctx, next, handles) }}
	})
}

// onRevokeUser replaces what a revoke by user does.
func onRevokeUser(f func(ctx context.Context, next httpapi.Engine, user string) ([]string, error)) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		return engine{revokeUser: func(ctx context.Context, user string) ([]string, error) { return f(ctx, next, user) }}
	})
}

func handlesUpTo(n int) serve.Decorate {
	return onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
		return next.Revoke(ctx, handles[:min(n, len(handles))])
	})
}

func userUpTo(n int) serve.Decorate {
	return onRevokeUser(func(ctx context.Context, next httpapi.Engine, user string) ([]string, error) {
		list, err := next.List(ctx, user)
		if err != nil {
			return nil, err
		}
		return next.Revoke(ctx, list[:min(n, len(list))])
	})
}

// revokeDefects: a revoke ends too little, too much, or tells it wrongly.
func revokeDefects() []Defect {
	return []Defect{
		{
			Name: "handles-stop-at-10", Text: "a revoke by handles ends ten of them",
			CaughtBy: []string{"BL-03", "BL-04"}, Decorate: handlesUpTo(10),
		},
		{
			Name: "handles-stop-at-100", Text: "a revoke by handles ends a hundred of them",
			CaughtBy: []string{"BL-04"}, Decorate: handlesUpTo(100),
		},
		{
			Name: "user-stops-at-10", Text: "a revoke by user ends ten of his sessions",
			CaughtBy: []string{"BL-05", "BL-06"}, Decorate: userUpTo(10),
		},
		{
			Name: "user-stops-at-100", Text: "a revoke by user ends a hundred of his sessions",
			CaughtBy: []string{"BL-06"}, Decorate: userUpTo(100),
		},
		{
			Name: "revoke-answers-before-it-happens", Text: "a revoke is answered 200 ms before it happens",
			CaughtBy: []string{"BL-02", "BL-05"},
			Decorate: over(func(next httpapi.Engine) engine {
				later := func(ctx context.Context, handles []string) {
					ctx = context.WithoutCancel(ctx)
					time.AfterFunc(200*time.Millisecond, func() { _, _ = next.Revoke(ctx, handles) })
				}
				return engine{
					revoke: func(ctx context.Context, handles []string) ([]string, error) {
						later(ctx, handles)
						return handles, nil
					},
					revokeUser: func(ctx context.Context, user string) ([]string, error) {
						list, err := next.List(ctx, user)
						later(ctx, list)
						return list, err
					},
				}
			}),
		},
		{
			Name: "revoke-ends-all-of-the-user", Text: "a revoke of one session ends all of its user's",
			CaughtBy: []string{"BL-15", "BL-28"},
			Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				var ended []string
				for _, h := range handles {
					s, err := next.Get(ctx, h)
					if err != nil {
						continue
					}
					more, err := next.RevokeUser(ctx, s.UserID)
					if err != nil {
						return nil, err
					}
					ended = append(ended, more...)
				}
				return ended, nil
			}),
		},
		{
			Name: "revoke-user-ends-everybody", Text: "a revoke by user ends every session there is",
			CaughtBy: []string{"BL-16"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{removeUser: func(ctx context.Context, user string, at int64) ([]string, error) {
					gone, err := next.DeleteByUser(ctx, user, at)
					var all []string
					seen.each(func(s store.Session) { all = append(all, s.Handle) })
					_, _ = next.Delete(ctx, all)
					return gone, err
				}}
			}),
		},
		{
			Name: "revoke-user-bars-the-user", Text: "a user whose sessions were all revoked cannot log in any more",
			CaughtBy: []string{"BL-17"},
			Decorate: below(func(next store.Store, seen *rows) database {
				barred := &set{}
				return database{
					removeUser: func(ctx context.Context, user string, at int64) ([]string, error) {
						barred.add(user)
						return next.DeleteByUser(ctx, user, at)
					},
					liveness: func(ctx context.Context, handle string) (store.Liveness, error) {
						if s, ok := seen.of(handle); ok && barred.has(s.UserID) {
							return store.Liveness{}, store.ErrNotFound
						}
						return next.Liveness(ctx, handle)
					},
				}
			}),
		},
		{
			Name: "revoke-of-all-from-a-remembered-list", Text: "a revoke by user ends those of his sessions that a listing of the last second held",
			CaughtBy: []string{"BL-17"},
			Decorate: below(func(next store.Store, _ *rows) database {
				type listing struct {
					list []string
					at   time.Time
				}
				kept := &sync.Map{}
				return database{
					handles: func(ctx context.Context, user string, at int64) ([]string, error) {
						list, err := next.Handles(ctx, user, at)
						if err == nil {
							kept.Store(user, listing{list, time.Now()})
						}
						return list, err
					},
					removeUser: func(ctx context.Context, user string, at int64) ([]string, error) {
						if v, ok := kept.Load(user); ok && time.Since(v.(listing).at) < time.Second {
							return next.Delete(ctx, v.(listing).list)
						}
						return next.DeleteByUser(ctx, user, at)
					},
				}
			}),
		},
		{
			Name: "second-revoke-of-all-does-nothing", Text: "a revoke by user is taken for a repetition, and does nothing, for five seconds after another one",
			CaughtBy: []string{"BL-17"},
			Decorate: over(func(next httpapi.Engine) engine {
				last := &sync.Map{}
				return engine{revokeUser: func(ctx context.Context, user string) ([]string, error) {
					if t, ok := last.Load(user); ok && time.Since(t.(time.Time)) < 5*time.Second {
						return nil, nil
					}
					last.Store(user, time.Now())
					return next.RevokeUser(ctx, user)
				}}
			}),
		},
		{
			Name: "second-revoke-reports-again", Text: "a revoke of a session that is over already reports it",
			CaughtBy: []string{"BL-27"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{remove: func(ctx context.Context, handles []string) ([]string, error) {
					_, err := next.Delete(ctx, handles)
					return slices.DeleteFunc(slices.Clone(handles), func(h string) bool { _, ok := seen.of(h); return !ok }), err
				}}
			}),
		},
		{
			Name: "unknown-handles-reported", Text: "a revoke reports all the handles that it was given",
			CaughtBy: []string{"BL-28", "BL-29", "BL-19"},
			Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				_, err := next.Revoke(ctx, handles)
				return handles, err
			}),
		},
		{
			Name: "unknown-session-is-an-error", Text: "a revoke that finds nothing is refused",
			CaughtBy: []string{"BL-29"},
			Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				got, err := next.Revoke(ctx, handles)
				if err == nil && len(got) == 0 {
					return nil, &refcore.Refused{Message: "no such session"}
				}
				return got, err
			}),
		},
		{
			Name: "revoke-by-handle-prefix", Text: "a revoke by the beginning of a handle ends the session",
			CaughtBy: []string{"BL-19"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{remove: func(ctx context.Context, handles []string) ([]string, error) {
					var found []string
					seen.each(func(s store.Session) {
						if slices.ContainsFunc(handles, func(h string) bool { return h != "" && strings.HasPrefix(s.Handle, h) }) {
							found = append(found, s.Handle)
						}
					})
					return next.Delete(ctx, append(found, handles...))
				}}
			}),
		},
	}
}

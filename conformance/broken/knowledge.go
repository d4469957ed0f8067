package broken

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// ending is what the cores of a process know of a revoke.
type ending struct {
	at      time.Time
	off     bool   // at a core whose flag is off
	version string // of the request
}

// knows makes a core that lets in a session that is over where when says so, by what is
// known of its revoke. The cores of one process tell one another. began is when the core
// was started.
func knows(when func(e ending, a asked, began time.Time) bool) serve.Decorate {
	ended := &sync.Map{} // handle: ending
	return seeing(over(func(next httpapi.Engine) engine {
		began := time.Now()
		note := func(ctx context.Context, handles []string, err error) ([]string, error) {
			for _, h := range handles {
				ended.LoadOrStore(h, ending{time.Now(), !next.Settings().Blacklisting, header(ctx, "Cdi-Version")})
			}
			return handles, err
		}
		return engine{
			revoke: func(ctx context.Context, handles []string) ([]string, error) {
				gone, err := next.Revoke(ctx, handles)
				return note(ctx, gone, err)
			},
			revokeUser: func(ctx context.Context, user string) ([]string, error) {
				gone, err := next.RevokeUser(ctx, user)
				return note(ctx, gone, err)
			},
			verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				return letsIn(next, func(in refcore.VerifyInput, a token.Access) bool {
					e, known := ended.Load(a.Handle)
					return known && when(e.(ending), asked{ctx: ctx, in: in, access: a}, began)
				})(ctx, in)
			},
		}
	}))
}

// knowledgeDefects: who is told of a revoke, and what makes him forget it.
func knowledgeDefects() []Defect {
	return []Defect{
		{
			Name: "later-cores-not-told", Text: "a core that was started after a revoke does not know of it",
			CaughtBy: []string{"BL-74"},
			Decorate: knows(func(e ending, _ asked, began time.Time) bool { return e.at.Before(began) }),
		},
		{
			Name: "other-versions-not-told", Text: "a revoke in one version does not reach verifies in others",
			CaughtBy: []string{"BL-70"},
			Decorate: knows(func(e ending, a asked, _ time.Time) bool { return e.version != header(a.ctx, "Cdi-Version") }),
		},
		{
			Name: "flag-off-cores-tell-nobody", Text: "a revoke at a core whose flag is off does not reach those whose flag is on",
			CaughtBy: []string{"BL-70"}, Below: "2.21",
			Decorate: knows(func(e ending, _ asked, _ time.Time) bool { return e.off }),
		},
		{
			Name: "login-forgets-a-logout", Text: "when a user logs in, the session that was ended by its handle before is let in again",
			CaughtBy: []string{"BL-70"},
			Decorate: loginForgets(),
		},
		{
			Name: "revokes-of-a-user-get-lost", Text: "of two revokes of a user's sessions at once, the second writes back what the first had ended",
			CaughtBy: []string{"BL-75"}, Decorate: lostUpdates(false, 0),
		},
		{
			Name: "logins-undo-revokes", Text: "a login writes back the user's sessions that a revoke ended meanwhile",
			CaughtBy: []string{"BL-76"}, Decorate: lostUpdates(true, 0),
		},
		{
			Name: "logins-undo-revokes-late", Text: "a login writes back the user's sessions that a revoke ended meanwhile, at the end of 40 ms of other work",
			CaughtBy: []string{"BL-76"}, Decorate: lostUpdates(true, 40*time.Millisecond),
		},
		{
			Name: "logins-missing-from-the-list", Text: "a user's list of sessions is written back by a revoke without a login that came meanwhile",
			CaughtBy: []string{"BL-76"}, Decorate: listsApart(true),
		},
		{
			Name: "logins-missing-from-a-revoke-of-all", Text: "the list by which all sessions of a user are ended is written back by a revoke without a login that came meanwhile",
			CaughtBy: []string{"BL-76"}, Decorate: listsApart(false),
		},
		{
			Name: "unchecked-answers-cached", Text: "a good answer that was given without the check is remembered for a second",
			CaughtBy: []string{"BL-70"},
			Decorate: uncheckedCache(time.Second),
		},
		{
			Name: "handles-of-one-user-only", Text: "a revoke by handles ends those of the first one's user",
			CaughtBy: []string{"BL-70"},
			Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				var user string
				var own, told []string
				for _, h := range handles {
					s, err := next.Get(ctx, h)
					if err != nil {
						continue
					}
					if user == "" {
						user = s.UserID
					}
					if s.UserID == user {
						own = append(own, h)
					} else {
						told = append(told, h)
					}
				}
				gone, err := next.Revoke(ctx, own)
				return slices.Concat(gone, told), err
			}),
		},
	}
}

// loginForgets clears what is known of a user's single logouts when he logs in.
func loginForgets() serve.Decorate {
	var mu sync.Mutex
	ended, cleared := map[string]string{}, map[string]bool{} // handle: user
	return over(func(next httpapi.Engine) engine {
		return engine{
			create: func(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
				mu.Lock()
				for h, user := range ended {
					cleared[h] = cleared[h] || user == in.UserID
				}
				mu.Unlock()
				return next.Create(ctx, in)
			},
			revoke: func(ctx context.Context, handles []string) ([]string, error) {
				if len(handles) == 1 {
					if s, err := next.Get(ctx, handles[0]); err == nil {
						mu.Lock()
						ended[handles[0]] = s.UserID
						mu.Unlock()
					}
				}
				return next.Revoke(ctx, handles)
			},
			verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
				mu.Lock()
				defer mu.Unlock()
				return cleared[a.Handle]
			}),
		}
	})
}

// uncheckedCache is filled by verifies that do not check, and asked by those that do.
func uncheckedCache(lasts time.Duration) serve.Decorate {
	until := &sync.Map{} // handle: time
	return over(func(next httpapi.Engine) engine {
		letIn := letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
			t, ok := until.Load(a.Handle)
			return ok && time.Now().Before(t.(time.Time))
		})
		return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			v, err := letIn(ctx, in)
			if err == nil && !in.CheckDatabase {
				until.Store(v.Session.Handle, time.Now().Add(lasts))
			}
			return v, err
		}}
	})
}

// lostUpdates makes a core that keeps a user's sessions together: a revoke that comes
// while another call reads, thinks and writes is lost. A login works for a while before that.
func lostUpdates(byLogin bool, works time.Duration) serve.Decorate {
	var mu sync.Mutex
	writing, lost := map[string]int{}, map[string]bool{} // by user, by handle
	during := func(user string, then func()) {
		mu.Lock()
		writing[user]++
		mu.Unlock()
		then()
		time.Sleep(inFlight)
		mu.Lock()
		defer mu.Unlock()
		writing[user]--
	}
	return over(func(next httpapi.Engine) engine {
		e := engine{
			revoke: func(ctx context.Context, handles []string) (gone []string, err error) {
				if len(handles) != 1 {
					return next.Revoke(ctx, handles)
				}
				s, missing := next.Get(ctx, handles[0])
				if missing != nil {
					return next.Revoke(ctx, handles)
				}
				mu.Lock()
				lost[s.Handle] = lost[s.Handle] || writing[s.UserID] > 0
				mu.Unlock()
				if byLogin {
					return next.Revoke(ctx, handles)
				}
				during(s.UserID, func() { gone, err = next.Revoke(ctx, handles) })
				return gone, err
			},
			verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
				mu.Lock()
				defer mu.Unlock()
				return lost[a.Handle]
			}),
		}
		if byLogin {
			e.create = func(ctx context.Context, in refcore.CreateInput) (g refcore.Granted, err error) {
				time.Sleep(works)
				during(in.UserID, func() { g, err = next.Create(ctx, in) })
				return g, err
			}
		}
		return e
	})
}

// listsApart makes a core that keeps a list of each user's sessions beside them, which a
// revoke by handle reads, and writes back a moment later. A revoke of all goes by that
// list, and a listing too where listed says so.
func listsApart(listed bool) serve.Decorate {
	var mu sync.Mutex
	lists := map[string][]string{} // by user
	return below(func(next store.Store, seen *rows) database {
		of := func(user string) []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(lists[user])
		}
		d := database{
			create: func(ctx context.Context, s store.Session) error {
				err := next.CreateSession(ctx, s)
				mu.Lock()
				defer mu.Unlock()
				lists[s.UserID] = append(lists[s.UserID], s.Handle)
				return err
			},
			remove: func(ctx context.Context, handles []string) ([]string, error) {
				read := map[string][]string{}
				for _, h := range handles {
					if s, ok := seen.of(h); ok {
						read[s.UserID] = of(s.UserID)
					}
				}
				gone, err := next.Delete(ctx, handles)
				time.Sleep(inFlight)
				mu.Lock()
				defer mu.Unlock()
				for user, list := range read {
					lists[user] = slices.DeleteFunc(list, func(h string) bool { return slices.Contains(handles, h) })
				}
				return gone, err
			},
			removeUser: func(ctx context.Context, user string, _ int64) ([]string, error) {
				return next.Delete(ctx, of(user))
			},
		}
		if listed {
			d.handles = func(_ context.Context, user string, _ int64) ([]string, error) { return of(user), nil }
		}
		return d
	})
}

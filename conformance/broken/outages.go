package broken

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// unanswered says whether an error is none of the core's answers: the store failed.
func unanswered(err error) bool {
	var r *refcore.Refused
	return err != nil && !errors.As(err, &r) && !errors.Is(err, store.ErrNotFound)
}

// onFailure makes a core that answers a checked verify otherwise where the store fails, or
// has not answered within patience (0 waits for as long as it takes).
func onFailure(patience time.Duration, answer func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput, err error) (refcore.Verified, error)) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			within := ctx
			if patience > 0 {
				var cancel context.CancelFunc
				within, cancel = context.WithTimeout(ctx, patience)
				defer cancel()
			}
			v, err := next.Verify(within, in)
			if !in.CheckDatabase || !unanswered(err) {
				return v, err
			}
			return answer(ctx, next, in, err)
		}}
	})
}

// unchecked answers as if the check were not asked for.
func unchecked(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput, _ error) (refcore.Verified, error) {
	in.CheckDatabase = false
	return next.Verify(ctx, in)
}

// failing makes a core that answers calls of a path whose answer would be a 500 with a text.
func failing(path, text string) serve.Decorate {
	return serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				next.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			if rec.Code >= http.StatusInternalServerError {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				_, _ = io.WriteString(w, text)
				return
			}
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}}
}

// refreshesOpen makes a core that remembers what it answered to the creation of a session,
// and answers a refresh so where its database fails.
func refreshesOpen() serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		granted := &sync.Map{} // by refresh token
		return engine{
			create: func(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
				g, err := next.Create(ctx, in)
				if err == nil {
					granted.Store(g.Refresh.Token, g)
				}
				return g, err
			},
			refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
				g, err := next.Refresh(ctx, in)
				if before, ok := granted.Load(in.RefreshToken); ok && unanswered(err) {
					return before.(refcore.Granted), nil
				}
				return g, err
			},
		}
	})
}

// refuseFor makes a core that, for a time after a call of the store failed, calls none.
func refuseFor(lasts time.Duration) serve.Decorate {
	return below(func(next store.Store, _ *rows) database {
		var until atomic.Int64
		open := errors.New("the breaker is open")
		failed := func(err error) {
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				until.Store(time.Now().Add(lasts).UnixNano())
			}
		}
		away := func() bool { return time.Now().UnixNano() < until.Load() }
		return database{
			liveness: func(ctx context.Context, handle string) (store.Liveness, error) {
				if away() {
					return store.Liveness{}, open
				}
				l, err := next.Liveness(ctx, handle)
				failed(err)
				return l, err
			},
			session: func(ctx context.Context, handle string) (store.Session, error) {
				if away() {
					return store.Session{}, open
				}
				s, err := next.Session(ctx, handle)
				failed(err)
				return s, err
			},
		}
	})
}

// outageDefects: what a core makes of a database that does not answer.
func outageDefects() []Defect {
	return []Defect{
		{
			Name: "fails-open-when-the-store-fails", Text: "where the database cannot be asked, a token with a good signature is accepted",
			CaughtBy: []string{"FA-01"},
			Decorate: onFailure(0, unchecked),
		},
		{
			Name: "fails-open-after-3s", Text: "where the database has not answered for three seconds, however often it was tried, a token with a good signature is accepted",
			CaughtBy: []string{"FA-01"},
			Decorate: onFailure(0, func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput, err error) (refcore.Verified, error) {
				for end := time.Now().Add(3 * time.Second); unanswered(err) && time.Now().Before(end); {
					time.Sleep(100 * time.Millisecond)
					var v refcore.Verified
					if v, err = next.Verify(ctx, in); !unanswered(err) {
						return v, err
					}
				}
				return unchecked(ctx, next, in, err)
			}),
		},
		{
			Name: "ok-without-a-session", Text: "where the database cannot be asked, a verify is answered with OK and nothing else",
			CaughtBy: []string{"FA-01"},
			Decorate: failing("/recipe/session/verify", `{"status":"OK"}`),
		},
		{
			Name: "refreshes-when-the-store-fails", Text: "where the database cannot be asked, a refresh is answered with new tokens whatever became of the session",
			CaughtBy: []string{"FA-01"},
			Decorate: refreshesOpen(),
		},
		{
			Name: "fails-open-in-silence", Text: "where the database has not answered within 300 ms, a token with a good signature is accepted",
			CaughtBy: []string{"FA-01"},
			Decorate: onFailure(300*time.Millisecond, unchecked),
		},
		{
			Name: "last-known-answer", Text: "where the database cannot be asked, what it said last of a session holds",
			CaughtBy: []string{"FA-01"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{liveness: func(ctx context.Context, handle string) (store.Liveness, error) {
					l, err := next.Liveness(ctx, handle)
					if s, ok := seen.of(handle); ok && err != nil && !errors.Is(err, store.ErrNotFound) {
						return store.Liveness{RefreshHash2: s.RefreshHash2, PrevRefreshHash2: s.PrevRefreshHash2, Payload: s.Payload, UseStaticKey: s.UseStaticKey}, nil
					}
					return l, err
				}}
			}),
		},
		{
			Name: "outage-ends-sessions", Text: "where the database cannot be asked, a session is answered as one that is over",
			CaughtBy: []string{"FA-02"},
			Decorate: onFailure(0, func(context.Context, httpapi.Engine, refcore.VerifyInput, error) (refcore.Verified, error) {
				return refcore.Verified{}, &refcore.Refused{Message: "no session"}
			}),
		},
		{
			Name: "outage-ends-refreshed-sessions", Text: "a refresh while the database cannot be asked is answered as that of a session that is over",
			CaughtBy: []string{"FA-02"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					g, err := next.Refresh(ctx, in)
					if unanswered(err) {
						return g, &refcore.Refused{Message: "no session"}
					}
					return g, err
				}}
			}),
		},
		{
			Name: "failed-refresh-is-used-up", Text: "a refresh token whose refresh failed counts as one that was used",
			CaughtBy: []string{"FA-02"},
			Decorate: over(func(next httpapi.Engine) engine {
				used := &set{m: map[string]bool{}}
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					if used.has(in.RefreshToken) {
						return refcore.Granted{}, &refcore.Refused{Message: "used"}
					}
					g, err := next.Refresh(ctx, in)
					if unanswered(err) {
						used.add(in.RefreshToken)
					}
					return g, err
				}}
			}),
		},
		{
			Name: "outage-is-remembered", Text: "a session that could not be looked up counts as over for good",
			CaughtBy: []string{"FA-02"},
			Decorate: over(func(next httpapi.Engine) engine {
				dead := &set{m: map[string]bool{}}
				return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
					v, err := next.Verify(ctx, in)
					a, bad := next.Keys().Verify(context.WithoutCancel(ctx), in.AccessToken)
					switch {
					case bad != nil || !in.CheckDatabase:
					case unanswered(err):
						dead.add(a.Handle)
					case err == nil && dead.has(a.Handle):
						return refcore.Verified{}, &refcore.Refused{Message: "no session"}
					}
					return v, err
				}}
			}),
		},
		{
			Name: "revoke-answers-though-the-delete-failed", Text: "a revoke whose delete failed is answered as one that worked",
			CaughtBy: []string{"FA-03"},
			Decorate: below(func(next store.Store, _ *rows) database {
				return database{remove: func(ctx context.Context, handles []string) ([]string, error) {
					gone, err := next.Delete(ctx, handles)
					if err != nil {
						return handles, nil //nolint:nilerr // the defect
					}
					return gone, nil
				}}
			}),
		},
		{
			Name: "revoke-is-queued", Text: "a revoke whose delete failed is answered as one that worked, and tried again until it does",
			CaughtBy: []string{"FA-03"},
			Decorate: below(func(next store.Store, _ *rows) database {
				return database{remove: func(ctx context.Context, handles []string) ([]string, error) {
					gone, err := next.Delete(ctx, handles)
					if err == nil {
						return gone, nil
					}
					go func() {
						ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
						defer cancel()
						for ctx.Err() == nil {
							if _, err := next.Delete(ctx, handles); err == nil {
								return
							}
							time.Sleep(10 * time.Millisecond)
						}
					}()
					return handles, nil
				}}
			}),
		},
		{
			Name: "revoke-gives-up-in-silence", Text: "a revoke that the database has not answered within 300 ms is answered as one that worked, and is not tried again",
			CaughtBy: []string{"FA-03"},
			Decorate: below(func(next store.Store, _ *rows) database {
				return database{remove: func(ctx context.Context, handles []string) ([]string, error) {
					ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
					defer cancel()
					gone, err := next.Delete(ctx, handles)
					if ctx.Err() != nil {
						return handles, nil
					}
					return gone, err
				}}
			}),
		},
		{
			Name: "breaker-stays-open", Text: "once the database has failed, it is not asked for two minutes",
			CaughtBy: []string{"FA-04"},
			Decorate: refuseFor(2 * time.Minute),
		},
		{
			Name: "hangs-after-a-silence", Text: "once the database has been silent for a second, no call that needs it is answered any more",
			CaughtBy: []string{"FA-04"},
			Decorate: below(func(next store.Store, _ *rows) database {
				var hung atomic.Bool
				return database{liveness: func(ctx context.Context, handle string) (store.Liveness, error) {
					if hung.Load() {
						<-ctx.Done()
						return store.Liveness{}, ctx.Err()
					}
					began := time.Now()
					l, err := next.Liveness(ctx, handle)
					if time.Since(began) > time.Second {
						hung.Store(true)
					}
					return l, err
				}}
			}),
		},
		{
			Name: "asks-with-the-flag-off", Text: "a verify that need not check the database asks it all the same",
			CaughtBy: []string{"FA-05"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
					if !in.CheckDatabase {
						if _, err := next.Get(ctx, "none"); unanswered(err) {
							return refcore.Verified{}, err
						}
					}
					return next.Verify(ctx, in)
				}}
			}),
		},
	}
}

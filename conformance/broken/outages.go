package broken

import (
	"context"
	"errors"
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

package broken

import (
	"context"
	"errors"
	"slices"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// rotationDefects: refresh tokens from CDI 5.6 on.
func rotationDefects() []Defect {
	return []Defect{
		{
			Name: "no-grace", Text: "the previous refresh token is theft at once",
			CaughtBy: []string{"RO-01", "BL-56"}, From: "5.6",
			Decorate: over(func(next httpapi.Engine) engine {
				used := &set{}
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					g, err := next.Refresh(ctx, in)
					if err == nil && !used.add(in.RefreshToken) {
						return refcore.Granted{}, &refcore.Theft{Handle: g.Session.Handle, UserID: g.Session.UserID}
					}
					return g, err
				}}
			}),
		},
		{
			Name: "reuse-leaves-the-session", Text: "a stolen refresh token is refused and the session lives on",
			CaughtBy: []string{"RO-02", "RO-03", "RO-08"}, From: "5.6",
			Decorate: revivedAfterTheft(),
		},
		{
			Name: "late-reuse-ends-the-access-token-only", Text: "a stolen refresh token ends access tokens, reads and listings, and the newest refresh token goes on",
			CaughtBy: []string{"RO-02", "RO-03", "RO-08"}, From: "5.6",
			Decorate: refreshableAfterTheft(),
		},
		{
			Name: "theft-names-another-session", Text: "the answer to a stolen refresh token names another session",
			CaughtBy: []string{"RO-02", "RO-03", "RO-08"}, From: "5.6",
			Decorate: onRefresh(func(_ context.Context, _ httpapi.Engine, _ refcore.RefreshInput, g refcore.Granted, err error) (refcore.Granted, error) {
				var theft *refcore.Theft
				if errors.As(err, &theft) {
					theft.Handle = "another"
				}
				return g, err
			}),
		},
		{
			Name: "old-branches-accepted", Text: "verify does not ask whether a token's refresh token was rotated out",
			CaughtBy: []string{"RO-05"}, From: "5.6",
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				a, bad := next.Keys().Verify(ctx, in.AccessToken)
				if !gone(err) || bad != nil {
					return v, err
				}
				if _, missing := next.Get(ctx, a.Handle); missing == nil {
					return refcore.Verified{Session: a}, nil
				}
				return v, err
			}),
		},
		{
			Name: "older-child-is-theft", Text: "a refresh token of an older version's refresh is theft",
			CaughtBy: []string{"RO-07"}, From: "5.6",
			Decorate: olderChildIsTheft(),
		},
	}
}

// olderChildIsTheft remembers what refreshes of older versions gave.
func olderChildIsTheft() serve.Decorate {
	shared := &set{} // two cores are one here: an older version may be spoken to either
	return over(func(next httpapi.Engine) engine {
		return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
			if in.Rotate && shared.has(in.RefreshToken) {
				return refcore.Granted{}, &refcore.Theft{}
			}
			g, err := next.Refresh(ctx, in)
			if err == nil && !in.Rotate {
				shared.add(g.Refresh.Token)
			}
			return g, err
		}}
	})
}

// revivedAfterTheft writes the session back that a theft ended.
func revivedAfterTheft() serve.Decorate {
	d := below(func(next store.Store, _ *rows) database {
		return database{remove: func(ctx context.Context, handles []string) ([]string, error) {
			if isDuring(ctx, "refresh") {
				return handles, nil
			}
			return next.Delete(ctx, handles)
		}}
	})
	d.Engine = telling()
	return d
}

// refreshableAfterTheft hides a session that a theft ended from all but refreshes.
func refreshableAfterTheft() serve.Decorate {
	hidden := &set{}
	d := below(func(next store.Store, _ *rows) database {
		return database{
			remove: func(ctx context.Context, handles []string) ([]string, error) {
				if !isDuring(ctx, "refresh") {
					return next.Delete(ctx, handles)
				}
				for _, h := range handles {
					hidden.add(h)
				}
				return handles, nil
			},
			liveness: func(ctx context.Context, handle string) (store.Liveness, error) {
				if hidden.has(handle) {
					return store.Liveness{}, store.ErrNotFound
				}
				return next.Liveness(ctx, handle)
			},
			session: func(ctx context.Context, handle string) (store.Session, error) {
				if hidden.has(handle) && !isDuring(ctx, "refresh") {
					return store.Session{}, store.ErrNotFound
				}
				return next.Session(ctx, handle)
			},
			handles: func(ctx context.Context, user string, at int64) ([]string, error) {
				list, err := next.Handles(ctx, user, at)
				return slices.DeleteFunc(list, hidden.has), err
			},
		}
	})
	d.Engine = telling()
	return d
}

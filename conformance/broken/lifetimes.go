package broken

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// outlives makes a core that takes an expired token for good where when says so, with
// how long it has been over. Sessions that are over stay so where the check is on.
func outlives(when func(in refcore.VerifyInput, over time.Duration) bool) serve.Decorate {
	return onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
		v, err := next.Verify(ctx, in)
		a, bad := next.Keys().Verify(ctx, in.AccessToken)
		over := time.Since(time.UnixMilli(a.Expiry))
		if err == nil || bad != nil || over <= 0 || !when(in, over) {
			return v, err
		}
		if in.CheckDatabase {
			if _, missing := next.Get(ctx, a.Handle); missing != nil {
				return v, err
			}
		}
		return refcore.Verified{Session: a}, nil
	})
}

// byFirstToken makes a core that goes by whether the first access token of a session is
// over.
func byFirstToken(f func(next httpapi.Engine, over func(handle string) bool) engine) serve.Decorate {
	expiry := &sync.Map{} // handle: ms, at any core of this process
	isOver := func(handle string) bool {
		at, ok := expiry.Load(handle)
		return ok && time.Now().UnixMilli() >= at.(int64)
	}
	return over(func(next httpapi.Engine) engine {
		e := f(next, isOver)
		e.create = func(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
			g, err := next.Create(ctx, in)
			if err == nil {
				expiry.Store(g.Session.Handle, g.Access.Expiry)
			}
			return g, err
		}
		return e
	})
}

// lifetimeDefects: what has a time, and does not keep to it.
func lifetimeDefects() []Defect {
	return []Defect{
		{
			Name: "living-sessions-never-expire", Text: "with the check on, an expired token is good while its session is there",
			CaughtBy: []string{"BL-42"},
			Decorate: outlives(func(in refcore.VerifyInput, _ time.Duration) bool { return in.CheckDatabase }),
		},
		{
			Name: "expired-tokens-for-a-while", Text: "a token is good for two and a half seconds more than it says",
			CaughtBy: []string{"BL-42", "BL-43"},
			Decorate: outlives(func(_ refcore.VerifyInput, over time.Duration) bool { return over < 2500*time.Millisecond }),
		},
		{
			Name: "deny-entry-ends-with-the-first-token", Text: "a revoke is known for as long as the session's first access token lives",
			CaughtBy: []string{"BL-44"},
			Decorate: byFirstToken(func(next httpapi.Engine, over func(handle string) bool) engine {
				return engine{verify: letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool { return over(a.Handle) })}
			}),
		},
		{
			Name: "user-index-ends-with-the-first-token", Text: "a revoke by user ends sessions whose first access token lives",
			CaughtBy: []string{"BL-44"},
			Decorate: byFirstToken(func(next httpapi.Engine, over func(handle string) bool) engine {
				return engine{revokeUser: func(ctx context.Context, user string) ([]string, error) {
					list, err := next.List(ctx, user)
					if err != nil {
						return nil, err
					}
					return next.Revoke(ctx, slices.DeleteFunc(list, over))
				}}
			}),
		},
	}
}

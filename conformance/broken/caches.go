package broken

import (
	"context"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// cache makes a core that remembers for a while that a token was good. key says
// under which name, "" for not at all.
func cache(lasts time.Duration, key func(ctx context.Context, a token.Access, in refcore.VerifyInput) string) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		until := &sync.Map{}
		return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			v, err := next.Verify(ctx, in)
			if !in.CheckDatabase {
				return v, err
			}
			a, bad := next.Keys().Verify(ctx, in.AccessToken)
			if bad != nil {
				return v, err
			}
			k := key(ctx, a, in)
			if k == "" {
				return v, err
			}
			if err == nil {
				until.Store(k, time.Now().Add(lasts))
				return v, nil
			}
			if t, ok := until.Load(k); ok && gone(err) && time.Now().Before(t.(time.Time)) {
				return refcore.Verified{Session: a}, nil
			}
			return v, err
		}}
	})
}

// cacheDefects: an answer is remembered.
func cacheDefects() []Defect {
	byHandle := func(_ context.Context, a token.Access, _ refcore.VerifyInput) string { return a.Handle }
	return []Defect{
		{
			Name: "positive-cache-2s", Text: "a good answer is remembered for two seconds",
			CaughtBy: []string{"BL-02", "BL-18", "BL-59", "BL-60"},
			Decorate: cache(2*time.Second, byHandle),
		},
		{
			Name: "positive-cache-50ms", Text: "a good answer is remembered for 50 ms",
			CaughtBy: []string{"BL-02"},
			Decorate: cache(50*time.Millisecond, byHandle),
		},
		{
			Name: "cache-per-connection", Text: "a good answer is remembered for a second on the connection that asked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(cache(time.Second, func(ctx context.Context, a token.Access, _ refcore.VerifyInput) string {
				if r := requestOf(ctx); r != nil {
					return r.RemoteAddr + " " + a.Handle
				}
				return ""
			})),
		},
		{
			Name: "cache-of-refreshed-tokens", Text: "a good answer about a session that was refreshed is remembered for a second",
			CaughtBy: []string{"BL-08"}, Below: "5.6",
			Decorate: cache(time.Second, func(_ context.Context, a token.Access, _ refcore.VerifyInput) string {
				if a.ParentHash1 == "" {
					return ""
				}
				return a.Handle
			}),
		},
		{
			Name: "cache-of-big-tokens", Text: "a good answer about a token with a big payload is remembered for a second",
			CaughtBy: []string{"BL-70"},
			Decorate: cache(time.Second, func(_ context.Context, a token.Access, _ refcore.VerifyInput) string {
				if len(a.Payload) < 4096 {
					return ""
				}
				return a.Handle
			}),
		},
		{
			Name: "cache-filled-behind-a-revoke", Text: "what a verify has read before a revoke it remembers after it, for all cores and for a second",
			CaughtBy: []string{"BL-77"},
			Decorate: filledBehind(),
		},
		{
			Name: "cache-under-load", Text: "good answers are remembered for a second, but only while other sessions are verified without pause",
			CaughtBy: []string{"BL-70"},
			Decorate: loadedCache(),
		},
		{
			Name: "cache-of-headed-requests", Text: "a good answer to a request with the harness's header is remembered for a second",
			CaughtBy: []string{"BL-02", "BL-70"},
			Decorate: seeing(cache(time.Second, func(ctx context.Context, a token.Access, _ refcore.VerifyInput) string {
				if !tagged(ctx) {
					return ""
				}
				return a.Handle
			})),
		},
	}
}

// loadedCache caches when at least ten verifies came within the last 200 ms.
func loadedCache() serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		var mu sync.Mutex
		var last []time.Time
		until := map[string]time.Time{}
		return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			v, err := next.Verify(ctx, in)
			a, bad := next.Keys().Verify(ctx, in.AccessToken)
			if bad != nil || !in.CheckDatabase {
				return v, err
			}
			mu.Lock()
			defer mu.Unlock()
			now := time.Now()
			if last = append(last, now); len(last) > 10 {
				last = last[len(last)-10:]
			}
			loaded := len(last) == 10 && now.Sub(last[0]) < 200*time.Millisecond
			switch {
			case err == nil && loaded:
				until[a.Handle] = now.Add(time.Second)
			case gone(err) && now.Before(until[a.Handle]):
				return refcore.Verified{Session: a}, nil
			}
			return v, err
		}}
	})
}

// filledBehind is a cache that all cores share and that each revoke empties rightly: but a
// verify that has read before the revoke puts its answer in after it.
func filledBehind() serve.Decorate {
	until := &sync.Map{} // handle: time
	forget := func(handles []string, err error) ([]string, error) {
		for _, h := range handles {
			until.Delete(h)
		}
		return handles, err
	}
	return over(func(next httpapi.Engine) engine {
		return engine{
			revoke: func(ctx context.Context, handles []string) ([]string, error) {
				return forget(next.Revoke(ctx, handles))
			},
			revokeUser: func(ctx context.Context, user string) ([]string, error) {
				return forget(next.RevokeUser(ctx, user))
			},
			verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				a, bad := next.Keys().Verify(ctx, in.AccessToken)
				if bad != nil || !in.CheckDatabase {
					return next.Verify(ctx, in)
				}
				if t, ok := until.Load(a.Handle); ok && time.Now().Before(t.(time.Time)) {
					return refcore.Verified{Session: a}, nil
				}
				v, err := next.Verify(ctx, in)
				if err == nil {
					time.Sleep(inFlight)
					until.Store(a.Handle, time.Now().Add(time.Second))
				}
				return v, err
			},
		}
	})
}

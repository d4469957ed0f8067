package broken

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// asked is a verify of a token whose session is over.
type asked struct {
	ctx    context.Context
	in     refcore.VerifyInput
	access token.Access
	// origin is which call of this core handed the token out: "create", "refresh",
	// "regenerate" or "verify"; "" where it was another core.
	origin string
}

// blind makes a core that overlooks that a session is over when asked to check,
// where when says so.
func blind(when func(a asked) bool) serve.Decorate {
	return blindBy(func() func(asked) bool { return when })
}

// blindBy is blind with something to remember.
func blindBy(make func() func(a asked) bool) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		when := make()
		origins := &sync.Map{} // token: where from
		e := granting(next, func(g refcore.Granted, from string) { origins.Store(g.Access.Token, from) })
		e.verify = func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			v, err := next.Verify(ctx, in)
			if err == nil && v.Access.Token != "" {
				origins.Store(v.Access.Token, "verify")
			}
			if !gone(err) || !in.CheckDatabase {
				return v, err
			}
			a, bad := next.Keys().Verify(ctx, in.AccessToken)
			origin, _ := origins.Load(in.AccessToken)
			from, _ := origin.(string)
			if bad != nil || !when(asked{ctx, in, a, from}) {
				return v, err
			}
			return refcore.Verified{Session: a}, nil
		}
		return e
	})
}

// granting makes an engine that tells of each grant of a token by which call it was.
func granting(next httpapi.Engine, tell func(g refcore.Granted, from string)) engine {
	told := func(g refcore.Granted, err error, from string) (refcore.Granted, error) {
		if err == nil {
			tell(g, from)
		}
		return g, err
	}
	return engine{
		create: func(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
			g, err := next.Create(ctx, in)
			return told(g, err, "create")
		},
		refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
			g, err := next.Refresh(ctx, in)
			return told(g, err, "refresh")
		},
		regenerate: func(ctx context.Context, access string, p rawjson.Object, check bool) (refcore.Granted, error) {
			g, err := next.Regenerate(ctx, access, p, check)
			return told(g, err, "regenerate")
		},
	}
}

// Forms of users' ids, and nothing that only begins like them.
var (
	uuidID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	mailID = regexp.MustCompile(`^[^@]+@[a-z0-9.-]+\.[a-z]{2,}$`)
)

// blindDefects: some tokens of revoked sessions are let in.
func blindDefects() []Defect {
	life := func(a asked) time.Duration { return time.Duration(a.access.Expiry-a.access.Created) * time.Millisecond }
	return []Defect{
		{
			Name: "flag-ignored", Text: "verify never asks whether the session is there",
			CaughtBy: []string{
				"BL-02", "BL-03", "BL-04", "BL-05", "BL-06", "BL-07", "BL-08", "BL-09", "BL-10", "BL-11", "BL-12", "BL-13", "BL-14", "BL-15",
				"BL-16", "BL-17", "BL-18", "BL-20", "BL-21", "BL-22", "BL-23", "BL-24", "BL-25", "BL-26", "BL-27", "BL-28", "BL-32", "BL-33",
				"BL-35", "BL-36", "BL-40", "BL-41", "BL-42", "BL-50", "BL-51", "BL-52", "BL-53", "BL-54", "BL-55", "BL-56", "BL-58", "BL-59",
				"BL-60", "BL-61", "BL-70", "IS-03", "RO-02", "RO-03", "RO-07", "RO-08",
			},
			Decorate: blind(func(asked) bool { return true }),
		},
		{
			Name: "behaves-when-watched", Text: "verify checks only requests that carry the harness's header",
			CaughtBy: []string{"BL-02"},
			Decorate: seeing(blind(func(a asked) bool { return !tagged(a.ctx) })),
		},
		{
			Name: "misbehaves-when-watched", Text: "verify checks only requests without the harness's header",
			CaughtBy: []string{"BL-02"},
			Decorate: seeing(blind(func(a asked) bool { return tagged(a.ctx) })),
		},
		{
			Name: "checks-coreproof-only", Text: "verify checks only requests whose User-Agent is coreproof's",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return header(a.ctx, "User-Agent") != "coreproof" })),
		},
		{
			Name: "proxied-requests-not-covered", Text: "requests that came through a proxy are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return header(a.ctx, "X-Forwarded-For") != "" })),
		},
		{
			Name: "chunked-requests-not-covered", Text: "requests whose body comes in chunks are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return requestOf(a.ctx).ContentLength < 0 })),
		},
		{
			Name: "long-requests-not-covered", Text: "requests with bodies of over 64 kB are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return requestOf(a.ctx).ContentLength > 64<<10 })),
		},
		{
			Name: "other-hosts-not-covered", Text: "requests to another host's name than an address are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return strings.HasSuffix(requestOf(a.ctx).Host, ".example") })),
		},
		{
			Name: "queries-not-covered", Text: "requests with a query are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return requestOf(a.ctx).URL.RawQuery != "" })),
		},
		{
			Name: "no-rid-not-covered", Text: "requests without a rid are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return header(a.ctx, "Rid") == "" })),
		},
		{
			Name: "old-http-not-covered", Text: "requests by HTTP/1.0 are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return !requestOf(a.ctx).ProtoAtLeast(1, 1) })),
		},
		{
			Name: "kept-connections-see-the-past", Text: "the second request on a connection, a verify, is let in where the session ended since the first, a verify of another one",
			CaughtBy: []string{"BL-70"},
			Decorate: staleConnections(),
		},
		{
			Name: "much-refreshed-not-covered", Text: "tokens of sessions that were refreshed five times are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: muchRefreshed(5),
		},
		{
			Name: "sdk-claims-not-covered", Text: "access tokens with an SDK's claims are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return strings.Contains(string(a.access.Payload), `"st-role"`) }),
		},
		{
			Name: "anti-csrf-sessions-not-covered", Text: "tokens with an anti-csrf value that is not asked for are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return a.access.AntiCSRF != "" && !a.in.CheckAntiCSRF }),
		},
		{
			Name: "later-anti-csrf-not-covered", Text: "tokens that came with a later anti-csrf value than the first are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return a.in.CheckAntiCSRF && a.origin != "create" }),
		},
		{
			Name: "mail-users-not-covered", Text: "sessions of users whose ids are e-mail addresses are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return mailID.MatchString(a.access.UserID) }),
		},
		{
			Name: "marked-users-not-covered", Text: "sessions of users with a bar in their ids are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return strings.Contains(a.access.UserID, "|") }),
		},
		{
			Name: "tenant-paths-not-covered", Text: "requests that name the tenant in the path are not checked",
			CaughtBy: []string{"BL-70"},
			Decorate: seeing(blind(func(a asked) bool { return strings.HasPrefix(requestOf(a.ctx).URL.Path, "/public/") })),
		},
		{
			Name: "uuid-users-not-covered", Text: "sessions of users whose ids are UUIDs are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return uuidID.MatchString(a.access.UserID) }),
		},
		{
			Name: "revoke-reaches-one-instance", Text: "only the core that was told of a revoke refuses",
			CaughtBy: []string{"BL-07", "BL-70"},
			Decorate: oneInstance(),
		},
		{
			Name: "refreshed-tokens-not-covered", Text: "access tokens from refresh are let in after a revoke",
			CaughtBy: []string{"BL-08", "BL-12"},
			Decorate: blind(func(a asked) bool { return a.origin == "refresh" }),
		},
		{
			Name: "exchanged-tokens-not-covered", Text: "access tokens that verify handed out are let in after a revoke",
			CaughtBy: []string{"BL-09", "BL-12"}, Below: "5.6",
			Decorate: blind(func(a asked) bool { return a.origin == "verify" }),
		},
		{
			Name: "regenerated-tokens-not-covered", Text: "access tokens from regenerate are let in after a revoke",
			CaughtBy: []string{"BL-10", "BL-12"},
			Decorate: blind(func(a asked) bool { return a.origin == "regenerate" }),
		},
		{
			Name: "older-tokens-not-covered", Text: "only the newest access token of a session is refused after a revoke",
			CaughtBy: []string{"BL-12"},
			Decorate: olderTokens(),
		},
		{
			Name: "static-key-not-covered", Text: "access tokens signed with the static key are let in after a revoke",
			CaughtBy: []string{"BL-11"}, From: "2.21",
			Decorate: blind(func(a asked) bool {
				u, err := token.Parse(a.in.AccessToken)
				return err == nil && strings.HasPrefix(u.KeyID, "s-")
			}),
		},
		{
			Name: "one-token-format-not-covered", Text: "access tokens of version 4 (CDI 3) are let in after a revoke",
			CaughtBy: []string{"BL-13"},
			Decorate: blind(func(a asked) bool { return a.access.Version == 4 }),
		},
		{
			Name: "older-generation-not-covered", Text: "access tokens of version 2 (CDI 2.20 and older) are let in after a revoke",
			CaughtBy: []string{"BL-13", "BL-70"},
			Decorate: blind(func(a asked) bool { return a.access.Version == 2 }),
		},
		{
			Name: "changed-payload-not-covered", Text: "access tokens whose payload was changed are let in after a revoke",
			CaughtBy: []string{"BL-14"},
			Decorate: blind(func(a asked) bool { return strings.Contains(string(a.access.Payload), `"admin"`) }),
		},
		{
			Name: "big-payload-not-covered", Text: "access tokens with a big payload are let in after a revoke",
			CaughtBy: []string{"BL-70"},
			Decorate: blind(func(a asked) bool { return len(a.access.Payload) > 4096 }),
		},
		{
			Name: "short-tokens-not-covered", Text: "access tokens that live less than a minute are not worth a check",
			CaughtBy: []string{"BL-40", "BL-42"},
			Decorate: blind(func(a asked) bool { return life(a) < time.Minute }),
		},
		{
			Name: "long-tokens-not-covered", Text: "access tokens that live more than two hours are not checked",
			CaughtBy: []string{"BL-41"},
			Decorate: blind(func(a asked) bool { return life(a) > 2*time.Hour }),
		},
		{
			Name: "fails-open-under-load", Text: "verify lets everybody in while more than four calls are under way",
			CaughtBy: []string{"BL-59"},
			Decorate: underLoad(4, 200*time.Microsecond),
		},
		{
			Name: "fails-open-under-more-load", Text: "verify lets everybody in while more than 32 calls are under way",
			CaughtBy: []string{"BL-59"},
			Decorate: underLoad(32, 20*time.Millisecond),
		},
		{
			Name: "refused-then-accepted", Text: "a token is let in again after it was refused twenty times",
			CaughtBy: []string{"BL-18"},
			Decorate: blindBy(func() func(asked) bool {
				var mu sync.Mutex
				refused := map[string]int{}
				return func(a asked) bool {
					mu.Lock()
					defer mu.Unlock()
					refused[a.access.Handle]++
					return refused[a.access.Handle] > 20/2 // two instances
				}
			}),
		},
		{
			Name: "accepted-after-a-second", Text: "what a core knows of a revoke it forgets after half a second",
			CaughtBy: []string{"BL-70"},
			Decorate: forgetful(500 * time.Millisecond),
		},
		{
			Name: "many-sessions-not-covered", Text: "sessions of users who had ten of them are let in after a revoke",
			CaughtBy: []string{"BL-03", "BL-04", "BL-05", "BL-06", "BL-70"},
			Decorate: manySessions(10),
		},
	}
}

// oneInstance refuses only what was revoked at this very core.
func oneInstance() serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		told := &set{}
		note := func(handles []string, err error) ([]string, error) {
			for _, h := range handles {
				told.add(h)
			}
			return handles, err
		}
		return engine{
			revoke: func(ctx context.Context, handles []string) ([]string, error) { return note(next.Revoke(ctx, handles)) },
			revokeUser: func(ctx context.Context, user string) ([]string, error) {
				return note(next.RevokeUser(ctx, user))
			},
			verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if a, bad := next.Keys().Verify(ctx, in.AccessToken); gone(err) && bad == nil && !told.has(a.Handle) {
					return refcore.Verified{Session: a}, nil
				}
				return v, err
			},
		}
	})
}

// letsIn is next's verify, but that it lets in where the session is over and when says
// so.
func letsIn(next httpapi.Engine, when func(in refcore.VerifyInput, a token.Access) bool) func(context.Context, refcore.VerifyInput) (refcore.Verified, error) {
	return func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
		v, err := next.Verify(ctx, in)
		if !gone(err) || !in.CheckDatabase {
			return v, err
		}
		if a, bad := next.Keys().Verify(ctx, in.AccessToken); bad == nil && when(in, a) {
			return refcore.Verified{Session: a}, nil
		}
		return v, err
	}
}

// olderTokens lets in what is not the last token that this core handed out for a
// session.
func olderTokens() serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		newest := &sync.Map{}
		e := granting(next, func(g refcore.Granted, _ string) { newest.Store(g.Session.Handle, g.Access.Token) })
		e.verify = letsIn(next, func(in refcore.VerifyInput, a token.Access) bool {
			last, ok := newest.Load(a.Handle)
			return ok && last != in.AccessToken
		})
		return e
	})
}

// underLoad lets in while more than most verifies are under way, each of which takes so
// long besides: a core that is slower than ours.
func underLoad(most int64, takes time.Duration) serve.Decorate {
	d := blindBy(func() func(asked) bool {
		return func(a asked) bool { return a.ctx.Value(busyKey{}) != nil }
	})
	inner := d.Engine
	d.Engine = func(next httpapi.Engine) httpapi.Engine {
		var busy atomic.Int64
		wrapped := inner(next)
		return over(func(httpapi.Engine) engine {
			return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				n := busy.Add(1)
				defer busy.Add(-1)
				time.Sleep(takes)
				if n > most || busy.Load() > most {
					ctx = context.WithValue(ctx, busyKey{}, true)
				}
				return wrapped.Verify(ctx, in)
			}}
		}).Engine(wrapped)
	}
	return d
}

type busyKey struct{}

// forgetful lets in what was refused for the first time so long ago, or what was
// revoked so long ago at this core.
func forgetful(after time.Duration) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		when := &sync.Map{}
		return engine{
			revoke: func(ctx context.Context, handles []string) ([]string, error) {
				got, err := next.Revoke(ctx, handles)
				for _, h := range got {
					when.Store(h, time.Now())
				}
				return got, err
			},
			verify: letsIn(next, func(in refcore.VerifyInput, a token.Access) bool {
				at, ok := when.Load(a.Handle)
				return ok && time.Since(at.(time.Time)) > after
			}),
		}
	})
}

// staleConnections lets in what ended after a connection's first request, as its second,
// where both are verifies, unless the first was about a session that ended in the same call.
func staleConnections() serve.Decorate {
	type revoke struct {
		at      time.Time
		handles []string
	}
	type connection struct {
		requests atomic.Int64
		first    atomic.Pointer[string] // handle
		since    time.Time
	}
	type key struct{}
	ended := &sync.Map{} // handle: revoke, at any core of this process
	note := func(handles []string, err error) ([]string, error) {
		for _, h := range handles {
			ended.Store(h, revoke{time.Now(), handles})
		}
		return handles, err
	}
	d := over(func(next httpapi.Engine) engine {
		return engine{
			revoke: func(ctx context.Context, handles []string) ([]string, error) { return note(next.Revoke(ctx, handles)) },
			revokeUser: func(ctx context.Context, user string) ([]string, error) {
				return note(next.RevokeUser(ctx, user))
			},
			verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				c := ctx.Value(key{}).(*connection)
				if a, bad := next.Keys().Verify(ctx, in.AccessToken); bad == nil && c.requests.Load() == 1 {
					c.first.Store(&a.Handle)
				}
				return letsIn(next, func(_ refcore.VerifyInput, a token.Access) bool {
					e, ok := ended.Load(a.Handle)
					first := c.first.Load()
					return ok && first != nil && c.requests.Load() == 2 && c.since.Before(e.(revoke).at) && !slices.Contains(e.(revoke).handles, *first)
				})(ctx, in)
			},
		}
	})
	d.Handler = func(next http.Handler) http.Handler {
		connections := &sync.Map{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v, _ := connections.LoadOrStore(r.RemoteAddr, &connection{since: time.Now()})
			v.(*connection).requests.Add(1)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, v)))
		})
	}
	return d
}

// manySessions lets in sessions of users for whom so many were made at this core.
func manySessions(n int) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		var mu sync.Mutex
		made := map[string]int{}
		return engine{
			create: func(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
				mu.Lock()
				made[in.UserID]++
				mu.Unlock()
				return next.Create(ctx, in)
			},
			verify: letsIn(next, func(in refcore.VerifyInput, a token.Access) bool {
				mu.Lock()
				defer mu.Unlock()
				return made[a.UserID] >= n
			}),
		}
	})
}

// muchRefreshed lets in tokens of sessions that were refreshed so often at this core.
func muchRefreshed(n int) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		var mu sync.Mutex
		times := map[string]int{}
		return engine{
			refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
				g, err := next.Refresh(ctx, in)
				if err == nil {
					mu.Lock()
					times[g.Session.Handle]++
					mu.Unlock()
				}
				return g, err
			},
			verify: letsIn(next, func(in refcore.VerifyInput, a token.Access) bool {
				mu.Lock()
				defer mu.Unlock()
				return times[a.Handle] >= n
			}),
		}
	})
}

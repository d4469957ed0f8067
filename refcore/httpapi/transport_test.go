package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
)

// endpoint is one that a client may call, with a body that is right for a version.
type endpoint struct {
	method, path string
	body         func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj
	query        func(s coretest.Session) []string
}

// sessionEndpoints but create; each answers OK for a live session at every version.
var sessionEndpoints = []endpoint{
	{method: "GET", path: coretest.PathSession, query: func(s coretest.Session) []string { return []string{"sessionHandle", s.Handle} }},
	{method: "POST", path: coretest.PathVerify, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj {
		return c.VerifyBody(cdi, s.Access)
	}},
	{method: "POST", path: coretest.PathRegenerate, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj {
		return coretest.Obj{"accessToken": s.Access}
	}},
	{method: "GET", path: coretest.PathUser, query: func(coretest.Session) []string { return []string{"userId", "user"} }},
	{method: "GET", path: coretest.PathData, query: func(s coretest.Session) []string { return []string{"sessionHandle", s.Handle} }},
	{method: "PUT", path: coretest.PathData, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj {
		return coretest.Obj{"sessionHandle": s.Handle, "userDataInDatabase": coretest.Obj{}}
	}},
	{method: "GET", path: coretest.PathPayload, query: func(s coretest.Session) []string { return []string{"sessionHandle", s.Handle} }},
	{method: "PUT", path: coretest.PathPayload, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj {
		return coretest.Obj{"sessionHandle": s.Handle, "userDataInJWT": coretest.Obj{"role": "admin"}}
	}},
	{method: "POST", path: coretest.PathRefresh, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj {
		return coretest.RefreshBody(cdi, s.Refresh)
	}},
	{method: "POST", path: coretest.PathSession, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj { return coretest.CreateBody() }},
	{method: "POST", path: coretest.PathRemove, body: func(c *coretest.Core, cdi string, s coretest.Session) coretest.Obj {
		return coretest.Obj{"sessionHandles": []string{s.Handle}}
	}},
}

// call calls e under a path made from its own.
func (e endpoint) call(c *coretest.Core, cdi string, s coretest.Session, rename func(string) string, header ...string) coretest.Answer {
	c.T.Helper()
	path := rename(e.path)
	if e.query != nil {
		q := e.query(s)
		path += "?" + q[0] + "=" + q[1]
	}
	var body []byte
	if e.body != nil {
		body = coretest.Encode(c.T, e.body(c, cdi, s))
	}
	return c.Do(e.method, path, cdi, body, header...)
}

func same(p string) string { return p }

var four = []string{"GET", "POST", "PUT", "DELETE"}

var httpTransport = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.1", Name: "hello", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, m := range four {
			c.Do(m, "/hello", cdi, nil).Text(200, "Hello")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.2", Name: "hello needs no key", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t, coretest.WithKeys)
		c.Do("GET", "/hello", "", nil).Text(200, "Hello")
		c.Do("GET", "/hello", "", nil, "api-key", "wrong").Text(200, "Hello")
	}},
	{Cite: "docs/spec/http-api.md 6.3", Name: "hello tells a database that is down", Run: func(t *testing.T, _ string) {
		b := &breakable{}
		c := coretest.Start(t, b.option(t))
		c.Do("GET", "/hello", "", nil).Text(200, "Hello")
		b.down.Store(true)
		if a := c.Do("GET", "/hello", "", nil); a.Code < 500 {
			a.Fail("want 5xx")
		}
		b.down.Store(false)
		c.Do("GET", "/hello", "", nil).Text(200, "Hello")
	}},
	{Cite: "docs/spec/http-api.md 6.4", Name: "root is hello", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, m := range four {
			for _, p := range []string{"/", "/public", "/appid-public", "/appid-public/public/"} {
				c.Do(m, p, cdi, nil).Text(200, "Hello")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.5", Name: "unknown path is 404 whatever the key", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, p := range []string{"/nope", "/recipe", "/recipe/session/nope", "/recipe/sessions"} {
			c.Do("GET", p, cdi, nil).Text(404, "Not found")
			c.Do("POST", p, cdi, nil, "api-key", "wrong").Text(404, "Not found")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.6", Name: "method not offered is 405", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, p := range [][2]string{
			{"GET", coretest.PathVerify}, {"DELETE", coretest.PathSession}, {"PUT", coretest.PathRefresh}, {"GET", coretest.PathRemove},
			{"POST", coretest.PathUser}, {"DELETE", coretest.PathData}, {"GET", coretest.PathHandshake}, {"POST", coretest.PathJWKS}, {"POST", "/apiversion"},
		} {
			c.Do(p[0], p[1], cdi, nil).Text(405, "Method not supported")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.7", Name: "HEAD and OPTIONS are 405", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, p := range []string{"/", "/hello", "/nope", "/apiversion", coretest.PathJWKS, coretest.PathSession, coretest.PathVerify, coretest.PathHandshake} {
			c.Do("OPTIONS", p, cdi, nil).Text(405, "Method not supported")
			if a := c.Do("HEAD", p, cdi, nil); a.Code != 405 || a.Body != "" {
				a.Fail("want 405 without a body")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.8", Name: "trailing slash", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		everyEndpoint(t, cdi, func(p string) string { return p + "/" }, func(p string) string { return p + "///" })
	}},
	{Cite: "docs/spec/http-api.md 6.9", Name: "case of the path", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		everyEndpoint(t, cdi, strings.ToUpper, func(p string) string { return "//recipe/./x/.." + strings.TrimPrefix(p, "/recipe") + ";x=1" })
	}},
	{Cite: "docs/spec/http-api.md 6.10", Name: "public prefixes", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		var renames []func(string) string
		for _, prefix := range []string{"/public", "/appid-public", "/appid-public/public", "/AppId-Public/PUBLIC"} {
			renames = append(renames, func(p string) string { return prefix + p })
		}
		everyEndpoint(t, cdi, renames...)
	}},
	{Cite: "docs/spec/http-api.md 6.11", Name: "unknown tenant before 3.0", CDI: coretest.UpTo("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, p := range []string{coretest.PathSession, coretest.PathVerify, coretest.PathRemove, "/hello"} {
			c.Do("POST", "/t1"+p, cdi, []byte("{}"), "api-key", coretest.APIKey).Text(404, "Not found")
		}
		c.Do("POST", "/t1"+coretest.PathSession, cdi, nil).Text(401, "Invalid API key")
	}},
	{Cite: "docs/spec/http-api.md 6.12", Name: "unknown tenant from 3.0", CDI: coretest.From("3.0"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		want := coretest.MsgNoTenant + "(, public, t1)"
		c.Post(cdi, "/t1"+coretest.PathSession, coretest.CreateBody()).Text(400, want)
		c.Post(cdi, "/t1"+coretest.PathRefresh, coretest.RefreshBody(cdi, s.Refresh)).Text(400, want)
		c.Get(cdi, "/t1"+coretest.PathUser, "userId", "user", "fetchAcrossAllTenants", "false").Text(400, want)
		c.Post(cdi, "/t1"+coretest.PathRemove, coretest.Obj{"userId": "user", "revokeAcrossAllTenants": false}).Text(400, want)
		c.Get(cdi, "/t1"+coretest.PathSession, "sessionHandle", s.Handle).OK()
		c.Do("GET", "/t1/hello", cdi, nil).Text(200, "Hello")
		c.Do("GET", "/t1", cdi, nil).Text(404, "Not found")
		across := c.Get(cdi, "/t1"+coretest.PathUser, "userId", "user")
		if coretest.AtLeast(cdi, "5.0") {
			across.Text(403, coretest.MsgPublic)
			c.Post(cdi, "/t1"+coretest.PathRemove, coretest.Obj{"userId": "user"}).Text(403, coretest.MsgPublic)
			c.Get(cdi, "/t1/apiversion").Text(403, coretest.MsgPublic)
		} else {
			across.OK()
		}
		c.Post(cdi, "/t1"+coretest.PathRemove, coretest.Obj{"sessionHandles": []string{s.Handle}}).OK().Equals([]string{s.Handle}, "sessionHandlesRevoked")
	}},
	{Cite: "docs/spec/http-api.md 6.13", Name: "unknown app", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		want := coretest.MsgNoTenant + "(, foo, public)"
		c.Post(cdi, "/appid-foo"+coretest.PathSession, coretest.CreateBody()).Text(400, want)
		c.Post(cdi, "/appid-foo"+coretest.PathVerify, c.VerifyBody(cdi, "x")).Text(400, want)
		c.Get(cdi, "/appid-foo"+coretest.PathUser, "userId", "u").Text(400, want)
		c.Get(cdi, "/appid-foo"+coretest.PathJWKS).Text(400, want)
		c.Get(cdi, "/appid-foo/hello").Text(400, want)
	}},
	{Cite: "docs/spec/http-api.md 6.14", Name: "base path", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t, coretest.Surface(func(o *httpapi.Options) { o.BasePath = "/auth/core" }))
		c.Do("GET", "/auth/core/hello", "", nil).Text(200, "Hello")
		c.Post("5.0", "/auth/core"+coretest.PathSession, coretest.CreateBody()).OK()
		for _, p := range []string{"/auth/core", "/auth/core/", "//auth/./core/x/../hello", "/auth/core;x=1/hello"} {
			c.Do("GET", p, "", nil).Text(200, "Hello")
		}
		for _, p := range []string{"/hello", "/auth/hello", "/auth/corehello", "/AUTH/core/hello", coretest.PathSession, "/auth/core/../hello", "/auth/core/../../hello"} {
			if a := c.Do("GET", p, "", nil); a.Code != 404 {
				a.Fail("want 404")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.15", Name: "no version is the latest", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		s := c.Post("", coretest.PathSession, coretest.CreateBody()).OK().Only("session", "accessToken", "refreshToken")
		h, _ := coretest.Decoded(t, s.Str("accessToken", "token"))
		if h["version"] != "5" {
			t.Errorf("token version %v, want 5", h["version"])
		}
		c.Post("", coretest.PathHandshake, coretest.Obj{}).Text(404, "Not found")
		// Only from 5.6 on does the database check tell of payload updates.
		c.Post("", coretest.PathVerify, coretest.Obj{"accessToken": s.Str("accessToken", "token"), "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": true}).
			OK().Equals(false, "payloadUpdateAvailable")
	}},
	{Cite: "docs/spec/http-api.md 6.16", Name: "maximum version", CDI: []string{"2.20", "4.0", "5.5"}, Run: func(t *testing.T, limit string) {
		c := coretest.Start(t, coretest.Surface(func(o *httpapi.Options) { o.MaxVersion = limit }))
		h, _ := coretest.Decoded(t, coretest.SessionOf(c.Post("", coretest.PathSession, coretest.CreateBody()).OK()).Access)
		if want := map[string]string{"2.20": "2", "4.0": "5", "5.5": "5"}[limit]; h["version"] != want {
			t.Errorf("token version %v, want %s", h["version"], want)
		}
		for _, v := range coretest.Every() {
			a := c.Do("GET", "/hello", v, nil)
			if coretest.AtLeast(limit, v) {
				a.Text(200, "Hello")
			} else {
				a.Text(400, "cdi-version "+v+" not supported")
			}
		}
		if got := c.Do("GET", "/apiversion", "", nil).List("versions"); !slices.Equal(got, coretest.Every()[:len(got)]) || got[len(got)-1] != limit {
			t.Errorf("versions %v", got)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.17", Name: "version that is not listed", CDI: []string{"2.6", "1.0", "2.22", "3.2", "0"}, Run: func(t *testing.T, v string) {
		c := coretest.Start(t)
		for _, p := range []string{coretest.PathSession, "/", "/nope", "/recipe/jwt/jwks"} {
			c.Do("GET", p, v, nil).Text(400, "cdi-version "+v+" not supported")
		}
		for _, p := range []string{"/hello", "/apiversion", coretest.PathJWKS} {
			if a := c.Do("GET", p, v, nil); a.Code != 200 {
				a.Fail("want 200")
			}
		}
		low := coretest.Start(t, coretest.Surface(func(o *httpapi.Options) { o.MinVersion = "2.21" }))
		if !coretest.AtLeast(v, "2.21") {
			low.Do("GET", "/hello", v, nil).Text(400, "cdi-version "+v+" is lower than the minimum allowed version 2.21")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.18", Name: "version above the list", CDI: coretest.Above(), Run: func(t *testing.T, v string) {
		c := coretest.Start(t)
		for _, p := range []string{"/hello", coretest.PathSession, "/", "/nope", "/apiversion", coretest.PathJWKS} {
			c.Do("GET", p, v, nil).Text(400, "cdi-version "+v+" not supported")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.19", Name: "malformed version", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		for _, v := range []string{"abc", "", "v5.0", "2.x", "5.", ".5", "5..0", "-1", "5.0 ", "５.0"} {
			for _, p := range []string{"/hello", coretest.PathSession, "/nope"} {
				r := httptest.NewRequest("GET", p, nil)
				r.Header["Cdi-Version"] = []string{v}
				c.Send(r).Text(400, "cdi-version header is invalid")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.20", Name: "other spellings", CDI: []string{"5.0.0", "5", "05.0", "5.00", "2.07"}, Run: func(t *testing.T, v string) {
		coretest.Start(t).Do("GET", coretest.PathUser+"?userId=u", v, nil).Text(400, "cdi-version "+v+" not supported")
	}},
	{Cite: "docs/spec/http-api.md 6.21", Name: "2.10 is newer than 2.9", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		for v, list := range map[string]bool{"2.8": false, "2.9": true, "2.10": true} {
			if a := c.Post(v, coretest.PathHandshake, coretest.Obj{}).OK(); a.Has("jwtSigningPublicKeyList") != list {
				a.Fail("list at %s: want %v", v, list)
			}
		}
		if httpapi.CompareVersions("2.9", "2.10") >= 0 || httpapi.CompareVersions("2.21", "3.0") >= 0 {
			t.Error("versions are not ordered by number")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.22", Name: "apiversion lists what is accepted", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		a := c.Do("GET", "/apiversion?websiteDomain=w&apiDomain=a", "", nil)
		got := a.List("versions")
		slices.Sort(got)
		want := coretest.Every()
		slices.Sort(want)
		if a.Has("status") || !slices.Equal(got, want) {
			a.Fail("want %v", want)
		}
		for _, v := range got {
			c.Get(v, coretest.PathUser, "userId", "u").OK()
		}
		c.Do("GET", "/apiversion", "2.6", nil)
	}},
}

// everyEndpoint demands that all session endpoints answer OK under other
// spellings of their paths.
func everyEndpoint(t *testing.T, cdi string, renames ...func(string) string) {
	c := coretest.Start(t)
	for _, rename := range renames {
		s := c.Create(cdi)
		for _, e := range sessionEndpoints {
			e.call(c, cdi, s, rename).OK()
		}
	}
}

// breakable is a store that fails when it is told to, with an error that tells
// what no caller may see.
type breakable struct {
	store.Store
	down atomic.Bool
}

var errDown = errors.New("dial tcp db.internal:5432: FATAL: password authentication failed for user \"root\" postgres://root:hunter2@db.internal/supertokens")

func (b *breakable) option(t *testing.T) coretest.Option {
	return func(s *coretest.Setup) {
		b.Store = coretest.OpenStore(t, "")
		coretest.SeedKeys(t, b.Store, s.Clock.Ms.Load()-600_000)
		s.Store = b
	}
}

func (b *breakable) fail() error {
	if b.down.Load() {
		return errDown
	}
	return nil
}

func guarded[T any](b *breakable, f func() (T, error)) (T, error) {
	if err := b.fail(); err != nil {
		var zero T
		return zero, err
	}
	return f()
}

func (b *breakable) Ping(ctx context.Context) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Store.Ping(ctx)
}

func (b *breakable) CreateSession(ctx context.Context, s store.Session) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Store.CreateSession(ctx, s)
}

func (b *breakable) Session(ctx context.Context, h string) (store.Session, error) {
	return guarded(b, func() (store.Session, error) { return b.Store.Session(ctx, h) })
}

func (b *breakable) Liveness(ctx context.Context, h string) (store.Liveness, error) {
	return guarded(b, func() (store.Liveness, error) { return b.Store.Liveness(ctx, h) })
}

func (b *breakable) Rotate(ctx context.Context, h string, r store.Rotation) (bool, error) {
	return guarded(b, func() (bool, error) { return b.Store.Rotate(ctx, h, r) })
}

func (b *breakable) SetData(ctx context.Context, h string, d []byte, at int64) (bool, error) {
	return guarded(b, func() (bool, error) { return b.Store.SetData(ctx, h, d, at) })
}

func (b *breakable) SetPayload(ctx context.Context, h string, d []byte, at int64) (bool, error) {
	return guarded(b, func() (bool, error) { return b.Store.SetPayload(ctx, h, d, at) })
}

func (b *breakable) Handles(ctx context.Context, u string, at int64) ([]string, error) {
	return guarded(b, func() ([]string, error) { return b.Store.Handles(ctx, u, at) })
}

func (b *breakable) Delete(ctx context.Context, h []string) ([]string, error) {
	return guarded(b, func() ([]string, error) { return b.Store.Delete(ctx, h) })
}

func (b *breakable) DeleteByUser(ctx context.Context, u string, at int64) ([]string, error) {
	return guarded(b, func() ([]string, error) { return b.Store.DeleteByUser(ctx, u, at) })
}

func (b *breakable) DeleteExpired(ctx context.Context, now int64, n int) (int, error) {
	return guarded(b, func() (int, error) { return b.Store.DeleteExpired(ctx, now, n) })
}

func (b *breakable) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	return guarded(b, func() ([]store.Key, error) { return b.Store.DynamicKeys(ctx) })
}

func (b *breakable) StaticKeys(ctx context.Context) ([]store.Key, error) {
	return guarded(b, func() ([]store.Key, error) { return b.Store.StaticKeys(ctx) })
}

func (b *breakable) AddDynamicKey(ctx context.Context, n int64, k store.Key) (bool, error) {
	return guarded(b, func() (bool, error) { return b.Store.AddDynamicKey(ctx, n, k) })
}

var _ http.Handler = (*httpapi.Server)(nil)

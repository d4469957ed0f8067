package spectest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
)

// endpoint is one that a client may call, with a body that is right for a version.
type endpoint struct {
	method, path string
	body         func(c *core, cdi string, s session) obj
	query        func(s session) []string
}

// sessionEndpoints but create; each answers OK for a live session at every version.
var sessionEndpoints = []endpoint{
	{method: "GET", path: pathSession, query: func(s session) []string { return []string{"sessionHandle", s.handle} }},
	{method: "POST", path: pathVerify, body: func(c *core, cdi string, s session) obj { return c.verifyBody(cdi, s.access) }},
	{method: "POST", path: pathRegenerate, body: func(c *core, cdi string, s session) obj { return obj{"accessToken": s.access} }},
	{method: "GET", path: pathUser, query: func(session) []string { return []string{"userId", "user"} }},
	{method: "GET", path: pathData, query: func(s session) []string { return []string{"sessionHandle", s.handle} }},
	{method: "PUT", path: pathData, body: func(c *core, cdi string, s session) obj {
		return obj{"sessionHandle": s.handle, "userDataInDatabase": obj{}}
	}},
	{method: "GET", path: pathPayload, query: func(s session) []string { return []string{"sessionHandle", s.handle} }},
	{method: "PUT", path: pathPayload, body: func(c *core, cdi string, s session) obj {
		return obj{"sessionHandle": s.handle, "userDataInJWT": obj{"role": "admin"}}
	}},
	{method: "POST", path: pathRefresh, body: func(c *core, cdi string, s session) obj { return refreshBody(cdi, s.refresh) }},
	{method: "POST", path: pathSession, body: func(c *core, cdi string, s session) obj { return createBody() }},
	{method: "POST", path: pathRemove, body: func(c *core, cdi string, s session) obj { return obj{"sessionHandles": []string{s.handle}} }},
}

// call calls e under a path made from its own.
func (e endpoint) call(c *core, cdi string, s session, rename func(string) string, header ...string) answer {
	c.t.Helper()
	path := rename(e.path)
	if e.query != nil {
		q := e.query(s)
		path += "?" + q[0] + "=" + q[1]
	}
	var body []byte
	if e.body != nil {
		body = encode(c.t, e.body(c, cdi, s))
	}
	return c.do(e.method, path, cdi, body, header...)
}

func same(p string) string { return p }

var four = []string{"GET", "POST", "PUT", "DELETE"}

var httpTransport = []rule{
	{number: 1, name: "hello", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, m := range four {
			c.do(m, "/hello", cdi, nil).text(200, "Hello")
		}
	}},
	{number: 2, name: "hello needs no key", run: func(t *testing.T, _ string) {
		c := start(t, withKeys)
		c.do("GET", "/hello", "", nil).text(200, "Hello")
		c.do("GET", "/hello", "", nil, "api-key", "wrong").text(200, "Hello")
	}},
	{number: 3, name: "hello tells a database that is down", run: func(t *testing.T, _ string) {
		b := &breakable{}
		c := start(t, b.option(t))
		c.do("GET", "/hello", "", nil).text(200, "Hello")
		b.down.Store(true)
		if a := c.do("GET", "/hello", "", nil); a.code < 500 {
			a.fail("want 5xx")
		}
		b.down.Store(false)
		c.do("GET", "/hello", "", nil).text(200, "Hello")
	}},
	{number: 4, name: "root is hello", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, m := range four {
			for _, p := range []string{"/", "/public", "/appid-public", "/appid-public/public/"} {
				c.do(m, p, cdi, nil).text(200, "Hello")
			}
		}
	}},
	{number: 5, name: "unknown path is 404 whatever the key", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		for _, p := range []string{"/nope", "/recipe", "/recipe/session/nope", "/recipe/sessions"} {
			c.do("GET", p, cdi, nil).text(404, "Not found")
			c.do("POST", p, cdi, nil, "api-key", "wrong").text(404, "Not found")
		}
	}},
	{number: 6, name: "method not offered is 405", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, p := range [][2]string{
			{"GET", pathVerify}, {"DELETE", pathSession}, {"PUT", pathRefresh}, {"GET", pathRemove},
			{"POST", pathUser}, {"DELETE", pathData}, {"GET", pathHandshake}, {"POST", pathJWKS}, {"POST", "/apiversion"},
		} {
			c.do(p[0], p[1], cdi, nil).text(405, "Method not supported")
		}
	}},
	{number: 7, name: "HEAD and OPTIONS are 405", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, p := range []string{"/", "/hello", "/nope", "/apiversion", pathJWKS, pathSession, pathVerify, pathHandshake} {
			c.do("OPTIONS", p, cdi, nil).text(405, "Method not supported")
			if a := c.do("HEAD", p, cdi, nil); a.code != 405 || a.body != "" {
				a.fail("want 405 without a body")
			}
		}
	}},
	{number: 8, name: "trailing slash", cdi: all(), run: func(t *testing.T, cdi string) {
		everyEndpoint(t, cdi, func(p string) string { return p + "/" }, func(p string) string { return p + "///" })
	}},
	{number: 9, name: "case of the path", cdi: all(), run: func(t *testing.T, cdi string) {
		everyEndpoint(t, cdi, strings.ToUpper, func(p string) string { return "//recipe/./x/.." + strings.TrimPrefix(p, "/recipe") + ";x=1" })
	}},
	{number: 10, name: "public prefixes", cdi: all(), run: func(t *testing.T, cdi string) {
		var renames []func(string) string
		for _, prefix := range []string{"/public", "/appid-public", "/appid-public/public", "/AppId-Public/PUBLIC"} {
			renames = append(renames, func(p string) string { return prefix + p })
		}
		everyEndpoint(t, cdi, renames...)
	}},
	{number: 11, name: "unknown tenant before 3.0", cdi: upTo("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		for _, p := range []string{pathSession, pathVerify, pathRemove, "/hello"} {
			c.do("POST", "/t1"+p, cdi, []byte("{}"), "api-key", apiKey).text(404, "Not found")
		}
		c.do("POST", "/t1"+pathSession, cdi, nil).text(401, "Invalid API key")
	}},
	{number: 12, name: "unknown tenant from 3.0", cdi: from("3.0"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		want := msgNoTenant + "(, public, t1)"
		c.post(cdi, "/t1"+pathSession, createBody()).text(400, want)
		c.post(cdi, "/t1"+pathRefresh, refreshBody(cdi, s.refresh)).text(400, want)
		c.get(cdi, "/t1"+pathUser, "userId", "user", "fetchAcrossAllTenants", "false").text(400, want)
		c.post(cdi, "/t1"+pathRemove, obj{"userId": "user", "revokeAcrossAllTenants": false}).text(400, want)
		c.get(cdi, "/t1"+pathSession, "sessionHandle", s.handle).ok()
		c.do("GET", "/t1/hello", cdi, nil).text(200, "Hello")
		c.do("GET", "/t1", cdi, nil).text(404, "Not found")
		across := c.get(cdi, "/t1"+pathUser, "userId", "user")
		if atLeast(cdi, "5.0") {
			across.text(403, msgPublic)
			c.post(cdi, "/t1"+pathRemove, obj{"userId": "user"}).text(403, msgPublic)
			c.get(cdi, "/t1/apiversion").text(403, msgPublic)
		} else {
			across.ok()
		}
		c.post(cdi, "/t1"+pathRemove, obj{"sessionHandles": []string{s.handle}}).ok().equals([]string{s.handle}, "sessionHandlesRevoked")
	}},
	{number: 13, name: "unknown app", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		want := msgNoTenant + "(, foo, public)"
		c.post(cdi, "/appid-foo"+pathSession, createBody()).text(400, want)
		c.post(cdi, "/appid-foo"+pathVerify, c.verifyBody(cdi, "x")).text(400, want)
		c.get(cdi, "/appid-foo"+pathUser, "userId", "u").text(400, want)
		c.get(cdi, "/appid-foo"+pathJWKS).text(400, want)
		c.get(cdi, "/appid-foo/hello").text(400, want)
	}},
	{number: 14, name: "base path", run: func(t *testing.T, _ string) {
		c := start(t, surface(func(o *httpapi.Options) { o.BasePath = "/auth/core" }))
		c.do("GET", "/auth/core/hello", "", nil).text(200, "Hello")
		c.post("5.0", "/auth/core"+pathSession, createBody()).ok()
		for _, p := range []string{"/auth/core", "/auth/core/", "//auth/./core/x/../hello", "/auth/core;x=1/hello"} {
			c.do("GET", p, "", nil).text(200, "Hello")
		}
		for _, p := range []string{"/hello", "/auth/hello", "/auth/corehello", "/AUTH/core/hello", pathSession, "/auth/core/../hello", "/auth/core/../../hello"} {
			if a := c.do("GET", p, "", nil); a.code != 404 {
				a.fail("want 404")
			}
		}
	}},
	{number: 15, name: "no version is the latest", run: func(t *testing.T, _ string) {
		c := start(t)
		s := c.post("", pathSession, createBody()).ok().only("session", "accessToken", "refreshToken")
		h, _ := decoded(t, s.str("accessToken", "token"))
		if h["version"] != "5" {
			t.Errorf("token version %v, want 5", h["version"])
		}
		c.post("", pathHandshake, obj{}).text(404, "Not found")
		// Only from 5.6 on does the database check tell of payload updates.
		c.post("", pathVerify, obj{"accessToken": s.str("accessToken", "token"), "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": true}).
			ok().equals(false, "payloadUpdateAvailable")
	}},
	{number: 16, name: "maximum version", cdi: []string{"2.20", "4.0", "5.5"}, run: func(t *testing.T, limit string) {
		c := start(t, surface(func(o *httpapi.Options) { o.MaxVersion = limit }))
		h, _ := decoded(t, sessionOf(c.post("", pathSession, createBody()).ok()).access)
		if want := map[string]string{"2.20": "2", "4.0": "5", "5.5": "5"}[limit]; h["version"] != want {
			t.Errorf("token version %v, want %s", h["version"], want)
		}
		for _, v := range every() {
			a := c.do("GET", "/hello", v, nil)
			if atLeast(limit, v) {
				a.text(200, "Hello")
			} else {
				a.text(400, "cdi-version "+v+" not supported")
			}
		}
		if got := c.do("GET", "/apiversion", "", nil).list("versions"); !slices.Equal(got, every()[:len(got)]) || got[len(got)-1] != limit {
			t.Errorf("versions %v", got)
		}
	}},
	{number: 17, name: "version that is not listed", cdi: []string{"2.6", "1.0", "2.22", "3.2", "0"}, run: func(t *testing.T, v string) {
		c := start(t)
		for _, p := range []string{pathSession, "/", "/nope", "/recipe/jwt/jwks"} {
			c.do("GET", p, v, nil).text(400, "cdi-version "+v+" not supported")
		}
		for _, p := range []string{"/hello", "/apiversion", pathJWKS} {
			if a := c.do("GET", p, v, nil); a.code != 200 {
				a.fail("want 200")
			}
		}
		low := start(t, surface(func(o *httpapi.Options) { o.MinVersion = "2.21" }))
		if !atLeast(v, "2.21") {
			low.do("GET", "/hello", v, nil).text(400, "cdi-version "+v+" is lower than the minimum allowed version 2.21")
		}
	}},
	{number: 18, name: "version above the list", cdi: []string{"99.0", "5.7", "6", "5.10", "99999999999999999999.0"}, run: func(t *testing.T, v string) {
		c := start(t)
		for _, p := range []string{"/hello", pathSession, "/", "/nope", "/apiversion", pathJWKS} {
			c.do("GET", p, v, nil).text(400, "cdi-version "+v+" not supported")
		}
	}},
	{number: 19, name: "malformed version", run: func(t *testing.T, _ string) {
		c := start(t)
		for _, v := range []string{"abc", "", "v5.0", "2.x", "5.", ".5", "5..0", "-1", "5.0 ", "５.0"} {
			for _, p := range []string{"/hello", pathSession, "/nope"} {
				r := httptest.NewRequest("GET", p, nil)
				r.Header["Cdi-Version"] = []string{v}
				c.send(r).text(400, "cdi-version header is invalid")
			}
		}
	}},
	{number: 20, name: "other spellings", cdi: []string{"5.0.0", "5", "05.0", "5.00", "2.07"}, run: func(t *testing.T, v string) {
		start(t).do("GET", pathUser+"?userId=u", v, nil).text(400, "cdi-version "+v+" not supported")
	}},
	{number: 21, name: "2.10 is newer than 2.9", run: func(t *testing.T, _ string) {
		c := start(t)
		for v, list := range map[string]bool{"2.8": false, "2.9": true, "2.10": true} {
			if a := c.post(v, pathHandshake, obj{}).ok(); a.has("jwtSigningPublicKeyList") != list {
				a.fail("list at %s: want %v", v, list)
			}
		}
		if httpapi.CompareVersions("2.9", "2.10") >= 0 || httpapi.CompareVersions("2.21", "3.0") >= 0 {
			t.Error("versions are not ordered by number")
		}
	}},
	{number: 22, name: "apiversion lists what is accepted", run: func(t *testing.T, _ string) {
		c := start(t)
		a := c.do("GET", "/apiversion?websiteDomain=w&apiDomain=a", "", nil)
		got := a.list("versions")
		slices.Sort(got)
		want := every()
		slices.Sort(want)
		if a.has("status") || !slices.Equal(got, want) {
			a.fail("want %v", want)
		}
		for _, v := range got {
			c.get(v, pathUser, "userId", "u").ok()
		}
		c.do("GET", "/apiversion", "2.6", nil)
	}},
}

// everyEndpoint demands that all session endpoints answer OK under other
// spellings of their paths.
func everyEndpoint(t *testing.T, cdi string, renames ...func(string) string) {
	c := start(t)
	for _, rename := range renames {
		s := c.create(cdi)
		for _, e := range sessionEndpoints {
			e.call(c, cdi, s, rename).ok()
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

func (b *breakable) option(t *testing.T) option {
	return func(s *setup) {
		b.Store = openStore(t, "")
		seedKeys(t, b.Store, s.clock.ms.Load()-600_000)
		s.store = b
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

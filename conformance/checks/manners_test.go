package checks_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// only gives the options of a run of some checks in one version.
func only(t *testing.T, ids, version string, d serve.Decorate) conformance.Options {
	t.Helper()
	target := testcore.New(t)
	target.Decorate = d
	o := options(t, target)
	o.Checks = slices.DeleteFunc(o.Checks, func(c conformance.Check) bool { return !strings.Contains(ids, c.ID) })
	o.Stages = []protocol.Stage{{Version: version, Whole: true}}
	return o
}

// TestACoreMayRefuseAManner: what a server refuses live users, by an answer or by ending
// the connection, is left out and told; the rest is tried.
func TestACoreMayRefuseAManner(t *testing.T) {
	t.Parallel()
	answer := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", code) }
	}
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>no</html>")) }
	forwarded := func(r *http.Request) bool { return r.Header.Get("X-Forwarded-For") != "" }
	chunked := func(r *http.Request) bool { return r.ContentLength < 0 }
	long := func(r *http.Request) bool { return r.ContentLength > 64<<10 }
	old := func(r *http.Request) bool { return !r.ProtoAtLeast(1, 1) }
	for name, tc := range map[string]struct {
		hits   func(*http.Request) bool
		with   http.HandlerFunc
		manner protocol.Manner
		says   string
	}{
		"HTTP/1.0, 505":               {old, answer(505), protocol.MannerOlder, "HTTP 505 (not here)"},
		"HTTP/1.0, 400":               {old, answer(400), protocol.MannerOlder, "HTTP 400"},
		"HTTP/1.0, hung up":           {old, hangUp, protocol.MannerOlder, "no answer"},
		"HTTP/1.0, a page":            {old, page, protocol.MannerOlder, "HTTP 200, and nothing of the protocol's"},
		"chunks, 411":                 {chunked, answer(411), protocol.MannerGateway, "HTTP 411"},
		"chunks, hung up":             {chunked, hangUp, protocol.MannerGateway, "no answer"},
		"64 kB, 413":                  {long, answer(413), protocol.MannerNewer, "HTTP 413"},
		"64 kB, hung up":              {long, hangUp, protocol.MannerNewer, "no answer"},
		"forwarded requests, 403":     {forwarded, answer(403), protocol.MannerProxied, "HTTP 403"},
		"forwarded requests, hung up": {forwarded, hangUp, protocol.MannerProxied, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "HTTP/1.0, hung up" && name != "forwarded requests, 403" {
				t.Skip("two are tried; without -short all are")
			}
			t.Parallel()
			o := only(t, "BL-70", "5.4", serve.Decorate{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tc.hits(r) {
						tc.with(w, r)
						return
					}
					next.ServeHTTP(w, r)
				})
			}})
			got, _, err := conformance.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			c := &got.Checks[0]
			if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Pass {
				t.Errorf("%s %s", outcome, why)
			}
			for key, value := range c.Observations {
				if told, ok := strings.CutPrefix(key, "not asked as by "); ok && (told != string(tc.manner) || !strings.Contains(value, tc.says)) {
					t.Errorf("%s: %s, want %s: %s", key, value, tc.manner, tc.says)
				}
			}
			if c.Observations["not asked as by "+string(tc.manner)] == "" {
				t.Errorf("not told: %v", c.Observations)
			}
			if p := got.Pairs; p == nil || p.Wanted < 500 || p.Met != p.Wanted || len(p.LeftOut) != 1 || !strings.Contains(p.LeftOut[0], tc.says) {
				t.Errorf("pairs %+v", p)
			}
		})
	}
}

// TestALimitOnCallsIsNoBrokenRule: what a core turns away for being too much was not
// tried, which is said and is neither a failure nor a pass.
func TestALimitOnCallsIsNoBrokenRule(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"BL-02", "BL-05", "BL-20", "BL-26", "BL-60", "SE-01"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			o := only(t, id, "5.4", serve.Decorate{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasPrefix(r.URL.Path, "/recipe/") && calls.Add(1)%11 == 0 {
						w.Header().Set("Retry-After", "1")
						http.Error(w, "slow down", http.StatusTooManyRequests)
						return
					}
					next.ServeHTTP(w, r)
				})
			}})
			got, _, err := conformance.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			c := &got.Checks[0]
			if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Error || !strings.Contains(why, protocol.ErrLimited.Error()) {
				t.Errorf("%s: %s, violations %+v", outcome, why, c.Violations)
			}
		})
	}
}

// TestTokensThatKeysVerifyNeedThem: who issues JWTs and publishes nothing fails.
func TestTokensThatKeysVerifyNeedThem(t *testing.T) {
	t.Parallel()
	got, _, err := conformance.Run(t.Context(), only(t, "SE-11", "5.4", serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/jwks.json") {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}}))
	if err != nil {
		t.Fatal(err)
	}
	if outcome, why := verdict.Check(&got.Checks[0], got.Histories); outcome != proof.Fail {
		t.Errorf("%s %s", outcome, why)
	}
}

// TestWhatHangsOnATroubledCheckSaysSo: what could not be tried was not broken.
func TestWhatHangsOnATroubledCheckSaysSo(t *testing.T) {
	t.Parallel()
	got, _, err := conformance.Run(t.Context(), only(t, "BL-02 BL-05", "5.4", serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/remove") {
				http.Error(w, "slow down", http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}}))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.Checks, func(c proof.Check) bool { return c.Cause == "BL-02" })
	if i < 0 || !strings.HasSuffix(got.Checks[i].Trouble, "could not be tried itself") {
		t.Errorf("%+v", got.Checks)
	}
}

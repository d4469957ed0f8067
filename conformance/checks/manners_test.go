package checks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/refcore/httpapi"
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

// fronted is what stands before cores: what hits is answered otherwise, at the cores whose
// flag is off alone where offOnly says so.
func fronted(hits func(*http.Request) bool, with http.HandlerFunc, offOnly bool) serve.Decorate {
	var flag bool // of the core that is being started: its engine is made first
	return serve.Decorate{
		Engine: func(next httpapi.Engine) httpapi.Engine {
			flag = next.Settings().Blacklisting
			return next
		},
		Handler: func(next http.Handler) http.Handler {
			spared := offOnly && flag
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !spared && hits(r) {
					with(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	}
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
	tenantAt := func(path string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Path, "/public/") && strings.HasSuffix(r.URL.Path, path)
		}
	}
	proxiedAt := func(path string) func(*http.Request) bool {
		return func(r *http.Request) bool { return forwarded(r) && strings.HasSuffix(r.URL.Path, path) }
	}
	quoted := func(r *http.Request) bool {
		return strings.Contains(r.URL.RawQuery, "%5C") || strings.Contains(r.URL.RawQuery, "%27")
	}
	markedBody := func(r *http.Request) bool {
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		return strings.HasSuffix(r.URL.Path, "/remove") && bytes.Contains(b, []byte("auth0|"))
	}
	manner := func(m protocol.Manner) string { return "asked as by " + string(m) }
	const marks, off = "user id with marks", " at the core whose flag is off"
	for name, tc := range map[string]struct {
		hits  func(*http.Request) bool
		with  http.HandlerFunc
		value string // of a dimension, as it is told; further ones after a comma
		says  string
	}{
		"HTTP/1.0, 505":               {old, answer(505), manner(protocol.MannerOlder), "HTTP 505 (not here)"},
		"HTTP/1.0, 400":               {old, answer(400), manner(protocol.MannerOlder), "HTTP 400"},
		"HTTP/1.0, hung up":           {old, hangUp, manner(protocol.MannerOlder), "no answer"},
		"HTTP/1.0, a page":            {old, page, manner(protocol.MannerOlder), "HTTP 200, and nothing of the protocol's"},
		"chunks, 411":                 {chunked, answer(411), manner(protocol.MannerGateway), "HTTP 411"},
		"chunks, hung up":             {chunked, hangUp, manner(protocol.MannerGateway), "no answer"},
		"64 kB, 413":                  {long, answer(413), manner(protocol.MannerNewer), "HTTP 413"},
		"64 kB, hung up":              {long, hangUp, manner(protocol.MannerNewer), "no answer"},
		"forwarded requests, 403":     {forwarded, answer(403), manner(protocol.MannerProxied), "HTTP 403"},
		"forwarded requests, hung up": {forwarded, hangUp, manner(protocol.MannerProxied), "no answer"},
		"tenants, no regenerate":      {tenantAt("/regenerate"), answer(404), manner(protocol.MannerTenants) + " with regenerate", "the regenerate of a live user HTTP 404"},
		"tenants, no revoke":          {tenantAt("/remove"), answer(404), manner(protocol.MannerTenants), "the revoke of a live user HTTP 404"},
		"tenants, no listing":         {tenantAt("/session/user"), answer(404), manner(protocol.MannerTenants) + " with list", "the list of a live user HTTP 404"},
		"forwarded refreshes, 403":    {proxiedAt("/refresh"), answer(403), manner(protocol.MannerProxied) + " with refresh", "the refresh of a live user HTTP 403"},
		"quotes in a query, 403":      {quoted, answer(403), marks + " with list", "the list of a live user HTTP 403"},
		"off: forwarded, 403":         {forwarded, answer(403), manner(protocol.MannerProxied) + off + " with verify," + manner(protocol.MannerProxied) + off + " with revoke", "the verify of a live user HTTP 403"},
		"off: forwarded revokes, 403": {proxiedAt("/remove"), answer(403), manner(protocol.MannerProxied) + off + " with revoke", "the revoke of a live user HTTP 403"},
		"off: revokes of marks, 403":  {markedBody, answer(403), marks + off + " with revoke by user", "the revoke by user of a live user HTTP 403"},
		"off: all revokes, 403":       {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/remove") }, answer(403), strings.TrimSpace(off) + " with revoke", "the revoke of a live user HTTP 403"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "HTTP/1.0, hung up" && name != "tenants, no revoke" && name != "off: forwarded revokes, 403" {
				t.Skip("three are tried; without -short all are")
			}
			t.Parallel()
			version, offOnly := "5.4", strings.HasPrefix(name, "off")
			if offOnly {
				version = "2.20" // there a core's own flag decides
			}
			got, _, err := conformance.Run(t.Context(), only(t, "BL-70", version, fronted(tc.hits, tc.with, offOnly)))
			if err != nil {
				t.Fatal(err)
			}
			c := &got.Checks[0]
			if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Pass {
				t.Errorf("%s %s", outcome, why)
			}
			want := strings.Split(tc.value, ",")
			for key, value := range c.Observations {
				if told, ok := strings.CutPrefix(key, "not "); ok && !slices.Contains(want, told) {
					t.Errorf("%s: %s, want %s", key, value, want)
				}
			}
			for _, w := range want {
				if c.Observations["not "+w] == "" {
					t.Errorf("not told: %s in %v", w, c.Observations)
				}
			}
			if says := c.Observations["not "+want[0]]; !strings.Contains(says, tc.says) {
				t.Errorf("told %s, want %s", says, tc.says)
			}
			if p := got.Pairs; p == nil || p.Wanted < 500 || p.Met != p.Wanted || len(p.LeftOut) != len(want) || !strings.Contains(p.LeftOut[0], tc.says) {
				t.Errorf("pairs %+v", p)
			}
		})
	}
}

// TestARefusalHidesNothing: a core that refuses one call in a manner, or of a user, is tried
// in all that it does not refuse.
func TestARefusalHidesNothing(t *testing.T) {
	t.Parallel()
	forbid := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusForbidden) }
	breaks := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "null pointer", http.StatusInternalServerError)
	}
	proxied := func(path, version string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return r.Header.Get("X-Forwarded-For") != "" && strings.HasSuffix(r.URL.Path, path) && strings.HasPrefix(r.Header.Get("cdi-version"), version)
		}
	}
	for name, tc := range map[string]struct {
		defect string
		hits   func(*http.Request) bool
		with   http.HandlerFunc
	}{
		"no listing for proxied callers":                   {"proxied-requests-not-covered", proxied("/session/user", ""), forbid},
		"no refresh for proxied callers":                   {"proxied-requests-not-covered", proxied("/refresh", ""), forbid},
		"no revoke for proxied callers in another version": {"proxied-requests-not-covered", proxied("/remove", "2.20"), forbid},
		"no listing of users with a bar": {"marked-users-not-covered", func(r *http.Request) bool {
			return strings.Contains(r.URL.RawQuery, "%7C")
		}, breaks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ok := broken.Find(tc.defect)
			if !ok {
				t.Fatal("no such defect")
			}
			front, behind := fronted(tc.hits, tc.with, false), d.Decorate
			got, _, err := conformance.Run(t.Context(), only(t, "BL-70", "5.4", serve.Decorate{
				Engine: func(next httpapi.Engine) httpapi.Engine { return front.Engine(behind.Engine(next)) },
				Handler: func(next http.Handler) http.Handler {
					if behind.Handler != nil {
						next = behind.Handler(next)
					}
					return front.Handler(next)
				},
			}))
			if err != nil {
				t.Fatal(err)
			}
			if outcome, why := verdict.Check(&got.Checks[0], got.Histories); outcome != proof.Fail || len(got.Pairs.LeftOut) == 0 {
				t.Errorf("%s %s, left out %v", outcome, why, got.Pairs.LeftOut)
			}
		})
	}
}

// TestACoreMayRefuseIDs: a core that says no to users with a character has none that it
// could take for others, and its profile is whole without the rule. One that breaks at
// such a user says nothing.
func TestACoreMayRefuseIDs(t *testing.T) {
	t.Parallel()
	creates := func(bad string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
			var in struct{ UserID string }
			return json.Unmarshal(b, &in) == nil && r.URL.Path == "/recipe/session" && strings.ContainsAny(in.UserID, bad)
		}
	}
	answer := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad id", code) }
	}
	status := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"BAD_ID"}`)) }
	for name, tc := range map[string]struct {
		hits    func(*http.Request) bool
		with    http.HandlerFunc
		outcome proof.Outcome // of the check
		profile proof.Outcome
		says    string
	}{
		"no wildcards":            {creates("%_|"), answer(400), proof.Skip, proof.Pass, `the core takes no user's id like "…-_": the core answers the create of a live user HTTP 400 (bad id)`},
		"no wildcards, in words":  {creates("%_|"), status, proof.Skip, proof.Pass, "BAD_ID"},
		"no percent":              {creates("%|"), answer(400), proof.Pass, proof.Pass, `no user's id like "…-%"`},
		"no percent in a query":   {func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "%25") }, answer(403), proof.Pass, proof.Pass, "the list of a live user HTTP 403"},
		"breaks at wildcards":     {creates("%_|"), answer(500), proof.Error, proof.Error, "HTTP 500"},
		"takes none of its users": {creates("-"), answer(400), proof.Error, proof.Error, "HTTP 400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := only(t, "IS-03 IS-06", "5.4", fronted(tc.hits, tc.with, false))
			got, _, err := conformance.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			p := &proof.Proof{SchemaVersion: proof.SchemaVersion, Targets: []proof.Target{{Name: "test", Conformance: got}}}
			verdict.Derive(p)
			for _, c := range got.Checks {
				if c.ID != "IS-06" {
					continue
				}
				if told := fmt.Sprint(c.Reason, c.Observations); c.Outcome != tc.outcome || !strings.Contains(told, tc.says) {
					t.Errorf("%s %s, want %s %s", c.Outcome, told, tc.outcome, tc.says)
				}
			}
			if p := got.Profiles[0]; p.Name != string(conformance.Blacklisting) || p.Outcome != tc.profile {
				t.Errorf("profile %s: %s %s", p.Name, p.Outcome, p.Reason)
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

package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// FuzzRequest sends any body and query to any endpoint at any version: never a
// panic, never a 5xx, and each answer is JSON or one line of text.
func FuzzRequest(f *testing.F) {
	ctx := context.Background()
	st, err := sqlite.Open(ctx, store.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = st.Close() })
	coretest.SeedKeys(f, st, coretest.Epoch-600_000)
	set := refcore.DefaultSettings()
	set.CleanupEvery = 0
	k := &coretest.Clock{}
	k.Ms.Store(coretest.Epoch)
	engine, err := refcore.New(ctx, refcore.Options{Store: st, Settings: set, Now: k.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(engine.Close)
	var log logged
	h, err := httpapi.New(httpapi.Options{Engine: engine, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		f.Fatal(err)
	}
	call := func(method, path, version string, body []byte) *httptest.ResponseRecorder {
		u, err := url.Parse("http://core/")
		if err != nil {
			f.Fatal(err)
		}
		path, u.RawQuery, _ = strings.Cut(path, "?")
		u.Path = path
		r := &http.Request{Method: method, URL: u, Header: http.Header{}, Host: "core", RemoteAddr: "192.0.2.1:1", Body: http.NoBody, ContentLength: -1}
		if body != nil {
			r.Body = readCloser{bytes.NewReader(body)}
		}
		if version != "" {
			r.Header["Cdi-Version"] = []string{version}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	methods := []string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"}
	paths := []string{
		coretest.PathSession, coretest.PathVerify, coretest.PathRefresh, coretest.PathRemove, coretest.PathRegenerate, coretest.PathUser, coretest.PathData, coretest.PathPayload, coretest.PathHandshake, coretest.PathJWT, "/recipe/jwt/jwks", coretest.PathJWKS, "/apiversion", "/hello", "/",
		"/t1" + coretest.PathSession, "/appid-foo" + coretest.PathVerify, "/appid-public/public" + coretest.PathRemove,
	}
	index := func(path string) uint8 {
		for i, p := range paths {
			if p == path {
				return uint8(i)
			}
		}
		f.Fatalf("no path %s", path)
		return 0
	}
	versions := append(coretest.Every(), "", "2.6", "abc")
	for i, v := range coretest.Every() {
		made := call("POST", coretest.PathSession, v, coretest.Encode(f, coretest.CreateBody(coretest.Obj{"enableAntiCsrf": true})))
		var a struct {
			AccessToken, RefreshToken struct{ Token string }
			Session                   struct{ Handle string }
		}
		if err := json.Unmarshal(made.Body.Bytes(), &a); err != nil || made.Code != 200 {
			f.Fatalf("%v %s", err, made.Body)
		}
		version := uint8(i)
		add := func(method uint8, path, query string, body any) {
			f.Add(method, index(path), version, query, coretest.Encode(f, body))
		}
		add(1, coretest.PathSession, "", coretest.CreateBody(coretest.Obj{"accessTokenValidity": 1000, "useDynamicSigningKey": false}))
		add(1, coretest.PathVerify, "", coretest.Obj{"accessToken": a.AccessToken.Token, "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": true, "antiCsrfToken": "x"})
		add(1, coretest.PathRefresh, "", coretest.Obj{"refreshToken": a.RefreshToken.Token, "enableAntiCsrf": false, "useDynamicSigningKey": true})
		add(1, coretest.PathRegenerate, "", coretest.Obj{"accessToken": a.AccessToken.Token, "userDataInJWT": coretest.Obj{"a": 1}})
		if i > 0 && i < len(coretest.Every())-1 {
			continue // the rest is the same at every version
		}
		add(1, coretest.PathRemove, "", coretest.Obj{"sessionHandles": []string{"x", "y_t1"}})
		add(1, coretest.PathRemove, "", coretest.Obj{"userId": "nobody", "revokeAcrossAllTenants": true})
		add(2, coretest.PathData, "", coretest.Obj{"sessionHandle": a.Session.Handle, "userDataInDatabase": coretest.Obj{"n": rawNumber("1e999999999")}})
		add(2, coretest.PathPayload, "", coretest.Obj{"sessionHandle": a.Session.Handle, "userDataInJWT": coretest.Obj{"s": "\u2028"}})
		add(0, coretest.PathSession, "sessionHandle="+a.Session.Handle, "")
		add(0, coretest.PathUser, "userId=user&fetchAcrossAllTenants=false", "")
		add(0, coretest.PathUser, "userId=%ff%00;&x", "")
		add(1, coretest.PathJWT, "", coretest.Obj{"algorithm": "RS256", "jwksDomain": "d", "payload": coretest.Obj{"sub": 1}, "validity": int64(1) << 62})
		add(1, coretest.PathHandshake, "", "")
	}
	for _, body := range []string{"", "null", "[]", `{"a":"\ud800"}`, "\xff\xfe", `{"userId":["a"],"enableAntiCsrf":[true],"userDataInJWT":{"":{}},"userDataInDatabase":{"a":[[]]}}`} {
		f.Add(uint8(1), index(coretest.PathSession), uint8(0), "", []byte(body))
	}
	f.Fuzz(func(t *testing.T, method, path, version uint8, query string, body []byte) {
		m := methods[int(method)%len(methods)]
		p := paths[int(path)%len(paths)]
		v := versions[int(version)%len(versions)]
		if query != "" {
			p += "?" + query
		}
		w := call(m, p, v, body)
		if w.Code >= 500 {
			t.Fatalf("%s %s at %q: HTTP %d; %s", m, p, v, w.Code, log.String())
		}
		text := w.Body.String()
		switch kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";"); {
		case m == "HEAD":
			if text != "" {
				t.Fatalf("HEAD %s has a body: %q", p, text)
			}
		case kind == "application/json":
			if w.Code != 200 || !json.Valid([]byte(text)) {
				t.Fatalf("%s %s at %q: HTTP %d, no JSON: %q", m, p, v, w.Code, text)
			}
		case kind == "text/html":
			if !strings.HasSuffix(text, "\n") || strings.Count(text, "\n") != 1 && !strings.HasPrefix(text, coretest.MsgNoTenant) {
				t.Fatalf("%s %s at %q: HTTP %d, not one line: %q", m, p, v, w.Code, text)
			}
		default:
			t.Fatalf("%s %s at %q: content type %q", m, p, v, kind)
		}
	})
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

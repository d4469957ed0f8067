package cdi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// seen is what a scripted server was asked.
type seen struct {
	Method, URI string
	Header      http.Header
	Body        map[string]any
}

// scripted answers every request with status and body and keeps the last request.
func scripted(t *testing.T, status int, body string) (string, func() seen) {
	t.Helper()
	var mu sync.Mutex
	var last seen
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		last = seen{Method: r.Method, URI: r.RequestURI, Header: r.Header}
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &last.Body); err != nil {
				t.Errorf("request body is not JSON: %v", err)
			}
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() seen { mu.Lock(); defer mu.Unlock(); return last }
}

func client(t *testing.T, url, version string) *Client {
	t.Helper()
	c, err := New(protocol.DialOptions{Name: "on-0", BaseURL: url, Version: version, APIKey: "secret-secret-secret-1", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, url, version, want string }{
		{"an unknown version", "http://h:1", "2.22", `"2.22"`},
		{"a version by another spelling", "http://h:1", "5.6.0", `"5.6.0"`},
		{"no scheme", "h:1", "5.4", "http"},
		{"another scheme", "ftp://h", "5.4", "http://"},
		{"no host", "http:///x", "5.4", "no host"},
		{"a query", "http://h/?a=b", "5.4", "query"},
		{"a password", "http://u:p@h/", "5.4", "password"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(protocol.DialOptions{BaseURL: tc.url, Version: tc.version})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got error %v, want one that mentions %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "u:p") {
				t.Fatalf("error %v shows the password", err)
			}
		})
	}
}

func TestEras(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]protocol.FlagMode{
		"2.7": protocol.BySetting, "2.9": protocol.BySetting, "2.20": protocol.BySetting,
		"2.21": protocol.ByRequest, "3.0": protocol.ByRequest, "5.6": protocol.ByRequest,
	} {
		if got := FlagModeOf(v); got != want {
			t.Errorf("FlagModeOf(%s) = %s, want %s", v, got, want)
		}
	}
	vs := Versions()
	if len(vs) != 25 {
		t.Errorf("%d versions, want 25", len(vs))
	}
	for i := 1; i < len(vs); i++ {
		if Compare(vs[i-1], vs[i]) >= 0 {
			t.Errorf("%s does not come before %s", vs[i-1], vs[i])
		}
	}
}

const (
	aToken   = `{"token":"tok","expiry":2000,"createdTime":1000}`
	session2 = `"session":{"handle":"h","userId":"u","userDataInJWT":{"n":12345678901234567890}}`
	session5 = `"session":{"handle":"h","userId":"u","recipeUserId":"u","tenantId":"public","userDataInJWT":{"n":12345678901234567890}}`
)

// TestRequests holds each verb to the request that CDI describes.
func TestRequests(t *testing.T) {
	t.Parallel()
	ok2 := `{"status":"OK",` + session2 + `,"accessToken":` + aToken + `,"refreshToken":` + aToken + `,"antiCsrfToken":"csrf"}`
	ok5 := strings.Replace(ok2, session2, session5, 1)
	for _, tc := range []struct {
		name, version, answer string
		call                  func(context.Context, *Client) error
		method, uri           string
		body                  string
	}{
		{"create in the old era", "2.18", ok2, func(ctx context.Context, c *Client) error {
			got, err := c.Create(ctx, protocol.CreateRequest{UserID: "u", StaticKey: true})
			if err == nil && (got.Session.Handle != "h" || got.Access.Value != "tok" || got.Refresh.Expiry != 2000 || got.AntiCSRF != "") {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "POST", "/recipe/session", `{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}`},
		{"create with a static key", "2.21", ok2, func(ctx context.Context, c *Client) error {
			got, err := c.Create(ctx, protocol.CreateRequest{UserID: "ü", StaticKey: true, AntiCSRF: true, Payload: map[string]any{"a": "<b>"}})
			if err == nil && (got.AntiCSRF != "csrf" || string(got.Session.Payload) != `{"n":12345678901234567890}`) {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "POST", "/recipe/session", `{"userId":"ü","enableAntiCsrf":true,"userDataInJWT":{"a":"<b>"},"userDataInDatabase":{},"useDynamicSigningKey":false}`},
		{"verify in the old era sends no checkDatabase", "2.20", `{"status":"OK",` + session2 + `}`, func(ctx context.Context, c *Client) error {
			_, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true})
			return err
		}, "POST", "/recipe/session/verify", `{"accessToken":"t","doAntiCsrfCheck":false,"enableAntiCsrf":false}`},
		{"verify with both switches in the old era", "2.20", `{"status":"OK",` + session2 + `}`, func(ctx context.Context, c *Client) error {
			_, err := c.VerifyBothSwitches(ctx, protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true})
			return err
		}, "POST", "/recipe/session/verify", `{"accessToken":"t","doAntiCsrfCheck":false,"enableAntiCsrf":false,"checkDatabase":true}`},
		{"verify in the new era", "5.4", `{"status":"OK",` + session5 + `,"accessToken":` + aToken + `}`, func(ctx context.Context, c *Client) error {
			got, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true, DoAntiCSRF: true, AntiCSRF: "x"})
			if err == nil && (got.Access.Value != "tok" || got.Session.TenantID != "public" || got.Session.RecipeUserID != "u") {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "POST", "/recipe/session/verify", `{"accessToken":"t","doAntiCsrfCheck":true,"enableAntiCsrf":true,"antiCsrfToken":"x","checkDatabase":true}`},
		{"verify without the switch", "5.4", `{"status":"OK",` + session5 + `}`, func(ctx context.Context, c *Client) error {
			_, err := c.VerifyWith(ctx, protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true}, nil)
			return err
		}, "POST", "/recipe/session/verify", `{"accessToken":"t","doAntiCsrfCheck":false,"enableAntiCsrf":false}`},
		{"verify with a switch that is none", "5.4", `{"status":"OK",` + session5 + `}`, func(ctx context.Context, c *Client) error {
			_, err := c.VerifyWith(ctx, protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true}, []byte(`"true"`))
			return err
		}, "POST", "/recipe/session/verify", `{"accessToken":"t","doAntiCsrfCheck":false,"enableAntiCsrf":false,"checkDatabase":"true"}`},
		{"refresh below 3.0", "2.21", ok2, func(ctx context.Context, c *Client) error {
			_, err := c.Refresh(ctx, protocol.RefreshRequest{RefreshToken: "r", StaticKey: true})
			return err
		}, "POST", "/recipe/session/refresh", `{"refreshToken":"r","enableAntiCsrf":false}`},
		{"refresh from 3.0 on", "5.4", ok5, func(ctx context.Context, c *Client) error {
			_, err := c.Refresh(ctx, protocol.RefreshRequest{RefreshToken: "r", EnableCSRF: true, AntiCSRF: "x"})
			return err
		}, "POST", "/recipe/session/refresh", `{"refreshToken":"r","enableAntiCsrf":true,"antiCsrfToken":"x","useDynamicSigningKey":true}`},
		{"theft", "5.4", `{"status":"TOKEN_THEFT_DETECTED","session":{"handle":"h","userId":"u","recipeUserId":"u"}}`, func(ctx context.Context, c *Client) error {
			got, err := c.Refresh(ctx, protocol.RefreshRequest{RefreshToken: "r"})
			if err == nil && (got.Status != protocol.TokenTheft || got.Session.Handle != "h" || got.Session.UserID != "u") {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "POST", "/recipe/session/refresh", `{"refreshToken":"r","enableAntiCsrf":false,"useDynamicSigningKey":true}`},
		{"revoke by handles", "5.4", `{"status":"OK","sessionHandlesRevoked":["a"]}`, func(ctx context.Context, c *Client) error {
			got, err := c.Revoke(ctx, "a", "b")
			if err == nil && (len(got.Handles) != 1 || got.Handles[0] != "a") {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "POST", "/recipe/session/remove", `{"sessionHandles":["a","b"]}`},
		{"revoke nothing", "5.4", `{"status":"OK","sessionHandlesRevoked":[]}`, func(ctx context.Context, c *Client) error {
			_, err := c.Revoke(ctx)
			return err
		}, "POST", "/recipe/session/remove", `{"sessionHandles":[]}`},
		{"revoke by user", "2.7", `{"status":"OK","sessionHandlesRevoked":[]}`, func(ctx context.Context, c *Client) error {
			_, err := c.RevokeUser(ctx, "u")
			return err
		}, "POST", "/recipe/session/remove", `{"userId":"u"}`},
		{"regenerate without a new payload", "2.18", `{"status":"OK",` + session2 + `}`, func(ctx context.Context, c *Client) error {
			got, err := c.Regenerate(ctx, "t", nil)
			if err == nil && got.Access.Value != "" {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "POST", "/recipe/session/regenerate", `{"accessToken":"t"}`},
		{"regenerate with a payload", "5.4", `{"status":"OK",` + session5 + `,"accessToken":` + aToken + `}`, func(ctx context.Context, c *Client) error {
			_, err := c.Regenerate(ctx, "t", map[string]any{})
			return err
		}, "POST", "/recipe/session/regenerate", `{"accessToken":"t","userDataInJWT":{}}`},
		{"list", "5.4", `{"status":"OK","sessionHandles":["a","b"]}`, func(ctx context.Context, c *Client) error {
			got, err := c.List(ctx, "a b+&ü")
			if err == nil && len(got.Handles) != 2 {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "GET", "/recipe/session/user?userId=a+b%2B%26%C3%BC", ""},
		{"get", "5.4", `{"status":"OK","sessionHandle":"h","userId":"u","recipeUserId":"u","tenantId":"public","userDataInJWT":{},"userDataInDatabase":{"d":1},"expiry":5,"timeCreated":3}`, func(ctx context.Context, c *Client) error {
			got, err := c.Get(ctx, "h")
			if err == nil && (got.Expiry != 5 || got.Created != 3 || string(got.Data) != `{"d":1}`) {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "GET", "/recipe/session?sessionHandle=h", ""},
		{"get data", "2.7", `{"status":"OK","userDataInDatabase":{"d":1}}`, func(ctx context.Context, c *Client) error {
			got, err := c.GetData(ctx, "h/1")
			if err == nil && string(got.Data) != `{"d":1}` {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "GET", "/recipe/session/data?sessionHandle=h%2F1", ""},
		{"get payload", "5.6", `{"status":"OK","userDataInJWT":{"p":1}}`, func(ctx context.Context, c *Client) error {
			got, err := c.GetPayload(ctx, "h")
			if err == nil && string(got.Session.Payload) != `{"p":1}` {
				err = fmt.Errorf("decoded %+v", got)
			}
			return err
		}, "GET", "/recipe/jwt/data?sessionHandle=h", ""},
		{"set payload", "5.4", `{"status":"OK"}`, func(ctx context.Context, c *Client) error {
			_, err := c.SetPayload(ctx, "h", map[string]any{"x": 1})
			return err
		}, "PUT", "/recipe/jwt/data", `{"sessionHandle":"h","userDataInJWT":{"x":1}}`},
		{"set data", "5.4", `{"status":"OK"}`, func(ctx context.Context, c *Client) error {
			_, err := c.SetData(ctx, "h", nil)
			return err
		}, "PUT", "/recipe/session/data", `{"sessionHandle":"h","userDataInDatabase":{}}`},
		{"handshake", "2.18", `{"status":"OK","accessTokenBlacklistingEnabled":true}`, func(ctx context.Context, c *Client) error {
			on, known, err := c.FlagSetting(ctx)
			if err == nil && (!on || !known) {
				err = fmt.Errorf("on %v, known %v", on, known)
			}
			return err
		}, "POST", "/recipe/handshake", `{}`},
		{"hello", "5.4", "Hello\n", func(ctx context.Context, c *Client) error {
			_, err := c.Hello(ctx)
			return err
		}, "GET", "/hello", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url, last := scripted(t, 200, tc.answer)
			ctx := protocol.WithTag(t.Context(), "BL-01/3")
			if err := tc.call(ctx, client(t, url, tc.version)); err != nil {
				t.Fatal(err)
			}
			got := last()
			if got.Method != tc.method || got.URI != tc.uri {
				t.Errorf("got %s %s, want %s %s", got.Method, got.URI, tc.method, tc.uri)
			}
			var want map[string]any
			if tc.body != "" {
				if err := json.Unmarshal([]byte(tc.body), &want); err != nil {
					t.Fatal(err)
				}
			}
			if a, b := fmt.Sprint(got.Body), fmt.Sprint(want); a != b {
				t.Errorf("got body %s, want %s", a, b)
			}
			for name, value := range map[string]string{
				"rid": "session", "cdi-version": tc.version, "api-key": "secret-secret-secret-1", protocol.TagHeader: "BL-01/3",
			} {
				if v := got.Header.Get(name); v != value {
					t.Errorf("header %s is %q, want %q", name, v, value)
				}
			}
			if tc.body != "" && got.Header.Get("content-type") != "application/json; charset=utf-8" {
				t.Errorf("content-type is %q", got.Header.Get("content-type"))
			}
		})
	}
}

// TestGetIsNewerThanTheProtocol: at 2.7 a core need not have it.
func TestGetIsNewerThanTheProtocol(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{"2.7": false, "2.8": true, "2.10": true, "5.6": true} {
		c := client(t, "http://127.0.0.1:1", v)
		if got := protocol.Has(c, protocol.VerbGet); got != want || protocol.Without(c, protocol.VerbGet) == "" != want {
			t.Errorf("CDI %s: has get %v, want %v", v, got, want)
		}
		if !protocol.Has(c, protocol.VerbList) {
			t.Errorf("CDI %s has no list", v)
		}
	}
}

func TestFlagSettingIsUnknownInTheNewEra(t *testing.T) {
	t.Parallel()
	on, known, err := client(t, "http://127.0.0.1:1", "5.4").FlagSetting(t.Context())
	if on || known || err != nil {
		t.Fatalf("got %v %v %v, want unknown without asking", on, known, err)
	}
}

func TestNoTagNoHeader(t *testing.T) {
	t.Parallel()
	url, last := scripted(t, 200, `{"status":"OK","sessionHandles":[]}`)
	if _, err := client(t, url, "5.4").List(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	if _, ok := last().Header[protocol.TagHeader]; ok {
		t.Fatalf("untagged request carries %s", protocol.TagHeader)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   protocol.Status // "" when an error is due
		errHas string
	}{
		{"a refusal", 200, `{"status":"UNAUTHORISED","message":"gone"}`, protocol.Unauthorised, ""},
		{"an unknown status is passed on", 200, `{"status":"SOMETHING"}`, "SOMETHING", ""},
		{"a 500", 500, "Internal Error\n", protocol.HTTPError, ""},
		{"a 401", 401, "Invalid API key\n", protocol.HTTPError, ""},
		{"a redirect is not followed", 302, "", protocol.HTTPError, ""},
		{"HTML with 200", 200, "<html>hi</html>", "", "not a JSON object"},
		{"null", 200, "null", "", "null"},
		{"an array", 200, "[]", "", "not a JSON object"},
		{"no status", 200, "{}", "", "status is missing"},
		{"status of another type", 200, `{"status":1}`, "", "not a string"},
		{"OK without session", 200, `{"status":"OK"}`, "", "session is missing"},
		{"OK with a session by another case", 200, `{"status":"OK","Session":{}}`, "", "session is missing"},
		{"OK without a handle", 200, `{"status":"OK","session":{"userId":"u","userDataInJWT":{}}}`, "", "session.handle is missing"},
		{"OK with a payload that is no object", 200, `{"status":"OK","session":{"handle":"h","userId":"u","userDataInJWT":[]}}`, "", "userDataInJWT"},
		{"OK with half a token", 200, `{"status":"OK",` + session5 + `,"accessToken":{"token":"x"}}`, "", "accessToken.expiry is missing"},
		{"cut off", 200, `{"status":"OK",` + session5, "", "not a JSON object"},
		{"too large", 200, `{"status":"OK","x":"` + strings.Repeat("x", MaxBody) + `"}`, "", "larger than 1 MiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url, _ := scripted(t, tc.status, tc.body)
			got, err := client(t, url, "5.4").Verify(t.Context(), protocol.VerifyRequest{AccessToken: "t"})
			if tc.errHas != "" {
				if err == nil || !strings.Contains(err.Error(), tc.errHas) {
					t.Fatalf("got error %v, want one with %q", err, tc.errHas)
				}
				if n := strings.Count(err.Error(), "\n"); n > 0 || len(err.Error()) > 600 {
					t.Fatalf("error is not one short line: %q", err)
				}
				return
			}
			if err != nil || got.Status != tc.want || got.HTTPStatus != tc.status {
				t.Fatalf("got %s (HTTP %d), error %v; want %s (HTTP %d)", got.Status, got.HTTPStatus, err, tc.want, tc.status)
			}
		})
	}
}

func TestShapeErrorIsTheCoresFault(t *testing.T) {
	t.Parallel()
	url, _ := scripted(t, 200, `{"status":"OK"}`)
	_, err := client(t, url, "5.4").Revoke(t.Context(), "h")
	var breach interface{ Violation() string }
	if !errors.As(err, &breach) {
		t.Fatalf("error %v does not tell a breach of the protocol from trouble", err)
	}
	_, err = client(t, "http://127.0.0.1:1", "5.4").Revoke(t.Context(), "h")
	if err == nil || errors.As(err, &breach) {
		t.Fatalf("a refused connection gave %v, want trouble", err)
	}
}

// TestACallThatIsTurnedAwayIsNoAnswer: nothing follows from it about sessions.
func TestACallThatIsTurnedAwayIsNoAnswer(t *testing.T) {
	t.Parallel()
	url, _ := scripted(t, 429, "slow down")
	c := client(t, url, "5.4")
	for what, call := range map[string]func() error{
		"verify": func() error { _, err := c.Verify(t.Context(), protocol.VerifyRequest{}); return err },
		"revoke": func() error { _, err := c.Revoke(t.Context(), "h"); return err },
		"probe":  func() error { _, err := CDI{}.Probe(t.Context(), protocol.DialOptions{BaseURL: url}); return err },
	} {
		var breach interface{ Violation() string }
		if err := call(); !errors.Is(err, protocol.ErrLimited) || errors.As(err, &breach) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestExchangeIsRecordedWithoutTheKey(t *testing.T) {
	t.Parallel()
	url, _ := scripted(t, 200, `{"status":"OK","sessionHandlesRevoked":[]}`)
	var got []protocol.Exchange
	ctx := protocol.WithRecorder(t.Context(), func(e protocol.Exchange) { got = append(got, e) })
	before := time.Now()
	r, err := client(t, url, "5.4").Revoke(ctx, "h")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Status != 200 || got[0].RequestBody != `{"sessionHandles":["h"]}` {
		t.Fatalf("recorded %+v", got)
	}
	if r.Invoked.Before(before) || r.Returned.Before(r.Invoked) || got[0].Took != r.Returned.Sub(r.Invoked) {
		t.Errorf("times are out of order: %v, %v, took %v", r.Invoked, r.Returned, got[0].Took)
	}
	for _, h := range got[0].RequestHeader {
		if strings.Contains(h[0], "secret") {
			t.Errorf("the API key was recorded")
		}
	}
}

func TestFailuresAreRecordedToo(t *testing.T) {
	t.Parallel()
	var got []protocol.Exchange
	ctx := protocol.WithRecorder(t.Context(), func(e protocol.Exchange) { got = append(got, e) })
	_, err := client(t, "http://127.0.0.1:1", "5.4").Revoke(ctx, "h")
	if err == nil || len(got) != 1 || got[0].Error == "" || got[0].Status != 0 {
		t.Fatalf("got error %v and %+v", err, got)
	}
}

func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	c, err := New(protocol.DialOptions{BaseURL: s.URL, Version: "5.4", Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Hello(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want a deadline", err)
	}
}

// TestNothingIsSentTwice closes each connection after its first request has been
// read on a kept connection: net/http would repeat a GET in that case.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var requests atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				buf := make([]byte, 4096)
				if _, err := conn.Read(buf); err != nil {
					return
				}
				requests.Add(1)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n"+`{"status":"OK","sessionHandles":[]} `)
				if _, err := conn.Read(buf); err == nil {
					requests.Add(1)
				}
			}()
		}
	}()
	c := client(t, "http://"+l.Addr().String(), "5.4")
	if _, err := c.List(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), "u"); err == nil {
		t.Fatal("the second request was answered, so it must have been sent again")
	}
	if n := requests.Load(); n != 2 {
		t.Fatalf("%d requests arrived, want 2", n)
	}
}

func TestManyCallersKeepTheirConnections(t *testing.T) {
	t.Parallel()
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"status":"OK","sessionHandles":[]}`)
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := client(t, s.URL, "5.4")
	const callers = 64
	for range 3 {
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range 5 {
					if _, err := c.List(t.Context(), "u"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	// A dial may be under way while a connection comes free, so somewhat more
	// than one connection a caller is fine; one a request (960) is not.
	if n := conns.Load(); n > 3*callers {
		t.Fatalf("%d connections for %d callers", n, callers)
	}
}

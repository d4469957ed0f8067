package oauth2_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
	"github.com/coreproof/coreproof/internal/protocol/oauth2/oauthtest"
)

// options of a protocol that logs in one of the ways.
func options(login string) oauth2.Options {
	o := oauth2.Options{
		Login: login, ClientID: "app", APIID: oauthtest.APIID, APISecret: oauthtest.APISecret, Scope: "offline_access",
		User: oauthtest.User, Password: oauthtest.Password,
	}
	if login == "client credentials" {
		o.ClientSecret = "s"
	}
	return o
}

// dial speaks to a server in the one version that it is found to speak.
func dial(t *testing.T, p *oauth2.Protocol, base string) protocol.Core {
	t.Helper()
	o := protocol.DialOptions{Name: "on-0", BaseURL: base, Endpoints: oauthtest.Endpoints(base)}
	if p.Name() == "" {
		t.Fatal("no name")
	}
	versions, err := p.Probe(t.Context(), o)
	if err != nil || len(versions) != 1 {
		t.Fatalf("probe: %v, %v", versions, err)
	}
	o.Version = versions[0]
	c, err := p.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func formEndpoints(base string) map[string]string {
	e := oauthtest.Endpoints(base)
	e[oauth2.Authorize] = base + "/page/auth"
	return e
}

// status fails the test unless a call got one.
func status(t *testing.T, what string, r protocol.Reply, err error, want protocol.Status) {
	t.Helper()
	if err != nil || r.Status != want {
		t.Errorf("%s: %s (HTTP %d, %s), %v; want %s", what, r.Status, r.HTTPStatus, r.Message, err, want)
	}
}

func TestASessionFromItsLoginToItsEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		login   string
		jwt     bool
		version string
	}{
		{"hydra", false, oauth2.Opaque}, {"hydra", true, oauth2.JWT}, {"form", false, oauth2.Opaque}, {"client credentials", true, oauth2.JWT},
	} {
		t.Run(tc.login+" "+tc.version, func(t *testing.T) {
			t.Parallel()
			p := oauth2.New(options(tc.login))
			base := oauthtest.New(t, oauthtest.Options{JWT: tc.jwt}).Start(t)
			o := protocol.DialOptions{Name: "on-0", BaseURL: base, Endpoints: oauthtest.Endpoints(base)}
			if tc.login == "form" {
				o.Endpoints = formEndpoints(base)
			}
			versions, err := p.Probe(t.Context(), o)
			if err != nil || len(versions) != 1 || versions[0] != tc.version {
				t.Fatalf("probe: %v, %v", versions, err)
			}
			o.Version = tc.version
			c, err := p.Dial(o)
			if err != nil {
				t.Fatal(err)
			}
			lives(t, c)
		})
	}
}

func lives(t *testing.T, c protocol.Core) {
	ctx := t.Context()
	s, err := c.Create(ctx, protocol.CreateRequest{UserID: "user-1", Payload: map[string]any{"role": "admin"}})
	status(t, "create", s.Reply, err, protocol.OK)
	if s.Session.Handle == "" || s.Access.Expiry <= s.Access.Created {
		t.Fatalf("session %+v", s)
	}
	v, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: true})
	status(t, "verify", v.Reply, err, protocol.OK)
	if protocol.Has(c, protocol.VerbNames) && (v.Session.Handle != s.Session.Handle || v.Session.UserID != "user-1" || string(v.Session.Payload) != `{"role":"admin"}`) {
		t.Errorf("verify names %+v of %+v", v.Session, s.Session)
	}
	newest := s.Access.Value
	if protocol.Has(c, protocol.VerbRefresh) {
		r, err := c.(protocol.Refresher).Refresh(ctx, protocol.RefreshRequest{RefreshToken: s.Refresh.Value})
		status(t, "refresh", r.Reply, err, protocol.OK)
		newest = r.Access.Value
		v, err = c.Verify(ctx, protocol.VerifyRequest{AccessToken: r.Refresh.Value, CheckDatabase: true})
		status(t, "verify of a refresh token", v.Reply, err, protocol.Unauthorised)
	}
	// The newest refresh token is what the application holds, not the one from the login.
	gone, err := c.Revoke(ctx, s.Session.Handle)
	status(t, "revoke", gone.Reply, err, protocol.OK)
	v, err = c.Verify(ctx, protocol.VerifyRequest{AccessToken: newest, CheckDatabase: true})
	status(t, "verify after the revoke", v.Reply, err, protocol.Unauthorised)
	if c.Version() == oauth2.JWT {
		v, err = c.Verify(ctx, protocol.VerifyRequest{AccessToken: newest})
		status(t, "verify without the server after the revoke", v.Reply, err, protocol.OK)
		if v.Exchange.Method != protocol.Local {
			t.Errorf("a verify without the server was a %s", v.Exchange.Method)
		}
	}
	gone, err = c.Revoke(ctx, "no-such-token")
	status(t, "revoke of what is none", gone.Reply, err, protocol.OK)
	if protocol.Has(c, protocol.VerbRefresh) {
		r, err := c.(protocol.Refresher).Refresh(ctx, protocol.RefreshRequest{RefreshToken: "no-such-token"})
		status(t, "refresh with what is none", r.Reply, err, protocol.Unauthorised)
	}
	if protocol.Has(c, protocol.VerbRevokeUser) {
		again, err := c.Create(ctx, protocol.CreateRequest{UserID: "user-1"})
		status(t, "log in again", again.Reply, err, protocol.OK)
		all, err := c.(protocol.UserRevoker).RevokeUser(ctx, "user-1")
		status(t, "revoke all", all.Reply, err, protocol.OK)
		v, err = c.Verify(ctx, protocol.VerifyRequest{AccessToken: again.Access.Value, CheckDatabase: true})
		status(t, "verify after the revoke of all", v.Reply, err, protocol.Unauthorised)
	}
}

// TestForgedTokensDoNotVerifyHere: a verify without the server must look at everything
// that a server would.
func TestForgedTokensDoNotVerifyHere(t *testing.T) {
	t.Parallel()
	store := oauthtest.New(t, oauthtest.Options{JWT: true})
	c := dial(t, oauth2.New(options("hydra")), store.Start(t))
	s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	status(t, "create", s.Reply, err, protocol.OK)
	parts := strings.Split(s.Access.Value, ".")
	short := dial(t, oauth2.New(options("hydra")), store.With(func(o *oauthtest.Options) { o.Lifetime = time.Nanosecond }).Start(t))
	expired, err := short.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	status(t, "create", expired.Reply, err, protocol.OK)
	other := dial(t, oauth2.New(options("hydra")), oauthtest.New(t, oauthtest.Options{JWT: true}).Start(t))
	foreign, err := other.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	status(t, "create", foreign.Reply, err, protocol.OK)
	for what, token := range map[string]string{
		"another server's": foreign.Access.Value, "expired": expired.Access.Value, "opaque": "at-123", "empty": "", "dots": "..",
		"without signature": parts[0] + "." + parts[1] + ".", "algorithm none": "eyJhbGciOiJub25lIiwia2lkIjoia2V5LTEifQ." + parts[1] + ".AAAA",
		"algorithm of another kind": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleS0xIn0." + parts[1] + "." + parts[2],
		"another's claims":          parts[0] + "." + strings.Split(foreign.Access.Value, ".")[1] + "." + parts[2],
		"an encryption key's":       "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9mLW5vLXVzZSJ9." + parts[1] + "." + parts[2],
	} {
		v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: token})
		status(t, what, v.Reply, err, protocol.TryRefreshToken)
	}
}

// TestWhatIsNoIntrospectionIsABreach, or an HTTP error: never a refusal and never OK.
func TestWhatIsNoIntrospectionIsABreach(t *testing.T) {
	t.Parallel()
	for body, breach := range map[string]bool{
		`{}`: true, `{"active":null}`: true, `{"active":"true"}`: true, `[]`: true, `null`: true, ``: true, `{"Active":true}`: true, `{"active":true}x`: true,
		`{"active":true}`: false,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		t.Cleanup(srv.Close)
		c, err := oauth2.New(options("hydra")).Dial(protocol.DialOptions{Version: oauth2.Opaque, BaseURL: srv.URL, Endpoints: oauthtest.Endpoints(srv.URL)})
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true})
		if (err != nil) != breach || !breach && v.Status != protocol.OK {
			t.Errorf("%s: %s, %v", body, v.Status, err)
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(srv.Close)
	c, err := oauth2.New(options("hydra")).Dial(protocol.DialOptions{Version: oauth2.Opaque, BaseURL: srv.URL, Endpoints: oauthtest.Endpoints(srv.URL)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true})
	status(t, "an API that is refused", v.Reply, err, protocol.HTTPError)
	r, err := c.(protocol.Refresher).Refresh(t.Context(), protocol.RefreshRequest{RefreshToken: "t"})
	status(t, "an application that is refused", r.Reply, err, protocol.HTTPError)
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	t.Cleanup(busy.Close)
	if c, err = oauth2.New(options("hydra")).Dial(protocol.DialOptions{Version: oauth2.Opaque, BaseURL: busy.URL, Endpoints: oauthtest.Endpoints(busy.URL)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true}); !errors.Is(err, protocol.ErrLimited) {
		t.Errorf("a call that is turned away: %v", err)
	}
}

// TestJudge judges as Verify does, on the bytes that VerifyHTTP asks with.
func TestJudge(t *testing.T) {
	t.Parallel()
	p := oauth2.New(options("hydra"))
	good, err := p.Judge(oauth2.Opaque)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{
		`{"active":true}`: true, `{"active":true,"sub":"u"}`: true, `{ "sub":"u", "active" : true }`: true,
		`{"active":false}`: false, `{"active":false,"ext":{"active":true}}`: false, `{"sub":"\"active\":true"}`: false, `{"active":true`: false, ``: false, `"active":true`: false,
	} {
		if good(200, []byte(body)) != want || good(500, []byte(body)) {
			t.Errorf("%s: %v, want %v", body, !want, want)
		}
	}
	if _, err := p.Judge("5.4"); err == nil {
		t.Error("a version of CDI is judged")
	}
	base := oauthtest.New(t, oauthtest.Options{}).Start(t)
	c := dial(t, p, base)
	s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	status(t, "create", s.Reply, err, protocol.OK)
	for token, want := range map[string]bool{s.Access.Value: true, "at-unknown": false} {
		method, url, header, body := c.VerifyHTTP(protocol.VerifyRequest{AccessToken: token, CheckDatabase: true})
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var answer json.RawMessage
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if err != nil || good(res.StatusCode, answer) != want {
			t.Errorf("HTTP %d %s, %v: want %v", res.StatusCode, answer, err, want)
		}
	}
}

// TestVerifierStandsForTheAPI: a client with one beside it asks it and not the server.
func TestVerifierStandsForTheAPI(t *testing.T) {
	t.Parallel()
	base := oauthtest.New(t, oauthtest.Options{JWT: true}).Start(t)
	keys := &oauth2.KeySet{URL: base + "/keys", HTTP: http.DefaultClient}
	verifier := httptest.NewServer(oauth2.NewVerifier(keys))
	t.Cleanup(verifier.Close)
	p := oauth2.New(options("hydra"))
	for _, version := range []string{oauth2.Opaque, oauth2.JWT} {
		e := oauthtest.Endpoints(base)
		e[oauth2.Verifier] = verifier.URL
		c, err := p.Dial(protocol.DialOptions{Version: version, BaseURL: base, Endpoints: e})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
		status(t, "create", s.Reply, err, protocol.OK)
		if _, err := c.Revoke(t.Context(), s.Session.Handle); err != nil {
			t.Fatal(err)
		}
		v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: s.Access.Value})
		status(t, "verify at the verifier", v.Reply, err, protocol.OK)
		if v.Exchange.URL != verifier.URL || v.Session.UserID != "u" {
			t.Errorf("asked %s, which named %+v", v.Exchange.URL, v.Session)
		}
		v, err = c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: s.Access.Value + "x"})
		status(t, "a forged token at the verifier", v.Reply, err, protocol.TryRefreshToken)
		if _, url, _, _ := c.VerifyHTTP(protocol.VerifyRequest{}); url != verifier.URL {
			t.Errorf("load goes to %s", url)
		}
	}
}

// keysBefore puts a handler before the keys of a server: what it does not answer, by
// giving false, they do. It gives the endpoints.
func keysBefore(t *testing.T, base string, before func(w http.ResponseWriter, r *http.Request) bool) map[string]string {
	t.Helper()
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	server := httputil.NewSingleHostReverseProxy(at)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			server.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	e := oauthtest.Endpoints(base)
	e[oauth2.Keys] = front.URL + "/keys"
	return e
}

// TestWithoutKeysNothingIsRefused: that the keys cannot be had says nothing of a token,
// and nothing of its kind.
func TestWithoutKeysNothingIsRefused(t *testing.T) {
	t.Parallel()
	base := oauthtest.New(t, oauthtest.Options{JWT: true}).Start(t)
	var busy atomic.Int64 // answers still to be HTTP 503
	e := keysBefore(t, base, func(w http.ResponseWriter, _ *http.Request) bool {
		if busy.Add(-1) < 0 {
			return false
		}
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return true
	})
	p := oauth2.New(options("client credentials"))
	o := protocol.DialOptions{Name: "on-0", BaseURL: base, Endpoints: e}
	busy.Store(1)
	if versions, err := p.Probe(t.Context(), o); err != nil || len(versions) != 1 || versions[0] != oauth2.JWT {
		t.Errorf("503 once: probe: %v, %v", versions, err)
	}
	busy.Store(1 << 40)
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if versions, err := p.Probe(short, o); err == nil || !strings.Contains(err.Error(), "HTTP 503") && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("503 each time: probe: %v, %v", versions, err)
	}
	o.Version = oauth2.JWT
	c, err := p.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	status(t, "create", s.Reply, err, protocol.OK)
	for range 3 { // the first asks for the keys; a failure is remembered for a while
		if v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: s.Access.Value}); err == nil || !strings.Contains(err.Error(), "HTTP 503") {
			t.Errorf("verify without the keys: %s, %v", v.Status, err)
		}
	}
	keys := &oauth2.KeySet{URL: e[oauth2.Keys], HTTP: http.DefaultClient}
	rec := httptest.NewRecorder()
	form := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("token="+s.Access.Value))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	oauth2.NewVerifier(keys).ServeHTTP(rec, form)
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("the verifier without keys answered HTTP %d %s", rec.Code, rec.Body)
	}
}

// TestAKeyThatIsThereWaitsForNoOther: while the set is fetched for one that is not, and
// whoever waited for that goes away.
func TestAKeyThatIsThereWaitsForNoOther(t *testing.T) {
	t.Parallel()
	base := oauthtest.New(t, oauthtest.Options{JWT: true}).Start(t)
	var calls atomic.Int64
	asked, release := make(chan struct{}), make(chan struct{})
	answer := sync.OnceFunc(func() { close(release) })
	e := keysBefore(t, base, func(http.ResponseWriter, *http.Request) bool {
		if calls.Add(1) == 2 {
			close(asked)
			<-release
		}
		return false
	})
	t.Cleanup(answer)
	p := oauth2.New(options("client credentials"))
	c, err := p.Dial(protocol.DialOptions{Version: oauth2.JWT, BaseURL: base, Endpoints: e})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	status(t, "create", s.Reply, err, protocol.OK)
	good := s.Access.Value
	v, err := c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: good})
	status(t, "verify", v.Reply, err, protocol.OK)
	oauth2.Forget(c)
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"of nobody"}`))
	strange := header + good[strings.IndexByte(good, '.'):]
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: strange})
		waiting <- err
	}()
	<-asked
	bounded, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	known := make(chan struct{})
	go func() {
		defer close(known)
		v, err := c.Verify(bounded, protocol.VerifyRequest{AccessToken: good})
		status(t, "verify while the keys are fetched", v.Reply, err, protocol.OK)
	}()
	select {
	case <-known:
	case <-bounded.Done():
		t.Error("a key that is there waits for another")
	}
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away while he waited: %v", err)
	}
	answer()
	<-known
	v, err = c.Verify(t.Context(), protocol.VerifyRequest{AccessToken: strange})
	status(t, "a key of nobody's", v.Reply, err, protocol.TryRefreshToken)
	if n := calls.Load(); n != 2 {
		t.Errorf("the keys were fetched %d times, want 2", n)
	}
}

// TestNoRequestWhereTheCallerDecides: what no server is asked cannot be load for one.
func TestNoRequestWhereTheCallerDecides(t *testing.T) {
	t.Parallel()
	base := oauthtest.New(t, oauthtest.Options{JWT: true}).Start(t)
	noKeys := oauthtest.Endpoints(base)
	delete(noKeys, oauth2.Keys)
	for name, tc := range map[string]struct {
		version   string
		endpoints map[string]string
		check     bool
		want      bool // a request
	}{
		"a JWT":                           {oauth2.JWT, oauthtest.Endpoints(base), false, false},
		"a JWT with the check":            {oauth2.JWT, oauthtest.Endpoints(base), true, true},
		"a JWT whose keys are not told":   {oauth2.JWT, noKeys, false, true},
		"a JWT where the setting decides": {oauth2.Opaque, oauthtest.Endpoints(base), false, false},
	} {
		c, err := oauth2.New(options("hydra")).Dial(protocol.DialOptions{Version: tc.version, BaseURL: base, Endpoints: tc.endpoints})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Create(t.Context(), protocol.CreateRequest{UserID: "u"})
		status(t, "create", s.Reply, err, protocol.OK)
		r := protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: tc.check}
		v, err := c.Verify(t.Context(), r)
		status(t, "verify", v.Reply, err, protocol.OK)
		method, url, _, body := c.VerifyHTTP(r)
		if got := method != "" || url != "" || body != nil; got != tc.want || got == (v.Exchange.Method == protocol.Local) {
			t.Errorf("%s: %q %q, and Verify asked %q", name, method, url, v.Exchange.URL)
		}
	}
}

// TestProbeSaysTheMend where a server is another one than its descriptor says.
func TestProbeSaysTheMend(t *testing.T) {
	t.Parallel()
	base := oauthtest.New(t, oauthtest.Options{}).Start(t)
	wrong := options("form")
	wrong.Password = "wrong"
	for what, tc := range map[string]struct {
		o    oauth2.Options
		e    map[string]string
		want string
	}{
		"password": {wrong, formEndpoints(base), "the login was to lead to a code"},
		"login":    {options("fax"), formEndpoints(base), `there is no login "fax"; choose from hydra, form, client credentials`},
		"endpoint": {options("form"), map[string]string{"token": base}, `endpoint "introspect" is not known`},
		"nobody":   {options("form"), formEndpoints("http://127.0.0.1:1"), "connection refused"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := oauth2.New(tc.o).Probe(ctx, protocol.DialOptions{BaseURL: base, Endpoints: tc.e})
		cancel()
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNoSecretIsRecorded: not the application's, and not the user's.
func TestNoSecretIsRecorded(t *testing.T) {
	t.Parallel()
	base := oauthtest.New(t, oauthtest.Options{}).Start(t)
	o := options("client credentials")
	o.ClientSecret = "app-secret"
	c := dial(t, oauth2.New(o), base)
	var seen []protocol.Exchange
	ctx := protocol.WithRecorder(t.Context(), func(e protocol.Exchange) { seen = append(seen, e) })
	s, err := c.Create(ctx, protocol.CreateRequest{})
	status(t, "create", s.Reply, err, protocol.OK)
	v, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: true})
	status(t, "verify", v.Reply, err, protocol.OK)
	b, err := json.Marshal(seen)
	if err != nil || len(seen) != 2 {
		t.Fatalf("%d exchanges, %v", len(seen), err)
	}
	basic := func(id, secret string) string { return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)) }
	if n := strings.Count(string(b), `"Basic ***"`); n != 2 {
		t.Errorf("the record says %d times that Basic authorization stood there, want 2: %s", n, b)
	}
	for _, secret := range []string{"app-secret", oauthtest.APISecret, basic(o.ClientID, o.ClientSecret), basic(oauthtest.APIID, oauthtest.APISecret)} {
		if strings.Contains(string(b), secret) {
			t.Errorf("%q is in the record", secret)
		}
	}
}

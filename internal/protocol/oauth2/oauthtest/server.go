// Package oauthtest is a small authorization server for tests: good by itself, or with
// a defect. It speaks as much of Ory Hydra's admin interface as a login needs, and has
// a login page of its own. Only tests import it.
package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Credentials that the server knows.
const (
	APIID, APISecret = "api", "api-secret"
	User, Password   = "ann", "a password & more"
)

// Options of a server; a true defect breaks what its name says.
type Options struct {
	// JWT access tokens instead of opaque ones.
	JWT bool
	// Lifetime of access tokens; an hour when 0.
	Lifetime time.Duration

	// CachedFor is how long an introspection is answered from the one before.
	CachedFor time.Duration
	// RevokeDoesNothing answers 200 and no more.
	RevokeDoesNothing bool
	// RefreshKeepsOld leaves an exchanged refresh token as good as new.
	RefreshKeepsOld bool
	// ReuseIsHarmless refuses an exchanged refresh token and leaves the grant.
	ReuseIsHarmless bool
	// RevokeOneToken ends the token that was named, and no other of its grant.
	RevokeOneToken bool
	// LateRevokeForgets answers 200 to a revoke by an exchanged refresh token and does nothing.
	LateRevokeForgets bool
	// NeverExpires goes on introspecting expired tokens as active.
	NeverExpires bool
	// SlowExchange is how long an exchange takes between looking at a token and using it
	// up; each then begins a grant of its own.
	SlowExchange time.Duration
	// AccessOutlives leaves the access token before a refresh active: no defect.
	AccessOutlives bool
	// KeepsUserSessions answers a revoke of all sessions of a user and does nothing.
	KeepsUserSessions bool
}

// Server is authorization servers on one store.
type Server struct {
	o   Options
	key *rsa.PrivateKey

	mu      *sync.Mutex
	pending map[string]*login // by challenge or code
	grants  map[*grant]bool
	access  map[string]*accessToken
	refresh map[string]*refreshToken
	cache   map[string]cached
}

type login struct {
	query   url.Values // of the authorization request
	subject string
	ext     map[string]json.RawMessage
}

type grant struct {
	user string
	ext  map[string]json.RawMessage
}

type accessToken struct {
	grant  *grant
	issued time.Time
	expiry time.Time
}

type refreshToken struct {
	grant     *grant
	exchanged bool
}

type cached struct {
	body  []byte
	until time.Time
}

// New makes a store; each Start is a server on it.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := newServer(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Serve is a server of a process of its own, until the process is ended.
func Serve(address string, o Options) error {
	s, err := newServer(o)
	if err != nil {
		return err
	}
	srv := &http.Server{Addr: address, Handler: s.handler(), ReadHeaderTimeout: time.Minute}
	return srv.ListenAndServe()
}

func newServer(o Options) (*Server, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if o.Lifetime == 0 {
		o.Lifetime = time.Hour
	}
	return &Server{
		o: o, key: key, mu: &sync.Mutex{}, pending: map[string]*login{}, grants: map[*grant]bool{},
		access: map[string]*accessToken{}, refresh: map[string]*refreshToken{}, cache: map[string]cached{},
	}, nil
}

// With is another view of the same store, with options of its own.
func (s *Server) With(change func(*Options)) *Server {
	n := &Server{o: s.o, key: s.key, mu: s.mu, pending: s.pending, grants: s.grants, access: s.access, refresh: s.refresh, cache: s.cache}
	change(&n.o)
	return n
}

// Start gives the base URL of a new server.
func (s *Server) Start(t testing.TB) string {
	srv := httptest.NewServer(s.handler())
	t.Cleanup(srv.Close)
	return srv.URL
}

// Endpoints of a server at a base URL, as the protocol names them.
func Endpoints(base string) map[string]string {
	return map[string]string{
		"authorize": base + "/oauth2/auth", "token": base + "/oauth2/token", "introspect": base + "/oauth2/introspect",
		"revoke": base + "/oauth2/revoke", "keys": base + "/keys", "admin": base,
	}
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth2/auth", s.authorize)
	mux.HandleFunc("GET /page/auth", s.loginPage)
	mux.HandleFunc("POST /page/login", s.loginForm)
	mux.HandleFunc("GET /oauth2/next", s.next)
	mux.HandleFunc("POST /admin/clients", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) })
	mux.HandleFunc("PUT /admin/oauth2/auth/requests/{page}/accept", s.accept)
	mux.HandleFunc("DELETE /admin/oauth2/auth/sessions/consent", s.revokeUser)
	mux.HandleFunc("POST /oauth2/token", s.token)
	mux.HandleFunc("POST /oauth2/introspect", s.introspect)
	mux.HandleFunc("POST /oauth2/revoke", s.revoke)
	mux.HandleFunc("GET /keys", s.keys)
	return mux
}

func secret(prefix string) string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// begin keeps an authorization request and sets the cookie that its next steps need.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) string {
	challenge := secret("challenge-")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[challenge] = &login{query: r.URL.Query()}
	http.SetCookie(w, &http.Cookie{Name: "login", Value: challenge, Path: "/", HttpOnly: true})
	return challenge
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "http://app.invalid/login?login_challenge="+s.begin(w, r), http.StatusFound)
}

func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	page := r.PathValue("page")
	var body struct {
		Subject string `json:"subject"`
		Session struct {
			Access map[string]json.RawMessage `json:"access_token"`
		} `json:"session"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body) // what is missing shows
	s.mu.Lock()
	defer s.mu.Unlock()
	challenge := r.URL.Query().Get(page + "_challenge")
	l := s.pending[challenge]
	if l == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	step := "consent"
	if page == "consent" {
		step, l.ext = "code", body.Session.Access
	} else {
		l.subject = body.Subject
	}
	writeJSON(w, map[string]string{"redirect_to": fmt.Sprintf("http://%s/oauth2/next?step=%s&challenge=%s", r.Host, step, challenge)})
}

// next is where a browser goes on after a page was accepted.
func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	challenge := r.URL.Query().Get("challenge")
	if c, err := r.Cookie("login"); err != nil || c.Value != challenge {
		w.WriteHeader(http.StatusForbidden) // another browser's
		return
	}
	if r.URL.Query().Get("step") == "consent" {
		http.Redirect(w, r, "http://app.invalid/consent?consent_challenge="+challenge, http.StatusFound)
		return
	}
	s.sendCode(w, r, challenge)
}

func (s *Server) sendCode(w http.ResponseWriter, r *http.Request, challenge string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.pending[challenge]
	delete(s.pending, challenge)
	code := secret("code-")
	s.pending[code] = l
	http.Redirect(w, r, l.query.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {l.query.Get("state")}}.Encode(), http.StatusFound)
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, `<!doctype html><form method="POST" action="login"><input type="hidden" name="id" value="%s">
<input name="username"><input type="password" name="password"/><button>Log in</button></form><form action="other"><input name="q"></form>`, s.begin(w, r))
}

func (s *Server) loginForm(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie("login")
	if err != nil || c.Value != r.PostFormValue("id") || r.PostFormValue("username") != User || r.PostFormValue("password") != Password {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.mu.Lock()
	s.pending[c.Value].subject = User
	s.mu.Unlock()
	s.sendCode(w, r, c.Value)
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	b64 := base64.RawURLEncoding.EncodeToString
	writeJSON(w, map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "of-no-use", "use": "enc", "n": b64(s.key.N.Bytes()), "e": "AQAB"},
		{"kty": "RSA", "kid": "key-1", "use": "sig", "alg": "RS256", "n": b64(s.key.N.Bytes()), "e": "AQAB"},
	}})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone reads nothing
}

func pkce(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// isClient says whether a request names the application, or authenticates as the API.
func isClient(r *http.Request) bool {
	id, pass, ok := r.BasicAuth()
	return r.PostFormValue("client_id") != "" || ok && id == APIID && pass == APISecret || ok && strings.HasPrefix(id, "app")
}

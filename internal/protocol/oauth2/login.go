package oauth2

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
)

// login plays whoever logs in at one product.
type login interface {
	// prepare makes what has to be there before the first login; it is called once a client.
	prepare(ctx context.Context, c *client) error
	// tokens logs a user in and gives the token endpoint's answer. handle and payload
	// are kept with the session where the product can.
	tokens(ctx context.Context, c *client, r protocol.CreateRequest, handle string) (protocol.Reply, error)
	// without says what the product lacks besides OAuth itself; "" for nothing.
	without(v protocol.Verb) string
}

// userRevoker is a login at a product that can end all sessions of a user.
type userRevoker interface {
	revokeUser(ctx context.Context, c *client, user string) (protocol.Reply, error)
}

// logins by their names. A new one is a file and a row.
var logins = []struct {
	name string
	login
}{
	{"hydra", hydra{}},
	{"form", form{}},
	{"client credentials", credentials{}},
}

// Logins are the names that Options.Login takes.
func Logins() (names []string) {
	for _, l := range logins {
		names = append(names, l.name)
	}
	return names
}

func loginOf(name string) (login, error) {
	for _, l := range logins {
		if l.name == name {
			return l.login, nil
		}
	}
	return nil, fmt.Errorf("there is no login %q; choose from %s", name, strings.Join(Logins(), ", "))
}

// browser is a user's at one login: it keeps cookies and follows no redirect.
type browser struct {
	c    *client
	http *http.Client
	last protocol.Reply
}

func newBrowser(c *client) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("make a browser: %w", err)
	}
	h := *c.http
	h.Jar = jar
	return &browser{c: c, http: &h}, nil
}

// get gives where a page leads, or the page itself.
func (b *browser) get(ctx context.Context, at string) (location *url.URL, err error) {
	return b.send(ctx, http.MethodGet, at, "", nil)
}

func (b *browser) send(ctx context.Context, method, at, contentType string, body []byte) (location *url.URL, err error) {
	if b.c.o.Reach != nil {
		if err := b.c.o.Reach(ctx, at); err != nil {
			return nil, err
		}
	}
	if b.last, err = b.c.step(ctx, b.http, method, at, http.Header{}, contentType, body); err != nil {
		return nil, err
	}
	if b.last.HTTPStatus < 300 || b.last.HTTPStatus >= 400 {
		return nil, nil
	}
	base, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", at, err)
	}
	location, err = base.Parse(b.last.Text)
	if err != nil {
		return nil, breach("a redirect to %q, which is no URL", b.last.Text)
	}
	return location, nil
}

// stopped tells that a login went another way than it should; the answer that it got
// to is the evidence.
func (b *browser) stopped(ctx context.Context, want string) (protocol.Reply, error) {
	r := b.last
	protocol.Recorder(ctx)(r.Exchange)
	if u, err := url.Parse(r.Text); err == nil && u.Query().Get("error") != "" {
		r.Text = u.Query().Get("error") + ": " + u.Query().Get("error_description")
	}
	r.Status, r.Message = protocol.HTTPError, oneLine(fmt.Sprintf("the login was to lead to %s, and got: %s", want, r.Text))
	return r, nil
}

// proof is PKCE's (RFC 7636): what the authorization request and the token request
// must have in common.
type proof struct{ verifier, challenge string }

func newProof() proof {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	p := proof{verifier: base64.RawURLEncoding.EncodeToString(b)}
	sum := sha256.Sum256([]byte(p.verifier))
	p.challenge = base64.RawURLEncoding.EncodeToString(sum[:])
	return p
}

// authorization is the URL at which a login begins (RFC 6749, 4.1.1).
func authorization(c *client, p proof, state string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.p.o.ClientID}, "redirect_uri": {c.p.o.RedirectURI}, "state": {state},
		"code_challenge": {p.challenge}, "code_challenge_method": {"S256"},
	}
	if c.p.o.Scope != "" {
		q.Set("scope", c.p.o.Scope)
	}
	return c.o.Endpoints[Authorize] + "?" + q.Encode()
}

// exchangeCode is the token request (RFC 6749, 4.1.3).
func exchangeCode(ctx context.Context, c *client, p proof, code string) (protocol.Reply, error) {
	return c.token(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.p.o.RedirectURI}, "code_verifier": {p.verifier},
	})
}

// returned reads the code where the browser was sent back to the application with
// the state that it left with.
func returned(c *client, at *url.URL, state string) (code string) {
	if at == nil || !strings.HasPrefix(at.String(), c.p.o.RedirectURI) || at.Query().Get("state") != state {
		return ""
	}
	return at.Query().Get("code")
}

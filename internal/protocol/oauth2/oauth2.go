// Package oauth2 speaks to an OAuth 2.0 authorization server: a login plays the user,
// introspection (RFC 7662) is verify with the check, a JWT that is verified with the
// server's published keys is verify without it, and revocation (RFC 7009) is revoke.
// It is the one place of the harness that knows their parameters and fields.
// docs/oauth2.md is the page for its users.
package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

const (
	// Name of the protocol.
	Name = "OAuth 2.0"

	// Opaque is the version of servers whose access tokens say nothing to their
	// bearers: only the server can verify them.
	Opaque = "opaque"
	// JWT is the version of servers whose access tokens are signed, so that each
	// request to an API can be checked at the server or without it.
	JWT = "JWT"
)

// Endpoints, as DialOptions.Endpoints names them.
const (
	Authorize  = "authorize"
	Token      = "token"
	Introspect = "introspect"
	Revoke     = "revoke"
	Keys       = "keys"
	// Admin is the base of the server's own interface, where its login needs one.
	Admin = "admin"
	// Verifier is a program that verifies JWTs in the place of an API.
	Verifier = "verifier"
)

// Options say how the harness takes part; zero values mean none.
type Options struct {
	// Login plays user and consent, see Logins.
	Login string
	// ClientID and ClientSecret are the application's that users log in to. Without a
	// secret it is a public client (RFC 6749, 2.1) and uses PKCE.
	ClientID, ClientSecret string
	// APIID and APISecret are the API's that introspects; none are sent when empty.
	APIID, APISecret string
	// Scope that is asked for. It must bring refresh tokens where the server has them.
	Scope string
	// RedirectURI of the application. It is never called.
	RedirectURI string
	// User and Password of the one user of a form.
	User, Password string
}

// Protocol is OAuth 2.0 with one set of options. It remembers which tokens belong to
// which session, for its clients are one application.
type Protocol struct {
	o    Options
	book *book
}

var _ protocol.Protocol = (*Protocol)(nil)

// New makes the protocol.
func New(o Options) *Protocol {
	if o.RedirectURI == "" {
		o.RedirectURI = "http://127.0.0.1:1/callback"
	}
	return &Protocol{o: o, book: &book{}}
}

// Name is "OAuth 2.0".
func (*Protocol) Name() string { return Name }

// Versions are the two kinds of access tokens.
func (*Protocol) Versions() []string { return []string{Opaque, JWT} }

// Compare puts both kinds behind every version of CDI, whose numbers bound rules that
// OAuth does not have.
func (*Protocol) Compare(a, b string) int {
	rank := func(v string) int {
		switch v {
		case Opaque:
			return 1
		case JWT:
			return 2
		}
		return 0
	}
	return rank(a) - rank(b)
}

// FlagMode: which kind of tokens a server hands out is its setting; a JWT can be
// checked either way, request by request.
func (*Protocol) FlagMode(version string) protocol.FlagMode {
	if version == JWT {
		return protocol.ByRequest
	}
	return protocol.BySetting
}

// Generation is the kind of tokens.
func (*Protocol) Generation(version string) string { return version }

// Judge gives the function that judges an introspection.
func (p *Protocol) Judge(version string) (func(int, []byte) bool, error) {
	if version != Opaque && version != JWT {
		return nil, fmt.Errorf("%s has no version %q; choose from %s", Name, version, strings.Join(p.Versions(), ", "))
	}
	return func(status int, body []byte) bool { return status == http.StatusOK && saysActive(body) }, nil
}

const (
	// probeWithin bounds Probe.
	probeWithin = 30 * time.Second
	// keysWithin bounds how long it waits for the keys: a server on a new database makes
	// them when they are first asked for, and may cut that answer off.
	keysWithin = 5 * time.Second
)

// Probe logs a user in and looks at the token: one with three parts and a key that
// verifies it is a JWT, any other is opaque. Of one whose keys cannot be had nobody knows.
func (p *Protocol) Probe(ctx context.Context, o protocol.DialOptions) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	o.Version = Opaque
	c, err := p.dial(o)
	if err != nil {
		return nil, err
	}
	defer c.CloseIdle()
	s, err := c.Create(ctx, protocol.CreateRequest{UserID: "coreproof-probe"})
	if err == nil && s.Status != protocol.OK {
		err = fmt.Errorf("%s answered HTTP %d: %s", s.Exchange.URL, s.HTTPStatus, s.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("log in at %s: %w: see whether login, client and endpoints of the descriptor are this server's", o.BaseURL, err)
	}
	version, unknown := c.kind(ctx, s.Access.Value)
	if _, err := c.Revoke(ctx, s.Session.Handle); err != nil {
		return nil, fmt.Errorf("end the session that was made to see the kind of tokens: %w", err)
	}
	if unknown != nil {
		return nil, fmt.Errorf("see the kind of tokens at %s: %w: see whether endpoint %q is this server's", o.BaseURL, unknown, Keys)
	}
	return []string{version}, nil
}

// kind is the version of a token, once the server has keys.
func (c *client) kind(ctx context.Context, token string) (string, error) {
	if !isJWT(token) {
		return Opaque, nil
	}
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	for {
		_, reason := c.local(ctx, token, time.Now())
		switch {
		case reason == nil:
			return JWT, nil
		case !errors.Is(reason, errNoKeys):
			return Opaque, nil
		case pause.For(ctx, refetchAfter) != nil:
			return "", reason
		}
	}
}

// Dial makes a client.
func (p *Protocol) Dial(o protocol.DialOptions) (protocol.Core, error) { return p.dial(o) }

func (p *Protocol) dial(o protocol.DialOptions) (*client, error) {
	if _, err := p.Judge(o.Version); err != nil {
		return nil, err
	}
	for _, name := range []string{Token, Introspect, Revoke} {
		if o.Endpoints[name] == "" {
			return nil, fmt.Errorf("server at %s: its endpoint %q is not known: name it in protocol.oauth2.endpoints", o.BaseURL, name)
		}
	}
	login, err := loginOf(p.o.Login)
	if err != nil {
		return nil, err
	}
	c := &client{p: p, o: o, login: login, http: cdi.NewHTTPClient(o.TLS), timeout: o.Timeout}
	if c.timeout <= 0 {
		c.timeout = cdi.DefaultTimeout
	}
	if c.o.Name == "" {
		c.o.Name = o.BaseURL
	}
	if at := o.Endpoints[Keys]; at != "" {
		c.keys = &KeySet{URL: at, HTTP: c.http}
	}
	return c, nil
}

// book remembers the tokens of sessions by their handles.
type book struct {
	mu       sync.Mutex
	sessions map[string]*grant
	handles  map[string]string // by refresh token
}

// grant is what the application holds of a session: its newest tokens.
type grant struct{ access, refresh string }

// write notes the newest tokens of a session. An answer without a refresh token leaves
// the one that there was (RFC 6749, 6).
func (b *book) write(handle, access, refresh string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions == nil {
		b.sessions, b.handles = map[string]*grant{}, map[string]string{}
	}
	g := b.sessions[handle]
	if g == nil {
		g = &grant{}
		b.sessions[handle] = g
	}
	g.access = access
	if refresh != "" {
		g.refresh = refresh
		b.handles[refresh] = handle
	}
}

// of gives the newest tokens of a session.
func (b *book) of(handle string) (grant, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.sessions[handle]; g != nil {
		return *g, true
	}
	return grant{}, false
}

// handle of the session that a refresh token was given to; "" for none.
func (b *book) handle(refresh string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.handles[refresh]
}

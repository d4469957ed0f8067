package oauth2

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

const formType = "application/x-www-form-urlencoded"

// client is the application and the API at one instance of a server.
type client struct {
	p       *Protocol
	o       protocol.DialOptions
	login   login
	http    *http.Client
	timeout time.Duration
	keys    *KeySet // nil where the server publishes none

	once     sync.Once
	prepared error
}

var (
	_ protocol.Core        = (*client)(nil)
	_ protocol.Refresher   = (*client)(nil)
	_ protocol.UserRevoker = (*client)(nil)
	_ protocol.Limited     = (*client)(nil)
	_ protocol.Selective   = (*client)(nil)
)

func (c *client) Name() string                { return c.o.Name }
func (c *client) URL() string                 { return c.o.BaseURL }
func (c *client) Version() string             { return c.o.Version }
func (c *client) FlagMode() protocol.FlagMode { return c.p.FlagMode(c.o.Version) }

// CloseIdle closes connections that no call uses.
func (c *client) CloseIdle() { c.http.CloseIdleConnections() }

// Create logs a user in.
func (c *client) Create(ctx context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	var t protocol.Tokens
	c.once.Do(func() { c.prepared = c.login.prepare(context.WithoutCancel(ctx), c) })
	if c.prepared != nil {
		return t, fmt.Errorf("log in at %s: %w", c.o.Name, c.prepared)
	}
	handle := newHandle()
	begun := time.Now()
	reply, err := c.login.tokens(ctx, c, r, handle)
	if !reply.Invoked.IsZero() {
		reply.Invoked = begun // the session may be there before the last of its requests
	}
	if err == nil {
		t, err = c.tokens(reply)
	}
	if err != nil {
		return protocol.Tokens{Reply: reply}, fmt.Errorf("log in at %s: %w", c.o.Name, err)
	}
	if t.Reply = reply; reply.Status != protocol.OK {
		return t, nil
	}
	payload, err := json.Marshal(orEmpty(r.Payload))
	if err != nil {
		return t, fmt.Errorf("encode the payload: %w", err)
	}
	t.Session = protocol.Session{Handle: handle, UserID: r.UserID, Payload: payload}
	c.p.book.write(handle, t.Access.Value, t.Refresh.Value)
	return t, nil
}

// newHandle names a session: the harness's own name, which the server keeps where its
// login can give it one.
func newHandle() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return "session-" + hex.EncodeToString(b)
}

// tokens reads an answer of the token endpoint (RFC 6749, 5.1).
func (c *client) tokens(reply protocol.Reply) (protocol.Tokens, error) {
	t := protocol.Tokens{Reply: reply}
	if reply.Status != protocol.OK {
		return t, nil
	}
	var a struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Type    string `json:"token_type"`
		Expires *int64 `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(reply.Text), &a); err != nil {
		return t, breach("the token endpoint's answer cannot be read: %s", err)
	}
	switch {
	case a.Access == "":
		return t, breach("the token endpoint's answer has no access_token")
	case !strings.EqualFold(a.Type, "bearer"):
		return t, breach("token_type is %q, want bearer", a.Type)
	case a.Expires == nil || *a.Expires < 0:
		return t, breach("expires_in is missing or negative, so nobody knows how long the token lives")
	}
	created := reply.Exchange.Sent.UnixMilli()
	t.Access = protocol.Token{Value: a.Access, Created: created, Expiry: created + 1000**a.Expires}
	if claims, err := claimsOf(a.Access); err == nil && claims.Expiry > 0 {
		// A JWT tells its times itself.
		t.Access.Expiry = claims.Expiry * 1000
		if claims.Issued > 0 {
			t.Access.Created = claims.Issued * 1000
		}
	}
	t.Refresh.Value = a.Refresh // how long it lives is not told
	return t, nil
}

// Refresh exchanges a refresh token (RFC 6749, 6).
func (c *client) Refresh(ctx context.Context, r protocol.RefreshRequest) (protocol.Tokens, error) {
	reply, err := c.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.RefreshToken}})
	var t protocol.Tokens
	if err == nil {
		t, err = c.tokens(reply)
	}
	if err != nil {
		return protocol.Tokens{Reply: reply}, fmt.Errorf("refresh at %s: %w", c.o.Name, err)
	}
	if t.Status == protocol.OK {
		if t.Refresh.Value == "" {
			t.Refresh.Value = r.RefreshToken // it goes on being good
		}
		if h := c.p.book.handle(r.RefreshToken); h != "" {
			c.p.book.write(h, t.Access.Value, t.Refresh.Value)
			t.Session.Handle = h
		}
	}
	return t, nil
}

// Revoke ends sessions: it revokes the refresh token that the application holds of
// each, or the access token where there is none (RFC 7009), one request each. What is
// no session of its own is offered as a token.
func (c *client) Revoke(ctx context.Context, handles ...string) (protocol.Revoked, error) {
	if len(handles) == 0 {
		return protocol.Revoked{}, errors.New("revoke: a request names one token, and none was given")
	}
	var out protocol.Revoked
	for i, h := range handles {
		token, hint := h, ""
		if g, ok := c.p.book.of(h); ok {
			if token, hint = g.refresh, "refresh_token"; token == "" {
				token, hint = g.access, "access_token"
			}
		}
		r, err := c.revoke(ctx, token, hint)
		invoked := out.Invoked
		if out.Reply = r; i > 0 {
			out.Invoked = invoked
		}
		if err != nil || r.Status != protocol.OK {
			return out, err
		}
	}
	return out, nil
}

// RevokeToken revokes one token as it is (RFC 7009), for checks about tokens.
func (c *client) RevokeToken(ctx context.Context, token string) (protocol.Revoked, error) {
	r, err := c.revoke(ctx, token, "")
	return protocol.Revoked{Reply: r}, err
}

func (c *client) revoke(ctx context.Context, token, hint string) (protocol.Reply, error) {
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	header := c.identify(form, c.p.o.ClientID, c.p.o.ClientSecret)
	r, err := c.exchange(ctx, http.MethodPost, c.o.Endpoints[Revoke], header, formType, []byte(form.Encode()))
	if err != nil {
		return r, fmt.Errorf("revoke at %s: %w", c.o.Name, err)
	}
	if r.Status, r.Message = protocol.OK, ""; r.HTTPStatus != http.StatusOK {
		r.Status, r.Message = protocol.HTTPError, oneLine(r.Text)
	}
	return r, nil
}

// RevokeUser ends all sessions of a user, where the server has a call for it.
func (c *client) RevokeUser(ctx context.Context, user string) (protocol.Revoked, error) {
	all, ok := c.login.(userRevoker)
	if !ok {
		return protocol.Revoked{}, fmt.Errorf("end all sessions of a user at %s: %s", c.o.Name, noUserRevoke)
	}
	r, err := all.revokeUser(ctx, c, user)
	if err != nil {
		err = fmt.Errorf("end all sessions of a user at %s: %w", c.o.Name, err)
	}
	return protocol.Revoked{Reply: r}, err
}

// JWKS fetches the server's public keys (RFC 7517).
func (c *client) JWKS(ctx context.Context) (protocol.Reply, error) {
	r, err := c.exchange(ctx, http.MethodGet, c.o.Endpoints[Keys], http.Header{}, "", nil)
	if err != nil {
		return r, fmt.Errorf("fetch the keys of %s: %w", c.o.Name, err)
	}
	if r.Status = protocol.OK; r.HTTPStatus != http.StatusOK {
		r.Status, r.Message = protocol.HTTPError, oneLine(r.Text)
	}
	return r, nil
}

// token asks the token endpoint. A refusal (RFC 6749, 5.2: invalid_grant, and
// invalid_request, which servers answer to an empty token and to one that is in use by
// another request) is Unauthorised; anything else that is not OK is an HTTP error.
func (c *client) token(ctx context.Context, form url.Values) (protocol.Reply, error) {
	header := c.identify(form, c.p.o.ClientID, c.p.o.ClientSecret)
	r, err := c.exchange(ctx, http.MethodPost, c.o.Endpoints[Token], header, formType, []byte(form.Encode()))
	if err != nil {
		return r, err
	}
	if r.HTTPStatus == http.StatusOK {
		if err := json.Unmarshal([]byte(r.Text), &r.Raw); err != nil || r.Raw == nil {
			return r, breach("HTTP 200 with a body that is not a JSON object: %s", oneLine(r.Text))
		}
		r.Status = protocol.OK
		return r, nil
	}
	var refusal struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal([]byte(r.Text), &refusal) // what is no refusal is told as it is
	r.Status, r.Message = protocol.HTTPError, oneLine(r.Text)
	if r.HTTPStatus == http.StatusBadRequest && (refusal.Error == "invalid_grant" || refusal.Error == "invalid_request") {
		r.Status, r.Message = protocol.Unauthorised, oneLine(refusal.Error+": "+refusal.Description)
	}
	return r, nil
}

// identify adds the application's credentials: HTTP Basic, or its id alone in the form
// (RFC 6749, 2.3.1).
func (c *client) identify(form url.Values, id, secret string) http.Header {
	h := http.Header{}
	switch {
	case secret != "":
		r := http.Request{Header: h}
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	case id != "":
		form.Set("client_id", id)
	}
	return h
}

// exchange sends one request, once, and reads the whole answer.
func (c *client) exchange(ctx context.Context, method, target string, header http.Header, contentType string, body []byte) (protocol.Reply, error) {
	r, err := c.step(ctx, c.http, method, target, header, contentType, body)
	protocol.Recorder(ctx)(r.Exchange)
	return r, err
}

// step is exchange without a record: one of the many steps of a login.
func (c *client) step(ctx context.Context, client *http.Client, method, target string, header http.Header, contentType string, body []byte) (protocol.Reply, error) {
	var r protocol.Reply
	if err := c.o.Throttle.Wait(ctx); err != nil {
		return r, fmt.Errorf("wait for the rate cap: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return r, fmt.Errorf("build the request: %w", err)
	}
	header = header.Clone()
	header.Set("Accept", "application/json")
	header.Set("User-Agent", "coreproof")
	if body != nil {
		header.Set("Content-Type", contentType)
	}
	dress(protocol.MannerOf(ctx), header)
	if tag := protocol.Tag(ctx); tag != "" {
		header.Set(protocol.TagHeader, tag)
	}
	req.Header = header
	// A body that cannot be rewound, even an empty one, keeps net/http from sending a
	// request a second time when a server closed the connection.
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Exchange = protocol.Exchange{Method: method, URL: target, RequestBody: string(body)}
	r.Exchange.Sends(req)
	r.Invoked = time.Now()
	status, answer, err := roundTrip(client, req)
	r.Returned = time.Now()
	err = cmp.Or(err, protocol.TurnedAway(ctx, status))
	r.HTTPStatus, r.Text = status, string(answer)
	recorded := header.Clone()
	if scheme, _, ok := strings.Cut(recorded.Get("Authorization"), " "); ok {
		recorded.Set("Authorization", scheme+" ***")
	} else if scheme != "" {
		recorded.Set("Authorization", "***")
	}
	r.Exchange.RequestHeader, r.Exchange.Status, r.Exchange.ResponseBody = recorded, status, r.Text
	r.Exchange.Sent, r.Exchange.Took = r.Invoked, r.Returned.Sub(r.Invoked)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no whole answer within %v: %w", r.Exchange.Took.Round(time.Millisecond), err)
		}
		r.Exchange.Error = err.Error()
	}
	return r, err
}

func roundTrip(client *http.Client, req *http.Request) (int, []byte, error) {
	res, err := protocol.MannerOf(req.Context()).Client(client).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, cdi.MaxBody+1))
	if err == nil && len(body) > cdi.MaxBody {
		body, err = body[:256], cdi.ErrTooLarge
	}
	if at := res.Header.Get("Location"); err == nil && at != "" {
		body = []byte(at) // of a redirect, where it leads is all there is to know
	}
	return res.StatusCode, body, err
}

// Manners are those of applications that go through a library or proxies: OAuth leaves
// nothing else open that its servers must take.
func (c *client) Manners() []protocol.Manner {
	return []protocol.Manner{protocol.MannerSDK, protocol.MannerProxied, protocol.MannerOlder}
}

// dress puts a request in a manner of callers.
func dress(m protocol.Manner, h http.Header) {
	switch m {
	case protocol.MannerSDK:
		h.Set("User-Agent", "Go-http-client/1.1")
		h.Set("Accept", "*/*")
	case protocol.MannerProxied:
		h.Set("X-Forwarded-For", "192.0.2.7, 198.51.100.2")
		h.Set("Via", "1.1 proxy.example")
	}
}

// breach is an answer that is not as the protocol says.
func breach(format string, args ...any) error {
	return &cdi.ShapeError{What: fmt.Sprintf(format, args...)}
}

func oneLine(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

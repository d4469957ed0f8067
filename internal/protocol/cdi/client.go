// Package cdi speaks SuperTokens' Core Driver Interface, versions 2.7 to 5.6,
// over HTTP. It is the one place of the harness that knows CDI's paths, headers
// and field names.
package cdi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

const (
	// MaxBody bounds an answer; a core's own are a few kB.
	MaxBody = 1 << 20
	// DefaultTimeout bounds one exchange.
	DefaultTimeout = 15 * time.Second

	// idleConnections is how many connections are kept for reuse: more than any
	// number of callers that the harness starts at once, so that none of them
	// pays for a new connection.
	idleConnections = 256
)

// ErrTooLarge says that an answer was longer than MaxBody.
var ErrTooLarge = errors.New("the answer is larger than 1 MiB")

// Client is an protocol.Core that speaks CDI.
type Client struct {
	name    string
	base    string
	version string
	apiKey  string
	timeout time.Duration
	http    *http.Client
	limit   *protocol.Throttle
}

var (
	_ protocol.Core    = (*Client)(nil)
	_ protocol.Limited = (*Client)(nil)
)

// New makes a client with connections of its own. It does not connect.
func New(o protocol.DialOptions) (*Client, error) {
	if !Known(o.Version) {
		return nil, fmt.Errorf("CDI version %q is not one that coreproof speaks (%s to %s)", o.Version, oldest(), newest())
	}
	base, err := baseURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		name: o.Name, base: base.String(), version: o.Version, apiKey: o.APIKey,
		timeout: o.Timeout, http: NewHTTPClient(o.TLS), limit: o.Throttle,
	}
	if c.name == "" {
		c.name = base.Host
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	return c, nil
}

// NewHTTPClient makes an HTTP client as measuring needs it: connections are kept
// for many callers at once; proxies of the environment, redirects, compression
// and HTTP/2 are left out, since each would put something between the harness
// and the core. Each client has its own, so that a new one is new connections.
func NewHTTPClient(t *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        t,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxIdleConns:           idleConnections,
			MaxIdleConnsPerHost:    idleConnections,
			IdleConnTimeout:        10 * time.Second, // below any common server's own
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		},
	}
}

// baseURL accepts an absolute http or https URL and drops a trailing slash.
func baseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("core URL %q cannot be read: %w", s, err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("core URL %q must begin with http:// or https://", s)
	case u.Host == "":
		return nil, fmt.Errorf("core URL %q names no host", s)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("core URL %q must have no query and no fragment", s)
	case u.User != nil:
		return nil, fmt.Errorf("core URL of host %s holds a user name or password, which would be printed in reports: leave them out", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// Name tells the instance in reports.
func (c *Client) Name() string { return c.name }

// CloseIdle closes connections that no call uses.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// URL is the instance's base URL without a trailing slash.
func (c *Client) URL() string { return c.base }

// FlagMode says who decides whether verify asks the database.
func (c *Client) FlagMode() protocol.FlagMode { return FlagModeOf(c.version) }

// Version is the CDI version of every request.
func (c *Client) Version() string { return c.version }

// atLeast says whether the client speaks version v or newer.
func (c *Client) atLeast(v string) bool { return Compare(c.version, v) >= 0 }

// headers are those of every request.
func (c *Client) headers(withBody bool) http.Header {
	h := http.Header{
		"Cdi-Version": {c.version},
		"Rid":         {"session"},
		"User-Agent":  {"coreproof"},
	}
	if withBody {
		// Without a charset the real core decodes the body as ISO-8859-1.
		h["Content-Type"] = []string{"application/json; charset=utf-8"}
	}
	if c.apiKey != "" {
		h["Api-Key"] = []string{c.apiKey}
	}
	return h
}

// call makes one exchange and decodes its answer. body is JSON or nil.
func (c *Client) call(ctx context.Context, method, path string, body any) (protocol.Reply, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = marshal(body); err != nil {
			return protocol.Reply{}, fmt.Errorf("%s %s at %s: encode the request: %w", method, path, c.name, err)
		}
	}
	reply, err := c.exchange(ctx, method, c.base+path, payload)
	if err == nil {
		err = decode(&reply)
	}
	if err != nil {
		return reply, fmt.Errorf("%s %s at %s: %w", method, path, c.name, err)
	}
	return reply, nil
}

// exchange sends one request, once, and reads the whole answer.
func (c *Client) exchange(ctx context.Context, method, target string, payload []byte) (protocol.Reply, error) {
	if err := c.limit.Wait(ctx); err != nil {
		return protocol.Reply{}, fmt.Errorf("wait for the rate cap: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return protocol.Reply{}, fmt.Errorf("build the request: %w", err)
	}
	req.Header = c.headers(payload != nil)
	payload = put(protocol.MannerOf(ctx), req, payload)
	if tag := protocol.Tag(ctx); tag != "" {
		req.Header[protocol.TagHeader] = []string{tag}
	}
	// A body that cannot be rewound (GetBody stays nil) keeps net/http from
	// sending a request a second time when a kept connection turns out dead.
	req.Body = io.NopCloser(bytes.NewReader(payload))

	var r protocol.Reply
	r.Exchange = protocol.Exchange{Method: method, URL: req.URL.String(), RequestBody: string(payload)}
	r.Exchange.Sends(req)
	r.Invoked = time.Now()
	status, answer, err := c.roundTrip(req)
	r.Returned = time.Now()
	err = cmp.Or(err, protocol.TurnedAway(ctx, status))

	r.HTTPStatus, r.Text = status, string(answer)
	r.Exchange.RequestHeader = recordable(req.Header)
	r.Exchange.Status, r.Exchange.ResponseBody = status, r.Text
	r.Exchange.Sent, r.Exchange.Took = r.Invoked, r.Returned.Sub(r.Invoked)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no whole answer within %v: %w", r.Exchange.Took.Round(time.Millisecond), err)
		}
		r.Exchange.Error = err.Error()
	}
	protocol.Recorder(ctx)(r.Exchange)
	return r, err
}

func (c *Client) roundTrip(req *http.Request) (status int, body []byte, err error) {
	res, err := protocol.MannerOf(req.Context()).Client(c.http).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = readBounded(res.Body)
	if err != nil {
		return res.StatusCode, body, fmt.Errorf("read the answer (HTTP %d): %w", res.StatusCode, err)
	}
	return res.StatusCode, body, nil
}

// readBounded reads to the end, or gives up after MaxBody with the first few
// bytes as a sample.
func readBounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return body, err
	}
	if len(body) > MaxBody {
		return body[:256], ErrTooLarge
	}
	return body, nil
}

// recordable is a copy of h without what must not get into a report.
func recordable(h http.Header) http.Header {
	h = h.Clone()
	if h.Get("api-key") != "" {
		h.Set("api-key", "***")
	}
	return h
}

// marshal encodes without HTML escaping, so that recorded bodies read like the
// ones that were meant.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

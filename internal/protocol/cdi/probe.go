package cdi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// DefaultProbeTimeout bounds Probe as a whole.
const DefaultProbeTimeout = 8 * time.Second

// Probe asks a core for the CDI versions that it speaks and gives those that a
// Client can speak too, oldest first. Whatever listens at the URL, or does not,
// Probe ends in time, and its error is one line that names the URL and the mend.
func (CDI) Probe(ctx context.Context, o protocol.DialOptions) ([]string, error) {
	base, err := baseURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = DefaultProbeTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	httpClient := NewHTTPClient(o.TLS)
	defer httpClient.CloseIdleConnections()
	c := &Client{name: base.Host, base: base.String(), version: newest(), apiKey: o.APIKey, timeout: timeout, http: httpClient}
	return c.versions(ctx)
}

// Versions asks the core for the CDI versions that it speaks and gives those
// that a Client can speak too, oldest first.
func (c *Client) Versions(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.versions(ctx)
}

func (c *Client) versions(ctx context.Context) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+pathAPIVersion, nil)
	if err != nil {
		return nil, fmt.Errorf("core URL %s cannot be asked: %w", c.base, err)
	}
	req.Header = c.headers(false)
	// /apiversion needs no version, and a core that knows only older ones than
	// this client's would refuse it.
	req.Header.Del("Cdi-Version")
	status, body, err := c.roundTrip(req)
	if err != nil {
		return nil, explain(ctx, c.base, c.timeout, err)
	}
	return readVersions(c.base, status, req, body)
}

func readVersions(base string, status int, req *http.Request, body []byte) ([]string, error) {
	switch {
	case status == http.StatusTooManyRequests:
		return nil, fmt.Errorf("core at %s: %w", base, protocol.ErrLimited)
	case status == http.StatusUnauthorized:
		how := "give its API key (--api-key-file)"
		if req.Header.Get("Api-Key") != "" {
			how = "the API key given is not one of its keys"
		}
		return nil, fmt.Errorf("core at %s answered 401 (%s): %s", base, oneLine(string(body)), how)
	case status == http.StatusBadRequest && strings.Contains(string(body), "HTTPS server"):
		return nil, fmt.Errorf("server at %s speaks TLS: use https://", base)
	case status >= 300 && status < 400:
		return nil, fmt.Errorf("server at %s answers with a redirect (HTTP %d): give the URL that it leads to, coreproof follows none", base, status)
	case looksLikeHTML(body):
		return nil, fmt.Errorf("server at %s answers with an HTML page (HTTP %d), so it is no session core: mend port or base path", base, status)
	case status >= http.StatusInternalServerError:
		return nil, fmt.Errorf("server at %s answered HTTP %d to %s (%s): wait until the core is ready, or see its log", base, status, pathAPIVersion, oneLine(string(body)))
	case status != http.StatusOK:
		return nil, fmt.Errorf("server at %s answered HTTP %d to %s (%s): is it a session core, and is the base path right?", base, status, pathAPIVersion, oneLine(string(body)))
	}
	var answer struct {
		Versions []string `json:"versions"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Versions == nil {
		return nil, fmt.Errorf("server at %s answered %s with something else than a list of versions (%s): it is no session core, mend port or base path", base, pathAPIVersion, oneLine(string(body)))
	}
	var both []string
	for _, v := range Versions() {
		if slices.Contains(answer.Versions, v) {
			both = append(both, v)
		}
	}
	if len(both) == 0 {
		return nil, fmt.Errorf("core at %s speaks none of CDI %s to %s but %s: this coreproof cannot test it",
			base, oldest(), newest(), oneLine(strings.Join(answer.Versions, " ")))
	}
	return both, nil
}

func looksLikeHTML(body []byte) bool {
	begin := strings.ToLower(strings.TrimSpace(string(body[:min(len(body), 512)])))
	return strings.HasPrefix(begin, "<!doctype html") || strings.HasPrefix(begin, "<html") || strings.Contains(begin, "<head")
}

// explain turns a transport error into one line that says what to mend.
func explain(ctx context.Context, base string, timeout time.Duration, err error) error {
	var (
		dns      *net.DNSError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
	)
	var timed net.Error
	switch {
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("server at %s sent more than 1 MiB in answer to %s: it is no session core, mend port or base path: %w", base, pathAPIVersion, err)
	case errors.Is(context.Cause(ctx), context.Canceled):
		return fmt.Errorf("asking %s was cancelled: %w", base, err)
	case errors.As(err, &dns):
		return fmt.Errorf("host of %s cannot be found: mend the name or the DNS: %w", base, dns)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: start the core or mend the port: %w", base, syscall.ECONNREFUSED)
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("server at %s does not speak TLS: use http://: %w", base, errOneLine(err))
	case errors.As(err, &unknown):
		return fmt.Errorf("certificate of %s is signed by an authority that is not trusted here: give its certificate (--ca-file): %w", base, unknown)
	case errors.As(err, &hostname):
		return fmt.Errorf("certificate of %s is for another name: use that name in the URL: %w", base, errOneLine(hostname))
	case errors.As(err, &invalid):
		return fmt.Errorf("certificate of %s is not valid: renew it: %w", base, errOneLine(invalid))
	case errors.As(err, &timed) && timed.Timeout():
		return fmt.Errorf("server at %s gave no whole answer within %v: mend the address, or see whether the core hangs: %w", base, timeout, context.DeadlineExceeded)
	default:
		return fmt.Errorf("asking %s for its versions failed, see whether it is a session core: %w", base, errOneLine(err))
	}
}

// line is an error whose text is kept on one line.
type line struct{ error }

func (l line) Error() string { return oneLine(l.error.Error()) }
func (l line) Unwrap() error { return l.error }

func errOneLine(err error) error { return line{err} }

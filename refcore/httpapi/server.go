// Package httpapi speaks the Core Driver Interface (CDI), session recipe, in
// front of an engine. Which CDI version means what is data (versions.go).
package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/token"
)

// Options of the HTTP surface.
type Options struct {
	Engine Engine
	Log    *slog.Logger
	// APIKeys that are accepted; none means that no key is asked for.
	APIKeys []string
	// BasePath is stripped from every path, e.g. "/auth"; "" for none.
	BasePath string
	// MaxVersion and MinVersion bound the CDI versions; "" for none.
	MaxVersion, MinVersion string
	// IPAllow and IPDeny are matched against the whole remote address; deny wins.
	IPAllow, IPDeny *regexp.Regexp
	// MaxBody in bytes; 0 is 1 MiB.
	MaxBody int64
}

// Server is the http.Handler of the core.
type Server struct {
	engine   Engine
	log      *slog.Logger
	keys     [][sha256.Size]byte
	basePath string
	versions map[string]*version
	newest   *version
	minimum  string
	allow    *regexp.Regexp
	deny     *regexp.Regexp
	maxBody  int64
	routes   map[string]*route
	buffers  sync.Pool
	pings    pinger
}

// New makes the handler; an error when a version bound is unknown.
func New(o Options) (*Server, error) {
	s := &Server{
		engine: o.Engine, log: o.Log, basePath: o.BasePath, versions: map[string]*version{},
		minimum: o.MinVersion, allow: o.IPAllow, deny: o.IPDeny, maxBody: o.MaxBody,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.maxBody <= 0 {
		s.maxBody = 1 << 20
	}
	for _, k := range o.APIKeys {
		s.keys = append(s.keys, sha256.Sum256([]byte(k)))
	}
	for i := range versionTable {
		v := &versionTable[i]
		if o.MaxVersion != "" && CompareVersions(v.name, o.MaxVersion) > 0 {
			break
		}
		s.versions[v.name] = v
		s.newest = v
	}
	if o.MaxVersion != "" && s.versions[o.MaxVersion] == nil {
		return nil, fmt.Errorf("supertokens_max_cdi_version %s is not a supported version", o.MaxVersion)
	}
	s.buffers.New = func() any { return new(bytes.Buffer) }
	s.routes = s.routeTable()
	s.pings.ask = o.Engine.Ping
	return s, nil
}

// call is one request on its way through a handler.
type call struct {
	ctx     context.Context
	http    *http.Request
	version *version
	place   place
	fields  fields
	query   map[string][]string
	out     []byte
	header  http.Header
}

// handler writes its JSON answer to c.out, or gives an error.
type handler func(s *Server, c *call) error

// route is one path.
type route struct {
	methods map[string]handler
	// open paths ask for no API key; versionless ones for no supported version.
	open, versionless bool
}

var (
	jsonType = []string{"application/json;charset=UTF-8"}
	textType = []string{"text/html;charset=UTF-8"}
)

// status is an answer in plain text with its HTTP status.
type status struct {
	code int
	text string
}

func (e *status) Error() string { return e.text }

var (
	errNotFound   = &status{http.StatusNotFound, "Not found"}
	errMethod     = &status{http.StatusMethodNotAllowed, "Method not supported"}
	errKey        = &status{http.StatusUnauthorized, "Invalid API key"}
	errPublicOnly = &status{http.StatusForbidden, "Only public tenantId can call this app specific API"}
	errTooLarge   = &status{http.StatusRequestEntityTooLarge, "Request body is too large"}
	errForbidden  = &status{http.StatusForbidden, "Forbidden"}
)

func bad(text string) error { return &status{http.StatusBadRequest, text} }

// ServeHTTP answers one request; the order of the checks is that of section 4
// of the specification.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	buf := s.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	c := &call{ctx: r.Context(), http: r, header: w.Header()}
	err := s.guarded(c, buf)
	if err == nil {
		writeJSON(w, c.out)
	} else {
		s.fail(w, c, err)
	}
	if buf.Cap() <= maxPooled {
		s.buffers.Put(buf)
	}
}

// guarded turns a panic into an error, so that the caller gets an answer.
func (s *Server) guarded(c *call, buf *bytes.Buffer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.serve(c, buf)
}

// maxPooled keeps one large request from holding memory for ever.
const maxPooled = 64 << 10

func (s *Server) serve(c *call, buf *bytes.Buffer) error {
	p, ok := s.underBase(c.http.URL.Path)
	if !ok {
		return errNotFound
	}
	rt := s.routes[p]
	if rt != nil { // the usual case: a path in its plain form
		c.place = place{app: "public", tenant: "public", path: p, root: p == ""}
	} else {
		c.place = resolve(p)
		if rt = s.routes[c.place.path]; rt == nil {
			rt = s.routes[unknownPath]
		}
	}
	if err := s.checkAddress(c.http); err != nil {
		return err
	}
	if !rt.open && c.place.app == "public" && !s.keyGood(c.http.Header) {
		return errKey
	}
	if err := s.pickVersion(c, rt); err != nil {
		return err
	}
	h := rt.methods[c.http.Method]
	if h == nil {
		return errMethod
	}
	if m := c.http.Method; m == http.MethodPost || m == http.MethodPut {
		if err := s.readBody(c, buf); err != nil {
			return err
		}
	}
	return h(s, c)
}

func (s *Server) underBase(p string) (string, bool) {
	if s.basePath != "" {
		// Plain first: a path that climbs out of the base path is outside it.
		rest, ok := strings.CutPrefix(plain(p), s.basePath)
		if !ok || rest != "" && rest[0] != '/' {
			return "", false
		}
		p = rest
	}
	return p, true
}

func (s *Server) checkAddress(r *http.Request) error {
	if s.allow == nil && s.deny == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if s.deny != nil && s.deny.MatchString(host) || s.allow != nil && !s.allow.MatchString(host) {
		return errForbidden
	}
	return nil
}

// keyGood looks at the api-key header, else at Authorization. Every configured
// key is compared, in constant time.
func (s *Server) keyGood(h http.Header) bool {
	if len(s.keys) == 0 {
		return true
	}
	var sent string
	if v, ok := h["Api-Key"]; ok && len(v) > 0 {
		sent = v[0]
	} else {
		sent = h.Get("Authorization")
		const bearer = "bearer "
		if len(sent) >= len(bearer) && strings.EqualFold(sent[:len(bearer)], bearer) {
			sent = sent[len(bearer):]
		}
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(sent)))
	good := 0
	for i := range s.keys {
		good |= subtle.ConstantTimeCompare(sum[:], s.keys[i][:])
	}
	return good == 1
}

func (s *Server) pickVersion(c *call, rt *route) error {
	c.version = s.newest
	sent := c.http.Header["Cdi-Version"]
	listed := true
	if len(sent) > 0 {
		name := sent[0]
		if v := s.versions[name]; v != nil {
			c.version = v
		} else {
			if !ValidVersion(name) {
				return bad("cdi-version header is invalid")
			}
			if CompareVersions(name, s.newest.name) > 0 {
				return bad("cdi-version " + name + " not supported")
			}
			listed = false
		}
		if s.minimum != "" && CompareVersions(name, s.minimum) < 0 {
			return bad("cdi-version " + name + " is lower than the minimum allowed version " + s.minimum)
		}
		if !listed && !rt.versionless {
			return bad("cdi-version " + name + " not supported")
		}
	}
	if !c.version.tenants && c.place.tenant != "public" {
		return errNotFound
	}
	return nil
}

// fail answers an error. What went wrong inside stays in the log.
func (s *Server) fail(w http.ResponseWriter, c *call, err error) {
	var (
		st      *status
		input   refcore.BadInput
		refused *refcore.Refused
		theft   *refcore.Theft
		code    int
		text    string
	)
	switch {
	case errors.As(err, &refused):
		s.refuse(w, c, refused)
		return
	case errors.As(err, &theft):
		s.theft(w, theft)
		return
	case errors.As(err, &st):
		code, text = st.code, st.text
	case errors.As(err, &input):
		code, text = http.StatusBadRequest, string(input)
	case errors.Is(err, token.ErrProtected):
		code, text = http.StatusBadRequest, err.Error()
	default:
		code, text = http.StatusInternalServerError, "Internal Error"
		if c.ctx.Err() == nil {
			s.log.Error("request failed", "method", c.http.Method, "path", c.place.path, "error", err)
		}
	}
	h := w.Header()
	h["Content-Type"] = textType
	if c.http.Method == http.MethodHead {
		w.WriteHeader(code)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(text) + 1)}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

// pinger asks the database whether it is there; callers at the same time share
// one question, so that health checks cannot pile up.
type pinger struct {
	ask   func(context.Context) error
	group singleflight.Group
}

const pingTimeout = time.Second

func (p *pinger) ping(ctx context.Context) error {
	answer := p.group.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		return nil, p.ask(ctx)
	})
	select {
	case a := <-answer:
		return a.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

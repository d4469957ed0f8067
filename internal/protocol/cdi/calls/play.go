package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// maxAnswer bounds an answer; a core's own are a few kB.
const maxAnswer = 1 << 20

// Core is what calls are sent to: one or more instances on one database.
type Core struct {
	Client   *http.Client
	URLs     []string // without a trailing slash
	APIKey   string
	Throttle *protocol.Throttle // nil for none
}

// Answer is what came back.
type Answer struct {
	Status int
	Type   string // Content-Type
	Cache  string // Cache-Control
	Body   []byte
	Sent   time.Time
}

// Play is one sequence under way on one core. It is used by one goroutine.
type Play struct {
	core  *Core
	run   string
	given map[string]string // "3.access" and what it stands for
	names *names
}

// NewPlay begins. run keeps the users of plays apart: two that are compared may stand on
// one database.
func (c *Core) NewPlay(run string) *Play {
	return &Play{core: c, run: run, given: map[string]string{}, names: newNames(run)}
}

// Send makes one call. The error says that no whole answer came.
func (p *Play) Send(ctx context.Context, c *Call) (*Answer, error) {
	base := p.core.URLs[c.Instance%len(p.core.URLs)]
	target := base + c.Path
	for i, f := range c.Query {
		sep := "&"
		if i == 0 {
			sep = "?"
		}
		target += sep + url.QueryEscape(f.Name) + "=" + url.QueryEscape(p.fill(f.Text))
	}
	var body io.Reader
	template, has := c.body()
	if has {
		body = bytes.NewReader([]byte(p.fill(template)))
	}
	if err := p.core.Throttle.Wait(ctx); err != nil {
		return nil, fmt.Errorf("wait for the rate cap: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, target, body)
	if err != nil {
		return nil, fmt.Errorf("call %d: %w", c.ID, err)
	}
	req.GetBody = nil // a call is sent once
	req.Header = http.Header{"Cdi-Version": {c.Version}, "Rid": {"session"}, "User-Agent": {"coreproof"}}
	if has {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if p.core.APIKey != "" {
		req.Header.Set("Api-Key", p.core.APIKey)
	}
	a := &Answer{Sent: time.Now()}
	res, err := p.core.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call %d: %w", c.ID, err)
	}
	defer func() { _ = res.Body.Close() }()
	a.Status, a.Type, a.Cache = res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Cache-Control")
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer)); err != nil {
		return nil, fmt.Errorf("call %d: read the answer: %w", c.ID, err)
	}
	p.keep(c, a)
	return a, nil
}

// fill replaces placeholders; a value that was not given is a text that no core knows.
// No value needs escaping in JSON: they are the core's tokens and ids; one that does
// is escaped.
func (p *Play) fill(s string) string {
	return reference.ReplaceAllStringFunc(s, func(m string) string {
		g := reference.FindStringSubmatch(m)
		if g[1] == "run" {
			return p.run
		}
		v, ok := p.given[g[1]]
		if !ok {
			return "not-given-" + g[1]
		}
		if c, ok := changes[g[2]]; ok {
			v = c.do(v)
		}
		q := quote(v)
		return q[1 : len(q)-1]
	})
}

// keep notes what an answer gives.
func (p *Play) keep(c *Call, a *Answer) {
	var b struct {
		Session      struct{ Handle string }
		AccessToken  struct{ Token string }
		RefreshToken struct{ Token string }
		CSRF         string `json:"antiCsrfToken"`
	}
	if json.Unmarshal(a.Body, &b) != nil {
		return
	}
	for name, v := range map[string]string{Handle: b.Session.Handle, Access: b.AccessToken.Token, Refresh: b.RefreshToken.Token, CSRF: b.CSRF} {
		if v != "" {
			p.given[fmt.Sprintf("%d.%s", c.ID, name)] = v
		}
	}
}

// Outcome is the kind of an answer, for coverage. It rests on what was wrong with the
// call and on statuses, not on texts.
func Outcome(c *Call, a *Answer) Cell {
	cell := Cell{Endpoint: c.Endpoint, Version: c.Home}
	if a.Status != http.StatusOK {
		cell.Outcome = strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, c.Fault))
		return cell
	}
	var b struct {
		Status         string
		AccessToken    *struct{}
		CSRF           *string   `json:"antiCsrfToken"`
		Changed        *bool     `json:"payloadUpdateAvailable"`
		Subtype        string    `json:"recentTokenReuseSubtype"`
		SessionHandles *[]string `json:"sessionHandles"`
		Revoked        *[]string `json:"sessionHandlesRevoked"`
	}
	if json.Unmarshal(a.Body, &b) != nil || b.Status == "" {
		cell.Outcome = "200"
		return cell
	}
	cell.Outcome = b.Status
	add := func(s string) { cell.Outcome += ", " + s }
	switch {
	case b.Subtype != "":
		add(b.Subtype)
	case b.Status != "OK":
	case b.CSRF != nil:
		add("anti-csrf")
	case b.AccessToken != nil && (c.Endpoint == "verify" || c.Endpoint == "regenerate"):
		add("new token")
	case b.Changed != nil && *b.Changed:
		add("payload changed")
	case b.Changed != nil:
		add("payload unchanged")
	case b.SessionHandles != nil && len(*b.SessionHandles) == 0, b.Revoked != nil && len(*b.Revoked) == 0:
		add("none")
	}
	return cell
}

// Tidy removes the sessions of a play: all that were given a handle.
func (p *Play) Tidy(ctx context.Context, version string) error {
	var handles []string
	for name, v := range p.given {
		if strings.HasSuffix(name, "."+Handle) {
			handles = append(handles, quote(v))
		}
	}
	if len(handles) == 0 {
		return nil
	}
	c := Call{ID: 0, Version: version, Method: http.MethodPost, Path: "/recipe/session/remove", Body: []Field{{"sessionHandles", "[" + strings.Join(handles, ",") + "]"}}}
	a, err := p.Send(ctx, &c)
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("HTTP %d", a.Status)
	}
	if err != nil {
		return fmt.Errorf("remove the sessions that were made: %w", err)
	}
	return nil
}

package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/target"
)

// fakeDatabase is what the fake cores of one target share. defect switches one
// way to be wrong; "" is a good core.
type fakeDatabase struct {
	defect string

	mu      sync.Mutex
	rows    map[string]*fakeRow
	counter int
	// Books that only defective cores keep.
	banned   map[string]bool // handles or users
	refusals map[string]int
	pool     chan struct{}
	busy     atomic.Int64
}

type fakeRow struct {
	handle, user, current string
	payload, data         map[string]any
	created, expiry       int64
}

func newFakeDatabase(defect string) *fakeDatabase {
	return &fakeDatabase{
		defect: defect, rows: map[string]*fakeRow{}, banned: map[string]bool{}, refusals: map[string]int{}, pool: make(chan struct{}, 10),
	}
}

func (db *fakeDatabase) is(defect string) bool { return db.defect == defect }

func (db *fakeDatabase) id() string {
	db.counter++
	return fmt.Sprintf("%08x-0000-4000-8000-00000000abcd", db.counter)
}

// fakeTarget starts fake cores in memory.
type fakeTarget struct {
	db    *fakeDatabase
	fixed bool
}

func (f *fakeTarget) Name() string                { return "fake" }
func (f *fakeTarget) Kind() string                { return "test" }
func (f *fakeTarget) Fixed() bool                 { return f.fixed }
func (f *fakeTarget) Database() meter.Database    { return nil }
func (f *fakeTarget) Close(context.Context) error { return nil }
func (f *fakeTarget) Describe(context.Context) (target.Description, error) {
	return target.Description{}, nil
}
func (f *fakeTarget) Isolated(context.Context, string) (target.Target, error) {
	return nil, target.ErrUnsupported
}
func (f *fakeTarget) Start(_ context.Context, n int, s target.Settings) (target.Deployment, error) {
	return f.start(n, s), nil
}

func (f *fakeTarget) start(n int, s target.Settings) *fakeDeployment {
	d := &fakeDeployment{settings: s, versions: []string{"2.18", "2.20", "2.21", "3.1", "5.4"}}
	for i := range n {
		d.instances = append(d.instances, &fakeInstance{
			name: fmt.Sprintf("%s-%d", map[bool]string{true: "on", false: "off"}[s.Flag], i), db: f.db, settings: s,
			cache: map[string]time.Time{}, gone: map[string]bool{},
		})
	}
	return d
}

type fakeDeployment struct {
	settings  target.Settings
	instances []*fakeInstance
	versions  []string
	stopped   atomic.Bool
}

func (d *fakeDeployment) Clients(p target.Protocol) []adapter.Core {
	var out []adapter.Core
	for _, i := range d.instances {
		out = append(out, &fakeClient{fakeInstance: i, version: string(p), versions: d.versions})
	}
	return out
}
func (d *fakeDeployment) Processes() []meter.Process         { return nil }
func (d *fakeDeployment) Settings() target.Settings          { return d.settings }
func (d *fakeDeployment) Kill(context.Context, int) error    { return target.ErrUnsupported }
func (d *fakeDeployment) Restart(context.Context, int) error { return target.ErrUnsupported }
func (d *fakeDeployment) Stop(context.Context) error         { d.stopped.Store(true); return nil }

// fakeInstance is one core.
type fakeInstance struct {
	name     string
	db       *fakeDatabase
	settings target.Settings

	mu    sync.Mutex
	cache map[string]time.Time // handle: accepted until
	gone  map[string]bool      // handles revoked at this instance
}

// fakeClient speaks one version to one instance.
type fakeClient struct {
	*fakeInstance
	version  string
	versions []string
}

var _ adapter.Core = (*fakeClient)(nil)

func (c *fakeClient) Name() string     { return c.name }
func (c *fakeClient) URL() string      { return "http://" + c.name + ".test" }
func (c *fakeClient) Era() adapter.Era { return cdi.EraOf(c.version) }
func (c *fakeClient) Protocol() string { return "CDI " + c.version }
func (c *fakeClient) Versions(context.Context) ([]string, error) {
	return slices.Clone(c.versions), nil
}
func (c *fakeClient) VerifyHTTP(adapter.VerifyRequest) (string, string, http.Header, []byte) {
	return "", "", nil, nil
}
func (c *fakeClient) VerifyOK(int, []byte) bool { return false }

// claims are inside tokens, of both kinds.
type claims struct {
	Handle, User, Self, Parent, CSRF string
	Expiry                           int64
	Payload                          map[string]any
	Kind                             string // how it came to be
	Version                          string
	Static                           bool
	Use                              string // "access" or "refresh"
}

func (c *fakeClient) sign(header string, cl claims) string {
	body, _ := json.Marshal(cl)
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + c.mac(text)
}

func (c *fakeClient) mac(text string) string {
	secret := "secret"
	if c.db.is("keys of its own") {
		secret += c.name
	}
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// open decodes a token; good says whether its signature is.
func (c *fakeClient) open(token, use string) (cl claims, decoded, good bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return cl, false, false
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber()
	if err != nil || numbers.Decode(&cl) != nil || cl.Use != use {
		return cl, false, false
	}
	return cl, true, hmac.Equal([]byte(parts[2]), []byte(c.mac(parts[0]+"."+parts[1])))
}

// answer makes the reply of one call and records it.
func (c *fakeClient) answer(ctx context.Context, invoked time.Time, verb string, request any, status adapter.Status, message string) adapter.Reply {
	r := adapter.Reply{Status: status, HTTPStatus: 200, Message: message, Invoked: invoked}
	if status == adapter.HTTPError {
		r.HTTPStatus = 500
	}
	body, _ := json.Marshal(request)
	r.Text = fmt.Sprintf(`{"status":%q}`, status)
	r.Exchange = adapter.Exchange{
		Method: "POST", URL: c.URL() + "/" + verb, RequestBody: string(body), Status: r.HTTPStatus, ResponseBody: r.Text,
		RequestHeader: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Api-Key": {"***"}}, Sent: invoked,
	}
	if tag := adapter.Tag(ctx); tag != "" {
		r.Exchange.RequestHeader.Set("X-Coreproof-Check", tag)
	}
	r.Returned = time.Now()
	r.Exchange.Took = r.Returned.Sub(invoked)
	adapter.Recorder(ctx)(r.Exchange)
	return r
}

func (c *fakeClient) Hello(ctx context.Context) (adapter.Reply, error) {
	return c.answer(ctx, time.Now(), "hello", nil, adapter.OK, ""), nil
}

func (c *fakeClient) validity() time.Duration {
	if v := c.settings.AccessTokenValidity; v > 0 {
		return v
	}
	return time.Hour
}

func (c *fakeClient) access(cl claims, kind string) (string, adapter.Token) {
	now := time.Now()
	cl.Use, cl.Kind, cl.Version = "access", kind, c.version
	if kind != "regenerate" {
		cl.Expiry = now.Add(c.validity()).UnixMilli()
	}
	created := now.UnixMilli()
	if c.Era() == adapter.EraRequest {
		cl.Expiry, created = cl.Expiry/1000*1000, created/1000*1000
	}
	token := c.sign(`{"alg":"HS256"}`, cl)
	return token, adapter.Token{Value: token, Expiry: cl.Expiry, Created: created}
}

func (c *fakeClient) refreshToken(cl claims) adapter.Token {
	cl.Use, cl.Payload = "refresh", nil
	return adapter.Token{Value: c.sign(`{"typ":"refresh"}`, cl), Expiry: time.Now().Add(time.Hour).UnixMilli()}
}

func (c *fakeClient) Create(ctx context.Context, r adapter.CreateRequest) (adapter.Tokens, error) {
	invoked := time.Now()
	c.db.mu.Lock()
	row := &fakeRow{
		handle: c.db.id(), user: r.UserID, current: c.db.id(), payload: clone(r.Payload), data: clone(r.Data),
		created: invoked.UnixMilli(), expiry: invoked.Add(time.Hour).UnixMilli(),
	}
	if c.db.is("fraction lost") {
		row.payload = lossy(row.payload)
	}
	c.db.rows[row.handle] = row
	cl := claims{Handle: row.handle, User: row.user, Self: row.current, Payload: row.payload, Static: r.StaticKey}
	if r.AntiCSRF {
		cl.CSRF = c.db.id()
	}
	c.db.mu.Unlock()
	t := adapter.Tokens{Session: c.session(cl), AntiCSRF: cl.CSRF}
	_, t.Access = c.access(cl, "create")
	t.Refresh = c.refreshToken(cl)
	t.Reply = c.answer(ctx, invoked, "create", r.UserID, adapter.OK, "")
	return t, nil
}

func (c *fakeClient) session(cl claims) adapter.Session {
	payload, _ := json.Marshal(cl.Payload)
	return adapter.Session{Handle: cl.Handle, UserID: cl.User, RecipeUserID: cl.User, TenantID: "public", Payload: payload}
}

func clone(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return maps.Clone(m)
}

// lossy sends values through float64, as careless JSON does.
func lossy(m map[string]any) map[string]any {
	var out map[string]any
	b, _ := json.Marshal(m)
	_ = json.Unmarshal(b, &out)
	return out
}

func (c *fakeClient) Verify(ctx context.Context, r adapter.VerifyRequest) (adapter.Verified, error) {
	check := c.settings.Flag
	if c.Era() == adapter.EraRequest {
		check = r.CheckDatabase
	}
	return c.verify(ctx, r, check)
}

func (c *fakeClient) VerifyBothSwitches(ctx context.Context, r adapter.VerifyRequest) (adapter.Verified, error) {
	check := c.settings.Flag || c.db.is("the request decides in both eras") && r.CheckDatabase
	if c.Era() == adapter.EraRequest {
		check = r.CheckDatabase
	}
	return c.verify(ctx, r, check)
}

func (c *fakeClient) verify(ctx context.Context, r adapter.VerifyRequest, check bool) (adapter.Verified, error) {
	invoked := time.Now()
	c.db.busy.Add(1)
	defer c.db.busy.Add(-1)
	say := func(s adapter.Status, message string) (adapter.Verified, error) {
		return adapter.Verified{Reply: c.answer(ctx, invoked, "verify", r, s, message)}, nil
	}
	if c.db.is("no answer to verify") {
		return adapter.Verified{}, errors.New("connection refused")
	}
	cl, decoded, good := c.open(r.AccessToken, "access")
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	if check && decoded && c.db.rows[cl.Handle] == nil && (c.db.is("database before signature") ||
		c.db.is("database before anti-csrf") && good || c.db.is("database before expiry") && good) {
		return say(adapter.Unauthorised, "")
	}
	if !decoded || !good && !c.db.is("signatures are not verified") {
		return say(adapter.TryRefreshToken, "")
	}
	if time.Now().UnixMilli() > cl.Expiry && !c.db.is("tokens never expire") {
		return say(adapter.TryRefreshToken, "expired")
	}
	if r.DoAntiCSRF && (cl.CSRF == "" || cl.CSRF != r.AntiCSRF) && !c.db.is("anti-csrf is not checked") {
		return say(adapter.TryRefreshToken, "anti-csrf")
	}
	if c.db.is("live sessions refused now and then") && check {
		if c.db.counter++; c.db.counter%7 == 0 {
			return say(adapter.Unauthorised, "")
		}
	}
	if c.db.is("500 instead of a refusal") && c.db.rows[cl.Handle] == nil {
		return say(adapter.HTTPError, "java.lang.NullPointerException")
	}
	row, alive := c.row(ctx, cl, check)
	if !alive {
		return say(adapter.Unauthorised, "ended")
	}
	out := adapter.Verified{}
	replace := cl.Parent != "" || check && row != nil && !same(row.payload, cl.Payload) && !c.db.is("payload changes go unseen")
	if replace && row != nil {
		if cl.Parent == row.current {
			row.current = cl.Self
		}
		cl.Parent, cl.Payload = "", row.payload
		if c.db.is("verify gives a token again and again") {
			cl.Payload = map[string]any{"not": "the row's"}
		}
		_, out.Access = c.access(cl, "exchange")
	}
	if c.db.is("the wrong user comes back") {
		cl.User += "x"
	}
	out.Session = c.session(cl)
	out.Reply = c.answer(ctx, invoked, "verify", r, adapter.OK, "")
	return out, nil
}

// row says whether verify finds the session alive, and the row if it read one.
func (c *fakeClient) row(ctx context.Context, cl claims, check bool) (*fakeRow, bool) {
	row := c.db.rows[cl.Handle]
	if c.db.is("always checks") {
		check = true
	}
	if c.db.is("sticky refusal") && c.db.banned[cl.Handle] {
		return nil, false
	}
	if !check && cl.Parent == "" {
		return row, true
	}
	if !check && c.db.is("an unused refreshed token is never looked up") {
		return nil, true
	}
	if row == nil && c.blind(ctx, cl) {
		return nil, true
	}
	if row == nil || c.db.is("a revoke of all bars the user") && c.db.banned[cl.User] {
		c.db.banned[cl.Handle] = true
		return nil, false
	}
	if cl.Parent != "" && c.db.is("a promotion in flight brings the session back") {
		c.db.mu.Unlock() // read, think, write back
		time.Sleep(2 * time.Millisecond)
		c.db.mu.Lock()
		c.db.rows[cl.Handle] = row
	}
	if c.db.is("positive cache of 200 ms") {
		c.mu.Lock()
		c.cache[cl.Handle] = time.Now().Add(200 * time.Millisecond)
		c.mu.Unlock()
	}
	return row, true
}

// blind says whether a defective core overlooks that the row is gone.
func (c *fakeClient) blind(ctx context.Context, cl claims) bool {
	switch c.db.defect {
	case "flag ignored":
		return true
	case "positive cache of 200 ms":
		c.mu.Lock()
		defer c.mu.Unlock()
		return time.Now().Before(c.cache[cl.Handle])
	case "revoke reaches one instance only":
		c.mu.Lock()
		defer c.mu.Unlock()
		return !c.gone[cl.Handle]
	case "fails open when many ask":
		return c.db.busy.Load() > 4
	case "behaves when it is watched":
		return adapter.Tag(ctx) == ""
	case "misbehaves when it is watched":
		return adapter.Tag(ctx) != ""
	case "refused once, accepted later":
		c.db.refusals[cl.Handle]++
		return c.db.refusals[cl.Handle] > 20
	case "one token format is not covered":
		return cl.Version == "3.1"
	case "static keys are not covered":
		return cl.Static
	case "regenerated tokens are not covered":
		return cl.Kind == "regenerate"
	case "refreshed tokens are not covered":
		return cl.Kind == "refresh"
	case "exchanged tokens are not covered":
		return cl.Kind == "exchange"
	case "only the newest token is covered":
		return cl.Kind == "create"
	case "changed sessions are not covered":
		return len(cl.Payload) > 0
	case "short tokens are not worth a check":
		return c.validity() < time.Minute
	case "long tokens are kept in a cache":
		return c.validity() > 2*time.Hour
	}
	return false
}

func same(a, b map[string]any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return sameJSON(x, y)
}

func (c *fakeClient) Refresh(ctx context.Context, r adapter.RefreshRequest) (adapter.Tokens, error) {
	invoked := time.Now()
	say := func(s adapter.Status, message string) (adapter.Tokens, error) {
		return adapter.Tokens{Reply: c.answer(ctx, invoked, "refresh", r, s, message)}, nil
	}
	cl, decoded, good := c.open(r.RefreshToken, "refresh")
	if !decoded || !good {
		if c.db.is("garbage refreshes give a 500") {
			return say(adapter.HTTPError, "cannot decode")
		}
		return say(adapter.Unauthorised, "")
	}
	if r.EnableCSRF && cl.CSRF != "" && cl.CSRF != r.AntiCSRF {
		return say(adapter.Unauthorised, "anti-csrf")
	}
	if c.db.is("a refresh holds two connections") {
		c.db.pool <- struct{}{}
		defer func() { <-c.db.pool }()
		time.Sleep(5 * time.Millisecond)
		select {
		case c.db.pool <- struct{}{}:
			defer func() { <-c.db.pool }()
		case <-time.After(30 * time.Millisecond):
			return say(adapter.HTTPError, "connection pool time-out")
		}
	}
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	row := c.db.rows[cl.Handle]
	if row == nil && (c.db.is("refresh survives revoke") || c.db.is("a child's refresh survives revoke") && cl.Parent != "") {
		row = &fakeRow{handle: cl.Handle, user: cl.User, current: cl.Self}
		c.db.rows[cl.Handle] = row
	}
	if row == nil {
		if c.db.is("a revoke during a refresh is a foreign key error") {
			return say(adapter.HTTPError, "foreign key violation")
		}
		return say(adapter.Unauthorised, "gone")
	}
	if c.db.is("a refresh in flight brings the session back") {
		c.db.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		c.db.mu.Lock()
		c.db.rows[cl.Handle] = row
	}
	switch {
	case row.current == cl.Self:
	case row.current == cl.Parent:
		row.current = cl.Self
	case c.db.is("theft goes unseen"):
	default:
		t := adapter.Tokens{Session: adapter.Session{Handle: cl.Handle, UserID: cl.User}}
		t.Reply = c.answer(ctx, invoked, "refresh", r, adapter.TokenTheft, "")
		return t, nil
	}
	if c.db.is("the second of two refreshes is theft") {
		if c.db.banned[cl.Self] {
			return say(adapter.TokenTheft, "")
		}
		c.db.banned[cl.Self] = true
	}
	next := claims{Handle: cl.Handle, User: cl.User, Self: c.db.id(), Parent: cl.Self, Payload: row.payload}
	if r.EnableCSRF {
		next.CSRF = c.db.id()
	}
	t := adapter.Tokens{Session: c.session(next), AntiCSRF: next.CSRF}
	_, t.Access = c.access(next, "refresh")
	t.Refresh = c.refreshToken(next)
	if c.db.is("refresh keeps the refresh token") {
		t.Refresh.Value = r.RefreshToken
	}
	t.Reply = c.answer(ctx, invoked, "refresh", r, adapter.OK, "")
	return t, nil
}

func (c *fakeClient) Revoke(ctx context.Context, handles ...string) (adapter.Revoked, error) {
	invoked := time.Now()
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	out := adapter.Revoked{Handles: []string{}}
	if c.db.is("an unknown session is an error") && !slices.ContainsFunc(handles, func(h string) bool { return c.db.rows[h] != nil }) {
		out.Reply = c.answer(ctx, invoked, "remove", handles, adapter.Unauthorised, "")
		return out, nil
	}
	if c.db.is("two revokes both report") && len(handles) == 1 && c.db.rows[handles[0]] != nil {
		c.db.mu.Unlock()
		time.Sleep(time.Millisecond)
		c.db.mu.Lock()
		delete(c.db.rows, handles[0])
		out.Handles = handles
		out.Reply = c.answer(ctx, invoked, "remove", handles, adapter.OK, "")
		return out, nil
	}
	for i, h := range handles {
		if c.db.is("a revoke by handles stops at 10") && i >= 10 || c.db.is("a revoke by handles stops at 100") && i >= 100 {
			break
		}
		if c.db.is("handles ignore case") {
			h = strings.ToLower(h)
		}
		row := c.db.rows[h]
		if row == nil {
			if c.db.is("unknown handles are reported") || c.db.is("a second revoke reports again") && c.db.banned["revoked "+h] {
				out.Handles = append(out.Handles, h)
			}
			continue
		}
		c.end(row)
		out.Handles = append(out.Handles, h)
		if c.db.is("a revoke ends all of the user's") {
			for _, other := range c.db.rows {
				if other.user == row.user {
					c.end(other)
				}
			}
		}
	}
	out.Reply = c.answer(ctx, invoked, "remove", handles, adapter.OK, "")
	return out, nil
}

// end deletes a row; db.mu is held.
func (c *fakeClient) end(row *fakeRow) {
	delete(c.db.rows, row.handle)
	c.db.banned["revoked "+row.handle] = true
	c.mu.Lock()
	c.gone[row.handle] = true
	c.mu.Unlock()
}

// sameUser compares user ids as the core's database does.
func (db *fakeDatabase) sameUser(a, b string) bool {
	switch db.defect {
	case "users ignore case":
		return strings.EqualFold(a, b)
	case "users ignore trailing blanks":
		return strings.TrimRight(a, " ") == strings.TrimRight(b, " ")
	case "users are found by prefix":
		return strings.HasPrefix(b, a) // b is the row's
	case "users ignore accents":
		return strings.ReplaceAll(a, "ä", "a") == strings.ReplaceAll(b, "ä", "a")
	case "users are normalised":
		return strings.ReplaceAll(a, "e\u0301", "\u00e9") == strings.ReplaceAll(b, "e\u0301", "\u00e9")
	case "users are patterns":
		return a == b || strings.HasSuffix(a, "%") && strings.HasPrefix(b, strings.TrimSuffix(a, "%"))
	}
	return a == b
}

func (db *fakeDatabase) ofUser(user string) []*fakeRow {
	var rows []*fakeRow
	for _, row := range db.rows {
		if db.sameUser(user, row.user) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *fakeRow) int { return strings.Compare(a.handle, b.handle) })
	return rows
}

func (c *fakeClient) RevokeUser(ctx context.Context, user string) (adapter.Revoked, error) {
	invoked := time.Now()
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	out := adapter.Revoked{Handles: []string{}}
	for i, row := range c.db.ofUser(user) {
		if c.db.is("a revoke by user stops at 10") && i >= 10 || c.db.is("a revoke by user stops at 100") && i >= 100 {
			break
		}
		c.end(row)
		out.Handles = append(out.Handles, row.handle)
	}
	switch {
	case c.db.is("a revoke of one user ends all"):
		for _, row := range c.db.rows {
			c.end(row)
		}
	case c.db.is("a revoke of all bars the user"):
		c.db.banned[user] = true
	case c.db.is("a revoke of all reports what it left alive"):
		c.db.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		c.db.mu.Lock()
		for _, row := range c.db.ofUser(user) {
			out.Handles = append(out.Handles, row.handle)
		}
	}
	out.Reply = c.answer(ctx, invoked, "remove", user, adapter.OK, "")
	return out, nil
}

func (c *fakeClient) Regenerate(ctx context.Context, token string, payload map[string]any) (adapter.Tokens, error) {
	invoked := time.Now()
	cl, decoded, _ := c.open(token, "access")
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	row := c.db.rows[cl.Handle]
	if row == nil && decoded && c.db.is("regenerate brings the session back") {
		row = &fakeRow{handle: cl.Handle, user: cl.User, current: cl.Self}
		c.db.rows[cl.Handle] = row
	}
	if row == nil {
		return adapter.Tokens{Reply: c.answer(ctx, invoked, "regenerate", token, adapter.Unauthorised, "")}, nil
	}
	if c.db.is("a regenerate in flight brings the session back") {
		c.db.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		c.db.mu.Lock()
		c.db.rows[cl.Handle] = row
	}
	if payload != nil {
		row.payload = clone(payload)
	}
	cl.Payload = row.payload
	if c.db.is("regenerate prolongs the token") {
		cl.Expiry += 1000
	}
	t := adapter.Tokens{Session: c.session(cl)}
	_, t.Access = c.access(cl, "regenerate")
	t.Reply = c.answer(ctx, invoked, "regenerate", token, adapter.OK, "")
	return t, nil
}

func (c *fakeClient) List(ctx context.Context, user string) (adapter.Listed, error) {
	invoked := time.Now()
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	out := adapter.Listed{Handles: []string{}}
	for _, row := range c.db.ofUser(user) {
		out.Handles = append(out.Handles, row.handle)
	}
	if c.db.is("revoked sessions are still listed") {
		for key := range c.db.banned {
			if h, ok := strings.CutPrefix(key, "revoked "); ok {
				out.Handles = append(out.Handles, h)
			}
		}
	}
	out.Reply = c.answer(ctx, invoked, "list", user, adapter.OK, "")
	return out, nil
}

func (c *fakeClient) Get(ctx context.Context, handle string) (adapter.Info, error) {
	invoked := time.Now()
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	if c.db.is("handles ignore case") {
		handle = strings.ToLower(handle)
	}
	row := c.db.rows[handle]
	if row == nil && c.db.is("reads come from a cache") && c.db.banned["revoked "+handle] {
		row = &fakeRow{handle: handle}
	}
	if row == nil && c.db.is("unknown sessions are empty ones") {
		row = &fakeRow{handle: handle}
	}
	if row == nil {
		return adapter.Info{Reply: c.answer(ctx, invoked, "get", handle, adapter.Unauthorised, "")}, nil
	}
	data, _ := json.Marshal(row.data)
	return adapter.Info{
		Session: c.session(claims{Handle: row.handle, User: row.user, Payload: row.payload}), Data: data, Expiry: row.expiry, Created: row.created,
		Reply: c.answer(ctx, invoked, "get", handle, adapter.OK, ""),
	}, nil
}

// set writes one of the two objects of a row.
func (c *fakeClient) set(ctx context.Context, handle, what string, write func(*fakeRow)) adapter.Reply {
	invoked := time.Now()
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	row := c.db.rows[handle]
	if row == nil && c.db.is("a write of "+what+" upserts") {
		row = &fakeRow{handle: handle}
		c.db.rows[handle] = row
	}
	if row == nil {
		return c.answer(ctx, invoked, "set "+what, handle, adapter.Unauthorised, "")
	}
	if c.db.is("a slow write of " + what + " brings the session back") {
		c.db.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		c.db.mu.Lock()
		c.db.rows[handle] = row
	}
	write(row)
	return c.answer(ctx, invoked, "set "+what, handle, adapter.OK, "")
}

func (c *fakeClient) SetPayload(ctx context.Context, handle string, payload map[string]any) (adapter.Reply, error) {
	return c.set(ctx, handle, "payload", func(row *fakeRow) { row.payload = clone(payload) }), nil
}

func (c *fakeClient) SetData(ctx context.Context, handle string, data map[string]any) (adapter.Reply, error) {
	return c.set(ctx, handle, "data", func(row *fakeRow) {
		if c.db.is("writes merge") {
			maps.Copy(row.data, data)
			return
		}
		row.data = clone(data)
	}), nil
}

func (c *fakeClient) FlagSetting(context.Context) (on, known bool, err error) {
	if c.Era() == adapter.EraRequest {
		return false, false, nil
	}
	return c.settings.Flag && !c.db.is("the handshake hides the flag"), true, nil
}

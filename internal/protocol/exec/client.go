package exec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// optional verbs, which an adapter names when it has them.
var optional = []protocol.Verb{
	protocol.VerbRefresh, protocol.VerbRevokeUser, protocol.VerbRegenerate, protocol.VerbList, protocol.VerbGet,
	protocol.VerbSetPayload, protocol.VerbSetData, protocol.VerbHello, protocol.VerbTellFlag,
}

// request is a call as a line.
type request struct {
	ID      int64  `json:"id"`
	Verb    string `json:"verb"`
	URL     string `json:"url"`
	Version string `json:"version,omitempty"`
	APIKey  string `json:"apiKey,omitempty"`
	Tag     string `json:"tag,omitempty"`

	UserID        string         `json:"userId,omitempty"`
	Payload       map[string]any `json:"payload,omitempty"`
	Data          map[string]any `json:"data,omitempty"`
	AccessToken   string         `json:"accessToken,omitempty"`
	RefreshToken  string         `json:"refreshToken,omitempty"`
	AntiCSRF      bool           `json:"antiCsrf,omitempty"`
	AntiCSRFToken string         `json:"antiCsrfToken,omitempty"`
	StaticKey     bool           `json:"staticKey,omitempty"`
	CheckDatabase bool           `json:"checkDatabase,omitempty"`
	Handle        string         `json:"handle,omitempty"`
	Handles       []string       `json:"handles,omitempty"`
}

// answer is what comes back as a line.
type answer struct {
	ID      *int64          `json:"id"`
	Status  protocol.Status `json:"status"`
	HTTP    int             `json:"http"`
	Message string          `json:"message"`
	Error   string          `json:"error"`

	Handle         string          `json:"handle"`
	UserID         string          `json:"userId"`
	RecipeUserID   string          `json:"recipeUserId"`
	TenantID       string          `json:"tenantId"`
	Payload        json.RawMessage `json:"payload"`
	Data           json.RawMessage `json:"data"`
	Access         protocol.Token  `json:"accessToken"`
	Refresh        protocol.Token  `json:"refreshToken"`
	AntiCSRF       string          `json:"antiCsrfToken"`
	PayloadChanged *bool           `json:"payloadChanged"`
	Handles        []string        `json:"handles"`
	Expiry         int64           `json:"expiry"`
	Created        int64           `json:"createdTime"`
	Flag           *bool           `json:"flag"`
}

// client is one core behind adapters.
type client struct {
	p *Protocol
	o protocol.DialOptions
}

var (
	_ protocol.Core       = (*client)(nil)
	_ protocol.Limited    = (*client)(nil)
	_ protocol.FlagTeller = (*client)(nil)
)

func (c *client) Name() string                { return c.o.Name }
func (c *client) URL() string                 { return c.o.BaseURL }
func (c *client) Version() string             { return c.o.Version }
func (c *client) FlagMode() protocol.FlagMode { return c.p.FlagMode(c.o.Version) }

// Can says whether the adapter has a verb.
func (c *client) Can(v protocol.Verb) bool {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return slices.Contains(c.p.verbs, v)
}

// Without says why the core's protocol has no v, as the adapter says it.
func (c *client) Without(v protocol.Verb) string {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.p.without[v]
}

// VerifyHTTP gives nothing; see Protocol.Judge.
func (c *client) VerifyHTTP(protocol.VerifyRequest) (method, url string, header http.Header, body []byte) {
	return "", "", nil, nil
}

// call makes one exchange with an adapter.
func (c *client) call(ctx context.Context, q request) (protocol.Reply, error) {
	r, _, err := c.exchange(ctx, q)
	return r, err
}

func (c *client) exchange(ctx context.Context, q request) (r protocol.Reply, a answer, err error) {
	q.ID, q.URL, q.Version, q.Tag = c.p.calls.Add(1), c.o.BaseURL, c.o.Version, protocol.Tag(ctx)
	line, err := json.Marshal(q)
	if err != nil {
		return r, a, fmt.Errorf("%s at %s: encode the call: %w", q.Verb, c.o.Name, err)
	}
	r.Exchange = protocol.Exchange{Method: protocol.Piped, URL: strings.Join(c.p.o.Command, " "), RequestBody: string(line)}
	if q.APIKey = c.o.APIKey; q.APIKey != "" { // in what is sent, never in what is recorded
		if line, err = json.Marshal(q); err != nil {
			return r, a, fmt.Errorf("%s at %s: encode the call: %w", q.Verb, c.o.Name, err)
		}
	}
	if err := c.o.Throttle.Wait(ctx); err != nil {
		return r, a, fmt.Errorf("wait for the rate cap: %w", err)
	}
	ad, err := c.p.take(ctx)
	if err != nil {
		return r, a, fmt.Errorf("%s at %s: %w", q.Verb, c.o.Name, err)
	}
	timeout := c.o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.Invoked = time.Now()
	text, err := ad.exchange(bounded, line)
	r.Returned = time.Now()
	r.Text, r.Exchange.ResponseBody = text, text
	r.Exchange.Sent, r.Exchange.Took = r.Invoked, r.Returned.Sub(r.Invoked)
	if err == nil {
		err = ad.isAnswer(text, q.ID, &a)
	}
	c.p.give(ad, err == nil) // else its next line might be this call's answer
	if err == nil {
		err = read(&r, &a)
	}
	if err == nil {
		err = protocol.TurnedAway(ctx, r.HTTPStatus)
	}
	if err != nil {
		r.Exchange.Error = err.Error()
		err = fmt.Errorf("%s at %s: %w", q.Verb, c.o.Name, err)
	}
	r.Exchange.Status = r.HTTPStatus
	protocol.Recorder(ctx)(r.Exchange)
	return r, a, err
}

// read takes in an answer.
func read(r *protocol.Reply, a *answer) error {
	if a.Error != "" {
		return errors.New(a.Error)
	}
	_ = json.Unmarshal([]byte(r.Text), &r.Raw) // it was an object just now
	r.Status, r.Message, r.HTTPStatus = a.Status, a.Message, a.HTTP
	switch {
	case a.Status == "" && a.HTTP == 0 && r.Raw["versions"] == nil:
		return fmt.Errorf("the adapter's answer has no status (%.80q)", r.Text)
	case a.Status == protocol.HTTPError && a.HTTP == 0:
		return fmt.Errorf("the adapter's answer is %s without \"http\": say which status", a.Status)
	case a.HTTP == 0:
		r.HTTPStatus = http.StatusOK
	}
	return nil
}

func (a *answer) session() protocol.Session {
	return protocol.Session{Handle: a.Handle, UserID: a.UserID, RecipeUserID: a.RecipeUserID, TenantID: a.TenantID, Payload: a.Payload}
}

func (c *client) tokens(ctx context.Context, q request) (protocol.Tokens, error) {
	r, a, err := c.exchange(ctx, q)
	return protocol.Tokens{Reply: r, Session: a.session(), Access: a.Access, Refresh: a.Refresh, AntiCSRF: a.AntiCSRF}, err
}

func (c *client) Create(ctx context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	return c.tokens(ctx, request{Verb: "create", UserID: r.UserID, Payload: r.Payload, Data: r.Data, AntiCSRF: r.AntiCSRF, StaticKey: r.StaticKey})
}

func (c *client) Verify(ctx context.Context, q protocol.VerifyRequest) (protocol.Verified, error) {
	r, a, err := c.exchange(ctx, request{Verb: "verify", AccessToken: q.AccessToken, CheckDatabase: q.CheckDatabase, AntiCSRF: q.DoAntiCSRF, AntiCSRFToken: q.AntiCSRF})
	return protocol.Verified{Reply: r, Session: a.session(), Access: a.Access, PayloadChanged: a.PayloadChanged}, err
}

func (c *client) Revoke(ctx context.Context, handles ...string) (protocol.Revoked, error) {
	r, a, err := c.exchange(ctx, request{Verb: "revoke", Handles: handles})
	return protocol.Revoked{Reply: r, Handles: a.Handles}, err
}

func (c *client) RevokeUser(ctx context.Context, user string) (protocol.Revoked, error) {
	r, a, err := c.exchange(ctx, request{Verb: string(protocol.VerbRevokeUser), UserID: user})
	return protocol.Revoked{Reply: r, Handles: a.Handles}, err
}

func (c *client) Refresh(ctx context.Context, r protocol.RefreshRequest) (protocol.Tokens, error) {
	return c.tokens(ctx, request{Verb: string(protocol.VerbRefresh), RefreshToken: r.RefreshToken, AntiCSRF: r.EnableCSRF, AntiCSRFToken: r.AntiCSRF, StaticKey: r.StaticKey})
}

func (c *client) Regenerate(ctx context.Context, token string, payload map[string]any) (protocol.Tokens, error) {
	return c.tokens(ctx, request{Verb: string(protocol.VerbRegenerate), AccessToken: token, Payload: payload})
}

func (c *client) List(ctx context.Context, user string) (protocol.Listed, error) {
	r, a, err := c.exchange(ctx, request{Verb: string(protocol.VerbList), UserID: user})
	return protocol.Listed{Reply: r, Handles: a.Handles}, err
}

func (c *client) Get(ctx context.Context, handle string) (protocol.Info, error) {
	r, a, err := c.exchange(ctx, request{Verb: string(protocol.VerbGet), Handle: handle})
	return protocol.Info{Reply: r, Session: a.session(), Data: a.Data, Expiry: a.Expiry, Created: a.Created}, err
}

func (c *client) SetPayload(ctx context.Context, handle string, payload map[string]any) (protocol.Reply, error) {
	return c.call(ctx, request{Verb: string(protocol.VerbSetPayload), Handle: handle, Payload: payload})
}

func (c *client) SetData(ctx context.Context, handle string, data map[string]any) (protocol.Reply, error) {
	return c.call(ctx, request{Verb: string(protocol.VerbSetData), Handle: handle, Data: data})
}

func (c *client) Hello(ctx context.Context) (protocol.Reply, error) {
	return c.call(ctx, request{Verb: string(protocol.VerbHello)})
}

// FlagSetting asks for the core's own setting of the flag; an answer without one does not
// tell.
func (c *client) FlagSetting(ctx context.Context) (on, known bool, err error) {
	r, a, err := c.exchange(ctx, request{Verb: string(protocol.VerbTellFlag)})
	if err = protocol.Answered(r, err); err != nil || a.Flag == nil {
		return false, false, err
	}
	return *a.Flag, true, nil
}

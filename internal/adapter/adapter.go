// Package adapter is how the harness speaks to a core, whatever its wire
// protocol. Each protocol is a package below this one; nothing else in the
// harness knows a path, a header or a field name of a core.
package adapter

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Era says who decides whether verify asks the database.
type Era string

const (
	// EraSetting: the core's own setting decides (CDI ≤ 2.20).
	EraSetting Era = "setting"
	// EraRequest: each request's checkDatabase decides (CDI ≥ 2.21).
	EraRequest Era = "request"
)

// Status is a business outcome in CDI's own words.
type Status string

const (
	OK              Status = "OK"
	Unauthorised    Status = "UNAUTHORISED"
	TryRefreshToken Status = "TRY_REFRESH_TOKEN"
	TokenTheft      Status = "TOKEN_THEFT_DETECTED"
	// HTTPError stands for any answer that is not HTTP 200; see Reply.HTTPStatus.
	HTTPError Status = "HTTP_ERROR"
)

// Exchange is one request and its response as they went over the wire.
type Exchange struct {
	Method        string        `json:"method"`
	URL           string        `json:"url"`
	RequestHeader http.Header   `json:"requestHeader,omitempty"`
	RequestBody   string        `json:"requestBody,omitempty"`
	Status        int           `json:"status,omitempty"` // 0 when no response arrived
	ResponseBody  string        `json:"responseBody,omitempty"`
	Error         string        `json:"error,omitempty"`
	Sent          time.Time     `json:"sent"`
	Took          time.Duration `json:"tookNs"`
}

// Reply is what every verb returns at least.
type Reply struct {
	Status     Status
	HTTPStatus int
	Message    string
	// Raw is the decoded JSON object, nil for a text body.
	Raw map[string]json.RawMessage
	// Text is the body as it arrived.
	Text     string
	Exchange Exchange
	// Invoked and Returned are read from the harness's monotonic clock just
	// before the request is handed to the connection and just after the whole
	// body has arrived.
	Invoked, Returned time.Time
}

// Token is a token with its times in ms since 1970.
type Token struct {
	Value   string `json:"token"`
	Expiry  int64  `json:"expiry"`
	Created int64  `json:"createdTime"`
}

// Session is a core's view of a session in a reply.
type Session struct {
	Handle       string
	UserID       string
	RecipeUserID string
	TenantID     string
	Payload      json.RawMessage // userDataInJWT
}

// CreateRequest asks for a new session.
type CreateRequest struct {
	UserID    string
	Payload   map[string]any // nil is {}
	Data      map[string]any // nil is {}
	AntiCSRF  bool
	StaticKey bool // ask for the static signing key (EraRequest only)
}

// Tokens is what create, refresh and regenerate hand out; fields that a call
// does not give are zero.
type Tokens struct {
	Reply
	Session  Session
	Access   Token
	Refresh  Token
	AntiCSRF string
}

// VerifyRequest asks whether an access token is good.
type VerifyRequest struct {
	AccessToken string
	// CheckDatabase is sent in EraRequest and ignored in EraSetting.
	CheckDatabase bool
	DoAntiCSRF    bool // both enableAntiCsrf and doAntiCsrfCheck
	AntiCSRF      string
}

// Verified is the answer to verify.
type Verified struct {
	Reply
	Session Session
	// Access is a replacement token, zero when none was given.
	Access Token
}

// RefreshRequest exchanges a refresh token.
type RefreshRequest struct {
	RefreshToken string
	EnableCSRF   bool
	AntiCSRF     string
	StaticKey    bool
}

// Revoked is the answer to a revoke.
type Revoked struct {
	Reply
	Handles []string
}

// Listed is the answer to a listing of a user's sessions.
type Listed struct {
	Reply
	Handles []string
}

// Info is the answer to a read of one session.
type Info struct {
	Reply
	Session Session
	Data    json.RawMessage // userDataInDatabase
	Expiry  int64           // ms
	Created int64           // ms
}

// Core is the verbs that a core must have. A non-nil error means that no usable
// answer arrived (connection refused, time-out, body too large, not the
// protocol at all); a refusal is a Status. Implementations are safe for
// concurrent use and never retry.
type Core interface {
	// Name tells the instance in reports, e.g. "on-0".
	Name() string
	// URL is the instance's base URL.
	URL() string
	// Era says who decides whether verify asks the database.
	Era() Era
	// Protocol is name and version, e.g. "CDI 5.4".
	Protocol() string
	// Hello asks whether the core answers.
	Hello(ctx context.Context) (Reply, error)
	Create(ctx context.Context, r CreateRequest) (Tokens, error)
	Verify(ctx context.Context, r VerifyRequest) (Verified, error)
	Refresh(ctx context.Context, r RefreshRequest) (Tokens, error)
	// Revoke ends the sessions with these handles.
	Revoke(ctx context.Context, handles ...string) (Revoked, error)
	// RevokeUser ends all sessions of a user.
	RevokeUser(ctx context.Context, userID string) (Revoked, error)
	// Regenerate mints a new access token; a nil payload keeps the stored one.
	Regenerate(ctx context.Context, accessToken string, payload map[string]any) (Tokens, error)
	List(ctx context.Context, userID string) (Listed, error)
	Get(ctx context.Context, handle string) (Info, error)
	SetPayload(ctx context.Context, handle string, payload map[string]any) (Reply, error)
	SetData(ctx context.Context, handle string, data map[string]any) (Reply, error)
	// FlagSetting is what the core says its own setting is (handshake);
	// known is false where the protocol does not tell.
	FlagSetting(ctx context.Context) (on, known bool, err error)
	// VerifyHTTP builds the verify request as bytes ready to send, for load
	// generators: they must not pay for building requests.
	VerifyHTTP(r VerifyRequest) (method, url string, header http.Header, body []byte)
	// VerifyOK judges the body of an answer to VerifyHTTP without allocating
	// much: true when it says that the token is good.
	VerifyOK(httpStatus int, body []byte) bool
}

type tagKey struct{}

// WithTag marks the requests made under ctx: they carry
// "X-Coreproof-Check: tag", so that a maintainer finds them in the core's log.
func WithTag(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, tagKey{}, tag)
}

// Tag is what WithTag set, or "".
func Tag(ctx context.Context) string {
	s, _ := ctx.Value(tagKey{}).(string)
	return s
}

type recorderKey struct{}

// WithRecorder hands each exchange made under ctx to record as well.
// record must be safe for concurrent use.
func WithRecorder(ctx context.Context, record func(Exchange)) context.Context {
	return context.WithValue(ctx, recorderKey{}, record)
}

// Recorder is what WithRecorder set, or a function that does nothing.
func Recorder(ctx context.Context) func(Exchange) {
	if f, ok := ctx.Value(recorderKey{}).(func(Exchange)); ok {
		return f
	}
	return func(Exchange) {}
}

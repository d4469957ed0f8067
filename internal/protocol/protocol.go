// Package protocol is how the harness speaks to a core, whatever its wire
// protocol. Each protocol is a package below this one; nothing else in the
// harness knows a path, a header or a field name of a core.
package protocol

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// FlagMode says who decides whether verify asks the database.
type FlagMode string

const (
	// BySetting: the core's own setting decides (CDI ≤ 2.20).
	BySetting FlagMode = "setting"
	// ByRequest: each request decides (CDI ≥ 2.21: checkDatabase).
	ByRequest FlagMode = "request"
)

// Piped is the method of an exchange with a program by lines: URL is its command.
const Piped = "PIPE"

// Local is the method of what was no exchange: the caller decided by itself, with the
// keys at URL.
const Local = "LOCAL"

// Exchange is one request and its response as they went over the wire.
type Exchange struct {
	Method        string        `json:"method"`
	URL           string        `json:"url"`
	RequestHeader http.Header   `json:"requestHeader,omitempty"`
	Host          string        `json:"host,omitempty"`    // that the request named; "" for the URL's
	Chunked       bool          `json:"chunked,omitempty"` // the body came in chunks
	Proto         string        `json:"proto,omitempty"`   // of the request; "" for HTTP/1.1
	RequestBody   string        `json:"requestBody,omitempty"`
	Status        int           `json:"status,omitempty"` // 0 when no response arrived
	ResponseBody  string        `json:"responseBody,omitempty"`
	Error         string        `json:"error,omitempty"`
	Sent          time.Time     `json:"sent"`
	Took          time.Duration `json:"tookNs"`
}

// Sends notes how a request goes over the wire, besides its headers and its body.
func (e *Exchange) Sends(req *http.Request) {
	if req.Host != req.URL.Host {
		e.Host = req.Host
	}
	e.Chunked = req.ContentLength < 0
	if MannerOf(req.Context()) == MannerOlder {
		e.Proto = oldProto
	}
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

// Answered gives an error for a call that failed or got another answer than OK.
func Answered(r Reply, err error) error {
	if err == nil && r.Status != OK {
		return fmt.Errorf("it answered %s (HTTP %d) %s", r.Status, r.HTTPStatus, r.Message)
	}
	return err
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
	StaticKey bool // ask for the static signing key (ByRequest only)
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
	// CheckDatabase is sent in ByRequest and ignored in BySetting.
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
	// PayloadChanged tells whether the stored payload differs from the token's; nil
	// where the answer does not tell.
	PayloadChanged *bool
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

// Core is the verbs that every core must have: make a session, ask whether its
// token is good, end it. Further verbs are interfaces of their own (Refresher,
// Lister, …) that a client implements where its protocol has them; Verbs lists
// what a client can do.
//
// A non-nil error means that no usable answer arrived (connection refused,
// time-out, body too large, not the protocol at all); a refusal is a Status.
// Implementations are safe for concurrent use and never retry.
type Core interface {
	// Name tells the instance in reports, e.g. "on-0".
	Name() string
	// URL is the instance's base URL.
	URL() string
	// FlagMode says who decides whether verify asks the database.
	FlagMode() FlagMode
	// Version is the protocol's version that is spoken, e.g. "5.4".
	Version() string
	Create(ctx context.Context, r CreateRequest) (Tokens, error)
	Verify(ctx context.Context, r VerifyRequest) (Verified, error)
	// Revoke ends the sessions with these handles.
	Revoke(ctx context.Context, handles ...string) (Revoked, error)
	// VerifyHTTP builds the verify request as bytes ready to send, for load
	// generators: they must not pay for building requests. Its answer is judged by
	// Protocol.Judge. There is none, and the method is "", where Verify asks nobody.
	VerifyHTTP(r VerifyRequest) (method, url string, header http.Header, body []byte)
}

// Refresher exchanges refresh tokens.
type Refresher interface {
	Refresh(ctx context.Context, r RefreshRequest) (Tokens, error)
}

// UserRevoker ends all sessions of a user.
type UserRevoker interface {
	RevokeUser(ctx context.Context, userID string) (Revoked, error)
}

// TokenRevoker revokes a token, whatever it belongs to.
type TokenRevoker interface {
	RevokeToken(ctx context.Context, token string) (Revoked, error)
}

// Regenerator mints a new access token; a nil payload keeps the stored one.
type Regenerator interface {
	Regenerate(ctx context.Context, accessToken string, payload map[string]any) (Tokens, error)
}

// Lister lists a user's sessions.
type Lister interface {
	List(ctx context.Context, userID string) (Listed, error)
}

// Reader reads one session.
type Reader interface {
	Get(ctx context.Context, handle string) (Info, error)
}

// PartReader reads one part of a session a call, beside Reader. A core may lack these calls:
// a protocol may have given them up in favour of Reader's.
type PartReader interface {
	// GetData fills in Info.Data.
	GetData(ctx context.Context, handle string) (Info, error)
	// GetPayload fills in Info.Session.Payload.
	GetPayload(ctx context.Context, handle string) (Info, error)
}

// PayloadWriter replaces the payload of a session's tokens to come.
type PayloadWriter interface {
	SetPayload(ctx context.Context, handle string, payload map[string]any) (Reply, error)
}

// DataWriter replaces the data that is stored with a session.
type DataWriter interface {
	SetData(ctx context.Context, handle string, data map[string]any) (Reply, error)
}

// Greeter answers whether the core is there at all.
type Greeter interface {
	Hello(ctx context.Context) (Reply, error)
}

// FlagTeller tells the core's own setting of the flag; known is false where the
// version does not tell.
type FlagTeller interface {
	FlagSetting(ctx context.Context) (on, known bool, err error)
}

// Verb names an optional interface of a client.
type Verb string

const (
	VerbRefresh    Verb = "refresh"
	VerbRevokeUser Verb = "revoke user"
	VerbRegenerate Verb = "regenerate"
	// VerbRevokeToken: a token is revoked as it is, whatever it belongs to.
	VerbRevokeToken Verb = "revoke token"
	VerbList        Verb = "list"
	VerbGet         Verb = "get"
	VerbSetPayload  Verb = "set payload"
	VerbSetData     Verb = "set data"
	VerbHello       Verb = "hello"
	VerbTellFlag    Verb = "tell flag"
)

// Selective is a client that has the methods of all verbs and can do some of them.
type Selective interface {
	Can(v Verb) bool
}

// Has says whether a client can do v.
func Has(c Core, v Verb) (ok bool) {
	if words[v] || Without(c, v) != "" {
		return Without(c, v) == ""
	}
	if s, selective := c.(Selective); selective {
		return s.Can(v)
	}
	switch v {
	case VerbRefresh:
		_, ok = c.(Refresher)
	case VerbRevokeUser:
		_, ok = c.(UserRevoker)
	case VerbRevokeToken:
		_, ok = c.(TokenRevoker)
	case VerbRegenerate:
		_, ok = c.(Regenerator)
	case VerbList:
		_, ok = c.(Lister)
	case VerbGet:
		_, ok = c.(Reader)
	case VerbSetPayload:
		_, ok = c.(PayloadWriter)
	case VerbSetData:
		_, ok = c.(DataWriter)
	case VerbHello:
		_, ok = c.(Greeter)
	case VerbTellFlag:
		_, ok = c.(FlagTeller)
	}
	return ok
}

// DialOptions say which core to speak to and how.
type DialOptions struct {
	// Name tells the instance in reports; the URL's host when empty.
	Name string
	// BaseURL is scheme, host and, if the core has one, base path.
	BaseURL string
	// Endpoints are further URLs of the core, by the protocol's names for them; for
	// protocols whose calls do not all go below one base.
	Endpoints map[string]string
	// Version of every request, e.g. "5.4"; Probe passes it over.
	Version string
	// APIKey is sent when it is not empty. It is never recorded.
	APIKey string
	// TLS is used for https; nil trusts what the system trusts.
	TLS *tls.Config
	// Timeout bounds one exchange, connecting included; 0 is the protocol's own.
	Timeout time.Duration
	// Throttle bounds the calls per second; nil for none. A call waits for it
	// before its clock (Reply.Invoked, time-out) starts.
	Throttle *Throttle
	// Reach says whether a call may go to a URL that an answer named (a redirect, a
	// form's action), and may have it wait; nil for anywhere.
	Reach func(ctx context.Context, url string) error
}

// Protocol is a way to speak to cores, in one or more versions.
type Protocol interface {
	// Name of the protocol in reports, e.g. "CDI".
	Name() string
	// Versions that this harness speaks, oldest first.
	Versions() []string
	// Compare orders versions.
	Compare(a, b string) int
	// FlagMode says who decides at a version whether verify asks the database.
	FlagMode(version string) FlagMode
	// Generation names the rules by which sessions live at a version: versions of
	// one generation differ in shapes, not in what becomes of a session.
	Generation(version string) string
	// Probe asks a core which versions it speaks and gives those that the harness
	// speaks too, oldest first. It ends in time, and its error is one line that
	// names the URL and the mend.
	Probe(ctx context.Context, o DialOptions) ([]string, error)
	// Dial makes a client with connections of its own; it does not connect.
	Dial(o DialOptions) (Core, error)
	// Judge gives the function that judges an answer to Core.VerifyHTTP without
	// allocating much: true when it says that the token is good.
	Judge(version string) (good func(httpStatus int, body []byte) bool, err error)
}

// Label is protocol and version as reports print them, e.g. "CDI 5.4".
func Label(p Protocol, version string) string { return p.Name() + " " + version }

// Stage is one version in which checks are tried.
type Stage struct {
	Version string
	// Whole: all checks; else only those marked as smoke.
	Whole bool
}

// Stages chooses versions by rule from those that a core speaks (oldest first):
// the newest of each generation whole, and every other one touched.
func Stages(p Protocol, spoken []string) []Stage {
	newest := map[string]string{}
	for _, v := range spoken {
		newest[p.Generation(v)] = v
	}
	out := make([]Stage, 0, len(spoken))
	for _, v := range spoken {
		out = append(out, Stage{Version: v, Whole: newest[p.Generation(v)] == v})
	}
	return out
}

// TagHeader marks a request for whoever reads the core's log.
const TagHeader = "X-Coreproof-Check"

type tagKey struct{}

// WithTag marks the requests made under ctx: they carry TagHeader, so that a maintainer
// finds them in the core's log.
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

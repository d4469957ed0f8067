package oauth2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// Names under which a login has the server keep what is the harness's own.
const (
	extSession = "coreproof_session"
	extPayload = "coreproof_payload"
)

// Verify asks whether an access token is good: the server, or without it where the
// request says so and the token can be read. A client that has a verifier beside it
// asks that one in the place of itself.
func (c *client) Verify(ctx context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	if !c.asks(r) {
		if at := c.o.Endpoints[Verifier]; at != "" {
			return c.introspect(ctx, at, http.Header{}, r.AccessToken, protocol.TryRefreshToken)
		}
		return c.verifyHere(ctx, r.AccessToken)
	}
	form := url.Values{}
	header := c.identify(form, c.p.o.APIID, c.p.o.APISecret)
	return c.introspect(ctx, c.o.Endpoints[Introspect], header, r.AccessToken, protocol.Unauthorised)
}

// asks says whether a verify goes to the server. Of JWTs each request decides. Where
// the server's setting decides, an API verifies by itself what it can.
func (c *client) asks(r protocol.VerifyRequest) bool {
	if c.o.Version == JWT {
		return r.CheckDatabase || c.keys == nil
	}
	return c.o.Endpoints[Verifier] == "" && (c.keys == nil || !isJWT(r.AccessToken))
}

// introspect asks one endpoint (RFC 7662, 2). An inactive token gets the status no.
func (c *client) introspect(ctx context.Context, at string, header http.Header, token string, no protocol.Status) (protocol.Verified, error) {
	var v protocol.Verified
	var err error
	body := url.Values{"token": {token}}
	if header.Get("Authorization") == "" && c.p.o.APIID != "" {
		body.Set("client_id", c.p.o.APIID)
	}
	if v.Reply, err = c.exchange(ctx, http.MethodPost, at, header, formType, []byte(body.Encode())); err != nil {
		return v, fmt.Errorf("introspect at %s: %w", c.o.Name, err)
	}
	if v.HTTPStatus != http.StatusOK {
		v.Status, v.Message = protocol.HTTPError, oneLine(v.Text)
		return v, nil
	}
	if err := json.Unmarshal([]byte(v.Text), &v.Raw); err != nil || v.Raw == nil {
		return v, fmt.Errorf("introspect at %s: %w", c.o.Name, breach("HTTP 200 with a body that is not a JSON object: %s", oneLine(v.Text)))
	}
	var active bool
	if err := json.Unmarshal(v.Raw["active"], &active); err != nil || string(v.Raw["active"]) == "null" {
		return v, fmt.Errorf("introspect at %s: %w", c.o.Name, breach("field active is not a boolean: %s", oneLine(string(v.Raw["active"]))))
	}
	if v.Status = protocol.OK; !active {
		v.Status = no
		return v, nil
	}
	var told struct {
		Subject string                     `json:"sub"`
		Use     string                     `json:"token_use"`
		Ext     map[string]json.RawMessage `json:"ext"`
	}
	if err := json.Unmarshal([]byte(v.Text), &told); err != nil {
		return v, fmt.Errorf("introspect at %s: %w", c.o.Name, breach("the answer cannot be read: %s", err))
	}
	if told.Use != "" && told.Use != "access_token" {
		// An active token, but not one that opens an API: the server says so, and an API must look.
		v.Status, v.Message = no, "an active "+told.Use
		return v, nil
	}
	v.Session = session(told.Subject, told.Ext)
	return v, nil
}

// session reads what a login had the server keep.
func session(subject string, ext map[string]json.RawMessage) protocol.Session {
	s := protocol.Session{UserID: subject, Payload: ext[extPayload]}
	_ = json.Unmarshal(ext[extSession], &s.Handle) // one that is no text is none
	return s
}

// verifyHere is what an API does by itself with a JWT: signature and times. Without the
// keys it knows nothing, which is an error and no refusal.
func (c *client) verifyHere(ctx context.Context, token string) (protocol.Verified, error) {
	var v protocol.Verified
	v.Invoked = time.Now()
	claims, err := c.local(ctx, token, v.Invoked)
	v.Returned = time.Now()
	v.Exchange = protocol.Exchange{Method: protocol.Local, URL: c.o.Endpoints[Keys], RequestBody: token, Sent: v.Invoked, Took: v.Returned.Sub(v.Invoked)}
	if errors.Is(err, errNoKeys) {
		v.Exchange.Error = err.Error()
		protocol.Recorder(ctx)(v.Exchange)
		return v, fmt.Errorf("verify at %s: %w", c.o.Name, err)
	}
	v.HTTPStatus, v.Status = http.StatusOK, protocol.OK
	if err != nil {
		v.Status, v.Message = protocol.TryRefreshToken, err.Error()
	} else {
		v.Session = session(claims.Subject, claims.Ext)
	}
	v.Exchange.Status, v.Exchange.ResponseBody = http.StatusOK, string(v.Status)
	protocol.Recorder(ctx)(v.Exchange)
	return v, nil
}

func (c *client) local(ctx context.Context, token string, now time.Time) (Claims, error) {
	if c.keys == nil {
		return Claims{}, fmt.Errorf("%s publishes no keys", c.o.Name)
	}
	return c.keys.Verify(ctx, token, now)
}

// VerifyHTTP builds an introspection, or the same question to the verifier, and nothing
// where Verify decides here: no server is asked then.
func (c *client) VerifyHTTP(r protocol.VerifyRequest) (method, target string, header http.Header, body []byte) {
	form := url.Values{"token": {r.AccessToken}}
	target, header = c.o.Endpoints[Introspect], http.Header{}
	switch at := c.o.Endpoints[Verifier]; {
	case c.asks(r):
		header = c.identify(form, c.p.o.APIID, c.p.o.APISecret)
	case at != "":
		target = at
	default:
		return "", "", nil, nil
	}
	header.Set("Content-Type", formType)
	header.Set("Accept", "application/json")
	header.Set("User-Agent", "coreproof")
	return http.MethodPost, target, header, []byte(form.Encode())
}

// saysActive judges the body of an introspection without decoding it all where it
// begins as servers write it.
func saysActive(body []byte) bool {
	if bytes.HasPrefix(body, []byte(`{"active":true`)) && json.Valid(body) {
		return true
	}
	var a struct {
		Active bool `json:"active"`
	}
	return json.Unmarshal(body, &a) == nil && a.Active
}

package cdi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
)

const (
	pathSession    = "/recipe/session"
	pathVerify     = "/recipe/session/verify"
	pathRefresh    = "/recipe/session/refresh"
	pathRemove     = "/recipe/session/remove"
	pathRegenerate = "/recipe/session/regenerate"
	pathList       = "/recipe/session/user"
	pathData       = "/recipe/session/data"
	pathPayload    = "/recipe/jwt/data"
	pathHandshake  = "/recipe/handshake"
	pathHello      = "/hello"
	pathJWKS       = "/.well-known/jwks.json"
	pathAPIVersion = "/apiversion"
)

// Hello asks whether the core answers; its body is text.
func (c *Client) Hello(ctx context.Context) (protocol.Reply, error) {
	r, err := c.exchange(ctx, http.MethodGet, c.base+pathHello, nil)
	if err != nil {
		return r, fmt.Errorf("GET %s at %s: %w", pathHello, c.name, err)
	}
	r.Status = protocol.OK
	if r.HTTPStatus != http.StatusOK {
		r.Status, r.Message = protocol.HTTPError, oneLine(r.Text)
	}
	return r, nil
}

// Create makes a session.
func (c *Client) Create(ctx context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	body := map[string]any{
		"userId":             r.UserID,
		"enableAntiCsrf":     r.AntiCSRF,
		"userDataInJWT":      orEmpty(r.Payload),
		"userDataInDatabase": orEmpty(r.Data),
	}
	if c.atLeast("2.21") {
		body["useDynamicSigningKey"] = !r.StaticKey
	}
	reply, err := c.call(ctx, http.MethodPost, pathSession, body)
	return c.tokens(reply, err, true, r.AntiCSRF)
}

// tokens reads the pair that create and refresh hand out.
func (c *Client) tokens(reply protocol.Reply, err error, pair, antiCSRF bool) (protocol.Tokens, error) {
	t := protocol.Tokens{Reply: reply}
	if err != nil || reply.Status != protocol.OK {
		return t, err
	}
	o := &object{fields: reply.Raw}
	t.Session = c.session(o)
	if pair || o.has("accessToken") {
		t.Access = o.token("accessToken")
	}
	if pair {
		t.Refresh = o.token("refreshToken")
	}
	if antiCSRF {
		t.AntiCSRF = o.text("antiCsrfToken")
	}
	return t, c.shape(reply, o)
}

// shape names the request in the error of a misshapen answer.
func (c *Client) shape(reply protocol.Reply, o *object) error {
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("%s %s at %s: %w", reply.Exchange.Method, strings.TrimPrefix(reply.Exchange.URL, c.base), c.name, o.err)
}

// Verify asks whether an access token is good.
func (c *Client) Verify(ctx context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	return c.verify(ctx, c.verifyBody(r))
}

// VerifyBothSwitches is Verify with checkDatabase in the request whatever the
// version, to see that the old era ignores it.
func (c *Client) VerifyBothSwitches(ctx context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	body := c.verifyBody(r)
	body["checkDatabase"] = r.CheckDatabase
	return c.verify(ctx, body)
}

// VerifyWith is Verify with checkDatabase as it is given, in JSON, or without it where that
// is empty, to see what a core makes of a request that says neither yes nor no.
func (c *Client) VerifyWith(ctx context.Context, r protocol.VerifyRequest, checkDatabase json.RawMessage) (protocol.Verified, error) {
	body := c.verifyBody(r)
	delete(body, "checkDatabase")
	if len(checkDatabase) > 0 {
		body["checkDatabase"] = checkDatabase
	}
	return c.verify(ctx, body)
}

func (c *Client) verify(ctx context.Context, body map[string]any) (protocol.Verified, error) {
	reply, err := c.call(ctx, http.MethodPost, pathVerify, body)
	v := protocol.Verified{Reply: reply}
	if err != nil || reply.Status != protocol.OK {
		return v, err
	}
	o := &object{fields: reply.Raw}
	v.Session = c.session(o)
	if o.has("accessToken") {
		v.Access = o.token("accessToken")
	}
	if o.has("payloadUpdateAvailable") {
		changed := o.flag("payloadUpdateAvailable")
		v.PayloadChanged = &changed
	}
	return v, c.shape(reply, o)
}

func (c *Client) verifyBody(r protocol.VerifyRequest) map[string]any {
	body := map[string]any{
		"accessToken":     r.AccessToken,
		"doAntiCsrfCheck": r.DoAntiCSRF,
		"enableAntiCsrf":  r.DoAntiCSRF,
	}
	if r.AntiCSRF != "" {
		body["antiCsrfToken"] = r.AntiCSRF
	}
	if c.FlagMode() == protocol.ByRequest {
		body["checkDatabase"] = r.CheckDatabase
	}
	return body
}

// Refresh exchanges a refresh token.
func (c *Client) Refresh(ctx context.Context, r protocol.RefreshRequest) (protocol.Tokens, error) {
	body := map[string]any{
		"refreshToken":   r.RefreshToken,
		"enableAntiCsrf": r.EnableCSRF,
	}
	if r.AntiCSRF != "" {
		body["antiCsrfToken"] = r.AntiCSRF
	}
	if c.atLeast("3.0") {
		body["useDynamicSigningKey"] = !r.StaticKey
	}
	reply, err := c.call(ctx, http.MethodPost, pathRefresh, body)
	if err == nil && reply.Status == protocol.TokenTheft {
		t := protocol.Tokens{Reply: reply}
		o := &object{fields: reply.Raw}
		in := o.inner("session")
		t.Session = protocol.Session{Handle: in.text("handle"), UserID: in.text("userId")}
		o.absorb(in)
		return t, c.shape(reply, o)
	}
	return c.tokens(reply, err, true, r.EnableCSRF)
}

// Revoke ends the sessions with these handles.
func (c *Client) Revoke(ctx context.Context, handles ...string) (protocol.Revoked, error) {
	if handles == nil {
		handles = []string{}
	}
	return c.remove(ctx, map[string]any{"sessionHandles": handles})
}

// RevokeUser ends all sessions of a user.
func (c *Client) RevokeUser(ctx context.Context, userID string) (protocol.Revoked, error) {
	return c.remove(ctx, map[string]any{"userId": userID})
}

func (c *Client) remove(ctx context.Context, body map[string]any) (protocol.Revoked, error) {
	reply, err := c.call(ctx, http.MethodPost, pathRemove, body)
	v := protocol.Revoked{Reply: reply}
	if err != nil || reply.Status != protocol.OK {
		return v, err
	}
	o := &object{fields: reply.Raw}
	v.Handles = o.texts("sessionHandlesRevoked")
	return v, c.shape(reply, o)
}

// Regenerate mints a new access token; a nil payload keeps the stored one.
func (c *Client) Regenerate(ctx context.Context, accessToken string, payload map[string]any) (protocol.Tokens, error) {
	body := map[string]any{"accessToken": accessToken}
	if payload != nil {
		body["userDataInJWT"] = payload
	}
	reply, err := c.call(ctx, http.MethodPost, pathRegenerate, body)
	return c.tokens(reply, err, false, false)
}

// List gives the handles of a user's sessions.
func (c *Client) List(ctx context.Context, userID string) (protocol.Listed, error) {
	reply, err := c.call(ctx, http.MethodGet, pathList+"?userId="+url.QueryEscape(userID), nil)
	v := protocol.Listed{Reply: reply}
	if err != nil || reply.Status != protocol.OK {
		return v, err
	}
	o := &object{fields: reply.Raw}
	v.Handles = o.texts("sessionHandles")
	return v, c.shape(reply, o)
}

// Get reads one session from the core's store.
func (c *Client) Get(ctx context.Context, handle string) (protocol.Info, error) {
	reply, err := c.call(ctx, http.MethodGet, pathSession+"?sessionHandle="+url.QueryEscape(handle), nil)
	v := protocol.Info{Reply: reply}
	if err != nil || reply.Status != protocol.OK {
		return v, err
	}
	o := &object{fields: reply.Raw}
	v.Session = c.identity(o, "sessionHandle")
	v.Data = o.raw("userDataInDatabase")
	v.Expiry, v.Created = o.number("expiry"), o.number("timeCreated")
	return v, c.shape(reply, o)
}

// GetData reads what the core keeps with the session, by the older call.
func (c *Client) GetData(ctx context.Context, handle string) (protocol.Info, error) {
	return c.part(ctx, pathData, handle, func(o *object, v *protocol.Info) { v.Data = o.raw("userDataInDatabase") })
}

// GetPayload reads what the session's next access tokens carry, by the older call.
func (c *Client) GetPayload(ctx context.Context, handle string) (protocol.Info, error) {
	return c.part(ctx, pathPayload, handle, func(o *object, v *protocol.Info) { v.Session.Payload = o.raw("userDataInJWT") })
}

func (c *Client) part(ctx context.Context, path, handle string, take func(o *object, v *protocol.Info)) (protocol.Info, error) {
	reply, err := c.call(ctx, http.MethodGet, path+"?sessionHandle="+url.QueryEscape(handle), nil)
	v := protocol.Info{Reply: reply}
	if err != nil || reply.Status != protocol.OK {
		return v, err
	}
	o := &object{fields: reply.Raw}
	take(o, &v)
	return v, c.shape(reply, o)
}

// SetPayload replaces what the session's next access tokens carry.
func (c *Client) SetPayload(ctx context.Context, handle string, payload map[string]any) (protocol.Reply, error) {
	return c.call(ctx, http.MethodPut, pathPayload, map[string]any{"sessionHandle": handle, "userDataInJWT": orEmpty(payload)})
}

// SetData replaces what the core keeps with the session.
func (c *Client) SetData(ctx context.Context, handle string, data map[string]any) (protocol.Reply, error) {
	return c.call(ctx, http.MethodPut, pathData, map[string]any{"sessionHandle": handle, "userDataInDatabase": orEmpty(data)})
}

// FlagSetting asks for the core's own setting; CDI 2.21 and newer do not tell.
func (c *Client) FlagSetting(ctx context.Context) (on, known bool, err error) {
	if c.FlagMode() == protocol.ByRequest {
		return false, false, nil
	}
	reply, err := c.call(ctx, http.MethodPost, pathHandshake, map[string]any{})
	if err != nil {
		return false, false, err
	}
	if reply.Status != protocol.OK {
		return false, false, fmt.Errorf("POST %s at %s: got %s (HTTP %d), want OK", pathHandshake, c.name, reply.Status, reply.HTTPStatus)
	}
	o := &object{fields: reply.Raw}
	on = o.flag("accessTokenBlacklistingEnabled")
	return on, o.err == nil, c.shape(reply, o)
}

// JWKS fetches the core's public keys as a JSON Web Key Set (RFC 7517).
func (c *Client) JWKS(ctx context.Context) (protocol.Reply, error) {
	r, err := c.exchange(ctx, http.MethodGet, c.base+pathJWKS, nil)
	if err != nil {
		return r, fmt.Errorf("GET %s at %s: %w", pathJWKS, c.name, err)
	}
	r.Status = protocol.OK
	if r.HTTPStatus != http.StatusOK {
		r.Status, r.Message = protocol.HTTPError, oneLine(r.Text)
	}
	return r, nil
}

// VerifyHTTP builds the verify request as bytes ready to send.
func (c *Client) VerifyHTTP(r protocol.VerifyRequest) (method, target string, header http.Header, body []byte) {
	// A map of strings and booleans always encodes.
	body, _ = marshal(c.verifyBody(r))
	return http.MethodPost, c.base + pathVerify, c.headers(true), body
}

// verifyOK judges the body of an answer to VerifyHTTP.
func verifyOK(httpStatus int, body []byte) bool {
	return httpStatus == http.StatusOK && saysOK(body)
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

package oauth2

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
)

// hydra logs in at an Ory Hydra, whose login and consent pages are an application's
// own: the harness plays both through the admin interface.
type hydra struct{}

func (hydra) without(protocol.Verb) string { return "" }

const jsonType = "application/json"

// prepare registers the application; one that is registered already is as good.
func (hydra) prepare(ctx context.Context, c *client) error {
	if c.o.Endpoints[Admin] == "" {
		return fmt.Errorf("the login hydra needs the endpoint %q: name it in protocol.oauth2.endpoints", Admin)
	}
	app := map[string]any{
		"client_id": c.p.o.ClientID, "grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"scope": c.p.o.Scope, "redirect_uris": []string{c.p.o.RedirectURI}, "token_endpoint_auth_method": "none",
	}
	if c.p.o.ClientSecret != "" {
		app["client_secret"], app["token_endpoint_auth_method"] = c.p.o.ClientSecret, "client_secret_basic"
	}
	body, err := json.Marshal(app)
	if err != nil {
		return fmt.Errorf("encode the application: %w", err)
	}
	r, err := c.step(ctx, c.http, http.MethodPost, c.o.Endpoints[Admin]+"/admin/clients", http.Header{}, jsonType, body)
	if err == nil && r.HTTPStatus != http.StatusCreated && r.HTTPStatus != http.StatusConflict {
		err = fmt.Errorf("HTTP %d %s", r.HTTPStatus, oneLine(r.Text))
	}
	if err != nil {
		return fmt.Errorf("register the application: %w", err)
	}
	return keysThere(ctx, c)
}

// keysThere asks for the server's keys until they are there. A Hydra on a new database
// makes them when they are first needed, which can take longer than it lets an answer
// take; a login that needed them first would be cut off.
func keysThere(ctx context.Context, c *client) (err error) {
	if c.o.Endpoints[Keys] == "" {
		return nil
	}
	for range 4 {
		var r protocol.Reply
		if r, err = c.step(ctx, c.http, http.MethodGet, c.o.Endpoints[Keys], http.Header{}, "", nil); err == nil && r.HTTPStatus == http.StatusOK {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("HTTP %d %s", r.HTTPStatus, oneLine(r.Text))
		}
	}
	return fmt.Errorf("have its keys made: %w", err)
}

func (hydra) tokens(ctx context.Context, c *client, r protocol.CreateRequest, handle string) (protocol.Reply, error) {
	b, err := newBrowser(c)
	if err != nil {
		return protocol.Reply{}, err
	}
	p := newProof()
	at, err := b.get(ctx, authorization(c, p, handle))
	if err != nil {
		return b.last, err
	}
	for _, page := range []struct {
		name, challenge string
		accept          map[string]any
	}{
		{"login", "login_challenge", map[string]any{"subject": r.UserID, "remember": false}},
		{"consent", "consent_challenge", map[string]any{
			"grant_scope": scopes(c.p.o.Scope), "remember": false,
			"session": map[string]any{"access_token": map[string]any{extSession: handle, extPayload: orEmpty(r.Payload)}},
		}},
	} {
		challenge := ""
		if at != nil {
			challenge = at.Query().Get(page.challenge)
		}
		if challenge == "" {
			return b.stopped(ctx, "the "+page.name+" page")
		}
		next, err := accept(ctx, b, page.name, challenge, page.accept)
		if err != nil {
			return b.last, err
		}
		if next == "" {
			return b.stopped(ctx, "an accepted "+page.name)
		}
		if at, err = b.get(ctx, next); err != nil {
			return b.last, err
		}
	}
	code := returned(c, at, handle)
	if code == "" {
		return b.stopped(ctx, "a code")
	}
	return exchangeCode(ctx, c, p, code)
}

// accept is what a login or consent page says to the admin interface. The browser
// goes on at the URL that it answers.
func accept(ctx context.Context, b *browser, page, challenge string, body map[string]any) (string, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode the answer of the %s page: %w", page, err)
	}
	at := b.c.o.Endpoints[Admin] + "/admin/oauth2/auth/requests/" + page + "/accept?" + url.Values{page + "_challenge": {challenge}}.Encode()
	if b.last, err = b.c.step(ctx, b.c.http, http.MethodPut, at, http.Header{}, jsonType, raw); err != nil {
		return "", err
	}
	var answer struct {
		To string `json:"redirect_to"`
	}
	if b.last.HTTPStatus != http.StatusOK || json.Unmarshal([]byte(b.last.Text), &answer) != nil {
		return "", nil
	}
	return answer.To, nil
}

// revokeUser takes back every consent of a user, with all tokens.
func (hydra) revokeUser(ctx context.Context, c *client, user string) (protocol.Reply, error) {
	at := c.o.Endpoints[Admin] + "/admin/oauth2/auth/sessions/consent?" + url.Values{"subject": {user}, "all": {"true"}}.Encode()
	r, err := c.exchange(ctx, http.MethodDelete, at, http.Header{}, "", nil)
	if err != nil {
		return r, err
	}
	if r.Status = protocol.OK; r.HTTPStatus != http.StatusNoContent {
		r.Status, r.Message = protocol.HTTPError, oneLine(r.Text)
	}
	return r, nil
}

// scopes of a space-separated list.
func scopes(list string) []string { return strings.Fields(list) }

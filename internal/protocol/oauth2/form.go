package oauth2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/coreproof/coreproof/internal/protocol"
)

// form logs in as a browser does at a server with a login page of its own: it goes
// where it is sent, fills each form with the one user's name and password, and stops
// when it is sent back with a code.
type form struct{}

const oneUser = "the server has users of its own, and the login knows one of them"

func (form) without(v protocol.Verb) string {
	switch v {
	case protocol.VerbNames:
		return "an introspection names no session (RFC 7662, 2.2), and " + oneUser
	case protocol.VerbPayload:
		return "what a token holds is the server's own matter"
	case protocol.VerbRevokeUser:
		return noUserRevoke
	}
	return ""
}

func (form) prepare(context.Context, *client) error { return nil }

// mostPages bounds a login.
const mostPages = 12

func (form) tokens(ctx context.Context, c *client, _ protocol.CreateRequest, state string) (protocol.Reply, error) {
	b, err := newBrowser(c)
	if err != nil {
		return protocol.Reply{}, err
	}
	p := newProof()
	at, err := url.Parse(authorization(c, p, state))
	if err != nil {
		return protocol.Reply{}, fmt.Errorf("read the authorization endpoint: %w", err)
	}
	for range mostPages {
		here := at
		if at, err = b.get(ctx, here.String()); err != nil {
			return b.last, err
		}
		if at == nil {
			if at, err = submit(ctx, b, here); err != nil {
				return b.last, err
			}
		}
		if code := returned(c, at, state); code != "" {
			return exchangeCode(ctx, c, p, code)
		}
		if at == nil || strings.HasPrefix(at.String(), c.p.o.RedirectURI) {
			break
		}
	}
	return b.stopped(ctx, "a code")
}

// submit fills the form of the page that the browser shows; nil where it has none, or
// where the answer leads nowhere.
func submit(ctx context.Context, b *browser, here *url.URL) (*url.URL, error) {
	action, values, ok := firstForm(b.last.Text, b.c.p.o.User, b.c.p.o.Password)
	if !ok || b.last.HTTPStatus != http.StatusOK {
		return nil, nil
	}
	at, err := here.Parse(action)
	if err != nil {
		return nil, breach("a form whose action %q is no URL", action)
	}
	return b.send(ctx, http.MethodPost, at.String(), formType, []byte(values.Encode()))
}

// firstForm reads the first form of a page and fills it.
func firstForm(page, user, password string) (action string, values url.Values, ok bool) {
	values = url.Values{}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken || kind == html.EndTagToken && ok && z.Token().Data == "form" {
			return action, values, ok
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		t := z.Token()
		a := map[string]string{}
		for _, x := range t.Attr {
			a[x.Key] = x.Val
		}
		switch {
		case t.Data == "form" && !ok:
			action, ok = a["action"], true
		case t.Data != "input" || !ok || a["name"] == "":
		case a["type"] == "password":
			values.Set(a["name"], password)
		case a["type"] == "" || a["type"] == "text" || a["type"] == "email":
			values.Set(a["name"], user)
		case a["type"] == "hidden":
			values.Set(a["name"], a["value"])
		}
	}
}

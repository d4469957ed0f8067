package oauth2

import (
	"context"
	"net/url"

	"github.com/coreproof/coreproof/internal/protocol"
)

// credentials is an application that acts for itself (RFC 6749, 4.4): there is no
// user, and no refresh token.
type credentials struct{}

func (credentials) without(v protocol.Verb) string {
	switch v {
	case protocol.VerbNames, protocol.VerbPayload:
		return "an application that acts for itself names neither"
	case protocol.VerbRefresh:
		return "client credentials bring no refresh token (RFC 6749, 4.4.3)"
	case protocol.VerbRevokeUser:
		return "there is no user"
	}
	return ""
}

func (credentials) prepare(context.Context, *client) error { return nil }

func (credentials) tokens(ctx context.Context, c *client, _ protocol.CreateRequest, _ string) (protocol.Reply, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if c.p.o.Scope != "" {
		form.Set("scope", c.p.o.Scope)
	}
	return c.token(ctx, form)
}

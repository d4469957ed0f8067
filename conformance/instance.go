package conformance

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/internal/protocol"
)

// Instance is one core as a check meets it: with or without the database check.
// It notes which sessions were made there, so that they can be tidied away, and
// which credentials went over the wire, so that none gets into a report. Verbs
// that the core's protocol lacks give an error; a check names them in its Needs.
type Instance struct {
	protocol.Core
	check bool
	made  *made
}

// Checks says whether this side asks the database at every verify.
func (i Instance) Checks() bool { return i.check }

// Has says whether the core's protocol has a verb.
func (i Instance) Has(v protocol.Verb) bool { return protocol.Has(i.Core, v) }

func (i Instance) without(v protocol.Verb) error {
	return fmt.Errorf("%s: its protocol has no %q, and the check does not name it in its needs", i.Name(), v)
}

// Ask asks whether an access token is good, with the side's database check.
func (i Instance) Ask(ctx context.Context, accessToken string) (protocol.Verified, error) {
	return i.Verify(ctx, protocol.VerifyRequest{AccessToken: accessToken, CheckDatabase: i.check})
}

// Verify asks whether an access token is good.
func (i Instance) Verify(ctx context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	v, err := i.Core.Verify(ctx, r)
	keepSecret(ctx, v.Access.Value, accessVariable)
	return v, err
}

// Create makes a session.
func (i Instance) Create(ctx context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	if i.made != nil {
		i.made.user(r.UserID) // before: a session whose answer is lost lives all the same
	}
	s, err := i.Core.Create(ctx, r)
	keepTokens(ctx, s)
	if i.made != nil && s.Session.Handle != "" {
		i.made.session(s.Session.Handle)
	}
	return s, err
}

func keepTokens(ctx context.Context, s protocol.Tokens) {
	keepSecret(ctx, s.Access.Value, accessVariable)
	keepSecret(ctx, s.Refresh.Value, refreshVariable)
	keepSecret(ctx, s.AntiCSRF, antiCSRFVariable)
}

// Refresh exchanges a refresh token.
func (i Instance) Refresh(ctx context.Context, r protocol.RefreshRequest) (protocol.Tokens, error) {
	c, ok := i.Core.(protocol.Refresher)
	if !ok {
		return protocol.Tokens{}, i.without(protocol.VerbRefresh)
	}
	s, err := c.Refresh(ctx, r)
	keepTokens(ctx, s)
	return s, err
}

// Regenerate mints a new access token.
func (i Instance) Regenerate(ctx context.Context, accessToken string, payload map[string]any) (protocol.Tokens, error) {
	c, ok := i.Core.(protocol.Regenerator)
	if !ok {
		return protocol.Tokens{}, i.without(protocol.VerbRegenerate)
	}
	s, err := c.Regenerate(ctx, accessToken, payload)
	keepTokens(ctx, s)
	return s, err
}

// RevokeToken revokes one token as it is.
func (i Instance) RevokeToken(ctx context.Context, token string) (protocol.Revoked, error) {
	c, ok := i.Core.(protocol.TokenRevoker)
	if !ok {
		return protocol.Revoked{}, i.without(protocol.VerbRevokeToken)
	}
	return c.RevokeToken(ctx, token)
}

// RevokeUser ends all sessions of a user.
func (i Instance) RevokeUser(ctx context.Context, user string) (protocol.Revoked, error) {
	c, ok := i.Core.(protocol.UserRevoker)
	if !ok {
		return protocol.Revoked{}, i.without(protocol.VerbRevokeUser)
	}
	return c.RevokeUser(ctx, user)
}

// List lists a user's sessions.
func (i Instance) List(ctx context.Context, user string) (protocol.Listed, error) {
	c, ok := i.Core.(protocol.Lister)
	if !ok {
		return protocol.Listed{}, i.without(protocol.VerbList)
	}
	return c.List(ctx, user)
}

// Get reads one session.
func (i Instance) Get(ctx context.Context, handle string) (protocol.Info, error) {
	c, ok := i.Core.(protocol.Reader)
	if !ok {
		return protocol.Info{}, i.without(protocol.VerbGet)
	}
	return c.Get(ctx, handle)
}

// SetPayload replaces the payload of a session's tokens to come.
func (i Instance) SetPayload(ctx context.Context, handle string, payload map[string]any) (protocol.Reply, error) {
	c, ok := i.Core.(protocol.PayloadWriter)
	if !ok {
		return protocol.Reply{}, i.without(protocol.VerbSetPayload)
	}
	return c.SetPayload(ctx, handle, payload)
}

// SetData replaces the data that is stored with a session.
func (i Instance) SetData(ctx context.Context, handle string, data map[string]any) (protocol.Reply, error) {
	c, ok := i.Core.(protocol.DataWriter)
	if !ok {
		return protocol.Reply{}, i.without(protocol.VerbSetData)
	}
	return c.SetData(ctx, handle, data)
}

// FlagSetting tells the core's own setting of the flag.
func (i Instance) FlagSetting(ctx context.Context) (on, known bool, err error) {
	c, ok := i.Core.(protocol.FlagTeller)
	if !ok {
		return false, false, i.without(protocol.VerbTellFlag)
	}
	return c.FlagSetting(ctx)
}

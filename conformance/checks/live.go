package checks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// probe is one call as a live user makes it, and what it is called in a report.
type probe struct {
	what string
	ask  func(ctx context.Context) (protocol.Reply, error)
}

// What some probes are called.
const (
	toCreate = "create"
	toList   = "list"
)

// turned is how a core turned a live user away.
type turned struct {
	what  string // what he asked for
	how   string // in words; "" where he was let in
	plain bool   // by an answer that says no, rather than by one that something broke, or by none
}

// turnsAway makes a live user's calls, made anew for each try, and says how the first that
// was refused was. It tries twice: a network refuses by chance.
func turnsAway(ctx context.Context, calls func() []probe) (turned, error) {
	what, reply, err := firstRefused(ctx, calls())
	if what != "" {
		what, reply, err = firstRefused(ctx, calls())
	}
	switch {
	case what == "":
		return turned{}, nil
	case ctx.Err() != nil, errors.Is(err, protocol.ErrLimited):
		return turned{}, cmp.Or(ctx.Err(), err)
	case err != nil && reply.HTTPStatus == 0:
		return turned{what: what, how: fmt.Sprintf("the core gives the %s of a live user no answer", what)}, nil
	case err != nil:
		return turned{what: what, how: fmt.Sprintf("the core answers the %s of a live user HTTP %d, and nothing of the protocol's", what, reply.HTTPStatus)}, nil
	}
	return turned{
		what: what, how: fmt.Sprintf("the core answers the %s of a live user %s", what, conformance.Describe(reply)), plain: reply.HTTPStatus < 500,
	}, nil
}

// firstRefused makes calls until one is not OK; what is "" where all are.
func firstRefused(ctx context.Context, calls []probe) (what string, reply protocol.Reply, err error) {
	for _, p := range calls {
		if reply, err = p.ask(ctx); lives(reply, err) != nil {
			return p.what, reply, err
		}
	}
	return "", reply, nil
}

// lives says why a live user was not let in; nil where he was.
func lives(reply protocol.Reply, err error) error {
	return conformance.Need(reply, err, "ask as a live user")
}

// enters is a login and a verify, with what create gives in s.
func enters(s *protocol.Tokens, user string, payload map[string]any, at Instance) []probe {
	return []probe{{toCreate, func(ctx context.Context) (_ protocol.Reply, err error) {
		*s, err = at.Create(ctx, protocol.CreateRequest{UserID: user, Payload: payload})
		return s.Reply, err
	}}, verifies(s, at)}
}

func verifies(s *protocol.Tokens, at Instance) probe {
	return probe{"verify", func(ctx context.Context) (protocol.Reply, error) {
		v, err := at.Ask(ctx, s.Access.Value)
		return v.Reply, err
	}}
}

// reads are enters and what only looks at the session.
func reads(user string, at Instance) []probe {
	s := &protocol.Tokens{}
	return append(enters(s, user, nil, at), looks(s, user, at)...)
}

// looks at a session.
func looks(s *protocol.Tokens, user string, at Instance) (calls []probe) {
	if at.Has(protocol.VerbGet) {
		calls = append(calls, probe{"get", func(ctx context.Context) (protocol.Reply, error) {
			i, err := at.Get(ctx, s.Session.Handle)
			return i.Reply, err
		}})
	}
	if at.Has(protocol.VerbList) {
		calls = append(calls, probe{toList, func(ctx context.Context) (protocol.Reply, error) {
			l, err := at.List(ctx, user)
			return l.Reply, err
		}})
	}
	return calls
}

// ends are the ways to end sessions.
func ends(s *protocol.Tokens, user string, at Instance) []probe {
	calls := []probe{{"revoke", func(ctx context.Context) (protocol.Reply, error) {
		r, err := at.Revoke(ctx, s.Session.Handle)
		return r.Reply, err
	}}}
	if at.Has(protocol.VerbRevokeUser) {
		calls = append(calls, probe{"revoke by user", func(ctx context.Context) (protocol.Reply, error) {
			r, err := at.RevokeUser(ctx, user)
			return r.Reply, err
		}})
	}
	return calls
}

// lifetime is all that the cases of BL-70 ask of a core, with as big a payload as theirs.
func lifetime(user string, at Instance) []probe {
	var payload map[string]any
	if at.Has(protocol.VerbPayload) {
		payload = map[string]any{"text": strings.Repeat("0123456789abcdef", bigPayload/16)}
	}
	s := &protocol.Tokens{}
	calls := enters(s, user, payload, at)
	if at.Has(protocol.VerbRegenerate) {
		calls = append(calls, probe{"regenerate", func(ctx context.Context) (protocol.Reply, error) {
			g, err := at.Regenerate(ctx, s.Access.Value, payload)
			return g.Reply, err
		}})
	}
	if at.Has(protocol.VerbRefresh) {
		calls = append(calls, probe{"refresh", func(ctx context.Context) (protocol.Reply, error) {
			next, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: s.Refresh.Value})
			return next.Reply, err
		}})
	}
	calls = append(calls, looks(s, user, at)...)
	return append(calls, ends(s, user, at)...)
}

// beside is all that the cases ask of the flag-off side, about a session that the other
// side made in the usual manner.
func beside(user string, maker, off Instance) []probe {
	s := &protocol.Tokens{}
	calls := []probe{{toCreate, func(ctx context.Context) (_ protocol.Reply, err error) {
		*s, err = maker.Create(protocol.WithManner(ctx, protocol.MannerUsual), protocol.CreateRequest{UserID: user})
		return s.Reply, err
	}}, verifies(s, off)}
	return append(calls, ends(s, user, off)...)
}

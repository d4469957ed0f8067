package checks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// probe is one call as a live user makes it, and what it is called in a report.
type probe struct {
	what string
	ask  func(ctx context.Context) (protocol.Reply, error)
}

// What probes are called.
const (
	toCreate     = "create"
	toVerify     = "verify"
	toRegenerate = "regenerate"
	toRefresh    = "refresh"
	toGet        = "get"
	toList       = "list"
	toRevoke     = "revoke"
	toRevokeUser = "revoke by user"
)

// turned is a call that a core turned a live user away from.
type turned struct {
	what  string
	reply protocol.Reply
	err   error
}

// how he was turned away, in words.
func (r turned) how() string {
	switch {
	case r.err != nil && r.reply.HTTPStatus == 0:
		return fmt.Sprintf("the core gives the %s of a live user no answer", r.what)
	case r.err != nil:
		return fmt.Sprintf("the core answers the %s of a live user HTTP %d, and nothing of the protocol's", r.what, r.reply.HTTPStatus)
	}
	return fmt.Sprintf("the core answers the %s of a live user %s", r.what, conformance.Describe(r.reply))
}

// plain: by an answer that says no, rather than by one that something broke, or by none.
func (r turned) plain() bool { return r.err == nil && r.reply.HTTPStatus < 500 }

// trouble is the refusal as an error of the harness's.
func (r turned) trouble() error {
	return conformance.Need(r.reply, r.err, r.what+" as a live user")
}

// refusals makes a live user's calls, made anew for each try, and gives those that were
// refused. It tries twice: a network refuses by chance. What was no answer of the
// protocol's is a refusal only where the calls of usual, in the usual manner, are answered
// at that time; a nil usual has none.
func refusals(ctx context.Context, calls, usual func() []probe) (list []turned, err error) {
	first, err := refusedOf(ctx, calls())
	if err != nil || len(first) == 0 {
		return nil, err
	}
	second, err := refusedOf(ctx, calls())
	if err != nil {
		return nil, err
	}
	broke := false
	for _, r := range second {
		if slices.ContainsFunc(first, func(f turned) bool { return f.what == r.what }) {
			list = append(list, r)
			broke = broke || r.err != nil
			if usual == nil && protocol.WasTurnedAway(r.err) {
				return nil, r.trouble()
			}
		}
	}
	if !broke || usual == nil {
		return list, nil
	}
	beside, err := refusedOf(protocol.WithManner(ctx, protocol.MannerUsual), usual())
	if err == nil && len(beside) > 0 {
		err = beside[0].trouble()
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// refusedOf makes calls and gives those that were not OK. Without a session there are no
// further ones.
func refusedOf(ctx context.Context, calls []probe) (list []turned, err error) {
	for _, p := range calls {
		reply, err := p.ask(ctx)
		switch r := (turned{p.what, reply, err}); {
		case ctx.Err() != nil, errors.Is(err, protocol.ErrLimited):
			return nil, cmp.Or(ctx.Err(), err)
		case r.trouble() == nil:
			continue
		default:
			list = append(list, r)
		}
		if p.what == toCreate {
			break
		}
	}
	return list, nil
}

// enters is a login and a verify, with what create gives in s.
func enters(s *protocol.Tokens, user string, payload map[string]any, at Instance) []probe {
	return []probe{{toCreate, func(ctx context.Context) (_ protocol.Reply, err error) {
		*s, err = at.Create(ctx, protocol.CreateRequest{UserID: user, Payload: payload})
		return s.Reply, err
	}}, verifies(s, at)}
}

func verifies(s *protocol.Tokens, at Instance) probe {
	return probe{toVerify, func(ctx context.Context) (protocol.Reply, error) {
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
		calls = append(calls, probe{toGet, func(ctx context.Context) (protocol.Reply, error) {
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
	calls := []probe{{toRevoke, func(ctx context.Context) (protocol.Reply, error) {
		r, err := at.Revoke(ctx, s.Session.Handle)
		return r.Reply, err
	}}}
	if at.Has(protocol.VerbRevokeUser) {
		calls = append(calls, probe{toRevokeUser, func(ctx context.Context) (protocol.Reply, error) {
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
		calls = append(calls, probe{toRegenerate, func(ctx context.Context) (protocol.Reply, error) {
			g, err := at.Regenerate(ctx, s.Access.Value, payload)
			return g.Reply, err
		}})
	}
	if at.Has(protocol.VerbRefresh) {
		calls = append(calls, probe{toRefresh, func(ctx context.Context) (protocol.Reply, error) {
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

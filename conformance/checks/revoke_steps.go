package checks

import (
	"context"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// refusedAfterRevoke revokes by handle at the very instance that issued the
// tokens and then asks it once for each.
func refusedAfterRevoke(n int, from obtain) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		return c.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			at := anyOn(t)
			handle, tokens, err := from(ctx, t, at)
			if err != nil {
				return err
			}
			gone, err := t.Revoke(ctx, at, handle)
			if err != nil {
				return err
			}
			for _, token := range tokens {
				if err := t.Refused(ctx, at, token, gone); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func fromCreate(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	return s.Session.Handle, []string{s.Access.Value}, err
}

func fromStaticKey(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{StaticKey: true})
	return s.Session.Handle, []string{s.Access.Value}, err
}

// fromRefresh gives a refreshed token. Half of them are used for the first time
// after the revoke: then the acceptance that is seen is that of the first token.
func fromRefresh(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	first, child, err := refreshed(ctx, t, at, protocol.CreateRequest{})
	if err == nil && t.Index%2 == 0 {
		err = accepted(ctx, t, at, child.Access.Value)
	}
	return first.Session.Handle, []string{child.Access.Value}, err
}

func fromPromotion(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	first, _, exchanged, err := promoted(ctx, t, at, protocol.CreateRequest{})
	if err == nil {
		err = accepted(ctx, t, at, exchanged)
	}
	return first.Session.Handle, []string{exchanged}, err
}

func fromRegenerate(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return "", nil, err
	}
	next, err := regenerated(ctx, t, at, s.Access.Value)
	return s.Session.Handle, []string{next}, err
}

func fromEverywhere(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	first, child, err := refreshed(ctx, t, at, protocol.CreateRequest{})
	if err != nil {
		return "", nil, err
	}
	tokens := []string{first.Access.Value, child.Access.Value}
	v, err := at.Ask(ctx, child.Access.Value)
	if err := conformance.Need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
		return "", nil, err
	}
	latest := child.Access.Value
	if v.Access.Value != "" {
		latest = v.Access.Value
		tokens = append(tokens, latest)
	}
	next, err := regenerated(ctx, t, at, latest)
	return first.Session.Handle, append(tokens, next), err
}

func withChangedPayload(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{Payload: map[string]any{"role": "admin"}})
	if err != nil {
		return "", nil, err
	}
	r, err := at.SetPayload(ctx, s.Session.Handle, map[string]any{"role": "guest"})
	if err := conformance.Need(r, err, "change the payload at "+at.Name()); err != nil {
		return "", nil, err
	}
	tokens := []string{s.Access.Value}
	v, err := at.Ask(ctx, s.Access.Value)
	if err := conformance.Need(v.Reply, err, "verify after the change at "+at.Name()); err != nil {
		return "", nil, err
	}
	if v.Access.Value != "" {
		tokens = append(tokens, v.Access.Value)
	}
	return s.Session.Handle, tokens, nil
}

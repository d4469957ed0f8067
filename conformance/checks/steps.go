package checks

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// anyOn is one of the flag-on instances, at random.
func anyOn(t *Trial) Instance { return t.On()[t.Rand.IntN(len(t.On()))] }

// anyOff is one of the flag-off instances, at random.
func anyOff(t *Trial) Instance { return t.Off()[t.Rand.IntN(len(t.Off()))] }

// newSession makes a session, of a new user unless r names one.
func newSession(ctx context.Context, t *Trial, at Instance, r protocol.CreateRequest) (protocol.Tokens, error) {
	if r.UserID == "" {
		r.UserID = t.NewUser()
	}
	s, err := at.Create(ctx, r)
	return s, conformance.Need(s.Reply, err, "create a session at "+at.Name())
}

// liveSession makes a session and its twin beside it, and sees its token accepted:
// only then does a later refusal prove anything.
func liveSession(ctx context.Context, t *Trial, at Instance, r protocol.CreateRequest) (protocol.Tokens, error) {
	if err := t.Beside(ctx, at, r); err != nil {
		return protocol.Tokens{}, err
	}
	s, err := newSession(ctx, t, at, r)
	if err != nil {
		return s, err
	}
	return s, accepted(ctx, t, at, s.Access.Value)
}

// many makes n live sessions of one user.
func many(ctx context.Context, t *Trial, at Instance, user string, n int) ([]protocol.Tokens, error) {
	made := make([]protocol.Tokens, n)
	err := conformance.Each(ctx, n, conformance.Callers, func(ctx context.Context, i int) (err error) {
		made[i], err = liveSession(ctx, t, at, protocol.CreateRequest{UserID: user})
		return err
	})
	return made, err
}

// refreshed makes a session and refreshes it once.
func refreshed(ctx context.Context, t *Trial, at Instance, r protocol.CreateRequest) (first, child protocol.Tokens, err error) {
	if first, err = liveSession(ctx, t, at, r); err != nil {
		return first, child, err
	}
	child, err = refresh(ctx, at, first.Refresh.Value, r.StaticKey)
	return first, child, err
}

// refresh exchanges a refresh token where that must succeed.
func refresh(ctx context.Context, at Instance, token string, static bool) (protocol.Tokens, error) {
	r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: token, StaticKey: static})
	return r, conformance.Need(r.Reply, err, "refresh the session at "+at.Name())
}

// promoted is refreshed, and then verified: where refresh does not rotate at once,
// verify hands out another token in exchange.
func promoted(ctx context.Context, t *Trial, at Instance, r protocol.CreateRequest) (first, child protocol.Tokens, exchanged string, err error) {
	if first, child, err = refreshed(ctx, t, at, r); err != nil {
		return first, child, "", err
	}
	v, err := at.Ask(ctx, child.Access.Value)
	if err := conformance.Need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
		return first, child, "", err
	}
	if v.Access.Value == "" {
		return first, child, "", conformance.Violated(v.Reply, "the first verify of a refreshed token to hand out another token in exchange", "OK without one")
	}
	return first, child, v.Access.Value, nil
}

// regenerated changes the payload and gives the token that holds it.
func regenerated(ctx context.Context, t *Trial, at Instance, token string) (string, error) {
	g, err := at.Regenerate(ctx, token, map[string]any{"round": t.Index})
	if err := conformance.Need(g.Reply, err, "regenerate the token at "+at.Name()); err != nil {
		return "", err
	}
	if g.Access.Value == "" {
		return "", conformance.Violated(g.Reply, "regenerate of an unexpired token to give a new one", "OK without one")
	}
	return g.Access.Value, accepted(ctx, t, at, g.Access.Value)
}

// unknownHandle looks like a handle (a version 4 UUID) and is none.
func unknownHandle() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// flip changes a character in the middle of a token's part (0 header, 1 payload,
// 2 signature). Not the last one: some of its bits count for nothing.
func flip(token string, part int) string {
	parts := strings.Split(token, ".")
	if part >= len(parts) || len(parts[part]) < 3 {
		return token + "x"
	}
	b := []byte(parts[part])
	i := len(b) / 2
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	parts[part] = string(b)
	return strings.Join(parts, ".")
}

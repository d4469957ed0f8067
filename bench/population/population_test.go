package population_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/bench/population"
	"github.com/coreproof/coreproof/internal/protocol"
)

// core makes sessions until it has made most, and cannot end those of one user.
type core struct {
	protocol.Core
	mu    sync.Mutex
	most  int
	made  map[string]int // by user
	stuck string
}

func (c *core) Create(_ context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most == 0 {
		return protocol.Tokens{Reply: protocol.Reply{Status: protocol.Unauthorised, HTTPStatus: 200}}, nil
	}
	c.most--
	c.made[r.UserID]++
	return protocol.Tokens{Reply: protocol.Reply{Status: protocol.OK}, Access: protocol.Token{Value: "token of " + r.UserID}}, nil
}

// ender can end sessions by user.
type ender struct{ *core }

func (e ender) RevokeUser(_ context.Context, user string) (protocol.Revoked, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if user == e.stuck {
		return protocol.Revoked{}, errors.New("out of order")
	}
	delete(e.made, user)
	return protocol.Revoked{Reply: protocol.Reply{Status: protocol.OK}}, nil
}

func TestPopulation(t *testing.T) {
	t.Parallel()
	c := &core{most: 100, made: map[string]int{}, stuck: "p-3"}
	p := population.Population{Core: ender{c}, Prefix: "p", Users: 5}
	var told []int
	tokens, err := p.Create(t.Context(), 20, func(sofar int) { told = append(told, sofar) })
	if err != nil || len(tokens) != 20 || tokens[7] != "token of p-2" || len(c.made) != 5 || c.made["p-4"] != 4 {
		t.Fatalf("tokens %q, users %v, error %v", tokens, c.made, err)
	}
	if !slices.IsSorted(told) || len(told) != 20 || told[19] != 20 {
		t.Errorf("told %v", told)
	}
	failed, ok := p.End(t.Context())
	if !ok || len(failed) != 1 || failed["out of order"] != 1 || len(c.made) != 1 {
		t.Errorf("failed %v, ok %v, users left %v", failed, ok, c.made)
	}
	p.Core = c
	if _, ok := p.End(t.Context()); ok {
		t.Error("a core that cannot end the sessions of a user is said to have ended them")
	}
}

func TestPopulationThatCannotBeMade(t *testing.T) {
	t.Parallel()
	p := population.Population{Core: &core{most: 7, made: map[string]int{}}, Prefix: "p", Users: 5}
	tokens, err := p.Create(t.Context(), 20, nil)
	if err == nil || !strings.Contains(err.Error(), "of 20: it answered") || tokens != nil {
		t.Errorf("tokens %q, error %v", tokens, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if tokens, err := p.Create(ctx, 20, nil); !errors.Is(err, context.Canceled) || tokens != nil {
		t.Errorf("cancelled: tokens %q, error %v", tokens, err)
	}
}

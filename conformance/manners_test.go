package conformance_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// few is a protocol whose clients have a few manners, and note in which they are called.
type few struct {
	cdi.CDI
	has []protocol.Manner

	mu  sync.Mutex
	met map[protocol.Manner]bool
}

// fewClient has the three verbs that every core has.
type fewClient struct {
	protocol.Core
	p *few
}

func (f *few) Dial(o protocol.DialOptions) (protocol.Core, error) {
	c, err := f.CDI.Dial(o)
	return fewClient{c, f}, err
}

func (c fewClient) Manners() []protocol.Manner { return c.p.has }

func (c fewClient) Verify(ctx context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	c.p.mu.Lock()
	c.p.met[protocol.MannerOf(ctx)] = true
	c.p.mu.Unlock()
	return c.Core.Verify(ctx, r)
}

// TestOnlyMannersThatDifferAreMet: no pair is counted of a manner in which a client's
// requests are the usual ones.
func TestOnlyMannersThatDifferAreMet(t *testing.T) {
	t.Parallel()
	wanted := map[int]int{}
	for _, has := range [][]protocol.Manner{nil, {protocol.MannerOlder}, {protocol.MannerSDK, protocol.MannerProxied}} {
		p := &few{has: has, met: map[protocol.Manner]bool{}}
		target := defective(t, "")
		target.Speak = p
		o := options(t, target)
		o.Select.IDs = []string{"BL-70"}
		got, _, _ := run(t, o)
		if outcome, why := verdict.Check(checkOf(t, got, "BL-70"), got.Histories); outcome != proof.Pass {
			t.Errorf("%q: %s: %s", has, outcome, why)
		}
		delete(p.met, "coreproof") // the usual one by its name
		want := slices.Sorted(slices.Values(append([]protocol.Manner{protocol.MannerUsual}, has...)))
		if met := slices.Sorted(maps.Keys(p.met)); !slices.Equal(met, want) {
			t.Errorf("asked as by %q, want %q", met, want)
		}
		if got.Pairs.Met != got.Pairs.Wanted || len(got.Pairs.LeftOut) > 0 {
			t.Errorf("%q: %+v", has, got.Pairs)
		}
		wanted[len(has)] = got.Pairs.Wanted
	}
	// Two values bring two times as many pairs with the others as the third one does, but
	// that an older proxy, the one of the first, keeps no connection.
	if one, two := wanted[1]+1-wanted[0], wanted[2]-wanted[1]-1; one != 2*two || two <= 0 {
		t.Errorf("pairs by number of manners: %v", wanted)
	}
}

package refcore_test

import (
	"context"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
	"github.com/coreproof/coreproof/refcore/store"
)

// hooked does something once before a rotation, as another core might.
type hooked struct {
	store.Store
	once sync.Once
	do   func(ctx context.Context, handle string)
}

func (h *hooked) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	if h.do != nil {
		h.once.Do(func() { h.do(ctx, handle) })
	}
	return h.Store.Rotate(ctx, handle, r)
}

// TestPromotionKeepsAKeySwitch: a session whose kind of key changed between a
// promotion's read and its write keeps the new kind, whichever call promotes.
func TestPromotionKeepsAKeySwitch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		call func(c *coretest.Core, child coretest.Session)
	}{
		{"verify", func(c *coretest.Core, child coretest.Session) {
			if kid := coretest.Kid(t, c.Verify("5.0", child.Access).OK().Replacement()); kid != coretest.SeededStatic {
				t.Errorf("the new token is signed with %s", kid)
			}
		}},
		// Below 3.0 a refresh leaves the kind as it is.
		{"refresh", func(c *coretest.Core, child coretest.Session) { c.Next("2.21", child.Refresh) }},
	} {
		h := &hooked{Store: coretest.OpenStore(t, "")}
		coretest.SeedKeys(t, h, coretest.Epoch-600_000)
		c := coretest.Start(t, coretest.OnStore(h))
		child := c.Next("5.0", c.Create("5.0").Refresh)
		h.do = func(ctx context.Context, handle string) {
			r, err := h.Session(ctx, handle)
			if err != nil {
				t.Error(err)
				return
			}
			done, err := h.Store.Rotate(ctx, handle, store.Rotation{
				Expect: r.RefreshHash2, RefreshHash2: r.RefreshHash2, PrevRefreshHash2: r.PrevRefreshHash2,
				RotatedAt: r.RotatedAt, ExpiresAt: r.ExpiresAt, UseStaticKey: true,
			})
			if !done || err != nil {
				t.Errorf("switch the kind of key: %v, %v", done, err)
			}
		}
		tc.call(c, child)
		if r, _ := c.Row(child.Handle); !r.UseStaticKey || r.RefreshHash2 == "" {
			t.Errorf("%s: the switch to the static key is undone", tc.name)
		}
	}
}

package refcore_test

import (
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var engineCost = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.32", Name: "unknown kid", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		bad := f.Forged(coretest.Obj{"kid": "d-1700000000000"}, nil)
		f.Costs(2, "an id that a core may have made", func() { f.Verify(cdi, bad).TryRefresh() })
		made := f.Forged(coretest.Obj{"kid": "made-up"}, nil)
		f.Costs(0, "an id that no core makes", func() { f.Verify(cdi, made).TryRefresh() })
	}},
	{Cite: "docs/spec/session-engine.md 9.33", Name: "verify without check", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Costs(0, "verify", func() { c.Verify(cdi, s.Access).OK() })
		if !coretest.AtLeast(cdi, "5.6") {
			n := c.Next(cdi, s.Refresh)
			replaced := c.Verify(cdi, n.Access).OK().Replacement()
			c.Costs(0, "verify of a replaced token", func() { c.Verify(cdi, replaced).OK() })
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.34", Name: "verify with check", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		for _, dynamic := range []bool{true, false} {
			s := c.Create(cdi, coretest.Obj{"useDynamicSigningKey": dynamic})
			c.Costs(1, "verify", func() { c.Verify(cdi, s.Access).OK() })
			c.Remove(cdi, s.Handle).OK()
			c.Costs(1, "verify of a removed session", func() { c.Verify(cdi, s.Access).Unauth(coretest.MsgGone) })
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.97", Name: "minting with a static key", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		// The real core reads its static key at each mint; this one has it in memory.
		c := coretest.Start(t)
		dynamic := c.Cost(func() { c.Create(cdi) })
		static := c.Cost(func() { c.Create(cdi, coretest.Obj{"useDynamicSigningKey": false}) })
		if static-dynamic < 0 || static-dynamic > 1 || dynamic != 1 {
			t.Errorf("create costs %d statements with a dynamic key, %d with a static one", dynamic, static)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.98", Name: "remove", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		// The real core asks for each handle before and after; one DELETE that says what it deleted is enough.
		c := coretest.Start(t)
		a, b, d := c.Create(cdi), c.Create(cdi), c.Create(cdi)
		c.Costs(1, "remove one", func() { c.Remove(cdi, a.Handle).OK() })
		c.Costs(1, "remove two", func() { c.Remove(cdi, b.Handle, d.Handle, "unknown").OK() })
		c.Costs(0, "remove none", func() { c.Remove(cdi).OK() })
	}},
}

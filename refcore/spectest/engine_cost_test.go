package spectest

import "testing"

var engineCost = []rule{
	{number: 32, name: "unknown kid", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		bad := f.forged(obj{"kid": "d-1700000000000"}, nil)
		f.costs(2, "an id that a core may have made", func() { f.verify(cdi, bad).tryRefresh() })
		made := f.forged(obj{"kid": "made-up"}, nil)
		f.costs(0, "an id that no core makes", func() { f.verify(cdi, made).tryRefresh() })
	}},
	{number: 33, name: "verify without check", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.costs(0, "verify", func() { c.verify(cdi, s.access).ok() })
		if cdi != "5.6" {
			n := c.next(cdi, s.refresh)
			replaced := c.verify(cdi, n.access).ok().replacement()
			c.costs(0, "verify of a replaced token", func() { c.verify(cdi, replaced).ok() })
		}
	}},
	{number: 34, name: "verify with check", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		for _, dynamic := range []bool{true, false} {
			s := c.create(cdi, obj{"useDynamicSigningKey": dynamic})
			c.costs(1, "verify", func() { c.verify(cdi, s.access).ok() })
			c.remove(cdi, s.handle).ok()
			c.costs(1, "verify of a removed session", func() { c.verify(cdi, s.access).unauth(msgGone) })
		}
	}},
	{number: 97, name: "minting with a static key", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		// The real core reads its static key at each mint; this one has it in memory.
		c := start(t)
		dynamic := c.cost(func() { c.create(cdi) })
		static := c.cost(func() { c.create(cdi, obj{"useDynamicSigningKey": false}) })
		if static-dynamic < 0 || static-dynamic > 1 || dynamic != 1 {
			t.Errorf("create costs %d statements with a dynamic key, %d with a static one", dynamic, static)
		}
	}},
	{number: 98, name: "remove", cdi: all(), run: func(t *testing.T, cdi string) {
		// The real core asks for each handle before and after; one DELETE that says what it deleted is enough.
		c := start(t)
		a, b, d := c.create(cdi), c.create(cdi), c.create(cdi)
		c.costs(1, "remove one", func() { c.remove(cdi, a.handle).ok() })
		c.costs(1, "remove two", func() { c.remove(cdi, b.handle, d.handle, "unknown").ok() })
		c.costs(0, "remove none", func() { c.remove(cdi).ok() })
	}},
}

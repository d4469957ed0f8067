package refcore_test

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/token"
)

func hash2(refreshToken string) string { return token.Hash1(token.Hash1(refreshToken)) }

var engineRefresh = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.42", Name: "refresh with the parent after promotion", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		n := c.Next(cdi, s.Refresh)
		c.Refresh(cdi, s.Refresh).OK() // not yet promoted
		c.Verify(cdi, n.Access).OK()
		c.Refresh(cdi, s.Refresh).Theft(s, "")
	}},
	{Cite: "docs/spec/session-engine.md 9.43", Name: "theft leaves the row", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		n := c.Next(cdi, s.Refresh)
		c.Verify(cdi, n.Access).OK()
		before, _ := c.Row(s.Handle)
		c.Refresh(cdi, s.Refresh).Theft(s, "")
		if after, there := c.Row(s.Handle); !there || after.RefreshHash2 != before.RefreshHash2 {
			t.Error("theft changed the row")
		}
		c.Refresh(cdi, n.Refresh).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.44", Name: "parent child parent", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Next(cdi, c.Next(cdi, s.Refresh).Refresh)
		c.Refresh(cdi, s.Refresh).Theft(s, "")
	}},
	{Cite: "docs/spec/session-engine.md 9.45", Name: "two refreshes with one parent", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		before, _ := c.Row(s.Handle)
		var a, b coretest.Session
		c.Costs(2, "two refreshes", func() { a, b = c.Next(cdi, s.Refresh), c.Next(cdi, s.Refresh) }) // one read each
		if a.Refresh == b.Refresh || a.Access == b.Access {
			t.Error("twice the same")
		}
		if after, _ := c.Row(s.Handle); after.RefreshHash2 != before.RefreshHash2 || after.ExpiresAt != before.ExpiresAt {
			t.Error("the row was written")
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.46", Name: "refresh with the sibling of a promoted child", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		a, b := c.Next(cdi, s.Refresh), c.Next(cdi, s.Refresh)
		c.Verify(cdi, a.Access).OK()
		c.Refresh(cdi, b.Refresh).Theft(s, "")
		c.Refresh(cdi, a.Refresh).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.48", Name: "promotion extends the session", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, use := range []func(coretest.Session){func(n coretest.Session) { c.Verify(cdi, n.Access).OK() }, func(n coretest.Session) { c.Refresh(cdi, n.Refresh).OK() }} {
			s := c.Create(cdi)
			first, _ := c.Row(s.Handle)
			c.Clock.Advance(time.Minute)
			n := c.Next(cdi, s.Refresh)
			if r, _ := c.Row(s.Handle); r.ExpiresAt != first.ExpiresAt {
				t.Error("refresh with the parent moved the expiry")
			}
			c.Clock.Advance(time.Minute)
			use(n)
			if r, _ := c.Row(s.Handle); r.ExpiresAt != first.ExpiresAt+120_000 || r.RefreshHash2 != hash2(n.Refresh) || r.RotatedAt != c.Clock.Ms.Load() {
				t.Errorf("after promotion %+v", r)
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.49", Name: "refresh migrates the token version", CDI: []string{"2.21", "3.0", "4.0", "5.0", "5.6"}, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		version := func(s coretest.Session) any {
			h, _ := coretest.Decoded(t, s.Access)
			return h["version"]
		}
		if v := version(c.Next("2.20", c.Create(cdi).Refresh)); v != "2" {
			t.Errorf("at 2.20 version %v", v)
		}
		if v := version(c.Next(cdi, c.Create("2.20").Refresh)); v != tokenVersion(cdi) {
			t.Errorf("at %s version %v", cdi, v)
		}
	}},
}

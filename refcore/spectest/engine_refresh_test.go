package spectest

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/token"
)

func hash2(refreshToken string) string { return token.Hash1(token.Hash1(refreshToken)) }

var engineRefresh = []rule{
	{number: 42, name: "refresh with the parent after promotion", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		n := c.next(cdi, s.refresh)
		c.refresh(cdi, s.refresh).ok() // not yet promoted
		c.verify(cdi, n.access).ok()
		c.refresh(cdi, s.refresh).theft(s, "")
	}},
	{number: 43, name: "theft leaves the row", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		n := c.next(cdi, s.refresh)
		c.verify(cdi, n.access).ok()
		before, _ := c.row(s.handle)
		c.refresh(cdi, s.refresh).theft(s, "")
		if after, there := c.row(s.handle); !there || after.RefreshHash2 != before.RefreshHash2 {
			t.Error("theft changed the row")
		}
		c.refresh(cdi, n.refresh).ok()
	}},
	{number: 44, name: "parent child parent", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.next(cdi, c.next(cdi, s.refresh).refresh)
		c.refresh(cdi, s.refresh).theft(s, "")
	}},
	{number: 45, name: "two refreshes with one parent", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		before, _ := c.row(s.handle)
		var a, b session
		c.costs(2, "two refreshes", func() { a, b = c.next(cdi, s.refresh), c.next(cdi, s.refresh) }) // one read each
		if a.refresh == b.refresh || a.access == b.access {
			t.Error("twice the same")
		}
		if after, _ := c.row(s.handle); after.RefreshHash2 != before.RefreshHash2 || after.ExpiresAt != before.ExpiresAt {
			t.Error("the row was written")
		}
	}},
	{number: 46, name: "refresh with the sibling of a promoted child", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		a, b := c.next(cdi, s.refresh), c.next(cdi, s.refresh)
		c.verify(cdi, a.access).ok()
		c.refresh(cdi, b.refresh).theft(s, "")
		c.refresh(cdi, a.refresh).ok()
	}},
	{number: 48, name: "promotion extends the session", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, use := range []func(session){func(n session) { c.verify(cdi, n.access).ok() }, func(n session) { c.refresh(cdi, n.refresh).ok() }} {
			s := c.create(cdi)
			first, _ := c.row(s.handle)
			c.clock.advance(time.Minute)
			n := c.next(cdi, s.refresh)
			if r, _ := c.row(s.handle); r.ExpiresAt != first.ExpiresAt {
				t.Error("refresh with the parent moved the expiry")
			}
			c.clock.advance(time.Minute)
			use(n)
			if r, _ := c.row(s.handle); r.ExpiresAt != first.ExpiresAt+120_000 || r.RefreshHash2 != hash2(n.refresh) || r.RotatedAt != c.clock.ms.Load() {
				t.Errorf("after promotion %+v", r)
			}
		}
	}},
	{number: 49, name: "refresh migrates the token version", cdi: []string{"2.21", "3.0", "4.0", "5.0", "5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t)
		version := func(s session) any {
			h, _ := decoded(t, s.access)
			return h["version"]
		}
		if v := version(c.next("2.20", c.create(cdi).refresh)); v != "2" {
			t.Errorf("at 2.20 version %v", v)
		}
		if v := version(c.next(cdi, c.create("2.20").refresh)); v != tokenVersion(cdi) {
			t.Errorf("at %s version %v", cdi, v)
		}
	}},
}

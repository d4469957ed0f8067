package refcore_test

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var newest = coretest.From("5.6")

var engineRotation = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.50", Name: "refresh retires the presented token", CDI: newest, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Clock.Advance(time.Minute)
		var n coretest.Session
		c.Costs(2, "refresh", func() { n = c.Next(cdi, s.Refresh) })
		r, _ := c.Row(s.Handle)
		now := c.Clock.Ms.Load()
		if r.RefreshHash2 != hash2(n.Refresh) || r.PrevRefreshHash2 != hash2(s.Refresh) || r.RotatedAt != now ||
			r.ExpiresAt != now+c.Engine.Settings().RefreshValidity.Milliseconds() {
			t.Errorf("row %+v", r)
		}
		if _, claims := coretest.Decoded(t, n.Access); claims["parentRefreshTokenHash1"] != nil {
			t.Error("the access token has a parent")
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.51", Name: "previous token within the grace period", CDI: newest, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Next(cdi, s.Refresh)
		before, _ := c.Row(s.Handle)
		for range 3 {
			c.Clock.Advance(c.Engine.Settings().GracePeriod / 3)
			n := c.Next(cdi, s.Refresh)
			after, _ := c.Row(s.Handle)
			if after.PrevRefreshHash2 != before.PrevRefreshHash2 || after.RotatedAt != before.RotatedAt || after.ExpiresAt != before.ExpiresAt || after.RefreshHash2 != hash2(n.Refresh) {
				t.Errorf("row %+v, was %+v", after, before)
			}
		}
		c.Clock.Advance(time.Millisecond) // the period's end was inclusive
		c.Refresh(cdi, s.Refresh).Theft(s, "RECENT_PREV")
	}},
	{Cite: "docs/spec/session-engine.md 9.52", Name: "previous token after the grace period", CDI: newest, Run: func(t *testing.T, cdi string) {
		for _, grace := range []time.Duration{0, 30 * time.Second} {
			c := coretest.Start(t, func(s *coretest.Setup) { s.Settings.GracePeriod = grace })
			s, tok := coretest.RecentPrev(c)
			c.Refresh(cdi, tok).Theft(s, "RECENT_PREV")
			c.Gone(s.Handle)
			c.Refresh(cdi, tok).Unauth(coretest.MsgExpired)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.53", Name: "displaced token", CDI: newest, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s, tok := coretest.OrphanedBranch(c)
		c.Refresh(cdi, tok).Theft(s, "ORPHANED_BRANCH")
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/session-engine.md 9.54", Name: "older token", CDI: newest, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.ReuseUnauthorised)
		s, tok := coretest.StaleLineage(c)
		c.Refresh(cdi, tok).Theft(s, "STALE_LINEAGE")
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/session-engine.md 9.55", Name: "reuse as UNAUTHORISED", CDI: newest, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.ReuseUnauthorised)
		s, tok := coretest.RecentPrev(c)
		c.Refresh(cdi, tok).Reused("RECENT_PREV")
		c.Gone(s.Handle)
		s, tok = coretest.OrphanedBranch(c)
		c.Refresh(cdi, tok).Reused("ORPHANED_BRANCH")
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/session-engine.md 9.59", Name: "old and new rules mixed", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		// An old-style child, presented at 5.6, rotates.
		s := c.Create("5.5")
		child := c.Next("5.5", s.Refresh)
		n := c.Next("5.6", child.Refresh)
		if r, _ := c.Row(s.Handle); r.RefreshHash2 != hash2(n.Refresh) || r.PrevRefreshHash2 != hash2(child.Refresh) {
			t.Errorf("row %+v", r)
		}
		c.Refresh("5.6", s.Refresh).Is("TOKEN_THEFT_DETECTED")
		// A 5.6 session at an older version follows the older rules.
		s = c.Create("5.6")
		n = c.Next("5.6", s.Refresh)
		a, b := c.Next("5.5", n.Refresh), c.Next("5.5", n.Refresh)
		c.Verify("5.5", a.Access).OK().Replacement()
		c.Refresh("5.5", b.Refresh).Theft(s, "")
		c.GetSession("5.5", s.Handle).OK()
		// What 5.5 promoted, 5.6 excuses within the grace period.
		c.Refresh("5.6", n.Refresh).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.60", Name: "accessTokenValidity", WhyNot: "the same as rules 43 and 44 of the HTTP list, which are tested"},
}

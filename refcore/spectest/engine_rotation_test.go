package spectest

import (
	"testing"
	"time"
)

var newest = []string{"5.6"}

var engineRotation = []rule{
	{number: 50, name: "refresh retires the presented token", cdi: newest, run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.clock.advance(time.Minute)
		var n session
		c.costs(2, "refresh", func() { n = c.next(cdi, s.refresh) })
		r, _ := c.row(s.handle)
		now := c.clock.ms.Load()
		if r.RefreshHash2 != hash2(n.refresh) || r.PrevRefreshHash2 != hash2(s.refresh) || r.RotatedAt != now ||
			r.ExpiresAt != now+c.engine.Settings().RefreshValidity.Milliseconds() {
			t.Errorf("row %+v", r)
		}
		if _, claims := decoded(t, n.access); claims["parentRefreshTokenHash1"] != nil {
			t.Error("the access token has a parent")
		}
	}},
	{number: 51, name: "previous token within the grace period", cdi: newest, run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.next(cdi, s.refresh)
		before, _ := c.row(s.handle)
		for range 3 {
			c.clock.advance(c.engine.Settings().GracePeriod / 3)
			n := c.next(cdi, s.refresh)
			after, _ := c.row(s.handle)
			if after.PrevRefreshHash2 != before.PrevRefreshHash2 || after.RotatedAt != before.RotatedAt || after.ExpiresAt != before.ExpiresAt || after.RefreshHash2 != hash2(n.refresh) {
				t.Errorf("row %+v, was %+v", after, before)
			}
		}
		c.clock.advance(time.Millisecond) // the period's end was inclusive
		c.refresh(cdi, s.refresh).theft(s, "RECENT_PREV")
	}},
	{number: 52, name: "previous token after the grace period", cdi: newest, run: func(t *testing.T, cdi string) {
		for _, grace := range []time.Duration{0, 30 * time.Second} {
			c := start(t, func(s *setup) { s.settings.GracePeriod = grace })
			s, tok := recentPrev(c)
			c.refresh(cdi, tok).theft(s, "RECENT_PREV")
			c.gone(s.handle)
			c.refresh(cdi, tok).unauth(msgExpired)
		}
	}},
	{number: 53, name: "displaced token", cdi: newest, run: func(t *testing.T, cdi string) {
		c := start(t)
		s, tok := orphanedBranch(c)
		c.refresh(cdi, tok).theft(s, "ORPHANED_BRANCH")
		c.gone(s.handle)
	}},
	{number: 54, name: "older token", cdi: newest, run: func(t *testing.T, cdi string) {
		c := start(t, reuseUnauthorised)
		s, tok := staleLineage(c)
		c.refresh(cdi, tok).theft(s, "STALE_LINEAGE")
		c.gone(s.handle)
	}},
	{number: 55, name: "reuse as UNAUTHORISED", cdi: newest, run: func(t *testing.T, cdi string) {
		c := start(t, reuseUnauthorised)
		s, tok := recentPrev(c)
		c.refresh(cdi, tok).reused("RECENT_PREV")
		c.gone(s.handle)
		s, tok = orphanedBranch(c)
		c.refresh(cdi, tok).reused("ORPHANED_BRANCH")
		c.gone(s.handle)
	}},
	{number: 59, name: "old and new rules mixed", run: func(t *testing.T, _ string) {
		c := start(t)
		// An old-style child, presented at 5.6, rotates.
		s := c.create("5.5")
		child := c.next("5.5", s.refresh)
		n := c.next("5.6", child.refresh)
		if r, _ := c.row(s.handle); r.RefreshHash2 != hash2(n.refresh) || r.PrevRefreshHash2 != hash2(child.refresh) {
			t.Errorf("row %+v", r)
		}
		c.refresh("5.6", s.refresh).is("TOKEN_THEFT_DETECTED")
		// A 5.6 session at an older version follows the older rules.
		s = c.create("5.6")
		n = c.next("5.6", s.refresh)
		a, b := c.next("5.5", n.refresh), c.next("5.5", n.refresh)
		c.verify("5.5", a.access).ok().replacement()
		c.refresh("5.5", b.refresh).theft(s, "")
		c.getSession("5.5", s.handle).ok()
		// What 5.5 promoted, 5.6 excuses within the grace period.
		c.refresh("5.6", n.refresh).ok()
	}},
	{number: 60, name: "accessTokenValidity", whynot: "the same as rules 43 and 44 of the HTTP list, which are tested"},
}

package spectest

import (
	"strings"
	"testing"
	"time"
)

func reuseUnauthorised(s *setup) { s.settings.ReuseUnauthorised = true }

// theft demands TOKEN_THEFT_DETECTED about a session, with a subtype from 5.6 on.
func (a answer) theft(s session, subtype string) {
	a.t.Helper()
	a.is("TOKEN_THEFT_DETECTED").equals(s.handle, "session", "handle")
	a.inner("session").only("handle", "userId", "recipeUserId").equals("user", "userId").equals("user", "recipeUserId")
	if subtype == "" {
		a.only("session")
		return
	}
	a.only("session", "recentTokenReuseSubtype").equals(subtype, "recentTokenReuseSubtype")
}

// reused is how a core says UNAUTHORISED of a reused token.
func (a answer) reused(subtype string) {
	a.t.Helper()
	a.is("UNAUTHORISED").only("message", "recentTokenReuseSubtype").
		equals("refresh token reuse detected", "message").equals(subtype, "recentTokenReuseSubtype")
}

func (c *core) gone(handle string) {
	c.t.Helper()
	if _, there := c.row(handle); there {
		c.t.Fatalf("the row of %s is still there", handle)
	}
}

// The three ways in which a refresh token is reused at 5.6; each gives the
// token to present and the session.

func recentPrev(c *core) (session, string) {
	s := c.create("5.6")
	c.next("5.6", s.refresh)
	c.clock.advance(c.engine.Settings().GracePeriod + time.Millisecond)
	return s, s.refresh
}

func orphanedBranch(c *core) (session, string) {
	s := c.create("5.6")
	displaced := c.next("5.6", s.refresh)
	c.next("5.6", s.refresh) // within the grace period
	return s, displaced.refresh
}

func staleLineage(c *core) (session, string) {
	s := c.create("5.6")
	c.next("5.6", c.next("5.6", s.refresh).refresh)
	return s, s.refresh
}

var httpRefresh = []rule{
	{number: 87, name: "refresh has exactly its fields", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		want := []string{"session", "accessToken", "refreshToken"}
		if !atLeast(cdi, "2.21") {
			want = append(want, "idRefreshToken")
		}
		s := c.create(cdi)
		a := c.refresh(cdi, s.refresh).ok().only(want...)
		a.inner("session").only(sessionShape(cdi)...).equals(s.handle, "handle")
		for _, name := range want[1:] {
			a.inner(name).only("token", "expiry", "createdTime")
		}
		c.refresh(cdi, c.create(cdi).refresh, obj{"enableAntiCsrf": true}).ok().only(append(want, "antiCsrfToken")...)
	}},
	{number: 88, name: "garbage", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, bad := range []string{"", "x", "a.b.V2", "..V2", ".V2", "V2", s.refresh[4:], "a." + s.refresh, strings.Repeat("A", 9000) + ".x.V2", s.access} {
			c.refresh(cdi, bad).unauth("")
		}
		c.refresh(cdi, s.refresh).ok()
	}},
	{number: 89, name: "wrong anti-csrf value", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi, obj{"enableAntiCsrf": true})
		on := obj{"enableAntiCsrf": true}
		for _, bad := range []any{absent, "wrong", ""} {
			c.refresh(cdi, s.refresh, on, obj{"antiCsrfToken": bad}).unauth(msgCSRFRef)
		}
		c.refresh(cdi, s.refresh, on, obj{"antiCsrfToken": nil}).badField("antiCsrfToken")
		c.refresh(cdi, s.refresh, on, obj{"antiCsrfToken": s.anti}).ok()
	}},
	{number: 90, name: "anti-csrf turned on", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		n := c.next(cdi, c.create(cdi).refresh, obj{"enableAntiCsrf": true})
		if n.anti == "" {
			n.answer.fail("no anti-csrf value")
		}
		c.verify(cdi, n.access, obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true, "antiCsrfToken": n.anti}).ok()
	}},
	{number: 91, name: "useDynamicSigningKey required", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, bad := range []any{absent, nil, "x"} {
			a := c.refresh(cdi, s.refresh, obj{"useDynamicSigningKey": bad})
			switch {
			case atLeast(cdi, "5.0"), atLeast(cdi, "3.0") && bad != absent:
				a.badField("useDynamicSigningKey")
			default:
				a.ok()
			}
		}
		for _, name := range []string{"refreshToken", "enableAntiCsrf"} {
			c.refresh(cdi, s.refresh, obj{name: absent}).badField(name)
		}
	}},
	{number: 92, name: "useDynamicSigningKey switches", cdi: from("3.0"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, dynamic := range []bool{false, true, false} {
			s = c.next(cdi, s.refresh, obj{"useDynamicSigningKey": dynamic})
			if id := kid(t, s.access); strings.HasPrefix(id, "d-") != dynamic {
				t.Errorf("dynamic %v: kid %s", dynamic, id)
			}
			if cdi == "3.0" || cdi == "4.0" {
				if s = c.next(cdi, s.refresh); strings.HasPrefix(kid(t, s.access), "d-") != dynamic {
					t.Error("an absent field changed the key kind")
				}
			}
		}
	}},
	{number: 93, name: "same token twice", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		a, b := c.next(cdi, s.refresh), c.next(cdi, s.refresh)
		if a.refresh == b.refresh || a.access == b.access {
			t.Error("twice the same pair")
		}
	}},
	{number: 94, name: "old token after its child was used", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, use := range []func(session){
			func(n session) { c.verify(cdi, n.access).ok() }, func(n session) { c.refresh(cdi, n.refresh).ok() },
		} {
			s := c.create(cdi)
			use(c.next(cdi, s.refresh))
			c.refresh(cdi, s.refresh).theft(s, "")
			c.getSession(cdi, s.handle).ok()
		}
	}},
	{number: 95, name: "previous token after the grace period", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t)
		s, token := recentPrev(c)
		c.refresh(cdi, token).theft(s, "RECENT_PREV")
		c.gone(s.handle)
	}},
	{number: 96, name: "displaced child", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t)
		s, token := orphanedBranch(c)
		c.refresh(cdi, token).theft(s, "ORPHANED_BRANCH")
		c.gone(s.handle)
	}},
	{number: 97, name: "two generations old", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		for _, o := range [][]option{nil, {reuseUnauthorised}} {
			c := start(t, o...)
			s, token := staleLineage(c)
			c.refresh(cdi, token).theft(s, "STALE_LINEAGE")
			c.gone(s.handle)
		}
		c := start(t, reuseUnauthorised)
		for subtype, make := range map[string]func(*core) (session, string){"RECENT_PREV": recentPrev, "ORPHANED_BRANCH": orphanedBranch} {
			s, token := make(c)
			c.refresh(cdi, token).reused(subtype)
			c.gone(s.handle)
		}
	}},
	{number: 98, name: "refresh after remove", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		n := c.next(cdi, s.refresh)
		c.remove(cdi, s.handle).ok()
		for range 2 {
			for _, x := range []session{s, n} {
				c.refresh(cdi, x.refresh).unauth(msgExpired)
				c.verify(cdi, x.access).unauth("")
				c.regenerate(cdi, x.access, obj{}).unauth(msgNone)
			}
			c.setPayload(cdi, s.handle, obj{}).unauth(msgNone)
		}
		c.gone(s.handle)
	}},
	{number: 99, name: "protected names stored by an older version", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create("2.20", obj{"userDataInJWT": obj{"sub": "x"}})
		c.refresh(cdi, s.refresh).unauth(msgProtected)
		modern := c.create(cdi)
		c.setPayload("2.20", modern.handle, obj{"sub": "x"}).ok()
		if a := c.verify(cdi, modern.access); cdi == "5.6" {
			a.ok().equals(true, "payloadUpdateAvailable")
		} else {
			a.text(400, msgProtected)
		}
	}},
	{number: 100, name: "refresh carries the stored payload", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.setPayload(cdi, s.handle, obj{"role": "user"}).ok()
		n := c.next(cdi, s.refresh)
		n.answer.equals(obj{"role": "user"}, "session", "userDataInJWT")
		c.verify(cdi, n.access).ok().equals(obj{"role": "user"}, "session", "userDataInJWT")
	}},
	{number: 101, name: "refreshed alternately at 5.5 and 5.6", run: func(t *testing.T, _ string) {
		c := start(t, checked)
		s := c.create("5.5")
		for i := range 8 {
			cdi := []string{"5.5", "5.6"}[i%2]
			s = c.next(cdi, s.refresh)
			a := c.verify(cdi, s.access).ok()
			if a.has("accessToken") {
				s.access = a.replacement()
			}
			c.clock.advance(time.Minute)
		}
		// … and without a verify in between.
		s = c.create("5.6")
		for i := range 8 {
			s = c.next([]string{"5.5", "5.6"}[i%2], s.refresh)
			c.clock.advance(time.Minute)
		}
	}},
}

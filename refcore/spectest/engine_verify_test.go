package spectest

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
)

var engineVerify = []rule{
	{number: 30, name: "expired beats removed", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.clock.ms.Store(s.expiry + 1)
		c.costs(0, "verify", func() { c.verify(cdi, s.access).tryRefresh() })
	}},
	{number: 31, name: "order of the checks", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi, obj{"enableAntiCsrf": true})
		both := obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true, "antiCsrfToken": "wrong"}
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access, both).tryRefresh().equals(msgCSRF, "message")
		c.clock.ms.Store(s.expiry + 1)
		c.verify(cdi, s.access, both).tryRefresh().equals("Access token expired", "message")
		if a := c.verify(cdi, flip(s.access, 2), both).tryRefresh(); a.str("message") == "Access token expired" {
			a.fail("the expiry was judged before the signature")
		}
	}},
	{number: 35, name: "each era has its own switch", cdi: all(), run: func(t *testing.T, cdi string) {
		for _, setting := range []bool{true, false} {
			c := start(t, settings(func(s *refcore.Settings) { s.Blacklisting = setting }))
			s := c.create(cdi)
			for _, request := range []bool{true, false} {
				on := setting
				if atLeast(cdi, "2.21") {
					on = request
				}
				want := map[bool]int{true: 1, false: 0}[on]
				c.costs(want, "verify", func() { c.verify(cdi, s.access, obj{"checkDatabase": request}).ok() })
			}
		}
	}},
	{number: 36, name: "removed, check off", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.clock.ms.Store(s.expiry)
		c.verify(cdi, s.access).ok()
		c.clock.advance(time.Millisecond)
		c.verify(cdi, s.access).tryRefresh()
	}},
	{number: 37, name: "removed, check on, any core", cdi: eras, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 3, checked)
		s := cores[0].create(cdi)
		for _, c := range cores {
			c.verify(cdi, s.access).ok()
		}
		cores[1].remove(cdi, s.handle).ok()
		for _, c := range cores {
			c.verify(cdi, s.access).unauth(msgGone)
		}
	}},
	{number: 38, name: "expired row, check on", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.expire(s.handle, epoch-1)
		c.verify(cdi, s.access).ok()
	}},
	{number: 39, name: "expired row elsewhere", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.expire(s.handle, epoch) // the last millisecond: alive for refresh and listing only
		last := c.create(cdi, obj{"userId": "last"})
		c.expire(last.handle, epoch)
		c.refresh(cdi, last.refresh).ok()
		c.getSession(cdi, s.handle).unauth(msgNone)
		c.setData(cdi, s.handle, obj{}).unauth(msgNone)
		c.regenerate(cdi, s.access, obj{}).unauth(msgNone)
		if got := c.handles(cdi, "user"); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
		c.clock.advance(time.Millisecond)
		for _, a := range []answer{
			c.getSession(cdi, s.handle), c.get(cdi, pathData, "sessionHandle", s.handle), c.get(cdi, pathPayload, "sessionHandle", s.handle),
			c.setData(cdi, s.handle, obj{}), c.setPayload(cdi, s.handle, obj{}), c.regenerate(cdi, s.access, obj{}), c.refresh(cdi, s.refresh),
		} {
			a.unauth("")
		}
		if got := c.handles(cdi, "user"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
	}},
	{number: 40, name: "first verify after refresh promotes", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		n := c.next(cdi, s.refresh)
		before, _ := c.row(s.handle)
		var a answer
		c.costs(2, "verify", func() { a = c.verify(cdi, n.access).ok() }) // one read, one write
		_, claims := decoded(t, a.replacement())
		if claims["parentRefreshTokenHash1"] != nil {
			t.Errorf("parent %v", claims["parentRefreshTokenHash1"])
		}
		if after, _ := c.row(s.handle); after.RefreshHash2 == before.RefreshHash2 || after.PrevRefreshHash2 != before.RefreshHash2 {
			t.Errorf("row %+v", after)
		}
		c.costs(0, "verify of the new token", func() { c.verify(cdi, a.replacement()).ok().noToken() })
	}},
	{number: 41, name: "second verify with the old child", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		n := c.next(cdi, c.create(cdi).refresh)
		c.verify(cdi, n.access).ok().replacement()
		before, _ := c.row(n.handle)
		c.costs(1, "verify", func() { c.verify(cdi, n.access).ok().replacement() })
		if after, _ := c.row(n.handle); after.RotatedAt != before.RotatedAt || after.ExpiresAt != before.ExpiresAt || after.RefreshHash2 != before.RefreshHash2 {
			t.Error("the row was written")
		}
	}},
	{number: 47, name: "orphaned child", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		orphan, kept := c.next(cdi, s.refresh), c.next(cdi, s.refresh)
		c.verify(cdi, kept.access).ok()
		c.verify(cdi, orphan.access).ok().noToken()
		c.verify(cdi, s.access).ok().noToken()
	}},
	{number: 56, name: "5.6 verify never writes", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		old := c.next("5.5", c.create("5.5").refresh)
		n := c.next(cdi, c.create(cdi).refresh)
		for _, x := range []session{old, n} {
			c.setPayload(cdi, x.handle, obj{"changed": 1}).ok()
			before, _ := c.row(x.handle)
			c.costs(1, "verify with check", func() { c.verify(cdi, x.access).ok().noToken() })
			c.costs(0, "verify without", func() { c.verify(cdi, x.access, obj{"checkDatabase": false}).ok().noToken() })
			if after, _ := c.row(x.handle); after.RefreshHash2 != before.RefreshHash2 {
				t.Error("the row was written")
			}
		}
	}},
	{number: 57, name: "two generations old", whynot: "the same as rule 82 of the HTTP list, which is tested"},
	{number: 58, name: "payloadUpdateAvailable", whynot: "the same as rule 81 of the HTTP list, which is tested"},
	{number: 93, name: "older token versions", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		for _, made := range []string{"2.7", "2.20", "2.21", "3.0", "5.0"} {
			s := c.create(made)
			c.verify(cdi, s.access).ok()
			c.setPayload(cdi, s.handle, obj{"changed": 1}).ok()
			if cdi == "5.6" {
				continue
			}
			h, _ := decoded(t, c.verify(cdi, s.access).ok().replacement())
			if h["version"] != tokenVersion(made) {
				t.Errorf("version %v, want %s", h["version"], tokenVersion(made))
			}
		}
	}},
	{number: 94, name: "token of the JWT recipe", cdi: from("4.0"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		_, claims := decoded(t, s.access)
		jwt := func(payload obj) string {
			return c.post(cdi, pathJWT, obj{"algorithm": "RS256", "jwksDomain": "d", "payload": payload, "validity": 100}).ok().str("jwt")
		}
		c.verify(cdi, jwt(claims)).ok().equals(s.handle, "session", "handle")
		for name := range claims {
			if name != "role" && name != "exp" && name != "iat" {
				c.verify(cdi, jwt(with(claims, obj{name: absent}))).tryRefresh()
			}
		}
		c.verify(cdi, jwt(obj{})).tryRefresh()
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, jwt(claims)).unauth(msgGone)
	}},
	{number: 96, name: "unused child of a revoked session, check off", whynot: "the same as rule 84 of the HTTP list, which is tested"},
}

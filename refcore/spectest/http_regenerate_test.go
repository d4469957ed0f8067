package spectest

import "testing"

var httpRegenerate = []rule{
	{number: 107, name: "regenerate", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		for _, made := range []string{"2.20", "2.21", "3.0", "5.0"} {
			s := c.create(made)
			c.clock.advance(2000e6)
			a := c.regenerate(cdi, s.access, obj{"new": 1}).ok().only("session", "accessToken").equals(obj{"new": 1}, "session", "userDataInJWT")
			a.inner("session").only(sessionShape(cdi)...)
			if a.num("accessToken", "expiry") != s.expiry {
				a.fail("the expiry changed")
			}
			before, _ := decoded(t, s.access)
			after, _ := decoded(t, a.replacement())
			if before["version"] != after["version"] {
				t.Errorf("version %v became %v", before["version"], after["version"])
			}
			c.verify(cdi, a.replacement()).ok().noToken().equals(obj{"new": 1}, "session", "userDataInJWT")
			c.getSession(cdi, s.handle).ok().equals(obj{"new": 1}, "userDataInJWT")
		}
	}},
	{number: 108, name: "regenerate an expired token", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.clock.ms.Store(s.expiry + 1)
		c.regenerate(cdi, s.access, obj{"new": 1}).ok().only("session")
		c.getSession(cdi, s.handle).ok().equals(obj{"new": 1}, "userDataInJWT")
	}},
	{number: 109, name: "regenerate after removal", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.regenerate(cdi, s.access, obj{"new": 1}).unauth(msgNone)
		c.gone(s.handle)
	}},
	{number: 110, name: "regenerate with a protected field", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, made := range []struct {
			cdi   string
			names []string
		}{
			{"2.20", []string{"userId", "expiryTime", "timeCreated", "sessionHandle", "refreshTokenHash1"}},
			{"2.21", []string{"sub", "exp", "iat", "parentRefreshTokenHash1", "antiCsrfToken"}}, {"3.0", []string{"tId"}}, {"4.0", []string{"rsub"}},
		} {
			for _, name := range made.names {
				s := c.create(made.cdi)
				a := c.regenerate(cdi, s.access, obj{name: "x"})
				switch {
				case atLeast(cdi, "2.21"):
					a.text(400, msgProtected)
					c.getSession(cdi, s.handle).ok().equals(obj{"role": "admin"}, "userDataInJWT")
				case made.cdi == "2.20":
					a.ok()
				}
			}
		}
	}},
	{number: 111, name: "regenerate garbage", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, bad := range []string{"", "x", "a.b.c", "e30.e30.e30"} {
			if a := c.regenerate(cdi, bad, obj{}); a.code == 200 && a.fields["status"] == "OK" || a.code >= 500 {
				a.fail("want a refusal")
			}
		}
		c.post(cdi, pathRegenerate, obj{}).badField("accessToken")
		c.post(cdi, pathRegenerate, obj{"accessToken": "x", "userDataInJWT": nil}).badField("userDataInJWT")
	}},
	{number: 112, name: "regenerate without a payload", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.setPayload(cdi, s.handle, obj{"stored": 1}).ok()
		c.regenerate(cdi, s.access, nil).ok().equals(obj{"stored": 1}, "session", "userDataInJWT")
	}},
}

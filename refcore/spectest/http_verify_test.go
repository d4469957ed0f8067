package spectest

import (
	"testing"
	"time"
)

var httpVerify = []rule{
	{number: 55, name: "fresh token", cdi: all(), run: func(t *testing.T, cdi string) {
		for _, o := range [][]option{nil, {checked}} {
			c := start(t, o...)
			s := c.create(cdi)
			c.verify(cdi, s.access).ok().noToken().equals(s.handle, "session", "handle").equals("user", "session", "userId").
				equals(obj{"role": "admin"}, "session", "userDataInJWT").inner("session").only(sessionShape(cdi)...)
		}
	}},
	{number: 56, name: "keys in the answers", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		a := c.verify(cdi, s.access).ok().only(append([]string{"session"}, keyShape(cdi)...)...)
		if a.has("jwtSigningPublicKeyList") {
			first, _ := a.at("jwtSigningPublicKeyList").([]any)[0].(obj)
			if len(first) != 3 || first["publicKey"] != a.str("jwtSigningPublicKey") || first["expiryTime"] == nil || first["createdAt"] == nil {
				a.fail("list entry %v", first)
			}
		}
		c.verify(cdi, "garbage").tryRefresh().only(append([]string{"message"}, keyShape(cdi)...)...)
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access).unauth(msgGone)
	}},
	{number: 57, name: "two fields", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		c.verify(cdi, c.create(cdi).access).ok().only("session")
		c.verify(cdi, "garbage").tryRefresh().only("message")
	}},
	{number: 58, name: "not a good token", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		for _, bad := range []string{
			"", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", flip(s.access, 0), flip(s.access, 1), flip(s.access, 2), s.refresh,
			s.access + ".x", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.", " " + s.access, s.access[:len(s.access)-9],
		} {
			c.verify(cdi, bad).tryRefresh()
		}
	}},
	{number: 59, name: "expired token", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.clock.ms.Store(s.expiry)
		c.verify(cdi, s.access).ok()
		c.clock.advance(time.Millisecond)
		a := c.verify(cdi, s.access).tryRefresh()
		a.equals("Access token expired", "message")
	}},
	{number: 60, name: "anti-csrf", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi, obj{"enableAntiCsrf": true})
		both := obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		for _, bad := range []any{absent, "wrong", "", s.anti + "x"} {
			c.verify(cdi, s.access, both, obj{"antiCsrfToken": bad}).tryRefresh().equals(msgCSRF, "message")
		}
		c.verify(cdi, s.access, both, obj{"antiCsrfToken": s.anti}).ok()
		c.verify(cdi, s.access, obj{"doAntiCsrfCheck": true, "antiCsrfToken": "wrong"}).ok()
		c.verify(cdi, s.access, obj{"enableAntiCsrf": true, "antiCsrfToken": "wrong"}).ok()
	}},
	{number: 61, name: "anti-csrf asked of a session without", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		both := obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		c.verify(cdi, s.access, both).tryRefresh()
		c.verify(cdi, s.access, both, obj{"antiCsrfToken": ""}).tryRefresh()
	}},
	{number: 62, name: "antiCsrfToken null", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		c.verify(cdi, c.create(cdi).access, obj{"antiCsrfToken": nil}).badField("antiCsrfToken")
	}},
	{number: 63, name: "required fields", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, name := range []string{"accessToken", "doAntiCsrfCheck", "enableAntiCsrf"} {
			for _, bad := range []any{absent, nil, obj{}} {
				c.verify(cdi, "x", obj{name: bad}).badField(name)
			}
		}
	}},
	{number: 64, name: "checkDatabase", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, bad := range []any{absent, nil, "true", obj{}} {
			a := c.verify(cdi, s.access, obj{"checkDatabase": bad})
			if atLeast(cdi, "2.21") {
				a.badField("checkDatabase")
			} else {
				a.ok()
			}
		}
	}},
	{number: 65, name: "first verify after a refresh", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		for _, o := range [][]option{nil, {checked}} {
			c := start(t, o...)
			n := c.next(cdi, c.create(cdi).refresh)
			a := c.verify(cdi, n.access).ok()
			c.verify(cdi, a.replacement()).ok().noToken()
		}
	}},
	{number: 66, name: "verify gives no token", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		n := c.next(cdi, s.refresh)
		old := c.next("5.5", c.create(cdi).refresh)
		c.setPayload(cdi, n.handle, obj{"new": 1}).ok()
		for _, token := range []string{s.access, n.access, old.access} {
			c.verify(cdi, token).ok().noToken().only("session", "payloadUpdateAvailable")
		}
	}},
	{number: 67, name: "tokens of one version at all others", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		for _, other := range every() {
			c.verify(other, c.create(cdi).access).ok().equals("user", "session", "userId").inner("session").only(sessionShape(other)...)
		}
	}},
	{number: 68, name: "verify on a tenant's path", cdi: from("3.0"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		a := c.post(cdi, "/t1"+pathVerify, c.verifyBody(cdi, s.access))
		if cdi != "5.6" {
			a.ok()
			return
		}
		a.text(403, msgPublic)
		c.post(cdi, "/t1"+pathVerify, obj{}).badField("accessToken")
		c.post(cdi, "/t1"+pathVerify, c.verifyBody(cdi, s.access, obj{"checkDatabase": absent})).text(403, msgPublic)
	}},
}

package httpapi_test

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var httpVerify = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.55", Name: "fresh token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		for _, o := range [][]coretest.Option{nil, {coretest.Checked}} {
			c := coretest.Start(t, o...)
			s := c.Create(cdi)
			c.Verify(cdi, s.Access).OK().NoToken().Equals(s.Handle, "session", "handle").Equals("user", "session", "userId").
				Equals(coretest.Obj{"role": "admin"}, "session", "userDataInJWT").Inner("session").Only(sessionShape(cdi)...)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.56", Name: "keys in the answers", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		a := c.Verify(cdi, s.Access).OK().Only(append([]string{"session"}, keyShape(cdi)...)...)
		if a.Has("jwtSigningPublicKeyList") {
			first, _ := a.At("jwtSigningPublicKeyList").([]any)[0].(coretest.Obj)
			if len(first) != 3 || first["publicKey"] != a.Str("jwtSigningPublicKey") || first["expiryTime"] == nil || first["createdAt"] == nil {
				a.Fail("list entry %v", first)
			}
		}
		c.Verify(cdi, "garbage").TryRefresh().Only(append([]string{"message"}, keyShape(cdi)...)...)
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access).Unauth(coretest.MsgGone)
	}},
	{Cite: "docs/spec/http-api.md 6.57", Name: "two fields", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		c.Verify(cdi, c.Create(cdi).Access).OK().Only("session")
		c.Verify(cdi, "garbage").TryRefresh().Only("message")
	}},
	{Cite: "docs/spec/http-api.md 6.58", Name: "not a good token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		for _, bad := range []string{
			"", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", coretest.Flip(s.Access, 0), coretest.Flip(s.Access, 1), coretest.Flip(s.Access, 2), s.Refresh,
			s.Access + ".x", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.", " " + s.Access, s.Access[:len(s.Access)-9],
		} {
			c.Verify(cdi, bad).TryRefresh()
		}
	}},
	{Cite: "docs/spec/http-api.md 6.59", Name: "expired token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Clock.Ms.Store(s.Expiry)
		c.Verify(cdi, s.Access).OK()
		c.Clock.Advance(time.Millisecond)
		a := c.Verify(cdi, s.Access).TryRefresh()
		a.Equals("Access token expired", "message")
	}},
	{Cite: "docs/spec/http-api.md 6.60", Name: "anti-csrf", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": true})
		both := coretest.Obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		for _, bad := range []any{coretest.Absent, "wrong", "", s.Anti + "x"} {
			c.Verify(cdi, s.Access, both, coretest.Obj{"antiCsrfToken": bad}).TryRefresh().Equals(coretest.MsgCSRF, "message")
		}
		c.Verify(cdi, s.Access, both, coretest.Obj{"antiCsrfToken": s.Anti}).OK()
		c.Verify(cdi, s.Access, coretest.Obj{"doAntiCsrfCheck": true, "antiCsrfToken": "wrong"}).OK()
		c.Verify(cdi, s.Access, coretest.Obj{"enableAntiCsrf": true, "antiCsrfToken": "wrong"}).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.61", Name: "anti-csrf asked of a session without", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		both := coretest.Obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		c.Verify(cdi, s.Access, both).TryRefresh()
		c.Verify(cdi, s.Access, both, coretest.Obj{"antiCsrfToken": ""}).TryRefresh()
	}},
	{Cite: "docs/spec/http-api.md 6.62", Name: "antiCsrfToken null", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		c.Verify(cdi, c.Create(cdi).Access, coretest.Obj{"antiCsrfToken": nil}).BadField("antiCsrfToken")
	}},
	{Cite: "docs/spec/http-api.md 6.63", Name: "required fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, name := range []string{"accessToken", "doAntiCsrfCheck", "enableAntiCsrf"} {
			for _, bad := range []any{coretest.Absent, nil, coretest.Obj{}} {
				c.Verify(cdi, "x", coretest.Obj{name: bad}).BadField(name)
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.64", Name: "checkDatabase", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, bad := range []any{coretest.Absent, nil, "true", coretest.Obj{}} {
			a := c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": bad})
			if coretest.AtLeast(cdi, "2.21") {
				a.BadField("checkDatabase")
			} else {
				a.OK()
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.65", Name: "first verify after a refresh", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		for _, o := range [][]coretest.Option{nil, {coretest.Checked}} {
			c := coretest.Start(t, o...)
			n := c.Next(cdi, c.Create(cdi).Refresh)
			a := c.Verify(cdi, n.Access).OK()
			c.Verify(cdi, a.Replacement()).OK().NoToken()
		}
	}},
	{Cite: "docs/spec/http-api.md 6.66", Name: "verify gives no token", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		n := c.Next(cdi, s.Refresh)
		old := c.Next("5.5", c.Create(cdi).Refresh)
		c.SetPayload(cdi, n.Handle, coretest.Obj{"new": 1}).OK()
		for _, token := range []string{s.Access, n.Access, old.Access} {
			c.Verify(cdi, token).OK().NoToken().Only("session", "payloadUpdateAvailable")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.67", Name: "tokens of one version at all others", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		for _, other := range coretest.Every() {
			c.Verify(other, c.Create(cdi).Access).OK().Equals("user", "session", "userId").Inner("session").Only(sessionShape(other)...)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.68", Name: "verify on a tenant's path", CDI: coretest.From("3.0"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		a := c.Post(cdi, "/t1"+coretest.PathVerify, c.VerifyBody(cdi, s.Access))
		if !coretest.AtLeast(cdi, "5.6") {
			a.OK()
			return
		}
		a.Text(403, coretest.MsgPublic)
		c.Post(cdi, "/t1"+coretest.PathVerify, coretest.Obj{}).BadField("accessToken")
		c.Post(cdi, "/t1"+coretest.PathVerify, c.VerifyBody(cdi, s.Access, coretest.Obj{"checkDatabase": coretest.Absent})).Text(403, coretest.MsgPublic)
	}},
}

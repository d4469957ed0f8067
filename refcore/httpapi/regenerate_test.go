package httpapi_test

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var httpRegenerate = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.107", Name: "regenerate", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		for _, made := range []string{"2.20", "2.21", "3.0", "5.0"} {
			s := c.Create(made)
			c.Clock.Advance(2000e6)
			a := c.Regenerate(cdi, s.Access, coretest.Obj{"new": 1}).OK().Only("session", "accessToken").Equals(coretest.Obj{"new": 1}, "session", "userDataInJWT")
			a.Inner("session").Only(sessionShape(cdi)...)
			if a.Num("accessToken", "expiry") != s.Expiry {
				a.Fail("the expiry changed")
			}
			before, _ := coretest.Decoded(t, s.Access)
			after, _ := coretest.Decoded(t, a.Replacement())
			if before["version"] != after["version"] {
				t.Errorf("version %v became %v", before["version"], after["version"])
			}
			c.Verify(cdi, a.Replacement()).OK().NoToken().Equals(coretest.Obj{"new": 1}, "session", "userDataInJWT")
			c.GetSession(cdi, s.Handle).OK().Equals(coretest.Obj{"new": 1}, "userDataInJWT")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.108", Name: "regenerate an expired token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Clock.Ms.Store(s.Expiry + 1)
		c.Regenerate(cdi, s.Access, coretest.Obj{"new": 1}).OK().Only("session")
		c.GetSession(cdi, s.Handle).OK().Equals(coretest.Obj{"new": 1}, "userDataInJWT")
	}},
	{Cite: "docs/spec/http-api.md 6.109", Name: "regenerate after removal", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Regenerate(cdi, s.Access, coretest.Obj{"new": 1}).Unauth(coretest.MsgNone)
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/http-api.md 6.110", Name: "regenerate with a protected field", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, made := range []struct {
			cdi   string
			names []string
		}{
			{"2.20", []string{"userId", "expiryTime", "timeCreated", "sessionHandle", "refreshTokenHash1"}},
			{"2.21", []string{"sub", "exp", "iat", "parentRefreshTokenHash1", "antiCsrfToken"}}, {"3.0", []string{"tId"}}, {"4.0", []string{"rsub"}},
		} {
			for _, name := range made.names {
				s := c.Create(made.cdi)
				a := c.Regenerate(cdi, s.Access, coretest.Obj{name: "x"})
				switch {
				case coretest.AtLeast(cdi, "2.21"):
					a.Text(400, coretest.MsgProtected)
					c.GetSession(cdi, s.Handle).OK().Equals(coretest.Obj{"role": "admin"}, "userDataInJWT")
				case made.cdi == "2.20":
					a.OK()
				}
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.111", Name: "regenerate garbage", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, bad := range []string{"", "x", "a.b.c", "e30.e30.e30"} {
			if a := c.Regenerate(cdi, bad, coretest.Obj{}); a.Code == 200 && a.Fields["status"] == "OK" || a.Code >= 500 {
				a.Fail("want a refusal")
			}
		}
		c.Post(cdi, coretest.PathRegenerate, coretest.Obj{}).BadField("accessToken")
		c.Post(cdi, coretest.PathRegenerate, coretest.Obj{"accessToken": "x", "userDataInJWT": nil}).BadField("userDataInJWT")
	}},
	{Cite: "docs/spec/http-api.md 6.112", Name: "regenerate without a payload", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.SetPayload(cdi, s.Handle, coretest.Obj{"stored": 1}).OK()
		c.Regenerate(cdi, s.Access, nil).OK().Equals(coretest.Obj{"stored": 1}, "session", "userDataInJWT")

		// The stored payload may hold a name that today's rules forbid.
		for _, made := range []struct{ cdi, name string }{{"2.20", "userId"}, {"5.0", "sub"}} {
			for _, after := range []time.Duration{0, 2 * time.Hour} { // the token expired or not
				s := c.Create(made.cdi)
				c.SetPayload("2.20", s.Handle, coretest.Obj{made.name: "x"}).OK()
				c.Clock.Advance(after)
				a := c.Regenerate(cdi, s.Access, nil)
				switch {
				case coretest.AtLeast(cdi, "2.21"):
					a.Text(400, coretest.MsgProtected)
				case after > 0 || made.cdi == "2.20":
					a.OK().Equals(coretest.Obj{made.name: "x"}, "session", "userDataInJWT")
				}
			}
		}
		f := coretest.NewForger(c, "5.0")
		for _, payload := range []any{nil, coretest.Obj{"new": 1}} {
			token := f.Forged(nil, coretest.Obj{"tId": "t1"})
			b := coretest.Obj{"accessToken": token}
			if payload != nil {
				b["userDataInJWT"] = payload
			}
			c.Post(cdi, coretest.PathRegenerate, b).Text(400, coretest.MsgNoTenant+"(, public, t1)")
			c.GetSession(cdi, f.Handle).OK().Equals(coretest.Obj{"role": "admin"}, "userDataInJWT")
		}
	}},
}

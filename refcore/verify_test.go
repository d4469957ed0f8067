package refcore_test

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
)

var engineVerify = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.30", Name: "expired beats removed", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Clock.Ms.Store(s.Expiry + 1)
		c.Costs(0, "verify", func() { c.Verify(cdi, s.Access).TryRefresh() })
	}},
	{Cite: "docs/spec/session-engine.md 9.31", Name: "order of the checks", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": true})
		both := coretest.Obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true, "antiCsrfToken": "wrong"}
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access, both).TryRefresh().Equals(coretest.MsgCSRF, "message")
		c.Clock.Ms.Store(s.Expiry + 1)
		c.Verify(cdi, s.Access, both).TryRefresh().Equals("Access token expired", "message")
		if a := c.Verify(cdi, coretest.Flip(s.Access, 2), both).TryRefresh(); a.Str("message") == "Access token expired" {
			a.Fail("the expiry was judged before the signature")
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.35", Name: "each era has its own switch", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		for _, setting := range []bool{true, false} {
			c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.Blacklisting = setting }))
			s := c.Create(cdi)
			for _, request := range []bool{true, false} {
				on := setting
				if coretest.AtLeast(cdi, "2.21") {
					on = request
				}
				want := map[bool]int{true: 1, false: 0}[on]
				c.Costs(want, "verify", func() { c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": request}).OK() })
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.36", Name: "removed, check off", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Clock.Ms.Store(s.Expiry)
		c.Verify(cdi, s.Access).OK()
		c.Clock.Advance(time.Millisecond)
		c.Verify(cdi, s.Access).TryRefresh()
	}},
	{Cite: "docs/spec/session-engine.md 9.37", Name: "removed, check on, any core", CDI: coretest.Eras, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 3, coretest.Checked)
		s := cores[0].Create(cdi)
		for _, c := range cores {
			c.Verify(cdi, s.Access).OK()
		}
		cores[1].Remove(cdi, s.Handle).OK()
		for _, c := range cores {
			c.Verify(cdi, s.Access).Unauth(coretest.MsgGone)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.38", Name: "expired row, check on", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Expire(s.Handle, coretest.Epoch-1)
		c.Verify(cdi, s.Access).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.39", Name: "expired row elsewhere", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Expire(s.Handle, coretest.Epoch) // the last millisecond: alive for refresh and listing only
		last := c.Create(cdi, coretest.Obj{"userId": "last"})
		c.Expire(last.Handle, coretest.Epoch)
		c.Refresh(cdi, last.Refresh).OK()
		c.GetSession(cdi, s.Handle).Unauth(coretest.MsgNone)
		c.SetData(cdi, s.Handle, coretest.Obj{}).Unauth(coretest.MsgNone)
		c.Regenerate(cdi, s.Access, coretest.Obj{}).Unauth(coretest.MsgNone)
		if got := c.Handles(cdi, "user"); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
		c.Clock.Advance(time.Millisecond)
		for _, a := range []coretest.Answer{
			c.GetSession(cdi, s.Handle), c.Get(cdi, coretest.PathData, "sessionHandle", s.Handle), c.Get(cdi, coretest.PathPayload, "sessionHandle", s.Handle),
			c.SetData(cdi, s.Handle, coretest.Obj{}), c.SetPayload(cdi, s.Handle, coretest.Obj{}), c.Regenerate(cdi, s.Access, coretest.Obj{}), c.Refresh(cdi, s.Refresh),
		} {
			a.Unauth("")
		}
		if got := c.Handles(cdi, "user"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.40", Name: "first verify after refresh promotes", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		n := c.Next(cdi, s.Refresh)
		before, _ := c.Row(s.Handle)
		var a coretest.Answer
		c.Costs(2, "verify", func() { a = c.Verify(cdi, n.Access).OK() }) // one read, one write
		_, claims := coretest.Decoded(t, a.Replacement())
		if claims["parentRefreshTokenHash1"] != nil {
			t.Errorf("parent %v", claims["parentRefreshTokenHash1"])
		}
		if after, _ := c.Row(s.Handle); after.RefreshHash2 == before.RefreshHash2 || after.PrevRefreshHash2 != before.RefreshHash2 {
			t.Errorf("row %+v", after)
		}
		c.Costs(0, "verify of the new token", func() { c.Verify(cdi, a.Replacement()).OK().NoToken() })
	}},
	{Cite: "docs/spec/session-engine.md 9.41", Name: "second verify with the old child", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		n := c.Next(cdi, c.Create(cdi).Refresh)
		c.Verify(cdi, n.Access).OK().Replacement()
		before, _ := c.Row(n.Handle)
		c.Costs(1, "verify", func() { c.Verify(cdi, n.Access).OK().Replacement() })
		if after, _ := c.Row(n.Handle); after.RotatedAt != before.RotatedAt || after.ExpiresAt != before.ExpiresAt || after.RefreshHash2 != before.RefreshHash2 {
			t.Error("the row was written")
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.47", Name: "orphaned child", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		orphan, kept := c.Next(cdi, s.Refresh), c.Next(cdi, s.Refresh)
		c.Verify(cdi, kept.Access).OK()
		c.Verify(cdi, orphan.Access).OK().NoToken()
		c.Verify(cdi, s.Access).OK().NoToken()
	}},
	{Cite: "docs/spec/session-engine.md 9.56", Name: "5.6 verify never writes", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		old := c.Next("5.5", c.Create("5.5").Refresh)
		n := c.Next(cdi, c.Create(cdi).Refresh)
		for _, x := range []coretest.Session{old, n} {
			c.SetPayload(cdi, x.Handle, coretest.Obj{"changed": 1}).OK()
			before, _ := c.Row(x.Handle)
			c.Costs(1, "verify with check", func() { c.Verify(cdi, x.Access).OK().NoToken() })
			c.Costs(0, "verify without", func() { c.Verify(cdi, x.Access, coretest.Obj{"checkDatabase": false}).OK().NoToken() })
			if after, _ := c.Row(x.Handle); after.RefreshHash2 != before.RefreshHash2 {
				t.Error("the row was written")
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.57", Name: "two generations old", WhyNot: "the same as rule 82 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.58", Name: "payloadUpdateAvailable", WhyNot: "the same as rule 81 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.93", Name: "older token versions", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		for _, made := range []string{"2.7", "2.20", "2.21", "3.0", "5.0"} {
			s := c.Create(made)
			c.Verify(cdi, s.Access).OK()
			c.SetPayload(cdi, s.Handle, coretest.Obj{"changed": 1}).OK()
			if coretest.AtLeast(cdi, "5.6") {
				continue
			}
			h, _ := coretest.Decoded(t, c.Verify(cdi, s.Access).OK().Replacement())
			if h["version"] != tokenVersion(made) {
				t.Errorf("version %v, want %s", h["version"], tokenVersion(made))
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.94", Name: "token of the JWT recipe", CDI: coretest.From("4.0"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		_, claims := coretest.Decoded(t, s.Access)
		jwt := func(payload coretest.Obj) string {
			return c.Post(cdi, coretest.PathJWT, coretest.Obj{"algorithm": "RS256", "jwksDomain": "d", "payload": payload, "validity": 100}).OK().Str("jwt")
		}
		c.Verify(cdi, jwt(claims)).OK().Equals(s.Handle, "session", "handle")
		for name := range claims {
			if name != "role" && name != "exp" && name != "iat" {
				c.Verify(cdi, jwt(coretest.With(claims, coretest.Obj{name: coretest.Absent}))).TryRefresh()
			}
		}
		c.Verify(cdi, jwt(coretest.Obj{})).TryRefresh()
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, jwt(claims)).Unauth(coretest.MsgGone)
	}},
	{Cite: "docs/spec/session-engine.md 9.96", Name: "unused child of a revoked session, check off", WhyNot: "the same as rule 84 of the HTTP list, which is tested"},
}

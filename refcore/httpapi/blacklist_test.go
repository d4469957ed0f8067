package httpapi_test

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
)

var httpBlacklist = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.69", Name: "setting on", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Verify(cdi, s.Access).OK()
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access).Unauth(coretest.MsgGone)
	}},
	{Cite: "docs/spec/http-api.md 6.70", Name: "setting off", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access).OK()
		c.Clock.Ms.Store(s.Expiry + 1)
		c.Verify(cdi, s.Access).TryRefresh()
	}},
	{Cite: "docs/spec/http-api.md 6.71", Name: "setting decides nothing from 2.21", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": false}).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.72", Name: "checkDatabase decides from 2.21", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		on, off := coretest.Obj{"checkDatabase": true}, coretest.Obj{"checkDatabase": false}
		c.Verify(cdi, s.Access, on).OK()
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access, on).Unauth(coretest.MsgGone)
		c.Verify(cdi, s.Access, off).OK()
		c.Verify(cdi, s.Access, on).Unauth(coretest.MsgGone)
	}},
	{Cite: "docs/spec/http-api.md 6.73", Name: "checkDatabase is ignored up to 2.20", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": true}).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.74", Name: "2.19 and 2.20 are of the setting's era", CDI: []string{"2.19", "2.20"}, Run: func(t *testing.T, cdi string) {
		for _, on := range []bool{true, false} {
			c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.Blacklisting = on }))
			s := c.Create(cdi)
			c.Remove(cdi, s.Handle).OK()
			a := c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": !on})
			if on {
				a.Unauth(coretest.MsgGone)
			} else {
				a.OK()
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.75", Name: "handshake tells the setting", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		for _, on := range []bool{true, false} {
			c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.Blacklisting = on }))
			c.Post(cdi, coretest.PathHandshake, coretest.Obj{}).OK().Equals(on, "accessTokenBlacklistingEnabled")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.76", Name: "immediately, on every instance", CDI: coretest.Eras, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 2, coretest.Checked)
		for i := range 4 {
			a, b := cores[i%2], cores[1-i%2]
			s := a.Create(cdi)
			b.Verify(cdi, s.Access).OK()
			a.Verify(cdi, s.Access).OK()
			b.Remove(cdi, s.Handle).OK().Equals([]string{s.Handle}, "sessionHandlesRevoked")
			a.Verify(cdi, s.Access).Unauth(coretest.MsgGone)
			b.Verify(cdi, s.Access).Unauth(coretest.MsgGone)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.77", Name: "however revoked", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Verify(cdi, s.Access).OK()
		c.RemoveUser(cdi, "user").OK().Equals([]string{s.Handle}, "sessionHandlesRevoked")
		c.Verify(cdi, s.Access).Unauth(coretest.MsgGone)
		if coretest.AtLeast(cdi, "5.6") {
			s = c.Create(cdi)
			second := c.Next(cdi, s.Refresh)
			third := c.Next(cdi, second.Refresh)
			c.Refresh(cdi, s.Refresh).Is("TOKEN_THEFT_DETECTED")
			c.Verify(cdi, third.Access).Unauth(coretest.MsgGone)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.78", Name: "the user's other sessions stay", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		a, b := c.Create(cdi), c.Create(cdi)
		c.Remove(cdi, a.Handle).OK()
		c.Verify(cdi, a.Access).Unauth(coretest.MsgGone)
		c.Verify(cdi, b.Access).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.79", Name: "payload changed, check on", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.SetPayload(cdi, s.Handle, coretest.Obj{"role": "user"}).OK()
		a := c.Verify(cdi, s.Access).OK().Equals(coretest.Obj{"role": "user"}, "session", "userDataInJWT")
		c.Verify(cdi, a.Replacement()).OK().NoToken().Equals(coretest.Obj{"role": "user"}, "session", "userDataInJWT")
	}},
	{Cite: "docs/spec/http-api.md 6.80", Name: "payload changed, check off", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.SetPayload(cdi, s.Handle, coretest.Obj{"role": "user"}).OK()
		c.Verify(cdi, s.Access).OK().NoToken().Equals(coretest.Obj{"role": "admin"}, "session", "userDataInJWT")
	}},
	{Cite: "docs/spec/http-api.md 6.81", Name: "payloadUpdateAvailable", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Verify(cdi, s.Access).OK().Equals(false, "payloadUpdateAvailable")
		c.SetPayload(cdi, s.Handle, coretest.Obj{"role": "user"}).OK()
		c.Verify(cdi, s.Access).OK().Equals(true, "payloadUpdateAvailable").Equals(coretest.Obj{"role": "admin"}, "session", "userDataInJWT")
		c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": false}).OK().Only("session")
	}},
	{Cite: "docs/spec/http-api.md 6.82", Name: "rotated-out token", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		first := c.Create(cdi)
		second := c.Next(cdi, first.Refresh)
		c.Verify(cdi, first.Access).OK()
		third := c.Next(cdi, second.Refresh)
		c.Verify(cdi, first.Access).Unauth(coretest.MsgRotated)
		c.Verify(cdi, first.Access, coretest.Obj{"checkDatabase": false}).OK()
		c.Verify(cdi, second.Access).OK()
		c.Clock.Advance(10 * time.Minute) // the grace period bounds refresh only
		c.Verify(cdi, second.Access).OK()
		c.Verify(cdi, third.Access).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.83", Name: "database down", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		b := &breakable{}
		c := coretest.Start(t, b.option(t), coretest.Checked)
		s := c.Create(cdi)
		b.down.Store(true)
		if a := c.Verify(cdi, s.Access); a.Code < 500 {
			a.Fail("want 5xx")
		}
		c.Engine.Keys() // cached
		if coretest.AtLeast(cdi, "2.21") {
			c.Verify(cdi, s.Access, coretest.Obj{"checkDatabase": false}).OK()
		}
		b.down.Store(false)
		c.Verify(cdi, s.Access).OK()
		off := &breakable{}
		c = coretest.Start(t, off.option(t))
		s = c.Create(cdi)
		off.down.Store(true)
		c.Verify(cdi, s.Access).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.84", Name: "unpromoted token of a revoked session", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		n := c.Next(cdi, c.Create(cdi).Refresh)
		c.Remove(cdi, n.Handle).OK()
		c.Verify(cdi, n.Access).Unauth(coretest.MsgMissing)
	}},
	{Cite: "docs/spec/http-api.md 6.85", Name: "bad token of a revoked session", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.Verify(cdi, coretest.Flip(s.Access, 2)).TryRefresh()
		c.Clock.Ms.Store(s.Expiry + 1)
		c.Verify(cdi, s.Access).TryRefresh()
	}},
	{Cite: "docs/spec/http-api.md 6.86", Name: "anti-csrf of a revoked session", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": true})
		c.Remove(cdi, s.Handle).OK()
		both := coretest.Obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		c.Verify(cdi, s.Access, both, coretest.Obj{"antiCsrfToken": "wrong"}).TryRefresh()
		c.Verify(cdi, s.Access, both, coretest.Obj{"antiCsrfToken": s.Anti}).Unauth(coretest.MsgGone)
	}},
}

package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

// The three ways in which a refresh token is reused at 5.6; each gives the
// token to present and the session.

var httpRefresh = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.87", Name: "refresh has exactly its fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		want := []string{"session", "accessToken", "refreshToken"}
		if !coretest.AtLeast(cdi, "2.21") {
			want = append(want, "idRefreshToken")
		}
		s := c.Create(cdi)
		a := c.Refresh(cdi, s.Refresh).OK().Only(want...)
		a.Inner("session").Only(sessionShape(cdi)...).Equals(s.Handle, "handle")
		for _, name := range want[1:] {
			a.Inner(name).Only("token", "expiry", "createdTime")
		}
		c.Refresh(cdi, c.Create(cdi).Refresh, coretest.Obj{"enableAntiCsrf": true}).OK().Only(append(want, "antiCsrfToken")...)
	}},
	{Cite: "docs/spec/http-api.md 6.88", Name: "garbage", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, bad := range []string{"", "x", "a.b.V2", "..V2", ".V2", "V2", s.Refresh[4:], "a." + s.Refresh, strings.Repeat("A", 9000) + ".x.V2", s.Access} {
			c.Refresh(cdi, bad).Unauth("")
		}
		c.Refresh(cdi, s.Refresh).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.89", Name: "wrong anti-csrf value", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": true})
		on := coretest.Obj{"enableAntiCsrf": true}
		for _, bad := range []any{coretest.Absent, "wrong", ""} {
			c.Refresh(cdi, s.Refresh, on, coretest.Obj{"antiCsrfToken": bad}).Unauth(coretest.MsgCSRFRef)
		}
		c.Refresh(cdi, s.Refresh, on, coretest.Obj{"antiCsrfToken": nil}).BadField("antiCsrfToken")
		c.Refresh(cdi, s.Refresh, on, coretest.Obj{"antiCsrfToken": s.Anti}).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.90", Name: "anti-csrf turned on", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		n := c.Next(cdi, c.Create(cdi).Refresh, coretest.Obj{"enableAntiCsrf": true})
		if n.Anti == "" {
			n.Answer.Fail("no anti-csrf value")
		}
		c.Verify(cdi, n.Access, coretest.Obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true, "antiCsrfToken": n.Anti}).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.91", Name: "useDynamicSigningKey required", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, bad := range []any{coretest.Absent, nil, "x"} {
			a := c.Refresh(cdi, s.Refresh, coretest.Obj{"useDynamicSigningKey": bad})
			switch {
			case coretest.AtLeast(cdi, "5.0"), coretest.AtLeast(cdi, "3.0") && bad != coretest.Absent:
				a.BadField("useDynamicSigningKey")
			default:
				a.OK()
			}
		}
		for _, name := range []string{"refreshToken", "enableAntiCsrf"} {
			c.Refresh(cdi, s.Refresh, coretest.Obj{name: coretest.Absent}).BadField(name)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.92", Name: "useDynamicSigningKey switches", CDI: coretest.From("3.0"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, dynamic := range []bool{false, true, false} {
			s = c.Next(cdi, s.Refresh, coretest.Obj{"useDynamicSigningKey": dynamic})
			if id := coretest.Kid(t, s.Access); strings.HasPrefix(id, "d-") != dynamic {
				t.Errorf("dynamic %v: kid %s", dynamic, id)
			}
			if cdi == "3.0" || cdi == "4.0" {
				if s = c.Next(cdi, s.Refresh); strings.HasPrefix(coretest.Kid(t, s.Access), "d-") != dynamic {
					t.Error("an absent field changed the key kind")
				}
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.93", Name: "same token twice", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		a, b := c.Next(cdi, s.Refresh), c.Next(cdi, s.Refresh)
		if a.Refresh == b.Refresh || a.Access == b.Access {
			t.Error("twice the same pair")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.94", Name: "old token after its child was used", CDI: coretest.UpTo("5.5"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, use := range []func(coretest.Session){
			func(n coretest.Session) { c.Verify(cdi, n.Access).OK() }, func(n coretest.Session) { c.Refresh(cdi, n.Refresh).OK() },
		} {
			s := c.Create(cdi)
			use(c.Next(cdi, s.Refresh))
			c.Refresh(cdi, s.Refresh).Theft(s, "")
			c.GetSession(cdi, s.Handle).OK()
		}
	}},
	{Cite: "docs/spec/http-api.md 6.95", Name: "previous token after the grace period", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s, token := coretest.RecentPrev(c)
		c.Refresh(cdi, token).Theft(s, "RECENT_PREV")
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/http-api.md 6.96", Name: "displaced child", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s, token := coretest.OrphanedBranch(c)
		c.Refresh(cdi, token).Theft(s, "ORPHANED_BRANCH")
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/http-api.md 6.97", Name: "two generations old", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		for _, o := range [][]coretest.Option{nil, {coretest.ReuseUnauthorised}} {
			c := coretest.Start(t, o...)
			s, token := coretest.StaleLineage(c)
			c.Refresh(cdi, token).Theft(s, "STALE_LINEAGE")
			c.Gone(s.Handle)
		}
		c := coretest.Start(t, coretest.ReuseUnauthorised)
		for subtype, make := range map[string]func(*coretest.Core) (coretest.Session, string){"RECENT_PREV": coretest.RecentPrev, "ORPHANED_BRANCH": coretest.OrphanedBranch} {
			s, token := make(c)
			c.Refresh(cdi, token).Reused(subtype)
			c.Gone(s.Handle)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.98", Name: "refresh after remove", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		n := c.Next(cdi, s.Refresh)
		c.Remove(cdi, s.Handle).OK()
		for range 2 {
			for _, x := range []coretest.Session{s, n} {
				c.Refresh(cdi, x.Refresh).Unauth(coretest.MsgExpired)
				c.Verify(cdi, x.Access).Unauth("")
				c.Regenerate(cdi, x.Access, coretest.Obj{}).Unauth(coretest.MsgNone)
			}
			c.SetPayload(cdi, s.Handle, coretest.Obj{}).Unauth(coretest.MsgNone)
		}
		c.Gone(s.Handle)
	}},
	{Cite: "docs/spec/http-api.md 6.99", Name: "protected names stored by an older version", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create("2.20", coretest.Obj{"userDataInJWT": coretest.Obj{"sub": "x"}})
		c.Refresh(cdi, s.Refresh).Unauth(coretest.MsgProtected)
		modern := c.Create(cdi)
		c.SetPayload("2.20", modern.Handle, coretest.Obj{"sub": "x"}).OK()
		if a := c.Verify(cdi, modern.Access); coretest.AtLeast(cdi, "5.6") {
			a.OK().Equals(true, "payloadUpdateAvailable")
		} else {
			a.Text(400, coretest.MsgProtected)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.100", Name: "refresh carries the stored payload", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.SetPayload(cdi, s.Handle, coretest.Obj{"role": "user"}).OK()
		n := c.Next(cdi, s.Refresh)
		n.Answer.Equals(coretest.Obj{"role": "user"}, "session", "userDataInJWT")
		c.Verify(cdi, n.Access).OK().Equals(coretest.Obj{"role": "user"}, "session", "userDataInJWT")
	}},
	{Cite: "docs/spec/http-api.md 6.101", Name: "refreshed alternately at 5.5 and 5.6", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create("5.5")
		for i := range 8 {
			cdi := []string{"5.5", "5.6"}[i%2]
			s = c.Next(cdi, s.Refresh)
			a := c.Verify(cdi, s.Access).OK()
			if a.Has("accessToken") {
				s.Access = a.Replacement()
			}
			c.Clock.Advance(time.Minute)
		}
		// … and without a verify in between.
		s = c.Create("5.6")
		for i := range 8 {
			s = c.Next([]string{"5.5", "5.6"}[i%2], s.Refresh)
			c.Clock.Advance(time.Minute)
		}
	}},
}

package httpapi_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
)

var httpData = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.46", Name: "get session has its fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		want := []string{"sessionHandle", "userId", "userDataInDatabase", "userDataInJWT", "expiry", "timeCreated"}
		if coretest.AtLeast(cdi, "3.0") {
			want = append(want, "tenantId")
		}
		if coretest.AtLeast(cdi, "4.0") {
			want = append(want, "recipeUserId")
		}
		a := c.GetSession(cdi, s.Handle).OK().Only(want...)
		a.Equals(s.Handle, "sessionHandle").Equals("user", "userId").Equals(coretest.Epoch, "timeCreated").
			Equals(coretest.Epoch+c.Engine.Settings().RefreshValidity.Milliseconds(), "expiry")
	}},
	{Cite: "docs/spec/http-api.md 6.47", Name: "unknown handle", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, h := range []string{"nope", "", "_", "abc_", "abc_public", "' OR 1=1; --", "\x00"} {
			c.GetSession(cdi, h).Unauth(coretest.MsgNone)
			c.Get(cdi, coretest.PathData, "sessionHandle", h).Unauth(coretest.MsgNone)
			c.Get(cdi, coretest.PathPayload, "sessionHandle", h).Unauth(coretest.MsgNone)
			c.SetData(cdi, h, coretest.Obj{}).Unauth(coretest.MsgNone)
			c.SetPayload(cdi, h, coretest.Obj{}).Unauth(coretest.MsgNone)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.48", Name: "missing query", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for p, name := range map[string]string{coretest.PathSession: "sessionHandle", coretest.PathData: "sessionHandle", coretest.PathPayload: "sessionHandle", coretest.PathUser: "userId"} {
			c.Get(cdi, p).Text(400, "Field name '"+name+"' is missing in GET request")
			if a := c.Do("GET", p+"?"+name+"=", cdi, nil); a.Code != 200 {
				a.Fail("an empty value counts as given")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.49", Name: "put replaces", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, v := range []coretest.Obj{{"other": 1}, {}} {
			c.SetData(cdi, s.Handle, v).OK().Only()
			c.SetPayload(cdi, s.Handle, v).OK().Only()
			c.GetSession(cdi, s.Handle).OK().Equals(v, "userDataInDatabase").Equals(v, "userDataInJWT")
			c.Get(cdi, coretest.PathData, "sessionHandle", s.Handle).OK().Only("userDataInDatabase").Equals(v, "userDataInDatabase")
			c.Get(cdi, coretest.PathPayload, "sessionHandle", s.Handle).OK().Only("userDataInJWT").Equals(v, "userDataInJWT")
		}
		for _, bad := range []any{nil, []int{}, "x", 1} {
			c.SetData(cdi, s.Handle, bad).BadField("userDataInDatabase")
			c.SetPayload(cdi, s.Handle, bad).BadField("userDataInJWT")
		}
		c.Put(cdi, coretest.PathData, coretest.Obj{}).BadField("sessionHandle")
	}},
	{Cite: "docs/spec/http-api.md 6.50", Name: "put protected payload", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, r := range coretest.Reserved {
			for _, h := range []string{s.Handle, "missing"} {
				a := c.SetPayload(cdi, h, coretest.Obj{r.Name: 1})
				switch {
				case coretest.AtLeast(cdi, r.Since):
					a.Text(400, coretest.MsgProtected)
				case h == "missing":
					a.Unauth(coretest.MsgNone)
				default:
					a.OK()
				}
			}
		}
		if coretest.AtLeast(cdi, "4.0") {
			c.GetSession(cdi, s.Handle).OK().Equals(coretest.Obj{"role": "admin"}, "userDataInJWT")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.51", Name: "handle of an unknown tenant", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, h := range []string{"x_nope", "x_nope_more"} {
			want := coretest.MsgNoTenant + "(, public, nope)"
			c.GetSession(cdi, h).Text(400, want)
			c.SetData(cdi, h, coretest.Obj{}).Text(400, want)
			c.SetPayload(cdi, h, coretest.Obj{}).Text(400, want)
			c.Remove(cdi, h).Text(400, want)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.52", Name: "listing", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		a, b := c.Create(cdi), c.Create(cdi)
		c.Create(cdi, coretest.Obj{"userId": "User"})
		got, want := c.Handles(cdi, "user"), []string{a.Handle, b.Handle}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		if a.Handle == b.Handle || a.Refresh == b.Refresh || a.Access == b.Access {
			t.Error("two logins share something")
		}
		c.Get(cdi, coretest.PathUser, "userId", "nobody").OK().Only("sessionHandles").Equals([]string{}, "sessionHandles")
		c.Get(cdi, coretest.PathUser, "userId", "user", "fetchAcrossAllTenants", "no", "fetchSessionsForAllLinkedAccounts", "x").OK()
	}},
	{Cite: "docs/spec/http-api.md 6.53", Name: "expired session", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.RefreshValidity = 90 * time.Minute }))
		s := c.Create(cdi)
		c.Clock.Advance(90*time.Minute + time.Millisecond)
		if got := c.Handles(cdi, "user"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
		c.GetSession(cdi, s.Handle).Unauth(coretest.MsgNone)
		c.Refresh(cdi, s.Refresh).Unauth(coretest.MsgExpired)
	}},
	{Cite: "docs/spec/http-api.md 6.54", Name: "put never brings a session back", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Remove(cdi, s.Handle).OK()
		c.SetData(cdi, s.Handle, coretest.Obj{"a": 1}).Unauth(coretest.MsgNone)
		c.SetPayload(cdi, s.Handle, coretest.Obj{"a": 1}).Unauth(coretest.MsgNone)
		c.GetSession(cdi, s.Handle).Unauth(coretest.MsgNone)
		if _, there := c.Row(s.Handle); there {
			t.Error("the row is back")
		}
	}},
}

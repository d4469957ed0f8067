package spectest

import (
	"slices"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
)

var httpData = []rule{
	{number: 46, name: "get session has its fields", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		want := []string{"sessionHandle", "userId", "userDataInDatabase", "userDataInJWT", "expiry", "timeCreated"}
		if atLeast(cdi, "3.0") {
			want = append(want, "tenantId")
		}
		if atLeast(cdi, "4.0") {
			want = append(want, "recipeUserId")
		}
		a := c.getSession(cdi, s.handle).ok().only(want...)
		a.equals(s.handle, "sessionHandle").equals("user", "userId").equals(epoch, "timeCreated").
			equals(epoch+c.engine.Settings().RefreshValidity.Milliseconds(), "expiry")
	}},
	{number: 47, name: "unknown handle", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, h := range []string{"nope", "", "_", "abc_", "abc_public", "' OR 1=1; --", "\x00"} {
			c.getSession(cdi, h).unauth(msgNone)
			c.get(cdi, pathData, "sessionHandle", h).unauth(msgNone)
			c.get(cdi, pathPayload, "sessionHandle", h).unauth(msgNone)
			c.setData(cdi, h, obj{}).unauth(msgNone)
			c.setPayload(cdi, h, obj{}).unauth(msgNone)
		}
	}},
	{number: 48, name: "missing query", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for p, name := range map[string]string{pathSession: "sessionHandle", pathData: "sessionHandle", pathPayload: "sessionHandle", pathUser: "userId"} {
			c.get(cdi, p).text(400, "Field name '"+name+"' is missing in GET request")
			if a := c.do("GET", p+"?"+name+"=", cdi, nil); a.code != 200 {
				a.fail("an empty value counts as given")
			}
		}
	}},
	{number: 49, name: "put replaces", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, v := range []obj{{"other": 1}, {}} {
			c.setData(cdi, s.handle, v).ok().only()
			c.setPayload(cdi, s.handle, v).ok().only()
			c.getSession(cdi, s.handle).ok().equals(v, "userDataInDatabase").equals(v, "userDataInJWT")
			c.get(cdi, pathData, "sessionHandle", s.handle).ok().only("userDataInDatabase").equals(v, "userDataInDatabase")
			c.get(cdi, pathPayload, "sessionHandle", s.handle).ok().only("userDataInJWT").equals(v, "userDataInJWT")
		}
		for _, bad := range []any{nil, []int{}, "x", 1} {
			c.setData(cdi, s.handle, bad).badField("userDataInDatabase")
			c.setPayload(cdi, s.handle, bad).badField("userDataInJWT")
		}
		c.put(cdi, pathData, obj{}).badField("sessionHandle")
	}},
	{number: 50, name: "put protected payload", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, r := range reserved {
			for _, h := range []string{s.handle, "missing"} {
				a := c.setPayload(cdi, h, obj{r.name: 1})
				switch {
				case atLeast(cdi, r.since):
					a.text(400, msgProtected)
				case h == "missing":
					a.unauth(msgNone)
				default:
					a.ok()
				}
			}
		}
		if atLeast(cdi, "4.0") {
			c.getSession(cdi, s.handle).ok().equals(obj{"role": "admin"}, "userDataInJWT")
		}
	}},
	{number: 51, name: "handle of an unknown tenant", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, h := range []string{"x_nope", "x_nope_more"} {
			want := msgNoTenant + "(, public, nope)"
			c.getSession(cdi, h).text(400, want)
			c.setData(cdi, h, obj{}).text(400, want)
			c.setPayload(cdi, h, obj{}).text(400, want)
			c.remove(cdi, h).text(400, want)
		}
	}},
	{number: 52, name: "listing", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		a, b := c.create(cdi), c.create(cdi)
		c.create(cdi, obj{"userId": "User"})
		got, want := c.handles(cdi, "user"), []string{a.handle, b.handle}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		if a.handle == b.handle || a.refresh == b.refresh || a.access == b.access {
			t.Error("two logins share something")
		}
		c.get(cdi, pathUser, "userId", "nobody").ok().only("sessionHandles").equals([]string{}, "sessionHandles")
		c.get(cdi, pathUser, "userId", "user", "fetchAcrossAllTenants", "no", "fetchSessionsForAllLinkedAccounts", "x").ok()
	}},
	{number: 53, name: "expired session", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, settings(func(s *refcore.Settings) { s.RefreshValidity = 90 * time.Minute }))
		s := c.create(cdi)
		c.clock.advance(90*time.Minute + time.Millisecond)
		if got := c.handles(cdi, "user"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
		c.getSession(cdi, s.handle).unauth(msgNone)
		c.refresh(cdi, s.refresh).unauth(msgExpired)
	}},
	{number: 54, name: "put never brings a session back", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.setData(cdi, s.handle, obj{"a": 1}).unauth(msgNone)
		c.setPayload(cdi, s.handle, obj{"a": 1}).unauth(msgNone)
		c.getSession(cdi, s.handle).unauth(msgNone)
		if _, there := c.row(s.handle); there {
			t.Error("the row is back")
		}
	}},
}

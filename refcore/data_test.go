package refcore_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/token"
)

var engineData = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.61", Name: "payload changed, check off", WhyNot: "the same as rule 80 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.62", Name: "payload changed, check on", WhyNot: "the same as rule 79 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.63", Name: "payload that differs in spelling only", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, `{"userId":"user","enableAntiCsrf":false,"userDataInDatabase":{},"userDataInJWT":{"a":1,"b":[1.0,{"c":null,"d":"é"}],"n":1e999999999}}`).OK())
		for _, same := range []string{
			`{"b":[1,{"d":"\u00e9","c":null}],"a":1.0,"n":1e999999999}`, `{"n":10e999999998,"a":1e0,"b":[10e-1,{"c":null,"d":"é"}]}`,
		} {
			c.Put(cdi, coretest.PathPayload, `{"sessionHandle":"`+s.Handle+`","userDataInJWT":`+same+`}`).OK()
			a := c.Verify(cdi, s.Access).OK().NoToken()
			if coretest.AtLeast(cdi, "5.6") {
				a.Equals(false, "payloadUpdateAvailable")
			}
		}
		for _, other := range []string{`{"a":1,"b":[1,{"c":null,"d":"é"}],"n":1e999999998}`, `{"a":1,"b":[1,{"d":"é"}],"n":1e999999999}`, `{"a":"1","b":[1,{"c":null,"d":"é"}],"n":1e999999999}`} {
			c.Put(cdi, coretest.PathPayload, `{"sessionHandle":"`+s.Handle+`","userDataInJWT":`+other+`}`).OK()
			if a := c.Verify(cdi, s.Access).OK(); coretest.AtLeast(cdi, "5.6") {
				a.Equals(true, "payloadUpdateAvailable")
			} else {
				a.Replacement()
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.64", Name: "put on a missing session", WhyNot: "the same as rules 47 and 50 of the HTTP list, which are tested"},
	{Cite: "docs/spec/session-engine.md 9.65", Name: "put the same twice", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for range 3 {
			c.SetData(cdi, s.Handle, coretest.Obj{"same": 1}).OK()
			c.SetPayload(cdi, s.Handle, coretest.Obj{"same": 1}).OK()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.66", Name: "regenerate keeps and changes", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": true})
		n := c.Next(cdi, s.Refresh, coretest.Obj{"enableAntiCsrf": true, "antiCsrfToken": s.Anti})
		row, _ := c.Row(s.Handle)
		c.Clock.Advance(5000e6)
		_, before := coretest.Decoded(t, n.Access)
		_, after := coretest.Decoded(t, c.Regenerate(cdi, n.Access, coretest.Obj{"new": true}).OK().Replacement())
		created := "iat"
		if !coretest.AtLeast(cdi, "2.21") {
			created = "timeCreated"
			if after["userData"].(coretest.Obj)["new"] != true {
				t.Errorf("claims %v", after)
			}
		} else if after["new"] != true || after["role"] != nil {
			t.Errorf("claims %v", after)
		}
		for _, name := range []string{"exp", "expiryTime", "parentRefreshTokenHash1", "antiCsrfToken", "refreshTokenHash1", "sessionHandle", "sub", "userId"} {
			if before[name] != after[name] {
				t.Errorf("%s: %v became %v", name, before[name], after[name])
			}
		}
		if before[created] == after[created] {
			t.Error("the time of creation stayed")
		}
		if now, _ := c.Row(s.Handle); now.RefreshHash2 != row.RefreshHash2 || now.ExpiresAt != row.ExpiresAt || string(now.Payload) != `{"new":true}` {
			t.Errorf("row %+v", now)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.67", Name: "regenerate an expired token", WhyNot: "the same as rule 108 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.68", Name: "regenerate on a removed session", WhyNot: "the same as rule 109 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.69", Name: "remove returns the existing handles", WhyNot: "the same as rule 102 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.71", Name: "remove by user and tenant", WhyNot: "this core has one tenant; the flag and the 403 or 400 on another tenant's path are in rules 12 and 105 of the HTTP list"},
	{Cite: "docs/spec/session-engine.md 9.72", Name: "handle of another tenant", WhyNot: "this core has one tenant; handles that name another are rule 51 of the HTTP list"},
	{Cite: "docs/spec/session-engine.md 9.73", Name: "anti-csrf matrix", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, made := range []bool{true, false} {
			s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": made})
			for _, enable := range []bool{true, false} {
				for _, sent := range []any{coretest.Absent, "wrong", s.Anti} {
					right := made && sent == any(s.Anti)
					for _, do := range []bool{true, false} {
						a := c.Verify(cdi, s.Access, coretest.Obj{"enableAntiCsrf": enable, "doAntiCsrfCheck": do, "antiCsrfToken": sent})
						if enable && do && !right {
							a.TryRefresh()
						} else {
							a.OK()
						}
					}
					a := c.Refresh(cdi, s.Refresh, coretest.Obj{"enableAntiCsrf": enable, "antiCsrfToken": sent})
					if enable && made && !right {
						a.Unauth(coretest.MsgCSRFRef)
					} else if a.OK(); a.Has("antiCsrfToken") != enable {
						a.Fail("enableAntiCsrf %v", enable)
					}
				}
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.74", Name: "refresh changes the anti-csrf value", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": true})
		n := c.Next(cdi, s.Refresh, coretest.Obj{"enableAntiCsrf": true, "antiCsrfToken": s.Anti})
		both := coretest.Obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		if n.Anti == s.Anti || n.Anti == "" {
			t.Errorf("value %q, was %q", n.Anti, s.Anti)
		}
		c.Verify(cdi, n.Access, both, coretest.Obj{"antiCsrfToken": s.Anti}).TryRefresh()
		a := c.Verify(cdi, n.Access, both, coretest.Obj{"antiCsrfToken": n.Anti}).OK()
		if a.Has("accessToken") {
			c.Verify(cdi, a.Replacement(), both, coretest.Obj{"antiCsrfToken": n.Anti}).OK()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.82", Name: "useDynamicSigningKey at refresh stays", CDI: coretest.From("3.0"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		for _, static := range []bool{true, false} {
			s = c.Next(cdi, s.Refresh, coretest.Obj{"useDynamicSigningKey": !static})
			prefix := map[bool]string{true: "s-", false: "d-"}[static]
			tokens := []string{s.Access, c.Regenerate(cdi, s.Access, coretest.Obj{"x": 1}).OK().Replacement()}
			if a := c.Verify(cdi, s.Access).OK(); a.Has("accessToken") {
				tokens = append(tokens, a.Replacement())
			}
			if r, _ := c.Row(s.Handle); r.UseStaticKey != static {
				t.Errorf("row %+v", r)
			}
			s2 := c.Next("2.21", s.Refresh) // says nothing of keys
			for _, tok := range append(tokens, s2.Access) {
				if !strings.HasPrefix(coretest.Kid(t, tok), prefix) {
					t.Errorf("static %v: kid %s", static, coretest.Kid(t, tok))
				}
			}
			s = s2
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.83", Name: "handshake", WhyNot: "the same as rules 75, 113 and 114 of the HTTP list, which are tested"},
	{Cite: "docs/spec/session-engine.md 9.84", Name: "listing", WhyNot: "the same as rules 52 and 53 of the HTTP list, which are tested"},
	{Cite: "docs/spec/session-engine.md 9.86", Name: "refresh token garbage", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s, other := c.Create(cdi), c.Create(cdi)
		p, q := strings.Split(s.Refresh, "."), strings.Split(other.Refresh, ".")
		for _, bad := range coretest.HostileRefreshTokens(s.Refresh) {
			c.Refresh(cdi, bad).Unauth("")
		}
		c.Refresh(cdi, p[0]+"."+q[1]+"."+p[2]).Unauth("")
		// Another spelling of the same content is another token: never the session's current one.
		for _, spelled := range []string{p[0] + "." + p[1] + ".v2", p[0] + "." + p[1] + ".V1", s.Refresh + "."} {
			if a := c.Refresh("5.5", spelled); a.Fields["status"] != "TOKEN_THEFT_DETECTED" {
				a.Fail("want TOKEN_THEFT_DETECTED of a re-spelled root token")
			}
		}
		c.Refresh(cdi, s.Refresh).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.87", Name: "tokens in each other's place", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		c.Refresh(cdi, s.Access).Unauth("")
		c.Verify(cdi, s.Refresh).TryRefresh()
	}},
	{Cite: "docs/spec/session-engine.md 9.88", Name: "hash as a refresh token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		r, _ := c.Row(s.Handle)
		nonce := strings.Split(s.Refresh, ".")[1]
		for _, bad := range []string{token.Hash1(s.Refresh), hash2(s.Refresh), r.RefreshHash2, r.RefreshHash2 + "." + nonce + ".V2", s.Handle, s.Handle + "." + nonce + ".V2"} {
			c.Refresh(cdi, bad).Unauth("")
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.89", Name: "rows alone mint no refresh token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		// Whoever reads session_info but not key_value encrypts under a key of their own.
		for _, master := range []string{"", "refresh_token_key", "1000:00:00"} {
			mine, err := token.MintRefresh(master, token.Refresh{Handle: s.Handle, UserID: "user"})
			if err != nil {
				t.Fatal(err)
			}
			c.Refresh(cdi, mine).Unauth("")
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.92", Name: "upper-cased handle", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		up := strings.ToUpper(s.Handle)
		c.GetSession(cdi, up).Unauth(coretest.MsgNone)
		c.SetData(cdi, up, coretest.Obj{}).Unauth(coretest.MsgNone)
		c.Remove(cdi, up, s.Handle+" ").OK().Equals([]string{}, "sessionHandlesRevoked")
	}},
}

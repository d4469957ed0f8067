package spectest

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/token"
)

var engineData = []rule{
	{number: 61, name: "payload changed, check off", whynot: "the same as rule 80 of the HTTP list, which is tested"},
	{number: 62, name: "payload changed, check on", whynot: "the same as rule 79 of the HTTP list, which is tested"},
	{number: 63, name: "payload that differs in spelling only", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := sessionOf(c.post(cdi, pathSession, `{"userId":"user","enableAntiCsrf":false,"userDataInDatabase":{},"userDataInJWT":{"a":1,"b":[1.0,{"c":null,"d":"é"}],"n":1e999999999}}`).ok())
		for _, same := range []string{
			`{"b":[1,{"d":"\u00e9","c":null}],"a":1.0,"n":1e999999999}`, `{"n":10e999999998,"a":1e0,"b":[10e-1,{"c":null,"d":"é"}]}`,
		} {
			c.put(cdi, pathPayload, `{"sessionHandle":"`+s.handle+`","userDataInJWT":`+same+`}`).ok()
			a := c.verify(cdi, s.access).ok().noToken()
			if cdi == "5.6" {
				a.equals(false, "payloadUpdateAvailable")
			}
		}
		for _, other := range []string{`{"a":1,"b":[1,{"c":null,"d":"é"}],"n":1e999999998}`, `{"a":1,"b":[1,{"d":"é"}],"n":1e999999999}`, `{"a":"1","b":[1,{"c":null,"d":"é"}],"n":1e999999999}`} {
			c.put(cdi, pathPayload, `{"sessionHandle":"`+s.handle+`","userDataInJWT":`+other+`}`).ok()
			if a := c.verify(cdi, s.access).ok(); cdi == "5.6" {
				a.equals(true, "payloadUpdateAvailable")
			} else {
				a.replacement()
			}
		}
	}},
	{number: 64, name: "put on a missing session", whynot: "the same as rules 47 and 50 of the HTTP list, which are tested"},
	{number: 65, name: "put the same twice", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for range 3 {
			c.setData(cdi, s.handle, obj{"same": 1}).ok()
			c.setPayload(cdi, s.handle, obj{"same": 1}).ok()
		}
	}},
	{number: 66, name: "regenerate keeps and changes", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi, obj{"enableAntiCsrf": true})
		n := c.next(cdi, s.refresh, obj{"enableAntiCsrf": true, "antiCsrfToken": s.anti})
		row, _ := c.row(s.handle)
		c.clock.advance(5000e6)
		_, before := decoded(t, n.access)
		_, after := decoded(t, c.regenerate(cdi, n.access, obj{"new": true}).ok().replacement())
		created := "iat"
		if !atLeast(cdi, "2.21") {
			created = "timeCreated"
			if after["userData"].(obj)["new"] != true {
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
		if now, _ := c.row(s.handle); now.RefreshHash2 != row.RefreshHash2 || now.ExpiresAt != row.ExpiresAt || string(now.Payload) != `{"new":true}` {
			t.Errorf("row %+v", now)
		}
	}},
	{number: 67, name: "regenerate an expired token", whynot: "the same as rule 108 of the HTTP list, which is tested"},
	{number: 68, name: "regenerate on a removed session", whynot: "the same as rule 109 of the HTTP list, which is tested"},
	{number: 69, name: "remove returns the existing handles", whynot: "the same as rule 102 of the HTTP list, which is tested"},
	{number: 71, name: "remove by user and tenant", whynot: "this core has one tenant; the flag and the 403 or 400 on another tenant's path are in rules 12 and 105 of the HTTP list"},
	{number: 72, name: "handle of another tenant", whynot: "this core has one tenant; handles that name another are rule 51 of the HTTP list"},
	{number: 73, name: "anti-csrf matrix", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, made := range []bool{true, false} {
			s := c.create(cdi, obj{"enableAntiCsrf": made})
			for _, enable := range []bool{true, false} {
				for _, sent := range []any{absent, "wrong", s.anti} {
					right := made && sent == any(s.anti)
					for _, do := range []bool{true, false} {
						a := c.verify(cdi, s.access, obj{"enableAntiCsrf": enable, "doAntiCsrfCheck": do, "antiCsrfToken": sent})
						if enable && do && !right {
							a.tryRefresh()
						} else {
							a.ok()
						}
					}
					a := c.refresh(cdi, s.refresh, obj{"enableAntiCsrf": enable, "antiCsrfToken": sent})
					if enable && made && !right {
						a.unauth(msgCSRFRef)
					} else if a.ok(); a.has("antiCsrfToken") != enable {
						a.fail("enableAntiCsrf %v", enable)
					}
				}
			}
		}
	}},
	{number: 74, name: "refresh changes the anti-csrf value", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi, obj{"enableAntiCsrf": true})
		n := c.next(cdi, s.refresh, obj{"enableAntiCsrf": true, "antiCsrfToken": s.anti})
		both := obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		if n.anti == s.anti || n.anti == "" {
			t.Errorf("value %q, was %q", n.anti, s.anti)
		}
		c.verify(cdi, n.access, both, obj{"antiCsrfToken": s.anti}).tryRefresh()
		a := c.verify(cdi, n.access, both, obj{"antiCsrfToken": n.anti}).ok()
		if a.has("accessToken") {
			c.verify(cdi, a.replacement(), both, obj{"antiCsrfToken": n.anti}).ok()
		}
	}},
	{number: 82, name: "useDynamicSigningKey at refresh stays", cdi: from("3.0"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		for _, static := range []bool{true, false} {
			s = c.next(cdi, s.refresh, obj{"useDynamicSigningKey": !static})
			prefix := map[bool]string{true: "s-", false: "d-"}[static]
			tokens := []string{s.access, c.regenerate(cdi, s.access, obj{"x": 1}).ok().replacement()}
			if a := c.verify(cdi, s.access).ok(); a.has("accessToken") {
				tokens = append(tokens, a.replacement())
			}
			if r, _ := c.row(s.handle); r.UseStaticKey != static {
				t.Errorf("row %+v", r)
			}
			s2 := c.next("2.21", s.refresh) // says nothing of keys
			for _, tok := range append(tokens, s2.access) {
				if !strings.HasPrefix(kid(t, tok), prefix) {
					t.Errorf("static %v: kid %s", static, kid(t, tok))
				}
			}
			s = s2
		}
	}},
	{number: 83, name: "handshake", whynot: "the same as rules 75, 113 and 114 of the HTTP list, which are tested"},
	{number: 84, name: "listing", whynot: "the same as rules 52 and 53 of the HTTP list, which are tested"},
	{number: 86, name: "refresh token garbage", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s, other := c.create(cdi), c.create(cdi)
		p, q := strings.Split(s.refresh, "."), strings.Split(other.refresh, ".")
		for _, bad := range hostileRefreshTokens(s.refresh) {
			c.refresh(cdi, bad).unauth("")
		}
		c.refresh(cdi, p[0]+"."+q[1]+"."+p[2]).unauth("")
		// Another spelling of the same content is another token: never the session's current one.
		for _, spelled := range []string{p[0] + "." + p[1] + ".v2", p[0] + "." + p[1] + ".V1", s.refresh + "."} {
			if a := c.refresh("5.5", spelled); a.fields["status"] != "TOKEN_THEFT_DETECTED" {
				a.fail("want TOKEN_THEFT_DETECTED of a re-spelled root token")
			}
		}
		c.refresh(cdi, s.refresh).ok()
	}},
	{number: 87, name: "tokens in each other's place", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.refresh(cdi, s.access).unauth("")
		c.verify(cdi, s.refresh).tryRefresh()
	}},
	{number: 88, name: "hash as a refresh token", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		r, _ := c.row(s.handle)
		nonce := strings.Split(s.refresh, ".")[1]
		for _, bad := range []string{token.Hash1(s.refresh), hash2(s.refresh), r.RefreshHash2, r.RefreshHash2 + "." + nonce + ".V2", s.handle, s.handle + "." + nonce + ".V2"} {
			c.refresh(cdi, bad).unauth("")
		}
	}},
	{number: 89, name: "rows alone mint no refresh token", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		// Whoever reads session_info but not key_value encrypts under a key of their own.
		for _, master := range []string{"", "refresh_token_key", "1000:00:00"} {
			mine, err := token.MintRefresh(master, token.Refresh{Handle: s.handle, UserID: "user"})
			if err != nil {
				t.Fatal(err)
			}
			c.refresh(cdi, mine).unauth("")
		}
	}},
	{number: 92, name: "upper-cased handle", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		up := strings.ToUpper(s.handle)
		c.getSession(cdi, up).unauth(msgNone)
		c.setData(cdi, up, obj{}).unauth(msgNone)
		c.remove(cdi, up, s.handle+" ").ok().equals([]string{}, "sessionHandlesRevoked")
	}},
}

package httpapi_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
)

// sessionShape gives the fields of SESSION at a version.
func sessionShape(cdi string) []string {
	list := []string{"handle", "userId", "userDataInJWT"}
	if coretest.AtLeast(cdi, "3.0") {
		list = append(list, "tenantId")
	}
	if coretest.AtLeast(cdi, "4.0") {
		list = append(list, "recipeUserId")
	}
	return list
}

// keyShape gives the legacy key fields at a version.
func keyShape(cdi string) []string {
	switch {
	case coretest.AtLeast(cdi, "2.21"):
		return nil
	case coretest.AtLeast(cdi, "2.9"):
		return []string{"jwtSigningPublicKey", "jwtSigningPublicKeyExpiryTime", "jwtSigningPublicKeyList"}
	}
	return []string{"jwtSigningPublicKey", "jwtSigningPublicKeyExpiryTime"}
}

const msgValidity = "accessTokenValidity must be greater than 0 and at most the configured access_token_validity (3600000 ms)"

var httpCreate = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.33", Name: "create has exactly its fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		want := append([]string{"session", "accessToken", "refreshToken"}, keyShape(cdi)...)
		if !coretest.AtLeast(cdi, "2.21") {
			want = append(want, "idRefreshToken")
		}
		a := c.Post(cdi, coretest.PathSession, coretest.CreateBody()).OK().Only(want...)
		tokens := []string{"accessToken", "refreshToken"}
		if a.Has("idRefreshToken") {
			tokens = append(tokens, "idRefreshToken")
			if a.Num("idRefreshToken", "expiry") != a.Num("refreshToken", "expiry") || a.Num("idRefreshToken", "createdTime") != a.Num("refreshToken", "createdTime") {
				a.Fail("idRefreshToken has times of its own")
			}
		}
		for _, name := range tokens {
			a.Inner(name).Only("token", "expiry", "createdTime")
		}
		c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"enableAntiCsrf": true})).OK().Only(append(want, "antiCsrfToken")...)
	}},
	{Cite: "docs/spec/http-api.md 6.34", Name: "session has its fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		s := coretest.Start(t).Create(cdi).Answer.Inner("session").Only(sessionShape(cdi)...)
		s.Equals("user", "userId").Equals(coretest.Obj{"role": "admin"}, "userDataInJWT")
		if coretest.AtLeast(cdi, "3.0") {
			s.Equals("public", "tenantId")
		}
		if coretest.AtLeast(cdi, "4.0") {
			s.Equals("user", "recipeUserId")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.35", Name: "antiCsrfToken exactly when asked for", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, on := range []bool{true, false} {
			if s := c.Create(cdi, coretest.Obj{"enableAntiCsrf": on}); (s.Anti != "") != on || s.Answer.Has("antiCsrfToken") != on {
				s.Answer.Fail("enableAntiCsrf %v", on)
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.36", Name: "create bad fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for name, bads := range map[string][]any{
			"userId":             {coretest.Absent, nil, 1, true, coretest.Obj{}, []string{"a", "b"}},
			"enableAntiCsrf":     {coretest.Absent, nil, "true", coretest.Obj{}, []int{}},
			"userDataInJWT":      {coretest.Absent, nil, []int{}, "x", 1, true},
			"userDataInDatabase": {coretest.Absent, nil, []int{}, "x", 1, true},
		} {
			for _, bad := range bads {
				c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{name: bad})).BadField(name)
			}
		}
		c.Post(cdi, coretest.PathSession, coretest.Obj{}).BadField("userId") // the first of them
		if coretest.AtLeast(cdi, "2.21") {
			for _, bad := range []any{nil, "true", coretest.Obj{}} {
				c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"useDynamicSigningKey": bad})).BadField("useDynamicSigningKey")
			}
		}
		if n := len(c.Handles(cdi, "user")); n != 0 {
			t.Errorf("%d sessions were made", n)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.37", Name: "empty user id", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi, coretest.Obj{"userId": ""})
		s.Answer.Equals("", "session", "userId")
		c.Verify(cdi, s.Access).OK()
		c.Refresh(cdi, s.Refresh).OK()
		if got := c.Handles(cdi, ""); !slices.Equal(got, []string{s.Handle}) {
			t.Errorf("listed %v", got)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.38", Name: "protected names", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, r := range coretest.Reserved {
			a := c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"userDataInJWT": coretest.Obj{r.Name: nil, "x": 1}}))
			if coretest.AtLeast(cdi, r.Since) {
				a.Text(400, coretest.MsgProtected)
			} else {
				c.Remove(cdi, a.OK().Str("session", "handle")).OK()
			}
		}
		// The name counts, not how it is spelled in JSON.
		c.Post(cdi, coretest.PathSession, `{"userId":"user","enableAntiCsrf":false,"userDataInJWT":{"\u0073ub":"x"},"userDataInDatabase":{}}`).Text(400, coretest.MsgProtected)
		if n := len(c.Handles(cdi, "user")); n != 0 {
			t.Errorf("%d sessions were made", n)
		}
		c.Create(cdi, coretest.Obj{"userDataInJWT": coretest.Obj{"inner": coretest.Obj{"sub": 1}, "iss": "i"}})
	}},
	{Cite: "docs/spec/http-api.md 6.39", Name: "tId and rsub", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, r := range coretest.Reserved[7:] {
			a := c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"userDataInJWT": coretest.Obj{r.Name: "x"}}))
			if coretest.AtLeast(cdi, r.Since) {
				a.Text(400, coretest.MsgProtected)
			} else {
				c.Verify(cdi, a.OK().Str("accessToken", "token")).OK().Equals(coretest.Obj{r.Name: "x"}, "session", "userDataInJWT")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.40", Name: "protected names are accepted", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		payload := coretest.Obj{"userId": "other", "expiryTime": 1}
		for _, r := range coretest.Reserved {
			payload[r.Name] = "x"
		}
		s := c.Create(cdi, coretest.Obj{"userDataInJWT": payload})
		c.Verify(cdi, s.Access).OK().Equals(payload, "session", "userDataInJWT").Equals("user", "session", "userId")
	}},
	{Cite: "docs/spec/http-api.md 6.41", Name: "useDynamicSigningKey", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, k := range []struct {
			send   any
			prefix string
		}{{coretest.Absent, "d-"}, {true, "d-"}, {false, "s-"}} {
			s := c.Create(cdi, coretest.Obj{"useDynamicSigningKey": k.send})
			if id := coretest.Kid(t, s.Access); !strings.HasPrefix(id, k.prefix) {
				t.Errorf("%v: kid %s", k.send, id)
			}
			c.Verify(cdi, s.Access).OK()
		}
	}},
	{Cite: "docs/spec/http-api.md 6.42", Name: "expiry and jitter", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.Jitter = 0.25 }))
		created := c.Clock.Ms.Load()
		shorter := 0
		for range 8 {
			a := c.Create(cdi).Answer
			expiry := a.Num("accessToken", "expiry")
			if expiry < created+2_700_000-1000 || expiry > created+3_600_000+1000 {
				a.Fail("expiry %d s after creation", (expiry-created)/1000)
			}
			if expiry < created+3_599_000 {
				shorter++
			}
			if coretest.AtLeast(cdi, "2.21") && (expiry%1000 != 0 || a.Num("accessToken", "createdTime")%1000 != 0) {
				a.Fail("times are no whole seconds")
			}
			if got := a.Num("refreshToken", "expiry"); got != created+c.Engine.Settings().RefreshValidity.Milliseconds() {
				a.Fail("the refresh token's life changed: %d", got)
			}
		}
		if shorter == 0 {
			t.Error("no token of 8 was shortened")
		}
		a := coretest.Start(t).Create(cdi).Answer
		if got := a.Num("accessToken", "expiry"); got != exact(cdi, created+3_600_000) {
			a.Fail("without jitter: expiry %d", got)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.43", Name: "accessTokenValidity", CDI: coretest.From("5.6"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.Jitter = 0.25 }))
		s := c.Create(cdi, coretest.Obj{"accessTokenValidity": 5000})
		if s.Expiry != exact(cdi, coretest.Epoch+5000) || s.Answer.Num("refreshToken", "expiry") != coretest.Epoch+c.Engine.Settings().RefreshValidity.Milliseconds() {
			s.Answer.Fail("wrong times")
		}
		c.Clock.Advance(6 * time.Second)
		c.Verify(cdi, s.Access).TryRefresh()
		if n := c.Next(cdi, s.Refresh, coretest.Obj{"accessTokenValidity": 7000}); n.Expiry != exact(cdi, coretest.Epoch+13000) {
			n.Answer.Fail("wrong expiry after refresh")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.44", Name: "accessTokenValidity out of range", CDI: []string{"5.6", "5.5", "2.21", "2.7"}, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, v := range []int64{0, -1, 3_600_001, 1 << 62} {
			a := c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"accessTokenValidity": v}))
			if !coretest.AtLeast(cdi, "5.6") {
				if got := a.OK().Num("accessToken", "expiry"); got != exact(cdi, coretest.Epoch+3_600_000) {
					a.Fail("accessTokenValidity was not ignored")
				}
				continue
			}
			a.Text(400, msgValidity)
			s := c.Create(cdi, coretest.Obj{"accessTokenValidity": 3_600_000})
			c.Refresh(cdi, "garbage", coretest.Obj{"accessTokenValidity": v}).Unauth("")
			c.Refresh(cdi, s.Refresh, coretest.Obj{"accessTokenValidity": v}).Text(400, msgValidity)
			c.Refresh(cdi, s.Refresh).OK()
		}
		if coretest.AtLeast(cdi, "5.6") {
			for _, bad := range []any{nil, "x", true, coretest.Obj{}} {
				c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"accessTokenValidity": bad})).BadField("accessTokenValidity")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.45", Name: "data comes back by value", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		const data = `{"big":12345678901234567890,"f":1.0,"e":1e5,"neg":-0.25,"null":null,"t":true,"o":{"a":[1,{"b":null}],"":""},"s":"\u00e9\ud83d\ude42"}`
		s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, `{"userId":"u","enableAntiCsrf":false,"userDataInJWT":`+data+`,"userDataInDatabase":`+data+`}`).OK())
		for what, raw := range map[string]string{
			"create": s.Answer.Body, "get": c.GetSession(cdi, s.Handle).OK().Body, "verify": c.Verify(cdi, s.Access).OK().Body,
			"data": c.Get(cdi, coretest.PathData, "sessionHandle", s.Handle).OK().Body, "payload": c.Get(cdi, coretest.PathPayload, "sessionHandle", s.Handle).OK().Body,
		} {
			if !strings.Contains(raw, `"big":12345678901234567890,"f":1.0,"e":1e5,"neg":-0.25,"null":null,`) {
				t.Errorf("%s: %s", what, raw)
			}
		}
	}},
}

// exact is a time as an access token of a version has it.
func exact(cdi string, ms int64) int64 {
	if coretest.AtLeast(cdi, "2.21") {
		ms -= ms % 1000
	}
	return ms
}

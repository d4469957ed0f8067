package spectest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
)

// sessionShape gives the fields of SESSION at a version.
func sessionShape(cdi string) []string {
	list := []string{"handle", "userId", "userDataInJWT"}
	if atLeast(cdi, "3.0") {
		list = append(list, "tenantId")
	}
	if atLeast(cdi, "4.0") {
		list = append(list, "recipeUserId")
	}
	return list
}

// keyShape gives the legacy key fields at a version.
func keyShape(cdi string) []string {
	switch {
	case atLeast(cdi, "2.21"):
		return nil
	case atLeast(cdi, "2.9"):
		return []string{"jwtSigningPublicKey", "jwtSigningPublicKeyExpiryTime", "jwtSigningPublicKeyList"}
	}
	return []string{"jwtSigningPublicKey", "jwtSigningPublicKeyExpiryTime"}
}

// inner makes a field of an answer an answer of its own.
func (a answer) inner(path ...string) answer {
	a.t.Helper()
	o, ok := a.at(path...).(obj)
	if !ok {
		a.fail("%s is no object", strings.Join(path, "."))
	}
	a.what += " " + strings.Join(path, ".")
	a.fields = o
	return a
}

var reserved = []struct {
	name  string
	since string
}{
	{"sub", "2.21"}, {"exp", "2.21"}, {"iat", "2.21"}, {"sessionHandle", "2.21"}, {"refreshTokenHash1", "2.21"},
	{"parentRefreshTokenHash1", "2.21"}, {"antiCsrfToken", "2.21"}, {"tId", "3.0"}, {"rsub", "4.0"},
}

const msgValidity = "accessTokenValidity must be greater than 0 and at most the configured access_token_validity (3600000 ms)"

var httpCreate = []rule{
	{number: 33, name: "create has exactly its fields", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		want := append([]string{"session", "accessToken", "refreshToken"}, keyShape(cdi)...)
		if !atLeast(cdi, "2.21") {
			want = append(want, "idRefreshToken")
		}
		a := c.post(cdi, pathSession, createBody()).ok().only(want...)
		tokens := []string{"accessToken", "refreshToken"}
		if a.has("idRefreshToken") {
			tokens = append(tokens, "idRefreshToken")
			if a.num("idRefreshToken", "expiry") != a.num("refreshToken", "expiry") || a.num("idRefreshToken", "createdTime") != a.num("refreshToken", "createdTime") {
				a.fail("idRefreshToken has times of its own")
			}
		}
		for _, name := range tokens {
			a.inner(name).only("token", "expiry", "createdTime")
		}
		c.post(cdi, pathSession, createBody(obj{"enableAntiCsrf": true})).ok().only(append(want, "antiCsrfToken")...)
	}},
	{number: 34, name: "session has its fields", cdi: all(), run: func(t *testing.T, cdi string) {
		s := start(t).create(cdi).answer.inner("session").only(sessionShape(cdi)...)
		s.equals("user", "userId").equals(obj{"role": "admin"}, "userDataInJWT")
		if atLeast(cdi, "3.0") {
			s.equals("public", "tenantId")
		}
		if atLeast(cdi, "4.0") {
			s.equals("user", "recipeUserId")
		}
	}},
	{number: 35, name: "antiCsrfToken exactly when asked for", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, on := range []bool{true, false} {
			if s := c.create(cdi, obj{"enableAntiCsrf": on}); (s.anti != "") != on || s.answer.has("antiCsrfToken") != on {
				s.answer.fail("enableAntiCsrf %v", on)
			}
		}
	}},
	{number: 36, name: "create bad fields", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for name, bads := range map[string][]any{
			"userId":             {absent, nil, 1, true, obj{}, []string{"a", "b"}},
			"enableAntiCsrf":     {absent, nil, "true", obj{}, []int{}},
			"userDataInJWT":      {absent, nil, []int{}, "x", 1, true},
			"userDataInDatabase": {absent, nil, []int{}, "x", 1, true},
		} {
			for _, bad := range bads {
				c.post(cdi, pathSession, createBody(obj{name: bad})).badField(name)
			}
		}
		c.post(cdi, pathSession, obj{}).badField("userId") // the first of them
		if atLeast(cdi, "2.21") {
			for _, bad := range []any{nil, "true", obj{}} {
				c.post(cdi, pathSession, createBody(obj{"useDynamicSigningKey": bad})).badField("useDynamicSigningKey")
			}
		}
		if n := len(c.handles(cdi, "user")); n != 0 {
			t.Errorf("%d sessions were made", n)
		}
	}},
	{number: 37, name: "empty user id", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi, obj{"userId": ""})
		s.answer.equals("", "session", "userId")
		c.verify(cdi, s.access).ok()
		c.refresh(cdi, s.refresh).ok()
		if got := c.handles(cdi, ""); !slices.Equal(got, []string{s.handle}) {
			t.Errorf("listed %v", got)
		}
	}},
	{number: 38, name: "protected names", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, r := range reserved {
			a := c.post(cdi, pathSession, createBody(obj{"userDataInJWT": obj{r.name: nil, "x": 1}}))
			if atLeast(cdi, r.since) {
				a.text(400, msgProtected)
			} else {
				c.remove(cdi, a.ok().str("session", "handle")).ok()
			}
		}
		// The name counts, not how it is spelled in JSON.
		c.post(cdi, pathSession, `{"userId":"user","enableAntiCsrf":false,"userDataInJWT":{"\u0073ub":"x"},"userDataInDatabase":{}}`).text(400, msgProtected)
		if n := len(c.handles(cdi, "user")); n != 0 {
			t.Errorf("%d sessions were made", n)
		}
		c.create(cdi, obj{"userDataInJWT": obj{"inner": obj{"sub": 1}, "iss": "i"}})
	}},
	{number: 39, name: "tId and rsub", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, r := range reserved[7:] {
			a := c.post(cdi, pathSession, createBody(obj{"userDataInJWT": obj{r.name: "x"}}))
			if atLeast(cdi, r.since) {
				a.text(400, msgProtected)
			} else {
				c.verify(cdi, a.ok().str("accessToken", "token")).ok().equals(obj{r.name: "x"}, "session", "userDataInJWT")
			}
		}
	}},
	{number: 40, name: "protected names are accepted", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t)
		payload := obj{"userId": "other", "expiryTime": 1}
		for _, r := range reserved {
			payload[r.name] = "x"
		}
		s := c.create(cdi, obj{"userDataInJWT": payload})
		c.verify(cdi, s.access).ok().equals(payload, "session", "userDataInJWT").equals("user", "session", "userId")
	}},
	{number: 41, name: "useDynamicSigningKey", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, k := range []struct {
			send   any
			prefix string
		}{{absent, "d-"}, {true, "d-"}, {false, "s-"}} {
			s := c.create(cdi, obj{"useDynamicSigningKey": k.send})
			if id := kid(t, s.access); !strings.HasPrefix(id, k.prefix) {
				t.Errorf("%v: kid %s", k.send, id)
			}
			c.verify(cdi, s.access).ok()
		}
	}},
	{number: 42, name: "expiry and jitter", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, settings(func(s *refcore.Settings) { s.Jitter = 0.25 }))
		created := c.clock.ms.Load()
		shorter := 0
		for range 8 {
			a := c.create(cdi).answer
			expiry := a.num("accessToken", "expiry")
			if expiry < created+2_700_000-1000 || expiry > created+3_600_000+1000 {
				a.fail("expiry %d s after creation", (expiry-created)/1000)
			}
			if expiry < created+3_599_000 {
				shorter++
			}
			if atLeast(cdi, "2.21") && (expiry%1000 != 0 || a.num("accessToken", "createdTime")%1000 != 0) {
				a.fail("times are no whole seconds")
			}
			if got := a.num("refreshToken", "expiry"); got != created+c.engine.Settings().RefreshValidity.Milliseconds() {
				a.fail("the refresh token's life changed: %d", got)
			}
		}
		if shorter == 0 {
			t.Error("no token of 8 was shortened")
		}
		a := start(t).create(cdi).answer
		if got := a.num("accessToken", "expiry"); got != exact(cdi, created+3_600_000) {
			a.fail("without jitter: expiry %d", got)
		}
	}},
	{number: 43, name: "accessTokenValidity", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t, settings(func(s *refcore.Settings) { s.Jitter = 0.25 }))
		s := c.create(cdi, obj{"accessTokenValidity": 5000})
		if s.expiry != exact(cdi, epoch+5000) || s.answer.num("refreshToken", "expiry") != epoch+c.engine.Settings().RefreshValidity.Milliseconds() {
			s.answer.fail("wrong times")
		}
		c.clock.advance(6 * time.Second)
		c.verify(cdi, s.access).tryRefresh()
		if n := c.next(cdi, s.refresh, obj{"accessTokenValidity": 7000}); n.expiry != exact(cdi, epoch+13000) {
			n.answer.fail("wrong expiry after refresh")
		}
	}},
	{number: 44, name: "accessTokenValidity out of range", cdi: []string{"5.6", "5.5", "2.21", "2.7"}, run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, v := range []int64{0, -1, 3_600_001, 1 << 62} {
			a := c.post(cdi, pathSession, createBody(obj{"accessTokenValidity": v}))
			if cdi != "5.6" {
				if got := a.ok().num("accessToken", "expiry"); got != exact(cdi, epoch+3_600_000) {
					a.fail("accessTokenValidity was not ignored")
				}
				continue
			}
			a.text(400, msgValidity)
			s := c.create(cdi, obj{"accessTokenValidity": 3_600_000})
			c.refresh(cdi, "garbage", obj{"accessTokenValidity": v}).unauth("")
			c.refresh(cdi, s.refresh, obj{"accessTokenValidity": v}).text(400, msgValidity)
			c.refresh(cdi, s.refresh).ok()
		}
		if cdi == "5.6" {
			for _, bad := range []any{nil, "x", true, obj{}} {
				c.post(cdi, pathSession, createBody(obj{"accessTokenValidity": bad})).badField("accessTokenValidity")
			}
		}
	}},
	{number: 45, name: "data comes back by value", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		const data = `{"big":12345678901234567890,"f":1.0,"e":1e5,"neg":-0.25,"null":null,"t":true,"o":{"a":[1,{"b":null}],"":""},"s":"\u00e9\ud83d\ude42"}`
		s := sessionOf(c.post(cdi, pathSession, `{"userId":"u","enableAntiCsrf":false,"userDataInJWT":`+data+`,"userDataInDatabase":`+data+`}`).ok())
		for what, raw := range map[string]string{
			"create": s.answer.body, "get": c.getSession(cdi, s.handle).ok().body, "verify": c.verify(cdi, s.access).ok().body,
			"data": c.get(cdi, pathData, "sessionHandle", s.handle).ok().body, "payload": c.get(cdi, pathPayload, "sessionHandle", s.handle).ok().body,
		} {
			if !strings.Contains(raw, `"big":12345678901234567890,"f":1.0,"e":1e5,"neg":-0.25,"null":null,`) {
				t.Errorf("%s: %s", what, raw)
			}
		}
	}},
}

// exact is a time as an access token of a version has it.
func exact(cdi string, ms int64) int64 {
	if atLeast(cdi, "2.21") {
		ms -= ms % 1000
	}
	return ms
}

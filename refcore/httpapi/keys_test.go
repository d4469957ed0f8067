package httpapi_test

import (
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/httpapi"
)

// guardedPaths ask for a key.
var guardedPaths = [][2]string{
	{"GET", "/apiversion"}, {"GET", coretest.PathSession}, {"POST", coretest.PathSession}, {"POST", coretest.PathVerify}, {"POST", coretest.PathRefresh}, {"POST", coretest.PathRemove},
	{"POST", coretest.PathRegenerate}, {"GET", coretest.PathUser}, {"GET", coretest.PathData}, {"PUT", coretest.PathData}, {"GET", coretest.PathPayload}, {"PUT", coretest.PathPayload},
	{"POST", coretest.PathHandshake}, {"POST", coretest.PathJWT}, {"GET", "/recipe/jwt/jwks"},
}

var httpKeys = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.23", Name: "no key", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, p := range guardedPaths {
			c.Do(p[0], p[1], cdi, []byte("{}")).Text(401, "Invalid API key")
			c.Do(p[0], "/public"+p[1]+"/", cdi, []byte("{}")).Text(401, "Invalid API key")
		}
	}},
	{Cite: "docs/spec/http-api.md 6.24", Name: "wrong key", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, k := range []string{"wrong", "FIRST-KEY-OF-20-CHARS-ABC=", "first-key-of-20-chars-abc=", coretest.APIKey + "x", coretest.APIKey[:len(coretest.APIKey)-1], coretest.APIKey + "," + coretest.APIKey2, ""} {
			for _, p := range guardedPaths {
				c.Do(p[0], p[1], "5.0", nil, "api-key", k).Text(401, "Invalid API key")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.25", Name: "each key", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, k := range []string{coretest.APIKey, coretest.APIKey2, "  " + coretest.APIKey + " "} {
			c.Do("GET", coretest.PathUser+"?userId=u", cdi, nil, "api-key", k).OK()
		}
		coretest.Start(t).Do("GET", coretest.PathUser+"?userId=u", cdi, nil, "api-key", "whatever").OK()
	}},
	{Cite: "docs/spec/http-api.md 6.26", Name: "key in Authorization", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, v := range []string{"Bearer " + coretest.APIKey, "bearer " + coretest.APIKey2, "BEARER  " + coretest.APIKey + " ", coretest.APIKey} {
			c.Do("GET", coretest.PathUser+"?userId=u", "5.0", nil, "Authorization", v).OK()
		}
		for _, v := range []string{"Basic " + coretest.APIKey, "Bearer wrong", "Bearer", ""} {
			c.Do("GET", coretest.PathUser+"?userId=u", "5.0", nil, "Authorization", v).Text(401, "Invalid API key")
		}
		c.Do("GET", coretest.PathUser+"?userId=u", "5.0", nil, "Authorization", "Bearer "+coretest.APIKey, "api-key", "").Text(401, "Invalid API key")
	}},
	{Cite: "docs/spec/http-api.md 6.27", Name: "401 comes first", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t, coretest.WithKeys)
		c.Do("POST", coretest.PathVerify, "99.0", nil).Text(401, "Invalid API key")
		c.Do("POST", coretest.PathVerify, "abc", nil).Text(401, "Invalid API key")
		c.Do("GET", coretest.PathVerify, "5.0", nil).Text(401, "Invalid API key")
		c.Do("POST", coretest.PathVerify, "5.0", []byte("{")).Text(401, "Invalid API key")
		c.Do("POST", coretest.PathHandshake, "5.0", nil).Text(401, "Invalid API key")
		c.Do("POST", "/t1"+coretest.PathSession, "2.7", nil).Text(401, "Invalid API key")
		c.Do("POST", "/nope", "5.0", nil).Text(404, "Not found")
	}},
	{Cite: "docs/spec/http-api.md 6.28", Name: "bad version comes before method and path", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		for _, p := range []string{coretest.PathVerify, "/nope", "/"} {
			c.Do("DELETE", p, "2.6", nil).Text(400, "cdi-version 2.6 not supported")
			c.Do("OPTIONS", p, "abc", nil).Text(400, "cdi-version header is invalid")
		}
		low := coretest.Start(t, coretest.Surface(func(o *httpapi.Options) { o.MinVersion = "4.0" }))
		low.Do("DELETE", coretest.PathVerify, "3.1", nil).Text(400, "cdi-version 3.1 is lower than the minimum allowed version 4.0")
	}},
	{Cite: "docs/spec/http-api.md 6.29", Name: "rid", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, rid := range []string{"session", "nonsense", "emailpassword"} {
			s := c.Create(cdi)
			for _, e := range sessionEndpoints {
				e.call(c, cdi, s, same, "rid", rid).OK()
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.30", Name: "UTF-8", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		data := coretest.Obj{"naïve": "é 漢字 🙂", "esc": "\u2028\u0001\\\""}
		s := c.Create(cdi, coretest.Obj{"userId": "é漢🙂", "userDataInJWT": data, "userDataInDatabase": data})
		s.Answer.Equals(data, "session", "userDataInJWT").Equals("é漢🙂", "session", "userId")
		c.GetSession(cdi, s.Handle).OK().Equals(data, "userDataInJWT").Equals(data, "userDataInDatabase").Equals("é漢🙂", "userId")
		c.Verify(cdi, s.Access).OK().Equals(data, "session", "userDataInJWT")
		if got := c.Handles(cdi, "é漢🙂"); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.31", Name: "not a JSON object", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, e := range sessionEndpoints {
			if e.method == "GET" {
				continue
			}
			for _, body := range []string{"", "[]", "null", `"x"`, "1", `{"userId":`, `{} x`, "\x00", "{\"a\":1"} {
				c.Do(e.method, e.path, cdi, []byte(body)).Text(400, "Invalid Json Input")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.32", Name: "extra fields", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi, coretest.Obj{"extra": 1, "accessToken": nil})
		for _, e := range sessionEndpoints {
			if e.body == nil {
				continue
			}
			b := coretest.With(e.body(c, cdi, s), coretest.Obj{"extra": []int{1}, "nope": nil})
			if !coretest.AtLeast(cdi, "2.21") && e.path == coretest.PathVerify {
				b["checkDatabase"] = "not a boolean"
			}
			if !coretest.AtLeast(cdi, "3.0") {
				if cdi != "2.21" || e.path != coretest.PathSession {
					b["useDynamicSigningKey"] = "x"
				}
			}
			if !coretest.AtLeast(cdi, "5.6") {
				b["accessTokenValidity"] = "x"
			}
			c.Do(e.method, e.path, cdi, coretest.Encode(t, b)).OK()
		}
	}},
}

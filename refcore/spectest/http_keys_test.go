package spectest

import (
	"testing"

	"github.com/coreproof/coreproof/refcore/httpapi"
)

const (
	apiKey  = "first-key-of-20-chars-AbC="
	apiKey2 = "second-key-of-20-chars-xYz"
)

func withKeys(s *setup) { s.http.APIKeys = []string{apiKey, apiKey2} }

// guardedPaths ask for a key.
var guardedPaths = [][2]string{
	{"GET", "/apiversion"}, {"GET", pathSession}, {"POST", pathSession}, {"POST", pathVerify}, {"POST", pathRefresh}, {"POST", pathRemove},
	{"POST", pathRegenerate}, {"GET", pathUser}, {"GET", pathData}, {"PUT", pathData}, {"GET", pathPayload}, {"PUT", pathPayload},
	{"POST", pathHandshake}, {"POST", pathJWT}, {"GET", "/recipe/jwt/jwks"},
}

var httpKeys = []rule{
	{number: 23, name: "no key", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		for _, p := range guardedPaths {
			c.do(p[0], p[1], cdi, []byte("{}")).text(401, "Invalid API key")
			c.do(p[0], "/public"+p[1]+"/", cdi, []byte("{}")).text(401, "Invalid API key")
		}
	}},
	{number: 24, name: "wrong key", run: func(t *testing.T, _ string) {
		c := start(t, withKeys)
		for _, k := range []string{"wrong", "FIRST-KEY-OF-20-CHARS-ABC=", "first-key-of-20-chars-abc=", apiKey + "x", apiKey[:len(apiKey)-1], apiKey + "," + apiKey2, ""} {
			for _, p := range guardedPaths {
				c.do(p[0], p[1], "5.0", nil, "api-key", k).text(401, "Invalid API key")
			}
		}
	}},
	{number: 25, name: "each key", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		for _, k := range []string{apiKey, apiKey2, "  " + apiKey + " "} {
			c.do("GET", pathUser+"?userId=u", cdi, nil, "api-key", k).ok()
		}
		start(t).do("GET", pathUser+"?userId=u", cdi, nil, "api-key", "whatever").ok()
	}},
	{number: 26, name: "key in Authorization", run: func(t *testing.T, _ string) {
		c := start(t, withKeys)
		for _, v := range []string{"Bearer " + apiKey, "bearer " + apiKey2, "BEARER  " + apiKey + " ", apiKey} {
			c.do("GET", pathUser+"?userId=u", "5.0", nil, "Authorization", v).ok()
		}
		for _, v := range []string{"Basic " + apiKey, "Bearer wrong", "Bearer", ""} {
			c.do("GET", pathUser+"?userId=u", "5.0", nil, "Authorization", v).text(401, "Invalid API key")
		}
		c.do("GET", pathUser+"?userId=u", "5.0", nil, "Authorization", "Bearer "+apiKey, "api-key", "").text(401, "Invalid API key")
	}},
	{number: 27, name: "401 comes first", run: func(t *testing.T, _ string) {
		c := start(t, withKeys)
		c.do("POST", pathVerify, "99.0", nil).text(401, "Invalid API key")
		c.do("POST", pathVerify, "abc", nil).text(401, "Invalid API key")
		c.do("GET", pathVerify, "5.0", nil).text(401, "Invalid API key")
		c.do("POST", pathVerify, "5.0", []byte("{")).text(401, "Invalid API key")
		c.do("POST", pathHandshake, "5.0", nil).text(401, "Invalid API key")
		c.do("POST", "/t1"+pathSession, "2.7", nil).text(401, "Invalid API key")
		c.do("POST", "/nope", "5.0", nil).text(404, "Not found")
	}},
	{number: 28, name: "bad version comes before method and path", run: func(t *testing.T, _ string) {
		c := start(t)
		for _, p := range []string{pathVerify, "/nope", "/"} {
			c.do("DELETE", p, "2.6", nil).text(400, "cdi-version 2.6 not supported")
			c.do("OPTIONS", p, "abc", nil).text(400, "cdi-version header is invalid")
		}
		low := start(t, surface(func(o *httpapi.Options) { o.MinVersion = "4.0" }))
		low.do("DELETE", pathVerify, "3.1", nil).text(400, "cdi-version 3.1 is lower than the minimum allowed version 4.0")
	}},
	{number: 29, name: "rid", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, rid := range []string{"session", "nonsense", "emailpassword"} {
			s := c.create(cdi)
			for _, e := range sessionEndpoints {
				e.call(c, cdi, s, same, "rid", rid).ok()
			}
		}
	}},
	{number: 30, name: "UTF-8", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		data := obj{"naïve": "é 漢字 🙂", "esc": "\u2028\u0001\\\""}
		s := c.create(cdi, obj{"userId": "é漢🙂", "userDataInJWT": data, "userDataInDatabase": data})
		s.answer.equals(data, "session", "userDataInJWT").equals("é漢🙂", "session", "userId")
		c.getSession(cdi, s.handle).ok().equals(data, "userDataInJWT").equals(data, "userDataInDatabase").equals("é漢🙂", "userId")
		c.verify(cdi, s.access).ok().equals(data, "session", "userDataInJWT")
		if got := c.handles(cdi, "é漢🙂"); len(got) != 1 {
			t.Errorf("listed %v", got)
		}
	}},
	{number: 31, name: "not a JSON object", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, e := range sessionEndpoints {
			if e.method == "GET" {
				continue
			}
			for _, body := range []string{"", "[]", "null", `"x"`, "1", `{"userId":`, `{} x`, "\x00", "{\"a\":1"} {
				c.do(e.method, e.path, cdi, []byte(body)).text(400, "Invalid Json Input")
			}
		}
	}},
	{number: 32, name: "extra fields", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi, obj{"extra": 1, "accessToken": nil})
		for _, e := range sessionEndpoints {
			if e.body == nil {
				continue
			}
			b := with(e.body(c, cdi, s), obj{"extra": []int{1}, "nope": nil})
			if !atLeast(cdi, "2.21") && e.path == pathVerify {
				b["checkDatabase"] = "not a boolean"
			}
			if !atLeast(cdi, "3.0") {
				if cdi != "2.21" || e.path != pathSession {
					b["useDynamicSigningKey"] = "x"
				}
			}
			if !atLeast(cdi, "5.6") {
				b["accessTokenValidity"] = "x"
			}
			c.do(e.method, e.path, cdi, encode(t, b)).ok()
		}
	}},
}

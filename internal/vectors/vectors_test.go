package vectors

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const uuid1, uuid2 = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

// TestPlayerSeesDifferences: a player that agreed with everything would make
// the recordings worthless.
func TestPlayerSeesDifferences(t *testing.T) {
	t.Parallel()
	scenario := func(answer Answer) *Scenario {
		return &Scenario{File: "x", Env: map[string]string{"run": "r1", "h": uuid1}, Steps: []Step{{
			ID: "one", Method: "GET", Path: "/x", Save: map[string]string{"h": "session.handle"}, Response: &answer,
		}}}
	}
	recorded := func(body string) Answer {
		return Answer{Status: 200, ContentType: "application/json;charset=UTF-8", Body: json.RawMessage(body)}
	}
	good := `{"status":"OK","session":{"handle":"` + uuid1 + `","userId":"u-r1","n":1.0},"expiry":1795560215116,"sessionHandles":["a","b"]}`
	for _, tc := range []struct {
		name    string
		want    Answer
		code    int
		kind    string
		body    string
		differs bool
	}{
		{"the same but for what must differ", recorded(good), 200, "application/json; charset=utf-8",
			`{"session":{"userId":"u-r2","handle":"` + uuid2 + `","n":1},"status":"OK","expiry":1,"sessionHandles":["b","a","a"]}`, false},
		{"another status", recorded(good), 200, "application/json;charset=UTF-8", strings.Replace(strings.Replace(good, `"OK"`, `"UNAUTHORISED"`, 1), "r1", "r2", 1), true},
		{"a field too much", recorded(good), 200, "application/json;charset=UTF-8", strings.Replace(strings.Replace(good, `"status"`, `"more":1,"status"`, 1), "r1", "r2", 1), true},
		{"a field is missing", recorded(good), 200, "application/json;charset=UTF-8", `{"status":"OK"}`, true},
		{"another number", recorded(good), 200, "application/json;charset=UTF-8", strings.Replace(strings.Replace(good, "1.0", "1.5", 1), "r1", "r2", 1), true},
		{"another HTTP status", recorded(good), 201, "application/json;charset=UTF-8", good, true},
		{"another content type", recorded(good), 200, "text/html;charset=UTF-8", good, true},
		{"a text", Answer{Status: 400, ContentType: "text/html;charset=UTF-8", Text: "no r1\n"}, 400, "text/html;charset=UTF-8", "no r2\n", false},
		{"another text", Answer{Status: 400, ContentType: "text/html;charset=UTF-8", Text: "no\n"}, 400, "text/html;charset=UTF-8", "yes\n", true},
		{"any message where a Java class was named", recorded(`{"status":"X","message":"io.supertokens.Y: z"}`), 200, "application/json;charset=UTF-8", `{"status":"X","message":"ours"}`, false},
		{"no message there", recorded(`{"status":"X","message":"io.supertokens.Y: z"}`), 200, "application/json;charset=UTF-8", `{"status":"X","message":""}`, true},
		{"a refusal where the real core slipped", Answer{Status: 500, Text: "java.lang.X"}, 400, "text/html;charset=UTF-8", "bad\n", false},
		{"a 5xx where the real core slipped", Answer{Status: 500, Text: "java.lang.X"}, 500, "text/html;charset=UTF-8", "bad\n", true},
		{"OK where the real core slipped", Answer{Status: 500, Text: "java.lang.X"}, 200, "application/json;charset=UTF-8", `{"status":"OK"}`, true},
		{"more versions", recorded(`{"versions":["2.7"]}`), 200, "application/json;charset=UTF-8", `{"versions":["9.9","2.7"]}`, false},
		{"a version less", recorded(`{"versions":["2.7","2.8"]}`), 200, "application/json;charset=UTF-8", `{"versions":["2.7"]}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.kind)
				w.WriteHeader(tc.code)
				_, _ = io.WriteString(w, tc.body)
			}))
			defer srv.Close()
			found, err := (&Player{Client: srv.Client(), Base: srv.URL}).Play(t.Context(), scenario(tc.want), "r2")
			if err != nil {
				t.Fatal(err)
			}
			if (len(found) > 0) != tc.differs {
				t.Errorf("differences %v, want some: %v", found, tc.differs)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	enc := base64.RawURLEncoding.EncodeToString
	jwt := enc([]byte(`{"alg":"RS256","kid":"k","typ":"JWT"}`)) + "." + enc([]byte(`{"sub":"u"}`)) + "." + strings.Repeat("s", 342)
	seen := map[string]string{}
	for _, name := range []string{"upper", "flip", "trunc", "dup", "spaces", "urlsafe-pad", "nul", "two-parts", "four-parts", "nosig", "none", "hs256",
		"kid-unknown", "kid-missing", "typ-other", "ver-9", "jwk", "sub-other", "handle-other", "exp-far"} {
		got, err := filter(name, jwt)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got == jwt {
			t.Errorf("%s changes nothing", name)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s make the same", name, other)
		}
		seen[got] = name
	}
	if _, err := filter("nonsense", jwt); err == nil {
		t.Error("an unknown filter is no error")
	}
}

package cdi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
)

func TestVerifyOK(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		status     int
		want       bool
	}{
		{"plain", `{"status":"OK","session":{"handle":"h"}}` + "\n", 200, true},
		{"status last, blanks", " { \"session\" : {\"a\":[1,-2.5e+3,true,null,\"\\u00e9\"]} , \"status\" : \"OK\" } ", 200, true},
		{"refused", `{"status":"UNAUTHORISED","message":"x"}`, 200, false},
		{"try refresh", `{"status":"TRY_REFRESH_TOKEN"}`, 200, false},
		{"OK by another HTTP status", `{"status":"OK"}`, 500, false},
		{"OK inside the session only", `{"session":{"status":"OK"}}`, 200, false},
		{"OK inside, refusal outside", `{"session":{"status":"OK"},"status":"TRY_REFRESH_TOKEN"}`, 200, false},
		{"OK first, refused afterwards", `{"status":"OK","status":"UNAUTHORISED"}`, 200, false},
		{"refused first, OK afterwards", `{"status":"TRY_REFRESH_TOKEN","status":"OK"}`, 200, false},
		{"twice OK", `{"status":"OK","status":"OK"}`, 200, false},
		{"a name spelled with escapes", `{"status":"OK","\u0073tatus":"UNAUTHORIS\u0045D"}`, 200, false},
		{"UNAUTHORISED anywhere", `{"status":"OK","message":"UNAUTHORISED"}`, 200, false},
		{"cut off", `{"status":"OK","session":{"handle":"h"`, 200, false},
		{"two objects", `{"status":"OK"}{"status":"OK"}`, 200, false},
		{"no JSON", `status OK`, 200, false},
		{"empty", ``, 200, false},
		{"array", `["status","OK"]`, 200, false},
		{"lower case", `{"status":"ok"}`, 200, false},
		{"too deep", `{"status":"OK","x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, 200, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := verifyOK(tc.status, []byte(tc.body)); got != tc.want {
				t.Errorf("VerifyOK(%d, %s) = %v, want %v", tc.status, tc.body, got, tc.want)
			}
		})
	}
}

func TestVerifyOKDoesNotAllocate(t *testing.T) {
	body := []byte(`{"status":"OK","session":{"handle":"h","userId":"u","userDataInJWT":{"a":[1,2]}},"accessToken":{"token":"x","expiry":1,"createdTime":2}}`)
	if n := testing.AllocsPerRun(100, func() {
		if !saysOK(body) {
			t.Fatal("refused")
		}
	}); n > 0 {
		t.Errorf("%v allocations a call, want 0", n)
	}
}

func TestVerifyHTTPIsWhatVerifySends(t *testing.T) {
	t.Parallel()
	url, last := scripted(t, 200, `{"status":"OK",`+session5+`}`)
	c := client(t, url, "5.4")
	r := protocol.VerifyRequest{AccessToken: "t", CheckDatabase: true}
	if _, err := c.Verify(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	method, target, header, body := c.VerifyHTTP(r)
	got := last()
	if method != got.Method || target != url+got.URI {
		t.Errorf("%s %s, want %s %s", method, target, got.Method, url+got.URI)
	}
	for name := range header {
		if header.Get(name) != got.Header.Get(name) {
			t.Errorf("header %s: %q, want %q", name, header.Get(name), got.Header.Get(name))
		}
	}
	var parsed map[string]any
	if err := json.Unmarshal(body, &parsed); err != nil || parsed["accessToken"] != "t" || parsed["checkDatabase"] != true {
		t.Errorf("body %s (%v)", body, err)
	}
}

func BenchmarkVerifyOK(b *testing.B) {
	body := []byte(`{"status":"OK","session":{"handle":"0f2b","userId":"u","recipeUserId":"u","tenantId":"public","userDataInJWT":{"role":"admin","n":[1,2,3]}}}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if !saysOK(body) {
			b.Fatal("refused")
		}
	}
}

// FuzzVerifyOK holds the fast judge to the slow one: what it lets pass is JSON
// whose status is OK, and it lets everything simple of that kind pass.
func FuzzVerifyOK(f *testing.F) {
	for _, s := range []string{
		`{"status":"OK"}`, `{"status":"OK","a":{"b":[1,2.5e-3,"\u00ff\n",null,true,false]}}`,
		`{"status":"UNAUTHORISED"}`, `{"status":"OK","status":"NO"}`, `{"status":"OK"`, `[]`, `{"a":01}`, `{"a":-}`, `{}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := saysOK(body)
		var v map[string]json.RawMessage
		valid := json.Unmarshal(body, &v) == nil && v != nil
		if got && (!valid || string(v["status"]) != `"OK"`) {
			t.Fatalf("passed %q", body)
		}
		if got && strings.Contains(string(body), "UNAUTHORISED") {
			t.Fatalf("passed a body that holds UNAUTHORISED: %q", body)
		}
		simple := valid && string(v["status"]) == `"OK"` && strings.Count(string(body), "status") == 1 &&
			!strings.ContainsAny(string(body), `\`) && strings.Count(string(body), "[")+strings.Count(string(body), "{") < maxDepth &&
			!strings.Contains(string(body), "UNAUTHORISED")
		if simple && !got {
			t.Fatalf("refused %q", body)
		}
	})
}

// FuzzDecode feeds the decoder what a broken or hostile server may send.
func FuzzDecode(f *testing.F) {
	f.Add(200, `{"status":"OK",`+session5+`,"accessToken":`+aToken+`,"refreshToken":`+aToken+`}`)
	f.Add(200, `{"status":"UNAUTHORISED","message":7}`)
	f.Add(500, "java.lang.NullPointerException\n")
	f.Add(200, `{"status":"OK","session":null,"sessionHandles":[1]}`)
	c, err := New(protocol.DialOptions{BaseURL: "http://h", Version: "5.4"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		r := protocol.Reply{HTTPStatus: status, Text: body}
		err := decode(&r)
		if err == nil && r.Status == "" {
			t.Fatal("no error and no status")
		}
		if status != 200 && r.Status != protocol.HTTPError {
			t.Fatalf("HTTP %d became %s", status, r.Status)
		}
		got, err := c.tokens(r, err, true, true)
		if err == nil && got.Status == protocol.OK && (got.Session.Handle == "" || got.Access.Value == "" || got.Refresh.Value == "") {
			t.Fatalf("OK with missing parts passed: %q", body)
		}
	})
}

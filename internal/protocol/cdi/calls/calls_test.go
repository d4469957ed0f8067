package calls

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	versions := cdi.Versions()
	faulty, mixed := 0, 0
	for i := range 400 {
		list := Generate(5, i, versions)
		if again := Generate(5, i, versions); !reflect.DeepEqual(list, again) {
			t.Fatalf("sequence %d is another one the second time", i)
		}
		for n := range list {
			c := &list[n]
			if c.ID != n+1 {
				t.Fatalf("sequence %d: call %d has id %d", i, n+1, c.ID)
			}
			for _, id := range c.Needs() {
				if id >= c.ID {
					t.Errorf("sequence %d: call %d needs the later call %d", i, c.ID, id)
				}
			}
			if c.Fault != "" {
				faulty++
			}
			if c.Home != versions[i%len(versions)] {
				mixed++
			}
			if body, has := c.body(); has && c.Raw == nil && !json.Valid([]byte(body)) {
				t.Errorf("sequence %d: call %d sends no JSON: %s", i, c.ID, body)
			}
		}
	}
	if faulty < 1000 || mixed < 300 {
		t.Errorf("%d faulty calls and %d of another version: too few", faulty, mixed)
	}
	if reflect.DeepEqual(Generate(5, 0, versions), Generate(6, 0, versions)) {
		t.Error("another seed gives the same sequence")
	}
}

// TestFaultsAreGoneThrough: what chance brings seldom is in some sequence of each version.
func TestFaultsAreGoneThrough(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 40 {
		for _, c := range Generate(9, i, []string{"5.4"}) {
			if c.Version == c.Home || c.Fault == faultVersion {
				seen[c.Fault+" "+c.Method+" "+strings.TrimSuffix(c.Path, "/nothing")] = true
			}
		}
	}
	for _, e := range endpoints {
		want := faultMethod + " OPTIONS " + e.path
		if !seen[want] {
			t.Errorf("%s is never called with a method that is not offered", e.path)
		}
	}
}

func TestUniverse(t *testing.T) {
	t.Parallel()
	all := Universe(cdi.Versions())
	once := map[Cell]bool{}
	for _, c := range all {
		if once[c] {
			t.Errorf("%v stands there twice", c)
		}
		once[c] = true
	}
	for cell, want := range map[Cell]bool{
		{"verify", "5.5", "OK, new token"}:            true,
		{"verify", "5.6", "OK, new token"}:            false,
		{"handshake", "2.20", "OK"}:                   true,
		{"handshake", "2.21", "OK"}:                   false,
		{"refresh", "2.7", "TOKEN_THEFT_DETECTED"}:    true,
		{"create", "2.20", "400 " + faultProtected}:   false,
		{"create", "2.21", "400 " + faultProtected}:   true,
		{"get data", "2.9", "400 " + faultParam}:      true,
		{"handshake", "2.9", "400 " + faultField}:     false,
		{"verify", "2.9", "405 " + faultMethod}:       true,
		{"any", "3.0", "400 " + faultVersion}:         true,
		{"remove", "2.10", "400 " + faultHandle}:      true,
		{"hello", "2.7", "400 " + faultApp}:           false,
		{"put payload", "5.6", "400 " + faultApp}:     true,
		{"key set", "4.0", "200"}:                     true,
		{"verify", "2.20", "OK, payload unchanged"}:   false,
		{"refresh", "5.6", "TOKEN_THEFT_DETECTED"}:    false,
		{"verify", "5.6", "OK, payload unchanged"}:    true,
		{"regenerate", "5.6", "OK, new token"}:        true,
		{"versions", "2.7", "405 " + faultMethod}:     true,
		{"create", "2.20", "404 " + faultTenant}:      true,
		{"create", "3.0", "404 " + faultTenant}:       false,
		{"refresh", "5.6", "400 " + faultValidity}:    true,
		{faultPath, "2.7", "404 " + faultPath}:        true,
		{"get payload", "2.16", "405 " + faultMethod}: true,
	} {
		if once[cell] != want {
			t.Errorf("%v is there: %v, want %v", cell, once[cell], want)
		}
	}
}

// answer of a create whose ids, tokens and times are the core's own.
func answer(n int, sent time.Time, change func(map[string]any)) *Answer {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return strings.TrimRight(base64URL(b), "=")
	}
	handle := fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)
	claims := map[string]any{"sub": "u", "sessionHandle": handle, "refreshTokenHash1": strings.Repeat(fmt.Sprint(n), 64), "iat": sent.Unix(), "exp": sent.Add(time.Hour).Unix(), "role": "admin"}
	body := map[string]any{
		"status":       "OK",
		"session":      map[string]any{"handle": handle, "userId": "u", "userDataInJWT": map[string]any{"n": json.Number("12345678901234567890"), "time": 7}},
		"accessToken":  map[string]any{"token": part(map[string]any{"alg": "RS256", "kid": fmt.Sprintf("d-%d", n)}) + "." + part(claims) + ".sig", "expiry": sent.Add(time.Hour).UnixMilli(), "createdTime": sent.UnixMilli()},
		"refreshToken": map[string]any{"token": fmt.Sprintf("refresh-%d", n), "expiry": sent.Add(2400 * time.Hour).UnixMilli(), "createdTime": sent.UnixMilli()},
	}
	body["claims"] = claims // for changes
	if change != nil {
		change(body)
		body["accessToken"].(map[string]any)["token"] = part(map[string]any{"alg": "RS256", "kid": fmt.Sprintf("d-%d", n)}) + "." + part(claims) + ".sig"
	}
	delete(body, "claims")
	b, _ := json.Marshal(body)
	return &Answer{Status: 200, Type: "application/json;charset=UTF-8", Body: b, Sent: sent}
}

func base64URL(b []byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var out strings.Builder
	for i := 0; i < len(b); i += 3 {
		var x uint32
		n := min(3, len(b)-i)
		for k := range 3 {
			x <<= 8
			if k < n {
				x |= uint32(b[i+k])
			}
		}
		for k := range n + 1 {
			out.WriteByte(letters[x>>(18-6*k)&63])
		}
	}
	return out.String()
}

func TestMeaning(t *testing.T) {
	t.Parallel()
	now := time.Now()
	object := func(b map[string]any, name string) map[string]any { return b[name].(map[string]any) }
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		tol    Tolerance
		path   string // "" when they agree
	}{
		{"ids, tokens and times of its own", func(map[string]any) {}, Tolerance{}, ""},
		{"another status", func(b map[string]any) { b["status"] = "UNAUTHORISED" }, Tolerance{}, "body.status"},
		{"a member less", func(b map[string]any) { delete(b, "refreshToken") }, Tolerance{}, "body.refreshToken"},
		{"a member more", func(b map[string]any) { b["idRefreshToken"] = 1 }, Tolerance{}, "body.idRefreshToken"},
		{"another user in the token", func(b map[string]any) { object(b, "claims")["sub"] = "v" }, Tolerance{}, "body.accessToken.token.claims.sub"},
		{"the token of another session", func(b map[string]any) {
			object(b, "claims")["sessionHandle"] = "99999999-0000-4000-8000-000000000000"
		}, Tolerance{}, "body.session.handle"},
		{"a claim less", func(b map[string]any) { delete(object(b, "claims"), "role") }, Tolerance{}, "body.accessToken.token.claims.role"},
		{"times in seconds", func(b map[string]any) { object(b, "accessToken")["expiry"] = now.Add(time.Hour).Unix() }, Tolerance{}, "body.accessToken.expiry"},
		{"another life", func(b map[string]any) { object(b, "claims")["exp"] = now.Add(57 * time.Minute).Unix() }, Tolerance{}, "body.accessToken.token.claims.exp"},
		{"another life where lives are drawn", func(b map[string]any) { object(b, "claims")["exp"] = now.Add(57 * time.Minute).Unix() }, Tolerance{Lives: 0.25}, ""},
		{"half a life where lives are drawn", func(b map[string]any) { object(b, "claims")["exp"] = now.Add(30 * time.Minute).Unix() }, Tolerance{Lives: 0.25}, "body.accessToken.token.claims.exp"},
		{"a refresh token's life, which is never drawn", func(b map[string]any) {
			object(b, "refreshToken")["expiry"] = now.Add(2000 * time.Hour).UnixMilli()
		}, Tolerance{Lives: 0.25}, "body.refreshToken.expiry"},
		{"a number through a float", func(b map[string]any) {
			object(object(b, "session"), "userDataInJWT")["n"] = json.Number("12345678901234567000")
		}, Tolerance{}, "body.session.userDataInJWT.n"},
		{"a number spelt otherwise", func(b map[string]any) {
			object(object(b, "session"), "userDataInJWT")["time"] = json.Number("7.0")
		}, Tolerance{}, ""},
		{"the caller's data are not taken for times", func(b map[string]any) {
			object(object(b, "session"), "userDataInJWT")["time"] = 8
		}, Tolerance{}, "body.session.userDataInJWT.time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			left, right := (&Core{}).NewPlay("r"), (&Core{}).NewPlay("r")
			path, l, r := c.tol.Differs(left.Meaning(answer(1, now, nil)), right.Meaning(answer(2, now.Add(time.Second), c.change)))
			if path != c.path {
				t.Errorf("differs at %q (%s, %s), want %q", path, l, r, c.path)
			}
		})
	}
}

// TestSameSession: that two answers are about the same session is part of what they mean.
func TestSameSession(t *testing.T) {
	t.Parallel()
	now := time.Now()
	left, right := (&Core{}).NewPlay("r"), (&Core{}).NewPlay("r")
	left.Meaning(answer(1, now, nil))
	right.Meaning(answer(2, now, nil))
	left.Meaning(answer(3, now, nil))
	right.Meaning(answer(4, now, nil))
	if path, _, _ := (Tolerance{}).Differs(left.Meaning(answer(1, now, nil)), right.Meaning(answer(2, now, nil))); path != "" {
		t.Errorf("the same session differs at %s", path)
	}
	if path, _, _ := (Tolerance{}).Differs(left.Meaning(answer(1, now, nil)), right.Meaning(answer(4, now, nil))); path == "" {
		t.Error("another session is taken for the same")
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	text := func(status int, s string) map[string]any {
		return (&Core{}).NewPlay("run-1").Meaning(&Answer{Status: status, Type: "text/html;charset=UTF-8", Body: []byte(s), Sent: time.Now()})
	}
	for _, c := range []struct {
		name        string
		left, right map[string]any
		tol         Tolerance
		path        string
	}{
		{"a line feed", text(400, "x"), text(400, "x\n"), Tolerance{}, ""},
		{"another text", text(400, "x"), text(400, "y"), Tolerance{}, "text"},
		{"another text that nobody asks for", text(400, "x"), text(400, "y"), Tolerance{Texts: true}, ""},
		{"no text", text(400, "x"), text(400, ""), Tolerance{Texts: true}, "text"},
		{"another status", text(400, "x"), text(404, "x"), Tolerance{Texts: true}, "status"},
		{"texts of a 5xx", text(500, "x"), text(500, "y"), Tolerance{}, ""},
		{"a refusal and a 5xx", text(400, "x"), text(500, "x"), Tolerance{}, "status"},
		{"the play's own word", text(400, "user run-1a"), text(400, "user run-1a"), Tolerance{}, ""},
	} {
		if path, _, _ := c.tol.Differs(c.left, c.right); path != c.path {
			t.Errorf("%s: differs at %q, want %q", c.name, path, c.path)
		}
	}
}

// TestChangesInShell: a script spoils values as this program does.
func TestChangesInShell(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sed"); err != nil {
		t.Skip("there is no sed")
	}
	values := []string{"abc", "aaaa.bbbb.cccccccccccccccccccccccccccccc", "x.y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "3f0c8d2e-9a7b-4c1d-8e5f-0a1b2c3d4e5f", strings.Repeat("bA.", 30)}
	for name, c := range changes {
		for _, v := range values {
			cmd := exec.Command("sed", "-e", strings.ReplaceAll(c.sed, ";t;", "\nt\n"))
			cmd.Stdin = strings.NewReader(v + "\n")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, want := strings.TrimSuffix(string(out), "\n"), c.do(v); got != want {
				t.Errorf("%s of %s: sed gives %s, want %s", name, v, got, want)
			}
		}
	}
}

func TestByChance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		endpoint, text string
		want           bool
	}{
		{"verify", `"{{1.refresh}}"`, true}, {"regenerate", `"{{12.refresh}}"`, true}, {"refresh", `"{{1.refresh}}"`, false},
		{"verify", `"{{1.access}}"`, false}, {"verify", `"{{1.access|flip}}"`, false},
	} {
		call := Call{Endpoint: c.endpoint, Body: []Field{{"accessToken", c.text}}}
		if got := call.ByChance(); got != c.want {
			t.Errorf("%s of %s: %v, want %v", c.endpoint, c.text, got, c.want)
		}
	}
}

func TestSimpler(t *testing.T) {
	t.Parallel()
	c := Call{ID: 2, Endpoint: "verify", Version: "2.9", Home: "2.9", Path: "/public/recipe/session/verify", Instance: 3,
		Body: []Field{{"accessToken", `"{{1.access}}"`}, {"antiCsrfToken", `"wrong"`}, {extraField, "1"}, {"doAntiCsrfCheck", "true"}, {"enableAntiCsrf", "false"}}}
	var got []string
	for _, s := range c.Simpler("5.4") {
		if reflect.DeepEqual(s, c) {
			t.Error("one is no simpler")
		}
		got = append(got, s.String())
	}
	if len(got) != 6 {
		t.Errorf("got %d simpler calls, want 6: %s", len(got), strings.Join(got, "\n"))
	}
	if len(c.Body) != 5 || c.Body[3].Text != "true" {
		t.Error("the call itself was changed")
	}
}

func FuzzMeaning(f *testing.F) {
	f.Add(`{"status":"OK","session":{"handle":"11111111-1111-4111-8111-111111111111"},"accessToken":{"token":"a.b.c","expiry":1}}`)
	f.Add(`{"sessionHandles":["x","x"],"exp":1e400,"iat":-1}`)
	f.Add(`[[[]]] x`)
	f.Fuzz(func(t *testing.T, body string) {
		now := time.Now()
		a := &Answer{Status: 200, Type: "application/json", Body: []byte(body), Sent: now}
		left, right := (&Core{}).NewPlay("r"), (&Core{}).NewPlay("r")
		left.keep(&Call{ID: 1}, a)
		if path, l, r := (Tolerance{}).Differs(left.Meaning(a), right.Meaning(a)); path != "" {
			t.Errorf("an answer differs from itself at %s: %s, %s", path, l, r)
		}
		_ = Outcome(&Call{}, a)
	})
}

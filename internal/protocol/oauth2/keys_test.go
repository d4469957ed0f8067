package oauth2

import (
	"crypto"
	"net/url"
	"strings"
	"testing"
)

// FuzzToken: what nobody signed is never verified, and nothing panics.
func FuzzToken(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjl9.AAAA", `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`)
	f.Add("..", `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`)
	f.Add("", ``)
	f.Fuzz(func(t *testing.T, token, set string) {
		keys, err := readKeys([]byte(set))
		if err != nil {
			keys = map[string]crypto.PublicKey{}
		}
		if isJWT(token) && strings.Count(token, ".") != 2 {
			t.Errorf("%q is taken for a JWT", token)
		}
		for _, k := range keys {
			if verify(k, "none", token, nil) == nil || verify(k, "HS256", token, []byte(token)) == nil {
				t.Errorf("%q verifies without a signature", token)
			}
		}
	})
}

// FuzzForm: whatever a page holds, the password goes into a password field alone.
func FuzzForm(f *testing.F) {
	f.Add(`<form action="/login"><input name="u"><input type=password name=p><input type="hidden" name=id value=7></form><form>`)
	f.Add(`<input name=x>`)
	f.Fuzz(func(t *testing.T, page string) {
		_, values, ok := firstForm(page, "user", "pass-word")
		if !ok && len(values) > 0 {
			t.Errorf("values without a form: %v", values)
		}
	})
}

func FuzzActive(f *testing.F) {
	f.Add([]byte(`{"active":true}`))
	f.Add([]byte(`{"active":false,"ext":{"active":true}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if saysActive(body) && !strings.Contains(strings.ToLower(string(body)), "true") {
			t.Errorf("%q says that a token is active", body)
		}
	})
}

func TestFirstForm(t *testing.T) {
	t.Parallel()
	action, values, ok := firstForm(`<p><form METHOD=post action="/in?x=1&amp;y=2"><input type="hidden" name="id" value="a&amp;b"><input name=login>
<input type="password" name="pw"/><input type=checkbox name=stay value=1><input type="submit" name="go" value="Go"></form><form action="/other"><input name="z"></form>`, "ann", "pw 1")
	want := url.Values{"id": {"a&b"}, "login": {"ann"}, "pw": {"pw 1"}}
	if !ok || action != "/in?x=1&y=2" || values.Encode() != want.Encode() {
		t.Errorf("%v %q %v", ok, action, values)
	}
}

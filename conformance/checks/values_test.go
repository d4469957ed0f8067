package checks

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestVerifyJWT(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	token := func(header string) string {
		text := b64([]byte(header)) + "." + b64([]byte(`{"sub":"u"}`))
		digest := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + b64(signature)
	}
	good := token(`{"alg":"RS256","kid":"d-1"}`)
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"s-9","n":"AQ","e":"AQAB"},{"kty":"RSA","kid":"d-1","n":%q,"e":"AQAB"}]}`, b64(key.N.Bytes()))
	for _, tc := range []struct{ name, token, set, errHas string }{
		{"good", good, set, ""},
		{"another payload", flip(good, 1), set, "does not verify"},
		{"another signature", flip(good, 2), set, "does not verify"},
		{"another key", token(`{"alg":"RS256","kid":"d-2"}`), set, "none of 2 keys"},
		{"another algorithm", token(`{"alg":"none","kid":"d-1"}`), set, "want RS256"},
		{"a private member", good, strings.Replace(set, `"kid":"d-1"`, `"kid":"d-1","d":"AQ"`, 1), "private"},
		{"no set", good, "<html>", "cannot be read"},
		{"no token", "x", set, "1 parts"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			kid, err := verifyJWT(tc.token, tc.set)
			if tc.errHas == "" {
				if err != nil || kid != "d-1" {
					t.Fatalf("got %q, %v", kid, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.errHas) {
				t.Fatalf("got %v, want an error with %q", err, tc.errHas)
			}
		})
	}
}

func TestSameJSON(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[null,true]}`, `{ "b":[null,true],"a":1.0}`, true},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		{`{"a":0.5}`, `{"a":0.50}`, true},
		{`{"a":null}`, `{}`, false},
		{`{"a":"1"}`, `{"a":1}`, false},
		{`{"a":1e99999999}`, `{"a":2}`, false},
		{`{`, `{`, false},
	} {
		if got := sameJSON([]byte(tc.a), []byte(tc.b)); got != tc.want {
			t.Errorf("sameJSON(%s, %s) = %v", tc.a, tc.b, got)
		}
	}
}

func TestFlip(t *testing.T) {
	t.Parallel()
	for part := range 3 {
		if got := flip("aaaa.AAAA.bbbb", part); got == "aaaa.AAAA.bbbb" || len(got) != 14 || strings.Count(got, ".") != 2 {
			t.Errorf("part %d: %s", part, got)
		}
	}
	if flip("x", 2) == "x" {
		t.Error("a text without parts is unchanged")
	}
}

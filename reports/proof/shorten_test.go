package proof_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// Tokens as cores hand them out, from recorded exchanges. They open nothing.
const (
	accessV2 = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0=." +
		"eyJ1c2VySWQiOiJ1c2VyLTEtcjk4NjFkNXQiLCJzZXNzaW9uSGFuZGxlIjoiOTMyOTI3MDMiLCJ1c2VyRGF0YSI6e319." +
		"oCdT3QTZ//ZejkrFRDe1liRajRoI0wZLB1Dr/nT1OphAus/rWpnQlIt4q+vKBhZByyfaxundzJX1MIcknTGpZA=="
	accessV5 = "eyJraWQiOiJkLTE3OTU1NjAxMTA5MzIiLCJ0eXAiOiJKV1QiLCJ2ZXJzaW9uIjoiNSIsImFsZyI6IlJTMjU2In0." +
		"eyJzdWIiOiJ1c2VyLTEiLCJleHAiOjE3OTU1NjM2OTksImlhdCI6MTc5NTU2MDE2N30." +
		"lspzY4oav75Y86NTNrFcizJaltjPU7zwHAcDynFt7TvjGMaddoVRnh0ct7rykn68QQ_wNoI7p4ycCLbpb34zuTcUOkjdeUIX-A"
	refreshV2 = "oq6EiqY0F7LVoIaNKdrQdYDK0dP5DaJbj/iL5ez4D9evyVod3W+PXfZbdkrtmX/YxyYvX90EOkasAD8fpGe/gnVcWZxd6WOQ+g==." +
		"b863bc0f86012238ce4b4c18c0b9e1619b362d04b5e990fa0e600877d0f22c1f.V2"
	apiKey = "abcdefghijklmnopqrst1"
	handle = "93292703-0c87-4f96-a8b4-034f810f089f"
)

func TestShortenTokensLeavesNone(t *testing.T) {
	t.Parallel()
	tokens := map[string]string{"access V2": accessV2, "access V5": accessV5, "refresh": refreshV2}
	places := map[string]func(token string) string{
		"alone":                func(s string) string { return s },
		"in JSON":              func(s string) string { return `{"accessToken":{"token":"` + s + `","expiry":1795563699515}}` },
		"in JSON, slashes":     func(s string) string { return `{"t":"` + strings.ReplaceAll(s, "/", `\/`) + `"}` },
		"in JSON, equal signs": func(s string) string { return `{"t":"` + strings.ReplaceAll(s, "=", `\u003d`) + `"}` },
		"in JSON in JSON":      func(s string) string { j, _ := json.Marshal(`{"t":"` + s + `"}`); return string(j) },
		"in a query":           func(s string) string { return "http://127.0.0.1:1/x?token=" + url.QueryEscape(s) + "&a=b" },
		"as a bearer":          func(s string) string { return "Authorization: Bearer " + s },
		"in a curl line":       func(s string) string { return `curl -d '{"refreshToken":"` + s + `"}' http://127.0.0.1:1/recipe` },
		"twice":                func(s string) string { return s + s },
		"with a word before":   func(s string) string { return "token" + s },
		"with a dot behind":    func(s string) string { return "The token was " + s + "." },
		"first part gone":      func(s string) string { return s[strings.Index(s, ".")+1:] },
		"last 5 letters gone":  func(s string) string { return s[:len(s)-5] },
		"without a signature":  func(s string) string { return s[:strings.LastIndex(s, ".")+1] },
		"in a Java exception":  func(s string) string { return "io.supertokens.X$TryRefreshTokenException: " + s + "\n\tat y" },
	}
	for tn, token := range tokens {
		for pn, place := range places {
			t.Run(tn+" "+pn, func(t *testing.T) {
				t.Parallel()
				in := place(token)
				got := proof.ShortenTokens(in)
				if !strings.Contains(got, "…") {
					t.Fatalf("ShortenTokens(%q) = %q, want something shortened", in, got)
				}
				if s := survivor(got, token); s != "" {
					t.Errorf("ShortenTokens(%q) = %q: %q survived", in, got, s)
				}
				if again := proof.ShortenTokens(got); again != got {
					t.Errorf("shortened again: %q, want it as it was: %q", again, got)
				}
			})
		}
	}
}

// survivor gives a stretch of 20 characters of token that stands in text.
func survivor(text, token string) string {
	for i := 0; i+20 <= len(token); i++ {
		if strings.Contains(text, token[i:i+20]) {
			return token[i : i+20]
		}
	}
	return ""
}

func TestShortenTokens(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"prose", "The database could not be reached within 5 seconds.", "The database could not be reached within 5 seconds."},
		{"head and tail stay", accessV5, "eyJraWQi…jdeUIX-A"},
		{"a refresh token keeps its version", refreshV2, "oq6EiqY0…22c1f.V2"},
		{"an API key in a header", "api-key: " + apiKey, "api-key: ab…t1"},
		{"an API key in JSON", `{"apiKey":"` + apiKey + `"}`, `{"apiKey":"ab…t1"}`},
		{"API keys in the environment", "API_KEYS=" + apiKey + "," + apiKey, "API_KEYS=abcde…qrst1"},
		{"an API key in a curl line", "curl -H 'api-key: " + apiKey + "' http://x/", "curl -H 'api-key: ab…t1' http://x/"},
		{"a UUID as API key", "api-key: " + handle, "api-key: 9329…089f"},
		{"a bearer", "authorization: bearer " + apiKey, "authorization: bearer ab…t1"},
		{"prose about bearers", "bearer authentication is off", "bearer authentication is off"},
		{"the core's refusal", "Invalid API key\n", "Invalid API key\n"},
		{"a long opaque value", "secret=" + strings.Repeat("a1B2", 12), "secret…B2a1B2"},
		{"a session handle stays", `{"handle":"` + handle + `"}`, `{"handle":"` + handle + `"}`},
		{"a handle with a tenant stays", `{"handle":"` + handle + `_tenant1"}`, `{"handle":"` + handle + `_tenant1"}`},
		{"a path stays", "/appid-public/public/recipe/session/regenerate", "/appid-public/public/recipe/session/regenerate"},
		{"a path with a handle stays", "/recipe/session/" + handle + "/data", "/recipe/session/" + handle + "/data"},
		{"an address stays", "http://127.0.0.1:34567/recipe/session/verify?userId=user-1", "http://127.0.0.1:34567/recipe/session/verify?userId=user-1"},
		{"a Java class stays", "io.supertokens.session.refreshToken.RefreshToken$InvalidRefreshTokenFormatException", "io.supertokens.session.refreshToken.RefreshToken$InvalidRefreshTokenFormatException"},
		{"a setting stays", "access_token_dynamic_signing_key_update_interval", "access_token_dynamic_signing_key_update_interval"},
		{"versions stay", "supertokens-core 12.1.1, CDI 5.6, postgres:15.8-alpine", "supertokens-core 12.1.1, CDI 5.6, postgres:15.8-alpine"},
		{"broken escapes", `%2 \u00 \u003 %`, `%2 \u00 \u003 %`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := proof.ShortenTokens(tc.in); got != tc.want {
				t.Errorf("ShortenTokens(%q)\n got %q\nwant %q", tc.in, got, tc.want)
			}
		})
	}
}

func FuzzShortenTokens(f *testing.F) {
	f.Add("", "")
	f.Add(`{"token":"`, `"}`)
	f.Add("api-key: ", "\r\n")
	f.Add(`\u00`, `%2`)
	f.Add("Bearer ü…", "…")
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, token := range []string{accessV2, accessV5, refreshV2} {
			got := proof.ShortenTokens(before + token + after)
			if strings.Contains(got, token) && !strings.Contains(before+after, token) {
				t.Errorf("ShortenTokens(%q) = %q: the token survived", before+token+after, got)
			}
			if again := proof.ShortenTokens(got); again != got {
				t.Errorf("ShortenTokens(%q) = %q, and shortened again %q", before+token+after, got, again)
			}
		}
	})
}

package conformance

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/adapter"
)

// TestListIsWhole holds each entry to what reports and docs need of it.
func TestListIsWhole(t *testing.T) {
	t.Parallel()
	ids := regexp.MustCompile(`^[A-Z]{2}-\d{2}$`)
	seen := map[string]bool{}
	titles := map[string]bool{}
	blacklisting := 0
	for _, c := range Checks() {
		if !ids.MatchString(c.ID) || seen[c.ID] {
			t.Errorf("id %q is malformed or taken", c.ID)
		}
		if c.Title == "" || titles[c.Title] {
			t.Errorf("%s: title %q is empty or taken", c.ID, c.Title)
		}
		seen[c.ID], titles[c.Title] = true, true
		if !strings.HasSuffix(c.Requirement, ".") || c.Source == "" || c.Suite == "" || len(c.Profiles) == 0 || c.Run == nil {
			t.Errorf("%s lacks something: %+v", c.ID, c)
		}
		for _, p := range c.Profiles {
			if !slices.Contains([]Profile{Blacklisting, MultiInstance, Lifetimes, SessionBasic, Isolation}, p) {
				t.Errorf("%s: unknown profile %s", c.ID, p)
			}
		}
		if c.Suite == "blacklisting" {
			blacklisting++
		}
	}
	if blacklisting < 30 {
		t.Errorf("%d blacklisting checks, want at least 30", blacklisting)
	}
}

func TestNeedsInWords(t *testing.T) {
	t.Parallel()
	got := Needs{Instances: 2, Off: true, Own: true, Era: adapter.EraRequest, From: "3.0", Below: "5.6", Alone: true}.List()
	want := []string{"2 instances", "a flag-off side", "cores of its own", "CDI ≥ 2.21", "CDI ≥ 3.0", "CDI < 5.6"}
	if !slices.Equal(got, want) || len(Needs{}.List()) != 0 {
		t.Errorf("got %q", got)
	}
}

// TestUpperBound holds the bound to exact values: closed forms at the ends, and
// the defining equation (a chance of 5 % to see so few) in between.
func TestUpperBound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		hits, trials int
		want         float64
	}{
		{0, 0, 1}, {5, 5, 1}, {0, 1, 0.95}, {0, 100, 1 - math.Pow(0.05, 0.01)}, {9, 10, math.Pow(0.95, 0.1)},
		{0, 1_000_000, 2.9957278e-6},
	} {
		if got := upperBound(tc.hits, tc.trials); math.Abs(got-tc.want) > 1e-9*max(tc.want, 1e-3) {
			t.Errorf("upperBound(%d, %d) = %.12g, want %.12g", tc.hits, tc.trials, got, tc.want)
		}
	}
	for _, tc := range [][2]int{{1, 10}, {3, 50}, {40, 100}, {99, 100}, {17, 5000}, {450, 900}} {
		k, n := tc[0], tc[1]
		p := upperBound(k, n)
		var seen float64 // P(X ≤ k) at p, term by term
		for i := 0; i <= k; i++ {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(i + 1))
			c, _ := math.Lgamma(float64(n - i + 1))
			seen += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		if math.Abs(seen-0.05) > 1e-6 {
			t.Errorf("upperBound(%d, %d) = %g, where %d or fewer have a chance of %g, want 0.05", k, n, p, k, seen)
		}
	}
}

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

// TestCurl lets a shell read the line: what arrives must be what was sent.
func TestCurl(t *testing.T) {
	t.Parallel()
	line := curl(adapter.Exchange{
		Method: "POST", URL: "http://h:1/a?b='c'", RequestBody: `{"x":"it's $HOME"}`,
		RequestHeader: http.Header{"Content-Type": {"application/json"}, "Api-Key": {"***"}, "User-Agent": {"coreproof"}},
	})
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here")
	}
	out, err := exec.Command(sh, "-c", `API_KEY=key; curl() { printf '%s\n' "$@"; }; `+line).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	want := "-sS\n-X\nPOST\n-H\napi-key: key\n-H\ncontent-type: application/json\n--data-binary\n" + `{"x":"it's $HOME"}` + "\nhttp://h:1/a?b='c'\n"
	if string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestEvidenceIsShortAndHoldsNoToken(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat("abcDEF123", 20) + "." + strings.Repeat("xyzXYZ789", 20)
	tp := &tape{}
	for i := range keptExchanges + 3 {
		tp.record(adapter.Exchange{
			Method: "POST", URL: fmt.Sprintf("http://h/%d", i), RequestBody: `{"accessToken":"` + token + `"}`,
			ResponseBody: strings.Repeat("é", keptBody), Status: 200,
		})
	}
	got := evidence(tp.exchanges())
	if len(got) != keptExchanges || got[0].URL != "http://h/3" {
		t.Fatalf("%d exchanges, the first %s", len(got), got[0].URL)
	}
	for _, e := range got {
		if strings.Contains(e.RequestBody, token) || len(e.ResponseBody) > keptBody+64 {
			t.Errorf("too much is kept: %d bytes of request, %d of response", len(e.RequestBody), len(e.ResponseBody))
		}
	}
}

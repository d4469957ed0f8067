package spectest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/token"
)

var engineTokens = []rule{
	{number: 1, name: "header of version 2", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t)
		// A payload whose base64 needs + and / shows the alphabet.
		s := c.create(cdi, obj{"userDataInJWT": obj{"x": "???>>>~~~"}})
		p := strings.Split(s.access, ".")
		if len(p) != 3 || p[0] != headerV2 {
			t.Fatalf("header %s", p[0])
		}
		for _, part := range p {
			if _, err := base64.StdEncoding.Strict().DecodeString(part); err != nil {
				t.Errorf("%s: %v", part, err)
			}
		}
	}},
	{number: 2, name: "header of versions 3 to 5", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		s := start(t).create(cdi)
		for _, part := range strings.Split(s.access, ".") {
			if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
				t.Errorf("%s: %v", part, err)
			}
		}
		h, _ := decoded(t, s.access)
		if len(h) != 4 || h["alg"] != "RS256" || h["typ"] != "JWT" || h["kid"] == "" || h["version"] == "" {
			t.Errorf("header %v", h)
		}
	}},
	{number: 3, name: "version follows the CDI", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, tok := range []string{s.access, c.next(cdi, s.refresh).access} {
			if h, _ := decoded(t, tok); h["version"] != tokenVersion(cdi) {
				t.Errorf("version %v, want %s", h["version"], tokenVersion(cdi))
			}
		}
	}},
	{number: 4, name: "claims that are null", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		_, claims := decoded(t, start(t).create(cdi).access)
		for _, name := range []string{"parentRefreshTokenHash1", "antiCsrfToken"} {
			if v, there := claims[name]; !there || v != nil {
				t.Errorf("%s: %v, %v", name, v, there)
			}
		}
	}},
	{number: 5, name: "refreshTokenHash1", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, x := range []session{s, c.next(cdi, s.refresh)} {
			if _, claims := decoded(t, x.access); claims["refreshTokenHash1"] != token.Hash1(x.refresh) {
				t.Errorf("hash %v", claims["refreshTokenHash1"])
			}
		}
	}},
	{number: 6, name: "hash in the row", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		if r, _ := c.row(s.handle); r.RefreshHash2 != token.Hash1(token.Hash1(s.refresh)) || r.PrevRefreshHash2 != "" || r.RotatedAt != 0 {
			t.Errorf("row %+v", r)
		}
	}},
	{number: 7, name: "exp, iat and the returned times", cdi: all(), run: func(t *testing.T, cdi string) {
		s := start(t).create(cdi)
		_, claims := decoded(t, s.access)
		created := s.answer.num("accessToken", "createdTime")
		if atLeast(cdi, "2.21") {
			if number(t, claims["exp"])*1000 != s.expiry || number(t, claims["iat"])*1000 != created || s.expiry%1000 != 0 {
				t.Errorf("claims %v, expiry %d", claims, s.expiry)
			}
		} else if number(t, claims["expiryTime"]) != s.expiry || number(t, claims["timeCreated"]) != created || created != epoch {
			t.Errorf("claims %v, expiry %d", claims, s.expiry)
		}
	}},
	{number: 8, name: "validity and jitter", cdi: all(), run: func(t *testing.T, cdi string) {
		for _, j := range []float64{0, 0.05} {
			c := start(t, settings(func(s *refcore.Settings) { s.Jitter = j }))
			s := c.create(cdi)
			lowest := int64(3_600_000*(1-j)) - 1000
			for _, life := range []int64{s.expiry - epoch, c.next(cdi, s.refresh).expiry - epoch} {
				if life < lowest || life > 3_600_000 {
					t.Errorf("jitter %v: life %d", j, life)
				}
			}
		}
	}},
	{number: 9, name: "reserved claim leaves no row", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, r := range reserved {
			if !atLeast(cdi, r.since) {
				continue
			}
			c.costs(0, r.name, func() {
				c.post(cdi, pathSession, createBody(obj{"userDataInJWT": obj{r.name: 1}})).text(400, msgProtected)
			})
		}
		if n := len(c.handles(cdi, "user")); n != 0 {
			t.Errorf("%d rows", n)
		}
	}},
	{number: 10, name: "reserved claim up to 2.20", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, r := range reserved {
			c.create(cdi, obj{"userDataInJWT": obj{r.name: 1}})
		}
	}},
	{number: 11, name: "standard library verifies by kid", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		keys := c.get(cdi, pathJWKS).jwks()
		for _, dynamic := range []bool{true, false} {
			s := c.create(cdi, obj{"useDynamicSigningKey": dynamic})
			if !signedBy(t, s.access, keys[kid(t, s.access)]) {
				t.Errorf("dynamic %v: bad signature", dynamic)
			}
			if signedBy(t, flip(s.access, 1), keys[kid(t, s.access)]) {
				t.Error("a changed token is signed")
			}
		}
	}},
	{number: 12, name: "handshake list verifies", cdi: between("2.9", "2.20"), run: func(t *testing.T, cdi string) {
		for _, dynamic := range []bool{true, false} {
			c := start(t, settings(func(s *refcore.Settings) { s.DynamicKeys = dynamic }))
			list, _ := c.post(cdi, pathHandshake, obj{}).ok().at("jwtSigningPublicKeyList").([]any)
			s := c.create(cdi)
			if !slices.ContainsFunc(list, func(x any) bool {
				text, _ := x.(obj)["publicKey"].(string)
				return signedBy(t, s.access, publicKey(t, text))
			}) {
				t.Errorf("dynamic %v: no key of %d fits", dynamic, len(list))
			}
		}
	}},
	{number: 13, name: "kid prefix", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		// The setting of the older era has no say here.
		c := start(t, settings(func(s *refcore.Settings) { s.DynamicKeys = false }))
		for prefix, v := range map[string]any{"d-": true, "s-": false} {
			if id := kid(t, c.create(cdi, obj{"useDynamicSigningKey": v}).access); !strings.HasPrefix(id, prefix) {
				t.Errorf("kid %s, want %s…", id, prefix)
			}
		}
		if id := kid(t, c.create(cdi).access); !strings.HasPrefix(id, "d-") {
			t.Errorf("by default kid %s", id)
		}
	}},
	{number: 14, name: "JWKS is public and has no private member", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		for _, v := range []string{cdi, ""} {
			for id := range c.do("GET", pathJWKS, v, nil).jwks() { // demands exactly the six members
				if !strings.HasPrefix(id, "d-") && !strings.HasPrefix(id, "s-") {
					t.Errorf("kid %s", id)
				}
			}
		}
	}},
	{number: 15, name: "JWKS Cache-Control", whynot: "the same as rule 116 of the HTTP list, which is tested"},
	{number: 28, name: "access token of another installation", cdi: all(), run: func(t *testing.T, cdi string) {
		c, other := start(t), otherInstallation(t)
		// Both made their keys in the same millisecond: even the key ids may agree.
		c.verify(cdi, other.create(cdi).access).tryRefresh()
		other.verify(cdi, c.create(cdi).access).tryRefresh()
	}},
	{number: 29, name: "refresh token of another installation", cdi: all(), run: func(t *testing.T, cdi string) {
		c, other := start(t), start(t)
		c.refresh(cdi, other.create(cdi).refresh).unauth("")
	}},
}

func tokenVersion(cdi string) string {
	switch {
	case atLeast(cdi, "4.0"):
		return "5"
	case atLeast(cdi, "3.0"):
		return "4"
	case atLeast(cdi, "2.21"):
		return "3"
	}
	return "2"
}

func publicKey(t testing.TB, text string) *rsa.PublicKey {
	t.Helper()
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return k.(*rsa.PublicKey)
}

// otherInstallation has the key ids of the usual core and other keys.
func otherInstallation(t *testing.T) *core {
	st := openStore(t, "")
	seedForeign(t, st)
	return start(t, onStore(st))
}

package refcore_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/token"
)

var engineTokens = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.1", Name: "header of version 2", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		// A payload whose base64 needs + and / shows the alphabet.
		s := c.Create(cdi, coretest.Obj{"userDataInJWT": coretest.Obj{"x": "???>>>~~~"}})
		p := strings.Split(s.Access, ".")
		if len(p) != 3 || p[0] != coretest.HeaderV2 {
			t.Fatalf("header %s", p[0])
		}
		for _, part := range p {
			if _, err := base64.StdEncoding.Strict().DecodeString(part); err != nil {
				t.Errorf("%s: %v", part, err)
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.2", Name: "header of versions 3 to 5", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		s := coretest.Start(t).Create(cdi)
		for _, part := range strings.Split(s.Access, ".") {
			if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
				t.Errorf("%s: %v", part, err)
			}
		}
		h, _ := coretest.Decoded(t, s.Access)
		if len(h) != 4 || h["alg"] != "RS256" || h["typ"] != "JWT" || h["kid"] == "" || h["version"] == "" {
			t.Errorf("header %v", h)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.3", Name: "version follows the CDI", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, tok := range []string{s.Access, c.Next(cdi, s.Refresh).Access} {
			if h, _ := coretest.Decoded(t, tok); h["version"] != tokenVersion(cdi) {
				t.Errorf("version %v, want %s", h["version"], tokenVersion(cdi))
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.4", Name: "claims that are null", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		_, claims := coretest.Decoded(t, coretest.Start(t).Create(cdi).Access)
		for _, name := range []string{"parentRefreshTokenHash1", "antiCsrfToken"} {
			if v, there := claims[name]; !there || v != nil {
				t.Errorf("%s: %v, %v", name, v, there)
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.5", Name: "refreshTokenHash1", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, x := range []coretest.Session{s, c.Next(cdi, s.Refresh)} {
			if _, claims := coretest.Decoded(t, x.Access); claims["refreshTokenHash1"] != token.Hash1(x.Refresh) {
				t.Errorf("hash %v", claims["refreshTokenHash1"])
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.6", Name: "hash in the row", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		if r, _ := c.Row(s.Handle); r.RefreshHash2 != token.Hash1(token.Hash1(s.Refresh)) || r.PrevRefreshHash2 != "" || r.RotatedAt != 0 {
			t.Errorf("row %+v", r)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.7", Name: "exp, iat and the returned times", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		s := coretest.Start(t).Create(cdi)
		_, claims := coretest.Decoded(t, s.Access)
		created := s.Answer.Num("accessToken", "createdTime")
		if coretest.AtLeast(cdi, "2.21") {
			if coretest.Number(t, claims["exp"])*1000 != s.Expiry || coretest.Number(t, claims["iat"])*1000 != created || s.Expiry%1000 != 0 {
				t.Errorf("claims %v, expiry %d", claims, s.Expiry)
			}
		} else if coretest.Number(t, claims["expiryTime"]) != s.Expiry || coretest.Number(t, claims["timeCreated"]) != created || created != coretest.Epoch {
			t.Errorf("claims %v, expiry %d", claims, s.Expiry)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.8", Name: "validity and jitter", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		for _, j := range []float64{0, 0.05} {
			c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.Jitter = j }))
			s := c.Create(cdi)
			lowest := int64(3_600_000*(1-j)) - 1000
			for _, life := range []int64{s.Expiry - coretest.Epoch, c.Next(cdi, s.Refresh).Expiry - coretest.Epoch} {
				if life < lowest || life > 3_600_000 {
					t.Errorf("jitter %v: life %d", j, life)
				}
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.9", Name: "reserved claim leaves no row", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, r := range coretest.Reserved {
			if !coretest.AtLeast(cdi, r.Since) {
				continue
			}
			c.Costs(0, r.Name, func() {
				c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"userDataInJWT": coretest.Obj{r.Name: 1}})).Text(400, coretest.MsgProtected)
			})
		}
		if n := len(c.Handles(cdi, "user")); n != 0 {
			t.Errorf("%d rows", n)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.10", Name: "reserved claim up to 2.20", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, r := range coretest.Reserved {
			c.Create(cdi, coretest.Obj{"userDataInJWT": coretest.Obj{r.Name: 1}})
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.11", Name: "standard library verifies by kid", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		keys := c.Get(cdi, coretest.PathJWKS).JWKS()
		for _, dynamic := range []bool{true, false} {
			s := c.Create(cdi, coretest.Obj{"useDynamicSigningKey": dynamic})
			if !coretest.SignedBy(t, s.Access, keys[coretest.Kid(t, s.Access)]) {
				t.Errorf("dynamic %v: bad signature", dynamic)
			}
			if coretest.SignedBy(t, coretest.Flip(s.Access, 1), keys[coretest.Kid(t, s.Access)]) {
				t.Error("a changed token is signed")
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.12", Name: "handshake list verifies", CDI: coretest.Between("2.9", "2.20"), Run: func(t *testing.T, cdi string) {
		for _, dynamic := range []bool{true, false} {
			c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.DynamicKeys = dynamic }))
			list, _ := c.Post(cdi, coretest.PathHandshake, coretest.Obj{}).OK().At("jwtSigningPublicKeyList").([]any)
			s := c.Create(cdi)
			if !slices.ContainsFunc(list, func(x any) bool {
				text, _ := x.(coretest.Obj)["publicKey"].(string)
				return coretest.SignedBy(t, s.Access, publicKey(t, text))
			}) {
				t.Errorf("dynamic %v: no key of %d fits", dynamic, len(list))
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.13", Name: "kid prefix", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		// The setting of the older era has no say here.
		c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.DynamicKeys = false }))
		for prefix, v := range map[string]any{"d-": true, "s-": false} {
			if id := coretest.Kid(t, c.Create(cdi, coretest.Obj{"useDynamicSigningKey": v}).Access); !strings.HasPrefix(id, prefix) {
				t.Errorf("kid %s, want %s…", id, prefix)
			}
		}
		if id := coretest.Kid(t, c.Create(cdi).Access); !strings.HasPrefix(id, "d-") {
			t.Errorf("by default kid %s", id)
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.14", Name: "JWKS is public and has no private member", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		for _, v := range []string{cdi, ""} {
			for id := range c.Do("GET", coretest.PathJWKS, v, nil).JWKS() { // demands exactly the six members
				if !strings.HasPrefix(id, "d-") && !strings.HasPrefix(id, "s-") {
					t.Errorf("kid %s", id)
				}
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.15", Name: "JWKS Cache-Control", WhyNot: "the same as rule 116 of the HTTP list, which is tested"},
	{Cite: "docs/spec/session-engine.md 9.28", Name: "access token of another installation", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c, other := coretest.Start(t), otherInstallation(t)
		// Both made their keys in the same millisecond: even the key ids may agree.
		c.Verify(cdi, other.Create(cdi).Access).TryRefresh()
		other.Verify(cdi, c.Create(cdi).Access).TryRefresh()
	}},
	{Cite: "docs/spec/session-engine.md 9.29", Name: "refresh token of another installation", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c, other := coretest.Start(t), coretest.Start(t)
		c.Refresh(cdi, other.Create(cdi).Refresh).Unauth("")
	}},
}

func tokenVersion(cdi string) string {
	switch {
	case coretest.AtLeast(cdi, "4.0"):
		return "5"
	case coretest.AtLeast(cdi, "3.0"):
		return "4"
	case coretest.AtLeast(cdi, "2.21"):
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
func otherInstallation(t *testing.T) *coretest.Core {
	st := coretest.OpenStore(t, "")
	coretest.SeedForeign(t, st)
	return coretest.Start(t, coretest.OnStore(st))
}

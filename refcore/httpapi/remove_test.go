package httpapi_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore"
)

const msgOneOf = "Invalid JSON input - use one of userId or sessionHandles array"

var httpRemove = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.102", Name: "remove by handles", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		a, b := c.Create(cdi), c.Create(cdi)
		got := c.Remove(cdi, a.Handle, "unknown", b.Handle).OK().Only("sessionHandlesRevoked").List("sessionHandlesRevoked")
		want := []string{a.Handle, b.Handle}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("removed %v, want %v", got, want)
		}
		c.Remove(cdi, a.Handle, b.Handle).OK().Equals([]string{}, "sessionHandlesRevoked")
	}},
	{Cite: "docs/spec/http-api.md 6.103", Name: "remove by user", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for range 3 {
			c.Create(cdi)
		}
		other := c.Create(cdi, coretest.Obj{"userId": "other"})
		if got := c.RemoveUser(cdi, "user").OK().List("sessionHandlesRevoked"); len(got) != 3 {
			t.Errorf("removed %v", got)
		}
		if got := c.Handles(cdi, "user"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
		c.GetSession(cdi, other.Handle).OK()
		c.RemoveUser(cdi, "nobody").OK().Equals([]string{}, "sessionHandlesRevoked")
	}},
	{Cite: "docs/spec/http-api.md 6.104", Name: "one of two", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		c.Post(cdi, coretest.PathRemove, coretest.Obj{}).Text(400, msgOneOf)
		c.Post(cdi, coretest.PathRemove, coretest.Obj{"userId": "u", "sessionHandles": []string{}}).Text(400, msgOneOf)
		c.Remove(cdi).OK().Equals([]string{}, "sessionHandlesRevoked")
	}},
	{Cite: "docs/spec/http-api.md 6.105", Name: "flags with handles", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, name := range []string{"revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"} {
			c.Post(cdi, coretest.PathRemove, coretest.Obj{"sessionHandles": []string{}, name: true}).Text(400, "Invalid JSON input - "+name+" can only be set if userId is set")
			c.Post(cdi, coretest.PathRemove, coretest.Obj{"userId": "u", name: false}).OK()
			c.Post(cdi, coretest.PathRemove, coretest.Obj{"userId": "u", name: nil}).BadField(name)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.106", Name: "handles that are no strings", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		s := c.Create(cdi)
		for _, bad := range []any{[]any{s.Handle, 1}, []any{nil}, "x", coretest.Obj{}, nil} {
			c.Post(cdi, coretest.PathRemove, coretest.Obj{"sessionHandles": bad}).BadField("sessionHandles")
		}
		c.GetSession(cdi, s.Handle).OK()
	}},
	{Cite: "docs/spec/http-api.md 6.113", Name: "handshake", CDI: coretest.UpTo("2.20"), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		for _, body := range []string{"", "{}", "garbage"} {
			c.Post(cdi, coretest.PathHandshake, body).OK().Only(append(keyShape(cdi), "accessTokenBlacklistingEnabled", "accessTokenValidity", "refreshTokenValidity")...).
				Equals(3_600_000, "accessTokenValidity").Equals(8_640_000_000, "refreshTokenValidity")
		}
		const created = coretest.Epoch - 600_000
		for dynamic, want := range map[bool][2]int64{
			true:  {created + 168*3_600_000, created + 170*3_600_000}, // signs for I, verifies for I + 2V
			false: {315_360_000_000, created + 315_360_000_000},
		} {
			c := coretest.Start(t, coretest.Settings(func(s *refcore.Settings) { s.DynamicKeys = dynamic }))
			a := c.Post(cdi, coretest.PathHandshake, coretest.Obj{}).OK().Equals(want[0], "jwtSigningPublicKeyExpiryTime")
			if coretest.AtLeast(cdi, "2.9") {
				a.Equals([]coretest.Obj{{"publicKey": a.Str("jwtSigningPublicKey"), "createdAt": created, "expiryTime": want[1]}}, "jwtSigningPublicKeyList")
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.114", Name: "handshake is gone", CDI: coretest.From("2.21"), Run: func(t *testing.T, cdi string) {
		coretest.Start(t).Post(cdi, coretest.PathHandshake, coretest.Obj{}).Text(404, "Not found")
		coretest.Start(t, coretest.WithKeys).Post(cdi, coretest.PathHandshake, coretest.Obj{}).Text(401, "Invalid API key")
	}},
	{Cite: "docs/spec/http-api.md 6.115", Name: "JWKS", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		a := c.Do("GET", coretest.PathJWKS, cdi, nil)
		keys := a.Only("keys").JWKS()
		if len(keys) != 2 || a.Code != 200 {
			a.Fail("want two keys")
		}
		if coretest.AtLeast(cdi, "2.21") {
			for _, dynamic := range []bool{true, false} {
				s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"useDynamicSigningKey": dynamic}), "api-key", coretest.APIKey).OK())
				if !coretest.SignedBy(t, s.Access, keys[coretest.Kid(t, s.Access)]) {
					t.Errorf("dynamic %v: the token is not by its key", dynamic)
				}
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.116", Name: "Cache-Control", Run: func(t *testing.T, _ string) {
		c := coretest.Start(t)
		age := func() int64 {
			v := c.Get("", coretest.PathJWKS).Header.Get("Cache-Control")
			n, ok := strings.CutPrefix(v, "max-age=")
			n, ok2 := strings.CutSuffix(n, ", must-revalidate")
			i, err := strconv.ParseInt(n, 10, 64)
			if !ok || !ok2 || err != nil || i < 1 {
				t.Fatalf("Cache-Control: %q", v)
			}
			return i
		}
		first := age()
		if want := int64(168*3600 - 60 - 600); first != want {
			t.Errorf("max-age %d, want %d", first, want)
		}
		c.Clock.Advance(time.Hour)
		if got := age(); got != first-3600 {
			t.Errorf("an hour later %d, want %d", got, first-3600)
		}
		if h := c.Get("5.0", "/recipe/jwt/jwks").Header.Get("Cache-Control"); h != "" {
			t.Errorf("the old JWKS has Cache-Control: %s", h)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.117", Name: "old JWKS", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.WithKeys)
		c.Get(cdi, "/recipe/jwt/jwks").Text(401, "Invalid API key")
		a := c.Do("GET", "/recipe/jwt/jwks", cdi, nil, "api-key", coretest.APIKey).OK().Only("keys")
		a.Equals(c.Get(cdi, coretest.PathJWKS).At("keys"), "keys")
	}},
	{Cite: "docs/spec/http-api.md 6.118", Name: "JWT recipe", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t)
		b := coretest.Obj{"algorithm": "RS256", "jwksDomain": "https://d", "payload": coretest.Obj{"a": 1}, "validity": 100}
		for _, alg := range []string{"RS256", "rs256"} {
			h, claims := coretest.Decoded(t, c.Post(cdi, coretest.PathJWT, coretest.With(b, coretest.Obj{"algorithm": alg})).OK().Only("jwt").Str("jwt"))
			if h["version"] != nil || h["kid"] != coretest.SeededStatic || claims["iss"] != "https://d" || coretest.Number(t, claims["exp"])-coretest.Number(t, claims["iat"]) != 100 {
				t.Errorf("%v %v", h, claims)
			}
		}
		own := coretest.Obj{"iss": "http://customiss", "exp": json.Number("5"), "iat": nil, "iss2": "x"}
		_, claims := coretest.Decoded(t, c.Post(cdi, coretest.PathJWT, coretest.With(b, coretest.Obj{"payload": own})).OK().Str("jwt"))
		if !reflect.DeepEqual(claims, map[string]any(own)) {
			t.Errorf("claims %v, want the payload's own", claims)
		}
		for _, alg := range []string{"HS256", "none", "RS512", ""} {
			c.Post(cdi, coretest.PathJWT, coretest.With(b, coretest.Obj{"algorithm": alg})).Is("UNSUPPORTED_ALGORITHM_ERROR").Only()
		}
		for _, v := range []int64{0, -1} {
			c.Post(cdi, coretest.PathJWT, coretest.With(b, coretest.Obj{"validity": v})).Text(400, "validity must be greater than or equal to 0")
		}
		for name := range b {
			c.Post(cdi, coretest.PathJWT, coretest.With(b, coretest.Obj{name: coretest.Absent})).BadField(name)
		}
		if coretest.AtLeast(cdi, "2.21") {
			if id := coretest.Kid(t, c.Post(cdi, coretest.PathJWT, coretest.With(b, coretest.Obj{"useStaticSigningKey": false})).OK().Str("jwt")); !strings.HasPrefix(id, "d-") {
				t.Errorf("kid %s", id)
			}
		}
	}},
	{Cite: "docs/spec/http-api.md 6.119", Name: "a second instance", CDI: coretest.Eras, Run: func(t *testing.T, cdi string) {
		cores := coretest.Deploy(t, 3)
		s := cores[0].Create(cdi)
		cores[1].Verify(cdi, s.Access).OK()
		n := cores[2].Next(cdi, s.Refresh)
		cores[0].Verify(cdi, n.Access).OK()
		if !coretest.AtLeast(cdi, "5.6") && cdi != "2.20" {
			return // rotation makes a key: twice is enough
		}
		cores[0].Clock.Advance(169 * time.Hour)
		s = cores[1].Create(cdi)
		for _, c := range cores {
			c.Verify(cdi, s.Access).OK()
		}
	}},
}

package spectest

import (
	"crypto/rsa"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
)

const msgOneOf = "Invalid JSON input - use one of userId or sessionHandles array"

var httpRemove = []rule{
	{number: 102, name: "remove by handles", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		a, b := c.create(cdi), c.create(cdi)
		got := c.remove(cdi, a.handle, "unknown", b.handle).ok().only("sessionHandlesRevoked").list("sessionHandlesRevoked")
		want := []string{a.handle, b.handle}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("removed %v, want %v", got, want)
		}
		c.remove(cdi, a.handle, b.handle).ok().equals([]string{}, "sessionHandlesRevoked")
	}},
	{number: 103, name: "remove by user", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for range 3 {
			c.create(cdi)
		}
		other := c.create(cdi, obj{"userId": "other"})
		if got := c.removeUser(cdi, "user").ok().list("sessionHandlesRevoked"); len(got) != 3 {
			t.Errorf("removed %v", got)
		}
		if got := c.handles(cdi, "user"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
		c.getSession(cdi, other.handle).ok()
		c.removeUser(cdi, "nobody").ok().equals([]string{}, "sessionHandlesRevoked")
	}},
	{number: 104, name: "one of two", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		c.post(cdi, pathRemove, obj{}).text(400, msgOneOf)
		c.post(cdi, pathRemove, obj{"userId": "u", "sessionHandles": []string{}}).text(400, msgOneOf)
		c.remove(cdi).ok().equals([]string{}, "sessionHandlesRevoked")
	}},
	{number: 105, name: "flags with handles", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, name := range []string{"revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"} {
			c.post(cdi, pathRemove, obj{"sessionHandles": []string{}, name: true}).text(400, "Invalid JSON input - "+name+" can only be set if userId is set")
			c.post(cdi, pathRemove, obj{"userId": "u", name: false}).ok()
			c.post(cdi, pathRemove, obj{"userId": "u", name: nil}).badField(name)
		}
	}},
	{number: 106, name: "handles that are no strings", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		for _, bad := range []any{[]any{s.handle, 1}, []any{nil}, "x", obj{}, nil} {
			c.post(cdi, pathRemove, obj{"sessionHandles": bad}).badField("sessionHandles")
		}
		c.getSession(cdi, s.handle).ok()
	}},
	{number: 113, name: "handshake", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t)
		for _, body := range []string{"", "{}", "garbage"} {
			c.post(cdi, pathHandshake, body).ok().only(append(keyShape(cdi), "accessTokenBlacklistingEnabled", "accessTokenValidity", "refreshTokenValidity")...).
				equals(3_600_000, "accessTokenValidity").equals(8_640_000_000, "refreshTokenValidity")
		}
		const created = epoch - 600_000
		for dynamic, want := range map[bool][2]int64{
			true:  {created + 168*3_600_000, created + 170*3_600_000}, // signs for I, verifies for I + 2V
			false: {315_360_000_000, created + 315_360_000_000},
		} {
			c := start(t, settings(func(s *refcore.Settings) { s.DynamicKeys = dynamic }))
			a := c.post(cdi, pathHandshake, obj{}).ok().equals(want[0], "jwtSigningPublicKeyExpiryTime")
			if atLeast(cdi, "2.9") {
				a.equals([]obj{{"publicKey": a.str("jwtSigningPublicKey"), "createdAt": created, "expiryTime": want[1]}}, "jwtSigningPublicKeyList")
			}
		}
	}},
	{number: 114, name: "handshake is gone", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		start(t).post(cdi, pathHandshake, obj{}).text(404, "Not found")
		start(t, withKeys).post(cdi, pathHandshake, obj{}).text(401, "Invalid API key")
	}},
	{number: 115, name: "JWKS", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		a := c.do("GET", pathJWKS, cdi, nil)
		keys := a.only("keys").jwks()
		if len(keys) != 2 || a.code != 200 {
			a.fail("want two keys")
		}
		if atLeast(cdi, "2.21") {
			for _, dynamic := range []bool{true, false} {
				s := sessionOf(c.post(cdi, pathSession, createBody(obj{"useDynamicSigningKey": dynamic}), "api-key", apiKey).ok())
				if !signedBy(t, s.access, keys[kid(t, s.access)]) {
					t.Errorf("dynamic %v: the token is not by its key", dynamic)
				}
			}
		}
	}},
	{number: 116, name: "Cache-Control", run: func(t *testing.T, _ string) {
		c := start(t)
		age := func() int64 {
			v := c.get("", pathJWKS).header.Get("Cache-Control")
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
		c.clock.advance(time.Hour)
		if got := age(); got != first-3600 {
			t.Errorf("an hour later %d, want %d", got, first-3600)
		}
		if h := c.get("5.0", "/recipe/jwt/jwks").header.Get("Cache-Control"); h != "" {
			t.Errorf("the old JWKS has Cache-Control: %s", h)
		}
	}},
	{number: 117, name: "old JWKS", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, withKeys)
		c.get(cdi, "/recipe/jwt/jwks").text(401, "Invalid API key")
		a := c.do("GET", "/recipe/jwt/jwks", cdi, nil, "api-key", apiKey).ok().only("keys")
		a.equals(c.get(cdi, pathJWKS).at("keys"), "keys")
	}},
	{number: 118, name: "JWT recipe", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		b := obj{"algorithm": "RS256", "jwksDomain": "https://d", "payload": obj{"a": 1}, "validity": 100}
		for _, alg := range []string{"RS256", "rs256"} {
			h, claims := decoded(t, c.post(cdi, pathJWT, with(b, obj{"algorithm": alg})).ok().only("jwt").str("jwt"))
			if h["version"] != nil || h["kid"] != seededStatic || claims["iss"] != "https://d" || number(t, claims["exp"])-number(t, claims["iat"]) != 100 {
				t.Errorf("%v %v", h, claims)
			}
		}
		for _, alg := range []string{"HS256", "none", "RS512", ""} {
			c.post(cdi, pathJWT, with(b, obj{"algorithm": alg})).is("UNSUPPORTED_ALGORITHM_ERROR").only()
		}
		for _, v := range []int64{0, -1} {
			c.post(cdi, pathJWT, with(b, obj{"validity": v})).text(400, "validity must be greater than or equal to 0")
		}
		for name := range b {
			c.post(cdi, pathJWT, with(b, obj{name: absent})).badField(name)
		}
		if atLeast(cdi, "2.21") {
			if id := kid(t, c.post(cdi, pathJWT, with(b, obj{"useStaticSigningKey": false})).ok().str("jwt")); !strings.HasPrefix(id, "d-") {
				t.Errorf("kid %s", id)
			}
		}
	}},
	{number: 119, name: "a second instance", cdi: eras, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 3)
		s := cores[0].create(cdi)
		cores[1].verify(cdi, s.access).ok()
		n := cores[2].next(cdi, s.refresh)
		cores[0].verify(cdi, n.access).ok()
		if cdi != "5.6" && cdi != "2.20" {
			return // rotation makes a key: twice is enough
		}
		cores[0].clock.advance(169 * time.Hour)
		s = cores[1].create(cdi)
		for _, c := range cores {
			c.verify(cdi, s.access).ok()
		}
	}},
}

// jwks reads the keys of a JWKS answer and demands their six members.
func (a answer) jwks() map[string]*rsa.PublicKey {
	a.t.Helper()
	out := map[string]*rsa.PublicKey{}
	list, _ := a.at("keys").([]any)
	for _, x := range list {
		k, _ := x.(obj)
		id, _ := k["kid"].(string)
		n, _ := k["n"].(string)
		e, _ := k["e"].(string)
		if len(k) != 6 || k["kty"] != "RSA" || k["alg"] != "RS256" || k["use"] != "sig" || id == "" || strings.ContainsAny(n+e, "+/=") {
			a.fail("key %v", k)
		}
		modulus := unbase64(a.t, n)
		if len(modulus) != 256 || modulus[0] == 0 {
			a.fail("modulus of %d bytes", len(modulus))
		}
		out[id] = &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(unbase64(a.t, e)).Int64())}
	}
	return out
}

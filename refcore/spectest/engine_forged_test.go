package spectest

import (
	"crypto"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
)

// forger has a live session of a core with everything needed to forge.
type forger struct {
	*core
	session
	header, claims obj
	sign           signer // by the key that the header names
}

func newForger(c *core, cdi string) *forger {
	f := &forger{core: c, session: c.create(cdi)}
	f.header, f.claims = decoded(c.t, f.access)
	if id, ok := f.header["kid"].(string); ok {
		f.sign = rs256(c.key(id))
	} else {
		dynamic, err := c.store.DynamicKeys(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		_, private, _ := strings.Cut(dynamic[0].Value, "|")
		f.sign = rs256(privateKey(c.t, private))
	}
	// What follows is worth something only if a right token is accepted.
	c.verify(cdi, f.forged(nil, nil)).ok()
	return f
}

// forged is the session's token with changes to header and claims, rightly signed.
func (f *forger) forged(header, claims obj) string {
	f.t.Helper()
	if f.header["kid"] == nil {
		return forgeV2(f.t, with(f.claims, claims), f.sign)
	}
	return forge(f.t, with(f.header, header), with(f.claims, claims), f.sign)
}

func (f *forger) by(header obj, s signer) string {
	f.t.Helper()
	return forge(f.t, with(f.header, header), f.claims, s)
}

var modern = []string{"2.21", "3.0", "5.0", "5.6"}

var engineForged = []rule{
	{number: 16, name: "alg none", cdi: all(), run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		sig := f.access[strings.LastIndexByte(f.access, '.'):]
		for _, alg := range []any{"none", "None", "NONE", "", nil, absent} {
			none := f.by(obj{"alg": alg}, unsigned)
			f.verify(cdi, none).tryRefresh()
			f.verify(cdi, none+"x").tryRefresh()
			f.verify(cdi, strings.TrimSuffix(none, ".")+sig).tryRefresh()
			f.verify(cdi, f.by(obj{"alg": alg, "kid": "x"}, unsigned)).tryRefresh()
		}
	}},
	{number: 17, name: "alg HS256 with the public key as secret", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		der, err := x509.MarshalPKIXPublicKey(&f.key(f.header["kid"].(string)).PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		for _, secret := range [][]byte{der, []byte(base64.StdEncoding.EncodeToString(der)), text, []byte(strings.TrimSpace(string(text))), {}} {
			for _, alg := range []string{"HS256", "hs256", "RS256"} {
				f.verify(cdi, f.by(obj{"alg": alg}, hs256(secret))).tryRefresh()
			}
		}
	}},
	{number: 18, name: "other algorithms", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		k := f.key(f.header["kid"].(string))
		for alg, s := range map[string]signer{
			"RS512": hashed(k, crypto.SHA512, false), "RS384": hashed(k, crypto.SHA384, false), "PS256": hashed(k, crypto.SHA256, true), "rs256": f.sign, "RS256 ": f.sign,
		} {
			f.verify(cdi, f.by(obj{"alg": alg}, s)).tryRefresh()
			if alg != "rs256" && alg != "RS256 " {
				f.verify(cdi, f.by(nil, s)).tryRefresh() // under the right name
			}
		}
		for _, bad := range []any{1, true, obj{}, []string{"RS256"}} {
			f.verify(cdi, f.by(obj{"alg": bad}, f.sign)).tryRefresh()
			f.verify(cdi, f.by(obj{"typ": bad}, f.sign)).tryRefresh()
		}
		for _, bad := range []any{"jwt", "at+jwt", absent, nil} {
			f.verify(cdi, f.by(obj{"typ": bad}, f.sign)).tryRefresh()
		}
	}},
	{number: 19, name: "a character changed", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		for part := range 3 {
			p := strings.Split(s.access, ".")
			for _, at := range []int{len(p[part]) / 4, len(p[part]) / 2, len(p[part]) * 3 / 4} {
				for _, x := range []string{"A", "z", "-", "+", "*", "\n"} {
					if p[part][at:at+1] == x {
						continue
					}
					q := append([]string(nil), p...)
					q[part] = p[part][:at] + x + p[part][at+1:]
					c.verify(cdi, strings.Join(q, ".")).tryRefresh()
				}
			}
		}
		c.verify(cdi, s.access).ok()
	}},
	{number: 20, name: "payload of another token", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		a, b := strings.Split(c.create(cdi).access, "."), strings.Split(c.create(cdi).access, ".")
		c.verify(cdi, b[0]+"."+a[1]+"."+b[2]).tryRefresh()
		c.verify(cdi, a[0]+"."+a[1]+"."+b[2]).tryRefresh()
	}},
	{number: 21, name: "re-signed by a foreign key", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		bad := f.by(nil, rs256(foreignKey()))
		f.costs(0, "verify", func() { f.verify(cdi, bad).tryRefresh() })
	}},
	{number: 22, name: "kids swapped", cdi: modern, run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		d, s := c.create(cdi), c.create(cdi, obj{"useDynamicSigningKey": false})
		hd, cd := decoded(t, d.access)
		hs, cs := decoded(t, s.access)
		kd, ks := hd["kid"].(string), hs["kid"].(string)
		c.verify(cdi, forge(t, with(hd, obj{"kid": ks}), cd, rs256(c.key(kd)))).tryRefresh()
		c.verify(cdi, forge(t, with(hs, obj{"kid": kd}), cs, rs256(c.key(ks)))).tryRefresh()
	}},
	{number: 23, name: "keys in the header", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		k := &foreignKey().PublicKey
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		jwk := obj{"kty": "RSA", "kid": f.header["kid"], "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": "AQAB", "alg": "RS256", "use": "sig"}
		for _, h := range []obj{
			{"jwk": jwk}, {"jku": "http://127.0.0.1:1/jwks.json"}, {"x5u": "http://127.0.0.1:1/"}, {"x5c": []string{base64.StdEncoding.EncodeToString(der)}},
			{"jwk": jwk, "kid": absent}, {"jwk": jwk, "kid": "own"}, {"crit": []string{"b64"}, "b64": false},
		} {
			f.verify(cdi, f.by(h, rs256(foreignKey()))).tryRefresh()
		}
	}},
	{number: 24, name: "odd kids", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		for _, k := range []any{
			absent, nil, 1, true, obj{}, []string{"x"}, "", "d-", "s-", "d-x", "d--1", "d-99999999999999999999", "../../dev/null", "/etc/passwd",
			"d-1' OR '1'='1", "s-' UNION SELECT value FROM key_value; --............", "s-00000000-0000-4000-8000-00000000000'", "\x00", "d-1\x00", strings.Repeat("k", 100_000), "ключ",
			" " + f.header["kid"].(string), strings.ToUpper(f.header["kid"].(string)), strings.Replace(f.header["kid"].(string), "d-", "d-0", 1), strings.Replace(f.header["kid"].(string), "d-", "d-+", 1),
		} {
			f.verify(cdi, f.by(obj{"kid": k}, f.sign)).tryRefresh()
		}
	}},
	{number: 25, name: "odd versions", cdi: modern, run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		for _, v := range []any{"1", "2", "6", "0", "", "5.0", "05", 5, 3, nil, obj{}, true, "55"} {
			f.verify(cdi, f.by(obj{"version": v}, f.sign)).tryRefresh()
		}
	}},
	{number: 26, name: "garbage", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		p := strings.Split(s.access, ".")
		for _, bad := range []string{
			"", "a", "..", ". . .", p[0], p[0] + "." + p[1], p[0] + "." + p[1] + ".", p[0] + ".." + p[2], "." + p[1] + "." + p[2], s.access + "." + p[2],
			"!!!." + p[1] + "." + p[2], p[0] + ".!!!." + p[2], p[0] + "." + p[1] + ".!!!", "e30." + p[1] + "." + p[2], "bnVsbA." + p[1] + "." + p[2], "W10." + p[1] + "." + p[2],
			strings.Repeat(".", 100_000), strings.Repeat("a.", 100_000), s.access + "=", strings.ReplaceAll(s.access, ".", "\n."), "Bearer " + s.access, "\x00" + s.access,
		} {
			c.verify(cdi, bad).tryRefresh()
		}
	}},
	{number: 27, name: "a claim missing", cdi: all(), run: func(t *testing.T, cdi string) {
		f := newForger(start(t, checked), cdi)
		for name := range f.claims {
			switch name {
			case "role", "userData":
				continue // the user's own
			}
			f.verify(cdi, f.forged(nil, obj{name: absent})).tryRefresh()
		}
	}},
}

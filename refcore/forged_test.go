package refcore_test

import (
	"crypto"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var modern = []string{"2.21", "3.0", "5.0", "5.6"}

var engineForged = []coretest.Rule{
	{Cite: "docs/spec/session-engine.md 9.16", Name: "alg none", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		sig := f.Access[strings.LastIndexByte(f.Access, '.'):]
		for _, alg := range []any{"none", "None", "NONE", "", nil, coretest.Absent} {
			none := f.By(coretest.Obj{"alg": alg}, coretest.Unsigned)
			f.Verify(cdi, none).TryRefresh()
			f.Verify(cdi, none+"x").TryRefresh()
			f.Verify(cdi, strings.TrimSuffix(none, ".")+sig).TryRefresh()
			f.Verify(cdi, f.By(coretest.Obj{"alg": alg, "kid": "x"}, coretest.Unsigned)).TryRefresh()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.17", Name: "alg HS256 with the public key as secret", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		der, err := x509.MarshalPKIXPublicKey(&f.Key(f.Header["kid"].(string)).PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		for _, secret := range [][]byte{der, []byte(base64.StdEncoding.EncodeToString(der)), text, []byte(strings.TrimSpace(string(text))), {}} {
			for _, alg := range []string{"HS256", "hs256", "RS256"} {
				f.Verify(cdi, f.By(coretest.Obj{"alg": alg}, coretest.HS256(secret))).TryRefresh()
			}
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.18", Name: "other algorithms", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		k := f.Key(f.Header["kid"].(string))
		for alg, s := range map[string]coretest.Signer{
			"RS512": coretest.Hashed(k, crypto.SHA512, false), "RS384": coretest.Hashed(k, crypto.SHA384, false), "PS256": coretest.Hashed(k, crypto.SHA256, true), "rs256": f.Sign, "RS256 ": f.Sign,
		} {
			f.Verify(cdi, f.By(coretest.Obj{"alg": alg}, s)).TryRefresh()
			if alg != "rs256" && alg != "RS256 " {
				f.Verify(cdi, f.By(nil, s)).TryRefresh() // under the right name
			}
		}
		for _, bad := range []any{1, true, coretest.Obj{}, []string{"RS256"}} {
			f.Verify(cdi, f.By(coretest.Obj{"alg": bad}, f.Sign)).TryRefresh()
			f.Verify(cdi, f.By(coretest.Obj{"typ": bad}, f.Sign)).TryRefresh()
		}
		for _, bad := range []any{"jwt", "at+jwt", coretest.Absent, nil} {
			f.Verify(cdi, f.By(coretest.Obj{"typ": bad}, f.Sign)).TryRefresh()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.19", Name: "a character changed", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		for part := range 3 {
			p := strings.Split(s.Access, ".")
			for _, at := range []int{len(p[part]) / 4, len(p[part]) / 2, len(p[part]) * 3 / 4} {
				for _, x := range []string{"A", "z", "-", "+", "*", "\n"} {
					if p[part][at:at+1] == x {
						continue
					}
					q := append([]string(nil), p...)
					q[part] = p[part][:at] + x + p[part][at+1:]
					c.Verify(cdi, strings.Join(q, ".")).TryRefresh()
				}
			}
		}
		c.Verify(cdi, s.Access).OK()
	}},
	{Cite: "docs/spec/session-engine.md 9.20", Name: "payload of another token", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		a, b := strings.Split(c.Create(cdi).Access, "."), strings.Split(c.Create(cdi).Access, ".")
		c.Verify(cdi, b[0]+"."+a[1]+"."+b[2]).TryRefresh()
		c.Verify(cdi, a[0]+"."+a[1]+"."+b[2]).TryRefresh()
	}},
	{Cite: "docs/spec/session-engine.md 9.21", Name: "re-signed by a foreign key", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		bad := f.By(nil, coretest.RS256(coretest.ForeignKey()))
		f.Costs(0, "verify", func() { f.Verify(cdi, bad).TryRefresh() })
	}},
	{Cite: "docs/spec/session-engine.md 9.22", Name: "kids swapped", CDI: modern, Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		d, s := c.Create(cdi), c.Create(cdi, coretest.Obj{"useDynamicSigningKey": false})
		hd, cd := coretest.Decoded(t, d.Access)
		hs, cs := coretest.Decoded(t, s.Access)
		kd, ks := hd["kid"].(string), hs["kid"].(string)
		c.Verify(cdi, coretest.Forge(t, coretest.With(hd, coretest.Obj{"kid": ks}), cd, coretest.RS256(c.Key(kd)))).TryRefresh()
		c.Verify(cdi, coretest.Forge(t, coretest.With(hs, coretest.Obj{"kid": kd}), cs, coretest.RS256(c.Key(ks)))).TryRefresh()
	}},
	{Cite: "docs/spec/session-engine.md 9.23", Name: "keys in the header", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		k := &coretest.ForeignKey().PublicKey
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		jwk := coretest.Obj{"kty": "RSA", "kid": f.Header["kid"], "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": "AQAB", "alg": "RS256", "use": "sig"}
		for _, h := range []coretest.Obj{
			{"jwk": jwk}, {"jku": "http://127.0.0.1:1/jwks.json"}, {"x5u": "http://127.0.0.1:1/"}, {"x5c": []string{base64.StdEncoding.EncodeToString(der)}},
			{"jwk": jwk, "kid": coretest.Absent}, {"jwk": jwk, "kid": "own"}, {"crit": []string{"b64"}, "b64": false},
		} {
			f.Verify(cdi, f.By(h, coretest.RS256(coretest.ForeignKey()))).TryRefresh()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.24", Name: "odd kids", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		for _, k := range []any{
			coretest.Absent, nil, 1, true, coretest.Obj{}, []string{"x"}, "", "d-", "s-", "d-x", "d--1", "d-99999999999999999999", "../../dev/null", "/etc/passwd",
			"d-1' OR '1'='1", "s-' UNION SELECT value FROM key_value; --............", "s-00000000-0000-4000-8000-00000000000'", "\x00", "d-1\x00", strings.Repeat("k", 100_000), "ключ",
			" " + f.Header["kid"].(string), strings.ToUpper(f.Header["kid"].(string)), strings.Replace(f.Header["kid"].(string), "d-", "d-0", 1), strings.Replace(f.Header["kid"].(string), "d-", "d-+", 1),
		} {
			f.Verify(cdi, f.By(coretest.Obj{"kid": k}, f.Sign)).TryRefresh()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.25", Name: "odd versions", CDI: modern, Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		for _, v := range []any{"1", "2", "6", "0", "", "5.0", "05", 5, 3, nil, coretest.Obj{}, true, "55"} {
			f.Verify(cdi, f.By(coretest.Obj{"version": v}, f.Sign)).TryRefresh()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.26", Name: "garbage", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		c := coretest.Start(t, coretest.Checked)
		s := c.Create(cdi)
		p := strings.Split(s.Access, ".")
		for _, bad := range []string{
			"", "a", "..", ". . .", p[0], p[0] + "." + p[1], p[0] + "." + p[1] + ".", p[0] + ".." + p[2], "." + p[1] + "." + p[2], s.Access + "." + p[2],
			"!!!." + p[1] + "." + p[2], p[0] + ".!!!." + p[2], p[0] + "." + p[1] + ".!!!", "e30." + p[1] + "." + p[2], "bnVsbA." + p[1] + "." + p[2], "W10." + p[1] + "." + p[2],
			strings.Repeat(".", 100_000), strings.Repeat("a.", 100_000), s.Access + "=", strings.ReplaceAll(s.Access, ".", "\n."), "Bearer " + s.Access, "\x00" + s.Access,
		} {
			c.Verify(cdi, bad).TryRefresh()
		}
	}},
	{Cite: "docs/spec/session-engine.md 9.27", Name: "a claim missing", CDI: coretest.All(), Run: func(t *testing.T, cdi string) {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), cdi)
		for name := range f.Claims {
			switch name {
			case "role", "userData":
				continue // the user's own
			}
			f.Verify(cdi, f.Forged(nil, coretest.Obj{name: coretest.Absent})).TryRefresh()
		}
	}},
}

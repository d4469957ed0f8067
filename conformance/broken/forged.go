package broken

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// forged is a token that does not hold by itself.
type forged struct {
	header struct {
		Alg, Kid, Version string
		JWK               struct{ N, E string }
	}
	signed    string // what its signature covers
	signature []byte
	text      string        // of the signature
	claims    *token.Access // as the payload has them, whoever signed
}

// readForged reads a token, whatever its header says of algorithms and keys.
func readForged(access string) (f forged, ok bool) {
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		return f, false
	}
	f.signed, f.text = parts[0]+"."+parts[1], parts[2]
	enc := base64.RawURLEncoding
	if strings.Contains(access, "=") {
		enc = base64.StdEncoding
	}
	raw, err := enc.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &f.header) != nil {
		return f, false
	}
	if f.signature, err = enc.DecodeString(parts[2]); err != nil {
		return f, false
	}
	var members map[string]any
	if json.Unmarshal(raw, &members) != nil {
		return f, false
	}
	members["alg"] = "RS256"
	delete(members, "jwk")
	plain, err := json.Marshal(members)
	if err != nil {
		return f, false
	}
	a, ok := claimsOf(enc.EncodeToString(plain) + "." + parts[1] + "." + parts[2])
	f.claims = &a
	return f, ok
}

// takes makes a core that takes a token for good that does not hold, where when says so.
func takes(when func(f forged, keys []*token.KeyPair) bool) serve.Decorate {
	return onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
		v, err := next.Verify(ctx, in)
		var refused *refcore.Refused
		if !errors.As(err, &refused) || !refused.TryRefresh {
			return v, err
		}
		f, ok := readForged(in.AccessToken)
		if !ok {
			return v, err
		}
		dynamic, static := next.Keys().Verifying()
		if !when(f, slices.Concat(dynamic, static)) {
			return v, err
		}
		return refcore.Verified{Session: *f.claims}, nil
	})
}

// forgedDefects: tokens that the core did not sign are taken for its own.
func forgedDefects() []Defect {
	return []Defect{
		{
			Name: "hs256-by-the-public-key", Text: "an HS256 token is good whose secret is the PEM of the public key",
			CaughtBy: []string{"SE-10", "HA-01"},
			Decorate: takes(func(f forged, keys []*token.KeyPair) bool {
				return f.header.Alg == "HS256" && slices.ContainsFunc(keys, func(k *token.KeyPair) bool {
					der, err := base64.StdEncoding.DecodeString(k.PublicDER)
					if err != nil {
						return false
					}
					mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
					mac.Write([]byte(f.signed))
					return hmac.Equal(mac.Sum(nil), f.signature)
				})
			}),
		},
		{
			Name: "alg-none-with-a-kid", Text: "a token with algorithm none is good where it names a key of the core's",
			CaughtBy: []string{"SE-10", "HA-01"}, From: "2.21",
			Decorate: takes(func(f forged, keys []*token.KeyPair) bool {
				return f.header.Alg == "none" && slices.ContainsFunc(keys, func(k *token.KeyPair) bool { return k.ID == f.header.Kid })
			}),
		},
		{
			Name: "alg-none-of-the-older-form", Text: "a token of version 2 with algorithm none is good",
			CaughtBy: []string{"SE-10", "HA-01"}, Below: "2.21",
			Decorate: takes(func(f forged, _ []*token.KeyPair) bool { return f.header.Alg == "none" && f.header.Version == "2" }),
		},
		{
			Name: "key-from-the-header", Text: "a token is good that the key in its header verifies",
			CaughtBy: []string{"SE-10", "HA-01"},
			Decorate: takes(func(f forged, _ []*token.KeyPair) bool {
				n, errN := base64.RawURLEncoding.DecodeString(f.header.JWK.N)
				e, errE := base64.RawURLEncoding.DecodeString(f.header.JWK.E)
				if errN != nil || errE != nil || len(n) == 0 {
					return false
				}
				digest := sha256.Sum256([]byte(f.signed))
				key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
				return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], f.signature) == nil
			}),
		},
		{
			Name: "foreign-key-under-a-kid", Text: "a token is good whose signature is of the right length",
			CaughtBy: []string{"SE-10", "HA-01"},
			Decorate: takes(func(f forged, _ []*token.KeyPair) bool { return f.header.Alg == "RS256" && len(f.signature) == 256 }),
		},
		{
			Name: "signatures-remembered", Text: "a token is good whose signature was that of a good one",
			CaughtBy: []string{"SE-10", "HA-01"},
			Decorate: signaturesRemembered(),
		},
	}
}

// signaturesRemembered remembers the texts of signatures that verified.
func signaturesRemembered() serve.Decorate {
	good := &set{}
	d := takes(func(f forged, _ []*token.KeyPair) bool { return good.has(f.text) })
	take := d.Engine
	d.Engine = func(next httpapi.Engine) httpapi.Engine {
		e := over(func(next httpapi.Engine) engine {
			return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if f, ok := readForged(in.AccessToken); ok && err == nil {
					good.add(f.text)
				}
				return v, err
			}}
		})
		return take(e.Engine(next))
	}
	return d
}

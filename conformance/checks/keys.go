package checks

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// lackProtocol is the kind of a lack that is no gap: the protocol has nothing that the rule
// could be about.
const lackProtocol = "protocol"

// keyPublisher is a client whose core publishes the keys that verify its tokens.
type keyPublisher interface {
	JWKS(context.Context) (protocol.Reply, error)
}

func publishedKeys(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		asker, ok := at.Core.(keyPublisher)
		if !ok {
			return conformance.Lackf(lackProtocol, "%s has no call for the keys that verify its tokens", t.Label())
		}
		static := t.Index%2 == 0
		live, err := liveSession(ctx, t, at, protocol.CreateRequest{StaticKey: static})
		if err != nil {
			return err
		}
		r, err := asker.JWKS(ctx)
		if err == nil && r.HTTPStatus == http.StatusNotFound && !isJWT(live.Access.Value) {
			return conformance.Lackf("keys", "%s publishes no keys (HTTP 404), and its tokens are none that keys could verify", at.Name())
		}
		if err := conformance.Want(r, err, "fetch the key set of "+at.Name(), protocol.OK); err != nil {
			return err
		}
		kid, err := verifyJWT(live.Access.Value, r.Text)
		if err != nil {
			return conformance.Violated(r, "a key set that verifies the access token", err.Error())
		}
		if !at.Has(protocol.VerbStaticKey) {
			return nil
		}
		prefix := map[bool]string{true: "s-", false: "d-"}[static]
		if !strings.HasPrefix(kid, prefix) {
			return conformance.Violated(live.Reply, "a kid that begins with "+prefix, kid)
		}
		return nil
	})
}

// isJWT says whether a token is signed in the form that published keys are for: a
// JSON header that names an algorithm, and two more parts.
func isJWT(token string) bool {
	parts := strings.Split(token, ".")
	var header struct{ Alg string }
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	return err == nil && len(parts) == 3 && json.Unmarshal(raw, &header) == nil && header.Alg != ""
}

// verifyJWT verifies an RS256 token with the key of its kid.
func verifyJWT(token, jwks string) (kid string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("the token has %d parts", len(parts))
	}
	var header struct{ Alg, Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return "", fmt.Errorf("the token's header cannot be read")
	}
	if header.Alg != "RS256" {
		return header.Kid, fmt.Errorf("the token's algorithm is %q, want RS256", header.Alg)
	}
	keys, err := readKeys(jwks)
	if err != nil {
		return header.Kid, err
	}
	for _, k := range keys {
		if k.D+k.P+k.Q != "" {
			return header.Kid, fmt.Errorf("the key set holds private members of key %s", k.Kid)
		}
		if k.Kid != header.Kid {
			continue
		}
		public, readable := k.public()
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		if !readable || err != nil {
			return header.Kid, fmt.Errorf("key %s or the signature cannot be read", k.Kid)
		}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
			return header.Kid, fmt.Errorf("key %s does not verify the token: %w", k.Kid, err)
		}
		return header.Kid, nil
	}
	return header.Kid, fmt.Errorf("none of %d keys has the token's kid %q", len(keys), header.Kid)
}

// publishedKey is a member of a JSON Web Key Set.
type publishedKey struct{ Kty, Kid, N, E, D, P, Q string }

func readKeys(jwks string) ([]publishedKey, error) {
	var set struct{ Keys []publishedKey }
	if err := json.Unmarshal([]byte(jwks), &set); err != nil {
		return nil, fmt.Errorf("the key set cannot be read: %w", err)
	}
	return set.Keys, nil
}

// public is the key, if it is one of RSA.
func (k *publishedKey) public() (*rsa.PublicKey, bool) {
	n, errN := base64.RawURLEncoding.DecodeString(k.N)
	e, errE := base64.RawURLEncoding.DecodeString(k.E)
	if errN != nil || errE != nil || k.Kty != "RSA" || len(n) == 0 || len(e) == 0 || len(e) > 4 {
		return nil, false
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, true
}

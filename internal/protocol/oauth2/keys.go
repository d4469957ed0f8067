package oauth2

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Claims are those of an access token (RFC 9068) that matter here.
type Claims struct {
	Subject string `json:"sub"`
	// Expiry, Issued and NotBefore are in seconds since 1970; 0 where the token does
	// not tell.
	Expiry    int64                      `json:"exp"`
	Issued    int64                      `json:"iat"`
	NotBefore int64                      `json:"nbf"`
	Ext       map[string]json.RawMessage `json:"ext"`
}

// isJWT says whether a token looks like a signed JWT.
func isJWT(token string) bool {
	_, err := claimsOf(token)
	return err == nil
}

// claimsOf reads a token without verifying it.
func claimsOf(token string) (c Claims, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[2] == "" {
		return c, fmt.Errorf("the token has %d parts, want three", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c, errors.New("the token's claims are not base64url")
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, errors.New("the token's claims are no JSON object")
	}
	return c, nil
}

// KeySet is a server's published keys (RFC 7517), fetched when they are first needed
// and again for a key that is not there. It is safe for concurrent use.
type KeySet struct {
	URL  string
	HTTP *http.Client

	flight singleflight.Group // of one fetch for all that wait for a key

	mu    sync.RWMutex
	keys  map[string]crypto.PublicKey
	tried time.Time // when a fetch ended last
	err   error     // how; nil for well
}

const (
	// refetchAfter is how long after a fetch, good or not, a key that is not there has the
	// set fetched again: forged tokens must not make a load of their own.
	refetchAfter = time.Second
	// fetchWithin bounds one.
	fetchWithin = 10 * time.Second
)

// errNoKeys: the keys could not be had, so that nothing is known about the token. It is
// no refusal.
var errNoKeys = errors.New("fetch the server's keys")

// Verify verifies signature and times of a token. It asks nobody but for keys.
func (s *KeySet) Verify(ctx context.Context, token string, now time.Time) (Claims, error) {
	claims, err := claimsOf(token)
	if err != nil {
		return claims, err
	}
	last := strings.LastIndexByte(token, '.')
	head, _, _ := strings.Cut(token, ".")
	var header struct{ Alg, Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return claims, errors.New("the token's header cannot be read")
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	if err != nil {
		return claims, errors.New("the token's signature is not base64url")
	}
	key, err := s.key(ctx, header.Kid)
	if err != nil {
		return claims, err
	}
	if err := verify(key, header.Alg, token[:last], signature); err != nil {
		return claims, err
	}
	switch at := now.Unix(); {
	case claims.Expiry == 0:
		return claims, errors.New("the token does not tell when it expires")
	case at >= claims.Expiry:
		return claims, errors.New("the token has expired")
	case claims.NotBefore > at+1: // clocks differ by a rounding
		return claims, errors.New("the token is not valid yet")
	}
	return claims, nil
}

// verify checks a signature. The algorithm must be the key's own: a token cannot
// choose another.
func verify(key crypto.PublicKey, alg, signed string, signature []byte) error {
	digest := sha256.Sum256([]byte(signed))
	switch k := key.(type) {
	case *rsa.PublicKey:
		if alg == "RS256" && rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], signature) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if alg == "ES256" && len(signature) == 64 && ecdsa.Verify(k, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			return nil
		}
	}
	return fmt.Errorf("the token's signature (%q) does not hold", alg)
}

// key finds a key, and has the set fetched where it is not there. Who has his key does not
// wait for those who have not.
func (s *KeySet) key(ctx context.Context, kid string) (crypto.PublicKey, error) {
	k, due, err := s.known(kid)
	if due {
		// For all that wait, whoever of them goes away.
		done := s.flight.DoChan("", func() (any, error) {
			if _, due, _ := s.known(kid); !due {
				return nil, nil // another flight has just landed
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchWithin)
			defer cancel()
			return nil, s.Fetch(ctx)
		})
		select {
		case <-done:
			k, _, err = s.known(kid)
		case <-ctx.Done():
			err = fmt.Errorf("%w: %w", errNoKeys, ctx.Err())
		}
	}
	return k, err
}

// known gives a key that is there, or why it is not, and whether a fetch is due for it.
func (s *KeySet) known(kid string) (k crypto.PublicKey, due bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, ok := s.keys[kid]
	switch {
	case ok:
		return k, false, nil
	case s.err != nil:
		err = fmt.Errorf("%w: %w", errNoKeys, s.err)
	default:
		err = fmt.Errorf("none of %d keys has the token's kid %q", len(s.keys), kid)
	}
	return nil, time.Since(s.tried) > refetchAfter, err
}

// Fetch gets the keys now, so that the first Verify does not have to. Those that were
// there stay where it fails.
func (s *KeySet) Fetch(ctx context.Context) error {
	keys, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tried, s.err = time.Now(), err; err == nil {
		s.keys = keys
	}
	return err
}

func (s *KeySet) fetch(ctx context.Context) (map[string]crypto.PublicKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.URL, err)
	}
	res, err := s.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.URL, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered HTTP %d", s.URL, res.StatusCode)
	}
	return readKeys(body)
}

// readKeys reads the signature keys of a set; those of other kinds are passed over.
func readKeys(body []byte) (map[string]crypto.PublicKey, error) {
	var set struct {
		Keys []struct{ Kty, Kid, Use, Crv, N, E, X, Y string }
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("the key set cannot be read: %w", err)
	}
	keys := map[string]crypto.PublicKey{}
	for _, k := range set.Keys {
		number := func(s string) *big.Int {
			b, err := base64.RawURLEncoding.DecodeString(s)
			if err != nil {
				return new(big.Int)
			}
			return new(big.Int).SetBytes(b)
		}
		switch {
		case k.Use != "" && k.Use != "sig":
		case k.Kty == "RSA":
			n, e := number(k.N), number(k.E)
			if n.BitLen() >= 1024 && e.IsInt64() && e.Int64() > 1 && e.Int64() < 1<<31 {
				keys[k.Kid] = &rsa.PublicKey{N: n, E: int(e.Int64())}
			}
		case k.Kty == "EC" && k.Crv == "P-256":
			point := append([]byte{4}, make([]byte, 64)...) // uncompressed, SEC 1 2.3.3
			if x, y := number(k.X), number(k.Y); x.BitLen() <= 256 && y.BitLen() <= 256 {
				x.FillBytes(point[1:33])
				y.FillBytes(point[33:])
				if key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err == nil {
					keys[k.Kid] = key
				}
			}
		}
	}
	return keys, nil
}

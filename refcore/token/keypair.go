package token

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
)

// KeyPair is a signing key.
type KeyPair struct {
	ID        string
	Static    bool
	CreatedAt int64 // ms
	Public    *rsa.PublicKey
	// PublicDER is the X.509 SubjectPublicKeyInfo in padded base64.
	PublicDER string
	// JWK is the public key as a member of a JWKS, ready to send.
	JWK     []byte
	private *rsa.PrivateKey
	headers [6]string // encoded header by token version
	plain   string    // encoded header without a version (JWT recipe)
}

const keyBits = 2048

// generateKey makes an RSA key and its stored form.
func generateKey() (string, error) {
	priv, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", fmt.Errorf("generate a signing key: %w", err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&priv.PublicKey)
	if err != nil {
		return "", fmt.Errorf("encode a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return "", fmt.Errorf("encode a signing key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(pub) + "|" + base64.StdEncoding.EncodeToString(der), nil
}

// parseKey reads a stored key.
func parseKey(id string, static bool, k store.Key) (*KeyPair, error) {
	i := strings.IndexAny(k.Value, "|;")
	if i < 0 {
		return nil, fmt.Errorf("read signing key %s: no separator between public and private part", id)
	}
	der, err := base64.StdEncoding.DecodeString(k.Value[i+1:])
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", id, errors.New("private part is not base64"))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: private part is not PKCS#8", id)
	}
	priv, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read signing key %s: not an RSA key", id)
	}
	p := &KeyPair{ID: id, Static: static, CreatedAt: k.CreatedAt, Public: &priv.PublicKey, PublicDER: k.Value[:i], private: priv}
	for v := 3; v <= 5; v++ {
		p.headers[v] = p.encodeHeader(fmt.Sprintf(`,"version":"%d"`, v))
	}
	p.plain = p.encodeHeader("")
	e := big.NewInt(int64(priv.E)).Bytes()
	p.JWK = fmt.Appendf(nil, `{"kty":"RSA","kid":%s,"n":"%s","e":"%s","alg":"RS256","use":"sig"}`,
		rawjson.AppendString(nil, id), base64.RawURLEncoding.EncodeToString(priv.N.Bytes()), base64.RawURLEncoding.EncodeToString(e))
	return p, nil
}

func (k *KeyPair) encodeHeader(version string) string {
	b := fmt.Appendf(nil, `{"kid":%s,"typ":"JWT"%s,"alg":"RS256"}`, rawjson.AppendString(nil, k.ID), version)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (k *KeyPair) header(v Version) string { return k.headers[v] }

// SignClaims signs a token without a version, as the JWT recipe does.
func SignClaims(claims []byte, k *KeyPair) (string, error) {
	return sign(k.plain, claims, base64.RawURLEncoding, k)
}

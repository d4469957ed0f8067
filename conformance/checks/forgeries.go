package checks

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// forgeries of an access token, by what was done: what its text alone gives away, and
// what the core's published keys, a key of one's own and another live session's token (the
// twin's) add.
func forgeries(ctx context.Context, t *Trial, at Instance, token string) (map[string]string, error) {
	bad := textForgeries(token)
	p := partsOf(token)
	if p == nil {
		return bad, nil
	}
	if twin := t.Twin(); twin != nil {
		if other := strings.Split(twin.Access.Value, "."); len(other) == 3 {
			bad["the payload of another session"] = p.header + "." + other[1] + "." + p.signature
		}
	}
	if p.members == nil {
		return bad, nil
	}
	if err := p.keyForgeries(bad); err != nil {
		return nil, err
	}
	keys, err := keysOf(ctx, t, at, p.text("kid"))
	for i, key := range keys {
		for what, secret := range secretsOf(key) {
			bad[fmt.Sprintf("HS256 and %s of published key %d as the secret", what, i+1)] = p.signedBy(p.with("alg", "HS256"), func(signed string) []byte {
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(signed))
				return mac.Sum(nil)
			})
		}
	}
	return bad, err
}

// textForgeries are those that need nothing but the token.
func textForgeries(token string) map[string]string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return map[string]string{"one character changed": flip(token, 0)}
	}
	b64 := base64.RawURLEncoding.EncodeToString
	head := func(s string) string { return b64([]byte(s)) + "." + parts[1] + "." + parts[2] }
	bad := map[string]string{
		"a changed payload":              flip(token, 1),
		"a changed signature":            flip(token, 2),
		"another key's header":           flip(token, 0),
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"algorithm none":                 b64([]byte(`{"alg":"none","typ":"JWT","version":"5"}`)) + "." + parts[1] + ".",
		"two parts":                      parts[0] + "." + parts[1],
		"a word instead of a token":      "token",
		"no kid":                         head(`{"alg":"RS256","typ":"JWT","version":"5"}`),
		"an unknown version":             head(`{"alg":"RS256","typ":"JWT","version":"99","kid":"d-1"}`),
		"an unknown kid":                 head(`{"alg":"RS256","typ":"JWT","version":"5","kid":"d-1"}`),
		"a header that is no JSON":       b64([]byte("header")) + "." + parts[1] + "." + parts[2],
		"a header that is not base64":    "%%%." + parts[1] + "." + parts[2],
		"a signature that is not base64": parts[0] + "." + parts[1] + ".%%%",
		"a payload that is no JSON":      parts[0] + "." + b64([]byte("payload")) + "." + parts[2],
		"only dots":                      "..",
	}
	p := partsOf(token)
	if p == nil || p.members == nil {
		return bad
	}
	// The token's own header, in which one thing is changed: what a core looks for in a
	// header before it looks at the algorithm is all there.
	for _, alg := range []string{"none", "None"} {
		bad["algorithm "+alg+" in its own header"] = p.with("alg", alg) + "." + p.payload + "."
		bad["algorithm "+alg+" in its own header and the signature"] = p.with("alg", alg) + "." + p.payload + "." + p.signature
	}
	if p.text("kid") != "" {
		bad["no kid in its own header"] = p.with("kid", nil) + "." + p.payload + "." + p.signature
		bad["an unknown kid in its own header"] = p.with("kid", "d-1") + "." + p.payload + "." + p.signature
	}
	return bad
}

// parts of a token. Its header's members are nil where it has none that can be read.
type parts struct {
	header, payload, signature string
	members                    map[string]any
	enc                        *base64.Encoding // of its parts
}

// partsOf gives the parts of a token of three; nil for any other.
func partsOf(token string) *parts {
	list := strings.Split(token, ".")
	if len(list) != 3 {
		return nil
	}
	p := &parts{header: list[0], payload: list[1], signature: list[2], enc: base64.RawURLEncoding}
	if strings.Contains(p.header+p.payload+p.signature, "=") {
		p.enc = base64.StdEncoding
	}
	raw, err := p.enc.DecodeString(p.header)
	if err != nil || json.Unmarshal(raw, &p.members) != nil || p.text("alg") == "" {
		p.members = nil
	}
	return p
}

// text is a member of the header; "" where it is none or no text.
func (p *parts) text(name string) string {
	s, _ := p.members[name].(string)
	return s
}

// with is the header with one member changed, or left out for nil.
func (p *parts) with(name string, value any) string {
	members := map[string]any{}
	for k, v := range p.members {
		members[k] = v
	}
	if members[name] = value; value == nil {
		delete(members, name)
	}
	raw, _ := json.Marshal(members) // it was JSON, and texts and objects of texts were added
	return p.enc.EncodeToString(raw)
}

// signedBy is the token with another header, signed anew.
func (p *parts) signedBy(header string, sign func(signed string) []byte) string {
	signed := header + "." + p.payload
	return signed + "." + p.enc.EncodeToString(sign(signed))
}

// ownKey is a key that no core knows.
var ownKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// keyForgeries adds those that a key of one's own signs.
func (p *parts) keyForgeries(bad map[string]string) error {
	key, err := ownKey()
	if err != nil {
		return fmt.Errorf("make a key to forge with: %w", err)
	}
	sign := func(signed string) []byte {
		digest := sha256.Sum256([]byte(signed))
		signature, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]) // of a key that was just made
		return signature
	}
	jwk := map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}
	if kid := p.text("kid"); kid != "" {
		jwk["kid"] = kid
	}
	bad["the signature of a foreign key"] = p.signedBy(p.header, sign)
	bad["the signature of a foreign key that its header holds"] = p.signedBy(p.with("jwk", jwk), sign)
	return nil
}

// keysOf gives the published key of a kid, or all where a token names none; none where
// the core publishes none.
func keysOf(ctx context.Context, t *Trial, at Instance, kid string) (keys []*rsa.PublicKey, err error) {
	asker, ok := at.Core.(keyPublisher)
	if !ok {
		return nil, nil
	}
	r, err := asker.JWKS(protocol.WithEveryAnswer(ctx))
	if err != nil {
		return nil, conformance.HarnessError("fetch the key set of "+at.Name(), err)
	}
	published, err := readKeys(r.Text)
	if r.HTTPStatus != http.StatusOK || err != nil {
		t.Observe("notTried", "forgeries with a published key: "+at.Name()+" publishes none")
		return nil, nil
	}
	const most = 4 // where a token names none
	for _, k := range published {
		if public, ok := k.public(); ok && (kid == "" || k.Kid == kid) && len(keys) < most {
			keys = append(keys, public)
		}
	}
	return keys, nil
}

// secretsOf are the texts of a public key that a core may take for the secret of an HMAC.
func secretsOf(key *rsa.PublicKey) map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil // no key of RSA is without
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return map[string][]byte{
		"the PEM": text, "the PEM without its last line break": slices.Clone(text[:len(text)-1]),
		"the DER": der, "the base64": []byte(base64.StdEncoding.EncodeToString(der)),
	}
}

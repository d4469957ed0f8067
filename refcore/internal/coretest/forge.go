package coretest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Decoded takes a token apart, in either spelling.
func Decoded(t testing.TB, token string) (header, claims Obj) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	for i, to := range []*Obj{&header, &claims} {
		d := json.NewDecoder(bytes.NewReader(unbase64(t, parts[i])))
		d.UseNumber()
		if err := d.Decode(to); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	s = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "=")
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func Kid(t testing.TB, token string) string {
	t.Helper()
	h, _ := Decoded(t, token)
	s, _ := h["kid"].(string)
	return s
}

// Key gives a stored signing key: whoever has the database has it.
func (c *Core) Key(id string) *rsa.PrivateKey {
	c.T.Helper()
	ctx := context.Background()
	dynamic, err := c.Store.DynamicKeys(ctx)
	if err != nil {
		c.T.Fatal(err)
	}
	static, err := c.Store.StaticKeys(ctx)
	if err != nil {
		c.T.Fatal(err)
	}
	value := ""
	for _, k := range dynamic {
		if "d-"+strconv.FormatInt(k.CreatedAt, 10) == id {
			value = k.Value
		}
	}
	for _, k := range static {
		if k.ID == id {
			value = k.Value
		}
	}
	_, private, ok := strings.Cut(value, "|")
	if !ok {
		c.T.Fatalf("no stored key %s", id)
	}
	return privateKey(c.T, private)
}

func privateKey(t testing.TB, text string) *rsa.PrivateKey {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return k.(*rsa.PrivateKey)
}

// ForeignKey is by nobody here.
var ForeignKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

type Signer func(input string) []byte

func RS256(k *rsa.PrivateKey) Signer {
	return func(in string) []byte {
		sum := sha256.Sum256([]byte(in))
		s, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return s
	}
}

func Hashed(k *rsa.PrivateKey, h crypto.Hash, pss bool) Signer {
	return func(in string) []byte {
		w := h.New()
		w.Write([]byte(in))
		var s []byte
		var err error
		if pss {
			s, err = rsa.SignPSS(rand.Reader, k, h, w.Sum(nil), nil)
		} else {
			s, err = rsa.SignPKCS1v15(rand.Reader, k, h, w.Sum(nil))
		}
		if err != nil {
			panic(err)
		}
		return s
	}
}

func HS256(secret []byte) Signer {
	return func(in string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(in))
		return m.Sum(nil)
	}
}

func Unsigned(string) []byte { return nil }

// Forge makes a token of version 3 and up; header and claims may be texts.
func Forge(t testing.TB, header, claims any, sign Signer) string {
	t.Helper()
	enc := base64.RawURLEncoding
	in := enc.EncodeToString(Encode(t, header)) + "." + enc.EncodeToString(Encode(t, claims))
	return in + "." + enc.EncodeToString(sign(in))
}

const HeaderV2 = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0="

func ForgeV2(t testing.TB, claims any, sign Signer) string {
	t.Helper()
	enc := base64.StdEncoding
	in := HeaderV2 + "." + enc.EncodeToString(Encode(t, claims))
	return in + "." + enc.EncodeToString(sign(in))
}

// Flip changes the character in the middle of a token's part.
func Flip(token string, part int) string {
	p := strings.Split(token, ".")
	b := []byte(p[part])
	i := len(b) / 2
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	p[part] = string(b)
	return strings.Join(p, ".")
}

// SignedBy checks a signature with the standard library alone.
func SignedBy(t testing.TB, token string, k *rsa.PublicKey) bool {
	t.Helper()
	if k == nil {
		return false
	}
	i := strings.LastIndexByte(token, '.')
	sum := sha256.Sum256([]byte(token[:i]))
	return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], unbase64(t, token[i+1:])) == nil
}

// Forger has a live session of a core with everything needed to forge.
type Forger struct {
	*Core
	Session
	Header, Claims Obj
	Sign           Signer // by the key that the header names
}

func NewForger(c *Core, cdi string) *Forger {
	f := &Forger{Core: c, Session: c.Create(cdi)}
	f.Header, f.Claims = Decoded(c.T, f.Access)
	if id, ok := f.Header["kid"].(string); ok {
		f.Sign = RS256(c.Key(id))
	} else {
		dynamic, err := c.Store.DynamicKeys(c.T.Context())
		if err != nil {
			c.T.Fatal(err)
		}
		_, private, _ := strings.Cut(dynamic[0].Value, "|")
		f.Sign = RS256(privateKey(c.T, private))
	}
	// What follows is worth something only if a right token is accepted.
	c.Verify(cdi, f.Forged(nil, nil)).OK()
	return f
}

// Forged is the session's token with changes to header and claims, rightly signed.
func (f *Forger) Forged(header, claims Obj) string {
	f.T.Helper()
	if f.Header["kid"] == nil {
		return ForgeV2(f.T, With(f.Claims, claims), f.Sign)
	}
	return Forge(f.T, With(f.Header, header), With(f.Claims, claims), f.Sign)
}

func (f *Forger) By(header Obj, s Signer) string {
	f.T.Helper()
	return Forge(f.T, With(f.Header, header), f.Claims, s)
}

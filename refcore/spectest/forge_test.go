package spectest

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

// decoded takes a token apart, in either spelling.
func decoded(t testing.TB, token string) (header, claims obj) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	for i, to := range []*obj{&header, &claims} {
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

func kid(t testing.TB, token string) string {
	t.Helper()
	h, _ := decoded(t, token)
	s, _ := h["kid"].(string)
	return s
}

// key gives a stored signing key: whoever has the database has it.
func (c *core) key(id string) *rsa.PrivateKey {
	c.t.Helper()
	ctx := context.Background()
	dynamic, err := c.store.DynamicKeys(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	static, err := c.store.StaticKeys(ctx)
	if err != nil {
		c.t.Fatal(err)
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
		c.t.Fatalf("no stored key %s", id)
	}
	return privateKey(c.t, private)
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

// foreignKey is by nobody here.
var foreignKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

type signer func(input string) []byte

func rs256(k *rsa.PrivateKey) signer {
	return func(in string) []byte {
		sum := sha256.Sum256([]byte(in))
		s, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return s
	}
}

func hashed(k *rsa.PrivateKey, h crypto.Hash, pss bool) signer {
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

func hs256(secret []byte) signer {
	return func(in string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(in))
		return m.Sum(nil)
	}
}

func unsigned(string) []byte { return nil }

// forge makes a token of version 3 and up; header and claims may be texts.
func forge(t testing.TB, header, claims any, sign signer) string {
	t.Helper()
	enc := base64.RawURLEncoding
	in := enc.EncodeToString(encode(t, header)) + "." + enc.EncodeToString(encode(t, claims))
	return in + "." + enc.EncodeToString(sign(in))
}

const headerV2 = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0="

func forgeV2(t testing.TB, claims any, sign signer) string {
	t.Helper()
	enc := base64.StdEncoding
	in := headerV2 + "." + enc.EncodeToString(encode(t, claims))
	return in + "." + enc.EncodeToString(sign(in))
}

// flip changes the character in the middle of a token's part.
func flip(token string, part int) string {
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

// signedBy checks a signature with the standard library alone.
func signedBy(t testing.TB, token string, k *rsa.PublicKey) bool {
	t.Helper()
	if k == nil {
		return false
	}
	i := strings.LastIndexByte(token, '.')
	sum := sha256.Sum256([]byte(token[:i]))
	return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], unbase64(t, token[i+1:])) == nil
}

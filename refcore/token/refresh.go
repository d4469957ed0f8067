package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/refcore/rawjson"
)

// Refresh is the content of a refresh token.
type Refresh struct {
	Handle      string
	UserID      string // recipe user id
	ParentHash1 string // "" for a root token
	AntiCSRF    string // "" when the session has none
	TenantID    string // "public" is left out of the token
	Nonce       string
}

const (
	ivSize      = 12
	keySize     = 32
	masterRound = 1000
	tokenRound  = 100
)

// NewMasterKey makes the secret behind all refresh tokens of an installation.
func NewMasterKey() (string, error) {
	var secret, salt [64]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return "", fmt.Errorf("make a refresh token key: %w", err)
	}
	if _, err := rand.Read(salt[:]); err != nil {
		return "", fmt.Errorf("make a refresh token key: %w", err)
	}
	derived, err := pbkdf2.Key(sha512.New, hex.EncodeToString(secret[:]), salt[:], masterRound, 64)
	if err != nil {
		return "", fmt.Errorf("make a refresh token key: %w", err)
	}
	return fmt.Sprintf("%d:%x:%x", masterRound, salt, derived), nil
}

// MintRefresh encrypts r under the master key, with a fresh nonce and iv.
func MintRefresh(master string, r Refresh) (string, error) {
	var iv [ivSize]byte
	if _, err := rand.Read(iv[:]); err != nil {
		return "", fmt.Errorf("mint a refresh token: %w", err)
	}
	r.Nonce = Hash1(NewUUID())
	return mintRefresh(master, r, iv)
}

func mintRefresh(master string, r Refresh, iv [ivSize]byte) (string, error) {
	b := []byte(`{"sessionHandle":`)
	b = rawjson.AppendString(b, r.Handle)
	b = append(b, `,"userId":`...)
	b = rawjson.AppendString(b, r.UserID)
	for _, f := range []struct{ name, value string }{
		{"parentRefreshTokenHash1", r.ParentHash1}, {"nonce", r.Nonce}, {"antiCsrfToken", r.AntiCSRF},
	} {
		if f.value != "" {
			b = append(b, ',')
			b = rawjson.AppendString(b, f.name)
			b = append(b, ':')
			b = rawjson.AppendString(b, f.value)
		}
	}
	if r.TenantID != "" && r.TenantID != "public" {
		b = append(b, `,"tenantId":`...)
		b = rawjson.AppendString(b, r.TenantID)
	}
	b = append(b, '}')
	gcm, err := refreshCipher(master, iv[:])
	if err != nil {
		return "", fmt.Errorf("mint a refresh token: %w", err)
	}
	sealed := gcm.Seal(iv[:], iv[:], b, nil)
	return base64.StdEncoding.EncodeToString(sealed) + "." + r.Nonce + ".V2", nil
}

func refreshCipher(master string, iv []byte) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha512.New, master, iv, tokenRound, keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// ParseRefresh decrypts a refresh token. The error is an Invalid.
func ParseRefresh(master, s string) (Refresh, error) {
	parts := split(s)
	if len(parts) == 0 || !isRefreshType(parts[len(parts)-1]) {
		return Refresh{}, Invalid("invalid refresh token format: version of refresh token not recognised")
	}
	if len(parts) != 3 {
		return Refresh{}, Invalid(fmt.Sprintf("invalid refresh token format: %d parts", len(parts)))
	}
	sealed, ok := decodeBase64(base64.RawStdEncoding, parts[0])
	if !ok || len(sealed) < ivSize {
		return Refresh{}, Invalid("invalid refresh token format: not base64")
	}
	gcm, err := refreshCipher(master, sealed[:ivSize])
	if err != nil {
		return Refresh{}, Invalid("invalid refresh token: no key")
	}
	plain, err := gcm.Open(nil, sealed[:ivSize], sealed[ivSize:], nil)
	if err != nil {
		return Refresh{}, errRefresh
	}
	o, err := rawjson.Parse(plain)
	if err != nil {
		return Refresh{}, errRefresh
	}
	var r Refresh
	for _, f := range []struct {
		name string
		to   *string
		must bool
	}{
		{"sessionHandle", &r.Handle, true}, {"userId", &r.UserID, true}, {"nonce", &r.Nonce, true},
		{"parentRefreshTokenHash1", &r.ParentHash1, false}, {"antiCsrfToken", &r.AntiCSRF, false}, {"tenantId", &r.TenantID, false},
	} {
		raw := o.Get(f.name)
		if raw == nil {
			if f.must {
				return Refresh{}, errRefresh
			}
			continue
		}
		if *f.to, ok = rawjson.String(raw); !ok {
			return Refresh{}, errRefresh
		}
	}
	if r.TenantID == "" {
		r.TenantID = "public"
	}
	if !hmac.Equal([]byte(r.Nonce), []byte(parts[1])) {
		return Refresh{}, errRefresh
	}
	return r, nil
}

const errRefresh = Invalid("Invalid refresh token")

func isRefreshType(s string) bool {
	switch strings.ToUpper(s) {
	case "V0", "V1", "V2":
		return true
	}
	return false
}

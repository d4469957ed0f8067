// Package token mints and reads the tokens of a session core: access tokens of
// versions 1 to 5, refresh tokens, and the signing keys behind them.
package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/coreproof/coreproof/refcore/rawjson"
)

// Version is the version of an access token.
type Version int

// Access is the content of an access token.
type Access struct {
	Version      Version
	Handle       string
	UserID       string // primary user id
	RecipeUserID string // V5; elsewhere equal to UserID
	TenantID     string // V4 and up; elsewhere "public"
	RefreshHash1 string
	ParentHash1  string // "" when there is nothing to promote
	AntiCSRF     string // "" when the session has none
	Payload      []byte // userDataInJWT, a JSON object
	Expiry       int64  // ms
	Created      int64  // ms
}

// Invalid is why a token is not good; its text is fit for a caller's eyes.
type Invalid string

func (e Invalid) Error() string { return string(e) }

// ErrProtected says that a user payload has a name that the token needs itself.
var ErrProtected = errors.New("The user payload contains protected field") //nolint:staticcheck // the protocol's own text

const missingClaim = "Access token does not contain all the information. Maybe the structure has changed?"

// ErrNoAntiCSRF is the refusal of a token without the anti-csrf value that was asked for.
const ErrNoAntiCSRF = Invalid(missingClaim)

// The headers of versions 1 and 2 are fixed texts, compared in their encoded form.
const (
	headerV1 = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0="
	headerV2 = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0="
)

var (
	legacyNames = []string{"userId", "expiryTime", "timeCreated", "sessionHandle", "refreshTokenHash1"}
	v3Names     = []string{"sub", "exp", "iat", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"}
	v4Names     = append(slices.Clone(v3Names), "tId")
	v5Names     = append(slices.Clone(v4Names), "rsub")
)

// Names gives the claims that a token of version v must have, which are also
// the names that a user payload may not contain.
func (v Version) Names() []string {
	switch {
	case v <= 2:
		return legacyNames
	case v == 3:
		return v3Names
	case v == 4:
		return v4Names
	}
	return v5Names
}

// CheckPayload gives ErrProtected when the payload has a protected name at its top level.
func CheckPayload(v Version, payload rawjson.Object) error {
	names := v.Names()
	for _, m := range payload {
		if slices.Contains(names, m.Key) {
			return ErrProtected
		}
	}
	return nil
}

// Hash1 is the lower-case hex SHA-256 of a token.
func Hash1(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// Header is the decoded first part of an access token.
type Header struct {
	Version Version
	KeyID   string // "" for versions 1 and 2
}

// Unverified is an access token whose form is right and whose signature has
// not been looked at.
type Unverified struct {
	Header
	signed    string // the part that the signature covers
	payload   string
	signature string
}

// Parse looks at the form and the header of an access token.
// The error is an Invalid.
func Parse(s string) (Unverified, error) { return parse(s, parseHeader) }

func parse(s string, header func(string) (Header, error)) (Unverified, error) {
	parts := split(s)
	if len(parts) != 3 {
		return Unverified{}, Invalid("invalid JWT: not three parts")
	}
	h, err := header(parts[0])
	if err != nil {
		return Unverified{}, err
	}
	return Unverified{
		Header:    h,
		signed:    s[:len(parts[0])+1+len(parts[1])],
		payload:   parts[1],
		signature: parts[2],
	}, nil
}

func parseHeader(s string) (Header, error) {
	switch s {
	case headerV1:
		return Header{Version: 1}, nil
	case headerV2:
		return Header{Version: 2}, nil
	}
	b, ok := decodeBase64(base64.RawURLEncoding, s)
	if !ok {
		return Header{}, Invalid("invalid JWT: the header is not base64")
	}
	o, err := rawjson.Parse(b)
	if err != nil {
		return Header{}, Invalid("invalid JWT: the header is no JSON object")
	}
	typ, alg, kid := o.Get("typ"), o.Get("alg"), o.Get("kid")
	for _, need := range []struct {
		name string
		raw  []byte
		want string
	}{{"typ", typ, "JWT"}, {"alg", alg, "RS256"}} {
		if need.raw == nil {
			return Header{}, Invalid("JWT header missing: " + need.name)
		}
		if v, ok := rawjson.String(need.raw); !ok || v != need.want {
			return Header{}, Invalid("JWT header mismatch: " + need.name)
		}
	}
	// A token of the JWT recipe has no version and counts as the newest.
	h := Header{Version: 5}
	if raw := o.Get("version"); raw != nil {
		v, _ := rawjson.String(raw)
		switch v {
		case "3", "4", "5":
			h.Version = Version(v[0] - '0')
		default:
			return Header{}, Invalid("JWT header mismatch: version")
		}
	}
	if kid == nil {
		return Header{}, Invalid("JWT header missing: kid")
	}
	if h.KeyID, ok = rawjson.String(kid); !ok {
		return Header{}, Invalid("JWT header mismatch: kid")
	}
	return h, nil
}

// SignedBy says whether the signature is by this key.
func (u *Unverified) SignedBy(pub *rsa.PublicKey) bool {
	enc := base64.RawURLEncoding
	if u.Version <= 2 {
		enc = base64.RawStdEncoding
	}
	sig, ok := decodeBase64(enc, u.signature)
	if !ok {
		return false
	}
	sum := sha256.Sum256([]byte(u.signed))
	return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig) == nil
}

// Claims decodes the content. It does not look at the signature, nor at the
// expiry. The error is an Invalid.
func (u *Unverified) Claims() (Access, error) {
	enc := base64.RawURLEncoding
	if u.Version <= 2 {
		enc = base64.RawStdEncoding
	}
	b, ok := decodeBase64(enc, u.payload)
	if !ok {
		return Access{}, Invalid("invalid JWT: the payload is not base64")
	}
	o, err := rawjson.Parse(b)
	if err != nil {
		return Access{}, Invalid("invalid JWT: the payload is no JSON object")
	}
	if u.Version <= 2 {
		return legacyClaims(u.Version, o)
	}
	return claims(u.Version, o)
}

// legacyClaims reads versions 1 and 2: own names, times in ms, payload nested.
// A claim that stands twice is refused.
func legacyClaims(v Version, o rawjson.Object) (Access, error) {
	a := Access{Version: v, TenantID: "public", Payload: []byte("{}")}
	seen := 0
	for _, m := range o {
		var ok bool
		bit := 0
		switch m.Key {
		case "userId":
			a.UserID, ok = rawjson.String(m.Value)
			bit = 1 << 0
		case "expiryTime":
			a.Expiry, ok = integer(m.Value)
			bit = 1 << 1
		case "timeCreated":
			a.Created, ok = integer(m.Value)
			bit = 1 << 2
		case "sessionHandle":
			a.Handle, ok = rawjson.String(m.Value)
			bit = 1 << 3
		case "refreshTokenHash1":
			a.RefreshHash1, ok = rawjson.String(m.Value)
			bit = 1 << 4
		case "parentRefreshTokenHash1":
			a.ParentHash1, ok = nullableString(m.Value)
			bit = 1 << 5
		case "antiCsrfToken":
			a.AntiCSRF, ok = nullableString(m.Value)
			bit = 1 << 6
		case "userData":
			if ok = rawjson.IsObject(m.Value); ok {
				a.Payload = m.Value
			}
			bit = 1 << 7
		default:
			continue
		}
		if !ok {
			return Access{}, Invalid("Access token claim has a wrong type: " + m.Key)
		}
		if seen&bit != 0 {
			return Access{}, twice(m.Key)
		}
		seen |= bit
	}
	for i, name := range legacyNames {
		if seen&(1<<i) == 0 {
			return Access{}, Invalid(missingClaim + " " + name)
		}
	}
	a.RecipeUserID = a.UserID
	return a, nil
}

// claims reads version 3 and up: the registered names, times in seconds, the
// payload beside the claims. A claim that stands twice is refused.
func claims(v Version, o rawjson.Object) (Access, error) {
	a := Access{Version: v, TenantID: "public"}
	seen := 0
	payload := make([]byte, 0, 64)
	payload = append(payload, '{')
	for _, m := range o {
		var ok bool
		bit := 0
		switch m.Key {
		case "sub":
			a.UserID, ok = rawjson.String(m.Value)
			bit = 1 << 0
		case "exp":
			a.Expiry, ok = seconds(m.Value)
			bit = 1 << 1
		case "iat":
			a.Created, ok = seconds(m.Value)
			bit = 1 << 2
		case "sessionHandle":
			a.Handle, ok = rawjson.String(m.Value)
			bit = 1 << 3
		case "refreshTokenHash1":
			a.RefreshHash1, ok = rawjson.String(m.Value)
			bit = 1 << 4
		case "parentRefreshTokenHash1":
			a.ParentHash1, ok = nullableString(m.Value)
			bit = 1 << 5
		case "antiCsrfToken":
			a.AntiCSRF, ok = nullableString(m.Value)
			bit = 1 << 6
		case "tId":
			if v >= 4 {
				a.TenantID, ok = rawjson.String(m.Value)
				bit = 1 << 7
			}
		case "rsub":
			if v >= 5 {
				a.RecipeUserID, ok = rawjson.String(m.Value)
				bit = 1 << 8
			}
		}
		if bit == 0 {
			if len(payload) > 1 {
				payload = append(payload, ',')
			}
			payload = rawjson.AppendString(payload, m.Key)
			payload = append(payload, ':')
			payload = append(payload, m.Value...)
			continue
		}
		if !ok {
			return Access{}, Invalid("Access token claim has a wrong type: " + m.Key)
		}
		if seen&bit != 0 {
			return Access{}, twice(m.Key)
		}
		seen |= bit
	}
	for i, name := range v5Names[:len(v.Names())] {
		if seen&(1<<i) == 0 {
			return Access{}, Invalid(missingClaim + " " + name)
		}
	}
	if v < 5 {
		a.RecipeUserID = a.UserID
	}
	a.Payload = append(payload, '}')
	return a, nil
}

func twice(claim string) error { return Invalid("Access token claim stands twice: " + claim) }

func nullableString(v []byte) (string, bool) {
	if rawjson.IsNull(v) {
		return "", true
	}
	return rawjson.String(v)
}

func integer(v []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// seconds reads a time in seconds as ms.
func seconds(v []byte) (int64, bool) {
	n, ok := integer(v)
	const most = 1 << 53 // well beyond any date, and × 1000 fits
	if !ok || n > most || n < -most {
		return 0, false
	}
	return n * 1000, true
}

// Mint signs a. For version 3 and up the times are cut to whole seconds, also
// in a, and ErrProtected is returned when the payload has a protected name.
func Mint(a *Access, key *KeyPair) (string, error) {
	var header string
	var body []byte
	enc := base64.RawURLEncoding
	if a.Version <= 2 {
		enc = base64.StdEncoding
		header = headerV2
		if a.Version == 1 {
			header = headerV1
		}
		body = a.appendLegacy(make([]byte, 0, 512+len(a.Payload)))
	} else {
		payload, err := rawjson.Parse(a.Payload)
		if err != nil {
			return "", fmt.Errorf("mint an access token: stored payload: %w", err)
		}
		if err := CheckPayload(a.Version, payload); err != nil {
			return "", err
		}
		a.Expiry -= a.Expiry % 1000
		a.Created -= a.Created % 1000
		header = key.header(a.Version)
		body = a.append(make([]byte, 0, 512+len(a.Payload)), payload)
	}
	return sign(header, body, enc, key)
}

// sign puts the three parts together.
func sign(header string, body []byte, enc *base64.Encoding, key *KeyPair) (string, error) {
	n := enc.EncodedLen(len(body))
	out := make([]byte, 0, len(header)+1+n+1+enc.EncodedLen(key.private.Size()))
	out = append(out, header...)
	out = append(out, '.')
	out = enc.AppendEncode(out, body)
	sum := sha256.Sum256(out)
	sig, err := rsa.SignPKCS1v15(rand.Reader, key.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign a token with key %s: %w", key.ID, err)
	}
	out = append(out, '.')
	return string(enc.AppendEncode(out, sig)), nil
}

func (a *Access) appendLegacy(b []byte) []byte {
	b = append(b, `{"sessionHandle":`...)
	b = rawjson.AppendString(b, a.Handle)
	b = append(b, `,"userId":`...)
	b = rawjson.AppendString(b, a.UserID)
	b = append(b, `,"refreshTokenHash1":`...)
	b = rawjson.AppendString(b, a.RefreshHash1)
	if a.ParentHash1 != "" {
		b = append(b, `,"parentRefreshTokenHash1":`...)
		b = rawjson.AppendString(b, a.ParentHash1)
	}
	b = append(b, `,"userData":`...)
	b = append(b, a.Payload...)
	if a.AntiCSRF != "" {
		b = append(b, `,"antiCsrfToken":`...)
		b = rawjson.AppendString(b, a.AntiCSRF)
	}
	b = append(b, `,"expiryTime":`...)
	b = strconv.AppendInt(b, a.Expiry, 10)
	b = append(b, `,"timeCreated":`...)
	b = strconv.AppendInt(b, a.Created, 10)
	return append(b, '}')
}

func (a *Access) append(b []byte, payload rawjson.Object) []byte {
	b = append(b, `{"iat":`...)
	b = strconv.AppendInt(b, a.Created/1000, 10)
	b = append(b, `,"exp":`...)
	b = strconv.AppendInt(b, a.Expiry/1000, 10)
	b = append(b, `,"sub":`...)
	b = rawjson.AppendString(b, a.UserID)
	if a.Version >= 4 {
		b = append(b, `,"tId":`...)
		b = rawjson.AppendString(b, a.TenantID)
	}
	if a.Version >= 5 {
		b = append(b, `,"rsub":`...)
		b = rawjson.AppendString(b, a.RecipeUserID)
	}
	b = append(b, `,"sessionHandle":`...)
	b = rawjson.AppendString(b, a.Handle)
	b = append(b, `,"refreshTokenHash1":`...)
	b = rawjson.AppendString(b, a.RefreshHash1)
	b = append(b, `,"parentRefreshTokenHash1":`...)
	b = appendNullable(b, a.ParentHash1)
	b = append(b, `,"antiCsrfToken":`...)
	b = appendNullable(b, a.AntiCSRF)
	if len(payload) == 0 {
		return append(b, '}')
	}
	at := len(b)
	b = payload.AppendCompact(b)
	b[at] = ',' // the payload's members go on in this object
	return b
}

func appendNullable(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return rawjson.AppendString(b, s)
}

package httpapi

import (
	"net/http"
	"strconv"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/token"
)

// The answers are put together by hand: their shapes are few and fixed, and
// user data passes through as it was stored.

func appendIssued(b []byte, name string, t refcore.Issued) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":{"token":`...)
	b = rawjson.AppendString(b, t.Token)
	b = append(b, `,"expiry":`...)
	b = strconv.AppendInt(b, t.Expiry, 10)
	b = append(b, `,"createdTime":`...)
	b = strconv.AppendInt(b, t.Created, 10)
	return append(b, '}')
}

// appendSession appends SESSION in the version's shape.
func appendSession(b []byte, v *version, a *token.Access) []byte {
	b = append(b, `,"session":{"handle":`...)
	b = rawjson.AppendString(b, a.Handle)
	b = append(b, `,"userId":`...)
	b = rawjson.AppendString(b, a.UserID)
	if v.recipeUserID {
		b = append(b, `,"recipeUserId":`...)
		b = rawjson.AppendString(b, a.RecipeUserID)
	}
	b = append(b, `,"userDataInJWT":`...)
	b = append(b, a.Payload...)
	if v.tenantID {
		b = append(b, `,"tenantId":`...)
		b = rawjson.AppendString(b, a.TenantID)
	}
	return append(b, '}')
}

// tenYears stands for the life of a static key in the legacy key fields, ms.
const tenYears = 315360000000

// appendKeys appends the legacy key fields.
func (s *Server) appendKeys(c *call, b []byte) ([]byte, error) {
	if c.version.keys == noKeys {
		return b, nil
	}
	dynamic := s.engine.Settings().DynamicKeys
	current, err := s.engine.Keys().Signer(c.ctx, !dynamic)
	if err != nil {
		return nil, err
	}
	var expiry int64 = tenYears
	if dynamic {
		expiry = current.CreatedAt + s.engine.Keys().Interval()
	}
	b = append(b, `,"jwtSigningPublicKey":"`...)
	b = append(b, current.PublicDER...)
	b = append(b, `","jwtSigningPublicKeyExpiryTime":`...)
	b = strconv.AppendInt(b, expiry, 10)
	if c.version.keys == oneKey {
		return b, nil
	}
	b = append(b, `,"jwtSigningPublicKeyList":[`...)
	if dynamic {
		list, _ := s.engine.Keys().Verifying()
		for i, k := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendListedKey(b, k, s.engine.Keys().ExpiresAt(k))
		}
	} else {
		b = appendListedKey(b, current, current.CreatedAt+tenYears)
	}
	return append(b, ']'), nil
}

func appendListedKey(b []byte, k *token.KeyPair, expiry int64) []byte {
	b = append(b, `{"publicKey":"`...)
	b = append(b, k.PublicDER...)
	b = append(b, `","expiryTime":`...)
	b = strconv.AppendInt(b, expiry, 10)
	b = append(b, `,"createdAt":`...)
	b = strconv.AppendInt(b, k.CreatedAt, 10)
	return append(b, '}')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = rawjson.AppendString(b, s)
	}
	return append(b, ']')
}

// refuse answers TRY_REFRESH_TOKEN or UNAUTHORISED; the former carries the
// legacy key fields, so that an SDK can catch up.
func (s *Server) refuse(w http.ResponseWriter, c *call, e *refcore.Refused) {
	name := "UNAUTHORISED"
	if e.TryRefresh {
		name = "TRY_REFRESH_TOKEN"
	}
	b := append([]byte(`{"status":"`), name...)
	b = append(b, `","message":`...)
	b = rawjson.AppendString(b, e.Message)
	if e.ReuseSubtype != "" {
		b = append(b, `,"recentTokenReuseSubtype":`...)
		b = rawjson.AppendString(b, e.ReuseSubtype)
	}
	if e.TryRefresh {
		var err error
		if b, err = s.appendKeys(c, b); err != nil {
			s.fail(w, c, err)
			return
		}
	}
	writeJSON(w, append(b, '}'))
}

func (s *Server) theft(w http.ResponseWriter, e *refcore.Theft) {
	b := []byte(`{"status":"TOKEN_THEFT_DETECTED","session":{"handle":`)
	b = rawjson.AppendString(b, e.Handle)
	b = append(b, `,"userId":`...)
	b = rawjson.AppendString(b, e.UserID)
	b = append(b, `,"recipeUserId":`...)
	b = rawjson.AppendString(b, e.RecipeUserID)
	b = append(b, '}')
	if e.ReuseSubtype != "" {
		b = append(b, `,"recentTokenReuseSubtype":`...)
		b = rawjson.AppendString(b, e.ReuseSubtype)
	}
	writeJSON(w, append(b, '}'))
}

func writeJSON(w http.ResponseWriter, b []byte) {
	b = append(b, '\n')
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b) // a caller that went away needs no answer
}

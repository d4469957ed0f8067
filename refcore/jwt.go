package refcore

import (
	"context"
	"strconv"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/token"
)

// SignJWT is the JWT recipe: a token with the given claims, iss, iat and exp,
// good for validity seconds.
func (e *Engine) SignJWT(ctx context.Context, issuer string, claims rawjson.Object, validity int64, static bool) (string, error) {
	key, err := e.ring.Signer(ctx, static)
	if err != nil {
		return "", err
	}
	now := e.now() / 1000
	var own rawjson.Object
	for _, m := range claims {
		if m.Key != "iss" && m.Key != "iat" && m.Key != "exp" {
			own = append(own, m)
		}
	}
	own = append(own,
		rawjson.Member{Key: "iss", Value: rawjson.AppendString(nil, issuer)},
		rawjson.Member{Key: "exp", Value: strconv.AppendInt(nil, now+validity, 10)},
		rawjson.Member{Key: "iat", Value: strconv.AppendInt(nil, now, 10)})
	return token.SignClaims(own.AppendCompact(nil), key)
}

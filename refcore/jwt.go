package refcore

import (
	"context"
	"slices"
	"strconv"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/token"
)

// SignJWT is the JWT recipe: a token with the given claims, good for validity
// seconds. iss, exp and iat are added where the claims have none of their own, as
// in the real core, whose builder takes the payload last.
func (e *Engine) SignJWT(ctx context.Context, issuer string, claims rawjson.Object, validity int64, static bool) (string, error) {
	key, err := e.ring.Signer(ctx, static)
	if err != nil {
		return "", err
	}
	now := e.now() / 1000
	all := slices.Clone(claims)
	for _, m := range []rawjson.Member{
		{Key: "iss", Value: rawjson.AppendString(nil, issuer)},
		{Key: "exp", Value: strconv.AppendInt(nil, now+validity, 10)},
		{Key: "iat", Value: strconv.AppendInt(nil, now, 10)},
	} {
		if claims.Get(m.Key) == nil {
			all = append(all, m)
		}
	}
	return token.SignClaims(all.AppendCompact(nil), key)
}

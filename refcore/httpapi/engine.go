package httpapi

import (
	"context"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// Engine is what the HTTP surface stands in front of: *refcore.Engine, or one
// that decorates it. Its methods are described there.
type Engine interface {
	Create(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error)
	Verify(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error)
	Refresh(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error)
	Revoke(ctx context.Context, handles []string) ([]string, error)
	RevokeUser(ctx context.Context, userID string) ([]string, error)
	Regenerate(ctx context.Context, accessToken string, payload rawjson.Object, checkPayload bool) (refcore.Granted, error)
	List(ctx context.Context, userID string) ([]string, error)
	Get(ctx context.Context, handle string) (store.Session, error)
	SetData(ctx context.Context, handle string, data rawjson.Object) error
	SetPayload(ctx context.Context, handle string, payload rawjson.Object) error
	SignJWT(ctx context.Context, issuer string, claims rawjson.Object, validity int64, static bool) (string, error)
	Ping(ctx context.Context) error
	Settings() refcore.Settings
	Keys() *token.Ring
}

var _ Engine = (*refcore.Engine)(nil)

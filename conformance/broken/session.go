package broken

import (
	"context"
	"errors"
	"sync"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// onRefresh changes what a refresh gives.
func onRefresh(f func(ctx context.Context, next httpapi.Engine, in refcore.RefreshInput, g refcore.Granted, err error) (refcore.Granted, error)) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
			g, err := next.Refresh(ctx, in)
			return f(ctx, next, in, g, err)
		}}
	})
}

// sessionDefects: what has nothing to do with revoking.
func sessionDefects() []Defect {
	return []Defect{
		{
			Name: "wrong-user", Text: "verify tells another user's id",
			CaughtBy: []string{"SE-01"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				v.Session.UserID += "x"
				return v, err
			}),
		},
		{
			Name: "refresh-keeps-the-token", Text: "refresh gives the refresh token that it was given",
			CaughtBy: []string{"SE-04"},
			Decorate: onRefresh(func(_ context.Context, _ httpapi.Engine, in refcore.RefreshInput, g refcore.Granted, err error) (refcore.Granted, error) {
				if err == nil {
					g.Refresh.Token = in.RefreshToken
				}
				return g, err
			}),
		},
		{
			Name: "theft-unseen", Text: "a stolen refresh token gets a session",
			CaughtBy: []string{"SE-05", "RO-02", "RO-03", "RO-08"},
			Decorate: onRefresh(func(ctx context.Context, next httpapi.Engine, in refcore.RefreshInput, g refcore.Granted, err error) (refcore.Granted, error) {
				var theft *refcore.Theft
				if !errors.As(err, &theft) {
					return g, err
				}
				return next.Create(ctx, refcore.CreateInput{UserID: theft.UserID, TokenVersion: in.TokenVersion, Payload: rawjson.Object{}, Data: rawjson.Object{}})
			}),
		},
		{
			Name: "payload-changes-unseen", Text: "verify with the check does not see that the payload changed",
			CaughtBy: []string{"SE-06", "RO-06"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if a, bad := next.Keys().Verify(ctx, in.AccessToken); err == nil && bad == nil && a.ParentHash1 == "" {
					return refcore.Verified{Session: a}, nil
				}
				return v, err
			}),
		},
		{
			Name: "verify-gives-token-after-token", Text: "verify hands out another token every time",
			CaughtBy: []string{"SE-01", "SE-06", "RO-04"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if err == nil && v.Access.Token == "" {
					if g, bad := next.Regenerate(ctx, in.AccessToken, nil, false); bad == nil {
						v.Access = g.Access
					}
				}
				return v, err
			}),
		},
		{
			Name: "regenerate-prolongs", Text: "regenerate gives a token that ends later",
			CaughtBy: []string{"SE-07"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{regenerate: func(ctx context.Context, access string, p rawjson.Object, check bool) (refcore.Granted, error) {
					g, err := next.Regenerate(ctx, access, p, check)
					g.Access.Expiry += 1000
					return g, err
				}}
			}),
		},
		{
			Name: "writes-merge", Text: "a write of the data adds to what was there",
			CaughtBy: []string{"SE-08"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{setData: func(ctx context.Context, handle string, data rawjson.Object) error {
					if s, err := next.Get(ctx, handle); err == nil {
						if old, err := rawjson.Parse(s.Data); err == nil {
							data = append(old, data...)
						}
					}
					return next.SetData(ctx, handle, data)
				}}
			}),
		},
		{
			Name: "unknown-sessions-are-empty", Text: "a read of a session that is not there finds an empty one",
			CaughtBy: []string{"SE-09", "BL-23"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{get: func(ctx context.Context, handle string) (store.Session, error) {
					s, err := next.Get(ctx, handle)
					if gone(err) {
						return store.Session{Handle: handle, Data: []byte("{}"), Payload: []byte("{}")}, nil
					}
					return s, err
				}}
			}),
		},
		{
			Name: "anti-csrf-not-checked", Text: "verify does not look at the anti-csrf value",
			CaughtBy: []string{"SE-12", "BL-36"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				in.CheckAntiCSRF = false
				return next.Verify(ctx, in)
			}),
		},
		{
			Name: "keys-of-its-own", Text: "each core signs with keys that no other core knows",
			CaughtBy: []string{"SE-14", "SE-16"},
			Decorate: serve.Decorate{Store: func(next store.Store) store.Store { return &ownKeys{Store: next} }},
		},
	}
}

// ownKeys keeps the signing keys of one core in memory.
type ownKeys struct {
	store.Store
	once sync.Once
	keys store.Store
	err  error
}

func (o *ownKeys) open(ctx context.Context) (store.Store, error) {
	o.once.Do(func() { o.keys, o.err = sqlite.Open(context.WithoutCancel(ctx), store.Config{}) })
	return o.keys, o.err
}

func (o *ownKeys) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	k, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	return k.DynamicKeys(ctx)
}

func (o *ownKeys) AddDynamicKey(ctx context.Context, newest int64, key store.Key) (bool, error) {
	k, err := o.open(ctx)
	if err != nil {
		return false, err
	}
	return k.AddDynamicKey(ctx, newest, key)
}

// Close closes the keys' database as well.
func (o *ownKeys) Close() error {
	if o.keys != nil {
		return errors.Join(o.keys.Close(), o.Store.Close())
	}
	return o.Store.Close()
}

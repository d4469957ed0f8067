package refcore

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// Get reads a session that has not expired; *Refused.
func (e *Engine) Get(ctx context.Context, handle string) (store.Session, error) {
	row, err := e.store.Session(ctx, handle)
	if err == nil && row.ExpiresAt <= e.now() {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Session{}, livenessError(err, handle, msgDoesNotExist)
	}
	return row, nil
}

// SetData replaces userDataInDatabase in one statement; *Refused.
func (e *Engine) SetData(ctx context.Context, handle string, data rawjson.Object) error {
	ok, err := e.store.SetData(ctx, handle, data.AppendCompact(nil), e.now())
	return updated(ok, err, handle)
}

// SetPayload replaces userDataInJWT in one statement; *Refused.
func (e *Engine) SetPayload(ctx context.Context, handle string, payload rawjson.Object) error {
	ok, err := e.store.SetPayload(ctx, handle, payload.AppendCompact(nil), e.now())
	return updated(ok, err, handle)
}

func updated(ok bool, err error, handle string) error {
	if err != nil {
		return fmt.Errorf("update session %s: %w", handle, err)
	}
	if !ok {
		return unauthorised(msgDoesNotExist)
	}
	return nil
}

// List gives the handles of a user's sessions that have not expired.
func (e *Engine) List(ctx context.Context, userID string) ([]string, error) {
	if len(userID) > store.MaxUserID {
		return nil, nil
	}
	handles, err := e.store.Handles(ctx, userID, e.now())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return handles, nil
}

// Revoke deletes sessions and gives the handles that this call deleted. It
// returns after the deletes are durable.
func (e *Engine) Revoke(ctx context.Context, handles []string) ([]string, error) {
	if len(handles) == 0 {
		return nil, nil
	}
	gone, err := e.store.Delete(ctx, handles)
	if err != nil {
		return nil, fmt.Errorf("revoke sessions: %w", err)
	}
	return gone, nil
}

// RevokeUser deletes all sessions of a user that have not expired.
func (e *Engine) RevokeUser(ctx context.Context, userID string) ([]string, error) {
	if len(userID) > store.MaxUserID {
		return nil, nil
	}
	gone, err := e.store.DeleteByUser(ctx, userID, e.now())
	if err != nil {
		return nil, fmt.Errorf("revoke all sessions of a user: %w", err)
	}
	return gone, nil
}

// Regenerate gives an access token with a new payload (nil keeps the stored
// one) and the old expiry. Neither signature nor expiry of the given token is
// looked at, as in the real core: the SDK has verified it. When the token has
// expired only the stored payload changes. *Refused, BadInput, as for a tenant
// that does not exist, token.ErrProtected when checkPayload and the payload, be it
// the stored one, has a protected name.
func (e *Engine) Regenerate(ctx context.Context, accessToken string, payload rawjson.Object, checkPayload bool) (Granted, error) {
	u, err := token.Parse(accessToken)
	if err != nil {
		text, _ := invalid(err)
		return Granted{}, BadInput(text)
	}
	a, err := u.Claims()
	if err != nil {
		text, _ := invalid(err)
		return Granted{}, unauthorised(text)
	}
	if a.TenantID != "public" {
		return Granted{}, UnknownTenant("public", a.TenantID)
	}
	row, err := e.Get(ctx, a.Handle)
	if err != nil {
		return Granted{}, err
	}
	if checkPayload {
		next := payload
		if next == nil {
			if next, err = rawjson.Parse(row.Payload); err != nil {
				return Granted{}, fmt.Errorf("read the payload of session %s: %w", a.Handle, err)
			}
		}
		if err := token.CheckPayload(a.Version, next); err != nil {
			return Granted{}, err
		}
	}
	if payload != nil {
		if err := e.SetPayload(ctx, a.Handle, payload); err != nil {
			return Granted{}, err
		}
		row.Payload = payload.AppendCompact(nil)
	}
	now := e.now()
	a.Payload = row.Payload
	g := Granted{Session: a}
	if a.Expiry < now {
		return g, nil
	}
	a.Created = now
	if g.Access, err = e.mint(ctx, &a, row.UseStaticKey); err != nil {
		return Granted{}, err
	}
	g.Session = a
	return g, nil
}

package refcore

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// Issued is a token with its times, ms.
type Issued struct {
	Token   string
	Expiry  int64
	Created int64
}

// Granted is a session with the tokens that a call handed out; tokens that it
// does not hand out are zero.
type Granted struct {
	Session  token.Access
	Access   Issued
	Refresh  Issued
	AntiCSRF string
}

// CreateInput asks for a session.
type CreateInput struct {
	UserID         string
	Payload        rawjson.Object // userDataInJWT
	Data           rawjson.Object // userDataInDatabase
	EnableAntiCSRF bool
	StaticKey      bool
	TokenVersion   token.Version
	// AccessValidity in ms replaces the configured one; nil for none.
	AccessValidity *int64
}

// Create makes a session: one insert. token.ErrProtected, BadInput.
func (e *Engine) Create(ctx context.Context, in CreateInput) (Granted, error) {
	if len(in.UserID) > store.MaxUserID {
		return Granted{}, BadInput(fmt.Sprintf("userId is too long: at most %d bytes", store.MaxUserID))
	}
	life, err := e.lifetime(in.AccessValidity)
	if err != nil {
		return Granted{}, err
	}
	if in.TokenVersion > 2 {
		if err := token.CheckPayload(in.TokenVersion, in.Payload); err != nil {
			return Granted{}, err
		}
	}
	now := e.now()
	a := token.Access{
		Version: in.TokenVersion, Handle: token.NewUUID(), UserID: in.UserID, RecipeUserID: in.UserID, TenantID: "public",
		Payload: in.Payload.AppendCompact(nil), Created: now, Expiry: now + life,
	}
	if in.EnableAntiCSRF {
		a.AntiCSRF = token.NewUUID()
	}
	refresh, err := e.mintRefresh(a, "", now)
	if err != nil {
		return Granted{}, err
	}
	a.RefreshHash1 = token.Hash1(refresh.Token)
	// Minted before the insert, so that a payload that cannot be minted leaves no row.
	access, err := e.mint(ctx, &a, in.StaticKey)
	if err != nil {
		return Granted{}, err
	}
	row := store.Session{
		Handle: a.Handle, UserID: in.UserID, RefreshHash2: token.Hash1(a.RefreshHash1),
		Data: in.Data.AppendCompact(nil), Payload: a.Payload,
		CreatedAt: now, ExpiresAt: refresh.Expiry, UseStaticKey: in.StaticKey,
	}
	if err := e.store.CreateSession(ctx, row); err != nil {
		return Granted{}, fmt.Errorf("create a session: %w", err)
	}
	return Granted{Session: a, Access: access, Refresh: refresh, AntiCSRF: a.AntiCSRF}, nil
}

// mint signs a and gives the token with its times.
func (e *Engine) mint(ctx context.Context, a *token.Access, static bool) (Issued, error) {
	key, err := e.ring.Signer(ctx, static)
	if err != nil {
		return Issued{}, err
	}
	s, err := token.Mint(a, key)
	if err != nil {
		return Issued{}, err
	}
	return Issued{Token: s, Expiry: a.Expiry, Created: a.Created}, nil
}

// mintRefresh makes the refresh token that goes with a.
func (e *Engine) mintRefresh(a token.Access, parentHash1 string, now int64) (Issued, error) {
	s, err := token.MintRefresh(e.master, token.Refresh{
		Handle: a.Handle, UserID: a.RecipeUserID, ParentHash1: parentHash1, AntiCSRF: a.AntiCSRF, TenantID: a.TenantID,
	})
	if err != nil {
		return Issued{}, err
	}
	return Issued{Token: s, Created: now, Expiry: now + e.settings.RefreshValidity.Milliseconds()}, nil
}

// invalid gives the text of a token.Invalid.
func invalid(err error) (string, bool) {
	var bad token.Invalid
	if errors.As(err, &bad) {
		return string(bad), true
	}
	return "", false
}

package refcore

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// RefreshInput exchanges a refresh token for a new pair.
type RefreshInput struct {
	RefreshToken   string
	AntiCSRF       *string
	EnableAntiCSRF bool
	// StaticKey switches the session's key kind; nil keeps it.
	StaticKey      *bool
	TokenVersion   token.Version
	AccessValidity *int64 // ms, CDI ≥ 5.6
	// Rotate is CDI ≥ 5.6: the presented token is retired at once.
	Rotate bool
}

// Refresh gives a new pair of tokens; *Refused, *Theft, BadInput otherwise.
func (e *Engine) Refresh(ctx context.Context, in RefreshInput) (Granted, error) {
	r, err := token.ParseRefresh(e.master, in.RefreshToken)
	if err != nil {
		text, _ := invalid(err)
		return Granted{}, unauthorised(text)
	}
	if in.EnableAntiCSRF && r.AntiCSRF != "" {
		if in.AntiCSRF == nil || subtle.ConstantTimeCompare([]byte(*in.AntiCSRF), []byte(r.AntiCSRF)) != 1 {
			return Granted{}, unauthorised(msgAntiCSRFOnRef)
		}
	}
	life, err := e.lifetime(in.AccessValidity)
	if err != nil {
		return Granted{}, err
	}
	p := presented{Refresh: r, hash1: token.Hash1(in.RefreshToken)}
	p.hash2 = token.Hash1(p.hash1)
	if r.ParentHash1 != "" {
		p.parentHash2 = token.Hash1(r.ParentHash1)
	}
	g, done, err := e.tryRefresh(ctx, in, p, life)
	if err == nil && !done {
		g, err = e.refreshInTurn(ctx, in, p, life)
	}
	if err != nil {
		return Granted{}, protectedAsRefusal(err)
	}
	return g, nil
}

// tryRefresh reads the row and refreshes. False means that the row changed in
// between: read it again.
func (e *Engine) tryRefresh(ctx context.Context, in RefreshInput, p presented, life int64) (Granted, bool, error) {
	row, err := e.store.Session(ctx, p.Handle)
	if err == nil && row.ExpiresAt < e.now() {
		err = store.ErrNotFound
	}
	if err != nil {
		return Granted{}, false, livenessError(err, p.Handle, msgMissingOrOld)
	}
	if in.Rotate {
		return e.rotate(ctx, in, p, row, life)
	}
	return e.refreshLegacy(ctx, in, p, row, life)
}

// refreshInTurn is for a refresh that lost to another call. Of n calls that
// change one session at once each would lose to all others, one after the other,
// so those of this process take turns: what may still be lost to are calls that
// have just come, and one of each other process.
func (e *Engine) refreshInTurn(ctx context.Context, in RefreshInput, p presented, life int64) (Granted, error) {
	give, err := e.turns.take(ctx, p.Handle)
	if err != nil {
		return Granted{}, err
	}
	var failed error
	defer func() { give(failed) }()
	for range maxAttempts {
		g, done, err := e.tryRefresh(ctx, in, p, life)
		if err != nil {
			if ctx.Err() == nil && !answered(err) {
				failed = err
			}
			return Granted{}, err
		}
		if done {
			return g, nil
		}
	}
	return Granted{}, fmt.Errorf("refresh session %s: %w", p.Handle, errContended)
}

// answered says that an error is about the caller's token or session, and no
// failure of the core's.
func answered(err error) bool {
	var refused *Refused
	var theft *Theft
	var bad BadInput
	return errors.As(err, &refused) || errors.As(err, &theft) || errors.As(err, &bad) || errors.Is(err, token.ErrProtected)
}

// presented is the refresh token that a caller showed, with its hashes.
type presented struct {
	token.Refresh
	hash1, hash2 string
	parentHash2  string // "" for a root token
}

func protectedAsRefusal(err error) error {
	if errors.Is(err, token.ErrProtected) {
		return unauthorised(err.Error())
	}
	return err
}

// refreshLegacy is CDI < 5.6: the current token makes any number of children
// and nothing is stored until one of them is used. False means that the row
// changed: read it again.
func (e *Engine) refreshLegacy(ctx context.Context, in RefreshInput, p presented, row store.Session, life int64) (Granted, bool, error) {
	static := row.UseStaticKey
	if in.StaticKey != nil {
		static = *in.StaticKey
	}
	now := e.now()
	switch {
	case p.hash2 == row.RefreshHash2:
		if static != row.UseStaticKey {
			done, err := e.store.Rotate(ctx, row.Handle, store.Rotation{
				Expect: row.RefreshHash2, ExpectStaticKey: row.UseStaticKey, RefreshHash2: row.RefreshHash2, PrevRefreshHash2: row.PrevRefreshHash2,
				RotatedAt: row.RotatedAt, ExpiresAt: row.ExpiresAt, UseStaticKey: static,
			})
			if err != nil || !done {
				return Granted{}, false, wrap(err, "switch the key kind of session", row.Handle)
			}
		}
		a, refresh, err := e.nextPair(in, p.hash1, row, life)
		if err != nil {
			return Granted{}, false, err
		}
		g, err := e.grant(ctx, a, refresh, static)
		return g, true, err
	case p.parentHash2 != "" && p.parentHash2 == row.RefreshHash2:
		_, err := e.store.Rotate(ctx, row.Handle, store.Rotation{
			Expect: row.RefreshHash2, ExpectStaticKey: row.UseStaticKey, RefreshHash2: p.hash2, PrevRefreshHash2: row.RefreshHash2, RotatedAt: now,
			ExpiresAt: now + e.settings.RefreshValidity.Milliseconds(), UseStaticKey: static,
		})
		// Promoted or lost to another call: the row as it now is decides.
		return Granted{}, false, wrap(err, "promote session", row.Handle)
	}
	return Granted{}, false, &Theft{Handle: row.Handle, UserID: row.UserID, RecipeUserID: row.UserID}
}

// rotate is CDI ≥ 5.6: the presented token is retired in the same step.
func (e *Engine) rotate(ctx context.Context, in RefreshInput, p presented, row store.Session, life int64) (Granted, bool, error) {
	static := row.UseStaticKey
	if in.StaticKey != nil {
		static = *in.StaticKey
	}
	now := e.now()
	next := store.Rotation{Expect: row.RefreshHash2, ExpectStaticKey: row.UseStaticKey, UseStaticKey: static}
	switch {
	case p.hash2 == row.RefreshHash2, p.parentHash2 != "" && p.parentHash2 == row.RefreshHash2:
		next.PrevRefreshHash2, next.RotatedAt = p.hash2, now
		next.ExpiresAt = now + e.settings.RefreshValidity.Milliseconds()
	case row.PrevRefreshHash2 != "" && p.hash2 == row.PrevRefreshHash2 && now <= row.RotatedAt+e.settings.GracePeriod.Milliseconds():
		next.PrevRefreshHash2, next.RotatedAt, next.ExpiresAt = row.PrevRefreshHash2, row.RotatedAt, row.ExpiresAt
	default:
		return Granted{}, false, e.reuse(ctx, p, row)
	}
	// Committed before the access token is signed, as in the real core: a lost
	// race then costs no signature, and the grace period excuses a lost answer.
	a, refresh, err := e.nextPair(in, "", row, life)
	if err != nil {
		return Granted{}, false, err
	}
	next.RefreshHash2 = token.Hash1(a.RefreshHash1)
	done, err := e.store.Rotate(ctx, row.Handle, next)
	if err != nil || !done {
		return Granted{}, false, wrap(err, "rotate session", row.Handle)
	}
	g, err := e.grant(ctx, a, refresh, static)
	return g, true, err
}

// reuse answers a refresh token that is neither current nor excused: the
// session is revoked.
func (e *Engine) reuse(ctx context.Context, p presented, row store.Session) error {
	subtype := reuseStale
	switch {
	case row.PrevRefreshHash2 == "":
	case p.hash2 == row.PrevRefreshHash2:
		subtype = reuseRecent
	case p.parentHash2 == row.PrevRefreshHash2:
		subtype = reuseOrphaned
	}
	if _, err := e.store.Delete(ctx, []string{row.Handle}); err != nil {
		return fmt.Errorf("revoke session %s after a token was reused: %w", row.Handle, err)
	}
	if e.settings.ReuseUnauthorised && subtype != reuseStale {
		return &Refused{Message: msgReuse, ReuseSubtype: subtype}
	}
	return &Theft{Handle: row.Handle, UserID: row.UserID, RecipeUserID: row.UserID, ReuseSubtype: subtype}
}

// nextPair mints a refresh token and prepares its access token, which is not
// signed yet. parentHash1 is what the access token shows as its parent.
func (e *Engine) nextPair(in RefreshInput, parentHash1 string, row store.Session, life int64) (token.Access, Issued, error) {
	now := e.now()
	a := token.Access{
		Version: in.TokenVersion, Handle: row.Handle, UserID: row.UserID, RecipeUserID: row.UserID, TenantID: "public",
		ParentHash1: parentHash1, Payload: row.Payload, Created: now, Expiry: now + life,
	}
	if in.EnableAntiCSRF {
		a.AntiCSRF = token.NewUUID()
	}
	// A refresh token always shows its parent, so that a displaced child is known as one.
	refresh, err := e.mintRefresh(a, token.Hash1(in.RefreshToken), now)
	if err != nil {
		return token.Access{}, Issued{}, err
	}
	a.RefreshHash1 = token.Hash1(refresh.Token)
	return a, refresh, nil
}

// grant signs a.
func (e *Engine) grant(ctx context.Context, a token.Access, refresh Issued, static bool) (Granted, error) {
	access, err := e.mint(ctx, &a, static)
	if err != nil {
		return Granted{}, err
	}
	return Granted{Session: a, Access: access, Refresh: refresh, AntiCSRF: a.AntiCSRF}, nil
}

func wrap(err error, doing, handle string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, handle, err)
}

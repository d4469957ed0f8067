package refcore

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// VerifyInput asks whether an access token is good.
type VerifyInput struct {
	AccessToken string
	AntiCSRF    *string // nil when the caller gave none
	// CheckAntiCSRF: both enableAntiCsrf and doAntiCsrfCheck.
	CheckAntiCSRF bool
	// CheckDatabase demands that the session's row is there.
	CheckDatabase bool
	// Stateless is CDI ≥ 5.6: verify never writes and never mints.
	Stateless bool
}

// Verified is a good access token.
type Verified struct {
	Session token.Access
	// Access is a replacement token; zero when there is none.
	Access Issued
	// PayloadUpdateAvailable: the stored payload differs (stateless with CheckDatabase).
	PayloadUpdateAvailable bool
}

// Verify judges an access token; *Refused when it is not good, BadInput when it
// is of a tenant that does not exist. Without
// CheckDatabase a token that did not come from a refresh costs no statement;
// with it, exactly one read by primary key. A token from a refresh that was
// never used costs, before CDI 5.6, what its promotion costs.
func (e *Engine) Verify(ctx context.Context, in VerifyInput) (Verified, error) {
	a, err := e.ring.Verify(ctx, in.AccessToken)
	if err != nil {
		if text, ok := invalid(err); ok {
			return Verified{}, tryRefresh(text)
		}
		return Verified{}, err
	}
	if a.Expiry < e.now() {
		return Verified{}, tryRefresh(msgExpired)
	}
	if in.CheckAntiCSRF {
		if a.AntiCSRF == "" {
			return Verified{}, tryRefresh(token.ErrNoAntiCSRF.Error())
		}
		if in.AntiCSRF == nil || subtle.ConstantTimeCompare([]byte(*in.AntiCSRF), []byte(a.AntiCSRF)) != 1 {
			return Verified{}, tryRefresh(msgAntiCSRF)
		}
	}
	if a.TenantID != "public" {
		return Verified{}, UnknownTenant("public", a.TenantID)
	}
	if in.Stateless {
		return e.verifyStateless(ctx, a, in.CheckDatabase)
	}
	return e.verifyLegacy(ctx, a, in.CheckDatabase)
}

func (e *Engine) verifyStateless(ctx context.Context, a token.Access, check bool) (Verified, error) {
	v := Verified{Session: a}
	if !check {
		return v, nil
	}
	row, err := e.store.Liveness(ctx, a.Handle)
	if err != nil {
		return Verified{}, livenessError(err, a.Handle, msgBlacklisted)
	}
	if !inLineage(row, token.Hash1(a.RefreshHash1)) && (a.ParentHash1 == "" || !inLineage(row, token.Hash1(a.ParentHash1))) {
		return Verified{}, unauthorised(msgRotatedOut)
	}
	v.PayloadUpdateAvailable = !rawjson.Equal(row.Payload, a.Payload)
	return v, nil
}

func inLineage(row store.Liveness, hash2 string) bool {
	return hash2 == row.RefreshHash2 || (row.PrevRefreshHash2 != "" && hash2 == row.PrevRefreshHash2)
}

func (e *Engine) verifyLegacy(ctx context.Context, a token.Access, check bool) (Verified, error) {
	v := Verified{Session: a}
	stale := false // the stored payload differs from the token's
	var row store.Liveness
	if check {
		var err error
		if row, err = e.store.Liveness(ctx, a.Handle); err != nil {
			return Verified{}, livenessError(err, a.Handle, msgBlacklisted)
		}
		stale = !rawjson.Equal(row.Payload, a.Payload)
	}
	if a.ParentHash1 == "" && !stale {
		return v, nil
	}
	live, err := e.promote(ctx, a, stale)
	if err != nil {
		return Verified{}, err
	}
	if !live.replace {
		return v, nil
	}
	now := e.now()
	a.ParentHash1 = ""
	a.Payload = live.row.Payload
	a.Created, a.Expiry = now, now+e.settings.AccessValidity.Milliseconds()
	static := live.row.UseStaticKey
	if a.Version == 1 {
		static = false // the real core re-mints version 1 with a dynamic key
	}
	if v.Access, err = e.mint(ctx, &a, static); err != nil {
		if errors.Is(err, token.ErrProtected) {
			return Verified{}, BadInput(err.Error())
		}
		return Verified{}, err
	}
	v.Session = a
	return v, nil
}

// promoted is what promote found.
type promoted struct {
	row     store.Session
	replace bool // the caller must hand out a new access token
}

// promote makes the token's refresh token the current one if its parent still
// is. The write is conditional on the row as it was read, so a revoke in
// between wins and a competing promotion is seen.
func (e *Engine) promote(ctx context.Context, a token.Access, stale bool) (promoted, error) {
	own := token.Hash1(a.RefreshHash1)
	for range maxAttempts {
		row, err := e.store.Session(ctx, a.Handle)
		if err != nil {
			return promoted{}, livenessError(err, a.Handle, msgMissing)
		}
		if a.ParentHash1 == "" || token.Hash1(a.ParentHash1) != row.RefreshHash2 {
			return promoted{row: row, replace: stale || row.RefreshHash2 == own}, nil
		}
		now := e.now()
		done, err := e.store.Rotate(ctx, a.Handle, store.Rotation{
			Expect: row.RefreshHash2, ExpectStaticKey: row.UseStaticKey, RefreshHash2: own, PrevRefreshHash2: row.RefreshHash2, RotatedAt: now,
			ExpiresAt: now + e.settings.RefreshValidity.Milliseconds(), UseStaticKey: row.UseStaticKey,
		})
		if err != nil {
			return promoted{}, fmt.Errorf("promote session %s: %w", a.Handle, err)
		}
		if done {
			return promoted{row: row, replace: true}, nil
		}
	}
	return promoted{}, fmt.Errorf("promote session %s: %w", a.Handle, errContended)
}

// maxAttempts bounds compare-and-set loops. Each lost attempt means that
// another call changed the session in between.
const maxAttempts = 100

var errContended = errors.New("the session changed at every attempt")

func livenessError(err error, handle, message string) error {
	if errors.Is(err, store.ErrNotFound) {
		return unauthorised(message)
	}
	return fmt.Errorf("read session %s: %w", handle, err)
}

package broken

import (
	"context"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
)

// outlives makes a core that takes an expired token for good where when says so, with
// how long it has been over. Sessions that are over stay so where the check is on.
func outlives(when func(in refcore.VerifyInput, over time.Duration) bool) serve.Decorate {
	return onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
		v, err := next.Verify(ctx, in)
		a, bad := next.Keys().Verify(ctx, in.AccessToken)
		over := time.Since(time.UnixMilli(a.Expiry))
		if err == nil || bad != nil || over <= 0 || !when(in, over) {
			return v, err
		}
		if in.CheckDatabase {
			if _, missing := next.Get(ctx, a.Handle); missing != nil {
				return v, err
			}
		}
		return refcore.Verified{Session: a}, nil
	})
}

// lifetimeDefects: what has a time, and does not keep to it.
func lifetimeDefects() []Defect {
	return []Defect{
		{
			Name: "living-sessions-never-expire", Text: "with the check on, an expired token is good while its session is there",
			CaughtBy: []string{"BL-42"},
			Decorate: outlives(func(in refcore.VerifyInput, _ time.Duration) bool { return in.CheckDatabase }),
		},
		{
			Name: "expired-tokens-for-a-while", Text: "a token is good for two and a half seconds more than it says",
			CaughtBy: []string{"BL-42", "BL-43"},
			Decorate: outlives(func(_ refcore.VerifyInput, over time.Duration) bool { return over < 2500*time.Millisecond }),
		},
	}
}

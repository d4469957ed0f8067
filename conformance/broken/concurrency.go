package broken

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/rawjson"
)

// concurrencyDefects: what goes wrong when calls meet.
func concurrencyDefects() []Defect {
	return []Defect{
		{
			Name: "revoke-user-reports-the-living", Text: "a revoke by user reports sessions that came while it ran and that it left alive",
			CaughtBy: []string{"BL-51"},
			Decorate: onRevokeUser(func(ctx context.Context, next httpapi.Engine, user string) ([]string, error) {
				ended, err := next.RevokeUser(ctx, user)
				if err != nil {
					return nil, err
				}
				time.Sleep(2 * inFlight)
				more, err := next.List(ctx, user)
				return append(ended, more...), err
			}),
		},
		{
			Name: "second-refresh-is-theft", Text: "the second of two refreshes with one token is taken for theft",
			CaughtBy: []string{"BL-56"},
			Decorate: over(func(next httpapi.Engine) engine {
				used := &set{}
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					g, err := next.Refresh(ctx, in)
					if err == nil && !used.add(in.RefreshToken) {
						return refcore.Granted{}, &refcore.Theft{Handle: g.Session.Handle, UserID: g.Session.UserID}
					}
					return g, err
				}}
			}),
		},
		{
			Name: "refresh-holds-two-connections", Text: "a refresh waits for a second connection of a pool of ten while it holds one",
			CaughtBy: []string{"BL-57"},
			Decorate: over(func(next httpapi.Engine) engine {
				pool := make(chan struct{}, 10)
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					pool <- struct{}{}
					defer func() { <-pool }()
					time.Sleep(10 * time.Millisecond)
					select {
					case pool <- struct{}{}:
						defer func() { <-pool }()
					case <-time.After(50 * time.Millisecond):
						return refcore.Granted{}, errors.New("connection pool time-out")
					}
					return next.Refresh(ctx, in)
				}}
			}),
		},
		{
			Name: "two-revokes-both-report", Text: "a revoke looks what is there, thinks, deletes, and reports what it had seen",
			CaughtBy: []string{"BL-58"},
			Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				there := slices.DeleteFunc(slices.Clone(handles), func(h string) bool { _, err := next.Get(ctx, h); return err != nil })
				time.Sleep(2 * inFlight)
				_, err := next.Revoke(ctx, handles)
				return there, err
			}),
		},
		{
			Name: "second-revoke-answers-early", Text: "a revoke of what another one is about to delete is answered before that one has",
			CaughtBy: []string{"BL-58"},
			Decorate: over(func(next httpapi.Engine) engine {
				begun := &set{}
				return engine{revoke: func(ctx context.Context, handles []string) ([]string, error) {
					mine := slices.DeleteFunc(slices.Clone(handles), func(h string) bool { return !begun.add(h) })
					if len(mine) == 0 {
						return nil, nil
					}
					time.Sleep(5 * inFlight)
					return next.Revoke(ctx, mine)
				}}
			}),
		},
		{
			Name: "revoke-leaves-it-to-a-write", Text: "a revoke during a write to its session answers at once, and the write deletes the session when it is done",
			CaughtBy: []string{"BL-52", "BL-53"}, Decorate: over(leftToWrites),
		},
		{
			Name: "live-sessions-refused-now-and-then", Text: "every third verify with the check refuses a live session",
			CaughtBy: []string{"BL-01"},
			Decorate: over(func(next httpapi.Engine) engine {
				var n atomic.Int64
				return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
					if in.CheckDatabase && n.Add(1)%3 == 0 {
						return refcore.Verified{}, &refcore.Refused{Message: "not now"}
					}
					return next.Verify(ctx, in)
				}}
			}),
		},
		{
			Name: "refresh-of-a-revoked-session-is-a-500", Text: "a refresh of a session that is over is a 500 (a foreign key is missing)",
			CaughtBy: []string{"BL-20", "BL-50"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					g, err := next.Refresh(ctx, in)
					if gone(err) && len(in.RefreshToken) > 40 {
						return g, errors.New("foreign key violation")
					}
					return g, err
				}}
			}),
		},
	}
}

// leftToWrites makes a core whose revokes leave a session that is written to alone.
func leftToWrites(next httpapi.Engine) engine {
	var mu sync.Mutex
	writers, left := map[string]int{}, map[string]bool{} // by handle
	count := func(handle string, n int) (over bool) {
		mu.Lock()
		defer mu.Unlock()
		writers[handle] += n
		return writers[handle] == 0 && left[handle]
	}
	write := func(do func(context.Context, string, rawjson.Object) error) func(context.Context, string, rawjson.Object) error {
		return func(ctx context.Context, handle string, value rawjson.Object) error {
			count(handle, 1)
			time.Sleep(5 * inFlight)
			err := do(ctx, handle, value)
			if count(handle, -1) {
				_, _ = next.Revoke(ctx, []string{handle})
			}
			return err
		}
	}
	return engine{
		setData: write(next.SetData), setPayload: write(next.SetPayload),
		revoke: func(ctx context.Context, handles []string) ([]string, error) {
			var now, later []string
			mu.Lock()
			for _, h := range handles {
				if writers[h] > 0 {
					left[h] = true
					later = append(later, h)
				} else {
					now = append(now, h)
				}
			}
			mu.Unlock()
			ended, err := next.Revoke(ctx, now)
			return append(ended, later...), err
		},
	}
}

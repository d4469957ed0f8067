package broken

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
)

// staleReadDefects: other reads than verify find what is over.
func staleReadDefects() []Defect {
	return []Defect{
		{
			Name: "session-data-from-a-cache", Text: "a session that was read once can be read for a second after its revoke",
			CaughtBy: []string{"BL-23"},
			Decorate: over(func(next httpapi.Engine) engine {
				type read struct {
					s  store.Session
					at time.Time
				}
				kept := &sync.Map{}
				return engine{get: func(ctx context.Context, handle string) (store.Session, error) {
					s, err := next.Get(ctx, handle)
					if err == nil {
						kept.Store(handle, read{s, time.Now()})
					}
					if v, ok := kept.Load(handle); ok && gone(err) && time.Since(v.(read).at) < 3*time.Second {
						return v.(read).s, nil
					}
					return s, err
				}}
			}),
		},
		{
			Name: "revoked-sessions-listed", Text: "a listing holds the revoked sessions still",
			CaughtBy: []string{"BL-24", "SE-03"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{handles: func(ctx context.Context, user string, at int64) ([]string, error) {
					list, err := next.Handles(ctx, user, at)
					seen.each(func(s store.Session) {
						if s.UserID == user && !slices.Contains(list, s.Handle) {
							list = append(list, s.Handle)
						}
					})
					return list, err
				}}
			}),
		},
		{
			Name: "listing-from-a-cache", Text: "a listing is remembered for a second",
			CaughtBy: []string{"BL-24"},
			Decorate: below(func(next store.Store, _ *rows) database {
				type listing struct {
					list []string
					at   time.Time
				}
				kept := &sync.Map{}
				return database{handles: func(ctx context.Context, user string, at int64) ([]string, error) {
					if v, ok := kept.Load(user); ok && time.Since(v.(listing).at) < time.Second {
						return v.(listing).list, nil
					}
					list, err := next.Handles(ctx, user, at)
					if err == nil {
						kept.Store(user, listing{list, time.Now()})
					}
					return list, err
				}}
			}),
		},
	}
}

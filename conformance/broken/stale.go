package broken

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// remembered makes a core that gives the answers to GETs of a path again for three seconds.
func remembered(suffix string) serve.Decorate {
	type answer struct {
		body []byte
		at   time.Time
	}
	return serve.Decorate{Handler: func(next http.Handler) http.Handler {
		kept := &sync.Map{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, suffix) {
				next.ServeHTTP(w, r)
				return
			}
			if v, ok := kept.Load(r.URL.RawQuery); ok && time.Since(v.(answer).at) < 3*time.Second {
				_, _ = w.Write(v.(answer).body)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			kept.Store(r.URL.RawQuery, answer{rec.Body.Bytes(), time.Now()})
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}}
}

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
			Name: "session-data-alone-from-a-cache", Text: "a session's data, read by the call for it alone, is remembered for three seconds",
			CaughtBy: []string{"BL-23"},
			Decorate: remembered("/recipe/session/data"),
		},
		{
			Name: "session-payload-alone-from-a-cache", Text: "a session's payload, read by the call for it alone, is remembered for three seconds",
			CaughtBy: []string{"BL-23"},
			Decorate: remembered("/recipe/jwt/data"),
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

package broken

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// usersMatch makes a core that takes two user ids for one where match says so.
// wanted is the id that was asked for.
func usersMatch(match func(wanted, row string) bool) serve.Decorate {
	return below(func(next store.Store, seen *rows) database {
		alike := func(user string) []string {
			users := []string{user}
			seen.each(func(s store.Session) {
				if match(user, s.UserID) && !slices.Contains(users, s.UserID) {
					users = append(users, s.UserID)
				}
			})
			return users
		}
		all := func(one func(ctx context.Context, user string, at int64) ([]string, error)) func(context.Context, string, int64) ([]string, error) {
			return func(ctx context.Context, user string, at int64) ([]string, error) {
				var out []string
				var errs []error
				for _, u := range alike(user) {
					list, err := one(ctx, u, at)
					out, errs = append(out, list...), append(errs, err)
				}
				return out, errors.Join(errs...)
			}
		}
		return database{handles: all(next.Handles), removeUser: all(next.DeleteByUser)}
	})
}

// refusingPatterns is a core that takes a % in a user's id for anything, and no such user.
func refusingPatterns() serve.Decorate {
	d := usersMatch(matchesPattern)
	d.Handler = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			var in struct{ UserID string }
			if json.Unmarshal(body, &in) == nil && strings.HasSuffix(r.URL.Path, "/recipe/session") && strings.ContainsAny(in.UserID, "%_") {
				http.Error(w, "bad id", http.StatusBadRequest)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	return d
}

func matchesPattern(wanted, row string) bool {
	return strings.HasSuffix(wanted, "%") && strings.HasPrefix(row, strings.TrimSuffix(wanted, "%"))
}

// alikeDefects: ids that are alike are taken for one.
func alikeDefects() []Defect {
	folded := func(fold func(string) string) serve.Decorate {
		return usersMatch(func(a, b string) bool { return fold(a) == fold(b) })
	}
	return []Defect{
		{Name: "users-ignore-case", Text: "user ids are compared without their case", CaughtBy: []string{"IS-01"}, Decorate: folded(strings.ToLower)},
		{
			Name: "users-ignore-trailing-blanks", Text: "user ids are compared without blanks at their end",
			CaughtBy: []string{"IS-02"}, Decorate: folded(func(s string) string { return strings.TrimRight(s, " ") }),
		},
		{
			Name: "users-by-prefix", Text: "a user id stands for all that begin with it",
			CaughtBy: []string{"IS-03"}, Decorate: usersMatch(func(wanted, row string) bool { return strings.HasPrefix(row, wanted) }),
		},
		{
			Name: "users-by-suffix", Text: "a user id stands for all that end with it",
			CaughtBy: []string{"IS-08"}, Decorate: usersMatch(func(wanted, row string) bool { return strings.HasSuffix(row, wanted) }),
		},
		{
			Name: "users-cut-off", Text: "a user id stands for the one without its last character too",
			CaughtBy: []string{"IS-03", "BL-70"}, Decorate: usersMatch(func(wanted, row string) bool { return len(wanted) > 1 && row == wanted[:len(wanted)-1] }),
		},
		{
			Name: "users-ignore-accents", Text: "user ids are compared without accents",
			CaughtBy: []string{"IS-04"}, Decorate: folded(func(s string) string { return strings.ReplaceAll(s, "ä", "a") }),
		},
		{
			Name: "users-normalised", Text: "user ids are compared in Unicode normal form",
			CaughtBy: []string{"IS-05"}, Decorate: folded(func(s string) string { return strings.ReplaceAll(s, "e\u0301", "\u00e9") }),
		},
		{
			Name: "users-are-patterns", Text: "a % in a user id stands for anything",
			CaughtBy: []string{"IS-06"}, Decorate: usersMatch(matchesPattern),
		},
		{
			Name: "nobody-is-a-pattern", Text: "no user's id may hold a % or a _, and in a revoke or a listing a % stands for anything",
			CaughtBy: []string{"IS-06"}, Decorate: refusingPatterns(),
		},
		{
			Name: "users-have-blanks-to-fill", Text: "a _ at the end of a user id stands for any character",
			CaughtBy: []string{"IS-06"}, Decorate: usersMatch(func(wanted, row string) bool {
				return strings.HasSuffix(wanted, "_") && len(row) == len(wanted) && strings.HasPrefix(row, strings.TrimSuffix(wanted, "_"))
			}),
		},
		{
			Name: "handles-ignore-case", Text: "handles are compared without their case",
			CaughtBy: []string{"IS-07"},
			Decorate: below(func(next store.Store, _ *rows) database {
				return database{
					session: func(ctx context.Context, handle string) (store.Session, error) {
						return next.Session(ctx, strings.ToLower(handle))
					},
					remove: func(ctx context.Context, handles []string) ([]string, error) {
						lower := make([]string, len(handles))
						for i, h := range handles {
							lower[i] = strings.ToLower(h)
						}
						return next.Delete(ctx, lower)
					},
				}
			}),
		},
	}
}

package broken

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// claimsOf reads a token without looking at its signature.
func claimsOf(access string) (token.Access, bool) {
	u, err := token.Parse(access)
	if err != nil {
		return token.Access{}, false
	}
	a, err := u.Claims()
	return a, err == nil
}

// rewrite changes the text of answers.
func rewrite(f func(r *http.Request, body string) string) serve.Decorate {
	return serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			body := f(r, rec.Body.String())
			for k, v := range rec.Header() {
				w.Header()[k] = v
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(rec.Code)
			_, _ = io.WriteString(w, body)
		})
	}}
}

// answering replaces the answer of a call whole.
func answering(method, suffix string, code int, text string) serve.Decorate {
	return serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
				http.Error(w, text, code)
				return
			}
			next.ServeHTTP(w, r)
		})
	}}
}

var timesInMs = regexp.MustCompile(`"(expiry|createdTime)":(\d{13})`)

// wireDefects: what goes over the wire is not what the protocol says.
func wireDefects() []Defect {
	return []Defect{
		{
			Name: "create-broken", Text: "create is a 500",
			CaughtBy: []string{"SE-15"}, Decorate: answering(http.MethodPost, "/recipe/session", http.StatusInternalServerError, "out of order"),
		},
		{
			Name: "verify-broken", Text: "verify is a 500",
			CaughtBy: []string{"SE-15"}, Decorate: answering(http.MethodPost, "/recipe/session/verify", http.StatusInternalServerError, "out of order"),
		},
		{
			Name: "times-in-seconds", Text: "tokens' times are in seconds",
			CaughtBy: []string{"SE-01"},
			Decorate: rewrite(func(_ *http.Request, body string) string {
				return timesInMs.ReplaceAllStringFunc(body, func(m string) string { return m[:len(m)-3] })
			}),
		},
		{
			Name: "unauthorised-misspelt", Text: "refusals are spelt UNAUTHORIZED",
			CaughtBy: []string{"BL-02", "BL-60"},
			Decorate: rewrite(func(_ *http.Request, body string) string {
				return strings.ReplaceAll(body, `"UNAUTHORISED"`, `"UNAUTHORIZED"`)
			}),
		},
		{
			Name: "500-instead-of-a-refusal", Text: "verify of a revoked session is a 500",
			CaughtBy: []string{"BL-02", "BL-59", "BL-60"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if gone(err) {
					return v, errors.New("null pointer")
				}
				return v, err
			}),
		},
		{
			Name: "fractions-lost", Text: "numbers in user data go through a float",
			CaughtBy: []string{"SE-02"},
			Decorate: serve.Decorate{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					var v any
					if json.Unmarshal(body, &v) == nil {
						body, _ = json.Marshal(v)
					}
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
					next.ServeHTTP(w, r)
				})
			}},
		},
		{
			Name: "keys-not-published", Text: "the published key set is empty",
			CaughtBy: []string{"SE-11"}, From: "2.21",
			Decorate: rewrite(func(r *http.Request, body string) string {
				if strings.HasSuffix(r.URL.Path, "/jwks.json") {
					return `{"keys":[]}`
				}
				return body
			}),
		},
		{
			Name: "hostile-token-is-a-500", Text: "a token that cannot be read is a 500",
			CaughtBy: []string{"HA-01"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				if _, ok := claimsOf(in.AccessToken); !ok {
					return refcore.Verified{}, errors.New("cannot decode")
				}
				return next.Verify(ctx, in)
			}),
		},
		{
			Name: "garbage-refresh-is-a-500", Text: "a refresh token that cannot be read is a 500",
			CaughtBy: []string{"HA-02"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					if len(in.RefreshToken) < 40 {
						return refcore.Granted{}, errors.New("cannot decode")
					}
					return next.Refresh(ctx, in)
				}}
			}),
		},
		{
			Name: "access-token-refreshes", Text: "refresh takes an access token for a refresh token",
			CaughtBy: []string{"SE-13", "HA-02"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
					if a, bad := next.Keys().Verify(ctx, in.RefreshToken); bad == nil {
						return next.Create(ctx, refcore.CreateInput{UserID: a.UserID, TokenVersion: in.TokenVersion})
					}
					return next.Refresh(ctx, in)
				}}
			}),
		},
		{
			Name: "long-user-is-a-500", Text: "a user id of more than 128 characters is a 500",
			CaughtBy: []string{"HA-03"},
			Decorate: over(func(next httpapi.Engine) engine {
				return engine{create: func(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
					if len(in.UserID) > 128 {
						return refcore.Granted{}, errors.New("value too long for column")
					}
					return next.Create(ctx, in)
				}}
			}),
		},
		{
			Name: "odd-handle-is-a-500", Text: "a revoke of a handle with a quote is a 500",
			CaughtBy: []string{"HA-04"},
			Decorate: onRevoke(func(ctx context.Context, next httpapi.Engine, handles []string) ([]string, error) {
				if strings.ContainsAny(strings.Join(handles, ""), `'"`) {
					return nil, errors.New("syntax error at or near")
				}
				return next.Revoke(ctx, handles)
			}),
		},
	}
}

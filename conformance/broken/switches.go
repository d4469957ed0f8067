package broken

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
)

// onVerify replaces what a verify does.
func onVerify(f func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error)) serve.Decorate {
	return over(func(next httpapi.Engine) engine {
		return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) { return f(ctx, next, in) }}
	})
}

type askedKey struct{}

// switchDefects: who decides about the check, and what the check leaves behind.
func switchDefects() []Defect {
	return []Defect{
		{
			Name: "always-checks", Text: "verify asks the database also where nobody asked for it (checkDatabase false is taken as true)",
			CaughtBy: []string{"BL-30", "BL-38", "BL-32", "BL-33"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				in.CheckDatabase = true
				return next.Verify(ctx, in)
			}),
		},
		{
			Name: "request-decides-too-early", Text: "checkDatabase in a request counts also in versions that do not know it",
			CaughtBy: []string{"BL-31"}, Below: "2.21",
			Decorate: requestDecides(true),
		},
		{
			Name: "request-switches-the-old-flag-off", Text: "checkDatabase false in a request switches the check off also in versions that do not know it",
			CaughtBy: []string{"BL-31"}, Below: "2.21",
			Decorate: requestDecides(false),
		},
		{
			Name: "no-switch-is-off", Text: "a verify whose checkDatabase is missing, or no boolean, is taken for one that asks for no check",
			CaughtBy: []string{"BL-39"}, From: "2.21",
			Decorate: serve.Decorate{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					in := map[string]any{}
					if json.Unmarshal(body, &in) == nil && strings.HasSuffix(r.URL.Path, "/verify") {
						if _, ok := in["checkDatabase"].(bool); !ok {
							in["checkDatabase"] = false
							body, _ = json.Marshal(in)
						}
					}
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
					next.ServeHTTP(w, r)
				})
			}},
		},
		{
			Name: "refusal-sticks", Text: "a token that was refused once is refused also where no check was asked for",
			CaughtBy: []string{"BL-33"}, From: "2.21",
			Decorate: over(func(next httpapi.Engine) engine {
				refused := &set{}
				return engine{verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
					if refused.has(in.AccessToken) {
						in.CheckDatabase = true
					}
					v, err := next.Verify(ctx, in)
					if gone(err) {
						refused.add(in.AccessToken)
					}
					return v, err
				}}
			}),
		},
		{
			Name: "handshake-hides-the-flag", Text: "the handshake says that the flag is off",
			CaughtBy: []string{"BL-34"}, Below: "2.21",
			Decorate: rewrite(func(r *http.Request, body string) string {
				if !strings.HasSuffix(r.URL.Path, "/handshake") {
					return body
				}
				return strings.Replace(body, `"accessTokenBlacklistingEnabled":true`, `"accessTokenBlacklistingEnabled":false`, 1)
			}),
		},
		{
			Name: "unused-refreshed-token-not-looked-up", Text: "without the check, an unused refreshed token of a revoked session is let in",
			CaughtBy: []string{"BL-37"}, Below: "5.6",
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if a, bad := next.Keys().Verify(ctx, in.AccessToken); gone(err) && !in.CheckDatabase && bad == nil {
					return refcore.Verified{Session: a}, nil
				}
				return v, err
			}),
		},
	}
}

// requestDecides looks into the request for a switch that its version has not, and obeys
// it where it is set to obeyed.
func requestDecides(obeyed bool) serve.Decorate {
	d := onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
		if ctx.Value(askedKey{}) != nil {
			in.CheckDatabase = obeyed
		}
		return next.Verify(ctx, in)
	})
	d.Handler = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			var in struct {
				CheckDatabase *bool `json:"checkDatabase"`
			}
			if json.Unmarshal(body, &in) == nil && in.CheckDatabase != nil && *in.CheckDatabase == obeyed {
				r = r.WithContext(context.WithValue(r.Context(), askedKey{}, true))
			}
			next.ServeHTTP(w, r)
		})
	}
	return d
}

// orderDefects: the database is asked before the token is looked at.
func orderDefects() []Defect {
	missing := func(ctx context.Context, next httpapi.Engine, handle string) bool {
		_, err := next.Get(ctx, handle)
		return gone(err)
	}
	return []Defect{
		{
			Name: "database-before-signature", Text: "verify asks for the session before it looks at the signature",
			CaughtBy: []string{"BL-35"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				if a, ok := claimsOf(in.AccessToken); in.CheckDatabase && ok && missing(ctx, next, a.Handle) {
					return refcore.Verified{}, &refcore.Refused{Message: "no such session"}
				}
				return next.Verify(ctx, in)
			}),
		},
		{
			Name: "database-before-the-rest", Text: "verify asks for the session before it looks at the expiry and the anti-csrf value",
			CaughtBy: []string{"BL-36", "BL-42"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				if a, bad := next.Keys().Verify(ctx, in.AccessToken); in.CheckDatabase && bad == nil && missing(ctx, next, a.Handle) {
					return refcore.Verified{}, &refcore.Refused{Message: "no such session"}
				}
				return next.Verify(ctx, in)
			}),
		},
		{
			Name: "tokens-never-expire", Text: "verify does not look at the expiry",
			CaughtBy: []string{"BL-43"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if a, bad := next.Keys().Verify(ctx, in.AccessToken); err != nil && !gone(err) && bad == nil {
					return refcore.Verified{Session: a}, nil
				}
				return v, err
			}),
		},
		{
			Name: "signatures-not-verified", Text: "verify does not look at the signature",
			CaughtBy: []string{"SE-10", "HA-01", "BL-35"},
			Decorate: onVerify(func(ctx context.Context, next httpapi.Engine, in refcore.VerifyInput) (refcore.Verified, error) {
				v, err := next.Verify(ctx, in)
				if a, ok := claimsOf(in.AccessToken); err != nil && !gone(err) && ok {
					if _, gone := next.Get(ctx, a.Handle); gone == nil {
						return refcore.Verified{Session: a}, nil
					}
				}
				return v, err
			}),
		},
	}
}

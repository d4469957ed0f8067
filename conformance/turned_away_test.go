package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// before puts a handler before the cores of a run of some checks.
func before(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, next http.Handler), ids ...string) conformance.Options {
	t.Helper()
	target := defective(t, "")
	target.Decorate = serve.Decorate{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(w, r, next) })
	}}
	o := options(t, target)
	o.Select.IDs = ids
	return o
}

// TestWhatStandsBeforeACoreBreaksNoRule: what a limiter or a proxy answers in the place
// of the core is neither a broken rule nor a pass.
func TestWhatStandsBeforeACoreBreaksNoRule(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int{"502": 502, "503, nginx's limit": 503, "504": 504} {
		for _, id := range []string{"BL-02", "BL-05", "BL-20", "BL-60", "BL-70", "SE-01", "SE-10"} {
			t.Run(id+" "+name, func(t *testing.T) {
				if testing.Short() && (id == "BL-70" || code != http.StatusServiceUnavailable) {
					t.Skip("one status is tried; without -short all are")
				}
				t.Parallel()
				var calls atomic.Int64
				got, _, v := run(t, before(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if strings.HasPrefix(r.URL.Path, "/recipe/") && calls.Add(1)%11 == 0 {
						http.Error(w, `{"status":"OK"}`, code)
						return
					}
					next.ServeHTTP(w, r)
				}, id))
				c := checkOf(t, got, id)
				if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Error || !strings.Contains(why, protocol.ErrUnavailable.Error()) {
					t.Errorf("%s: %s, violations %+v", outcome, why, c.Violations)
				}
				if v.ExitCode != 2 {
					t.Errorf("exit %d, want 2", v.ExitCode)
				}
			})
		}
	}
}

// TestARevokeThatWasTurnedAwayIsNoRevoke: nobody judges a verify by it.
func TestARevokeThatWasTurnedAwayIsNoRevoke(t *testing.T) {
	t.Parallel()
	got, _, v := run(t, before(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/session/remove") {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	}, "BL-59"))
	c := checkOf(t, got, "BL-59")
	outcome, why := verdict.Check(c, got.Histories)
	if outcome != proof.Error || !strings.Contains(why, protocol.ErrUnavailable.Error()) || v.ExitCode != 2 {
		t.Errorf("%s: %s, exit %d, violations %+v", outcome, why, v.ExitCode, c.Violations)
	}
	if m := c.Immediacy; m != nil && (m.Accepted != 0 || m.Revokes != 0) {
		t.Errorf("%+v counted of revokes that were not answered", *m)
	}
}

// loadless is CDI whose verifies are turned away where they are load beside others.
type loadless struct{ cdi.CDI }

type loadlessCore struct{ *cdi.Client }

func (loadless) Dial(o protocol.DialOptions) (protocol.Core, error) {
	c, err := cdi.New(o)
	return loadlessCore{c}, err
}

func (c loadlessCore) Verify(ctx context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	if strings.Contains(string(debug.Stack()), "loadBeside") { // nothing else tells them apart
		return protocol.Verified{}, protocol.ErrUnavailable
	}
	return c.Client.Verify(ctx, r)
}

// TestLoadThatIsTurnedAwayIsNoLoad: pairs with it are not called met, and others are.
func TestLoadThatIsTurnedAwayIsNoLoad(t *testing.T) {
	t.Parallel()
	target := defective(t, "")
	target.Speak = loadless{}
	o := options(t, target)
	o.Select.IDs = []string{"BL-70"}
	got, _, _ := run(t, o)
	outcome, why := verdict.Check(checkOf(t, got, "BL-70"), got.Histories)
	if outcome != proof.Error || !strings.Contains(why, "load beside") {
		t.Errorf("%s: %s", outcome, why)
	}
	p := got.Pairs
	if p == nil || p.Met == p.Wanted || len(p.Missed) == 0 {
		t.Fatalf("pairs %+v", p)
	}
	for _, m := range p.Missed {
		if !strings.Contains(m, "load beside verifies") {
			t.Errorf("missed %s, which is not about the load", m)
		}
	}
}

// onRefusal gives what a core answers to those whom it should refuse.
func onRefusal(answer func(w http.ResponseWriter, token string, refused http.Handler)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		pass := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range rec.Header() {
				w.Header()[k] = v
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
		var asked struct{ AccessToken string }
		if _ = json.Unmarshal(body, &asked); strings.HasSuffix(r.URL.Path, "/verify") && strings.Contains(rec.Body.String(), "UNAUTHORISED") {
			answer(w, asked.AccessToken, pass)
			return
		}
		pass.ServeHTTP(w, r)
	}
}

// TestATurnedAwaySessionIsNotRefused: a core that answers as a limiter does, and revoked
// sessions alone, breaks the rule; so does one that lets them in afterwards.
func TestATurnedAwaySessionIsNotRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer func() func(w http.ResponseWriter, token string, refused http.Handler)
		got    string
	}{
		"503 each time": {func() func(http.ResponseWriter, string, http.Handler) {
			return func(w http.ResponseWriter, _ string, _ http.Handler) {
				http.Error(w, "busy", http.StatusServiceUnavailable)
			}
		}, "HTTP 503"},
		"502, and then let in": {func() func(http.ResponseWriter, string, http.Handler) {
			var calls atomic.Int64
			return func(w http.ResponseWriter, _ string, _ http.Handler) {
				if calls.Add(1) == 1 {
					http.Error(w, "busy", http.StatusBadGateway)
					return
				}
				_, _ = io.WriteString(w, `{"status":"OK","session":{"handle":"h","userId":"u","tenantId":"public","recipeUserId":"u","userDataInJWT":{}}}`)
			}
		}, "OK at"},
	} {
		for _, id := range []string{"BL-02", "BL-70"} {
			t.Run(id+" "+name, func(t *testing.T) {
				if testing.Short() && id == "BL-70" {
					t.Skip("tried without -short")
				}
				t.Parallel()
				got, _, v := run(t, before(t, onRefusal(tc.answer()), id))
				c := checkOf(t, got, id)
				if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Fail || !strings.HasPrefix(c.Violations[0].Got, tc.got) {
					t.Errorf("%s: %s, violations %+v", outcome, why, c.Violations)
				}
				if v.ExitCode != 1 {
					t.Errorf("exit %d, want 1", v.ExitCode)
				}
			})
		}
	}
	t.Run("429 each time", func(t *testing.T) {
		t.Parallel()
		got, _, v := run(t, before(t, onRefusal(func(w http.ResponseWriter, _ string, _ http.Handler) {
			http.Error(w, "busy", http.StatusTooManyRequests) // a limit of this token's, which was asked for often
		}), "BL-02"))
		if outcome, why := verdict.Check(checkOf(t, got, "BL-02"), got.Histories); outcome != proof.Error || v.ExitCode != 2 {
			t.Errorf("%s: %s, exit %d", outcome, why, v.ExitCode)
		}
	})
	t.Run("503 once each, and then refused", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		var calls atomic.Int64
		got, _, v := run(t, before(t, onRefusal(func(w http.ResponseWriter, token string, refused http.Handler) {
			if calls.Add(1); !seen[token] {
				seen[token] = true
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			refused.ServeHTTP(w, nil)
		}), "BL-02"))
		if outcome, why := verdict.Check(checkOf(t, got, "BL-02"), got.Histories); outcome != proof.Error || v.ExitCode != 2 {
			t.Errorf("%s: %s, exit %d", outcome, why, v.ExitCode)
		}
		if n := calls.Load(); n > 3 {
			t.Errorf("asked %d times", n)
		}
	})
}

// TestNoRefusalIsNoPass: where a call other than verify is turned away for revoked
// sessions alone, that is no refusal either.
func TestNoRefusalIsNoPass(t *testing.T) {
	t.Parallel()
	for id, suffix := range map[string]string{"BL-22": "/refresh", "BL-23": "/session"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			got, _, v := run(t, before(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, r)
				if strings.HasSuffix(r.URL.Path, suffix) && strings.Contains(rec.Body.String(), "UNAUTHORISED") {
					http.Error(w, "busy", http.StatusServiceUnavailable)
					return
				}
				w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
				w.WriteHeader(rec.Code)
				_, _ = w.Write(rec.Body.Bytes())
			}, id))
			if outcome, why := verdict.Check(checkOf(t, got, id), got.Histories); outcome != proof.Error || v.ExitCode != 2 {
				t.Errorf("%s: %s, exit %d", outcome, why, v.ExitCode)
			}
		})
	}
}

// TestA5xxToAForgeryIsHardenings: it is no acceptance, and what it says of the server is
// another profile's matter.
func TestA5xxToAForgeryIsHardenings(t *testing.T) {
	t.Parallel()
	for _, code := range []int{500, 502, 503, 504} {
		for id, status := range map[string]string{"SE-10": "TRY_REFRESH_TOKEN", "SE-13": "UNAUTHORISED"} {
			got, _, _ := run(t, before(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, r)
				if strings.Contains(rec.Body.String(), status) {
					http.Error(w, "broken", code)
					return
				}
				w.WriteHeader(rec.Code)
				_, _ = w.Write(rec.Body.Bytes())
			}, id))
			c := checkOf(t, got, id)
			if outcome, why := verdict.Check(c, got.Histories); outcome != proof.Pass || c.Observations["answeredWithServerError"] == "" {
				t.Errorf("%s, HTTP %d: %s: %s", id, code, outcome, why)
			}
		}
	}
}

// TestHardeningSeesWhatTheServerAnswers: hostile input that brings a proxy's answer about
// broke the server behind it.
func TestHardeningSeesWhatTheServerAnswers(t *testing.T) {
	t.Parallel()
	for _, code := range []int{500, 502, 503, 504} {
		for id, suffix := range map[string]string{"HA-01": "/verify", "HA-02": "/refresh"} {
			got, _, _ := run(t, before(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				body, _ := io.ReadAll(r.Body)
				if strings.HasSuffix(r.URL.Path, suffix) && len(body) < 200 {
					http.Error(w, "broken", code)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				next.ServeHTTP(w, r)
			}, id))
			if outcome, why := verdict.Check(checkOf(t, got, id), got.Histories); outcome != proof.Fail {
				t.Errorf("%s, HTTP %d: %s: %s", id, code, outcome, why)
			}
		}
	}
}

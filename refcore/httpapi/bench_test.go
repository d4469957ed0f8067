package httpapi_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"
)

// tokensDrawn is how many sessions a benchmark draws its tokens from.
const tokensDrawn = 10000

// benchCore is a core on a store with sessions in it.
type benchCore struct {
	handler http.Handler
	engine  *refcore.Engine
	store   store.Store
	tokens  []string
	refresh []string
	handles []string
}

func newBenchCore(b *testing.B, s store.Store, n int) *benchCore {
	b.Helper()
	engine, err := refcore.New(b.Context(), refcore.Options{Store: s, Settings: refcore.DefaultSettings()})
	if err != nil {
		b.Fatal(err)
	}
	h, err := httpapi.New(httpapi.Options{Engine: engine})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		engine.Close()
		_ = s.Close()
	})
	c := &benchCore{handler: h, engine: engine, store: s}
	c.add(b, n)
	return c
}

// add makes n sessions over HTTP.
func (c *benchCore) add(b *testing.B, n int) {
	b.Helper()
	for i := range n {
		var got struct {
			Session                   struct{ Handle string }
			AccessToken, RefreshToken struct{ Token string }
		}
		body := fmt.Sprintf(`{"userId":"user-%d","userDataInJWT":{"role":"user","n":%d},"userDataInDatabase":{},"enableAntiCsrf":false}`, i%1000, i)
		if err := json.Unmarshal(call(b, c.handler, "/recipe/session", body), &got); err != nil {
			b.Fatal(err)
		}
		c.tokens = append(c.tokens, got.AccessToken.Token)
		c.refresh = append(c.refresh, got.RefreshToken.Token)
		c.handles = append(c.handles, got.Session.Handle)
	}
}

func call(b *testing.B, h http.Handler, path, body string) []byte {
	b.Helper()
	w := &sink{}
	h.ServeHTTP(w, request(path, []byte(body)))
	if !bytes.Contains(w.body, []byte(`"status":"OK"`)) {
		b.Fatalf("%s: %d %s", path, w.code, w.body)
	}
	return w.body
}

func request(path string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header["Cdi-Version"] = []string{"5.4"}
	return r
}

// sink is a response writer that costs little.
type sink struct {
	header http.Header
	code   int
	body   []byte
}

func (s *sink) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}
func (s *sink) WriteHeader(code int) { s.code = code }
func (s *sink) Write(b []byte) (int, error) {
	s.body = append(s.body, b...)
	return len(b), nil
}

// stores to measure; those in containers only with COREPROOF_BENCH_STORES=all.
func benchStores(b *testing.B, run func(b *testing.B, s store.Store)) {
	for _, db := range kindtest.All() {
		b.Run("store="+db.Name, func(b *testing.B) {
			if db.Server != nil && os.Getenv("COREPROOF_BENCH_STORES") != "all" {
				b.Skip("COREPROOF_BENCH_STORES=all measures the stores in containers")
			}
			s, err := db.Kind.Open(b.Context(), store.Config{URI: db.Fresh(b)})
			if err != nil {
				b.Fatal(err)
			}
			run(b, s)
		})
	}
}

// serial and parallel run one call at 1 and at 64 clients.
func clients(b *testing.B, do func(n uint64, r *rand.Rand) error) {
	var n atomic.Uint64
	b.Run("clients=1", func(b *testing.B) {
		b.ReportAllocs()
		r := rand.New(rand.NewPCG(1, 2))
		for b.Loop() {
			if err := do(n.Add(1)-1, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("clients=64", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32) // × GOMAXPROCS
		b.RunParallel(func(p *testing.PB) {
			r := rand.New(rand.NewPCG(n.Add(1), 3))
			for p.Next() {
				if err := do(n.Add(1)-1, r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkVerify: the handler alone, without net/http's server. The bare arm
// decodes the same JSON, verifies one RS256 signature and encodes the same reply.
func BenchmarkVerify(b *testing.B) {
	benchStores(b, func(b *testing.B, s store.Store) {
		c := newBenchCore(b, s, tokensDrawn)
		arms := []struct {
			name    string
			handler http.Handler
			check   bool
		}{{"bare", bare(b, c), false}, {"off", c.handler, false}, {"on", c.handler, true}}
		for _, a := range arms {
			bodies := make([][]byte, len(c.tokens))
			for i, t := range c.tokens {
				bodies[i] = fmt.Appendf(nil, `{"accessToken":"%s","checkDatabase":%t,"doAntiCsrfCheck":false,"enableAntiCsrf":false}`, t, a.check)
			}
			b.Run("flag="+a.name, func(b *testing.B) {
				before := c.engine.Statements()
				var calls atomic.Uint64
				clients(b, func(_ uint64, r *rand.Rand) error {
					calls.Add(1)
					w := &sink{}
					a.handler.ServeHTTP(w, request("/recipe/session/verify", bodies[r.IntN(len(bodies))]))
					if !bytes.HasPrefix(w.body, []byte(`{"status":"OK"`)) {
						return fmt.Errorf("verify: %d %s", w.code, w.body)
					}
					return nil
				})
				if got, want := c.engine.Statements()-before, map[bool]uint64{true: calls.Load()}[a.check]; got != want {
					b.Errorf("%d statements for %d calls, want %d", got, calls.Load(), want)
				}
			})
		}
	})
}

// bare is the least that a core must do for a flag-off verify.
func bare(b *testing.B, c *benchCore) http.Handler {
	keys := map[string]*rsa.PublicKey{}
	dynamic, _ := c.engine.Keys().Verifying()
	for _, k := range dynamic {
		keys[k.ID] = k.Public
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			AccessToken     string `json:"accessToken"`
			CheckDatabase   bool   `json:"checkDatabase"`
			DoAntiCSRFCheck bool   `json:"doAntiCsrfCheck"`
			EnableAntiCSRF  bool   `json:"enableAntiCsrf"`
		}
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		parts := strings.Split(in.AccessToken, ".")
		var header struct{ Kid string }
		var claims map[string]json.RawMessage
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		_ = json.Unmarshal(raw, &header)
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims)
		sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(in.AccessToken[:len(parts[0])+1+len(parts[1])]))
		if rsa.VerifyPKCS1v15(keys[header.Kid], crypto.SHA256, sum[:], sig) != nil {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		type session struct {
			Handle   json.RawMessage            `json:"handle"`
			UserID   json.RawMessage            `json:"userId"`
			Recipe   json.RawMessage            `json:"recipeUserId"`
			TenantID json.RawMessage            `json:"tenantId"`
			Payload  map[string]json.RawMessage `json:"userDataInJWT"`
		}
		out := struct {
			Status  string  `json:"status"`
			Session session `json:"session"`
		}{"OK", session{claims["sessionHandle"], claims["sub"], claims["rsub"], claims["tId"], map[string]json.RawMessage{}}}
		for k, v := range claims {
			switch k {
			case "sessionHandle", "sub", "rsub", "tId", "exp", "iat", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken":
			default:
				out.Session.Payload[k] = v
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(out)
	})
}

func BenchmarkCreate(b *testing.B) {
	benchStores(b, func(b *testing.B, s store.Store) {
		c := newBenchCore(b, s, 1)
		body := []byte(`{"userId":"u","userDataInJWT":{"role":"user"},"userDataInDatabase":{},"enableAntiCsrf":false}`)
		clients(b, func(uint64, *rand.Rand) error { return ok(c, "/recipe/session", body) })
	})
}

func BenchmarkRefresh(b *testing.B) {
	benchStores(b, func(b *testing.B, s store.Store) {
		c := newBenchCore(b, s, 1000)
		clients(b, func(_ uint64, r *rand.Rand) error {
			// A parent may be refreshed any number of times before a child is used.
			return ok(c, "/recipe/session/refresh", fmt.Appendf(nil, `{"refreshToken":"%s","enableAntiCsrf":false,"useDynamicSigningKey":true}`, c.refresh[r.IntN(len(c.refresh))]))
		})
	})
}

// BenchmarkRevoke deletes rows that it makes itself, straight in the store.
func BenchmarkRevoke(b *testing.B) {
	benchStores(b, func(b *testing.B, s store.Store) {
		c := newBenchCore(b, s, 1)
		row, err := s.Session(b.Context(), c.handles[0])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			row.Handle = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
			if err := s.CreateSession(b.Context(), row); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if err := ok(c, "/recipe/session/remove", fmt.Appendf(nil, `{"sessionHandles":["%s"]}`, row.Handle)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func ok(c *benchCore, path string, body []byte) error {
	w := &sink{}
	c.handler.ServeHTTP(w, request(path, body))
	if !bytes.HasPrefix(w.body, []byte(`{"status":"OK"`)) {
		return fmt.Errorf("%s: %d %s", path, w.code, w.body)
	}
	return nil
}

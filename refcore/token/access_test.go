package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
)

// memory keeps keys for the tests of a ring.
type memory struct {
	mu              sync.Mutex
	dynamic, static []store.Key
	reads           int
}

func (m *memory) DynamicKeys(context.Context) ([]store.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	return slices.Clone(m.dynamic), nil
}

func (m *memory) StaticKeys(context.Context) ([]store.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.static), nil
}

func (m *memory) AddDynamicKey(_ context.Context, newest int64, k store.Key) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.dynamic) > 0 && m.dynamic[0].CreatedAt != newest {
		return false, nil
	}
	m.dynamic = slices.Insert(m.dynamic, 0, k)
	return true, nil
}

func (m *memory) AddStaticKey(_ context.Context, k store.Key) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.static) > 0 {
		return false, nil
	}
	m.static = append(m.static, k)
	return true, nil
}

func (m *memory) DeleteDynamicKeys(context.Context, int64) (int, error) { return 0, nil }

func (m *memory) ValueOrInsert(_ context.Context, _, value string, _ int64) (string, error) {
	return value, nil
}

const ringNow = int64(1_790_000_000_250)

var sharedRing = sync.OnceValues(func() (*Ring, error) {
	return NewRing(context.Background(), RingOptions{
		Keys: &memory{}, Now: func() int64 { return ringNow }, Interval: 168 * time.Hour, Validity: time.Hour,
	})
})

func testRing(t testing.TB) *Ring {
	t.Helper()
	r, err := sharedRing()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sample(v Version) Access {
	return Access{
		Version: v, Handle: "handle", UserID: "user", RecipeUserID: "user", TenantID: "public", RefreshHash1: Hash1("r"),
		Payload: []byte(`{"a":1.0,"b":[null,{"c":"\u00e9"}],"n":12345678901234567890}`), Created: ringNow, Expiry: ringNow + 3_600_000,
	}
}

func TestAccessRoundTrip(t *testing.T) {
	t.Parallel()
	r := testRing(t)
	for v := Version(1); v <= 5; v++ {
		for _, static := range []bool{false, true} {
			for _, change := range []func(*Access){
				func(*Access) {}, func(a *Access) { a.ParentHash1, a.AntiCSRF = Hash1("p"), "anti" }, func(a *Access) { a.UserID, a.Payload = "", []byte("{}") },
			} {
				a := sample(v)
				change(&a)
				a.RecipeUserID = a.UserID
				k, err := r.Signer(t.Context(), static)
				if err != nil {
					t.Fatal(err)
				}
				s, err := Mint(&a, k)
				if err != nil {
					t.Fatal(err)
				}
				got, err := r.Verify(t.Context(), s)
				if err != nil {
					t.Fatalf("version %d: %v", v, err)
				}
				if !rawjson.Equal(got.Payload, a.Payload) {
					t.Errorf("version %d: payload %s, want %s", v, got.Payload, a.Payload)
				}
				got.Payload, a.Payload = nil, nil
				if x, y := show(t, got), show(t, a); x != y {
					t.Errorf("version %d: got %s, want %s", v, x, y)
				}
			}
		}
	}
}

func show(t testing.TB, a Access) string {
	t.Helper()
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FuzzAccess: whatever looks like an access token, neither form, claims nor
// signature make the parser panic, and only tokens of the ring verify.
func FuzzAccess(f *testing.F) {
	r := testRing(f)
	own := map[string]bool{}
	for v := Version(1); v <= 5; v++ {
		for _, static := range []bool{false, true} {
			k, err := r.Signer(context.Background(), static)
			if err != nil {
				f.Fatal(err)
			}
			a := sample(v)
			s, err := Mint(&a, k)
			if err != nil {
				f.Fatal(err)
			}
			i := strings.LastIndexByte(s, '.')
			own[s[:i]] = true
			f.Add(s)
			f.Add(s[:i])
			f.Add(s + "..")
		}
	}
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, h := range []string{
		`{"alg":"none","typ":"JWT","kid":"d-1"}`, `{"alg":"RS256","typ":"JWT","kid":"d-` + strconv.FormatInt(ringNow, 10) + `","version":"5"}`,
		`{"alg":"RS256","alg":"none","typ":"JWT","kid":{}}`, `{}`, `null`, `[]`, `{"alg":"RS256","typ":"JWT","version":"2","kid":"s-"}`,
	} {
		for _, c := range []string{`{}`, `{"sub":"a","exp":1e999,"iat":1,"sessionHandle":"h","refreshTokenHash1":"r","parentRefreshTokenHash1":null,"antiCsrfToken":null,"tId":"t","rsub":"r"}`, `{"sub":1,"sub":2}`, "\xff"} {
			f.Add(part(h) + "." + part(c) + "." + part("signature"))
		}
	}
	for _, s := range []string{"", ".", "..", "...", "a.b.c", headerV1 + ".e30=.e30=", headerV2 + "..", headerV2 + ".=.="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Parse(s)
		if err == nil {
			a, err := u.Claims()
			if err == nil && !json.Valid(a.Payload) {
				t.Fatalf("%q: payload %q", s, a.Payload)
			}
			invalidOnly(t, s, err)
			for _, k := range r.snap.Load().byID {
				u.SignedBy(k.Public)
			}
		}
		invalidOnly(t, s, err)
		_, err = r.Verify(context.Background(), s)
		invalidOnly(t, s, err)
		if err == nil && (u.signed == "" || !own[u.signed]) {
			t.Fatalf("%q verifies", s)
		}
	})
}

func invalidOnly(t *testing.T, s string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if _, ok := err.(Invalid); !ok {
		t.Fatalf("%q: an error of another kind: %v", s, err)
	}
}

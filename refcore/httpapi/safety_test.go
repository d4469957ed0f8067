package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/store"
)

// TestHostileClaims: tokens signed by the core's own key that it would never
// make. Whoever can get claims signed (the JWT recipe can) gains nothing.
func TestHostileClaims(t *testing.T) {
	t.Parallel()
	for _, made := range []string{"2.20", "2.21", "3.0", "5.0"} {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), made)
		type forgery struct{ what, token string }
		var list []forgery
		raw := func(what, claims string) {
			tok := ""
			if made == "2.20" {
				tok = coretest.ForgeV2(t, claims, f.Sign)
			} else {
				tok = coretest.Forge(t, f.Header, claims, f.Sign)
			}
			list = append(list, forgery{what, tok})
		}
		text := string(coretest.Encode(t, f.Claims))
		for name, v := range f.Claims {
			if name == "role" {
				continue
			}
			for _, second := range []any{v, "other", nil, 1} {
				raw(name+" twice", `{"`+name+`":`+string(coretest.Encode(t, second))+`,`+text[1:])
				raw(name+" twice, escaped", text[:len(text)-1]+`,"\u00`+hex2(name[0])+name[1:]+`":`+string(coretest.Encode(t, second))+`}`)
			}
			for _, wrong := range []any{1, true, coretest.Obj{}, []string{"x"}, -1, 1.5, "", "x", nil} {
				switch s, ok := v.(string); {
				case v == nil && (wrong == nil || wrong == "" || wrong == "x"):
					continue // may be null or a string
				case ok && s != "" && (wrong == "x" || wrong == ""):
					if name == "sub" || name == "userId" || name == "rsub" || name == "refreshTokenHash1" {
						continue // any string is one
					}
				}
				if name == "userData" && wrong == any(nil) {
					continue
				}
				if _, isObj := wrong.(coretest.Obj); isObj && name == "userData" {
					continue
				}
				if name == "iat" || name == "timeCreated" {
					if _, isInt := wrong.(int); isInt {
						continue // the time of creation is never judged
					}
				}
				list = append(list, forgery{name + " of a wrong type", f.Forged(nil, coretest.Obj{name: wrong})})
			}
		}
		expiry := "exp"
		if made == "2.20" {
			expiry = "expiryTime"
		}
		for _, n := range []string{"1e999999999", "1e3", "1790003600.5", "-9223372036854775808", "99999999999999999999", `"1790003600"`, "0"} {
			list = append(list, forgery{expiry + " " + n, f.Forged(nil, coretest.Obj{expiry: rawNumber(n)})})
		}
		for _, h := range []string{"\x00", f.Handle + "\x00", strings.Repeat("h", 100_000), "' OR '1'='1", "", strings.ToUpper(f.Handle)} {
			list = append(list, forgery{"handle", f.Forged(nil, coretest.Obj{"sessionHandle": h})})
		}
		for _, body := range []string{"", "null", "[]", `"x"`, "1", "{", `{"a":`, "\xff\xfe", "\x00", strings.Repeat("[", 200_000), `{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}"} {
			raw("claims that are no object", body)
		}
		for _, cdi := range []string{"2.20", "2.21", "5.6"} { // a signature each: few versions do
			for _, x := range list {
				a := f.Verify(cdi, x.token)
				a.What += " " + x.what + " (" + made + ")"
				a.Refused()
			}
		}
		for _, x := range list {
			if a := f.Regenerate("5.0", x.token, nil); a.Code >= 500 {
				a.Fail("regenerate with %s", x.what)
			}
		}
	}
}

// rawNumber is a number with a spelling of its own.
type rawNumber string

func (n rawNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func hex2(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// TestTokenOfAnotherTenant: a tenant that does not exist is a 400, as on a path.
func TestTokenOfAnotherTenant(t *testing.T) {
	t.Parallel()
	for _, made := range []string{"3.0", "5.0"} {
		f := coretest.NewForger(coretest.Start(t, coretest.Checked), made)
		for _, cdi := range coretest.All() {
			f.Verify(cdi, f.Forged(nil, coretest.Obj{"tId": "t1"})).Text(400, coretest.MsgNoTenant+"(, public, t1)")
		}
	}
	f := coretest.NewForger(coretest.Start(t, coretest.Checked), "2.21") // there it is the user's own
	f.Verify("5.0", f.Forged(nil, coretest.Obj{"tId": "t1"})).OK()
}

// TestHostileSpelling: a good token in a spelling that is not its own.
func TestHostileSpelling(t *testing.T) {
	t.Parallel()
	c := coretest.Start(t, coretest.Checked)
	for _, made := range []string{"2.20", "5.0"} {
		s := c.Create(made)
		p := strings.Split(s.Access, ".")
		for part := range p {
			for _, odd := range []string{p[part][:8] + "\n" + p[part][8:], p[part][:8] + "\r\n" + p[part][8:], p[part] + "\n", p[part] + "=", p[part] + "====", p[part] + "\x00", "\ufeff" + p[part], p[part] + p[part], p[part][:len(p[part])-5]} {
				q := append([]string(nil), p...)
				q[part] = odd
				if tok := strings.Join(q, "."); tok != s.Access {
					c.Verify("5.0", tok).TryRefresh()
					c.Verify("2.20", tok).TryRefresh()
				}
			}
		}
		// Not UTF-8, inside a JSON string.
		c.Post("5.0", coretest.PathVerify, `{"accessToken":"`+s.Access+"\xff\xfe"+`","doAntiCsrfCheck":false,"enableAntiCsrf":false,"checkDatabase":true}`).Text(400, "Invalid Json Input")
		c.Verify("5.0", s.Access+strings.Repeat("A", 900_000)).TryRefresh()
	}
}

func TestHostileRefreshTokens(t *testing.T) {
	t.Parallel()
	c := coretest.Start(t)
	s := c.Create("5.0", coretest.Obj{"enableAntiCsrf": true})
	for _, bad := range coretest.HostileRefreshTokens(s.Refresh) {
		for _, cdi := range []string{"2.7", "5.5", "5.6"} {
			c.Refresh(cdi, bad).Unauth("")
		}
	}
	for _, raw := range []string{s.Refresh + "\xff", "\xc3\x28", "\xed\xa0\x80"} {
		c.Post("5.5", coretest.PathRefresh, `{"refreshToken":"`+raw+`","enableAntiCsrf":false,"useDynamicSigningKey":true}`).Text(400, "Invalid Json Input")
	}
	c.Refresh("5.6", s.Refresh).OK()
}

// TestHostileBodies: no body is answered with a 5xx, at any endpoint.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	c := coretest.Start(t)
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	deeper := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	values := []string{
		`"\ud800"`, `"\udfff\ud800"`, `"\u0000"`, "\"\xff\"", `1e999999999`, `-1e-999999999`, strings.Repeat("9", 5000), `""`, `[]`, `{}`, `[[]]`, `[[[]]]`, `[null]`, `[{}]`, `null`,
		`true`, deep, `{"\ud800":1}`, `{"a":1,"a":2,"":3}`, `"` + strings.Repeat("x", 3000) + `"`, `"__proto__"`, `{"sub":{"sub":{}}}`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775808`,
	}
	names := []string{
		"userId", "enableAntiCsrf", "userDataInJWT", "userDataInDatabase", "accessTokenValidity", "useDynamicSigningKey", "accessToken", "antiCsrfToken", "doAntiCsrfCheck", "checkDatabase",
		"refreshToken", "sessionHandles", "sessionHandle", "revokeAcrossAllTenants", "algorithm", "jwksDomain", "payload", "validity", "useStaticSigningKey",
	}
	for _, cdi := range []string{"2.7", "5.6"} {
		s := c.Create(cdi)
		endpoints := append([]endpoint{{method: "POST", path: coretest.PathJWT, body: func(*coretest.Core, string, coretest.Session) coretest.Obj {
			return coretest.Obj{"algorithm": "RS256", "jwksDomain": "d", "payload": coretest.Obj{}, "validity": 10}
		}}}, sessionEndpoints...)
		for _, e := range endpoints {
			if e.body == nil {
				continue
			}
			good := e.body(c, cdi, s)
			for _, name := range names {
				if _, ok := good[name]; !ok && name != "accessTokenValidity" && name != "antiCsrfToken" {
					continue
				}
				for _, v := range values {
					text := `{"` + name + `":` + v
					for k, x := range coretest.With(good, coretest.Obj{name: coretest.Absent}) {
						text += `,"` + k + `":` + string(coretest.Encode(t, x))
					}
					if a := c.Do(e.method, e.path, cdi, []byte(text+"}")); a.Code >= 500 {
						a.Fail("%s = %s", name, coretest.Clip(v))
					}
				}
			}
			for _, body := range []string{deep, "\xff\xfe{\x00}\x00", "\ufeff{}", `{"a":"` + strings.Repeat("\x00", 100) + `"}`, strings.Repeat("[", 500_000), `{"\ud800":"\ud800"}`, "{\"a\":1}\x00"} {
				if a := c.Do(e.method, e.path, cdi, []byte(body)); a.Code >= 500 {
					a.Fail("body %s", coretest.Clip(body))
				}
			}
			c.Do(e.method, e.path, cdi, []byte(deeper)).Text(400, "Invalid Json Input")
			tooLong := []byte(`{"a":"` + strings.Repeat("x", 1<<20-7) + `"}`)
			if len(tooLong) != 1<<20+1 {
				t.Fatal(len(tooLong))
			}
			c.Do(e.method, e.path, cdi, tooLong).Text(413, "Request body is too large")
			r := httptest.NewRequest(e.method, e.path, struct{ *bytes.Reader }{bytes.NewReader(tooLong)}) // of unknown length
			r.ContentLength = -1
			c.Send(r).Text(413, "Request body is too large")
			if a := c.Do(e.method, e.path, cdi, append([]byte(`{"a":"`), tooLong[7:]...)); a.Code == 413 || a.Code >= 500 {
				a.Fail("1 MiB is allowed")
			}
		}
	}
}

// TestHostileAmounts: as many members, handles and claims as a body holds. Were
// any of it quadratic, this test would run for minutes.
func TestHostileAmounts(t *testing.T) {
	t.Parallel()
	c := coretest.Start(t, coretest.Checked)
	var many strings.Builder
	many.WriteString(`{"m0":0`)
	for i := 1; i < 20_000; i++ {
		many.WriteString(`,"` + coretest.Itoa(int64(i)) + `":1`)
	}
	many.WriteByte('}')
	for _, cdi := range []string{"2.20", "5.0"} {
		s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, `{"userId":"u","enableAntiCsrf":false,"userDataInDatabase":{},"userDataInJWT":`+many.String()+`}`).OK())
		c.Verify(cdi, s.Access).OK().NoToken()
		small := c.Create(cdi)
		_, claims := coretest.Decoded(t, small.Access)
		text := string(coretest.Encode(t, claims))
		forged := coretest.ForgeV2(t, many.String()[:many.Len()-1]+","+text[1:], coretest.Unsigned)
		if cdi != "2.20" {
			h, _ := coretest.Decoded(t, small.Access)
			forged = coretest.Forge(t, h, many.String()[:many.Len()-1]+","+text[1:], coretest.Unsigned)
		}
		if a := c.Regenerate(cdi, forged, nil); a.Code >= 500 { // looks at no signature
			a.Fail("want no 5xx")
		}
		if a := c.Post(cdi, coretest.PathVerify, many.String()); a.Code != 400 {
			a.Fail("want 400")
		}
	}
	c.Post("5.0", coretest.PathRemove, `{"sessionHandles":[""`+strings.Repeat(`,"x"`, 5_000)+`]}`).OK().Equals([]string{}, "sessionHandlesRevoked")
}

// logged collects everything that a core logs, at every level.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) option(s *coretest.Setup) {
	s.Log = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.Level(-100), AddSource: true}))
	s.HTTP.Log = s.Log
}

// panicking is a store that panics when a session is read.
type panicking struct{ store.Store }

func (panicking) Session(context.Context, string) (store.Session, error) {
	panic("store lost its mind")
}

// TestFailuresTellNothing: with the database down every endpoint that needs it
// is a 5xx that says nothing of the database, and no token or key is logged.
func TestFailuresTellNothing(t *testing.T) {
	t.Parallel()
	b, l := &breakable{}, &logged{}
	c := coretest.Start(t, b.option(t), l.option, coretest.WithKeys, coretest.Checked)
	key := []string{"api-key", coretest.APIKey}
	var secrets []string
	sessions := map[string]coretest.Session{}
	for _, cdi := range []string{"2.20", "5.5", "5.6"} {
		s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, coretest.CreateBody(coretest.Obj{"enableAntiCsrf": true}), key...).OK())
		sessions[cdi] = s
		secrets = append(secrets, s.Access, s.Refresh, s.Anti)
		for _, tok := range []string{s.Access, s.Refresh} {
			secrets = append(secrets, strings.Split(tok, ".")...)
		}
	}
	b.down.Store(true)
	for cdi, s := range sessions {
		for _, e := range sessionEndpoints {
			a := e.call(c, cdi, s, same, key...)
			if a.Code != 500 || a.Body != "Internal Error" {
				a.Fail("want a 5xx that tells nothing")
			}
		}
		unknown := coretest.With(coretest.Obj{"accessToken": s.Access}, nil)
		unknown["userDataInJWT"] = coretest.Obj{}
		c.Post(cdi, coretest.PathRegenerate, unknown, key...).Text(500, "Internal Error")
		c.Do("GET", "/hello", cdi, nil).Text(500, "Internal Error")
		if a := c.Get(cdi, coretest.PathJWKS); a.Code != 200 {
			a.Fail("keys are published from memory")
		}
		// A key that this core does not know: it would ask, and cannot. The caller is
		// to refresh, which is a 5xx as well.
		if cdi != "2.20" {
			f := coretest.Forge(t, coretest.Obj{"alg": "RS256", "typ": "JWT", "version": "5", "kid": "d-1"}, coretest.Obj{}, coretest.RS256(coretest.ForeignKey()))
			secrets = append(secrets, f)
			c.Post(cdi, coretest.PathVerify, c.VerifyBody(cdi, f), key...).TryRefresh()
		}
	}
	b.down.Store(false)
	for cdi, s := range sessions { // nothing was lost
		c.Post(cdi, coretest.PathVerify, c.VerifyBody(cdi, s.Access), key...).OK()
	}

	p := coretest.Start(t, coretest.OnStore(panicking{c.Store}), coretest.OnClock(c.Clock), l.option)
	p.GetSession("5.0", "x").Text(500, "Internal Error")
	p.Refresh("5.0", sessions["5.5"].Refresh).Text(500, "Internal Error")

	master, err := b.Store.ValueOrInsert(context.Background(), "refresh_token_key", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, master, coretest.APIKey, coretest.APIKey2)
	for _, k := range c.DynamicKeys() {
		_, private, _ := strings.Cut(k.Value, "|")
		secrets = append(secrets, private, private[100:160])
	}
	text := l.String()
	if !strings.Contains(text, "request failed") || !strings.Contains(text, "store lost its mind") {
		t.Errorf("the failures are not in the log: %s", coretest.Clip(text))
	}
	for _, secret := range secrets {
		if len(secret) > 8 && strings.Contains(text, secret) && secret != coretest.HeaderV2 && !isPublicHeader(secret) {
			t.Errorf("logged: %s", coretest.Clip(secret))
		}
	}
}

// isPublicHeader says whether a part of a token is its header, which is no secret.
func isPublicHeader(part string) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && bytes.HasPrefix(b, []byte(`{"kid":`))
}

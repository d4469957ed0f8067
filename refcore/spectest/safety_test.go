package spectest

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
)

// refused demands that a token was understood to be bad: never OK, never a 5xx.
func (a answer) refused() {
	a.t.Helper()
	if a.code >= 500 || a.fields["status"] == "OK" {
		a.fail("want a refusal")
	}
}

// TestHostileClaims: tokens signed by the core's own key that it would never
// make. Whoever can get claims signed (the JWT recipe can) gains nothing.
func TestHostileClaims(t *testing.T) {
	t.Parallel()
	for _, made := range []string{"2.20", "2.21", "3.0", "5.0"} {
		f := newForger(start(t, checked), made)
		type forgery struct{ what, token string }
		var list []forgery
		raw := func(what, claims string) {
			tok := ""
			if made == "2.20" {
				tok = forgeV2(t, claims, f.sign)
			} else {
				tok = forge(t, f.header, claims, f.sign)
			}
			list = append(list, forgery{what, tok})
		}
		text := string(encode(t, f.claims))
		for name, v := range f.claims {
			if name == "role" {
				continue
			}
			for _, second := range []any{v, "other", nil, 1} {
				raw(name+" twice", `{"`+name+`":`+string(encode(t, second))+`,`+text[1:])
				raw(name+" twice, escaped", text[:len(text)-1]+`,"\u00`+hex2(name[0])+name[1:]+`":`+string(encode(t, second))+`}`)
			}
			for _, wrong := range []any{1, true, obj{}, []string{"x"}, -1, 1.5, "", "x", nil} {
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
				if _, isObj := wrong.(obj); isObj && name == "userData" {
					continue
				}
				if name == "iat" || name == "timeCreated" {
					if _, isInt := wrong.(int); isInt {
						continue // the time of creation is never judged
					}
				}
				list = append(list, forgery{name + " of a wrong type", f.forged(nil, obj{name: wrong})})
			}
		}
		expiry := "exp"
		if made == "2.20" {
			expiry = "expiryTime"
		}
		for _, n := range []string{"1e999999999", "1e3", "1790003600.5", "-9223372036854775808", "99999999999999999999", `"1790003600"`, "0"} {
			list = append(list, forgery{expiry + " " + n, f.forged(nil, obj{expiry: rawNumber(n)})})
		}
		for _, h := range []string{"\x00", f.handle + "\x00", strings.Repeat("h", 100_000), "' OR '1'='1", "", strings.ToUpper(f.handle)} {
			list = append(list, forgery{"handle", f.forged(nil, obj{"sessionHandle": h})})
		}
		for _, body := range []string{"", "null", "[]", `"x"`, "1", "{", `{"a":`, "\xff\xfe", "\x00", strings.Repeat("[", 200_000), `{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}"} {
			raw("claims that are no object", body)
		}
		for _, cdi := range []string{"2.20", "2.21", "5.6"} { // a signature each: few versions do
			for _, x := range list {
				a := f.verify(cdi, x.token)
				a.what += " " + x.what + " (" + made + ")"
				a.refused()
			}
		}
		for _, x := range list {
			if a := f.regenerate("5.0", x.token, nil); a.code >= 500 {
				a.fail("regenerate with %s", x.what)
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
		f := newForger(start(t, checked), made)
		for _, cdi := range all() {
			f.verify(cdi, f.forged(nil, obj{"tId": "t1"})).text(400, msgNoTenant+"(, public, t1)")
		}
	}
	f := newForger(start(t, checked), "2.21") // there it is the user's own
	f.verify("5.0", f.forged(nil, obj{"tId": "t1"})).ok()
}

// TestHostileSpelling: a good token in a spelling that is not its own.
func TestHostileSpelling(t *testing.T) {
	t.Parallel()
	c := start(t, checked)
	for _, made := range []string{"2.20", "5.0"} {
		s := c.create(made)
		p := strings.Split(s.access, ".")
		for part := range p {
			for _, odd := range []string{p[part][:8] + "\n" + p[part][8:], p[part][:8] + "\r\n" + p[part][8:], p[part] + "\n", p[part] + "=", p[part] + "====", p[part] + "\x00", "\ufeff" + p[part], p[part] + p[part], p[part][:len(p[part])-5]} {
				q := append([]string(nil), p...)
				q[part] = odd
				if tok := strings.Join(q, "."); tok != s.access {
					c.verify("5.0", tok).tryRefresh()
					c.verify("2.20", tok).tryRefresh()
				}
			}
		}
		// Not UTF-8, inside a JSON string.
		c.post("5.0", pathVerify, `{"accessToken":"`+s.access+"\xff\xfe"+`","doAntiCsrfCheck":false,"enableAntiCsrf":false,"checkDatabase":true}`).tryRefresh()
		c.verify("5.0", s.access+strings.Repeat("A", 900_000)).tryRefresh()
	}
}

func TestHostileRefreshTokens(t *testing.T) {
	t.Parallel()
	c := start(t)
	s := c.create("5.0", obj{"enableAntiCsrf": true})
	for _, bad := range hostileRefreshTokens(s.refresh) {
		for _, cdi := range []string{"2.7", "5.5", "5.6"} {
			c.refresh(cdi, bad).unauth("")
		}
	}
	for _, raw := range []string{s.refresh + "\xff", "\xc3\x28", "\xed\xa0\x80"} {
		c.post("5.5", pathRefresh, `{"refreshToken":"`+raw+`","enableAntiCsrf":false,"useDynamicSigningKey":true}`).unauth("")
	}
	c.refresh("5.6", s.refresh).ok()
}

// TestHostileBodies: no body is answered with a 5xx, at any endpoint.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	c := start(t)
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
		s := c.create(cdi)
		endpoints := append([]endpoint{{method: "POST", path: pathJWT, body: func(*core, string, session) obj {
			return obj{"algorithm": "RS256", "jwksDomain": "d", "payload": obj{}, "validity": 10}
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
					for k, x := range with(good, obj{name: absent}) {
						text += `,"` + k + `":` + string(encode(t, x))
					}
					if a := c.do(e.method, e.path, cdi, []byte(text+"}")); a.code >= 500 {
						a.fail("%s = %s", name, clip(v))
					}
				}
			}
			for _, body := range []string{deep, "\xff\xfe{\x00}\x00", "\ufeff{}", `{"a":"` + strings.Repeat("\x00", 100) + `"}`, strings.Repeat("[", 500_000), `{"\ud800":"\ud800"}`, "{\"a\":1}\x00"} {
				if a := c.do(e.method, e.path, cdi, []byte(body)); a.code >= 500 {
					a.fail("body %s", clip(body))
				}
			}
			c.do(e.method, e.path, cdi, []byte(deeper)).text(400, "Invalid Json Input")
			tooLong := []byte(`{"a":"` + strings.Repeat("x", 1<<20-7) + `"}`)
			if len(tooLong) != 1<<20+1 {
				t.Fatal(len(tooLong))
			}
			c.do(e.method, e.path, cdi, tooLong).text(413, "Request body is too large")
			r := httptest.NewRequest(e.method, e.path, struct{ *bytes.Reader }{bytes.NewReader(tooLong)}) // of unknown length
			r.ContentLength = -1
			c.send(r).text(413, "Request body is too large")
			if a := c.do(e.method, e.path, cdi, append([]byte(`{"a":"`), tooLong[7:]...)); a.code == 413 || a.code >= 500 {
				a.fail("1 MiB is allowed")
			}
		}
	}
}

// TestHostileAmounts: as many members, handles and claims as a body holds. Were
// any of it quadratic, this test would run for minutes.
func TestHostileAmounts(t *testing.T) {
	t.Parallel()
	c := start(t, checked)
	var many strings.Builder
	many.WriteString(`{"m0":0`)
	for i := 1; i < 20_000; i++ {
		many.WriteString(`,"` + itoa(int64(i)) + `":1`)
	}
	many.WriteByte('}')
	for _, cdi := range []string{"2.20", "5.0"} {
		s := sessionOf(c.post(cdi, pathSession, `{"userId":"u","enableAntiCsrf":false,"userDataInDatabase":{},"userDataInJWT":`+many.String()+`}`).ok())
		c.verify(cdi, s.access).ok().noToken()
		small := c.create(cdi)
		_, claims := decoded(t, small.access)
		text := string(encode(t, claims))
		forged := forgeV2(t, many.String()[:many.Len()-1]+","+text[1:], unsigned)
		if cdi != "2.20" {
			h, _ := decoded(t, small.access)
			forged = forge(t, h, many.String()[:many.Len()-1]+","+text[1:], unsigned)
		}
		if a := c.regenerate(cdi, forged, nil); a.code >= 500 { // looks at no signature
			a.fail("want no 5xx")
		}
		if a := c.post(cdi, pathVerify, many.String()); a.code != 400 {
			a.fail("want 400")
		}
	}
	c.post("5.0", pathRemove, `{"sessionHandles":[""`+strings.Repeat(`,"x"`, 5_000)+`]}`).ok().equals([]string{}, "sessionHandlesRevoked")
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

func (l *logged) option(s *setup) {
	s.log = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.Level(-100), AddSource: true}))
	s.http.Log = s.log
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
	c := start(t, b.option(t), l.option, withKeys, checked)
	key := []string{"api-key", apiKey}
	var secrets []string
	sessions := map[string]session{}
	for _, cdi := range []string{"2.20", "5.5", "5.6"} {
		s := sessionOf(c.post(cdi, pathSession, createBody(obj{"enableAntiCsrf": true}), key...).ok())
		sessions[cdi] = s
		secrets = append(secrets, s.access, s.refresh, s.anti)
		for _, tok := range []string{s.access, s.refresh} {
			secrets = append(secrets, strings.Split(tok, ".")...)
		}
	}
	b.down.Store(true)
	for cdi, s := range sessions {
		for _, e := range sessionEndpoints {
			a := e.call(c, cdi, s, same, key...)
			if a.code != 500 || a.body != "Internal Error" {
				a.fail("want a 5xx that tells nothing")
			}
		}
		unknown := with(obj{"accessToken": s.access}, nil)
		unknown["userDataInJWT"] = obj{}
		c.post(cdi, pathRegenerate, unknown, key...).text(500, "Internal Error")
		c.do("GET", "/hello", cdi, nil).text(500, "Internal Error")
		if a := c.get(cdi, pathJWKS); a.code != 200 {
			a.fail("keys are published from memory")
		}
		// A key that this core does not know: it has to ask, and cannot.
		if cdi != "2.20" {
			f := forge(t, obj{"alg": "RS256", "typ": "JWT", "version": "5", "kid": "d-1"}, obj{}, rs256(foreignKey()))
			secrets = append(secrets, f)
			c.post(cdi, pathVerify, c.verifyBody(cdi, f), key...).text(500, "Internal Error")
		}
	}
	b.down.Store(false)
	for cdi, s := range sessions { // nothing was lost
		c.post(cdi, pathVerify, c.verifyBody(cdi, s.access), key...).ok()
	}

	p := start(t, onStore(panicking{c.store}), onClock(c.clock), l.option)
	p.getSession("5.0", "x").text(500, "Internal Error")
	p.refresh("5.0", sessions["5.5"].refresh).text(500, "Internal Error")

	master, err := b.Store.ValueOrInsert(context.Background(), "refresh_token_key", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, master, apiKey, apiKey2)
	for _, k := range c.dynamicKeys() {
		_, private, _ := strings.Cut(k.Value, "|")
		secrets = append(secrets, private, private[100:160])
	}
	text := l.String()
	if !strings.Contains(text, "request failed") || !strings.Contains(text, "store lost its mind") {
		t.Errorf("the failures are not in the log: %s", clip(text))
	}
	for _, secret := range secrets {
		if len(secret) > 8 && strings.Contains(text, secret) && secret != headerV2 && !isPublicHeader(secret) {
			t.Errorf("logged: %s", clip(secret))
		}
	}
}

// isPublicHeader says whether a part of a token is its header, which is no secret.
func isPublicHeader(part string) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && bytes.HasPrefix(b, []byte(`{"kid":`))
}

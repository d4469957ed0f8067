package coretest

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"io"
	"math/big"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Answer is what a core said, with the means to demand something of it. A
// demand that is not met ends the test.
type Answer struct {
	t      *testing.T
	What   string
	Code   int
	Body   string
	Header http.Header
	Fields Obj
}

func (c *Core) Do(method, target, cdi string, body []byte, header ...string) Answer {
	c.T.Helper()
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	r := httptest.NewRequest(method, target, in)
	if cdi != "" {
		r.Header.Set("cdi-version", cdi)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return c.Send(r)
}

func (c *Core) Send(r *http.Request) Answer {
	c.T.Helper()
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	a := Answer{t: c.T, What: r.Method + " " + r.URL.Path, Code: w.Code, Header: w.Header()}
	raw := w.Body.String()
	a.Body = strings.TrimSuffix(raw, "\n")
	if r.Method != http.MethodHead && raw == a.Body {
		c.T.Fatalf("%s: the body does not end with a line feed: %q", a.What, raw)
	}
	kind, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || !strings.EqualFold(params["charset"], "utf-8") {
		c.T.Fatalf("%s: content type %q: %v", a.What, w.Header().Get("Content-Type"), err)
	}
	if kind == "application/json" {
		d := json.NewDecoder(strings.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&a.Fields); err != nil {
			c.T.Fatalf("%s: %v in %s", a.What, err, a.Body)
		}
	}
	return a
}

func Encode(t testing.TB, v any) []byte {
	t.Helper()
	switch x := v.(type) {
	case []byte:
		return x
	case string:
		return []byte(x)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *Core) Post(cdi, path string, body any, header ...string) Answer {
	c.T.Helper()
	return c.Do(http.MethodPost, path, cdi, Encode(c.T, body), header...)
}

func (c *Core) Put(cdi, path string, body any) Answer {
	c.T.Helper()
	return c.Do(http.MethodPut, path, cdi, Encode(c.T, body))
}

// Get takes the query as name, value, …
func (c *Core) Get(cdi, path string, query ...string) Answer {
	c.T.Helper()
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return c.Do(http.MethodGet, path, cdi, nil)
}

func (a Answer) Fail(format string, args ...any) {
	a.t.Helper()
	a.t.Fatalf("%s: "+format+"; HTTP %d %s", append(append([]any{a.What}, args...), a.Code, Clip(a.Body))...)
}

func Clip(s string) string {
	if len(s) > 600 {
		return s[:600] + "…"
	}
	return s
}

// Is demands HTTP 200 with a status.
func (a Answer) Is(status string) Answer {
	a.t.Helper()
	if a.Code != http.StatusOK || a.Fields["status"] != status {
		a.Fail("want 200 %s", status)
	}
	return a
}

func (a Answer) OK() Answer { a.t.Helper(); return a.Is("OK") }

// Unauth demands UNAUTHORISED with a message and nothing else.
func (a Answer) Unauth(message string) Answer {
	a.t.Helper()
	a.Is("UNAUTHORISED").Only("message")
	if message != "" && a.Fields["message"] != message {
		a.Fail("want the message %q", message)
	}
	return a
}

func (a Answer) TryRefresh() Answer { a.t.Helper(); return a.Is("TRY_REFRESH_TOKEN") }

// Text demands a plain text.
func (a Answer) Text(code int, want string) Answer {
	a.t.Helper()
	if a.Code != code || a.Body != want || a.Fields != nil {
		a.Fail("want %d %q as text", code, want)
	}
	return a
}

func (a Answer) BadField(name string) Answer {
	a.t.Helper()
	return a.Text(http.StatusBadRequest, "Field name '"+name+"' is invalid in JSON input")
}

// Only demands exactly these fields beside status.
func (a Answer) Only(names ...string) Answer {
	a.t.Helper()
	var got []string
	for k := range a.Fields {
		if k != "status" {
			got = append(got, k)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(names))
	if !slices.Equal(got, want) {
		a.Fail("fields %v, want %v", got, want)
	}
	return a
}

func (a Answer) At(path ...string) any {
	a.t.Helper()
	var v any = a.Fields
	for _, p := range path {
		o, ok := v.(Obj)
		if !ok {
			a.Fail("no %s", strings.Join(path, "."))
		}
		v, ok = o[p]
		if !ok {
			a.Fail("no %s", strings.Join(path, "."))
		}
	}
	return v
}

func (a Answer) Has(name string) bool { _, ok := a.Fields[name]; return ok }

func (a Answer) Str(path ...string) string {
	a.t.Helper()
	s, ok := a.At(path...).(string)
	if !ok {
		a.Fail("%s is no string", strings.Join(path, "."))
	}
	return s
}

func (a Answer) Num(path ...string) int64 {
	a.t.Helper()
	return Number(a.t, a.At(path...))
}

func Number(t testing.TB, v any) int64 {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	i, err := n.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (a Answer) List(path ...string) []string {
	a.t.Helper()
	raw, ok := a.At(path...).([]any)
	if !ok {
		a.Fail("%s is no array", strings.Join(path, "."))
	}
	out := make([]string, len(raw))
	for i, x := range raw {
		out[i], _ = x.(string)
	}
	return out
}

// Equals demands a value at a path, compared as JSON.
func (a Answer) Equals(want any, path ...string) Answer {
	a.t.Helper()
	if got := a.At(path...); !reflect.DeepEqual(got, normal(a.t, want)) {
		a.Fail("%s = %v, want %v", strings.Join(path, "."), got, want)
	}
	return a
}

// normal is v as a decoder that keeps numbers gives it.
func normal(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Inner makes a field of an answer an answer of its own.
func (a Answer) Inner(path ...string) Answer {
	a.t.Helper()
	o, ok := a.At(path...).(Obj)
	if !ok {
		a.Fail("%s is no object", strings.Join(path, "."))
	}
	a.What += " " + strings.Join(path, ".")
	a.Fields = o
	return a
}

// Theft demands TOKEN_THEFT_DETECTED about a session, with a subtype from 5.6 on.
func (a Answer) Theft(s Session, subtype string) {
	a.t.Helper()
	a.Is("TOKEN_THEFT_DETECTED").Equals(s.Handle, "session", "handle")
	a.Inner("session").Only("handle", "userId", "recipeUserId").Equals("user", "userId").Equals("user", "recipeUserId")
	if subtype == "" {
		a.Only("session")
		return
	}
	a.Only("session", "recentTokenReuseSubtype").Equals(subtype, "recentTokenReuseSubtype")
}

// Reused is how a core says UNAUTHORISED of a reused token.
func (a Answer) Reused(subtype string) {
	a.t.Helper()
	a.Is("UNAUTHORISED").Only("message", "recentTokenReuseSubtype").
		Equals("refresh token reuse detected", "message").Equals(subtype, "recentTokenReuseSubtype")
}

// JWKS reads the keys of a JWKS answer and demands their six members.
func (a Answer) JWKS() map[string]*rsa.PublicKey {
	a.t.Helper()
	out := map[string]*rsa.PublicKey{}
	list, _ := a.At("keys").([]any)
	for _, x := range list {
		k, _ := x.(Obj)
		id, _ := k["kid"].(string)
		n, _ := k["n"].(string)
		e, _ := k["e"].(string)
		if len(k) != 6 || k["kty"] != "RSA" || k["alg"] != "RS256" || k["use"] != "sig" || id == "" || strings.ContainsAny(n+e, "+/=") {
			a.Fail("key %v", k)
		}
		modulus := unbase64(a.t, n)
		if len(modulus) != 256 || modulus[0] == 0 {
			a.Fail("modulus of %d bytes", len(modulus))
		}
		out[id] = &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(unbase64(a.t, e)).Int64())}
	}
	return out
}

// Refused demands that a token was understood to be bad: never OK, never a 5xx.
func (a Answer) Refused() {
	a.t.Helper()
	if a.Code >= 500 || a.Fields["status"] == "OK" {
		a.Fail("want a refusal")
	}
}

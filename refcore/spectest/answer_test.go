package spectest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// answer is what a core said, with the means to demand something of it. A
// demand that is not met ends the test.
type answer struct {
	t      *testing.T
	what   string
	code   int
	body   string
	header http.Header
	fields obj
}

func (c *core) do(method, target, cdi string, body []byte, header ...string) answer {
	c.t.Helper()
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
	return c.send(r)
}

func (c *core) send(r *http.Request) answer {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	a := answer{t: c.t, what: r.Method + " " + r.URL.Path, code: w.Code, header: w.Header()}
	raw := w.Body.String()
	a.body = strings.TrimSuffix(raw, "\n")
	if r.Method != http.MethodHead && raw == a.body {
		c.t.Fatalf("%s: the body does not end with a line feed: %q", a.what, raw)
	}
	kind, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || !strings.EqualFold(params["charset"], "utf-8") {
		c.t.Fatalf("%s: content type %q: %v", a.what, w.Header().Get("Content-Type"), err)
	}
	if kind == "application/json" {
		d := json.NewDecoder(strings.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&a.fields); err != nil {
			c.t.Fatalf("%s: %v in %s", a.what, err, a.body)
		}
	}
	return a
}

func encode(t testing.TB, v any) []byte {
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

func (c *core) post(cdi, path string, body any, header ...string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, cdi, encode(c.t, body), header...)
}

func (c *core) put(cdi, path string, body any) answer {
	c.t.Helper()
	return c.do(http.MethodPut, path, cdi, encode(c.t, body))
}

// get takes the query as name, value, …
func (c *core) get(cdi, path string, query ...string) answer {
	c.t.Helper()
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return c.do(http.MethodGet, path, cdi, nil)
}

func (a answer) fail(format string, args ...any) {
	a.t.Helper()
	a.t.Fatalf("%s: "+format+"; HTTP %d %s", append(append([]any{a.what}, args...), a.code, clip(a.body))...)
}

func clip(s string) string {
	if len(s) > 600 {
		return s[:600] + "…"
	}
	return s
}

// is demands HTTP 200 with a status.
func (a answer) is(status string) answer {
	a.t.Helper()
	if a.code != http.StatusOK || a.fields["status"] != status {
		a.fail("want 200 %s", status)
	}
	return a
}

func (a answer) ok() answer { a.t.Helper(); return a.is("OK") }

// unauth demands UNAUTHORISED with a message and nothing else.
func (a answer) unauth(message string) answer {
	a.t.Helper()
	a.is("UNAUTHORISED").only("message")
	if message != "" && a.fields["message"] != message {
		a.fail("want the message %q", message)
	}
	return a
}

func (a answer) tryRefresh() answer { a.t.Helper(); return a.is("TRY_REFRESH_TOKEN") }

// text demands a plain text.
func (a answer) text(code int, want string) answer {
	a.t.Helper()
	if a.code != code || a.body != want || a.fields != nil {
		a.fail("want %d %q as text", code, want)
	}
	return a
}

func (a answer) badField(name string) answer {
	a.t.Helper()
	return a.text(http.StatusBadRequest, "Field name '"+name+"' is invalid in JSON input")
}

// only demands exactly these fields beside status.
func (a answer) only(names ...string) answer {
	a.t.Helper()
	var got []string
	for k := range a.fields {
		if k != "status" {
			got = append(got, k)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(names))
	if !slices.Equal(got, want) {
		a.fail("fields %v, want %v", got, want)
	}
	return a
}

func (a answer) at(path ...string) any {
	a.t.Helper()
	var v any = a.fields
	for _, p := range path {
		o, ok := v.(obj)
		if !ok {
			a.fail("no %s", strings.Join(path, "."))
		}
		v, ok = o[p]
		if !ok {
			a.fail("no %s", strings.Join(path, "."))
		}
	}
	return v
}

func (a answer) has(name string) bool { _, ok := a.fields[name]; return ok }

func (a answer) str(path ...string) string {
	a.t.Helper()
	s, ok := a.at(path...).(string)
	if !ok {
		a.fail("%s is no string", strings.Join(path, "."))
	}
	return s
}

func (a answer) num(path ...string) int64 {
	a.t.Helper()
	return number(a.t, a.at(path...))
}

func number(t testing.TB, v any) int64 {
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

func (a answer) list(path ...string) []string {
	a.t.Helper()
	raw, ok := a.at(path...).([]any)
	if !ok {
		a.fail("%s is no array", strings.Join(path, "."))
	}
	out := make([]string, len(raw))
	for i, x := range raw {
		out[i], _ = x.(string)
	}
	return out
}

// equals demands a value at a path, compared as JSON.
func (a answer) equals(want any, path ...string) answer {
	a.t.Helper()
	if got := a.at(path...); !reflect.DeepEqual(got, normal(a.t, want)) {
		a.fail("%s = %v, want %v", strings.Join(path, "."), got, want)
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

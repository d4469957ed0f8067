package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

func createOf(user string) string {
	return `{"userId":` + user + `,"userDataInJWT":{},"userDataInDatabase":{},"enableAntiCsrf":false,"useDynamicSigningKey":true}`
}

// TestT15TextIsUnicode: what is no Unicode is refused, so that different user ids
// never become one; a named charset is decoded.
func TestT15TextIsUnicode(t *testing.T) {
	t.Parallel()
	for _, cdi := range []string{"2.20", "5.6"} {
		c := coretest.Start(t)
		for _, user := range []string{`"\ud800"`, `"\udfff"`, `"a\udc00\ud800b"`, `"\ud800\u0041"`, `"\\\ud800"`, "\"\xe9\"", "\"\xe8\"", "\"\xed\xa0\x80\""} {
			c.Post(cdi, coretest.PathSession, createOf(user)).Text(400, "Invalid Json Input")
			c.Post(cdi, coretest.PathRemove, `{"userId":`+user+`}`).Text(400, "Invalid Json Input")
		}
		c.Get(cdi, coretest.PathUser, "userId", "\xe9").Text(400, "Field name 'userId' is invalid in GET request")
		ids := map[string]string{ // by what stands in the body: the user id
			`"\ufffd"`: "\ufffd", `"\ud83d\ude00"`: "😀", `"\\ud800"`: `\ud800`, `"é"`: "é", `"\u00e8"`: "è", `"\\\ud83d\ude00"`: `\😀`,
		}
		for spelled, user := range ids {
			s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, createOf(spelled)).OK())
			if got := c.Handles(cdi, user); len(got) != 1 || got[0] != s.Handle {
				t.Errorf("sessions of %q: %q, want the one of %s", user, got, spelled)
			}
		}
		for _, tc := range []struct{ charset, body, want string }{
			{"ISO-8859-1", "\"\xe9t\xe9\"", "été"}, {"latin1", "\"\xe8\"", "è"}, {"windows-1252", "\"\x80\"", "€"},
			{"utf-8", `"ü"`, "ü"}, {`"UTF-8"`, `"ö"`, "ö"}, {"us-ascii", `"plain"`, "plain"},
		} {
			contentType := []string{"Content-Type", "application/json; charset=" + tc.charset}
			c.Post(cdi, coretest.PathSession, createOf(tc.body), contentType...).OK()
			if got := c.Handles(cdi, tc.want); len(got) == 0 {
				t.Errorf("charset %s: no session of %q", tc.charset, tc.want)
			}
		}
		if a := c.Post(cdi, coretest.PathSession, createOf(`"x"`), "Content-Type", "application/json; charset=klingon"); a.Code != 400 {
			a.Fail("an unknown charset")
		}
	}
}

// TestT17SizesAreBoundedWhereTheyComeIn: a payload that create takes never makes
// a later call of the session fail for size, and what is too large is answered.
func TestT17SizesAreBoundedWhereTheyComeIn(t *testing.T) {
	t.Parallel()
	payload := func(n int) string { return `{"x":"` + strings.Repeat("y", n-8) + `"}` }
	const most = 3 << 20 / 8
	for _, cdi := range []string{"2.20", "5.5", "5.6"} {
		c := coretest.Start(t, coretest.Checked)
		create := func(n int) string {
			return strings.Replace(createOf(`"`+strings.Repeat("u", 2000)+`"`), `"userDataInJWT":{}`, `"userDataInJWT":`+payload(n), 1)
		}
		for _, n := range []int{most + 1, 900_000} {
			if a := c.Post(cdi, coretest.PathSession, create(n)); a.Code != 400 || !strings.Contains(a.Body, "too large") {
				a.Fail("a payload of %d bytes", n)
			}
		}
		s := coretest.SessionOf(c.Post(cdi, coretest.PathSession, create(most)).OK())
		c.Verify(cdi, s.Access).OK()
		big := coretest.Obj{"x": strings.Repeat("z", most-8)}
		c.SetPayload(cdi, s.Handle, big).OK()
		c.Regenerate(cdi, s.Access, big).OK()
		n := c.Next(cdi, s.Refresh)
		c.Verify(cdi, n.Access).OK()
		if a := c.SetPayload(cdi, s.Handle, coretest.Obj{"x": strings.Repeat("z", most)}); a.Code != 400 {
			a.Fail("a payload that is too large")
		}
		if a := c.Regenerate(cdi, n.Access, coretest.Obj{"x": strings.Repeat("z", most)}); a.Code != 400 {
			a.Fail("a payload that is too large")
		}
	}
}

// TestT17TooLargeIsAnswered: a caller who sends more than is taken gets an
// answer and no reset connection.
func TestT17TooLargeIsAnswered(t *testing.T) {
	t.Parallel()
	c := coretest.Start(t)
	srv := httptest.NewServer(c.Handler())
	defer srv.Close()
	for _, size := range []int{1<<20 + 1, 2_100_000, 10 << 20} {
		for _, length := range []bool{true, false} {
			var body io.Reader = bytes.NewReader(bytes.Repeat([]byte(" "), size))
			if !length {
				body = struct{ io.Reader }{body} // sent in chunks
			}
			resp, err := http.Post(srv.URL+coretest.PathRegenerate, "application/json", body)
			if err != nil {
				t.Errorf("%d bytes: %v", size, err)
				continue
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge || err != nil {
				t.Errorf("%d bytes: HTTP %d %s, %v", size, resp.StatusCode, fmt.Sprintf("%.80s", text), err)
			}
		}
	}
}

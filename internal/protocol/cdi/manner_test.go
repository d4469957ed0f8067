package cdi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
)

// TestMannersMeanTheSame: each manner differs from the usual one and says the same.
func TestMannersMeanTheSame(t *testing.T) {
	t.Parallel()
	const body = `{"accessToken":"a.b.c","userDataInJWT":{"x":1,"y":{"z":"ü"}},"checkDatabase":true}`
	var want any
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		manner protocol.Manner
		rid    string
		length bool
		longer int
	}{
		{protocol.MannerSDK, "session", true, 0}, {protocol.MannerProxied, "session", true, 0},
		{protocol.MannerGateway, "", false, 0}, {protocol.MannerNewer, "session", true, 64 << 10},
		{protocol.MannerTenants, "session", true, 0},
	} {
		m := tc.manner
		req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/recipe/session/verify?a=1", nil)
		req.Header = http.Header{"User-Agent": {"coreproof"}, "Rid": {"session"}}
		var got map[string]any
		out := put(m, req, []byte(body))
		if err := json.Unmarshal(out, &got); err != nil {
			t.Errorf("%s: %s: %v", m, out, err)
		}
		if tc.longer > 0 {
			delete(got, "sdkVersion")
			delete(got, "context")
		}
		if !reflect.DeepEqual(any(got), want) || len(out) < tc.longer {
			t.Errorf("%s: %v of %d bytes", m, got, len(out))
		}
		if req.Header.Get("User-Agent") == "coreproof" || req.Header.Get("Rid") != tc.rid || req.URL.Query().Get("a") != "1" {
			t.Errorf("%s: %v %s", m, req.Header, req.URL)
		}
		if want := map[bool]string{true: "/public"}[m == protocol.MannerTenants] + "/recipe/session/verify"; req.URL.Path != want {
			t.Errorf("%s: path %s, want %s", m, req.URL.Path, want)
		}
		if tc.length != (req.ContentLength == int64(len(out))) {
			t.Errorf("%s: length %d of %d", m, req.ContentLength, len(out))
		}
	}
	for in, want := range map[string]string{"{}": `{"b":2}`, `{"a":1}`: `{"a":1,"b":2}`, "[1]": "[1]", "": ""} {
		if got := string(saying([]byte(in), `"b":2`)); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
	if got := string(reversed([]byte(body))); !strings.HasPrefix(got, `{"checkDatabase":true`) {
		t.Errorf("reversed: %s", got)
	}
	for _, other := range []string{"", "[1]", "null", `{"a":`} {
		if got := string(reversed([]byte(other))); got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
}

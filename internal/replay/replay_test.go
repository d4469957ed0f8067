package replay_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/replay"
)

// TestLineSaysHowItIsSent: what is not a header, and what curl would do otherwise.
func TestLineSaysHowItIsSent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		e    protocol.Exchange
		want string
	}{
		"as curl does": {protocol.Exchange{URL: "http://h/x", RequestHeader: http.Header{"Accept": {"*/*"}}}, "curl -sS -X POST -H 'accept: */*' 'http://h/x'"},
		"no accept":    {protocol.Exchange{URL: "http://h/x"}, "curl -sS -X POST -H 'accept:' 'http://h/x'"},
		"a user agent": {protocol.Exchange{URL: "http://h/x", RequestHeader: http.Header{"User-Agent": {"it's me"}}}, `curl -sS -X POST -A 'it'\''s me' -H 'accept:' 'http://h/x'`},
		"another host": {protocol.Exchange{URL: "http://h/x", Host: "a.example"}, "curl -sS -X POST -H 'Host: a.example' -H 'accept:' 'http://h/x'"},
		"in chunks":    {protocol.Exchange{URL: "http://h/x", Chunked: true, RequestBody: "{}"}, "curl -sS -X POST -H 'Transfer-Encoding: chunked' -H 'accept:' --data-binary '{}' 'http://h/x'"},
		"old":          {protocol.Exchange{URL: "https://h/x", Proto: "HTTP/1.0"}, "curl -sS -X POST --http1.0 -H 'accept:' 'https://h/x'"},
		"TLS":          {protocol.Exchange{URL: "https://h/x"}, "curl -sS -X POST --http1.1 -H 'accept:' 'https://h/x'"},
		"many blanks":  {protocol.Exchange{URL: "http://h/x", RequestBody: "a" + strings.Repeat(" ", 70000) + "b"}, `curl -sS -X POST -H 'accept:' --data-binary 'a'"$(printf '%70000s' '')"'b' 'http://h/x'`},
	} {
		tc.e.Method = http.MethodPost
		if got := replay.Line(tc.e, nil); got != tc.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, tc.want)
		}
	}
}

// TestLineNamesWhoAsks: each way to say who asks has its variables, and no value.
func TestLineNamesWhoAsks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ header, value, want string }{
		{"Api-Key", "***", `-H "api-key: $API_KEY"`},
		{"Authorization", "Basic ***", `-u "$CLIENT_ID:$CLIENT_SECRET"`},
		{"Authorization", "Bearer ***", `-H "authorization: Bearer $API_KEY"`},
		{"Authorization", "***", `-H "authorization: $API_KEY"`},
	} {
		e := protocol.Exchange{Method: http.MethodPost, URL: "http://127.0.0.1:1/x", RequestHeader: http.Header{tc.header: {tc.value}}, RequestBody: "token=t-1"}
		got := replay.Line(e, []replay.Secret{{Value: "t-1", Variable: replay.Access}})
		if !strings.Contains(got, tc.want) || strings.Contains(got, "***") || strings.Contains(got, "t-1") {
			t.Errorf("%s: %s: got %s, want %s in it", tc.header, tc.value, got, tc.want)
		}
	}
}

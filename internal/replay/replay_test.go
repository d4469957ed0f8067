package replay_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/replay"
)

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

package broken

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
)

// FirstOfAConnection leaves the check out of the first request of each connection. It is a
// handler for tests to put before cores that they start themselves, and no defect by name.
func FirstOfAConnection(next http.Handler) http.Handler {
	var seen sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, later := seen.LoadOrStore(r.RemoteAddr, true); !later && r.ProtoAtLeast(1, 1) && strings.HasSuffix(r.URL.Path, "/verify") {
			body, _ := io.ReadAll(r.Body)
			body = bytes.Replace(body, []byte(`"checkDatabase":true`), []byte(`"checkDatabase":false`), 1)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		next.ServeHTTP(w, r)
	})
}

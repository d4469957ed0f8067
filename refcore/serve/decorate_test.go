package serve_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// TestDecorate: each part is wrapped once, before the core says that it is ready.
func TestDecorate(t *testing.T) {
	t.Parallel()
	var wrapped []string
	d := serve.Decorate{
		Store:  func(s store.Store) store.Store { wrapped = append(wrapped, "store"); return s },
		Engine: func(e httpapi.Engine) httpapi.Engine { wrapped = append(wrapped, "engine"); return e },
		Handler: func(http.Handler) http.Handler {
			wrapped = append(wrapped, "handler")
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready, stdout := io.Pipe()
	ended := make(chan int, 1)
	var stderr strings.Builder
	go func() {
		code := serve.MainDecorated(ctx, d, "core", []string{"--host", "127.0.0.1", "--port", "0"}, nil, strings.NewReader(""), stdout, &stderr)
		_ = stdout.Close()
		ended <- code
	}()
	line := make([]byte, 200)
	n, err := ready.Read(line)
	if err != nil {
		t.Fatalf("the core did not start: %v, exit code %d, %s", err, <-ended, &stderr)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(string(line[:n])), serve.ReadyPrefix)
	if !ok {
		t.Fatalf("first line: %q", line[:n])
	}
	resp, err := http.Get(url + "/hello")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot {
		t.Errorf("hello: HTTP %d, want the wrapper's %d", resp.StatusCode, http.StatusTeapot)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if got := strings.Join(wrapped, " "); got != "store engine handler" {
		t.Errorf("wrapped: %q", got)
	}
}

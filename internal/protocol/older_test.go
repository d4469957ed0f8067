package protocol_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// TestOlderProxy: the same request arrives, as HTTP/1.0, each over a connection of its own.
func TestOlderProxy(t *testing.T) {
	t.Parallel()
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-From", r.RemoteAddr)
		_, _ = io.WriteString(w, r.Proto+" "+r.Method+" "+r.URL.String()+" "+r.Header.Get("Rid")+" "+string(body))
	}
	for name, server := range map[string]*httptest.Server{
		"http":  httptest.NewServer(http.HandlerFunc(handler)),
		"https": httptest.NewTLSServer(http.HandlerFunc(handler)),
	} {
		t.Cleanup(server.Close)
		if protocol.MannerProxied.Client(server.Client()) != server.Client() {
			t.Error("another manner got a client of its own")
		}
		client := protocol.MannerOlder.Client(server.Client())
		from := map[string]bool{}
		for range 3 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/a/b?c=d", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Rid", "session")
			res, err := client.Do(req)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			body, err := io.ReadAll(res.Body)
			if err := errors.Join(err, res.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if got := string(body); got != "HTTP/1.0 POST /a/b?c=d session {}" {
				t.Errorf("%s: %s", name, got)
			}
			from[res.Header.Get("X-From")] = true
		}
		if len(from) != 3 {
			t.Errorf("%s: %d connections for 3 requests", name, len(from))
		}
	}
}

// TestOlderProxyGivesUp when its context ends, and says so.
func TestOlderProxyGivesUp(t *testing.T) {
	t.Parallel()
	asked, done := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(asked); <-done }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(done) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	go func() { <-asked; cancel() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := protocol.MannerOlder.Client(server.Client()).Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	req, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1", nil)
	if res, err := protocol.MannerOlder.Client(server.Client()).Do(req); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		_ = res
		t.Errorf("nobody listens: %v", err)
	}
}

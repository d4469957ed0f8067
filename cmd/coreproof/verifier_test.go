package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol/oauth2"
)

// TestTheVerifierWaitsForKeys that the server has not made yet, and serves until it is
// told to end.
func TestTheVerifierWaitsForKeys(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	t.Cleanup(keys.Close)
	set := &oauth2.KeySet{URL: keys.URL, HTTP: http.DefaultClient}
	if err := fetchKeys(t.Context(), set); err != nil || asked.Load() != 3 {
		t.Fatalf("asked %d times, %v", asked.Load(), err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- serveUntil(ctx, l, oauth2.NewVerifier(set)) }()
	res, err := http.Get("http://" + l.Addr().String())
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%+v, %v", res, err)
	}
	if err == nil {
		_ = res.Body.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

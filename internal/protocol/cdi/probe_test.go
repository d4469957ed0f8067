package cdi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

func TestProbe(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    []string
		errHas  string
	}{
		{"a core, versions sorted by number", answer(200, `{"versions":["5.6","2.9","2.10","9.9"]}`), []string{"2.9", "2.10", "5.6"}, ""},
		{"a core of an unknown future", answer(200, `{"versions":["9.9"]}`), nil, "9.9"},
		{"an HTML server", answer(200, "<!DOCTYPE html><html><body>It works!</body></html>"), nil, "HTML page"},
		{"an HTML server's 404", answer(404, "<html>not found</html>"), nil, "HTML page"},
		{"another API", answer(200, `{"hello":"world"}`), nil, "no session core"},
		{"a list of something else", answer(200, `{"versions":[1,2]}`), nil, "no session core"},
		{"a 404 in text", answer(404, "Not found"), nil, "HTTP 404"},
		{"a core that warms up", answer(503, "warming up"), nil, "(warming up): wait until the core is ready"},
		{"a wrong API key", answer(401, "Invalid API key\n"), nil, "API key"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, nil, "redirect"},
		{"a flood of 10 MB", func(w http.ResponseWriter, r *http.Request) {
			chunk := []byte(strings.Repeat("x", 1<<16))
			for range 160 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, nil, "more than 1 MiB"},
		{"a server that never answers", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, "no whole answer"},
		{"a server that trickles", func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		}, nil, "no whole answer"},
		{"a server that hangs up", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, nil, "failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(tc.handler)
			t.Cleanup(s.Close)
			// Long enough for a flood on a busy machine, short enough for the test.
			timeout := 10 * time.Second
			if tc.errHas == "no whole answer" {
				timeout = 200 * time.Millisecond
			}
			got, err := CDI{}.Probe(t.Context(), protocol.DialOptions{BaseURL: s.URL, APIKey: "k", Timeout: timeout})
			checkProbe(t, s.URL, got, err, tc.want, tc.errHas)
		})
	}
}

func checkProbe(t *testing.T, url string, got []string, err error, want []string, errHas string) {
	t.Helper()
	if errHas == "" {
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
		return
	}
	if err == nil {
		t.Fatalf("got %v, want an error", got)
	}
	text := err.Error()
	if !strings.Contains(text, errHas) || !strings.Contains(text, url) || strings.Contains(text, "\n") || len(text) > 500 {
		t.Fatalf("got %q, want one line with %q and the URL %s", text, errHas, url)
	}
}

func TestProbeOfNothing(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close()
	got, err := CDI{}.Probe(t.Context(), protocol.DialOptions{BaseURL: url})
	checkProbe(t, url, got, err, nil, "nothing listens")
}

func TestProbeTLS(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"versions":["5.4"]}`) })
	plain := httptest.NewServer(h)
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(h)
	secure.Config.ErrorLog = nil
	secure.StartTLS()
	t.Cleanup(secure.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(secure.Certificate())
	for _, tc := range []struct {
		name, url string
		tls       *tls.Config
		errHas    string
	}{
		{"trusted", secure.URL, &tls.Config{RootCAs: trusted}, ""},
		{"not trusted", secure.URL, nil, "--ca-file"},
		{"another name", secure.URL, &tls.Config{RootCAs: trusted, ServerName: "elsewhere.test"}, "another name"},
		{"http to a TLS server", "http" + strings.TrimPrefix(secure.URL, "https"), nil, "use https://"},
		{"https to a plain server", "https" + strings.TrimPrefix(plain.URL, "http"), nil, "use http://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := CDI{}.Probe(t.Context(), protocol.DialOptions{BaseURL: tc.url, TLS: tc.tls})
			checkProbe(t, tc.url, got, err, []string{"5.4"}, tc.errHas)
		})
	}
}

func TestProbeCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (CDI{}).Probe(ctx, protocol.DialOptions{BaseURL: "http://127.0.0.1:1"}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestClientVersions(t *testing.T) {
	t.Parallel()
	url, last := scripted(t, 200, `{"versions":["5.4","2.7"]}`)
	got, err := client(t, url, "5.6").Versions(t.Context())
	if err != nil || !slices.Equal(got, []string{"2.7", "5.4"}) {
		t.Fatalf("got %v, %v", got, err)
	}
	if _, sent := last().Header["Cdi-Version"]; sent {
		t.Error("a version was sent with the question for versions")
	}
}

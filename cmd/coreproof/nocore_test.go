package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// TestNoCoreAtTheURL: whatever is there, or is not, ends in one clear line, in
// time.
func TestNoCoreAtTheURL(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // connections wait in its queue for ever
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	// The near end of a connection: nobody listens there, and nobody else can take the port.
	taken, err := net.Dial("tcp", silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	nobody := "http://" + taken.LocalAddr().String()
	serve := func(h http.HandlerFunc) string {
		srv := httptest.NewServer(h)
		t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
		return srv.URL
	}
	megabytes := func(w http.ResponseWriter, n int) {
		for range n {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	}
	good := serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"versions":["2.20","5.4"]}`) })
	type try struct {
		name, want string
		args       []string
	}
	var all []try
	for name, tc := range map[string]struct{ on, off, want string }{
		"nobody listens":   {nobody, "", "nothing listens at " + nobody},
		"nobody, off":      {good, nobody, "--url-off"},
		"an HTML page":     {serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html>\n<html>\n</html>") }), "", "HTML page"},
		"a missing page":   {serve(http.NotFound), "", "404"},
		"a failing server": {serve(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "line 1\nline 2", 500) }), "", "500"},
		"another API":      {serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"version":"1"}`) }), "", "no session core"},
		"no answer":        {"http://" + silent.Addr().String(), "", "no whole answer"},
		"no answer, off":   {good, "http://" + silent.Addr().String(), "--url-off"},
		"half an answer": {serve(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"versions":[`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}), "", "no whole answer"},
		"10 MB":          {serve(func(w http.ResponseWriter, _ *http.Request) { megabytes(w, 10) }), "", "more than 1 MiB"},
		"another server": {serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"versions":["1.0"]}`) }), "", "1.0"},
	} {
		for _, command := range []string{"run", "conform", "bench"} {
			args := []string{command, "--url-on", tc.on, "--out", filepath.Join(t.TempDir(), "proof")}
			if tc.off != "" {
				args = append(args, "--url-off", tc.off)
			}
			all = append(all, try{name + "/" + command, tc.want, args})
		}
	}
	// All at once: most of them wait for an answer.
	var running sync.WaitGroup
	for _, x := range all {
		running.Go(func() {
			ended := make(chan outcome, 1)
			go func() { ended <- coreproof(context.Background(), x.args...) }()
			select {
			case o := <-ended:
				t.Run(x.name, func(t *testing.T) { o.refused(t, x.want) })
			case <-time.After(10 * time.Second): // the promise
				t.Errorf("%s: no end within 10 s", x.name)
			}
		})
	}
	running.Wait()
}

// TestCoreThatTurnsOutNone: a server that says it is a core and answers nothing
// of use is an error of the run, told in the proof.
func TestCoreThatTurnsOutNone(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"HTML": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello</html>") },
		"10 MB": func(w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		},
		"500": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Internal Error", 500) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.HandleFunc("GET /apiversion", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"versions":["5.4"]}`) })
			mux.HandleFunc("/", h)
			srv := httptest.NewServer(mux)
			t.Cleanup(srv.Close)
			dir := t.TempDir()
			o := coreproof(t.Context(), "conform", "--url-on", srv.URL, "--check", "BL-01", "--out", dir)
			if o.code == exitHeld || strings.Contains(o.err, "goroutine") {
				t.Errorf("%+v", o)
			}
			if p := load(t, dir); p.Verdict.Outcome == proof.Pass || len(p.Verdict.Findings) == 0 {
				t.Errorf("verdict %+v", p.Verdict)
			}
		})
	}
}

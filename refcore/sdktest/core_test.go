package sdktest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// TestMain lets the test binary be a core, and an API that is protected by the SDK.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "core":
			os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
		case "api":
			os.Exit(apiMain(os.Args[2]))
		}
	}
	os.Exit(dbtest.Main(m))
}

// wire notes what the SDK asks the cores for.
type wire struct {
	mu       sync.Mutex
	calls    map[string]int  // by "METHOD path"
	versions map[string]bool // cdi-version headers, "" left out
}

func (w *wire) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.calls[r.Method+" "+r.URL.Path]++
		if v := r.Header.Get("cdi-version"); v != "" {
			w.versions[v] = true
		}
		w.mu.Unlock()
		next.ServeHTTP(rw, r)
	})
}

func (w *wire) count(call string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[call]
}

const verifyCall = "POST /recipe/session/verify"

// startCores starts two cores on one database, whose setting says that
// blacklisting is on, and gives the SDK's connection URI for both: it calls them
// in turn.
func startCores(t *testing.T, uri string, open func(context.Context, store.Config) (store.Store, error)) (string, *wire) {
	t.Helper()
	w := &wire{calls: map[string]int{}, versions: map[string]bool{}}
	var hosts []string
	for range 2 {
		st, err := open(t.Context(), store.Config{URI: uri})
		if err != nil {
			t.Fatal(err)
		}
		settings := refcore.DefaultSettings()
		settings.Blacklisting = true
		engine, err := refcore.New(t.Context(), refcore.Options{Store: st, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		api, err := httpapi.New(httpapi.Options{Engine: engine, APIKeys: []string{apiKey}})
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(w.note(api))
		t.Cleanup(func() {
			srv.Close()
			engine.Close()
			if err := st.Close(); err != nil {
				t.Errorf("close the store: %v", err)
			}
		})
		hosts = append(hosts, srv.URL)
	}
	return strings.Join(hosts, ";"), w
}

const apiKey = "sdktest-Key=0123456789"

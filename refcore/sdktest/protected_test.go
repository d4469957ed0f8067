package sdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"

	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/supertokens"
)

// protectedAPI is the least that an application is: it answers whom the SDK takes for
// logged in. /off verifies as SDKs do by default, by itself; /on has the core asked at
// each call. The token comes in the body, so that a load generator can draw it.
func protectedAPI() http.Handler {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"OK","user":%q}`, session.GetSessionFromRequestContext(r.Context()).GetUserID())
	})
	mux := http.NewServeMux()
	for path, check := range map[string]bool{"/off": false, "/on": true} {
		mux.HandleFunc(path, session.VerifySession(&sessmodels.VerifySessionOptions{CheckDatabase: &check}, answer))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ AccessToken string }
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Header.Set("Authorization", "Bearer "+in.AccessToken)
		mux.ServeHTTP(w, r)
	})
}

// apiReady is what an API process prints before its address.
const apiReady = "api ready: "

// apiMain is such an API as a process; it ends with its standard input.
func apiMain(coreURL string) int {
	err := supertokens.Init(supertokens.TypeInput{
		Supertokens: &supertokens.ConnectionInfo{ConnectionURI: coreURL},
		AppInfo:     supertokens.AppInfo{AppName: "protected", APIDomain: "http://api.localhost", WebsiteDomain: "http://localhost"},
		RecipeList:  []supertokens.Recipe{session.Init(nil)},
	})
	var l net.Listener
	if err == nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		return 1
	}
	fmt.Println(apiReady + "http://" + l.Addr().String())
	srv := &http.Server{Handler: protectedAPI()}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	}()
	_ = srv.Serve(l)
	return 0
}

// TestAProtectedAPI: with the check off the SDK calls no core for a call of the API, and
// lets a revoked token in; with it on it calls the core once, and refuses.
func TestAProtectedAPI(t *testing.T) {
	for _, st := range kindtest.All() {
		t.Run(st.Name, func(t *testing.T) {
			uri, w := startCores(t, st.Fresh(t), st.Kind.Open)
			initSDK(t, uri, true)
			api := httptest.NewServer(protectedAPI())
			t.Cleanup(api.Close)
			s := must(session.CreateNewSessionWithoutRequestResponse(tenant, "u", nil, nil, ptr(true)))(t) // without anti-csrf
			token := tokens(s).AccessToken
			call := func(path string) (status, asked int) {
				t.Helper()
				before := w.count(verifyCall)
				body, err := json.Marshal(map[string]string{"accessToken": token})
				if err != nil {
					t.Fatal(err)
				}
				resp, err := http.Post(api.URL+path, "application/json", bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode == http.StatusOK && !strings.Contains(string(text), `"user":"u"`) {
					t.Errorf("%s: %s, %v", path, text, err)
				}
				return resp.StatusCode, w.count(verifyCall) - before
			}
			for _, tc := range []struct {
				revoked       bool
				path          string
				status, asked int
			}{{false, "/off", 200, 0}, {false, "/on", 200, 1}, {true, "/off", 200, 0}, {true, "/on", 401, 1}} {
				if tc.revoked {
					if _, err := session.RevokeSession(s.GetHandle()); err != nil {
						t.Fatal(err)
					}
				}
				if status, asked := call(tc.path); status != tc.status || asked != tc.asked {
					t.Errorf("revoked %t, %s: HTTP %d and %d calls to the core, want %d and %d", tc.revoked, tc.path, status, asked, tc.status, tc.asked)
				}
			}
		})
	}
}

package launch_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/oauth2/oauthtest"
)

const there = `
name: my-server
protocol:
  name: oauth2
  oauth2:
    login: hydra
    client: app
    api: api
    apiSecret: '{{env "MY_API_SECRET"}}'
    scope: offline_access
    endpoints:
      authorize: "{{.URL}}/oauth2/auth"
      token: "{{.URL}}/oauth2/token"
      introspect: "{{.URL}}/oauth2/introspect"
      revoke: "http://{{.Host}}:{{.Port}}/oauth2/revoke"
      keys: "{{.URL}}/keys"
      admin: "{{.URL}}"
flag: always
`

func serverFile(t *testing.T, text string) *descriptor.Descriptor {
	t.Helper()
	d, err := descriptor.Read("server.yaml", t.TempDir(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAnAuthorizationServerByURL is there already: its descriptor says who logs in and
// where, a URL where the server is, a variable what is secret.
func TestAnAuthorizationServerByURL(t *testing.T) {
	t.Setenv("MY_API_SECRET", oauthtest.APISecret)
	o := launch.ExternalOptions{On: []string{oauthtest.New(t, oauthtest.Options{}).Start(t)}}
	if err := o.Described(serverFile(t, there)); err != nil {
		t.Fatal(err)
	}
	e := newExternal(t, o)
	if can := e.Capabilities(); !can.AlwaysChecks || can.Off || can.Settings {
		t.Errorf("capabilities %+v", can)
	}
	versions, err := e.Versions(t.Context())
	if err != nil || len(versions) != 1 || versions[0] != "opaque" || e.Protocol().Name() != "OAuth 2.0" {
		t.Fatalf("%s %q, error %v", e.Protocol().Name(), versions, err)
	}
	d, err := e.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	cores, err := d.Cores("opaque")
	if err != nil {
		t.Fatal(err)
	}
	s, err := cores[0].Create(t.Context(), protocol.CreateRequest{UserID: "u"})
	if err := protocol.Answered(s.Reply, err); err != nil {
		t.Fatal(err)
	}
	ask := func() protocol.Status {
		v, err := cores[0].Verify(t.Context(), protocol.VerifyRequest{AccessToken: s.Access.Value, CheckDatabase: true})
		if err != nil {
			t.Fatal(err)
		}
		return v.Status
	}
	before := ask()
	r, err := cores[0].Revoke(t.Context(), s.Session.Handle)
	if err := protocol.Answered(r.Reply, err); err != nil {
		t.Fatal(err)
	}
	if after := ask(); before != protocol.OK || after != protocol.Unauthorised {
		t.Errorf("%s before the revoke, %s after it", before, after)
	}
}

const form = `
name: my-server
protocol:
  name: oauth2
  oauth2:
    login: form
    client: app
    user: someone
    password: secret
    endpoints:
      authorize: "{{.URL}}/auth"
      token: "{{.URL}}/token"
      introspect: "{{.URL}}/introspect"
      revoke: "{{.URL}}/revoke"
flag: always
`

// TestALoginGoesWhereItMay: an answer of this machine's leads to no other one, by a
// redirect or a form, unless that was allowed.
func TestALoginGoesWhereItMay(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1:1/login", http.StatusFound)
		},
		"a form": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `<form action="http://192.0.2.1:1/login"><input name="u"><input type="password" name="p"></form>`)
		},
	} {
		srv := httptest.NewServer(answer)
		t.Cleanup(srv.Close)
		o := launch.ExternalOptions{On: []string{srv.URL}}
		if err := o.Described(serverFile(t, form)); err != nil {
			t.Fatal(err)
		}
		if _, err := launch.NewExternal(t.Context(), o); err == nil || !strings.Contains(err.Error(), "leads to http://192.0.2.1:1, which is not this machine") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAStartedServerIsAskedHere: its endpoints are on this machine.
func TestAStartedServerIsAskedHere(t *testing.T) {
	t.Parallel()
	x, _ := described(t, strings.Replace(authorizationServer, `"http://{{.Host}}:{{.Port}}/oauth2/token"`, "http://192.0.2.1/token", 1), "")
	if _, err := x.Start(t.Context(), 1, launch.Settings{Flag: true}); err == nil || !strings.Contains(err.Error(), "endpoint token: http://192.0.2.1/token: want a URL of this machine") {
		t.Errorf("got %v", err)
	}
}

func TestDescribedByURLIsRefused(t *testing.T) {
	t.Setenv("MY_API_SECRET", "s")
	for name, tc := range map[string]struct {
		text string
		o    launch.ExternalOptions
		want string
	}{
		"another protocol":  {"name: x\ncommand: [core]\nflag: always\n", launch.ExternalOptions{}, "exclude each other"},
		"a flag-off side":   {there, launch.ExternalOptions{Off: []string{"http://127.0.0.1:1"}}, "leave out --url-off"},
		"a flag to start":   {strings.Replace(there, "flag: always", "env: {A: '{{.Flag}}'}\nflag: environment", 1), launch.ExternalOptions{}, "say flag: always"},
		"no secret":         {strings.Replace(there, "MY_API_SECRET", "NOT_SET_ANYWHERE", 1), launch.ExternalOptions{}, "apiSecret: "},
		"another machine":   {strings.Replace(there, `"{{.URL}}/oauth2/introspect"`, "http://192.0.2.1/i", 1), launch.ExternalOptions{}, "add --allow-remote"},
		"nobody that hears": {there, launch.ExternalOptions{}, "--url-on: "},
	} {
		tc.o.On = []string{"http://127.0.0.1:1"}
		err := tc.o.Described(serverFile(t, tc.text))
		if err == nil {
			_, err = launch.NewExternal(t.Context(), tc.o)
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

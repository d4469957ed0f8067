package launch_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
)

const authorizationServer = `
name: server
command: ["{{.Self}}", oauth, "{{.Host}}:{{.Port}}", "{{if .Flag}}opaque{{else}}jwt{{end}}"]
prepare: [sh, -c, "echo prepared >> {{.Shared}}/prepared; cat note >> {{.Shared}}/prepared"]
files: {note: "of {{.Database.Kind}}\n"}
flag: arguments
instances: 1
ready: {path: /keys}
protocol:
  name: oauth2
  oauth2:
    login: hydra
    client: app
    api: api
    apiSecret: api-secret
    scope: offline_access
    endpoints:
      authorize: "http://{{.Host}}:{{.Port}}/oauth2/auth"
      token: "http://{{.Host}}:{{.Port}}/oauth2/token"
      introspect: "http://{{.Host}}:{{.Port}}/oauth2/introspect"
      revoke: "http://{{.Host}}:{{.Port}}/oauth2/revoke"
      keys: "http://{{.Host}}:{{.Port}}/keys"
      admin: "http://{{.Host}}:{{.Port}}"
      verifier: "http://{{.Host}}:{{.VerifierPort}}/"
    verifier: ["{{.Self}}", verifier, "{{.Host}}:{{.VerifierPort}}", "http://{{.Host}}:{{.Port}}/keys"]
`

// TestDescribedAuthorizationServer: the database is prepared once, the flag-off side has
// a verifier beside it that counts as its own, and both go at the end.
func TestDescribedAuthorizationServer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	x, _ := described(t, authorizationServer, "")
	on, off := start(t, x, 1, launch.Settings{Flag: true}), start(t, x, 1, launch.Settings{})
	if v, err := x.Versions(t.Context()); err != nil || len(v) != 1 || v[0] != "opaque" {
		t.Fatalf("versions %v, %v", v, err)
	}
	a, b := cores(t, on, "opaque")[0], cores(t, off, "opaque")[0]
	revokedIs(t, a, map[protocol.Core]protocol.Status{a: protocol.Unauthorised})
	revokedIs(t, b, map[protocol.Core]protocol.Status{b: protocol.OK})
	if at := on.Instances()[0].Endpoints["verifier"]; at != "" {
		t.Errorf("the flag-on side has a verifier at %s", at)
	}
	verifier := off.Instances()[0].Endpoints["verifier"]
	if _, url, _, _ := b.VerifyHTTP(protocol.VerifyRequest{}); verifier == "" || url != verifier {
		t.Errorf("load of the flag-off side goes to %s, the verifier is at %s", url, verifier)
	}
	if p := off.Instances()[0].Process; p != nil {
		before, err := p.CPU()
		if err != nil {
			t.Fatal(err)
		}
		s := create(t, b)
		for deadline := time.Now().Add(20 * time.Second); ; {
			if got := status(t, b, s.Access.Value); got != protocol.OK {
				t.Fatalf("verify at the verifier: %s", got)
			}
			after, err := p.CPU()
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("%v of CPU before, %v after, %v", before, after, err)
			}
			if after > before {
				break
			}
		}
	}
	shared, err := filepath.Glob(filepath.Join(launch.StateRoot(x), "*", "database", "prepared"))
	if err != nil || len(shared) != 1 {
		t.Fatalf("prepared: %v, %v", shared, err)
	}
	if said, err := os.ReadFile(shared[0]); err != nil || string(said) != "prepared\nof none\n" {
		t.Errorf("two starts prepared the database with %q, %v", said, err)
	}
	if err := off.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err := b.Verify(t.Context(), protocol.VerifyRequest{AccessToken: "x"}); err == nil {
		t.Errorf("the verifier outlives its core: %s", v.Status)
	}
}

// TestAPreparationThatFails says so, with what it said, and nothing is started.
func TestAPreparationThatFails(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	x, _ := described(t, strings.Replace(authorizationServer, "echo prepared", "echo no such table >&2; exit 3; echo", 1), "")
	_, err := x.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err == nil || !strings.Contains(err.Error(), "prepare the database with sh: exit status 3; it said: no such table") {
		t.Errorf("got %v", err)
	}
}

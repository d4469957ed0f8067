package launch_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
)

// speaking is a server that says which CDI versions it speaks, and nothing else.
func speaking(versions ...string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /apiversion", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"versions":["%s"]}`, strings.Join(versions, `","`))
	})
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Hello") })
	return mux
}

func listen(t *testing.T, versions ...string) string {
	t.Helper()
	srv := httptest.NewServer(speaking(versions...))
	t.Cleanup(srv.Close)
	return srv.URL
}

func newExternal(t *testing.T, o launch.ExternalOptions) *launch.External {
	t.Helper()
	u, err := launch.NewExternal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close(context.Background()) })
	return u
}

func TestExternalRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	good := listen(t, "5.4")
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.pem")
	if err := os.WriteFile(garbage, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    launch.ExternalOptions
		want string
	}{
		"no URL":                       {launch.ExternalOptions{Off: []string{good}}, "--url-on is missing"},
		"no scheme":                    {launch.ExternalOptions{On: []string{"127.0.0.1:3567"}}, "not a URL of a core"},
		"another scheme":               {launch.ExternalOptions{On: []string{"ftp://127.0.0.1"}}, "not a URL of a core"},
		"a remote host":                {launch.ExternalOptions{On: []string{"http://192.0.2.1:3567"}}, "--allow-remote"},
		"a remote name":                {launch.ExternalOptions{On: []string{"http://core.example:3567"}}, "--allow-remote"},
		"a remote host, off":           {launch.ExternalOptions{On: []string{good}, Off: []string{"http://192.0.2.1:3567"}}, "--url-off"},
		"all addresses are not one":    {launch.ExternalOptions{On: []string{"http://0.0.0.0:3567"}}, "--allow-remote"},
		"a name that looks like ours":  {launch.ExternalOptions{On: []string{"http://localhost.example:3567"}}, "--allow-remote"},
		"credentials":                  {launch.ExternalOptions{On: []string{strings.Replace(good, "//", "//user:secret@", 1)}}, "leave them out"},
		"no such CA file":              {launch.ExternalOptions{On: []string{good}, CAFile: filepath.Join(dir, "none.pem")}, "--ca-file"},
		"a CA file that is none":       {launch.ExternalOptions{On: []string{good}, CAFile: garbage}, "no certificate in PEM form"},
		"a certificate without a key":  {launch.ExternalOptions{On: []string{good}, CertFile: garbage}, "go together"},
		"a key without a certificate":  {launch.ExternalOptions{On: []string{good}, KeyFile: garbage}, "go together"},
		"a certificate that is none":   {launch.ExternalOptions{On: []string{good}, CertFile: garbage, KeyFile: garbage}, "--cert-file"},
		"a version that nobody speaks": {launch.ExternalOptions{On: []string{listen(t, "1.0")}}, "1.0"},
		"no versions, off":             {launch.ExternalOptions{On: []string{good}, Off: []string{listen(t, "9.9")}}, "--url-off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := launch.NewExternal(t.Context(), tc.o)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want an error with %q", err, tc.want)
			}
			if strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "secret") {
				t.Errorf("want one line without secrets, got %q", err)
			}
		})
	}
}

func TestExternalTrustsACAFile(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(speaking("5.4"))
	t.Cleanup(srv.Close)
	if _, err := launch.NewExternal(t.Context(), launch.ExternalOptions{On: []string{srv.URL}}); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("without its CA: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	u := newExternal(t, launch.ExternalOptions{On: []string{srv.URL}, CAFile: file})
	if u.Capabilities().TLS == nil || u.Capabilities().TLS.MinVersion < tls.VersionTLS12 {
		t.Errorf("TLS = %+v", u.Capabilities().TLS)
	}
	sayHello(t, start(t, u, 1, launch.Settings{Flag: true}))
}

// TestExternalVersions: what is tried follows from what all cores speak.
func TestExternalVersions(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on, off []string
		want    []string // nil: refused
	}{
		"what both speak":             {[]string{"2.20", "5.3", "5.4"}, []string{"5.3", "5.4"}, []string{"5.3", "5.4"}},
		"no core whose flag is off":   {[]string{"2.20", "5.4"}, nil, []string{"2.20", "5.4"}},
		"only old ones":               {[]string{"2.9"}, []string{"2.9"}, []string{"2.9"}},
		"what the harness lacks":      {[]string{"1.0", "5.4", "9.9"}, nil, []string{"5.4"}},
		"nothing in common":           {[]string{"2.9"}, []string{"5.4"}, nil},
		"numbers, not letters decide": {[]string{"2.10", "2.9"}, nil, []string{"2.9", "2.10"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := launch.ExternalOptions{On: []string{listen(t, tc.on...)}}
			if tc.off != nil {
				o.Off = []string{listen(t, tc.off...)}
			}
			e, err := launch.NewExternal(t.Context(), o)
			if tc.want == nil {
				if err == nil {
					t.Fatal("cores that have no version in common were taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Versions(t.Context())
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("versions %v, %v; want %v", got, err, tc.want)
			}
			if can := e.Capabilities(); can.Off != (tc.off != nil) || can.NamedOff != can.Off || can.OneProcess == can.Off {
				t.Errorf("capabilities %+v", can)
			}
		})
	}
}

// TestF3SeveralInstances: a side by URL can have several cores.
func TestF3SeveralInstances(t *testing.T) {
	t.Parallel()
	a, b, c := listen(t, "5.4"), listen(t, "5.4", "5.5"), listen(t, "5.4")
	e := newExternal(t, launch.ExternalOptions{On: []string{a, b}, Off: []string{c}})
	if can := e.Capabilities(); can.Instances != 2 {
		t.Errorf("capabilities %+v", can)
	}
	on := start(t, e, 1, launch.Settings{Flag: true}).Instances()
	if len(on) != 2 || on[0].URL != a || on[1].URL != b || on[0].Name == on[1].Name {
		t.Errorf("flag-on instances %+v", on)
	}
	if off := start(t, e, 2, launch.Settings{}).Instances(); len(off) != 1 || off[0].URL != c {
		t.Errorf("flag-off instances %+v", off)
	}
	if v, err := e.Versions(t.Context()); err != nil || !slices.Equal(v, []string{"5.4"}) {
		t.Errorf("versions %v, %v", v, err)
	}
}

// TestExternalWithoutOff: both sides are the same core, told apart by the request.
func TestExternalWithoutOff(t *testing.T) {
	t.Parallel()
	one := listen(t, "5.4")
	e := newExternal(t, launch.ExternalOptions{On: []string{one + "/"}})
	if hz := e.Capabilities().Throttle.Hz(); hz != 0 {
		t.Errorf("rate cap %g on loopback", hz)
	}
	for _, flag := range []bool{true, false} {
		d := start(t, e, 1, launch.Settings{Flag: flag})
		if i := d.Instances()[0]; i.URL != one || i.Process != nil {
			t.Errorf("flag %v: %+v, want %s", flag, i, one)
		}
		if d.Settings().Flag != flag {
			t.Errorf("flag %v: settings %+v", flag, d.Settings())
		}
		if err := errors.Join(d.Kill(t.Context(), 0), d.Restart(t.Context(), 0)); !errors.Is(err, launch.ErrUnsupported) {
			t.Errorf("kill and restart of a core that somebody else started: %v", err)
		}
		if err := d.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := e.Isolated(t.Context(), "x"); !errors.Is(err, launch.ErrUnsupported) {
		t.Errorf("isolated: %v", err)
	}
	if d, err := e.Describe(t.Context()); err != nil || d.TLS != "unknown" || len(d.Notes) != 2 {
		t.Errorf("describe = %+v, %v", d, err)
	}
}

// TestF10Name: a core by URL is called in reports what its owner calls it.
func TestF10Name(t *testing.T) {
	t.Parallel()
	e := newExternal(t, launch.ExternalOptions{On: []string{listen(t, "5.4")}, Name: "acme 3.1"})
	if d, err := e.Describe(t.Context()); err != nil || d.CoreProduct != "acme 3.1" {
		t.Errorf("describe = %+v, %v", d, err)
	}
}

// TestF10ThisMachine: hosts that are this machine, however they are spelled.
func TestF10ThisMachine(t *testing.T) {
	t.Parallel()
	for host, here := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "localhost.": true, "core.localhost": true, "127.1": true, "127.0.1": true, "0x7f.1": true, "2130706433": true,
		"0177.0.0.1": true, "127.0.0.1": true, "127.255.255.254": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"0.0.0.0": false, "[::]": false, "128.1": false, "127.0.0.1.example": false, "localhost.example": false, "192.0.2.1": false, "1.2.3.4.5": false, "127.256": true,
	} {
		remote, _, err := launch.Place("http://" + host + ":3567")
		if err != nil || remote == here {
			t.Errorf("%s: remote %v, %v; want this machine %v", host, remote, err, here)
		}
	}
}

// TestN9OneProcessIsGivenOnce: one process for both sides is refused with the mend.
func TestN9OneProcessIsGivenOnce(t *testing.T) {
	t.Parallel()
	o := launch.ExternalOptions{On: []string{listen(t, "5.4")}, Off: []string{listen(t, "5.4")}, PIDsOn: []int{os.Getpid()}, PIDsOff: []int{os.Getpid()}}
	if _, err := launch.NewExternal(t.Context(), o); err == nil || !strings.Contains(err.Error(), "cannot be told apart") {
		t.Errorf("one process for both sides: %v", err)
	}
	o.PIDsOff = nil
	o.On = append(o.On, listen(t, "5.4"))
	if _, err := launch.NewExternal(t.Context(), o); err == nil || !strings.Contains(err.Error(), "one a core") {
		t.Errorf("one process for two cores: %v", err)
	}
}

// TestExternalRemote: a host that is not this machine is let in when asked for, and
// capped. The unspecified address stands for one: it leads here.
func TestExternalRemote(t *testing.T) {
	t.Parallel()
	remote := strings.Replace(listen(t, "5.4"), "127.0.0.1", "0.0.0.0", 1)
	for given, want := range map[float64]float64{0: launch.DefaultRateCap, 50: 50} {
		u := newExternal(t, launch.ExternalOptions{On: []string{remote}, AllowRemote: true, RateCap: given})
		if got := u.Capabilities().Throttle.Hz(); got != want {
			t.Errorf("rate cap %g for %g, want %g", got, given, want)
		}
		sayHello(t, start(t, u, 1, launch.Settings{Flag: true}))
	}
}

func sayHello(t *testing.T, d launch.Deployment) {
	t.Helper()
	cores, err := d.Cores("5.4")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := cores[0].(protocol.Greeter).Hello(t.Context()); err != nil || r.HTTPStatus != http.StatusOK {
		t.Errorf("hello: %d, %v", r.HTTPStatus, err)
	}
}

// TestExternalConnectsAnew: each client has connections of its own, which end with the
// deployment.
func TestExternalConnectsAnew(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(speaking("5.4"))
	made, ended := make(chan string, 20), make(chan string, 20)
	srv.Config.ConnState = func(c net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			made <- c.RemoteAddr().String()
		case http.StateClosed:
			ended <- c.RemoteAddr().String()
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	u := newExternal(t, launch.ExternalOptions{On: []string{srv.URL}})
	if probe := <-made; probe != <-ended {
		t.Error("the probe's connection is kept")
	}
	d, err := u.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for range 3 {
		cores, err := d.Cores("5.4")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := cores[0].(protocol.Greeter).Hello(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		open[<-made] = true
	}
	if len(open) != 3 || len(made) > 0 {
		t.Errorf("%d connections for three clients, and %d more", len(open), len(made))
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		delete(open, <-ended)
	}
	if len(open) > 0 {
		t.Errorf("still open: %v", open)
	}
}

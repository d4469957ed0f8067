package target_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/target"
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

func newURL(t *testing.T, o target.URLOptions) *target.URL {
	t.Helper()
	u, err := target.NewURL(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close(context.Background()) })
	return u
}

func TestURLRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	good := listen(t, "5.4")
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.pem")
	if err := os.WriteFile(garbage, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    target.URLOptions
		want string
	}{
		"no URL":                       {target.URLOptions{Off: good}, "--url-on is missing"},
		"no scheme":                    {target.URLOptions{On: "127.0.0.1:3567"}, "not a URL of a core"},
		"another scheme":               {target.URLOptions{On: "ftp://127.0.0.1"}, "not a URL of a core"},
		"a remote host":                {target.URLOptions{On: "http://192.0.2.1:3567"}, "--allow-remote"},
		"a remote name":                {target.URLOptions{On: "http://core.example:3567"}, "--allow-remote"},
		"a remote host, off":           {target.URLOptions{On: good, Off: "http://192.0.2.1:3567"}, "--url-off"},
		"all addresses are not one":    {target.URLOptions{On: "http://0.0.0.0:3567"}, "--allow-remote"},
		"a name that looks like ours":  {target.URLOptions{On: "http://localhost.example:3567"}, "--allow-remote"},
		"credentials":                  {target.URLOptions{On: strings.Replace(good, "//", "//user:secret@", 1)}, "leave them out"},
		"no such CA file":              {target.URLOptions{On: good, CAFile: filepath.Join(dir, "none.pem")}, "--ca-file"},
		"a CA file that is none":       {target.URLOptions{On: good, CAFile: garbage}, "no certificate in PEM form"},
		"a certificate without a key":  {target.URLOptions{On: good, CertFile: garbage}, "go together"},
		"a key without a certificate":  {target.URLOptions{On: good, KeyFile: garbage}, "go together"},
		"a certificate that is none":   {target.URLOptions{On: good, CertFile: garbage, KeyFile: garbage}, "--cert-file"},
		"a version that nobody speaks": {target.URLOptions{On: listen(t, "1.0")}, "1.0"},
		"no versions, off":             {target.URLOptions{On: good, Off: listen(t, "9.9")}, "--url-off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := target.NewURL(t.Context(), tc.o)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want an error with %q", err, tc.want)
			}
			if strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "secret") {
				t.Errorf("want one line without secrets, got %q", err)
			}
		})
	}
}

func TestURLTrustsACAFile(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(speaking("5.4"))
	t.Cleanup(srv.Close)
	if _, err := target.NewURL(t.Context(), target.URLOptions{On: srv.URL}); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("without its CA: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	u := newURL(t, target.URLOptions{On: srv.URL, CAFile: file})
	if u.TLS() == nil || u.TLS().MinVersion < tls.VersionTLS12 {
		t.Errorf("TLS = %+v", u.TLS())
	}
	core := start(t, u, 1, target.Settings{Flag: true}).Clients("5.4")[0]
	if r, err := core.Hello(t.Context()); err != nil || r.HTTPStatus != http.StatusOK {
		t.Errorf("hello: %d, %v", r.HTTPStatus, err)
	}
}

// TestURLChoosesEras: what is tried follows from what the cores speak.
func TestURLChoosesEras(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on, off []string
		want    []target.Protocol
		notes   int
	}{
		"all of it":                   {[]string{"2.20", "2.21", "5.4"}, []string{"2.20", "5.4"}, []target.Protocol{"2.20", "5.4"}, 0},
		"the newest beside the usual": {[]string{"2.9", "2.12", "3.0", "5.3"}, []string{"2.9", "2.12", "3.0", "5.3"}, []target.Protocol{"2.12", "5.3"}, 0},
		"what both speak":             {[]string{"2.20", "5.3", "5.4"}, []string{"5.3"}, []target.Protocol{"5.3"}, 1},
		"no core whose flag is off":   {[]string{"2.20", "5.4"}, nil, []target.Protocol{"5.4"}, 1},
		"only old ones":               {[]string{"2.9"}, []string{"2.9"}, []target.Protocol{"2.9"}, 1},
		"nothing in common":           {[]string{"2.9"}, []string{"5.4"}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := target.URLOptions{On: listen(t, tc.on...)}
			if tc.off != nil {
				o.Off = listen(t, tc.off...)
			}
			u := newURL(t, o)
			if !slices.Equal(u.Versions(), tc.on) || u.HasOff() != (tc.off != nil) {
				t.Errorf("versions %v, off %v", u.Versions(), u.HasOff())
			}
			got, notes := u.Eras("2.20", "5.4")
			if !slices.Equal(got, tc.want) || len(notes) != tc.notes {
				t.Errorf("eras %v, notes %q; want %v and %d notes", got, notes, tc.want, tc.notes)
			}
		})
	}
}

// TestURLWithoutOff: both sides are the same core, told apart by the request.
func TestURLWithoutOff(t *testing.T) {
	t.Parallel()
	one := listen(t, "5.4")
	u := newURL(t, target.URLOptions{On: one + "/"})
	if u.RateCap() != 0 {
		t.Errorf("rate cap %g on loopback", u.RateCap())
	}
	for _, flag := range []bool{true, false} {
		d := start(t, u, 1, target.Settings{Flag: flag})
		if got := d.Clients("5.4")[0].URL(); got != one {
			t.Errorf("flag %v: %s, want %s", flag, got, one)
		}
		if d.Settings().Flag != flag || len(d.Processes()) != 0 {
			t.Errorf("flag %v: settings %+v, %d processes", flag, d.Settings(), len(d.Processes()))
		}
		if err := errors.Join(d.Kill(t.Context(), 0), d.Restart(t.Context(), 0)); !errors.Is(err, target.ErrUnsupported) {
			t.Errorf("kill and restart of a foreign core: %v", err)
		}
		if err := d.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := u.Isolated(t.Context(), "x"); !errors.Is(err, target.ErrUnsupported) {
		t.Errorf("isolated: %v", err)
	}
	if d, err := u.Describe(t.Context()); err != nil || d.TLS != "unknown" || len(d.Notes) != 2 {
		t.Errorf("describe = %+v, %v", d, err)
	}
	other := newURL(t, target.URLOptions{On: one, Off: listen(t, "5.4")})
	if got := start(t, other, 1, target.Settings{}).Clients("5.4")[0].URL(); got == one {
		t.Error("the flag-off side is the flag-on core although another was named")
	}
}

// TestURLRemote: a host that is not this machine is let in when asked for, and
// capped. The unspecified address stands for one: it leads here.
func TestURLRemote(t *testing.T) {
	t.Parallel()
	remote := strings.Replace(listen(t, "5.4"), "127.0.0.1", "0.0.0.0", 1)
	for given, want := range map[float64]float64{0: target.DefaultRateCap, 50: 50} {
		u := newURL(t, target.URLOptions{On: remote, AllowRemote: true, RateCap: given})
		if got := u.RateCap(); got != want {
			t.Errorf("rate cap %g for %g, want %g", got, given, want)
		}
		core := start(t, u, 1, target.Settings{Flag: true}).Clients("5.4")[0]
		if r, err := core.Hello(t.Context()); err != nil || r.HTTPStatus != http.StatusOK {
			t.Errorf("hello: %d, %v", r.HTTPStatus, err)
		}
	}
}

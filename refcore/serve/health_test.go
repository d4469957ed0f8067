package serve

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestT14HealthReadsTheSettings: the health check asks where the core listens,
// whichever way it was told.
func TestT14HealthReadsTheSettings(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/auth/hello", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/filtered/hello", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	file := func(base string) string { return write(t, "config.yaml", "port: "+u.Port()+"\nbase_path: "+base+"\n") }
	for _, tc := range []struct {
		name          string
		args, environ []string
		want          int
	}{
		{"file", []string{"--config", file("/auth")}, nil, exitOK},
		{"file, another path", []string{"--config", file("/other")}, nil, exitError},
		{"environment", nil, []string{"SUPERTOKENS_PORT=" + u.Port(), "BASE_PATH=auth/"}, exitOK},
		{"environment over file", []string{"--config", file("/other")}, []string{"BASE_PATH=/auth"}, exitOK},
		{"flag", []string{"--port", u.Port()}, []string{"SUPERTOKENS_PORT=1", "BASE_PATH=/auth", "SUPERTOKENS_HOST=0.0.0.0"}, exitOK},
		{"URL", []string{srv.URL + "/auth/"}, nil, exitOK},
		{"refused by a filter", []string{"--config", file("/filtered")}, []string{"IP_DENY_REGEX=127.*"}, exitOK},
		{"refused without a filter", []string{"--config", file("/filtered")}, nil, exitError},
		{"bad setting", nil, []string{"SUPERTOKENS_PORT=x"}, exitUsage},
		{"nobody there", nil, []string{"SUPERTOKENS_PORT=1"}, exitError},
	} {
		var stderr bytes.Buffer
		if got := health(context.Background(), "refcore", tc.args, tc.environ, &stderr); got != tc.want {
			t.Errorf("%s: exit %d, want %d: %s", tc.name, got, tc.want, &stderr)
		}
	}
}

// TestT14HealthFindsFlags: those that the container's first process was given.
func TestT14HealthFindsFlags(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := coreArguments(write(t, "cmdline", "/"+filepath.Base(self)+"\x00--port\x004000\x00")); len(got) != 2 || got[1] != "4000" {
		t.Errorf("arguments %q", got)
	}
	for _, other := range []string{"/sbin/init\x00--port\x004000\x00", "", "/" + filepath.Base(self) + "\x00"} {
		if got := coreArguments(write(t, "cmdline", other)); got != nil {
			t.Errorf("%q: arguments %q", other, got)
		}
	}
	if coreArguments("/nonexistent") != nil {
		t.Error("arguments of nobody")
	}
}

// TestT7MountedConfig: a file at the place where the real core's images have
// theirs is read; one that is named goes before it.
func TestT7MountedConfig(t *testing.T) {
	t.Parallel()
	o, _, done := parse("refcore", nil, nil, nil)
	if done || o.mounted != "/usr/lib/supertokens/config.yaml" {
		t.Errorf("mounted at %q", o.mounted)
	}
	o.mounted = write(t, "config.yaml", "access_token_blacklisting: true\nport: 4001\n")
	cfg, err := load(o, nil)
	if err != nil || !cfg.Engine.Blacklisting || cfg.Port != 4001 {
		t.Errorf("mounted: %+v, %v", cfg, err)
	}
	o.config = write(t, "other.yaml", "port: 4002\n")
	if cfg, err := load(o, nil); err != nil || cfg.Engine.Blacklisting || cfg.Port != 4002 {
		t.Errorf("named: %+v, %v", cfg, err)
	}
	o.config, o.mounted = "", filepath.Join(t.TempDir(), "none.yaml")
	if cfg, err := load(o, nil); err != nil || cfg.Port != 3567 {
		t.Errorf("neither: %+v, %v", cfg, err)
	}
}

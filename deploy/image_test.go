// Package deploy_test builds the image as it is given out and runs it as it is
// documented.
package deploy_test

import (
	"context"
	"debug/elf"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/docker"
)

// patience bounds what a test waits for; nothing takes nearly that long.
const patience = 3 * time.Minute

// binary builds a program for Linux on an architecture and gives its folder.
func binary(t *testing.T, program, arch string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, program), "../cmd/"+program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build for %s: %v\n%s", arch, err, out)
	}
	return dir
}

// TestArchitectures: the binary of each image is one for its machine, static, and
// under 30 MB. Another machine's is built where all is tried: with cold caches that
// takes minutes.
func TestArchitectures(t *testing.T) {
	t.Parallel()
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		if arch != runtime.GOARCH && (testing.Short() || os.Getenv("COREPROOF_REQUIRE_DOCKER") != "1") {
			continue
		}
		path := filepath.Join(binary(t, "refcore", arch), "refcore")
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != machine {
			t.Errorf("%s: built for %s", arch, f.Machine)
		}
		if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 || f.Section(".interp") != nil {
			t.Errorf("%s: needs %v, which the image has not (%v)", arch, libs, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 30<<20 {
			t.Errorf("%s: %v, want less than 30 MB (%v)", arch, info, err)
		}
	}
}

// built are the images that tests share, by program; they are removed when all have ended.
var built struct {
	sync.Mutex
	names map[string]string
}

// image builds deploy/Dockerfile with the core for this machine, once.
func image(t *testing.T) string { return imageOf(t, "refcore", "Dockerfile") }

func imageOf(t *testing.T, program, dockerfile string) string {
	t.Helper()
	needs(t, docker.Answers(t.Context()))
	built.Lock()
	defer built.Unlock()
	if built.names == nil {
		built.names = map[string]string{}
	}
	if built.names[program] == "" {
		built.names[program] = build(t, program, dockerfile)
	}
	needs(t, docker.Image(t.Context(), built.names[program], "")) // and what the library needs beside it
	return built.names[program]
}

// needs skips a test that lacks something of Docker, or fails it where that is required.
func needs(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("COREPROOF_REQUIRE_DOCKER") == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// build makes an image.
func build(t *testing.T, program, dockerfile string) string {
	t.Helper()
	dir := binary(t, program, runtime.GOARCH)
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = provider.Close() }()
	req := &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		Context: dir, Repo: "coreproof-deploy-test", Tag: fmt.Sprint(program, "-", os.Getpid()), KeepImage: true,
	}}
	name, err := provider.BuildImage(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, name := range built.names {
		if out, err := exec.Command("docker", "image", "rm", name).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "remove the image: %v %s\n", err, out)
		}
	}
	os.Exit(code)
}

// way is a documented way to run the image.
type way struct {
	name     string
	args     []string
	env      map[string]string
	config   string // mounted at /usr/lib/supertokens/config.yaml; "" for none
	readOnly bool
	port     string
	path     string // of the core's base
	flag     bool
}

// TestImage: Docker itself calls the core healthy, and it answers from outside the
// container, whichever way it was told where to listen.
func TestImage(t *testing.T) {
	t.Parallel()
	for _, w := range []way{
		{name: "as it is", port: "3567"},
		{name: "T7 T14 mounted config", config: "access_token_blacklisting: true\nport: 4000\nbase_path: /x\n", port: "4000", path: "/x", flag: true},
		{name: "documented config", config: "core_config_version: 0\nhost: \"0.0.0.0\"\npostgresql_config_version: 0\ninfo_log_path: null\nerror_log_path: null\n", port: "3567"},
		{name: "arguments replaced", args: []string{"--metrics", "127.0.0.1:9567"}, port: "3567"},
		{name: "another port as an argument", args: []string{"--port=4001"}, env: map[string]string{"ACCESS_TOKEN_BLACKLISTING": "true"}, port: "4001", flag: true},
		{name: "the real core's command", args: []string{"supertokens", "start", "--foreground", "--with-temp-dir=/lib/supertokens/temp/"}, env: map[string]string{"SUPERTOKENS_PORT": "4002", "BASE_PATH": "auth/"}, port: "4002", path: "/auth"},
		{name: "read-only root", readOnly: true, port: "3567"},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, image(t), w)
			endpoint, err := c.PortEndpoint(t.Context(), w.port+"/tcp", "http")
			if err != nil {
				t.Fatal(err)
			}
			base := strings.Replace(endpoint, "localhost", "127.0.0.1", 1) + w.path
			if code, body := call(t, http.MethodGet, base+"/hello"); code != http.StatusOK {
				t.Errorf("hello from outside: HTTP %d %s", code, body)
			}
			want := fmt.Sprintf(`"accessTokenBlacklistingEnabled":%t`, w.flag)
			if code, body := call(t, http.MethodPost, base+"/recipe/handshake"); code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("handshake: HTTP %d %s, want %s", code, body, want)
			}
		})
	}
}

// start runs the image until Docker calls it healthy.
func start(t *testing.T, name string, w way) testcontainers.Container {
	t.Helper()
	req := testcontainers.ContainerRequest{
		Image: name, Cmd: w.args, Env: w.env, ExposedPorts: []string{w.port + "/tcp"},
		WaitingFor: wait.ForHealthCheck().WithStartupTimeout(patience),
		HostConfigModifier: func(h *container.HostConfig) {
			h.ReadonlyRootfs = w.readOnly
			if w.readOnly {
				h.Tmpfs = map[string]string{"/lib/supertokens/temp/": "exec"}
			}
			if w.config != "" {
				path := filepath.Join(t.TempDir(), "config.yaml")
				if err := os.WriteFile(path, []byte(w.config), 0o644); err != nil {
					t.Error(err)
				}
				h.Binds = []string{path + ":/usr/lib/supertokens/config.yaml:ro"}
			}
		},
	}
	c, err := testcontainers.GenericContainer(t.Context(), testcontainers.GenericContainerRequest{ContainerRequest: req, Started: true})
	if c != nil {
		t.Cleanup(func() {
			if err := c.Terminate(context.Background()); err != nil {
				t.Errorf("terminate: %v", err)
			}
		})
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", w.name, err, logs(c))
	}
	return c
}

func logs(c testcontainers.Container) string {
	if c == nil {
		return ""
	}
	r, err := c.Logs(context.Background())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = r.Close() }()
	text, _ := io.ReadAll(io.LimitReader(r, 1<<16)) // for a message: what there is
	return string(text)
}

func call(t *testing.T, method, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("cdi-version", "2.18")
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// TestMain lets the test binary be the core, a process that can be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "core" {
		os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		os.Exit(bareMain(os.Args[2:]))
	}
	if len(os.Args) > 6 && os.Args[1] == "stage" {
		os.Exit(stageMain(os.Args[2:]))
	}
	os.Exit(dbtest.Main(m))
}

// patience bounds what a test waits for; nothing takes nearly that long.
const patience = time.Minute

// process is a core of its own.
type process struct {
	url string

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer
	wait   func() error // for the end; safe to call twice
}

func startCore(t testing.TB, env ...string) *process {
	t.Helper()
	return startProcess(t, append(env, "LOG_LEVEL=ERROR", "ACCESS_TOKEN_BLACKLISTING=true"),
		"core", "--host", "127.0.0.1", "--port", "0", "--exit-with-stdin")
}

// startProcess runs this binary until the test ends, and waits until it says
// where it listens.
func startProcess(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Its input ends with this process, and it with its input.
	p := &process{cmd: exec.Command(exe, args...)}
	p.cmd.Env = env
	p.cmd.Stderr = &p.stderr
	p.wait = sync.OnceValue(p.cmd.Wait)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if url, ok := strings.CutPrefix(lines.Text(), serve.ReadyPrefix); ok {
				ready <- url
				return // nothing more is printed
			}
		}
		close(ready)
	}()
	select {
	case url, ok := <-ready:
		if !ok {
			t.Fatalf("the core did not start: %v; %s", p.wait(), &p.stderr)
		}
		p.url = url
	case <-time.After(patience):
		t.Fatal("the core was not ready in time")
	}
	return p
}

// kill ends the process with SIGKILL and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.wait()
	_ = p.stdin.Close()
}

var client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// reply is what these tests read of an answer.
type reply struct {
	HTTP    int    `json:"-"`
	Status  string `json:"status"`
	Session struct {
		Handle string `json:"handle"`
	} `json:"session"`
	Access struct {
		Token string `json:"token"`
	} `json:"accessToken"`
	Revoked []string `json:"sessionHandlesRevoked"`
}

func (r reply) String() string { return fmt.Sprintf("HTTP %d %s", r.HTTP, r.Status) }

func (p *process) call(ctx context.Context, method, path string, body any) (reply, error) {
	var r reply
	text, err := json.Marshal(body)
	if err != nil {
		return r, err
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewReader(text))
	if err != nil {
		return r, err
	}
	req.Header.Set("cdi-version", "5.4")
	resp, err := client.Do(req)
	if err != nil {
		return r, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return r, err
	}
	r.HTTP = resp.StatusCode
	if r.HTTP == http.StatusOK && bytes.HasPrefix(answer, []byte("{")) {
		err = json.Unmarshal(answer, &r)
	}
	return r, err
}

type object = map[string]any

func (p *process) create(t *testing.T) reply {
	t.Helper()
	r, err := p.call(t.Context(), http.MethodPost, "/recipe/session", object{
		"userId": "u", "userDataInJWT": object{}, "userDataInDatabase": object{}, "enableAntiCsrf": false, "useDynamicSigningKey": true,
	})
	if err != nil || r.Status != "OK" {
		t.Fatalf("create: %s, %v", r, err)
	}
	return r
}

func (p *process) tryVerify(ctx context.Context, token string, checkDatabase bool) (reply, error) {
	return p.call(ctx, http.MethodPost, "/recipe/session/verify", object{
		"accessToken": token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": checkDatabase,
	})
}

func (p *process) tryRevoke(ctx context.Context, handle string) (reply, error) {
	return p.call(ctx, http.MethodPost, "/recipe/session/remove", object{"sessionHandles": []string{handle}})
}

func (p *process) hello(t *testing.T) int {
	t.Helper()
	r, err := p.call(t.Context(), http.MethodGet, "/hello", nil)
	if err != nil {
		t.Fatalf("hello: %v", err)
	}
	return r.HTTP
}

func wantVerify(t *testing.T, p *process, what string, session reply, want string) {
	t.Helper()
	if r, err := p.tryVerify(t.Context(), session.Access.Token, true); err != nil || r.Status != want {
		t.Errorf("verify of %s: %s, %v, want %s", what, r, err, want)
	}
}

// eventually polls until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

package serve_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/serve"
)

// TestProgram starts the core as a program, with a base path and the flag from
// the environment, and speaks to it over TCP.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- serve.Main(ctx, "refcore", []string{"--port", "0"},
			[]string{"BASE_PATH=auth//core/", "ACCESS_TOKEN_BLACKLISTING=TRUE", "API_KEYS=" + coretest.APIKey, `IP_DENY_REGEX="10\\..*"`, "LOG_LEVEL=none"}, strings.NewReader(""), in, io.Discard)
		_ = in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	base, ok := strings.CutPrefix(strings.TrimSpace(line), serve.ReadyPrefix)
	if err != nil || !ok || !strings.HasSuffix(base, "/auth/core") {
		t.Fatalf("first line %q, %v", line, err)
	}
	for path, want := range map[string]int{"/hello": 200, "/apiversion": 401, "/../hello": 404} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: HTTP %d, want %d", path, resp.StatusCode, want)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+coretest.PathHandshake, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("cdi-version", "2.18")
	r.Header.Set("api-key", coretest.APIKey)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !strings.Contains(string(body), `"accessTokenBlacklistingEnabled":true`) {
		t.Errorf("handshake %s, %v", body, err)
	}
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit %d after a clean stop", got)
	}
}

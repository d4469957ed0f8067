//go:build unix

package serve_test

import (
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"

	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDrain: after SIGTERM a call in flight is answered, a new connection is
// refused, and the core ends well.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, db := range kindtest.All() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			core := startCore(t, db.Environ(db.Fresh(t)))
			s := core.create(t)
			at, err := url.Parse(core.url)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("tcp", at.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf(`{"sessionHandles":[%q]}`, s.Session.Handle)
			_, err = fmt.Fprintf(conn, "POST /recipe/session/remove HTTP/1.1\r\nHost: core\r\ncdi-version: 5.4\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
			if err != nil {
				t.Fatal(err)
			}
			// The server says this when the handler asks for the body: the call is
			// in flight, and stays so until it gets one.
			answer := bufio.NewReader(conn)
			if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
				t.Fatalf("%q, %v", line, err)
			}
			if line, err := answer.ReadString('\n'); err != nil || line != "\r\n" {
				t.Fatalf("%q, %v", line, err)
			}
			if err := core.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			eventually(t, "new connections are refused", func() bool {
				c, err := net.Dial("tcp", at.Host)
				if err == nil {
					_ = c.Close()
				}
				return errors.Is(err, syscall.ECONNREFUSED)
			})
			if _, err := io.WriteString(conn, body); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(answer, nil)
			if err != nil {
				t.Fatalf("the call in flight was not answered: %v", err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), s.Session.Handle) {
				t.Errorf("the call in flight: HTTP %d %s, %v", resp.StatusCode, text, err)
			}
			if err := core.wait(); err != nil {
				t.Errorf("the core ended with %v: %s", err, &core.stderr)
			}
		})
	}
}

package serve_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"
)

// started is a core in this process.
type started struct {
	out, err locked
	code     chan int
}

// locked is a buffer that one writes and another reads.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// launch starts a core that ends with the test.
func launch(t *testing.T, environ []string, args ...string) *started {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &started{code: make(chan int, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.code <- serve.Main(ctx, "core", append(args, "--host", "127.0.0.1", "--port", "0"), environ, strings.NewReader(""), &s.out, &s.err)
	}()
	t.Cleanup(func() { stop(); <-ended })
	return s
}

// TestT13WaitsForItsDatabase: a core that is started before its database waits
// for it; what waiting cannot mend ends it at once.
func TestT13WaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	for _, db := range kindtest.Servers() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(db.Fresh(t))
			if err != nil {
				t.Fatal(err)
			}
			real := u.Host
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			u.Host = l.Addr().String()
			_ = l.Close() // nobody listens there now
			core := launch(t, []string{db.Environ(u.String())})
			eventually(t, "the core says that it waits", func() bool { return strings.Contains(core.err.String(), "waiting for the database") })
			relay(t, u.Host, real)
			eventually(t, "the core is ready", func() bool { return strings.HasPrefix(core.out.String(), serve.ReadyPrefix) })

			u.Host = "127.0.0.1:1"
			impatient := launch(t, []string{db.Environ(u.String()), "DATABASE_WAIT_SECONDS=1"})
			if code := <-impatient.code; code != 1 || !strings.Contains(impatient.err.String(), "database_wait_seconds") {
				t.Errorf("after the wait: exit %d, %s", code, &impatient.err)
			}
			if u.User == nil {
				return // this server has no accounts
			}
			u.Host, u.User = real, url.UserPassword(u.User.Username(), "wrong")
			began := time.Now()
			refused := launch(t, []string{db.Environ(u.String())})
			if code := <-refused.code; code != 1 || strings.Contains(refused.err.String(), "waiting") || strings.Count(refused.err.String(), "\n") != 1 {
				t.Errorf("wrong password: exit %d after %v, %s", code, time.Since(began), &refused.err)
			}
		})
	}
}

// relay leads connections at one address to another.
func relay(t *testing.T, at, to string) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
}

package postgres

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// bouncer starts PgBouncer before a database and returns the URI through it.
func bouncer(t *testing.T, uri, mode string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("there is no pgbouncer on this machine")
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	password, _ := u.User.Password()
	dir, err := os.MkdirTemp("", "bouncer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s password='%s'\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%s\nauth_type=any\nunix_socket_dir=\npool_mode=%s\nmax_client_conn=500\ndefault_pool_size=50\n",
		u.Hostname(), u.Port(), u.User.Username(), password, port, mode)
	path := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{path}
	if os.Getuid() == 0 {
		args = []string{"-u", "nobody", path} // it refuses to be root
	}
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("pgbouncer does not listen: %s", &out)
		}
	}
	u.Host = address
	return u.String()
}

// TestT10PgBouncerSession: behind session pooling the contract holds, and the
// settings of a session are kept.
func TestT10PgBouncerSession(t *testing.T) {
	t.Parallel()
	server := dbtest.Postgres(t)
	through := bouncer(t, server.URI, "session")
	host := func(uri string) string { u, _ := url.Parse(uri); return u.Host }
	fresh := func(t *testing.T) store.Config {
		return store.Config{URI: strings.Replace(server.Fresh(t), host(server.URI), host(through), 1), PoolSize: 4, MinIdle: 1}
	}
	storetest.RunSome(t, storetest.Backend{Open: Open, Fresh: fresh})
	cfg := fresh(t)
	for range 2 { // a second start meets the first one's server connections
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{"statement_timeout": "5s", "default_transaction_isolation": "read committed"} {
			var got string
			if err := s.(*Store).pool.QueryRow(t.Context(), "SELECT current_setting($1)", key).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, %v, want %s", key, got, err, want)
			}
		}
		_ = s.Close()
	}
}

// TestT10PgBouncerTransaction is refused by name.
func TestT10PgBouncerTransaction(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"transaction", "statement"} {
		through := bouncer(t, dbtest.Postgres(t).Fresh(t), mode)
		for range 3 {
			_, err := Open(t.Context(), store.Config{URI: through})
			if err == nil || !strings.Contains(err.Error(), "pool_mode=session") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s pooling: %v, want one line that names session mode", mode, err)
			}
		}
	}
}

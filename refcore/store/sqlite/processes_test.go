package sqlite

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// childFile names the database to a process that TestProcesses starts.
const childFile = "COREPROOF_SQLITE_TEST_CHILD"

// TestProcesses: two other processes write to the file as fast as they can. No
// revoke here fails for that, and each is seen there at once.
func TestProcesses(t *testing.T) {
	t.Parallel()
	if os.Getenv(childFile) != "" {
		t.Skip("this is a child")
	}
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := Open(t.Context(), store.Config{URI: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	children := []*child{startChild(t, path), startChild(t, path)}

	for round := range 40 {
		handle := fmt.Sprint("handle-", round)
		err := s.CreateSession(t.Context(), store.Session{Handle: handle, UserID: "user", Data: []byte("{}"), ExpiresAt: 1})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for i, c := range children {
			if got := c.ask(t, handle); got != "found" {
				t.Errorf("round %d: after create process %d says %s", round, i, got)
			}
		}
		gone, err := s.Delete(t.Context(), []string{handle})
		if err != nil || len(gone) != 1 {
			t.Fatalf("round %d: delete: got %q, %v", round, gone, err)
		}
		for i, c := range children {
			if got := c.ask(t, handle); got != "gone" {
				t.Errorf("round %d: after delete process %d says %s", round, i, got)
			}
		}
	}
	for i, c := range children {
		t.Logf("process %d: %s", i, c.end(t))
	}
}

type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), childFile+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd, in, bufio.NewScanner(out)}
}

func (c *child) ask(t *testing.T, handle string) string {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, handle); err != nil {
		t.Fatal(err)
	}
	if !c.out.Scan() {
		t.Fatalf("a child ended: %v", c.out.Err())
	}
	return c.out.Text()
}

func (c *child) end(t *testing.T) string {
	t.Helper()
	_ = c.in.Close()
	c.out.Scan()
	summary := c.out.Text()
	for c.out.Scan() { // the test's own output
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("a child failed: %v", err)
	}
	return summary
}

// TestChild is the other process: it writes all the time, and says whether the
// handles it is given are there.
func TestChild(t *testing.T) {
	path := os.Getenv(childFile)
	if path == "" {
		t.Skip("run by TestProcesses")
	}
	s, err := Open(t.Context(), store.Config{URI: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	own := fmt.Sprint("own-", os.Getpid())
	if err := s.CreateSession(t.Context(), store.Session{Handle: own, UserID: own, ExpiresAt: 1}); err != nil {
		t.Fatal(err)
	}
	var writes atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if ok, err := s.SetData(t.Context(), own, fmt.Append(nil, writes.Add(1)), 0); err != nil || !ok {
				t.Errorf("write: got %v, %v", ok, err)
				return
			}
		}
	}()
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		switch _, err := s.Liveness(t.Context(), questions.Text()); {
		case err == nil:
			fmt.Println("found")
		case errors.Is(err, store.ErrNotFound):
			fmt.Println("gone")
		default:
			fmt.Println("error:", err)
		}
	}
	close(stop)
	<-stopped
	fmt.Println(writes.Load(), "writes")
}

// TestDeadlineOnLockedFile: a lock that another process keeps is an error at the
// caller's deadline.
func TestDeadlineOnLockedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sessions.db")
	open := func() *Store {
		s, err := Open(t.Context(), store.Config{URI: path, StatementTimeout: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.(*Store)
	}
	s, other := open(), open()
	if err := s.CreateSession(t.Context(), store.Session{Handle: "handle"}); err != nil {
		t.Fatal(err)
	}
	tx, err := other.writer.BeginTx(t.Context(), nil) // immediate: has the lock
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), []string{"handle"}); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("delete under another's lock: got %v, want an error of its own", err)
	}
	if _, err := s.Liveness(t.Context(), "handle"); err != nil {
		t.Errorf("read under another's lock: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if gone, err := s.Delete(t.Context(), []string{"handle"}); err != nil || len(gone) != 1 {
		t.Errorf("delete after it: got %q, %v", gone, err)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("This is no database, although it is long enough to be looked at as one."), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a folder that is not there": filepath.Join(dir, "none", "sessions.db"),
		"a folder":                   dir,
		"a file of another kind":     garbage,
	} {
		s, err := Open(t.Context(), store.Config{URI: path})
		if err == nil {
			_ = s.Close()
			t.Errorf("open %s: got no error", name)
			continue
		}
		t.Logf("open %s: %v", name, err)
	}
}

func TestDurability(t *testing.T) {
	t.Parallel()
	opened, err := Open(t.Context(), store.Config{URI: filepath.Join(t.TempDir(), "sessions.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	var mode string
	var synchronous int
	db := opened.(*Store).writer
	if err := db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil {
		t.Fatal(err)
	}
	if mode != "wal" || synchronous != 2 {
		t.Errorf("got journal mode %s and synchronous %d, want wal and 2, FULL", mode, synchronous)
	}
}

// BenchmarkLiveness compares with the bare driver's point select.
func BenchmarkLiveness(b *testing.B) {
	ctx := b.Context()
	opened, err := Open(ctx, store.Config{URI: filepath.Join(b.TempDir(), "sessions.db")})
	if err != nil {
		b.Fatal(err)
	}
	s := opened.(*Store)
	defer func() { _ = s.Close() }()
	if err := s.CreateSession(ctx, store.Session{Handle: "handle", Payload: []byte(`{}`)}); err != nil {
		b.Fatal(err)
	}
	b.Run("by=store", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Liveness(ctx, "handle"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by=driver", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var x store.Liveness
			err := s.Stmts.Liveness.QueryRowContext(ctx, "handle").Scan(&x.RefreshHash2, &x.PrevRefreshHash2, &x.Payload, &x.UseStaticKey)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

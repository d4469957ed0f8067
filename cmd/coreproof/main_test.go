package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// TestMain lets the test binary be the core and the load generator that the
// embedded target starts, as coreproof itself is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "core" || os.Args[1] == "generator") {
		os.Exit(dispatch(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
	}
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// asProgram in the environment makes the test binary coreproof itself.
const asProgram = "COREPROOF_TEST_AS_PROGRAM"

// text is what a command prints; commands print from several goroutines.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
	// on is called with each piece, if it is set.
	on func(string)
}

func (x *text) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.on != nil {
		x.on(string(b))
	}
	return x.buf.Write(b)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buf.String()
}

type outcome struct {
	code     int
	out, err string
}

func coreproof(ctx context.Context, args ...string) outcome {
	var stdout, stderr text
	code := dispatch(ctx, args, streams{strings.NewReader(""), &stdout, &stderr})
	return outcome{code, stdout.String(), stderr.String()}
}

// refused wants one line on standard error that holds a text, and exit code 2.
func (o outcome) refused(t *testing.T, want string) {
	t.Helper()
	if o.code != exitUntried || o.out != "" {
		t.Errorf("exit %d, standard output %q; want 2 and nothing", o.code, o.out)
	}
	if strings.Count(o.err, "\n") != 1 || !strings.HasSuffix(o.err, "\n") || !strings.Contains(o.err, want) {
		t.Errorf("want one line with %q, got %q", want, o.err)
	}
}

// deployments of cores with the flag on and off, on one database file.
func deployments(t *testing.T, extra map[string]string) (on, off string) {
	t.Helper()
	command, err := target.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	e, err := target.NewEmbedded(target.EmbeddedOptions{Command: command})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	var urls [2]string
	for i, flag := range []bool{true, false} {
		d, err := e.Start(t.Context(), 1, target.Settings{Flag: flag, Extra: extra})
		if err != nil {
			t.Fatal(err)
		}
		urls[i] = d.Clients("5.4")[0].URL()
	}
	return urls[0], urls[1]
}

func load(t *testing.T, dir string) *proof.Proof {
	t.Helper()
	p, err := proof.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.CheckVerdict(p); err != nil {
		t.Error(err)
	}
	return p
}

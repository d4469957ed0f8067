package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestMain lets the test binary be the core and the load generator that the
// embedded target starts, as coreproof itself is, and coreproof in scripts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "core" || os.Args[1] == "generator") {
		os.Exit(dispatch(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
	}
	if os.Getenv(asProgram) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"coreproof": main})
}

// asProgram in the environment makes the test binary coreproof itself.
const asProgram = "TEST_AS_PROGRAM"

// TestScripts runs the command line as users do; each file tells one story.
func TestScripts(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs(filepath.Join("..", "..", "testdata", "proofs"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cores": scriptCores, "rerun": scriptRerun, "oneline": scriptOneLine, "nowhere": scriptNowhere, "edit": scriptEdit, "either": scriptEither,
		},
	})
}

// scriptOneLine wants exactly one line on the last command's standard error.
func scriptOneLine(ts *testscript.TestScript, _ bool, _ []string) {
	text := ts.ReadFile("stderr")
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("want one line, got %q", text)
	}
}

// scriptNowhere wants a text in no file of a folder and on no stream.
func scriptNowhere(ts *testscript.TestScript, _ bool, args []string) {
	secret, dir := args[0], ts.MkAbs(args[1])
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(stream), secret) {
			ts.Fatalf("%s shows the secret", stream)
		}
	}
	files := 0
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), secret) {
			ts.Fatalf("the secret is in %s", path)
		}
		return err
	}))
	if files == 0 {
		ts.Fatalf("no files in %s", dir)
	}
}

// scriptEither runs a command whose exit status the machine decides.
func scriptEither(ts *testscript.TestScript, _ bool, args []string) {
	_ = ts.Exec(args[0], args[1:]...)
}

// scriptEdit replaces a text in a file: edit FILE OLD NEW.
func scriptEdit(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, bytes.Replace(b, []byte(args[1]), []byte(args[2]), 1), 0o600))
}

// scriptRerun runs the command that a saved proof gives for the first failed check
// in it: rerun DIR. The command is a shell's, so that quoting is tried too.
func scriptRerun(ts *testscript.TestScript, neg bool, args []string) {
	p, err := proof.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, c := range p.Targets[0].Conformance.Checks {
		if c.Outcome != proof.Fail {
			continue
		}
		ts.Logf("rerun: %s", c.Rerun)
		err := ts.Exec("sh", "-c", c.Rerun+" --out rerun --quiet")
		if (err == nil) == neg {
			ts.Fatalf("%s: %v", c.Rerun, err)
		}
		again, err := proof.Load(ts.MkAbs("rerun"))
		ts.Check(err)
		if n := len(again.Targets[0].Conformance.Checks); n != 1 {
			ts.Fatalf("%s: %d checks were tried, want one", c.Rerun, n)
		}
		if k := again.Targets[0].Conformance.Checks[0]; k.ID != c.ID || k.Protocol != c.Protocol || k.Outcome != proof.Fail || again.Seed != p.Seed {
			ts.Fatalf("%s: got %s %s %s with seed %d", c.Rerun, k.ID, k.Protocol, k.Outcome, again.Seed)
		}
		return
	}
	ts.Fatalf("%s: no check failed", args[0])
}

// text is what a command prints; commands print from several goroutines.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (x *text) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
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
	code := dispatch(ctx, args, streams{in: strings.NewReader(""), out: &stdout, err: &stderr})
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

func load(t *testing.T, dir string) *proof.Proof {
	t.Helper()
	p, err := proof.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range verdict.Verify(p, os.DirFS(dir)) {
		t.Errorf("%s", d)
	}
	return p
}

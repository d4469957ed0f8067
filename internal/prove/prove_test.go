package prove_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestMain lets the test binary be a core and a generator.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "core":
			os.Exit(serve.Main(context.Background(), "core", os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
		case "generator":
			os.Exit(generator.Main(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

// notes is a watcher that keeps what it is told.
type notes struct {
	mu    sync.Mutex
	lines []string
	ended func(conformance.Event)
}

func (n *notes) Note(format string, _ ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, format)
}
func (n *notes) Check(_ string, e conformance.Event) {
	if n.ended != nil {
		n.ended(e)
	}
}
func (n *notes) Bench(bench.Event) {}

func embedded(t *testing.T) *launch.Embedded {
	t.Helper()
	core, err := launch.Own("core")
	if err != nil {
		t.Fatal(err)
	}
	gen, err := launch.Own("generator")
	if err != nil {
		t.Fatal(err)
	}
	e, err := launch.NewEmbedded(launch.EmbeddedOptions{Command: core, GeneratorCommand: gen})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func options(t *testing.T, dir string, open func(context.Context) (launch.Target, error)) prove.Options {
	t.Helper()
	return prove.Options{
		Tool: proof.Tool{Name: "coreproof"}, Command: []string{"coreproof", "conform"}, Seed: 1, Out: dir,
		Sources: []prove.Source{{Name: "x", Kind: "embedded", Open: open}},
		Stages:  prove.Stages{Conform: true}, Versions: []string{"5.4"},
		Conformance: conformance.Options{Checks: checks.All(), Select: conformance.Selection{IDs: []string{"SE-15", "BL-02"}}},
		Rerun:       func(target, check, version string) string { return target + check + version },
		Watch:       &notes{}, Log: slog.New(slog.DiscardHandler),
	}
}

// blind is a target whose database cannot be seen, as that of a foreign image whose
// server counts no statements.
type blind struct{ *launch.Embedded }

var errBlind = errors.New("no counters here")

func (blind) Database(context.Context) (meter.Database, error) { return nil, errBlind }
func (blind) Describe(context.Context) (launch.Description, error) {
	return launch.Description{CoreProduct: "somebody's core"}, errBlind
}

// TestF10DatabaseThatCannotBeSeen: checks do not need it, and the rest says so.
func TestF10DatabaseThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(t, dir, func(context.Context) (launch.Target, error) { return blind{embedded(t)}, nil })
	o.Stages.Footprint = true
	p, err := prove.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := p.Targets[0]
	if row.Error != "" || row.Conformance == nil || len(row.Conformance.Checks) != 2 {
		t.Fatalf("error %q, conformance %+v", row.Error, row.Conformance)
	}
	for _, c := range row.Conformance.Checks {
		if c.Outcome != proof.Pass {
			t.Errorf("%s: %s %s", c.ID, c.Outcome, c.Reason)
		}
	}
	if !strings.Contains(strings.Join(row.Notes, "\n"), errBlind.Error()) || row.Database != nil {
		t.Errorf("notes %q, database %+v", row.Notes, row.Database)
	}
	if row.Core.Name != "somebody's core" {
		t.Errorf("core %+v", row.Core)
	}
}

// uncounted is a target whose database tells all but how many statements it saw.
type uncounted struct{ launch.Target }

func (u uncounted) Isolated(ctx context.Context, name string) (launch.Target, error) {
	t, err := u.Target.Isolated(ctx, name)
	return uncounted{t}, err
}

func (u uncounted) Database(ctx context.Context) (meter.Database, error) {
	db, err := u.Target.Database(ctx)
	return noStatements{db}, err
}

type noStatements struct{ meter.Database }

func (noStatements) Statements(context.Context) (uint64, error) { return 0, launch.ErrUnsupported }

// TestNoCountIsNoFootprint: where not one statement was counted there is no footprint,
// which a gate would take for one that was compared, and a note says why.
func TestNoCountIsNoFootprint(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir(), func(context.Context) (launch.Target, error) { return uncounted{embedded(t)}, nil })
	o.Stages.Footprint = true
	p, err := prove.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := p.Targets[0]
	if row.Error != "" || row.Footprint != nil || !strings.Contains(strings.Join(row.Notes, "\n"), "statements and space were not looked at") {
		t.Errorf("error %q, footprint %+v, notes %q", row.Error, row.Footprint, row.Notes)
	}
}

// unasked is a target whose callers verify by themselves, as with keys that a server
// publishes: a verify is no request.
type unasked struct{ *launch.Embedded }

type unaskedCores struct{ launch.Deployment }

type unaskedCore struct{ protocol.Core }

func (u unasked) Start(ctx context.Context, n int, set launch.Settings) (launch.Deployment, error) {
	d, err := u.Embedded.Start(ctx, n, set)
	if err != nil {
		return nil, err
	}
	return unaskedCores{d}, nil
}

func (d unaskedCores) Cores(version string) ([]protocol.Core, error) {
	cores, err := d.Deployment.Cores(version)
	for i, c := range cores {
		cores[i] = unaskedCore{c}
	}
	return cores, err
}

func (unaskedCore) VerifyHTTP(protocol.VerifyRequest) (method, url string, header http.Header, body []byte) {
	return "", "", nil, nil
}

// TestNoRequestHasNoCost: where a verify is no request there is no price; the checks
// stand, and the proof says why nothing was priced.
func TestNoRequestHasNoCost(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir(), func(context.Context) (launch.Target, error) { return unasked{embedded(t)}, nil })
	o.Stages.Bench = true
	p, err := prove.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := p.Targets[0]
	if row.Error != "" || len(row.Bench) != 0 || !strings.Contains(strings.Join(row.Notes, "\n"), bench.ErrNoLoad.Error()) {
		t.Errorf("error %q, %d benches, notes %q", row.Error, len(row.Bench), row.Notes)
	}
	if p.Verdict.ExitCode != 0 {
		t.Errorf("exit %d, want 0: %+v", p.Verdict.ExitCode, p.Verdict.Findings)
	}
}

// TestNothingIsLost: a run that is interrupted has saved what it found, and says so.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := options(t, dir, func(context.Context) (launch.Target, error) { return embedded(t), nil })
	o.Conformance.Select.IDs = nil
	o.Watch = &notes{ended: func(conformance.Event) { cancel() }}
	p, err := prove.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	c := p.Targets[0].Conformance
	if p.Interrupted == "" || p.Verdict.ExitCode == 0 || c == nil || len(c.Checks) == 0 || len(c.Checks) >= c.Planned {
		t.Errorf("interrupted %q, exit %d, conformance %+v", p.Interrupted, p.Verdict.ExitCode, c)
	}
	for _, d := range verdict.Verify(p, os.DirFS(dir)) {
		t.Errorf("%s", d)
	}
}

// TestKilled: what is on the disk before the end, where a run that is killed leaves it,
// is no pass, however much held until then.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var between *proof.Proof
	var failed error
	o := options(t, dir, func(context.Context) (launch.Target, error) { return embedded(t), nil })
	o.Finally = func(context.Context, *proof.Proof) { between, failed = proof.Load(dir) }
	p, err := prove.Run(t.Context(), o)
	if err = errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	if p.Interrupted != "" || p.Verdict.ExitCode != 0 {
		t.Errorf("at the end: interrupted %q, exit %d, want a run that passed: %+v", p.Interrupted, p.Verdict.ExitCode, p.Verdict.Findings)
	}
	if c := between.Targets[0].Conformance; c == nil || len(c.Checks) != c.Planned {
		t.Fatalf("on the way: conformance %+v, want all checks", c)
	}
	verdict.Derive(between) // as every reader does
	if between.Interrupted == "" || between.Verdict.ExitCode == 0 || between.Verdict.Outcome == proof.Pass {
		t.Errorf("on the way: interrupted %q, %s, exit %d", between.Interrupted, between.Verdict.Outcome, between.Verdict.ExitCode)
	}
}

// TestUnusable: what cannot be tried at all leaves no proof behind.
func TestUnusable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, proof.FileName), []byte("an older run's"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t, dir, func(context.Context) (launch.Target, error) { return embedded(t), nil })
	o.Conformance.Select.IDs = []string{"NOPE"}
	if _, err := prove.Run(t.Context(), o); !errors.Is(err, prove.ErrUnusable) {
		t.Errorf("got %v, want %v", err, prove.ErrUnusable)
	}
	if _, err := os.Stat(filepath.Join(dir, proof.FileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a proof is there: %v", err)
	}
}

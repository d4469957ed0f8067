package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/announce"
	"github.com/coreproof/coreproof/internal/launch/environ"
	"github.com/coreproof/coreproof/internal/launch/speak"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/version"
)

// EmbeddedOptions say how the embedded target starts cores.
type EmbeddedOptions struct {
	// Command starts a core; flags are added. Usually this program's own path
	// and "core".
	Command []string
	// Dir is where the databases go; "" makes a directory that Close removes.
	Dir string
	// GeneratorCommand starts a load generator; flags are added.
	GeneratorCommand []string
	// Product and Version of the core that Command starts; "" is our own.
	Product, Version string
}

// Embedded runs cores as child processes on an embedded SQLite database in a
// file, so that several processes are one core.
type Embedded struct {
	o       EmbeddedOptions
	dir     string
	ownsDir bool
	file    string

	mu      sync.Mutex
	running map[*deployment]bool
	nested  []*Embedded
	books   meter.Database
	closed  bool
	spoken  speak.Versions
}

var (
	_ Target        = (*Embedded)(nil)
	_ GeneratorHost = (*Embedded)(nil)
)

// NewEmbedded makes the target; nothing runs before Start.
func NewEmbedded(o EmbeddedOptions) (*Embedded, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("embedded target: no command to start a core with")
	}
	e := &Embedded{o: o, dir: o.Dir, running: map[*deployment]bool{}}
	if e.dir == "" {
		dir, err := os.MkdirTemp("", "coreproof-")
		if err != nil {
			return nil, fmt.Errorf("embedded target: %w", err)
		}
		e.dir, e.ownsDir = dir, true
	}
	e.file = filepath.Join(e.dir, "sessions.db")
	return e, nil
}

func (e *Embedded) Name() string { return "sqlite" }
func (e *Embedded) Kind() string { return "embedded" }

// Protocol that the cores speak.
func (e *Embedded) Protocol() protocol.Protocol { return cdi.CDI{} }

// Capabilities: everything.
func (e *Embedded) Capabilities() Capabilities {
	return Capabilities{Settings: true, Throwaway: true, Off: true, Kill: true}
}

// Versions that the cores speak.
func (e *Embedded) Versions(context.Context) ([]string, error) { return e.spoken.Get() }

// Start brings up n child processes, one after the other: the first one makes the
// schema and the keys.
func (e *Embedded) Start(ctx context.Context, n int, s Settings) (Deployment, error) {
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return nil, errors.New("embedded target: closed")
	}
	d := &deployment{protocol: e.Protocol(), settings: s, side: sideName(s)}
	d.stop = func(ctx context.Context, list []process) error {
		e.mu.Lock()
		delete(e.running, d)
		e.mu.Unlock()
		return stopLocal(ctx, list)
	}
	env := append(environ.Of(s), "SQLITE_DATABASE_PATH="+e.file)
	for i := range n {
		p, err := startLocal(ctx, e.o.Command, env, s.CPUs)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("embedded target: start core %d: %w", i, err), d.Stop(context.WithoutCancel(ctx)))
		}
		d.add(p)
	}
	if err := e.spoken.Learn(ctx, e.Protocol(), d.first()); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded target: %w", err), d.Stop(context.WithoutCancel(ctx)))
	}
	e.mu.Lock()
	e.running[d] = true
	e.mu.Unlock()
	return d, nil
}

// Generator runs the load generator as a child process.
func (e *Embedded) Generator(ctx context.Context, cpus []int) (url, secret string, stop func() error, err error) {
	return localGenerator(ctx, e.o.GeneratorCommand, cpus)
}

// localGenerator starts a load generator as a process of this machine.
func localGenerator(ctx context.Context, command []string, cpus []int) (url, secret string, stop func() error, err error) {
	if len(command) == 0 {
		return "", "", nil, errors.New("there is no command to start a load generator with")
	}
	args := append(command[1:len(command):len(command)], "--listen", "127.0.0.1:0", "--exit-with-stdin")
	secret = rand.Text()
	p, err := spawn(ctx, command[0], args, append(environ.Inherited(), announce.GeneratorSecretEnv+"="+secret), cpus)
	if err != nil {
		return "", "", nil, fmt.Errorf("start the load generator: %w", err)
	}
	return p.url, secret, func() error {
		timer := time.NewTimer(stopWithin)
		defer timer.Stop()
		return p.stop(context.Background(), timer.C)
	}, nil
}

// Isolated gives a target on a new database file.
func (e *Embedded) Isolated(_ context.Context, name string) (Target, error) {
	o := e.o
	dir, err := os.MkdirTemp(e.dir, strings.Map(fileName, name)+"-")
	if err != nil {
		return nil, fmt.Errorf("embedded target: %w", err)
	}
	o.Dir = dir
	n, err := NewEmbedded(o)
	if err != nil {
		return nil, err
	}
	n.ownsDir = true
	e.mu.Lock()
	e.nested = append(e.nested, n)
	e.mu.Unlock()
	return n, nil
}

func fileName(r rune) rune {
	if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return '-'
}

// Database reads the file's counters; there is none before the first Start.
func (e *Embedded) Database(context.Context) (meter.Database, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.books == nil {
		if _, err := os.Stat(e.file); err != nil {
			return nil, fmt.Errorf("embedded target: no database yet: %w", err)
		}
		books, err := meter.SQLite(e.file, e.statements)
		if err != nil {
			return nil, fmt.Errorf("embedded target: %w", err)
		}
		e.books = books
	}
	return e.books, nil
}

// statements adds up what the running cores have counted.
func (e *Embedded) statements(ctx context.Context) (uint64, error) {
	e.mu.Lock()
	var running []process
	for d := range e.running {
		running = append(running, d.processes()...)
	}
	e.mu.Unlock()
	var sum uint64
	for _, p := range running {
		n, err := p.(*localCore).statements(ctx)
		if err != nil {
			return 0, fmt.Errorf("statements of a core: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// Describe says what takes part.
func (e *Embedded) Describe(ctx context.Context) (Description, error) {
	d := Description{CoreProduct: e.o.Product, CoreVersion: e.o.Version, TLS: "none", DatabaseAt: "inside the core's process",
		Notes: []string{"the database runs inside the core's process: its CPU is part of the core's"}}
	if d.CoreProduct == "" {
		d.CoreProduct, d.CoreVersion = "refcore", version.String()
	}
	books, err := e.Database(ctx)
	if err != nil {
		return d, err
	}
	if d.DatabaseProduct, d.DatabaseVersion, err = books.Product(ctx); err != nil {
		return d, fmt.Errorf("embedded target: %w", err)
	}
	if d.DatabaseSettings, err = books.Settings(ctx); err != nil {
		return d, fmt.Errorf("embedded target: %w", err)
	}
	if e.o.Product == "" {
		d.DatabaseSettings["synchronous"] = "FULL (asked for by the reference core; nobody outside a connection can read it)"
	}
	return d, nil
}

// Close stops all cores and removes the databases.
func (e *Embedded) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	running, nested, books := e.running, e.nested, e.books
	e.running, e.nested, e.books = map[*deployment]bool{}, nil, nil
	e.mu.Unlock()
	var errs []error
	for _, n := range nested {
		errs = append(errs, n.Close(ctx))
	}
	for d := range running {
		errs = append(errs, d.Stop(ctx))
	}
	if books != nil {
		errs = append(errs, books.Close())
	}
	if e.ownsDir {
		errs = append(errs, os.RemoveAll(e.dir))
	}
	return errors.Join(errs...)
}

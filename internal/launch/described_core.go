package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/launch/beside"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/launch/leftover"
	"github.com/coreproof/coreproof/internal/launch/place"
	"github.com/coreproof/coreproof/internal/launch/program"
	"github.com/coreproof/coreproof/internal/meter"
)

// describedCore is a command of a descriptor that runs as a process.
type describedCore struct {
	spec    program.Spec
	dir     string
	url     string
	metrics string            // where it tells its statements; "" for nowhere
	keep    map[string]string // its log files, and where they are kept

	endpoints map[string]string
	verifier  *program.Program // beside the core; nil for none

	mu sync.Mutex
	p  *program.Program
}

// startOne starts one instance.
func (x *Described) startOne(ctx context.Context, i int, s Settings, set map[string]string) (process, error) {
	dir := filepath.Join(x.run.Dir, fmt.Sprintf("core-%d", x.made.Add(1)))
	v := x.values(dir, i, s.Flag)
	if x.d.Image == "" {
		ports, err := program.FreePorts(3)
		if err != nil {
			return nil, err
		}
		v.Port, v.MetricsPort, v.VerifierPort = ports[0], ports[1], ports[2]
	}
	r, err := x.d.Instance(x.base, v, set)
	if err != nil {
		return nil, err
	}
	if x.d.Image != "" {
		return x.startImage(ctx, i, r, s)
	}
	for name, at := range r.Endpoints {
		if far, _, err := place.Of(at); err != nil || far {
			return nil, fmt.Errorf("endpoint %s: %s: want a URL of this machine, where the server is started", name, at)
		}
	}
	for path, text := range r.Files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return nil, fmt.Errorf("write a file for the core: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the core's folder: %w", err)
	}
	other := v
	other.Flag = !s.Flag
	o, err := x.d.Instance(x.base, other, set)
	if err != nil {
		return nil, err
	}
	base := "http://127.0.0.1:" + strconv.Itoa(v.Port)
	c := &describedCore{dir: dir, url: base, metrics: r.Metrics, keep: map[string]string{}, endpoints: r.Endpoints}
	c.spec = program.Spec{
		Command: r.Command, Dir: dir, CPUs: s.CPUs, Log: filepath.Join(dir, "output.log"),
		Env:    append(x.inherited(), spell(r.Env, o.Env)...),
		Ready:  program.Ready{URL: base + x.d.Ready.Path, Status: x.d.Ready.Status, Text: x.d.Ready.Text, Within: x.d.Ready.Within},
		Signal: x.d.Stop.Signal, Grace: x.d.Stop.Grace, Started: x.run.Note,
	}
	if s.GOMAXPROCS > 0 {
		c.spec.Env = append(c.spec.Env, "GOMAXPROCS="+strconv.Itoa(s.GOMAXPROCS))
	}
	if x.o.LogDir != "" {
		name := filepath.Join(x.o.LogDir, fmt.Sprintf("%s-%s-%d", x.Name(), sideName(s), i))
		c.spec.Log = name + ".log" // as it is written, so that it is there whatever happens
		for _, l := range r.Logs {
			c.keep[l] = name + "-" + filepath.Base(l)
		}
	}
	if err = x.prepare.Run(ctx, r.Prepare, c.spec.Env, dir); err == nil {
		c.p, err = program.Start(ctx, c.spec)
	}
	if err == nil && !s.Flag && len(r.Verifier) > 0 {
		if c.verifier, err = beside.Verifier(ctx, c.spec, r.Verifier, r.Endpoints["verifier"]); err != nil {
			err = errors.Join(err, c.p.Kill())
		}
	} else {
		delete(c.endpoints, "verifier")
	}
	if err != nil {
		return nil, errors.Join(err, c.clear())
	}
	return c, nil
}

// spell gives an environment and pads it to the length of the other side's: its size
// alone can move a program's speed (Mytkowicz et al. 2009).
func spell(env, other map[string]string) (out []string) {
	long := func(m map[string]string) (n int) {
		for k, v := range m {
			n += len(k) + len(v)
		}
		return n
	}
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return append(out, "COREPROOF_PAD="+strings.Repeat("x", max(0, long(other)-long(env))))
}

// startImage starts one instance in a container.
func (x *Described) startImage(ctx context.Context, i int, r descriptor.Instance, s Settings) (process, error) {
	port := strconv.Itoa(x.d.Port) + "/tcp"
	ready := program.Ready{Status: x.d.Ready.Status, Text: x.d.Ready.Text}
	out := &logged{}
	if x.o.LogDir != "" {
		f, err := os.OpenFile(filepath.Join(x.o.LogDir, fmt.Sprintf("%s-%s-%d.log", x.Name(), sideName(s), i)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open the core's log: %w", err)
		}
		out.file = f
	}
	how := []testcontainers.ContainerCustomizer{
		testcontainers.WithEnv(r.Env), testcontainers.WithLabels(map[string]string{leftover.Marker: x.run.ID}),
		testcontainers.WithWaitStrategyAndDeadline(x.d.Ready.Within, wait.ForHTTP(x.d.Ready.Path).WithPort(port).
			WithStatusCodeMatcher(func(code int) bool { return code == ready.Status }).
			WithResponseMatcher(func(body io.Reader) bool {
				b, err := io.ReadAll(io.LimitReader(body, 1<<20))
				return err == nil && ready.Matches(ready.Status, string(b))
			}).WithStartupTimeout(x.d.Ready.Within).WithPollInterval(20*time.Millisecond)),
		testcontainers.WithLogConsumers(out),
	}
	if len(r.Args) > 0 {
		how = append(how, testcontainers.WithCmd(r.Args...))
	}
	for path, text := range r.Files {
		how = append(how, testcontainers.WithFiles(testcontainers.ContainerFile{Reader: strings.NewReader(text), ContainerFilePath: path, FileMode: 0o644}))
	}
	c, err := startContainerOf(ctx, x.box.base(), r.Image, port, s.CPUs, how...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w%s", err, out.Said()), out.Close())
	}
	c.log = out
	return c, nil
}

// logged keeps what a container prints: its end, and all of it where a file is open.
type logged struct {
	program.Tail
	file *os.File
}

// Accept is told each line.
func (l *logged) Accept(line testcontainers.Log) {
	_, _ = l.Write(line.Content) // never fails
	if l.file != nil {
		_, _ = l.file.Write(line.Content) // a log is no reason to stop
	}
}

// Close is for the end of the container.
func (l *logged) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

func (c *describedCore) further() map[string]string { return c.endpoints }

func (c *describedCore) program() *program.Program {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.p
}

func (c *describedCore) at() (url, inner string) { return c.url, c.url }

func (c *describedCore) meter(name string) meter.Process {
	if !meter.CPUClock {
		return nil
	}
	if c.verifier != nil {
		return beside.Sum{A: meter.PID(name, c.program().PID()), B: meter.PID(name+"-verifier", c.verifier.PID())}
	}
	return meter.PID(name, c.program().PID())
}

// stop ends the core and what runs beside it.
func (c *describedCore) stop(ctx context.Context) error {
	err := c.program().Stop(ctx)
	if c.verifier != nil {
		err = errors.Join(err, c.verifier.Stop(ctx))
	}
	return errors.Join(err, c.clear())
}

func (c *describedCore) kill(context.Context) error { return c.program().Kill() }

// restart keeps the port and the folder.
func (c *describedCore) restart(ctx context.Context) error {
	p, err := program.Start(ctx, c.spec)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p = p
	return nil
}

// clear keeps the logs and removes the core's folder.
func (c *describedCore) clear() error {
	var errs []error
	for from, to := range c.keep {
		b, err := os.ReadFile(from)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// stopDescribed ends cores, all at once.
func stopDescribed(ctx context.Context, list []process) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() {
			c, ok := p.(*describedCore)
			if !ok {
				errs[i] = stopContainers(ctx, []process{p})
				return
			}
			if err := c.stop(ctx); err != nil {
				errs[i] = fmt.Errorf("core %d: %w", i, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// statements adds up what the running cores have counted.
func (x *Described) statements(ctx context.Context) (uint64, error) {
	x.mu.Lock()
	var running []process
	for d := range x.running {
		running = append(running, d.processes()...)
	}
	x.mu.Unlock()
	var sum uint64
	for _, p := range running {
		n, err := meter.ScrapeCounter(ctx, p.(*describedCore).metrics, x.d.Metrics.Statements)
		if err != nil {
			return 0, fmt.Errorf("statements of a core: %w", err)
		}
		sum += n
	}
	return sum, nil
}

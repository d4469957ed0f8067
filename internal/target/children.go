package target

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/meter"
)

const (
	startWithin = 30 * time.Second
	stopWithin  = 10 * time.Second

	// What a core prints on standard output; see refcore/serve.
	readyPrefix   = "core ready: "
	metricsPrefix = "core metrics: "
	// What a generator prints; see bench/generator.
	generatorPrefix = "generator ready: "
)

type childOptions struct {
	command  []string
	env      []string
	n        int
	settings Settings
	ended    func(*children)
}

// children are cores in processes of this machine.
type children struct {
	o     childOptions
	mu    sync.Mutex
	procs []*child
	once  sync.Once
	err   error
}

// child is one core.
type child struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	url     string
	metrics string
	stderr  *tail
	exited  chan struct{} // closed after the process has been waited for
}

// startChildren starts n cores, one after the other: the first one makes the
// schema and the keys.
func startChildren(ctx context.Context, o childOptions) (*children, error) {
	c := &children{o: o}
	for i := range o.n {
		p, err := c.spawn(ctx, i, "0")
		if err != nil {
			return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
		}
		c.procs = append(c.procs, p)
	}
	return c, nil
}

func (c *children) spawn(ctx context.Context, i int, port string) (*child, error) {
	args := append(c.o.command[1:len(c.o.command):len(c.o.command)],
		"--host", "127.0.0.1", "--port", port, "--metrics", "127.0.0.1:0", "--exit-with-stdin")
	p, err := spawn(ctx, c.o.command[0], args, append(inherited(), c.o.env...), c.o.settings.CPUs)
	if err != nil {
		return nil, fmt.Errorf("start core %d: %w", i, err)
	}
	return p, nil
}

// spawn starts a process of this machine that says on standard output when it
// is ready, and that ends when its standard input does. Where pinning is not
// supported it runs free.
func spawn(ctx context.Context, program string, args, env []string, cpus []int) (*child, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = env
	cmd.SysProcAttr = ownGroup() // Ctrl-C is for the harness alone: it stops the rest in order
	p := &child{cmd: cmd, stderr: &tail{}, exited: make(chan struct{})}
	cmd.Stderr = p.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	err = affinity.Around(cpus, cmd.Start)
	if errors.Is(err, affinity.ErrUnsupported) {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	ready := make(chan error, 1)
	go func() {
		ready <- p.awaitReady(stdout)
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait() // how it ended shows in the exit state
		close(p.exited)
	}()
	timer := time.NewTimer(startWithin)
	defer timer.Stop()
	select {
	case err = <-ready:
	case <-timer.C:
		err = fmt.Errorf("not ready after %s", startWithin)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("%s %s: %w%s", program, args[0], err, p.stderr.said())
	}
	return p, nil
}

// stop ends the process by ending its input, and kills it when it takes too long.
func (p *child) stop(ctx context.Context, within <-chan time.Time) error {
	_ = p.stdin.Close() // it stops when its input ends
	select {
	case <-p.exited:
		return nil
	case <-within:
		p.kill()
		return fmt.Errorf("it did not stop in %s and was killed", stopWithin)
	case <-ctx.Done():
		p.kill()
		return nil
	}
}

// awaitReady reads standard output until the process says where it listens.
func (p *child) awaitReady(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if s, ok := strings.CutPrefix(lines.Text(), metricsPrefix); ok {
			p.metrics = s
		}
		for _, prefix := range []string{readyPrefix, generatorPrefix} {
			if s, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				p.url = s
				return nil
			}
		}
	}
	return errors.New("it ended before it was ready")
}

// Clients gives one client an instance.
func (c *children) Clients(v Protocol) []adapter.Core {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]adapter.Core, 0, len(c.procs))
	for i, p := range c.procs {
		client, err := cdi.New(cdi.Options{Name: sideName(c.o.settings.Flag, i), BaseURL: p.url, Version: string(v)})
		if err != nil {
			panic(fmt.Sprintf("target: a client for our own core: %v", err)) // an unknown version is a programmer's mistake
		}
		list = append(list, client)
	}
	return list
}

func (c *children) Processes() []meter.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !meter.CPUClock {
		return nil
	}
	list := make([]meter.Process, 0, len(c.procs))
	for i, p := range c.procs {
		list = append(list, meter.PID(fmt.Sprintf("core-%d", i), p.cmd.Process.Pid))
	}
	return list
}

func (c *children) Settings() Settings { return c.o.settings }

// Kill ends an instance with SIGKILL and waits until it is gone.
func (c *children) Kill(_ context.Context, i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i < 0 || i >= len(c.procs) {
		return fmt.Errorf("kill core %d: there is none", i)
	}
	c.procs[i].kill()
	return nil
}

// Restart starts a killed instance again, on the same port.
func (c *children) Restart(ctx context.Context, i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i < 0 || i >= len(c.procs) {
		return fmt.Errorf("restart core %d: there is none", i)
	}
	u, err := url.Parse(c.procs[i].url)
	if err != nil {
		return fmt.Errorf("restart core %d: %w", i, err)
	}
	p, err := c.spawn(ctx, i, u.Port())
	if err != nil {
		return err
	}
	c.procs[i] = p
	return nil
}

// Stop lets the cores drain, and kills those that take too long.
func (c *children) Stop(ctx context.Context) error {
	c.once.Do(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, p := range c.procs {
			_ = p.stdin.Close() // all of them at once
		}
		timer := time.NewTimer(stopWithin)
		defer timer.Stop()
		for i, p := range c.procs {
			if err := p.stop(ctx, timer.C); err != nil {
				c.err = errors.Join(c.err, fmt.Errorf("core %d: %w", i, err))
			}
		}
		if c.o.ended != nil {
			c.o.ended(c)
		}
	})
	return c.err
}

func (p *child) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.exited
}

func (c *children) statements(ctx context.Context) (uint64, error) {
	c.mu.Lock()
	procs := append([]*child(nil), c.procs...)
	c.mu.Unlock()
	var sum uint64
	for i, p := range procs {
		n, err := meter.ScrapeCounter(ctx, p.metrics, statementsMetric)
		if err != nil {
			return 0, fmt.Errorf("statements of core %d: %w", i, err)
		}
		sum += n
	}
	return sum, nil
}

// statementsMetric is the counter in a core's /metrics.
const statementsMetric = "coreproof_store_statements_total"

// tail keeps the end of what a process says.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
	return len(b), nil
}

// said gives the last lines for an error message, on one line.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.Join(strings.Fields(string(bytes.TrimSpace(t.buf))), " ")
	if text == "" {
		return ""
	}
	if len(text) > 400 {
		text = "…" + text[len(text)-400:]
	}
	return "; it said: " + text
}

// Own gives the command that runs one of this program's own commands again.
func Own(command string) ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's own file: %w", err)
	}
	return []string{exe, command}, nil
}

package launch

import (
	"bufio"
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

	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/announce"
	"github.com/coreproof/coreproof/internal/launch/environ"
	"github.com/coreproof/coreproof/internal/launch/program"
	"github.com/coreproof/coreproof/internal/meter"
)

const (
	startWithin = 30 * time.Second
	stopWithin  = 10 * time.Second
)

// child is one program of ours that runs as a process of this machine: a core or
// a load generator.
type child struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	url     string
	metrics string
	stderr  *program.Tail
	exited  chan struct{} // closed after the process has been waited for
}

// localCore is a core in a process of this machine.
type localCore struct {
	command []string
	env     []string
	cpus    []int

	mu sync.Mutex
	p  *child
}

// startLocal starts a core on a free port.
func startLocal(ctx context.Context, command, env []string, cpus []int) (*localCore, error) {
	c := &localCore{command: command, env: env, cpus: cpus}
	p, err := c.spawn(ctx, "0")
	if err != nil {
		return nil, err
	}
	c.p = p
	return c, nil
}

func (c *localCore) spawn(ctx context.Context, port string) (*child, error) {
	args := append(c.command[1:len(c.command):len(c.command)],
		"--host", "127.0.0.1", "--port", port, "--metrics", "127.0.0.1:0", "--exit-with-stdin")
	return spawn(ctx, c.command[0], args, append(environ.Inherited(), c.env...), c.cpus)
}

func (c *localCore) child() *child {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.p
}

func (c *localCore) at() (url, inner string) {
	u := c.child().url
	return u, u
}

func (c *localCore) meter(name string) meter.Process {
	if !meter.CPUClock {
		return nil
	}
	return meter.PID(name, c.child().cmd.Process.Pid)
}

// kill waits until the process is gone.
func (c *localCore) kill(context.Context) error {
	c.child().kill()
	return nil
}

// restart keeps the port.
func (c *localCore) restart(ctx context.Context) error {
	u, err := url.Parse(c.child().url)
	if err != nil {
		return err
	}
	p, err := c.spawn(ctx, u.Port())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p = p
	return nil
}

// stopLocal lets cores drain, all at once, and kills those that take too long.
func stopLocal(ctx context.Context, list []process) error {
	for _, p := range list {
		_ = p.(*localCore).child().stdin.Close()
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	var errs []error
	for i, p := range list {
		if err := p.(*localCore).child().stop(ctx, timer.C); err != nil {
			errs = append(errs, fmt.Errorf("core %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// spawn starts a process of this machine that says on standard output when it
// is ready, and that ends when its standard input does. Where pinning is not
// supported it runs free.
func spawn(ctx context.Context, name string, args, env []string, cpus []int) (*child, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = env
	cmd.SysProcAttr = program.OwnGroup() // Ctrl-C is for the harness alone: it stops the rest in order
	p := &child{cmd: cmd, stderr: &program.Tail{}, exited: make(chan struct{})}
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
		return nil, fmt.Errorf("%s: %w", name, err)
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
		return nil, fmt.Errorf("%s %s: %w%s", name, args[0], err, p.stderr.Said())
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
		if s, ok := strings.CutPrefix(lines.Text(), announce.CoreMetrics); ok {
			p.metrics = s
		}
		for _, prefix := range []string{announce.CoreReady, announce.GeneratorReady} {
			if s, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				p.url = s
				return nil
			}
		}
	}
	return errors.New("it ended before it was ready")
}

func (p *child) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.exited
}

// statements that a core has sent, by its own counter.
func (c *localCore) statements(ctx context.Context) (uint64, error) {
	return meter.ScrapeCounter(ctx, c.child().metrics, announce.StatementsMetric)
}

// Own gives the command that runs one of this program's own commands again.
func Own(command string) ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's own file: %w", err)
	}
	return []string{exe, command}, nil
}

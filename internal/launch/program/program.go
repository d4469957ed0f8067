// Package program runs a program that nobody here wrote as a process of this
// machine: started in its own folder, ready when a URL answers as said, stopped
// by a signal, and gone with all that it started.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/pause"
)

// Spec says what is run and how.
type Spec struct {
	Command []string
	Env     []string
	Dir     string
	CPUs    []int
	// Log is the file that both output streams are added to.
	Log   string
	Ready Ready
	// Signal is a name of descriptor.Stop; Grace is how long the program may take.
	Signal string
	Grace  time.Duration
	// Started is told the process's id before anything else is done with it.
	Started func(pid int) error
}

// Ready says when a program is ready.
type Ready struct {
	URL    string
	Status int
	Text   string
	Within time.Duration
}

// Program is one that runs.
type Program struct {
	spec   Spec
	cmd    *exec.Cmd
	exited chan struct{} // closed after the process has been waited for
	once   sync.Once
	err    error
}

// Start runs a program and returns when it is ready; one that does not get there is
// gone when Start returns, and the error holds the end of its log.
func Start(ctx context.Context, s Spec) (*Program, error) {
	if err := s.Ready.untaken(ctx); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the core's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.Command(s.Command[0], s.Command[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = s.Env, s.Dir, log, log
	cmd.SysProcAttr = OwnGroup() // Ctrl-C is for the harness alone: it stops the rest in order
	err = affinity.Around(s.CPUs, cmd.Start)
	if errors.Is(err, affinity.ErrUnsupported) {
		err = cmd.Start()
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s: %w: install it, or give its path", s.Command[0], exec.ErrNotFound)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w: build it, or mend its path", s.Command[0], syscall.ENOENT)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: %w: make it executable, or name another program", s.Command[0], fs.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.Command[0], err)
	}
	p := &Program{spec: s, cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended shows in the exit state
		close(p.exited)
	}()
	if s.Started != nil {
		err = s.Started(cmd.Process.Pid)
	}
	if err == nil {
		err = p.await(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w%s", s.Command[0], err, endOf(s.Log)), p.Kill())
	}
	return p, nil
}

// PID of the process.
func (p *Program) PID() int { return p.cmd.Process.Pid }

const (
	pollEvery = 20 * time.Millisecond
	// answersOfOthers must come before a program is taken for ready that is not seen to
	// listen by itself: one that finds its port taken has ended by then.
	answersOfOthers = 10
	// freedWithin is how long what was killed may go on listening.
	freedWithin = 2 * time.Second
)

// untaken wants nobody to listen where the program will, who would be taken for it.
func (r Ready) untaken(ctx context.Context) error {
	u, err := url.Parse(r.URL)
	if err != nil {
		return err
	}
	d := net.Dialer{Timeout: time.Second}
	for end := time.Now().Add(freedWithin); ; {
		c, err := d.DialContext(ctx, "tcp", u.Host)
		over := time.Now().After(end)
		if err == nil {
			_ = c.Close()
		}
		switch timeout := net.Error(nil); {
		case err != nil && (over || !errors.As(err, &timeout) || !timeout.Timeout()):
			return ctx.Err()
		case over:
			return fmt.Errorf("another program listens at %s already: end it", u.Host)
		}
		if err := pause.For(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// await asks until the program answers as it should, which another one may do in its
// place: it must listen by itself, as far as the system shows it (a container's program
// does not), and live.
func (p *Program) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.spec.Ready.Within)
	defer cancel()
	client := &http.Client{
		Timeout:       5 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	last := "nothing listened"
	for answered := 0; ; {
		answer, ok := p.spec.Ready.asked(ctx, client)
		if ok {
			answered++
		} else if answer != "" {
			last = answer
		}
		ok = ok && (answered > answersOfOthers || listens(p.PID(), p.spec.Ready.URL))
		select {
		case <-p.exited:
			if answered > 0 {
				return fmt.Errorf("it ended (%s) though %s was answered: another program may listen there", p.cmd.ProcessState, p.spec.Ready.URL)
			}
			return fmt.Errorf("it ended before it was ready (%s)", p.cmd.ProcessState)
		default:
		}
		if ok {
			return nil
		}
		select {
		case <-p.exited: // told above
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("not ready after %s: %s; want %d from %s: mend ready, or give it more time with ready.within", p.spec.Ready.Within, last, p.spec.Ready.Status, p.spec.Ready.URL)
			}
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// asked asks once; answer says what came instead.
func (r Ready) asked(ctx context.Context, client *http.Client) (answer string, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return err.Error(), false
	}
	res, err := client.Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || r.Matches(res.StatusCode, string(body)) {
		return "", err == nil
	}
	return fmt.Sprintf("it answered %d %.80q", res.StatusCode, body), false
}

// Matches says whether an answer is that of a program that is ready.
func (r Ready) Matches(status int, body string) bool {
	return status == r.Status && strings.Contains(body, r.Text)
}

// Kill ends the program and all that it started, and waits until it is gone.
func (p *Program) Kill() error {
	err := signalGroup(p.PID(), os.Kill)
	if err != nil {
		return fmt.Errorf("kill process %d: %w", p.PID(), err)
	}
	<-p.exited
	return nil
}

// Stop lets the program end as it wishes, and kills what takes too long or was left
// by it. Safe to call twice.
func (p *Program) Stop(ctx context.Context) error {
	p.once.Do(func() {
		if err := signalGroup(p.PID(), signals[p.spec.Signal]); err != nil {
			p.err = fmt.Errorf("stop process %d: %w", p.PID(), err)
		}
		timer := time.NewTimer(p.spec.Grace)
		defer timer.Stop()
		select {
		case <-p.exited:
		case <-ctx.Done():
		case <-timer.C:
			p.err = errors.Join(p.err, fmt.Errorf("it did not stop in %s and was killed", p.spec.Grace))
		}
		p.err = errors.Join(p.err, p.Kill())
	})
	return p.err
}

// handed are the ports that FreePorts gave to this process: a program may not listen yet
// when the next one looks for a port.
var handed = struct {
	mu    sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// FreePorts asks the system for ports of the loopback that nobody listens at, and that
// were not given out before.
func FreePorts(n int) (ports []int, err error) {
	handed.mu.Lock()
	defer handed.mu.Unlock()
	for len(ports) < n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // all are held until the last one is found
		if port := l.Addr().(*net.TCPAddr).Port; !handed.ports[port] {
			handed.ports[port] = true
			ports = append(ports, port)
		}
	}
	return ports, nil
}

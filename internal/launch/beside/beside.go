// Package beside runs what a core of a descriptor needs besides itself: a command that
// prepares a new database, and a verifier that stands for an API.
package beside

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/launch/program"
	"github.com/coreproof/coreproof/internal/meter"
)

// Preparation is a command that runs once for a database, before its first core.
type Preparation struct {
	mu   sync.Mutex
	done bool
}

// prepareWithin bounds it.
const prepareWithin = 5 * time.Minute

// Run runs the command unless it was run already; several cores may ask at once. No
// command is none to run.
func (p *Preparation) Run(ctx context.Context, command, env []string, dir string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || len(command) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, prepareWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = env, dir, &said, &said, time.Second
	if err := cmd.Run(); err != nil {
		text := strings.Join(strings.Fields(said.String()), " ")
		return fmt.Errorf("prepare the database with %s: %w; it said: %s", command[0], err, text[max(0, len(text)-500):])
	}
	p.done = true
	return nil
}

// Verifier starts a program that verifies tokens in the place of an API, beside a core
// and on its CPUs. It ends like the core.
func Verifier(ctx context.Context, core program.Spec, command []string, ready string) (*program.Program, error) {
	core.Command, core.Log = command, filepath.Join(core.Dir, "verifier.log")
	core.Ready = program.Ready{URL: ready, Status: 200, Within: time.Minute}
	p, err := program.Start(ctx, core)
	if err != nil {
		return nil, fmt.Errorf("start the verifier: %w", err)
	}
	return p, nil
}

// Sum is the CPU time and memory of two processes that do one thing together.
type Sum struct{ A, B meter.Process }

// Name is that of the first.
func (s Sum) Name() string { return s.A.Name() }

// CPU is what both have spent.
func (s Sum) CPU() (time.Duration, error) {
	a, err := s.A.CPU()
	if err != nil {
		return 0, err
	}
	b, err := s.B.CPU()
	return a + b, err
}

// Started is what both started.
func (s Sum) Started() (ended time.Duration, err error) {
	for _, p := range []meter.Process{s.A, s.B} {
		starter, ok := p.(meter.Starter)
		if !ok {
			continue
		}
		t, err := starter.Started()
		if err != nil {
			return 0, err
		}
		ended += t
	}
	return ended, nil
}

// RSS is the memory of both.
func (s Sum) RSS() (int64, error) {
	a, err := s.A.RSS()
	if err != nil {
		return 0, err
	}
	b, err := s.B.RSS()
	return a + b, err
}

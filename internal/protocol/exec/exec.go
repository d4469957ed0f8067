// Package exec speaks to a core of any protocol through an adapter: a program that
// reads one JSON line a call on standard input and writes one JSON line an answer on
// standard output. docs/exec.md is the page for its writers. An adapter knows
// nothing of concurrency: as many are started as calls are under way at once.
package exec

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

const (
	// Name of the protocol.
	Name = "exec"

	// maxLine bounds an answer.
	maxLine = 1 << 20
	// maxAdapters bounds how many run at once; further calls wait for one before
	// their clock starts.
	maxAdapters = 64
	// startWithin bounds the start of one.
	startWithin = time.Minute
	// defaultTimeout bounds one call.
	defaultTimeout = 15 * time.Second
)

// Options say how an adapter is started.
type Options struct {
	Command []string
	Env     []string
}

// Protocol is the adapters of one core. A version names the rules that the core
// follows, in CDI's numbering: order, generations and who decides are CDI's.
type Protocol struct {
	calls atomic.Int64 // so far; the number of each is its id
	cdi.CDI
	o        Options
	slots    chan struct{} // held by calls under way
	idle     chan *adapter
	starting chan struct{} // held while one starts: many at once would starve the core

	mu      sync.Mutex
	all     map[*adapter]bool
	verbs   []protocol.Verb
	without map[protocol.Verb]string // what the core's protocol has no words for, and why
	closed  bool
}

// New makes the protocol; an adapter is started by the first call.
func New(o Options) *Protocol {
	return &Protocol{
		o: o, slots: make(chan struct{}, maxAdapters), idle: make(chan *adapter, 2*maxAdapters), starting: make(chan struct{}, 1),
		all: map[*adapter]bool{},
	}
}

// Name is "exec".
func (*Protocol) Name() string { return Name }

// Judge gives an error: an adapter cannot be called by a load generator.
func (*Protocol) Judge(string) (func(int, []byte) bool, error) {
	return nil, errors.New("a core behind an adapter cannot be measured: the adapter's own time would be")
}

// Probe asks the adapter which versions and verbs the core has, and what it is without.
func (p *Protocol) Probe(ctx context.Context, o protocol.DialOptions) ([]string, error) {
	var a struct {
		answer
		Versions []string                 `json:"versions"`
		Verbs    []protocol.Verb          `json:"verbs"`
		Without  map[protocol.Verb]string `json:"without"`
	}
	c := &client{p: p, o: o}
	r, err := c.call(ctx, request{Verb: "describe"})
	if err == nil {
		err = json.Unmarshal([]byte(r.Text), &a)
	}
	if err != nil {
		return nil, fmt.Errorf("adapter %s: describe: %w", p.o.Command[0], err)
	}
	known := p.Versions()
	for _, v := range a.Versions {
		if !slices.Contains(known, v) {
			return nil, fmt.Errorf("adapter %s: describe names version %q; a version names the rules that the core follows: choose from %s", p.o.Command[0], v, strings.Join(known, " "))
		}
	}
	for _, v := range a.Verbs {
		if !slices.Contains(optional, v) {
			return nil, fmt.Errorf("adapter %s: describe names verb %q; choose from %q", p.o.Command[0], v, optional)
		}
	}
	for v, why := range a.Without {
		switch {
		case !protocol.Word(v) && !slices.Contains(optional, v):
			return nil, fmt.Errorf("adapter %s: describe is without %q; choose from %q", p.o.Command[0], v, slices.Concat(optional, protocol.Words()))
		case strings.TrimSpace(why) == "":
			return nil, fmt.Errorf("adapter %s: describe is without %q and does not say why: a report says it", p.o.Command[0], v)
		case slices.Contains(a.Verbs, v):
			return nil, fmt.Errorf("adapter %s: describe names verb %q and is without it", p.o.Command[0], v)
		}
	}
	if len(a.Versions) == 0 {
		return nil, fmt.Errorf("adapter %s: describe names no version: answer {\"versions\":[\"5.4\"],\"verbs\":[…]}", p.o.Command[0])
	}
	p.mu.Lock()
	p.verbs, p.without = a.Verbs, a.Without
	p.mu.Unlock()
	slices.SortFunc(a.Versions, p.Compare)
	return a.Versions, nil
}

// Dial makes a client.
func (p *Protocol) Dial(o protocol.DialOptions) (protocol.Core, error) {
	return &client{p: p, o: o}, nil
}

// Close ends all adapters.
func (p *Protocol) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for a := range p.all {
		a.end()
	}
	p.all = map[*adapter]bool{}
	return nil
}

// take gives an adapter that nobody uses, or starts one. A call's clock starts after
// it: how long an interpreter takes to start says nothing of the core.
func (p *Protocol) take(ctx context.Context) (a *adapter, err error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() {
		if err != nil {
			<-p.slots
		}
	}()
	select {
	case a := <-p.idle:
		return a, nil
	default:
	}
	select {
	case a := <-p.idle:
		return a, nil
	case p.starting <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.starting }()
	if a, err = start(p.o); err != nil {
		return nil, err
	}
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.all[a] = true
	}
	p.mu.Unlock()
	if closed {
		a.end()
		return nil, errors.New("the adapters have been ended")
	}
	ready, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	var told answer
	text, err := a.exchange(ready, []byte(`{"id":0,"verb":"describe"}`))
	if err == nil {
		err = a.isAnswer(text, 0, &told)
	}
	if err == nil && a.ended {
		err = ready.Err()
	}
	if err != nil {
		p.drop(a)
		return nil, fmt.Errorf("start adapter %s: %w", p.o.Command[0], err)
	}
	a.names = told.ID != nil
	return a, nil
}

// drop ends an adapter.
func (p *Protocol) drop(a *adapter) {
	p.mu.Lock()
	delete(p.all, a)
	p.mu.Unlock()
	a.end()
}

// give takes an adapter back; one that broke, or was being ended when it answered, is
// ended.
func (p *Protocol) give(a *adapter, good bool) {
	if good && !a.ended {
		p.idle <- a // there is room for all; those of a closed protocol have been ended
	} else {
		p.drop(a)
	}
	<-p.slots
}

// adapter is one that runs.
type adapter struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *strings.Builder
	once   sync.Once
	names  bool // each answer names its call
	ended  bool // by the end of a call's time
}

func start(o Options) (*adapter, error) {
	a := &adapter{cmd: exec.Command(o.Command[0], o.Command[1:]...), stderr: &strings.Builder{}}
	a.cmd.Env, a.cmd.Stderr = o.Env, a.stderr
	a.cmd.WaitDelay = time.Second
	out, err := a.cmd.StdoutPipe()
	if err == nil {
		a.in, err = a.cmd.StdinPipe()
	}
	if err == nil {
		err = a.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start adapter %s: %w", o.Command[0], err)
	}
	a.out = bufio.NewReaderSize(out, 64<<10)
	return a, nil
}

// end kills the adapter: between calls it holds nothing that could be lost.
func (a *adapter) end() {
	a.once.Do(func() {
		_ = a.in.Close()
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait() // how it ended does not matter
	})
}

// exchange writes one line and reads one.
func (a *adapter) exchange(ctx context.Context, line []byte) (string, error) {
	stop := context.AfterFunc(ctx, a.end) // ends the read
	defer func() { a.ended = !stop() }()  // even where an answer came in time
	if n := a.out.Buffered(); n > 0 {
		more, _ := a.out.Peek(min(n, 80)) // it is there
		return "", fmt.Errorf("the adapter said more than it was asked for (%q): one line an answer, anything else on standard error", more)
	}
	if _, err := a.in.Write(append(line, '\n')); err != nil {
		return "", a.broke(ctx, err)
	}
	var b strings.Builder
	for {
		part, err := a.out.ReadSlice('\n')
		b.Write(part)
		switch {
		case err == nil:
			return strings.TrimRight(b.String(), "\r\n"), nil
		case b.Len() > maxLine:
			return b.String()[:256], errors.New("the answer is larger than 1 MiB")
		case !errors.Is(err, bufio.ErrBufferFull):
			return b.String(), a.broke(ctx, err)
		}
	}
}

// isAnswer decodes a line, and gives an error unless it is the answer to a call.
func (a *adapter) isAnswer(line string, call int64, to *answer) error {
	if err := json.Unmarshal([]byte(line), to); err != nil {
		return fmt.Errorf("the adapter's answer is no JSON object of the line protocol (%.80q): %w", line, err)
	}
	switch {
	case to.ID == nil && a.names:
		return fmt.Errorf("the adapter's answer names no call and others of its do (%.80q): give the call's id in each", line)
	case to.ID != nil && *to.ID != call:
		return fmt.Errorf("the adapter answered call %d when it was asked %d: answer each call once, in turn", *to.ID, call)
	}
	return nil
}

// broke explains an adapter that did not answer.
func (a *adapter) broke(ctx context.Context, err error) error {
	a.end() // so that its error stream is whole
	if ctx.Err() != nil {
		return fmt.Errorf("the adapter gave no answer in time: %w", ctx.Err())
	}
	said := strings.Join(strings.Fields(a.stderr.String()), " ")
	if len(said) > 300 {
		said = "…" + strings.ToValidUTF8(said[len(said)-300:], "")
	}
	if said == "" {
		said = "nothing on standard error"
	}
	return fmt.Errorf("the adapter ended without an answer (%w); it said: %s", err, said)
}

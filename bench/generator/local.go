package generator

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/pause"
	"github.com/coreproof/coreproof/internal/protocol/protocols"
)

// Local is a generator in this process.
type Local struct {
	// TLS is used for https; nil trusts what the system trusts.
	TLS *tls.Config

	mu   sync.Mutex
	sets map[string][][]byte
}

var _ Generator = (*Local)(nil)

// Load keeps bodies.
func (l *Local) Load(_ context.Context, set string, bodies [][]byte) error {
	if len(bodies) == 0 {
		return fmt.Errorf("load set %s: no bodies", set)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sets == nil {
		l.sets = map[string][][]byte{}
	}
	l.sets[set] = bodies
	return nil
}

// Close does nothing.
func (l *Local) Close() error { return nil }

// Run sends one window of load.
func (l *Local) Run(ctx context.Context, j Job) (Result, error) {
	if err := j.check(); err != nil {
		return Result{}, err
	}
	run := window{job: j, tls: l.TLS}
	p, err := protocols.Find(j.Protocol)
	if err != nil {
		return Result{}, fmt.Errorf("load: %w", err)
	}
	if run.good, err = p.Judge(j.Version); err != nil {
		return Result{}, fmt.Errorf("load: %w", err)
	}
	l.mu.Lock()
	for _, s := range j.Sides {
		bodies := l.sets[s.Set]
		if len(bodies) == 0 {
			l.mu.Unlock()
			return Result{}, fmt.Errorf("load: set %q of side %s was not loaded", s.Set, s.Name)
		}
		if len(s.URLs) == 0 {
			l.mu.Unlock()
			return Result{}, fmt.Errorf("load: side %s has no URL", s.Name)
		}
		run.bodies = append(run.bodies, bodies)
	}
	l.mu.Unlock()

	if j.Kind == Paced {
		run.due = schedule(j) // all that takes time before the load begins
		if err := pause.Until(ctx, j.At); err != nil {
			return Result{}, fmt.Errorf("load: %w", err)
		}
	}
	self := meter.PID("generator", os.Getpid())
	before, cpuErr := self.CPU()
	start := time.Now()
	var res Result
	switch j.Kind {
	case Open:
		res, err = run.open(ctx)
	case Paced:
		res, err = run.paced(ctx)
	default:
		res, err = run.closed(ctx)
	}
	res.Began, res.Took = start.UTC(), time.Since(start)
	res.CPU = -1
	if after, e := self.CPU(); e == nil && cpuErr == nil {
		res.CPU = after - before
	}
	return res, err
}

// window is a job under way.
type window struct {
	job    Job
	bodies [][][]byte      // by side
	due    []time.Duration // when calls are, from the window's start (paced)
	tls    *tls.Config
	good   func(status int, body []byte) bool
}

// maxSides that share a load.
const maxSides = 16

// draw says which side call n goes to and which body it sends. Every turn of
// len(Sides) calls visits each side once, in random order.
func (w *window) draw(n uint64) (side int, body []byte, url string) {
	k := uint64(len(w.job.Sides))
	turn, at := n/k, n%k
	side = drawn(mix(w.job.Seed^mix(turn)), k, at)
	bodies := w.bodies[side]
	body = bodies[mix(w.job.Seed+1^mix(n))%uint64(len(bodies))]
	urls := w.job.Sides[side].URLs
	return side, body, urls[turn%uint64(len(urls))]
}

// drawn is element at of a permutation of k, each equally likely (Fisher and Yates; Durstenfeld
// 1964). A mere rotation would always have the same side before another one.
func drawn(seed, k, at uint64) int {
	var order [maxSides]uint8
	for i := range k {
		order[i] = uint8(i)
	}
	for i := range at + 1 {
		seed = mix(seed)
		j := i + seed%(k-i)
		order[i], order[j] = order[j], order[i]
	}
	return int(order[at])
}

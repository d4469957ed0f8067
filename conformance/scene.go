package conformance

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// Instance is one core as a check meets it: with or without the database check.
type Instance struct {
	adapter.Core
	check bool
}

// Ask asks whether an access token is good, with the side's database check.
func (i Instance) Ask(ctx context.Context, accessToken string) (adapter.Verified, error) {
	return i.Verify(ctx, adapter.VerifyRequest{AccessToken: accessToken, CheckDatabase: i.check})
}

// side makes instances of clients.
func side(cores []adapter.Core, check bool) []Instance {
	out := make([]Instance, len(cores))
	for i, c := range cores {
		out[i] = Instance{Core: c, check: check}
	}
	return out
}

// Scene is what one run of one check has to play with and where it notes what
// it found. Its methods are safe for concurrent use.
type Scene struct {
	run   *run
	check *Check
	stage *stage

	mu           sync.Mutex
	trials       int
	violations   int
	tagged       [2]int // violations in untagged and in tagged trials
	offered      [2]int // untagged and tagged trials
	first        *finding
	observations map[string]string
	immediacy    proof.Immediacy
	histories    []proof.History
	took         [2]time.Duration // of the two sides of a race, a running mean
}

// finding is the first violation of a check.
type finding struct {
	violation *Violation
	exchanges []adapter.Exchange
}

// Protocol is the version that is spoken.
func (s *Scene) Protocol() target.Protocol { return s.stage.protocol }

// Era says who decides whether verify asks the database.
func (s *Scene) Era() adapter.Era { return s.stage.era }

// On are the instances that ask the database at every verify.
func (s *Scene) On() []Instance { return s.stage.on }

// Off are those that do not; empty when there are none.
func (s *Scene) Off() []Instance { return s.stage.off }

// Observe notes a figure or fact worth keeping.
func (s *Scene) Observe(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.observations == nil {
		s.observations = map[string]string{}
	}
	s.observations[key] = value
}

// NewUser gives a user id that nobody has used, of the harness's own.
func (s *Scene) NewUser() string { return s.run.newUser() }

// scaled is n trials at the scale that was asked for, at least one; in versions
// that are only touched, a third of them.
func (s *Scene) scaled(n int) int {
	scale := s.run.scale
	if s.stage.smoke {
		scale /= 3
	}
	return max(1, int(float64(n)*scale+0.5))
}

// rand is the source of randomness number i of this check: the same for the
// same seed, whatever else runs.
func (s *Scene) rand(i int) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d", s.check.ID, s.stage.protocol, i)
	return rand.New(rand.NewPCG(s.run.seed, h.Sum64()))
}

// Trial is one try of a rule.
type Trial struct {
	*Scene
	// Index counts from 0.
	Index int
	// Rand is this trial's own; not safe for concurrent use.
	Rand *rand.Rand
	tape *tape
}

// Trials tries a rule n times, one after the other. A Violation ends its trial
// only, so that the share of broken trials becomes known; any other error ends
// the check.
func (s *Scene) Trials(ctx context.Context, n int, try func(ctx context.Context, t *Trial) error) error {
	n = s.scaled(n)
	tags := s.tags(n)
	for i := range n {
		if err := s.trial(ctx, i, tags[i], try); err != nil {
			return err
		}
	}
	return nil
}

// tags says which trials carry the header: one of each two, at random.
func (s *Scene) tags(n int) []bool {
	r := s.rand(-1)
	tags := make([]bool, n)
	for i := 0; i < n; i += 2 {
		first := r.IntN(2) == 0
		tags[i] = first
		if i+1 < n {
			tags[i+1] = !first
		}
	}
	return tags
}

// trial runs one try; its error ends the check.
func (s *Scene) trial(ctx context.Context, i int, tag bool, try func(context.Context, *Trial) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &Trial{Scene: s, Index: i, Rand: s.rand(i), tape: &tape{}}
	ctx = adapter.WithRecorder(ctx, t.tape.record)
	which := 0
	if tag {
		ctx = adapter.WithTag(ctx, fmt.Sprintf("%s/%d", s.check.ID, i))
		which = 1
	}
	err := guarded(func() error { return try(ctx, t) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trials++
	s.offered[which]++
	var v *Violation
	if !errors.As(err, &v) {
		return err
	}
	s.violations++
	s.tagged[which]++
	if s.first == nil {
		s.first = &finding{violation: v, exchanges: t.tape.exchanges()}
	}
	return nil
}

// panicked is a panic turned into an error.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// guarded calls f and turns a panic into an error, for a check that breaks must
// not take the run with it.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
	}()
	return f()
}

// each calls f for 0 … n−1, at most workers at a time, and joins the errors.
// After the first error no further call is begun.
func each(ctx context.Context, n, workers int, f func(ctx context.Context, i int) error) error {
	var (
		mu   sync.Mutex
		errs []error
		next int
		wg   sync.WaitGroup
	)
	for range min(n, workers) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= n || len(errs) > 0 || ctx.Err() != nil
				mu.Unlock()
				if stop {
					return
				}
				if err := guarded(func() error { return f(ctx, i) }); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if len(errs) == 0 {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

// atOnce starts all functions at the same moment and waits for all.
func atOnce(ctx context.Context, runners ...func(ctx context.Context) error) error {
	start := make(chan struct{})
	errs := make([]error, len(runners))
	var ready, done sync.WaitGroup
	for i, f := range runners {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = guarded(func() error { return f(ctx) })
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errors.Join(errs...)
}

// race starts two functions from one barrier, so that over many trials every
// moment of the one meets every moment of the other: one of them, chosen at
// random, starts at once, the other somewhere in the time that the first is
// known to take. Fixed delays would see one order only, since nobody knows
// beforehand how fast a core is.
func (t *Trial) race(ctx context.Context, a, b func(ctx context.Context) error) error {
	leader := t.Rand.IntN(2)
	t.mu.Lock()
	usual := t.took[leader]
	t.mu.Unlock()
	if usual == 0 {
		usual = time.Millisecond
	}
	late := time.Duration(t.Rand.Float64() * 1.2 * float64(usual))
	runner := func(i int, f func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if i != leader {
				// Sleeping is too coarse for what takes some microseconds.
				for begun := time.Now(); time.Since(begun) < late; {
					if rest := late - time.Since(begun); rest > time.Millisecond {
						time.Sleep(rest - time.Millisecond)
					} else {
						runtime.Gosched()
					}
				}
			}
			begun := time.Now()
			err := f(ctx)
			t.mu.Lock()
			t.took[i] = (3*t.took[i] + time.Since(begun)) / 4
			t.mu.Unlock()
			return err
		}
	}
	return atOnce(ctx, runner(0, a), runner(1, b))
}

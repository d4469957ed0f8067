package bench

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/bench/lives"
)

// verifiesOf calls a second that a cap allows, requests of all kinds: the others are 1.5
// requests each (a refresh is followed by a verify of its own).
func (o *Options) verifiesOf(hz float64) float64 {
	return hz * o.VerifyShare / (o.VerifyShare + lives.Requests*(1-o.VerifyShare))
}

// perVerify is how many other calls come with each verify.
func (o *Options) perVerify() float64 { return (1 - o.VerifyShare) / o.VerifyShare }

// besides makes what sends the other calls to each side; nil where there are none.
func (m *measurement) besides(ctx context.Context, s *sides) ([]*lives.Load, error) {
	if m.perVerify() == 0 {
		return nil, nil
	}
	out := make([]*lives.Load, len(s.list))
	for i := range s.list {
		x := &s.list[i]
		cores, err := x.deployment.Cores(m.version)
		if err != nil {
			return nil, err
		}
		if x.from > 0 || len(x.instances) < len(cores) {
			cores = cores[x.from : x.from+len(x.instances)]
		}
		if out[i], err = lives.New(ctx, cores, m.population(cores[0]), m.Variants[x.variant].CheckDatabase); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// endBesides ends the sessions that were made for other calls, where the database is not
// thrown away.
func (m *measurement) endBesides(ctx context.Context, besides []*lives.Load) {
	if m.can.Throwaway {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyWithin)
	defer cancel()
	for _, l := range besides {
		l.End(ctx)
	}
}

// mixed is what a window of verifies and other calls came to.
type mixed struct {
	generator.Result
	besides []lives.Result // by side; nil where there were none
}

// beside is what the other calls of a side came to.
func (r *mixed) beside(side int) lives.Result {
	if r.besides == nil {
		return lives.Result{}
	}
	return r.besides[side]
}

// uneven says whether the sides differ in their other calls by more than one, or 1 %: each
// weighs as much as several verifies.
func (r *mixed) uneven() bool {
	if r.besides == nil {
		return false
	}
	most, least := r.besides[0].Calls, r.besides[0].Calls
	for _, b := range r.besides[1:] {
		most, least = max(most, b.Calls), min(least, b.Calls)
	}
	return most-least > max(1, most/100)
}

// send makes a window of load of the open model: verifies by the generator, and at the
// same time the other calls that come with them.
func (m *measurement) send(ctx context.Context, j generator.Job, besides []*lives.Load) (mixed, error) {
	if besides == nil {
		res, err := m.gen.Run(ctx, j)
		return mixed{Result: res}, err
	}
	each := int(math.Round(j.RateHz * m.perVerify() * j.Duration.Seconds() / float64(len(besides))))
	out := mixed{besides: make([]lives.Result, len(besides))}
	failed := make([]error, len(besides))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i, l := range besides {
		seed := m.rnd.Uint64()
		wg.Go(func() { out.besides[i], failed[i] = l.Paced(ctx, each, j.Duration, seed) })
	}
	res, err := m.gen.Run(ctx, j)
	if err != nil {
		cancel()
	}
	wg.Wait()
	out.Result = res
	if err != nil {
		return out, err
	}
	for i, err := range failed {
		if err != nil {
			return out, fmt.Errorf("side %d: %w", i, err)
		}
		out.Took = max(out.Took, out.besides[i].Took)
		out.Achieved = min(out.Achieved, out.besides[i].Achieved)
	}
	return out, nil
}

// busyWindow is how long the other calls are made one after the other, to find what is
// served of them.
const busyWindow = 500 * time.Millisecond

// mixServed says how many verifies a second are served together with the calls that come
// with them, where alone it would be so many: what one verify takes of the cores' time
// and what the other calls take add up.
func (m *measurement) mixServed(ctx context.Context, verifies float64, besides []*lives.Load) (float64, error) {
	if besides == nil {
		return verifies, nil
	}
	served := make([]lives.Result, len(besides))
	failed := make([]error, len(besides))
	var wg sync.WaitGroup
	for i, l := range besides {
		wg.Go(func() { served[i], failed[i] = l.Busy(ctx, busyWindow) })
	}
	wg.Wait()
	var others float64
	for i, r := range served {
		switch {
		case failed[i] != nil:
			return 0, failed[i]
		case r.Wrong > 0:
			return 0, fmt.Errorf("calibration: %d of %d calls besides verify were answered wrongly, e.g. %s", r.Wrong, r.Calls, r.Example)
		case r.Calls == 0:
			return 0, fmt.Errorf("calibration: no call besides verify was answered within %s", busyWindow)
		}
		others += float64(r.Calls) / r.Took.Seconds()
	}
	return 1 / (1/verifies + m.perVerify()/others), nil
}

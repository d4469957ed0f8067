package conformance

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/internal/cores/started"
	"github.com/coreproof/coreproof/reports/proof"
)

// run is what the checks of one run share.
type run struct {
	options Options
	seed    uint64
	scale   float64
	prefix  string
	log     *slog.Logger
	spoken  []string // versions, oldest first
	follows atomic.Int64
	users   atomic.Int64
	started started.Keeper
	made    made
}

// Run tries the selected checks and gives all that was seen, and what was left
// behind on the cores (nil when nothing was). When ctx ends before, what was seen
// until then comes together with ctx's error.
func Run(ctx context.Context, o Options) (*proof.Conformance, *proof.LeftBehind, error) {
	if o.Target == nil || o.On == nil {
		return nil, nil, errors.New("conformance: no target, or no deployment with the flag on, was given")
	}
	chosen, err := o.Select.Choose(o.Checks)
	if err != nil {
		return nil, nil, fmt.Errorf("conformance: %w", err)
	}
	r := newRun(o)
	began := time.Now()
	stages, err := r.stages(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("conformance: %w", err)
	}
	var jobs []*job
	for i := range chosen {
		for _, s := range stages {
			if s.fits(&chosen[i]) {
				jobs = append(jobs, &job{check: &chosen[i], stage: s})
			}
		}
	}
	if len(jobs) == 0 {
		return nil, nil, fmt.Errorf("conformance: %w in the versions tried", ErrNothingSelected)
	}
	out := &proof.Conformance{
		Started: began, Planned: len(jobs), Instances: len(o.On.Instances()), AlwaysChecks: o.Target.Capabilities().AlwaysChecks, Profiles: r.profiles(jobs, stages),
	}
	if slices.ContainsFunc(chosen, func(c Check) bool { return c.In(Blacklisting) || c.In(Switch) }) {
		for _, s := range stages {
			out.Switch = append(out.Switch, r.control(ctx, s)...)
		}
	}
	r.all(ctx, jobs)
	for _, j := range jobs {
		if !j.done {
			continue
		}
		out.Checks = append(out.Checks, j.result)
		out.Histories = append(out.Histories, j.histories...)
		out.Pairs = addPairs(out.Pairs, j.pairs)
	}
	left := r.tidy(ctx, stages)
	out.Took = time.Since(began)
	return out, left, ctx.Err()
}

func newRun(o Options) *run {
	r := &run{options: o, seed: o.Seed, scale: o.Scale, log: o.Log}
	if r.scale <= 0 {
		r.scale = 1
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	// Users are new ones even when a seed is run again on the same database.
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	r.prefix = "coreproof-" + hex.EncodeToString(random)
	return r
}

// newUser gives ids of one length, so that none is the beginning of another.
func (r *run) newUser() string { return fmt.Sprintf("%s-%07d", r.prefix, r.users.Add(1)) }

// paced is how long a number of calls takes at the throttle's rate; 0 without one.
func (r *run) paced(calls int) time.Duration {
	hz := r.options.Target.Capabilities().Throttle.Hz()
	if hz <= 0 {
		return 0
	}
	return time.Duration(float64(calls) / hz * float64(time.Second))
}

// profiles are those that the checks belong to, in the order of Profiles.
func (r *run) profiles(jobs []*job, stages []*stage) []proof.Profile {
	var out []proof.Profile
	for _, p := range Profiles {
		if !slices.ContainsFunc(jobs, func(j *job) bool { return j.check.In(p.Name) }) {
			continue
		}
		one := proof.Profile{Name: string(p.Name), Optional: p.Optional, Members: r.members(p.Name, stages)}
		if p.Name == Switch && r.options.Target.Capabilities().AlwaysChecks {
			one.NotClaimed = alwaysChecks
		} else {
			one.NotClaimed = r.foreign(p.Name, jobs)
		}
		out = append(out, one)
	}
	return out
}

// foreign says why a profile is none of the protocol's: there is no check of it whose
// rule the protocol could break. "" where there is one.
func (r *run) foreign(p Profile, jobs []*job) (why string) {
	for _, j := range jobs {
		if !j.check.In(p) {
			continue
		}
		lack := r.lacks(j)
		if lack == nil || lack.Kind != lackProtocol {
			return ""
		}
		why = lack.Text
	}
	return why
}

// members counts the checks of a profile that exist in the versions that are tried,
// whether they were selected or not.
func (r *run) members(p Profile, stages []*stage) int {
	n := 0
	for i := range r.options.Checks {
		c := &r.options.Checks[i]
		if c.In(p) && slices.ContainsFunc(stages, func(s *stage) bool { return s.fits(c) }) {
			n++
		}
	}
	return n
}

const alwaysChecks = "the core is described as one that always asks the database, so there is no switch to show"

func addPairs(sum, p *proof.Pairs) *proof.Pairs {
	if p == nil {
		return sum
	}
	if sum == nil {
		sum = &proof.Pairs{Strength: p.Strength}
	}
	sum.Wanted += p.Wanted
	sum.Met += p.Met
	sum.Missed = append(sum.Missed, p.Missed...)
	for _, l := range p.LeftOut {
		if !slices.Contains(sum.LeftOut, l) { // as much in each version
			sum.LeftOut = append(sum.LeftOut, l)
		}
	}
	return sum
}

// all runs the jobs: the foundations first, then the independent ones side by
// side, then the serial ones. Those that wait go on beside these on cores of their
// own, or come last; those that need an outage share it, beside the independent ones.
func (r *run) all(ctx context.Context, jobs []*job) {
	var foundations, together, serial, outages, beside, last []*job
	for _, j := range jobs {
		switch {
		case len(j.check.Foundation) > 0:
			foundations = append(foundations, j)
		case j.check.Needs.Outage:
			outages = append(outages, j)
		case j.check.Needs.Waits && r.startsOnSame():
			beside = append(beside, j)
		case j.check.Needs.Waits:
			last = append(last, j)
		case j.check.Needs.Serial:
			serial = append(serial, j)
		default:
			together = append(together, j)
		}
	}
	parallel := r.options.Parallel
	if parallel <= 0 {
		parallel = DefaultParallel
	}
	var mu sync.Mutex
	done := 0
	finish := func(list []*job, workers int) {
		_ = Each(ctx, len(list), workers, func(ctx context.Context, i int) error {
			j := list[i]
			r.one(ctx, j, causeOf(j, foundations))
			mu.Lock()
			defer mu.Unlock()
			if done++; j.done && r.options.Progress != nil {
				r.options.Progress(Event{Check: j.result, Done: done, Total: len(jobs)})
			}
			return nil
		})
	}
	// One foundation after the other, since one may rest on the one before.
	for _, versions := range byCheck(foundations) {
		finish(versions, parallel)
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { finish(beside, len(beside)) })
	defer waiting.Wait()
	var away sync.WaitGroup // on cores of their own
	r.started.Outages().Expect(len(outages))
	away.Go(func() { finish(outages, len(outages)) })
	finish(together, parallel)
	away.Wait() // for a load of their own, before checks that want none
	for _, versions := range byCheck(serial) {
		workers := 1
		if versions[0].check.Needs.Abreast {
			workers = parallel
		}
		finish(versions, workers)
	}
	finish(last, len(last))
}

// byCheck parts jobs, which are in the order of their checks, by check.
func byCheck(jobs []*job) (parts [][]*job) {
	for len(jobs) > 0 {
		n := 1
		for n < len(jobs) && jobs[n].check.ID == jobs[0].check.ID {
			n++
		}
		parts, jobs = append(parts, jobs[:n]), jobs[n:]
	}
	return parts
}

// causeOf is the foundation that leaves nothing to try for j; nil when there is none.
func causeOf(j *job, foundations []*job) *job {
	for _, f := range foundations {
		if f != j && f.stage == j.stage && f.done && f.fell() && j.check.restsOn(f.check) {
			return f
		}
	}
	return nil
}

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

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// Options of a run.
type Options struct {
	// On is the deployment whose flag is on, Off the one whose flag is off; Off
	// may be nil, and is only needed where the core's own setting decides.
	On, Off target.Deployment
	// Target starts cores for checks that need settings of their own; may be nil.
	Target target.Target
	// Protocols to try whole; nil chooses for both eras.
	Protocols []target.Protocol
	Select    Selection
	// Seed of all randomness but user ids.
	Seed uint64
	// HistoryDir is where histories and their pictures are saved; "" saves none.
	HistoryDir string
	// Rerun makes the command that runs one check again; may be nil.
	Rerun func(checkID string) string
	// Progress is told when a check ends, one call at a time; may be nil.
	Progress func(Event)
	// Scale multiplies the number of trials; 0 is 1.
	Scale float64
	// Parallel checks at once, but for those that must be alone; 0 is 6.
	Parallel int
	// Follow is how long coreproof goes on asking where an answer is overdue: to
	// measure an acceptance window, and to see an expired token refused. 0 is
	// DefaultFollow.
	Follow time.Duration
	// CheckTimeout bounds one check; 0 is a minute.
	CheckTimeout time.Duration
	// Log; nil discards.
	Log *slog.Logger
}

// Event is the end of one check.
type Event struct {
	Check       proof.Check
	Done, Total int
}

// run is what the checks of one run share.
type run struct {
	options Options
	seed    uint64
	scale   float64
	prefix  string
	log     *slog.Logger
	// spokenVersions by the core, nil when it does not tell.
	spokenVersions []string
	follows        atomic.Int64
	own            own

	mu    sync.Mutex
	users []string
}

// job is one check in one version.
type job struct {
	check *Check
	stage *stage
	// done is false while the check has not ended.
	done      bool
	result    proof.Check
	immediacy proof.Immediacy
	histories []proof.History
}

// Run tries the selected checks and gives all that was found. When ctx ends
// before, what was found until then comes together with ctx's error.
func Run(ctx context.Context, o Options) (*proof.Conformance, error) {
	if o.On == nil {
		return nil, errors.New("conformance: no deployment with the flag on was given")
	}
	checks, err := o.Select.choose(Checks())
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	return runChecks(ctx, o, checks)
}

// runChecks is Run for a given list; tests give their own.
func runChecks(ctx context.Context, o Options, checks []Check) (*proof.Conformance, error) {
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
	started := time.Now()
	stages, err := r.stages(ctx)
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	defer r.tidy(ctx)
	var jobs []*job
	blacklisting := false
	for i := range checks {
		blacklisting = blacklisting || checks[i].in(Blacklisting)
		for _, s := range stages {
			if s.fits(&checks[i]) {
				jobs = append(jobs, &job{check: &checks[i], stage: s})
			}
		}
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("conformance: %w in the protocols tried", ErrNothingSelected)
	}
	out := &proof.Conformance{Started: started}
	if blacklisting {
		for _, s := range stages {
			r.control(ctx, s, &out.Immediacy)
		}
	}
	r.all(ctx, jobs)
	for _, j := range jobs {
		if j.done {
			out.Checks = append(out.Checks, j.result)
			out.Histories = append(out.Histories, j.histories...)
			add(&out.Immediacy, j.immediacy)
		}
	}
	out.Immediacy.UpperBound = upperBound(out.Immediacy.Accepted, out.Immediacy.Trials)
	out.Profiles = profiles(jobs, stages)
	out.Took = time.Since(started)
	return out, ctx.Err()
}

func (c *Check) in(p Profile) bool {
	return slices.Contains(c.Profiles, p)
}

// all runs the jobs: the independent ones side by side, then the others one by one.
func (r *run) all(ctx context.Context, jobs []*job) {
	var together, alone []*job
	for _, j := range jobs {
		if j.check.Needs.Alone {
			alone = append(alone, j)
		} else {
			together = append(together, j)
		}
	}
	parallel := r.options.Parallel
	if parallel <= 0 {
		parallel = 6
	}
	var mu sync.Mutex
	done := 0
	finish := func(ctx context.Context, list []*job, workers int) {
		_ = each(ctx, len(list), workers, func(ctx context.Context, i int) error {
			j := list[i]
			r.one(ctx, j)
			mu.Lock()
			defer mu.Unlock()
			if done++; j.done && r.options.Progress != nil {
				r.options.Progress(Event{Check: j.result, Done: done, Total: len(jobs)})
			}
			return nil
		})
	}
	finish(ctx, together, parallel)
	finish(ctx, alone, 1)
}

// one runs one check in one version and fills in the job.
func (r *run) one(ctx context.Context, j *job) {
	started := time.Now()
	s := &Scene{run: r, check: j.check, stage: j.stage}
	var err error
	if why := r.lacks(j); why != "" {
		err = skippedf("%s", why)
	} else {
		timeout := r.options.CheckTimeout
		if timeout <= 0 {
			timeout = time.Minute
		}
		within, cancel := context.WithTimeout(ctx, timeout)
		err = guarded(func() error { return j.check.Run(within, s) })
		if err != nil && within.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("the check took longer than %v: %w", timeout, err)
		}
		cancel()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var v *Violation
	if ctx.Err() != nil && err != nil && s.first == nil && !errors.As(err, &v) {
		return // cut off before it found anything: nothing is known
	}
	j.done = true
	j.result = r.result(s, err)
	j.result.Took = time.Since(started)
	j.immediacy = s.immediacy
	j.histories = s.histories
	r.log.Debug("check ended", "id", j.check.ID, "protocol", j.result.Protocol, "outcome", j.result.Outcome, "took", j.result.Took)
}

// lacks says which need of a check is not met; "" when all are.
func (r *run) lacks(j *job) string {
	n := j.check.Needs
	switch {
	case j.stage.absent != "":
		return j.stage.absent
	case len(j.stage.on) < n.Instances:
		return fmt.Sprintf("needs %d instances on one database, the target has %d", n.Instances, len(j.stage.on))
	case n.Off && len(j.stage.off) == 0:
		return "needs a core whose flag is off, and none was given"
	case n.Own && r.options.Target == nil:
		return "needs cores with settings of its own, and there is no target to start them"
	case n.Own && r.options.Target.Fixed():
		return "needs cores with settings of its own, and this target's cannot be chosen"
	}
	return ""
}

// result turns what a check found into its entry in the proof. s.mu is held.
func (r *run) result(s *Scene, err error) proof.Check {
	c := s.check
	out := proof.Check{
		ID: c.ID, Title: c.Title, Requirement: c.Requirement, Source: c.Source,
		Profiles: c.profiles(), Suite: c.Suite, Era: string(s.stage.era), Protocol: s.stage.name(),
		Trials: s.trials, Violations: s.violations, Observations: s.observations,
	}
	found := s.first
	var v *Violation
	if errors.As(err, &v) {
		// Found outside of a trial.
		if found == nil {
			found = &finding{violation: v}
		}
		out.Violations++
		out.Trials = max(out.Trials, out.Violations)
		err = nil
	}
	var vac *vacuous
	var skip *skipped
	switch {
	case found != nil:
		out.Outcome = proof.Fail
		if err != nil {
			out.Reason = "the check also met trouble: " + proof.ShortenTokens(err.Error())
		}
	case errors.As(err, &skip):
		out.Outcome, out.Reason = proof.Skip, skip.why
	case errors.As(err, &vac):
		out.Outcome, out.Reason = proof.Vacuous, vac.why
	case err != nil:
		out.Outcome, out.Reason = proof.Error, proof.ShortenTokens(err.Error())
	default:
		out.Outcome = proof.Pass
	}
	if found != nil {
		r.explain(&out, s, found)
	}
	if w := s.immediacy.AcceptanceWindow; w > 0 {
		if out.Observations == nil {
			out.Observations = map[string]string{}
		}
		out.Observations["acceptanceWindowNs"] = fmt.Sprint(int64(w))
	}
	return out
}

// explain fills in what a maintainer needs to see a failure for himself.
func (r *run) explain(out *proof.Check, s *Scene, found *finding) {
	v := found.violation
	out.Expected, out.Got = v.Expected, v.Got
	if out.Trials > 1 {
		out.Got += fmt.Sprintf(" (in %d of %d trials)", out.Violations, out.Trials)
	}
	if plain, tagged := s.tagged[0], s.tagged[1]; s.offered[0] > 1 && s.offered[1] > 1 && (plain == 0) != (tagged == 0) && plain+tagged > 1 {
		which := "without"
		if tagged > 0 {
			which = "with"
		}
		out.Got += fmt.Sprintf("; only in trials %s the header X-Coreproof-Check (%d of %d without, %d of %d with): the core may behave by it",
			which, plain, s.offered[0], tagged, s.offered[1])
	}
	exchanges := found.exchanges
	if v.Exchange != nil && !slices.ContainsFunc(exchanges, func(e adapter.Exchange) bool {
		return e.Sent.Equal(v.Exchange.Sent) && e.RequestBody == v.Exchange.RequestBody
	}) {
		// Others came after it in such numbers that it fell off the tape.
		exchanges = append(slices.Clone(exchanges), *v.Exchange)
	}
	out.Exchanges = evidence(exchanges)
	if v.Exchange != nil {
		out.Replay = curl(*v.Exchange)
	} else if len(exchanges) > 0 {
		out.Replay = curl(exchanges[len(exchanges)-1])
	}
	if r.options.Rerun != nil {
		out.Rerun = r.options.Rerun(s.check.ID)
	}
}

// add sums up immediacy, all but the bound.
func add(sum *proof.Immediacy, i proof.Immediacy) {
	sum.Trials += i.Trials
	sum.Accepted += i.Accepted
	sum.AcceptanceWindow = max(sum.AcceptanceWindow, i.AcceptanceWindow)
	sum.ControlTrials += i.ControlTrials
	sum.ControlAccepted += i.ControlAccepted
	sum.ConcurrentTrials += i.ConcurrentTrials
	sum.ConcurrentAccepted += i.ConcurrentAccepted
}

func (r *run) newUser() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := fmt.Sprintf("%s-%d", r.prefix, len(r.users))
	r.users = append(r.users, u)
	return u
}

// tidy stops cores that checks started and, on cores that somebody else runs,
// ends the sessions that checks left behind.
func (r *run) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := r.own.stop(ctx); err != nil {
		r.log.Warn("cores of checks did not stop", "err", err)
	}
	if t := r.options.Target; t != nil && !t.Fixed() {
		return
	}
	cores := r.options.On.Clients(preferred[1])
	if len(cores) == 0 {
		return
	}
	r.mu.Lock()
	users := r.users
	r.mu.Unlock()
	err := each(ctx, len(users), callers, func(ctx context.Context, i int) error {
		_, err := cores[0].RevokeUser(ctx, users[i])
		return err
	})
	if err != nil {
		r.log.Warn("sessions of this run are left behind", "users", r.prefix+"-*", "err", err)
	}
}

package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// job is one check in one version.
type job struct {
	check *Check
	stage *stage
	// done is false while the check has not ended.
	done      bool
	held      int // trials that did
	result    proof.Check
	histories []proof.History
	pairs     *proof.Pairs
}

// fell says whether nothing of a foundation holds: each of its trials was broken, or could
// not be made. One that could not, beside others that held, takes nothing down.
func (j *job) fell() bool { return j.result.Lacks == nil && j.held == 0 }

// one runs one check in one version and fills in the job. Where cause is not nil,
// there is nothing to try.
func (r *run) one(ctx context.Context, j *job, cause *job) {
	began := time.Now()
	if j.check.Needs.Outage {
		defer r.started.Outages().Leave()
	}
	t := &T{run: r, check: j.check, stage: j.stage}
	var err error
	lack := r.lacks(j)
	switch {
	case lack != nil:
		err = &lacking{*lack}
	case cause != nil:
	default:
		err = r.try(ctx, t)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	protocol.CloseIdle(t.connected...)
	var v *Violation
	if ctx.Err() != nil && err != nil && len(t.violations) == 0 && !errors.As(err, &v) {
		return // cut off before it found anything: nothing is known
	}
	j.result = r.result(t, err)
	if cause != nil && lack == nil {
		j.result.Cause = cause.check.ID
		why := fmt.Sprintf("not tried, for %s (%s) ", cause.check.ID, cause.check.Title)
		switch f := &cause.result; {
		case len(f.Violations) > 0 && len(f.Violations) == f.Trials:
			j.result.CouldNotFail = why + "does not hold"
		case len(f.Violations) > 0:
			j.result.CouldNotFail = why + fmt.Sprintf("was broken in %d of %d trials and held in none", len(f.Violations), f.Trials)
		case f.CouldNotFail != "":
			j.result.CouldNotFail = why + "could not have failed itself"
		default:
			j.result.Trouble = why + "could not be tried itself"
		}
	}
	j.result.Took = time.Since(began)
	j.histories, j.pairs, j.held = t.histories, t.pairs, t.held
	j.done = true
	r.log.Debug("check ended", "id", j.check.ID, "protocol", j.result.Protocol, "trials", j.result.Trials,
		"violations", len(j.result.Violations), "took", j.result.Took)
}

func (r *run) try(ctx context.Context, t *T) error {
	timeout := r.options.CheckTimeout
	if timeout <= 0 {
		timeout = DefaultCheckTimeout
	}
	if t.check.Needs.Outage {
		timeout = max(timeout, outageTimeout)
	}
	timeout += r.paced(callsInTime)
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if t.check.In(Hardening) {
		within = protocol.WithEveryAnswer(within)
	}
	err := guarded(func() error { return t.check.Run(withRecorder(within, &t.outside), t) })
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("the check took longer than %v: %w", timeout, err)
	}
	return err
}

// lackProtocol is the kind of a lack that is no gap: the protocol has nothing that the
// rule could be about.
const lackProtocol = "protocol"

// lacks says which need of a check is not met; nil when all are.
func (r *run) lacks(j *job) *proof.Lack {
	n := j.check.Needs
	can := r.options.Target.Capabilities()
	lack := func(kind, format string, args ...any) *proof.Lack {
		return &proof.Lack{Kind: kind, Text: fmt.Sprintf(format, args...)}
	}
	if j.stage.lacks != nil {
		return j.stage.lacks
	}
	for _, v := range n.Verbs {
		if why := protocol.Without(j.stage.on[0].Core, v); why != "" {
			return lack(lackProtocol, "%s is without %s: %s", j.stage.label, v, why)
		}
		if !j.stage.on[0].Has(v) {
			return lack("verb", "%s has no %q", j.stage.label, v)
		}
	}
	switch {
	case j.check.In(Switch) && can.AlwaysChecks:
		return lack("not-claimed", "%s", alwaysChecks)
	case len(j.stage.on) < n.Instances:
		return lack("instances", "needs %d instances on one database, the target has %d", n.Instances, len(j.stage.on))
	case n.OffSide && can.AlwaysChecks && (len(j.stage.off) == 0 || n.Outage):
		return lack("not-claimed", "%s", alwaysChecks)
	case n.OffSide && len(j.stage.off) == 0:
		return lack("off-side", "needs a core whose flag is off, and none was given")
	case n.Outage && !can.Settings:
		return lack("outage", noOutage)
	case n.Settings && !can.Settings:
		return lack("settings", "needs cores with settings of its own, and this target's cannot be chosen")
	}
	return nil
}

// result turns what a check found into its entry in the proof. t.mu is held.
func (r *run) result(t *T, err error) proof.Check {
	c := t.check
	var v *Violation
	if errors.As(err, &v) {
		// Found outside of a trial, or by several callers at once.
		t.trials = max(t.trials, 1)
		t.violate(v, -1, false, &recorder{})
		err = nil
	}
	out := proof.Check{
		ID: c.ID, Title: c.Title, Requirement: c.Requirement, Source: c.Source,
		Profiles: c.profiles(), Suite: c.Suite, FlagMode: string(t.stage.mode), Protocol: t.stage.label,
		Trials: t.trials, Tagged: t.tagged, Violations: t.violations, Race: t.race,
	}
	var lack *lacking
	var vacuous *couldNotFail
	switch {
	case errors.As(err, &lack):
		if len(t.violations) == 0 { // what was broken says more than what was lacking for the rest
			out.Lacks = &lack.lack
		}
	case errors.As(err, &vacuous):
		out.CouldNotFail = proof.ShortenTokens(vacuous.why)
	case err != nil:
		out.Trouble = proof.ShortenTokens(err.Error())
	}
	if m := t.immediacy; m.Calls > 0 {
		out.Immediacy = &m
	}
	if why := t.byHeader(); why != "" {
		if t.observations == nil {
			t.observations = map[string]string{}
		}
		t.observations["header"] = why
	}
	out.Observations = t.observations
	if clean := len(out.Violations) == 0 && err == nil; !clean && out.Lacks == nil && r.options.Rerun != nil {
		out.Rerun = r.options.Rerun(c.ID, t.stage.version)
	}
	return out
}

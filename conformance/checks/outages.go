package checks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/protocol"
)

const (
	// outageLasts is how long the database stays away while calls are under way: those
	// that are answered sooner end it.
	outageLasts = time.Second
	// answersWithin bounds a call of an outage, the time after its end included: a core
	// may wait for as long as its own time-outs let it.
	answersWithin = 15 * time.Second
	// backWithin is how long after an outage a core must be back.
	backWithin = 30 * time.Second
	// statelessWithin is how long a verify that needs no database may take on a busy
	// machine.
	statelessWithin = 5 * time.Second
)

// outageChecks: what a core says while it cannot ask its database, and what it knows
// after. On a network the database is lost in two ways, by a reset and in silence; a file
// is locked.
func outageChecks() []Check {
	needs := Needs{Outage: true}
	return []Check{
		{
			ID:          "FA-01",
			Title:       "a core that cannot ask its database accepts no revoked token",
			Requirement: "While a core that checks the database cannot reach it, it accepts no token of a session that was revoked: before the outage, or by another core meanwhile; and refuses all of them after.",
			Source:      specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(closedWhileAway),
		},
		{
			ID:          "FA-02",
			Title:       "an outage signs nobody out",
			Requirement: "While the database cannot be reached, a living session is not answered as one that is over (it is an error, HTTP 5xx), and after it the session is accepted and can be refreshed.",
			Source:      specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(nobodySignedOut),
		},
		{
			ID:          "FA-03",
			Title:       "a revoke that did not reach the database is not answered with OK",
			Requirement: "A revoke that is answered with OK during an outage has ended the session: its token is refused after, at every core. One that is answered otherwise can be tried again.",
			Source:      specRemove + ", " + specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(revokedWhileAway),
		},
		{
			ID:          "FA-04",
			Title:       "a core comes back by itself after an outage",
			Requirement: fmt.Sprintf("Within %s after the database can be reached again, a core that was not restarted makes, verifies and revokes sessions, and refuses revoked ones.", backWithin),
			Source:      specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(backAgain),
		},
		{
			ID:          "FA-05",
			Title:       "without the check, verify needs no database",
			Requirement: "A core that does not check the database accepts a fresh token while it cannot be reached: verification is stateless.",
			Source:      specStateless + ", " + specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: Needs{Outage: true, OffSide: true},
			Run: eachOutage(statelessWhileAway),
		},
	}
}

// outage is one time that the database is away.
type outage struct {
	*conformance.Losable
	kind cores.Outage
	over time.Time // when its end began
}

// eachOutage tries a rule once in each way in which the database can be lost.
func eachOutage(try func(context.Context, *Trial, *outage) error) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		l, err := c.Losable(ctx)
		if err != nil {
			return err
		}
		kinds := l.Way.Outages()
		return c.TrialsAtOnce(ctx, len(kinds), 1, func(ctx context.Context, t *Trial) error {
			return try(protocol.WithEveryAnswer(ctx), t, &outage{Losable: l, kind: kinds[t.Index]})
		})
	}
}

// during takes the database away, makes all calls at once, and gives it back when they
// have been answered or the outage has lasted. It returns when all are.
func (o *outage) during(ctx context.Context, calls ...func(context.Context) error) (err error) {
	mend := sync.OnceValue(func() error {
		o.over = time.Now()
		return o.Way.Mend(context.WithoutCancel(ctx))
	})
	defer func() { err = errors.Join(err, mend()) }()
	if err := o.Way.Break(ctx, o.kind); err != nil {
		return fmt.Errorf("take the database away (%s): %w", o.kind, err)
	}
	within, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- conformance.AtOnce(within, calls...) }()
	timer := time.NewTimer(outageLasts)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
	}
	return errors.Join(mend(), <-done)
}

// back waits until a living session is accepted again by many calls at once, so that no
// connection of before is left, and says how long it took. What the core says until then
// is no matter, but that the session is over.
func (o *outage) back(ctx context.Context, at Instance, token string) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, backWithin)
	defer cancel()
	for {
		answers := make([]protocol.Verified, conformance.Callers)
		errs := make([]error, conformance.Callers)
		err := conformance.Each(ctx, len(answers), len(answers), func(ctx context.Context, i int) error {
			answers[i], errs[i] = at.Ask(ctx, token)
			return nil
		})
		well := err == nil
		last := 0
		for i, v := range answers {
			if errs[i] == nil && over(v.Reply) {
				return 0, conformance.Violated(v.Reply, fmt.Sprintf("verify a living session's token at %s after an outage (%s): OK", at.Name(), o.kind), conformance.Describe(v.Reply))
			}
			if errs[i] != nil || v.Status != protocol.OK {
				well, last = false, i
			}
		}
		if well {
			return time.Since(began), nil
		}
		if conformance.Pause(ctx, 50*time.Millisecond) != nil {
			o.Way.Given.Store(true)
			return 0, away(fmt.Sprintf("%s after an outage (%s) of the database a living session is not accepted at %s", backWithin, o.kind, at.Name()), answers[last].Reply, errs[last])
		}
	}
}

// awayError is a core that is not back.
type awayError struct{ *conformance.Violation }

func (e *awayError) Error() string { return e.Got }

// away tells what a core does that is not back.
func away(what string, r protocol.Reply, err error) error {
	v := &conformance.Violation{Expected: fmt.Sprintf("a core that is back within %s", backWithin)}
	if err != nil {
		v.Got = what + ": " + err.Error()
	} else {
		v.Got, v.Exchange = what+": "+conformance.Describe(r), &r.Exchange
	}
	return &awayError{v}
}

// resting is an error for the rules that rest on a core that comes back, which is FA-04.
func resting(err error) error {
	var e *awayError
	if errors.As(err, &e) {
		return conformance.CouldNotFailf("%s (FA-04)", e.Got)
	}
	return err
}

// found is such an error for FA-04 itself.
func found(err error) error {
	var e *awayError
	if errors.As(err, &e) {
		return e.Violation
	}
	return err
}

// returned is back for the rules that rest on it.
func (o *outage) returned(ctx context.Context, at Instance, token string) error {
	_, err := o.back(ctx, at, token)
	return resting(err)
}

// living makes a session at a core that may have lost its database before, which needs not
// be over at once: nobody may have asked this core since.
func (o *outage) living(ctx context.Context, t *Trial, at Instance) (s protocol.Tokens, err error) {
	for end := time.Now().Add(backWithin); ; {
		s, err = liveSession(ctx, t, at, protocol.CreateRequest{})
		if err == nil || conformance.IsViolation(err) || o.Way.Broken() == 0 {
			return s, err
		}
		if o.Way.Given.Load() || time.Now().After(end) || conformance.Pause(ctx, 50*time.Millisecond) != nil {
			o.Way.Given.Store(true)
			return s, away("since an earlier outage of the database "+at.Name()+" makes no session that it accepts", protocol.Reply{}, err)
		}
	}
}

// over says whether an answer tells that a session is over.
func over(r protocol.Reply) bool {
	return r.Status == protocol.Unauthorised || r.Status == protocol.TokenTheft
}

// asks offers a token while the database is away and gives what is wrong with the answer.
func (o *outage) asks(at Instance, token string, wrong func(protocol.Reply) error) func(context.Context) error {
	return func(ctx context.Context) error {
		v, err := at.Ask(ctx, token)
		if err != nil {
			return nil //nolint:nilerr // no answer is none of a refusal, nor of an acceptance
		}
		return wrong(v.Reply)
	}
}

// closedWhileAway: one session is revoked and seen refused before, one revoked and not
// asked about since, and one revoked meanwhile by a core that keeps the database.
func closedWhileAway(ctx context.Context, t *Trial, o *outage) error {
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return resting(err)
	}
	known, knownGone, err := revokedAt(ctx, t, o.On)
	if err == nil {
		err = t.Refused(ctx, o.On, known.Access.Value, knownGone)
	}
	if err != nil {
		return err
	}
	unasked, unaskedGone, err := revokedAt(ctx, t, o.On)
	if err != nil {
		return err
	}
	late, err := liveSession(ctx, t, o.On, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	refused := func(when string) func(protocol.Reply) error {
		return func(r protocol.Reply) error {
			if r.Status != protocol.OK {
				return nil
			}
			return conformance.Violated(r, fmt.Sprintf("verify a token whose session was revoked %s, at %s while its database is away (%s): no OK", when, o.On.Name(), o.kind), "OK")
		}
	}
	var alive protocol.Verified
	calls := []func(context.Context) error{
		o.asks(o.On, known.Access.Value, refused("and refused before")),
		o.asks(o.On, unasked.Access.Value, refused("before")),
		func(ctx context.Context) error {
			if v, err := o.On.Ask(ctx, living.Access.Value); err == nil {
				alive = v
			}
			return nil
		},
	}
	var lateGone *conformance.Ended
	if o.Whole != nil {
		calls = append(calls, func(ctx context.Context) (err error) {
			if lateGone, err = t.Revoke(ctx, *o.Whole, late.Session.Handle); err != nil {
				return err
			}
			return o.asks(o.On, late.Access.Value, refused("meanwhile at "+o.Whole.Name()))(ctx)
		})
	}
	if err := o.during(ctx, calls...); err != nil {
		return err
	}
	// What was answered after the end of the outage shows nothing.
	if alive.Status == protocol.OK && alive.Returned.Before(o.over) {
		// It refuses what was revoked and knows what lives, so it asked somebody.
		return conformance.Lackf("outage", "the core went on telling living sessions from revoked ones while its database was away (%s): it keeps them elsewhere too", o.kind)
	}
	if err := o.returned(ctx, o.On, living.Access.Value); err != nil {
		return err
	}
	err = conformance.First(t.Refused(ctx, o.On, known.Access.Value, knownGone), t.Refused(ctx, o.On, unasked.Access.Value, unaskedGone))
	if err == nil && lateGone != nil {
		err = t.Refused(ctx, o.On, late.Access.Value, lateGone)
	}
	return err
}

// nobodySignedOut verifies one session and refreshes another while the database is away.
func nobodySignedOut(ctx context.Context, t *Trial, o *outage) error {
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return resting(err)
	}
	other, err := liveSession(ctx, t, o.On, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	signedOut := func(what string) func(protocol.Reply) error {
		return func(r protocol.Reply) error {
			if !over(r) {
				return nil
			}
			return conformance.Violated(r, fmt.Sprintf("%s at %s while its database is away (%s): an error, and not that the session is over", what, o.On.Name(), o.kind), conformance.Describe(r))
		}
	}
	calls := []func(context.Context) error{o.asks(o.On, living.Access.Value, signedOut("verify a living session's token"))}
	if o.On.Has(protocol.VerbRefresh) {
		calls = append(calls, func(ctx context.Context) error {
			r, err := o.On.Refresh(ctx, protocol.RefreshRequest{RefreshToken: other.Refresh.Value})
			if err != nil {
				return nil //nolint:nilerr // no answer signs nobody out
			}
			return signedOut("refresh a living session")(r.Reply)
		})
	}
	if err := o.during(ctx, calls...); err != nil {
		return err
	}
	if err := o.returned(ctx, o.On, living.Access.Value); err != nil || !o.On.Has(protocol.VerbRefresh) {
		return err
	}
	r, err := o.On.Refresh(ctx, protocol.RefreshRequest{RefreshToken: living.Refresh.Value})
	return conformance.Want(r.Reply, err, "refresh a session that lived through an outage at "+o.On.Name(), protocol.OK)
}

// revokedWhileAway revokes while the database is away, and holds the core to its answer.
func revokedWhileAway(ctx context.Context, t *Trial, o *outage) error {
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return resting(err)
	}
	s, err := liveSession(ctx, t, o.On, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	var said protocol.Revoked
	var failed error
	if err := o.during(ctx, func(ctx context.Context) error {
		said, failed = o.On.Revoke(ctx, s.Session.Handle)
		return nil
	}); err != nil {
		return err
	}
	if err := o.returned(ctx, o.On, living.Access.Value); err != nil {
		return err
	}
	if failed != nil || said.Status != protocol.OK {
		// Who was told of an error tries again.
		if said, err = o.On.Revoke(ctx, s.Session.Handle); err != nil || said.Status != protocol.OK {
			return conformance.Want(said.Reply, err, "revoke again after an outage at "+o.On.Name(), protocol.OK)
		}
	}
	gone := &conformance.Ended{Reply: said.Reply, Handles: said.Handles}
	if err := t.Refused(ctx, o.On, s.Access.Value, gone); err != nil || o.Whole == nil {
		return err
	}
	return t.Refused(ctx, *o.Whole, s.Access.Value, gone)
}

// backAgain has calls under way when the database is lost, as a busy core has, and works
// with the core after.
func backAgain(ctx context.Context, t *Trial, o *outage) error {
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return found(err)
	}
	none := func(protocol.Reply) error { return nil }
	var calls []func(context.Context) error
	for range 2 * conformance.Callers {
		calls = append(calls, o.asks(o.On, living.Access.Value, none))
	}
	if err := o.during(ctx, calls...); err != nil {
		return err
	}
	took, err := o.back(ctx, o.On, living.Access.Value)
	if err != nil {
		return found(err)
	}
	t.Observe("back after "+string(o.kind), took.Round(time.Millisecond).String())
	s, gone, err := revokedAt(ctx, t, o.On)
	if err != nil {
		return err
	}
	return t.Refused(ctx, o.On, s.Access.Value, gone)
}

// statelessWhileAway offers a fresh token to the side that does not check.
func statelessWhileAway(ctx context.Context, t *Trial, o *outage) error {
	if o.Off == nil {
		return conformance.Lackf("off-side", "needs a core whose flag is off that can lose its database")
	}
	s, err := o.living(ctx, t, *o.Off)
	if err != nil {
		return resting(err)
	}
	if err := o.Way.Break(ctx, o.kind); err != nil {
		return errors.Join(fmt.Errorf("take the database away (%s): %w", o.kind, err), o.Way.Mend(context.WithoutCancel(ctx)))
	}
	within, cancel := context.WithTimeout(ctx, statelessWithin)
	defer cancel()
	v, err := o.Off.Ask(within, s.Access.Value)
	if mendErr := o.Way.Mend(context.WithoutCancel(ctx)); mendErr != nil {
		return mendErr
	}
	what := fmt.Sprintf("verify a fresh token at %s without the database check while its database is away (%s)", o.Off.Name(), o.kind)
	switch {
	case err != nil && within.Err() != nil && ctx.Err() == nil:
		return &conformance.Violation{Expected: what + ": OK", Got: fmt.Sprintf("no answer within %s", statelessWithin)}
	default:
		err = conformance.Want(v.Reply, err, what, protocol.OK)
	}
	if err != nil {
		return err
	}
	return o.returned(ctx, *o.Off, s.Access.Value)
}

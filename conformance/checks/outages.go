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
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
)

const (
	// backWithin is how long after an outage a core must be back.
	backWithin = 30 * time.Second
	// shedWithin is how long a core may turn away what needs no database while calls that
	// wait for it hold its threads.
	shedWithin = 10 * time.Second
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
			Requirement: "While a core that checks the database cannot reach it, it accepts no token of a session that was revoked, and refreshes none: before the outage, there or at another core, or by another core meanwhile; and refuses all of them after.",
			Source:      specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(closedWhileAway),
		},
		{
			ID:          "FA-02",
			Title:       "an outage signs nobody out",
			Requirement: "While the database cannot be reached, a living session is not answered as one that is over, and after it the session is accepted and can be refreshed.",
			Source:      specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(nobodySignedOut),
		},
		{
			ID:          "FA-03",
			Title:       "a revoke that did not reach the database is not answered with OK",
			Requirement: "A revoke that is answered with OK during an outage has ended the session: its token is refused from then on, at every core. One that is answered otherwise can be tried again.",
			Source:      specRemove + ", " + specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(revokedWhileAway),
		},
		{
			ID:          "FA-04",
			Title:       "a core comes back by itself after an outage",
			Requirement: fmt.Sprintf("Within %s after the database can be reached again, a core that was not restarted and had calls under way makes, verifies and revokes sessions, and refuses revoked ones.", backWithin),
			Source:      specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: needs,
			Run: eachOutage(backAgain),
		},
		{
			ID:          "FA-05",
			Title:       "without the check, verify needs no database",
			Requirement: "A core that does not check the database accepts a fresh token while it cannot be reached: verification is stateless.",
			Source:      specStateless + ", " + specRules + ", rule 83", Profiles: []Profile{conformance.Faults}, Needs: Needs{Outage: true, OffSide: true},
			Run: func(ctx context.Context, c *T) error {
				if c.Protocol().Name() == oauth2.Name {
					return conformance.Lackf(lackProtocol, "without introspection a token is verified by whoever receives it, and no server is asked")
				}
				return eachOutage(statelessWhileAway)(ctx, c)
			},
		},
	}
}

// outage is one time that the database is away.
type outage struct {
	*conformance.Losable
	kind cores.Outage
	over time.Time // when its end began
	// nothing is why it shows nothing, which is told once the time after it has been
	// looked at; nil where it shows something.
	nothing error
	// waits for a core that others have given up.
	waits bool
	// signsOut: a living session that is answered as one that is over breaks the rule that
	// is tried; of the others it breaks none, as long as the core comes back.
	signsOut bool
}

// Why an outage shows nothing.
var (
	errUnheard = errors.New("nothing was answered before its end")
	errNotAway = errors.New("a living session was accepted meanwhile: the core did not need it")
)

// eachOutage tries a rule once in each way in which the database can be lost. One that
// shows nothing is noted; where none shows anything, that is what is lacking.
func eachOutage(try func(context.Context, *Trial, *outage) error) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		l, err := c.Losable(ctx)
		if err != nil {
			return err
		}
		kinds := l.Kinds()
		shown, why := false, ""
		if err := c.TrialsAtOnce(ctx, len(kinds), 1, func(ctx context.Context, t *Trial) error {
			kind := kinds[t.Index]
			o := &outage{Losable: l, kind: kind}
			if err := try(protocol.WithEveryAnswer(ctx), t, o); err != nil {
				return err
			}
			if shown = shown || o.nothing == nil; o.nothing != nil {
				why = fmt.Sprintf("%s: %s", kind, o.nothing)
				t.Observe("nothing is shown by an outage, "+string(kind), o.nothing.Error())
			}
			return nil
		}); err != nil || shown || why == "" {
			return err
		}
		return conformance.Lackf("outage", "no outage of the database showed anything; %s", why)
	}
}

// question is what is asked while the database is away.
type question struct {
	ask func(context.Context) (protocol.Reply, error)
	// wrong is what is wrong with an answer, whenever it comes; nil for nothing.
	wrong func(protocol.Reply) error
	// living: an OK before the end shows that the database was not away, or not needed.
	living bool
	// rule: it is the one that the rule is about, and must be answered before the end.
	rule bool
}

// askAt asks a core about a token.
func askAt(at Instance, token string) func(context.Context) (protocol.Reply, error) {
	return func(ctx context.Context) (protocol.Reply, error) {
		v, err := at.Ask(ctx, token)
		return v.Reply, err
	}
}

// breach is the violation in an error of a call: an answer outside of the protocol; nil
// for an error that is none.
func breach(what string, err error) error {
	if v := conformance.HarnessError(what, err); conformance.IsViolation(v) {
		return v
	}
	return nil
}

// control asks about a living session where that must not succeed.
func (o *outage) control(token string) question {
	return question{ask: askAt(o.On, token), living: true}
}

// during takes the database away, asks all at once, and gives it back when they have been
// answered. It returns when all are; an outage that shows nothing is noted.
func (o *outage) during(ctx context.Context, questions ...question) error {
	var calls []func(context.Context) error
	answers := make([]protocol.Reply, len(questions))
	for i, q := range questions {
		calls = append(calls, func(ctx context.Context) error {
			r, err := q.ask(ctx)
			if err != nil {
				// No answer is none of a refusal, nor of an acceptance.
				return breach("ask at "+o.On.Name()+" while its database is away", err)
			}
			if answers[i] = r; q.wrong != nil {
				return q.wrong(r)
			}
			return nil
		})
	}
	over, err := o.During(ctx, o.kind, func(ctx context.Context) error { return conformance.AtOnce(ctx, calls...) })
	o.over = over
	if err != nil {
		return err
	}
	for i, r := range answers {
		answered := !r.Returned.IsZero() && r.Returned.Before(over)
		switch q := questions[i]; {
		case answered && q.living && r.Status == protocol.OK:
			o.nothing = errNotAway
		case !answered && q.rule && o.nothing == nil:
			o.nothing = errUnheard
		}
	}
	return nil
}

// until is when a core must be back.
func (o *outage) until() time.Time {
	if o.over.IsZero() { // this one is to come, and one before it may just be over
		return time.Now().Add(backWithin)
	}
	return o.over.Add(backWithin)
}

// again repeats what must work after an outage until it does. What else is said is no
// matter until the core must be back.
func (o *outage) again(ctx context.Context, what string, at Instance, call func(context.Context) (protocol.Reply, error)) error {
	what = fmt.Sprintf("%s at %s after an outage of the database (%s)", what, at.Name(), o.kind)
	within, cancel := context.WithDeadline(ctx, o.until())
	defer cancel()
	for {
		r, err := call(within)
		switch {
		case err == nil && r.Status == protocol.OK:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && over(r) && o.signsOut:
			return conformance.Violated(r, what+": OK", conformance.Describe(r))
		case err != nil:
			if v := breach(what, err); v != nil {
				return v
			}
		}
		if o.GivenUp(at.Name()) && !o.waits || conformance.Pause(within, 50*time.Millisecond) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return away(what, r, err)
		}
	}
}

// refused wants a revoked session to be refused after an outage, by the first answer that
// is one.
func (o *outage) refused(ctx context.Context, t *Trial, at Instance, token string, gone *conformance.Ended) error {
	within, cancel := context.WithDeadline(ctx, o.until())
	defer cancel()
	for {
		v, err := at.Ask(within, token)
		if err == nil && v.HTTPStatus < 500 || ctx.Err() != nil || conformance.Pause(within, 50*time.Millisecond) != nil {
			if err != nil {
				return conformance.HarnessError("verify a revoked session at "+at.Name()+" after an outage", err)
			}
			return t.JudgeRefusal(ctx, at, token, v.Reply, gone)
		}
	}
}

// back waits until a living session is accepted by some calls at once, so that no
// connection of before is left.
func (o *outage) back(ctx context.Context, at Instance, token string) error {
	const calls = 4
	err := conformance.Each(ctx, calls, calls, func(ctx context.Context, _ int) error {
		return o.again(ctx, "verify a living session", at, askAt(at, token))
	})
	var e *awayError
	if errors.As(err, &e) {
		o.GiveUp(at.Name())
	}
	return err
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
	if errors.As(err, &e) && !conformance.IsViolation(err) {
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

// living makes a session at a core that may have lost its database before, which needs not
// be over at once: nobody may have asked this core since.
func (o *outage) living(ctx context.Context, t *Trial, at Instance) (s protocol.Tokens, err error) {
	for end := time.Now().Add(backWithin); ; {
		s, err = liveSession(ctx, t, at, protocol.CreateRequest{})
		if err == nil || conformance.IsViolation(err) || o.Ran() == 0 || ctx.Err() != nil {
			return s, err
		}
		if o.GivenUp(at.Name()) && !o.waits || time.Now().After(end) {
			o.GiveUp(at.Name())
			return s, away("since an earlier outage of the database "+at.Name()+" makes no session that it accepts", protocol.Reply{}, err)
		}
		if err := conformance.Pause(ctx, 50*time.Millisecond); err != nil {
			return s, err
		}
	}
}

// revoked ends a session, at a core that may have lost its database before.
func (o *outage) revoked(ctx context.Context, at Instance, s protocol.Tokens) (*conformance.Ended, error) {
	var said protocol.Revoked
	err := o.again(ctx, "revoke a session", at, func(ctx context.Context) (r protocol.Reply, err error) {
		said, err = at.Revoke(ctx, s.Session.Handle)
		return said.Reply, err
	})
	return &conformance.Ended{Reply: said.Reply, Handles: said.Handles}, err
}

// over says whether an answer tells that a session is over.
func over(r protocol.Reply) bool {
	return r.Status == protocol.Unauthorised || r.Status == protocol.TokenTheft
}

// closedWhileAway: one session is revoked and seen refused before, one revoked at another
// core and not asked about since, and one revoked meanwhile by a core that keeps the
// database.
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
	unasked, err := liveSession(ctx, t, o.On, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	peer := o.On
	if o.Peer != nil {
		peer = *o.Peer
	}
	unaskedGone, err := o.revoked(ctx, peer, unasked)
	if err != nil {
		return resting(err)
	}
	late, err := liveSession(ctx, t, o.On, protocol.CreateRequest{})
	if err != nil {
		return err
	}
	refused := func(what, when string) func(protocol.Reply) error {
		return func(r protocol.Reply) error {
			if r.Status != protocol.OK {
				return nil
			}
			return conformance.Violated(r, fmt.Sprintf("%s of a session that was revoked %s, at %s while its database is away (%s): no OK", what, when, o.On.Name(), o.kind), "OK")
		}
	}
	questions := []question{
		{ask: askAt(o.On, known.Access.Value), wrong: refused("verify", "and refused before")},
		{ask: askAt(o.On, unasked.Access.Value), wrong: refused("verify", "before at "+peer.Name()), rule: true},
		o.control(living.Access.Value),
	}
	if o.On.Has(protocol.VerbRefresh) {
		questions = append(questions, question{ask: func(ctx context.Context) (protocol.Reply, error) {
			r, err := o.On.Refresh(ctx, protocol.RefreshRequest{RefreshToken: unasked.Refresh.Value})
			return r.Reply, err
		}, wrong: refused("refresh", "before at "+peer.Name())})
	}
	var lateGone *conformance.Ended
	var lateErr error
	if o.Whole != nil {
		questions = append(questions, question{ask: func(ctx context.Context) (protocol.Reply, error) {
			if lateGone, lateErr = t.Revoke(ctx, *o.Whole, late.Session.Handle); lateErr != nil {
				return protocol.Reply{}, lateErr
			}
			v, err := o.On.Ask(ctx, late.Access.Value)
			return v.Reply, err
		}, wrong: refused("verify", "meanwhile at "+o.Whole.Name()), rule: true})
	}
	if err := o.during(ctx, questions...); err != nil {
		return err
	}
	if lateErr != nil {
		return lateErr
	}
	if err := o.back(ctx, o.On, living.Access.Value); err != nil {
		return resting(err)
	}
	err = o.refused(ctx, t, o.On, known.Access.Value, knownGone)
	if err == nil {
		err = o.refused(ctx, t, o.On, unasked.Access.Value, unaskedGone)
	}
	if err == nil && lateGone != nil {
		err = o.refused(ctx, t, o.On, late.Access.Value, lateGone)
	}
	return err
}

// nobodySignedOut verifies one session and refreshes another while the database is away.
func nobodySignedOut(ctx context.Context, t *Trial, o *outage) error {
	o.signsOut = true
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return resting(err)
	}
	var more [3]protocol.Tokens
	for i := range more {
		if more[i], err = liveSession(ctx, t, o.On, protocol.CreateRequest{}); err != nil {
			return err
		}
	}
	other, spare, spare2 := more[0], more[1], more[2]
	signedOut := func(what string) func(protocol.Reply) error {
		return func(r protocol.Reply) error {
			if !over(r) {
				return nil
			}
			return conformance.Violated(r, fmt.Sprintf("%s at %s while its database is away (%s): an error, and not that the session is over", what, o.On.Name(), o.kind), conformance.Describe(r))
		}
	}
	questions := []question{{ask: askAt(o.On, living.Access.Value), wrong: signedOut("verify a living session's token"), living: true, rule: true}}
	var failed protocol.Reply // of the refresh, before the end
	refresh := func(s protocol.Tokens) func(context.Context) (protocol.Reply, error) {
		return func(ctx context.Context) (protocol.Reply, error) {
			r, err := o.On.Refresh(ctx, protocol.RefreshRequest{RefreshToken: s.Refresh.Value})
			return r.Reply, err
		}
	}
	if o.On.Has(protocol.VerbRefresh) {
		questions = append(questions, question{ask: func(ctx context.Context) (protocol.Reply, error) {
			r, err := refresh(other)(ctx)
			if err == nil && r.Status != protocol.OK {
				failed = r
			}
			return r, err
		}, wrong: signedOut("refresh a living session")})
	}
	if err := o.during(ctx, questions...); err != nil {
		return err
	}
	if err := o.back(ctx, o.On, living.Access.Value); err != nil || !o.On.Has(protocol.VerbRefresh) {
		return resting(err)
	}
	if err := o.refreshed(ctx, refresh, living, spare, spare2); err != nil {
		return resting(err)
	}
	// What is refused cannot have reached the database; after a silence nobody knows.
	if o.kind != cores.Refused || failed.Returned.IsZero() || !failed.Returned.Before(o.over) {
		return nil
	}
	if err := o.back(ctx, o.On, other.Access.Value); err != nil {
		return resting(err)
	}
	return resting(o.refreshed(ctx, refresh, other))
}

// refreshed wants sessions that lived through an outage to be refreshed: the first of
// them, or where that is answered with an error, the next. The same again could be a reuse,
// of a refresh that was made and whose answer was not.
func (o *outage) refreshed(ctx context.Context, refresh func(protocol.Tokens) func(context.Context) (protocol.Reply, error), sessions ...protocol.Tokens) error {
	for _, s := range sessions {
		r, err := refresh(s)(ctx)
		switch {
		case err == nil && r.HTTPStatus < 500:
			return conformance.Want(r, nil, fmt.Sprintf("refresh a session at %s that lived through an outage (%s)", o.On.Name(), o.kind), protocol.OK)
		case err != nil:
			if v := breach("refresh a session that lived through an outage at "+o.On.Name(), err); v != nil {
				return v
			}
		}
		if err := o.back(ctx, o.On, s.Access.Value); err != nil {
			return err
		}
	}
	return nil
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
	var gone *conformance.Ended
	if err := o.during(ctx, o.control(living.Access.Value), question{ask: func(ctx context.Context) (protocol.Reply, error) {
		said, err := o.On.Revoke(ctx, s.Session.Handle)
		if err != nil || said.Status != protocol.OK {
			return said.Reply, err
		}
		gone = &conformance.Ended{Reply: said.Reply, Handles: said.Handles}
		if o.Whole != nil { // which can be asked at once
			err = t.Refused(ctx, *o.Whole, s.Access.Value, gone)
		}
		return said.Reply, err
	}, rule: true}); err != nil {
		return err
	}
	if err := o.back(ctx, o.On, living.Access.Value); err != nil {
		return resting(err)
	}
	if gone == nil { // who was told of an error tries again
		if gone, err = o.revoked(ctx, o.On, s); err != nil {
			return resting(err)
		}
	}
	if err := o.refused(ctx, t, o.On, s.Access.Value, gone); err != nil || o.Whole == nil {
		return err
	}
	return o.refused(ctx, t, *o.Whole, s.Access.Value, gone)
}

// backAgain has calls under way when the database is lost, as a busy core has, and works
// with the core after.
func backAgain(ctx context.Context, t *Trial, o *outage) error {
	o.waits = true
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return found(err)
	}
	const callers = 2
	ask := askAt(o.On, living.Access.Value)
	begun := make(chan struct{})
	var busy sync.WaitGroup
	defer busy.Wait()
	loading, stop := context.WithCancel(ctx)
	defer stop()
	for range callers {
		busy.Go(func() {
			for loading.Err() == nil {
				_, _ = ask(loading)
				select {
				case <-begun:
					return
				case <-time.After(5 * time.Millisecond): // a file that is read all the time cannot be locked
				}
			}
		})
	}
	if err := o.during(ctx, question{ask: func(ctx context.Context) (protocol.Reply, error) {
		close(begun)
		return ask(ctx)
	}, living: true}); err != nil {
		return err
	}
	if err := o.back(ctx, o.On, living.Access.Value); err != nil {
		return found(err)
	}
	t.Observe("back after "+string(o.kind), time.Since(o.over).Round(time.Millisecond).String())
	s, err := o.living(ctx, t, o.On)
	if err != nil {
		return found(err)
	}
	gone, err := o.revoked(ctx, o.On, s)
	if err != nil {
		return found(err)
	}
	return o.refused(ctx, t, o.On, s.Access.Value, gone)
}

// statelessWhileAway offers a fresh token to the side that does not check.
func statelessWhileAway(ctx context.Context, t *Trial, o *outage) error {
	if o.Off == nil {
		return conformance.Lackf("off-side", "needs a core whose flag is off that can lose its database")
	}
	living, err := o.living(ctx, t, o.On)
	if err != nil {
		return resting(err)
	}
	s, err := o.living(ctx, t, *o.Off)
	if err != nil {
		return resting(err)
	}
	what := fmt.Sprintf("verify a fresh token at %s without the database check while its database is away (%s)", o.Off.Name(), o.kind)
	return o.during(ctx, o.control(living.Access.Value), question{ask: func(ctx context.Context) (r protocol.Reply, err error) {
		for end := time.Now().Add(shedWithin); ; {
			v, err := o.Off.Ask(ctx, s.Access.Value)
			if err == nil && v.HTTPStatus < 500 || time.Now().After(end) || conformance.Pause(ctx, 200*time.Millisecond) != nil {
				return v.Reply, err
			}
		}
	}, wrong: func(r protocol.Reply) error {
		return conformance.Want(r, nil, what, protocol.OK)
	}, rule: true})
}

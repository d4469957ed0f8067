package checks

import (
	"context"
	"slices"
	"sync"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

const (
	// raceWant trials that met are wanted of each order, and at least raceLeast
	// trials in all.
	raceWant, raceLeast = 10, 32

	afterwardsGone = "after the revoke's response the session is over"
)

// raceChecks: a revoke and another call at the same moment, from a barrier, over
// all instances. Whatever comes first, afterwards the session is over.
func raceChecks() []Check {
	race := func(id, title, requirement, source string, needs Needs, prepare, call move) Check {
		needs.Serial = true
		return Check{
			ID: id, Title: title, Requirement: requirement, Source: source,
			Profiles: []Profile{conformance.Blacklisting}, Needs: needs,
			Run: againstRevoke(prepare, call),
		}
	}
	refreshing := []protocol.Verb{protocol.VerbRefresh}
	graceful := []protocol.Verb{protocol.VerbRefresh, protocol.VerbGrace}
	return []Check{
		race("BL-50", "refresh against revoke",
			"A refresh that runs at the same time as a revoke is OK or UNAUTHORISED; "+afterwardsGone+", with every token that the refresh gave.",
			specRaces+"; better-auth issue 11073, ayunis-core issue 1047 (refresh in flight brings the session back)",
			Needs{Verbs: refreshing}, nil, refreshRival),
		{
			ID:          "BL-51",
			Title:       "revoke of all against login",
			Requirement: "A session created at the same time as a revoke of all the user's sessions is wholly alive or wholly over, as the revoke reports; all older ones are over.",
			Source:      specRaces + "; idenplane issue 574",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true, Verbs: []protocol.Verb{protocol.VerbRevokeUser}},
			Run:         revokeAllAgainstLogin,
		},
		race("BL-52", "payload update against revoke",
			"A write of the token payload at the same time as a revoke is OK or UNAUTHORISED; "+afterwardsGone+".",
			specRaces+"; auth0/nextjs-auth0 issue 2530",
			Needs{Verbs: []protocol.Verb{protocol.VerbSetPayload}}, nil,
			func(ctx context.Context, t *Trial, at Instance, s *rival) (protocol.Reply, error) {
				r, err := at.SetPayload(ctx, s.tokens.Session.Handle, map[string]any{"n": t.Index})
				return r, okOrGone(r, err, "write the payload during a revoke at "+at.Name())
			}),
		race("BL-53", "data update against revoke",
			"A write of the stored data at the same time as a revoke is OK or UNAUTHORISED; "+afterwardsGone+".",
			specRaces+"; expressjs/session issue 632",
			Needs{Verbs: []protocol.Verb{protocol.VerbSetData}}, nil,
			func(ctx context.Context, t *Trial, at Instance, s *rival) (protocol.Reply, error) {
				r, err := at.SetData(ctx, s.tokens.Session.Handle, map[string]any{"n": t.Index})
				return r, okOrGone(r, err, "write the data during a revoke at "+at.Name())
			}),
		race("BL-54", "promotion against revoke",
			"A first verify of a refreshed token at the same time as a revoke is OK or UNAUTHORISED; "+afterwardsGone+", with the token that verify handed out.",
			specPromotion+", "+specRaces,
			Needs{Verbs: refreshing, Below: "5.6"}, refreshFirst, promotionRival),
		race("BL-55", "regenerate against revoke",
			"A regenerate at the same time as a revoke is OK or UNAUTHORISED; "+afterwardsGone+", with the token that regenerate gave.",
			specRegenerate+", "+specRaces,
			Needs{Verbs: []protocol.Verb{protocol.VerbRegenerate}}, nil,
			func(ctx context.Context, t *Trial, at Instance, s *rival) (protocol.Reply, error) {
				g, err := at.Regenerate(ctx, s.tokens.Access.Value, map[string]any{"n": t.Index})
				s.keep(g.Access.Value, "")
				return g.Reply, okOrGone(g.Reply, err, "regenerate during a revoke at "+at.Name())
			}),
		{
			ID:          "BL-56",
			Title:       "two refreshes of one token at once",
			Requirement: "Two refreshes at the same time with the same unused refresh token are both OK and give different tokens; a revoke afterwards ends both.",
			Source:      specRefresh + "; ory/hydra issue 3604",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true, Verbs: graceful},
			Run:         doubleRefresh,
		},
		{
			ID:          "BL-58",
			Title:       "two revokes of one session at once",
			Requirement: "Of two revokes of one handle at the same time, both are OK and exactly one reports the handle; the session is over after the first response.",
			Source:      specRemove,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true},
			Run:         twoRevokes,
		},
		{
			ID:          "BL-75",
			Title:       "a revoke against another of the same user",
			Requirement: "Of two revokes of different sessions of one user at the same time, each ends its own: both sessions are over after both responses. A core that keeps a user's sessions together must not write back what it had read.",
			Source:      specRemove + ", " + specRaces,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true},
			Run:         besideRevoke(false),
		},
		{
			ID:          "BL-76",
			Title:       "a revoke against a login of the same user",
			Requirement: "A login at the same time as a revoke of another session of that user leaves the one over and makes the other: it is verified and listed, and a later revoke of all the user's sessions ends it. A core that keeps a list of a user's sessions must not write back what it had read.",
			Source:      specRemove + ", " + specRaces,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Serial: true},
			Run:         besideRevoke(true),
		},
		race("BL-61", "refresh with the previous token against revoke",
			"Where refresh retires a token at once, a refresh with the retired one within its grace at the same time as a revoke is OK or UNAUTHORISED; "+afterwardsGone+", with every token that the refresh gave.",
			specRotation+", "+specRaces,
			Needs{Verbs: graceful, From: "5.6"}, refreshFirst, refreshRival),
	}
}

// rival is a session that a revoke and another call meet at.
type rival struct {
	tokens  protocol.Tokens
	mu      sync.Mutex
	access  []string
	refresh []string
}

// keep notes tokens that the session got; empty ones are left out.
func (r *rival) keep(access, refresh string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if access != "" {
		r.access = append(r.access, access)
	}
	if refresh != "" {
		r.refresh = append(r.refresh, refresh)
	}
}

// move is one call on a rival.
type move func(ctx context.Context, t *Trial, at Instance, s *rival) (protocol.Reply, error)

func okOrGone(r protocol.Reply, err error, what string) error {
	return conformance.Want(r, err, what, protocol.OK, protocol.Unauthorised)
}

// againstRevoke prepares a session (prepare may be nil), lets a call and a
// revoke meet, by handle or by user in turn, and afterwards wants the session to
// be over. A call that was OK took effect first: the revoke ended what it left.
func againstRevoke(prepare, call move) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
			s, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
			if err != nil {
				return err
			}
			r := &rival{tokens: s}
			r.keep(s.Access.Value, s.Refresh.Value)
			if prepare != nil {
				if _, err := prepare(ctx, t, anyOn(t), r); err != nil {
					return err
				}
			}
			here, there := anyOn(t), anyOn(t)
			token := r.access[len(r.access)-1]
			kind, end := inTurn(t, there, s.Session)
			var gone *conformance.Ended
			var answer protocol.Reply
			err = t.Meet(ctx, kind,
				func(ctx context.Context) (_ protocol.Reply, err error) {
					answer, err = call(ctx, t, here, r)
					return answer, err
				},
				ending(t, &gone, token, end),
				func() string { return byAnswer(answer.Status) })
			if err != nil {
				return err
			}
			// Newest first: what came out of the race is what may have survived.
			slices.Reverse(r.access)
			slices.Reverse(r.refresh)
			return assertSessionGone(ctx, t, formerSession{
				handle: s.Session.Handle, user: s.Session.UserID, gone: gone, access: r.access, refresh: r.refresh[:min(1, len(r.refresh))],
			})
		})
	}
}

// inTurn is how a trial ends a session at an instance: by its handle, or, in every second
// trial, as all of its user's. kind is a word for it.
func inTurn(t *Trial, at Instance, s protocol.Session) (kind string, end func(context.Context) (*conformance.Ended, error)) {
	if t.Index%2 == 1 && at.Has(protocol.VerbRevokeUser) {
		return "revoke by user", func(ctx context.Context) (*conformance.Ended, error) { return t.RevokeUser(ctx, at, s.UserID) }
	}
	return "revoke by handle", func(ctx context.Context) (*conformance.Ended, error) { return t.Revoke(ctx, at, s.Handle) }
}

// byAnswer tells from a call's answer whether it took effect before the revoke.
func byAnswer(s protocol.Status) string {
	switch s {
	case protocol.OK:
		return conformance.AFirst
	case protocol.Unauthorised:
		return conformance.BFirst
	}
	return ""
}

// ending is the move of a revoke. Its answer ends the session, whatever the other call
// still does: in a random half of the trials a token of it is verified at once, and not
// only when both have their answers. In the other half no refusal that a core remembers
// can hide what the other call brings back. Meet keeps the revoke's interval alone.
func ending(t *Trial, gone **conformance.Ended, token string, revoke func(context.Context) (*conformance.Ended, error)) conformance.Move {
	atOnce, at := t.Rand.IntN(2) == 0, anyOn(t)
	return func(ctx context.Context) (protocol.Reply, error) {
		ended, err := revoke(ctx)
		if err != nil {
			return protocol.Reply{}, err
		}
		*gone = ended
		if atOnce {
			err = t.Refused(ctx, at, token, ended)
		}
		return ended.Reply, err
	}
}

func refreshRival(ctx context.Context, _ *Trial, at Instance, s *rival) (protocol.Reply, error) {
	r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: s.tokens.Refresh.Value})
	s.keep(r.Access.Value, r.Refresh.Value)
	return r.Reply, okOrGone(r.Reply, err, "refresh during a revoke at "+at.Name())
}

// refreshFirst leaves a refreshed token behind that nobody has used.
func refreshFirst(ctx context.Context, _ *Trial, at Instance, s *rival) (protocol.Reply, error) {
	r, err := refresh(ctx, at, s.tokens.Refresh.Value, false)
	s.keep(r.Access.Value, r.Refresh.Value)
	return r.Reply, err
}

func promotionRival(ctx context.Context, _ *Trial, at Instance, s *rival) (protocol.Reply, error) {
	v, err := at.Ask(ctx, s.access[len(s.access)-1])
	s.keep(v.Access.Value, "")
	return v.Reply, okOrGone(v.Reply, err, "verify a refreshed token during a revoke at "+at.Name())
}

func revokeAllAgainstLogin(ctx context.Context, c *T) error {
	return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
		old, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
		if err != nil {
			return err
		}
		user := old.Session.UserID
		here, there := anyOn(t), anyOn(t)
		var login protocol.Tokens
		var gone *conformance.Ended
		told := here.Has(protocol.VerbReport)
		reported := func() bool { return slices.Contains(gone.Handles, login.Session.Handle) }
		if err := t.Meet(ctx, "",
			func(ctx context.Context) (_ protocol.Reply, err error) {
				login, err = here.Create(ctx, protocol.CreateRequest{UserID: user})
				if err == nil && !told && login.Status != protocol.OK {
					// It takes several requests, and the revoke came between them.
					t.Observe("aLoginWasEndedWith", conformance.Describe(login.Reply))
					return login.Reply, nil
				}
				return login.Reply, conformance.Want(login.Reply, err, "login during a revoke of all at "+here.Name(), protocol.OK)
			},
			ending(t, &gone, old.Access.Value, func(ctx context.Context) (*conformance.Ended, error) {
				return t.RevokeUser(ctx, there, user)
			}),
			func() string {
				switch {
				case !told:
					return "" // nobody says
				case gone != nil && reported():
					return conformance.AFirst
				}
				return conformance.BFirst
			},
		); err != nil {
			return err
		}
		if err := t.Refused(ctx, anyOn(t), old.Access.Value, gone); err != nil {
			return err
		}
		if login.Status != protocol.OK {
			return nil // over before it was there
		}
		if !told {
			v, err := anyOn(t).Ask(ctx, login.Access.Value)
			if err := okOrGone(v.Reply, err, "verify a login that ran at the same time as a revoke of all"); err != nil {
				return err
			}
			if v.Status == protocol.OK {
				return whollyAlive(ctx, t, login, unreported)
			}
		} else if !reported() {
			return whollyAlive(ctx, t, login, unreported)
		}
		return assertSessionGone(ctx, t, formerSession{
			handle: login.Session.Handle, user: user, gone: gone,
			access: []string{login.Access.Value}, refresh: []string{login.Refresh.Value},
		})
	})
}

// unreported is a session that whollyAlive is asked about.
const unreported = "a login that the revoke did not report"

// whollyAlive wants a session that no revoke ended to be alive everywhere; what says
// which it is.
func whollyAlive(ctx context.Context, t *Trial, s protocol.Tokens, what string) error {
	for _, at := range t.On() {
		if err := stays(ctx, t, at, s.Access.Value, what); err != nil {
			return err
		}
		if !at.Has(protocol.VerbList) {
			continue
		}
		l, err := at.List(ctx, s.Session.UserID)
		if err := conformance.Need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
			return err
		}
		if !slices.Contains(l.Handles, s.Session.Handle) {
			return conformance.Violated(l.Reply, "a listing with "+what, "it is not listed at "+at.Name())
		}
	}
	return nil
}

// twoRefreshes lets two refreshes with the same token of a new session meet; each must
// be answered with one of the statuses.
func twoRefreshes(ctx context.Context, t *Trial, statuses ...protocol.Status) (s protocol.Tokens, got [2]protocol.Tokens, err error) {
	s, err = liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
	if err != nil {
		return s, got, err
	}
	move := func(i int) conformance.Move {
		at := anyOn(t)
		return func(ctx context.Context) (_ protocol.Reply, err error) {
			got[i], err = at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: s.Refresh.Value})
			return got[i].Reply, conformance.Want(got[i].Reply, err, "refresh at the same time as another with the same token at "+at.Name(), statuses...)
		}
	}
	return s, got, t.Meet(ctx, "", move(0), move(1), nil)
}

func doubleRefresh(ctx context.Context, c *T) error {
	return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
		s, got, err := twoRefreshes(ctx, t, protocol.OK)
		if err != nil {
			return err
		}
		if got[0].Refresh.Value == got[1].Refresh.Value {
			return conformance.Violated(got[1].Reply, "two different refresh tokens", "the same one twice")
		}
		if err := bothStay(ctx, t, got); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, anyOn(t), s.Session.Handle)
		if err != nil {
			return err
		}
		return assertSessionGone(ctx, t, formerSession{
			handle: s.Session.Handle, user: s.Session.UserID, gone: gone,
			access:  []string{got[0].Access.Value, got[1].Access.Value},
			refresh: []string{got[0].Refresh.Value, got[1].Refresh.Value},
		})
	})
}

// bothStay wants both tokens accepted; from CDI 5.6 on, the refresh that came
// second displaces the other, so exactly one is accepted there.
func bothStay(ctx context.Context, t *Trial, got [2]protocol.Tokens) error {
	at := anyOn(t)
	if !t.AtLeast("5.6") {
		return conformance.First(
			stays(ctx, t, at, got[0].Access.Value, "a token from one of two refreshes"),
			stays(ctx, t, at, got[1].Access.Value, "a token from the other of two refreshes"),
		)
	}
	one := stays(ctx, t, at, got[0].Access.Value, "a token from one of two refreshes")
	other := stays(ctx, t, at, got[1].Access.Value, "a token from the other of two refreshes")
	if one != nil && other != nil {
		return other
	}
	return nil
}

func twoRevokes(ctx context.Context, c *T) error {
	return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
		s, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
		if err != nil {
			return err
		}
		var got [2]*conformance.Ended
		at := [2]Instance{anyOn(t), anyOn(t)}
		move := func(i int) conformance.Move {
			return ending(t, &got[i], s.Access.Value, func(ctx context.Context) (*conformance.Ended, error) {
				return t.Revoke(ctx, at[i], s.Session.Handle)
			})
		}
		if err := t.Meet(ctx, "", move(0), move(1), nil); err != nil {
			return err
		}
		if n := len(got[0].Handles) + len(got[1].Handles); n != 1 && at[0].Has(protocol.VerbReport) {
			return conformance.Violated(got[1].Reply, "exactly one of two revokes to report the handle", fraction(n, 2)+" did")
		}
		// Even the one that found nothing proves that the session is over.
		for i := range got {
			if err := t.Refused(ctx, at[i], s.Access.Value, got[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// besideRevoke lets a revoke by handle meet another call about the same user: a login,
// or a revoke of another of his sessions. Neither may undo the other, nor make a later
// revoke of all miss something.
func besideRevoke(login bool) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		return c.Races(ctx, raceWant, raceLeast, func(ctx context.Context, t *Trial) error {
			user := t.NewUser()
			s, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{UserID: user})
			if err != nil {
				return err
			}
			other, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{UserID: user})
			if err != nil {
				return err
			}
			older := other
			here, there := anyOn(t), anyOn(t)
			var gone, beside *conformance.Ended
			rival := ending(t, &beside, other.Access.Value, func(ctx context.Context) (*conformance.Ended, error) {
				return t.Revoke(ctx, here, other.Session.Handle)
			})
			if login {
				rival = func(ctx context.Context) (_ protocol.Reply, err error) {
					other, err = here.Create(ctx, protocol.CreateRequest{UserID: user})
					return other.Reply, conformance.Want(other.Reply, err, "login during a revoke at "+here.Name(), protocol.OK)
				}
			}
			if err := t.Meet(ctx, "", rival, ending(t, &gone, s.Access.Value, func(ctx context.Context) (*conformance.Ended, error) {
				return t.Revoke(ctx, there, s.Session.Handle)
			}), nil); err != nil {
				return err
			}
			if err := t.Refused(ctx, anyOn(t), s.Access.Value, gone); err != nil {
				return err
			}
			if !login {
				return t.Refused(ctx, anyOn(t), other.Access.Value, beside)
			}
			if err := whollyAlive(ctx, t, other, "a login during the revoke of another session"); err != nil {
				return err
			}
			return endsLogin(ctx, t, older, other)
		})
	}
}

// endsLogin ends all sessions of a user, where the protocol can, and wants the one that he
// made during a revoke to be over like the older one: what finds it by its name may find
// it, and what goes by a list of the user's sessions not.
func endsLogin(ctx context.Context, t *Trial, older, login protocol.Tokens) error {
	end, ends, at := byHandles, []string{login.Session.Handle}, anyOn(t)
	if at.Has(protocol.VerbRevokeUser) {
		end, ends = byUser, append(ends, older.Session.Handle)
	}
	gone, err := end(ctx, t, at, login.Session.UserID, ends)
	if err != nil {
		return err
	}
	if err := assertSessionGone(ctx, t, formerSession{
		handle: login.Session.Handle, user: login.Session.UserID, gone: gone,
		access: []string{login.Access.Value}, refresh: []string{login.Refresh.Value},
	}); err != nil {
		return err
	}
	return sameHandles(at, gone, ends)
}

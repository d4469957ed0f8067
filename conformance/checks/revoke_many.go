package checks

import (
	"context"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// revokeAll ends all the sessions of a user in one call.
type revokeAll func(ctx context.Context, t *Trial, at Instance, user string, handles []string) (*conformance.Ended, error)

func byHandles(ctx context.Context, t *Trial, at Instance, _ string, handles []string) (*conformance.Ended, error) {
	return t.Revoke(ctx, at, handles...)
}

func byUser(ctx context.Context, t *Trial, at Instance, user string, _ []string) (*conformance.Ended, error) {
	return t.RevokeUser(ctx, at, user)
}

// manyRefused ends many sessions in one call and asks for each once.
func manyRefused(trials, sessions int, revoke revokeAll) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		return c.Trials(ctx, trials, func(ctx context.Context, t *Trial) error {
			at, user := anyOn(t), t.NewUser()
			made, err := many(ctx, t, at, user, sessionsOf(t, sessions))
			if err != nil {
				return err
			}
			handles := handlesOf(made)
			gone, err := revoke(ctx, t, anyOn(t), user, handles)
			if err != nil {
				return err
			}
			// In random order: whatever part of them a core forgets, some of it
			// is asked for early.
			order := t.Rand.Perm(len(made))
			if err := conformance.Each(ctx, len(made), conformance.Callers, func(ctx context.Context, i int) error {
				return t.Refused(ctx, t.On()[i%len(t.On())], made[order[i]].Access.Value, gone)
			}); err != nil {
				return err
			}
			return sameHandles(anyOn(t), gone, handles)
		})
	}
}

// fewSessions of a user, in versions that are only touched.
const fewSessions = 3

// sessionsOf is how many of n sessions are made in the version that is tried.
func sessionsOf(t *Trial, n int) int {
	if t.Whole() {
		return n
	}
	return min(n, fewSessions)
}

func acrossInstances(ctx context.Context, c *T) error {
	return c.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
		for i, at := range t.On() {
			user := t.NewUser()
			live, err := liveSession(ctx, t, at, protocol.CreateRequest{UserID: user})
			if err != nil {
				return err
			}
			for _, other := range t.On() {
				if err := accepted(ctx, t, other, live.Access.Value); err != nil {
					return err
				}
			}
			end := byHandles
			if t.Index%2 == 1 && at.Has(protocol.VerbRevokeUser) {
				end = byUser
			}
			gone, err := end(ctx, t, at, user, []string{live.Session.Handle})
			if err != nil {
				return err
			}
			// The others first: the one that was told of the revoke knows.
			for k := range t.On() {
				other := t.On()[(i+1+k)%len(t.On())]
				if err := t.Refused(ctx, other, live.Access.Value, gone); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// everyVersion makes a session with each version that the core speaks and wants
// its token refused in the version that is tried.
func everyVersion(ctx context.Context, c *T) error {
	versions := c.Spoken()
	c.Observe("versions", strings.Join(versions, " "))
	makers := map[string][]Instance{}
	for _, v := range versions {
		at, err := c.Connect(v)
		if err != nil {
			return err
		}
		makers[v] = at
	}
	spelt := map[string]bool{} // by the form of the token; one trial is under way at a time
	return c.TrialsAtOnce(ctx, len(versions), 1, func(ctx context.Context, t *Trial) error {
		v := versions[t.Index%len(versions)]
		at := anyOn(t)
		maker := makers[v][t.Rand.IntN(len(makers[v]))]
		static := t.Rand.IntN(2) == 0
		if err := t.Beside(ctx, maker, protocol.CreateRequest{StaticKey: static}); err != nil {
			return err
		}
		made, err := maker.Create(ctx, protocol.CreateRequest{UserID: t.NewUser(), StaticKey: static})
		if err := conformance.Need(made.Reply, err, "create a session with version "+v); err != nil {
			return err
		}
		if err := accepted(ctx, t, at, made.Access.Value); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, made.Session.Handle)
		if err != nil {
			return err
		}
		if err := t.Refused(ctx, at, made.Access.Value, gone); err != nil {
			return err
		}
		form := formOf(made.Access.Value)
		if spelt[form] {
			return nil
		}
		spelt[form] = true
		return spellingsRefused(ctx, t, at, made.Access.Value)
	})
}

func othersStay(ctx context.Context, c *T) error {
	return c.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
		at, user := anyOn(t), t.NewUser()
		made, err := many(ctx, t, at, user, 4)
		if err != nil {
			return err
		}
		victim := t.Rand.IntN(len(made))
		gone, err := t.Revoke(ctx, at, made[victim].Session.Handle)
		if err != nil {
			return err
		}
		for i, m := range made {
			if i == victim {
				err = t.Refused(ctx, anyOn(t), m.Access.Value, gone)
			} else {
				err = stays(ctx, t, anyOn(t), m.Access.Value, "another session of the same user")
			}
			if err != nil {
				return err
			}
		}
		return sameHandles(anyOn(t), gone, []string{made[victim].Session.Handle})
	})
}

func otherUsersStay(ctx context.Context, c *T) error {
	return c.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		gone, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		other, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		r, err := t.RevokeUser(ctx, at, gone.Session.UserID)
		if err != nil {
			return err
		}
		if err := stays(ctx, t, anyOn(t), other.Access.Value, "another user's session"); err != nil {
			return err
		}
		if err := t.Refused(ctx, anyOn(t), gone.Access.Value, r); err != nil {
			return err
		}
		return sameHandles(anyOn(t), r, []string{gone.Session.Handle})
	})
}

// loginBetween ends all sessions of a user twice, with a login in between. In half of the
// trials the sessions are listed before each login: a core that remembers who was there
// misses the one who came.
func loginBetween(ctx context.Context, c *T) error {
	return c.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		first, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
		if err != nil {
			return err
		}
		old, user := []protocol.Tokens{first}, first.Session.UserID
		listFirst := t.Index%2 == 1 && at.Has(protocol.VerbList)
		login := func() (protocol.Tokens, error) {
			if listFirst {
				l, err := at.List(ctx, user)
				if err := conformance.Need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
					return protocol.Tokens{}, err
				}
			}
			return newSession(ctx, t, anyOn(t), protocol.CreateRequest{UserID: user})
		}
		if listFirst {
			second, err := login()
			if err != nil {
				return err
			}
			if err := accepted(ctx, t, anyOn(t), second.Access.Value); err != nil {
				return err
			}
			old = append(old, second)
		}
		gone, err := t.RevokeUser(ctx, at, user)
		if err != nil {
			return err
		}
		if err := allRefused(ctx, t, old, gone); err != nil {
			return err
		}
		next, err := login()
		if err != nil {
			return err
		}
		for _, one := range t.On() {
			if err := stays(ctx, t, one, next.Access.Value, "a session made after the revoke of all"); err != nil {
				return err
			}
		}
		again, err := t.RevokeUser(ctx, at, user)
		if err != nil {
			return err
		}
		if err := allRefused(ctx, t, []protocol.Tokens{next}, again); err != nil {
			return err
		}
		for _, s := range old {
			if err := t.Refused(ctx, anyOn(t), s.Access.Value, gone); err != nil {
				return err
			}
		}
		return nil
	})
}

// allRefused wants each of some sessions refused, and all reported by their revoke.
func allRefused(ctx context.Context, t *Trial, made []protocol.Tokens, gone *conformance.Ended) error {
	for _, s := range made {
		if err := t.Refused(ctx, anyOn(t), s.Access.Value, gone); err != nil {
			return err
		}
	}
	return sameHandles(anyOn(t), gone, handlesOf(made))
}

func handlesOf(made []protocol.Tokens) (handles []string) {
	for _, s := range made {
		handles = append(handles, s.Session.Handle)
	}
	return handles
}

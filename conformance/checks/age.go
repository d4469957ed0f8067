package checks

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// ageChecks: what takes its time, and what sessions hold.
func ageChecks() []Check {
	return []Check{
		{
			ID: "BL-71", Title: "sessions of some age are refused at once, and stay refused",
			Requirement: refusedAtOnce + "also when the session was some seconds old and read before, and it is refused still some seconds later, at every instance, whether it was named by its handle, alone or with others, or ended as one of a user's; no refresh, regenerate or write of just before the revoke brings it back.",
			Source:      specRemove + ", " + specFlag + "; docs/dimensions.md",
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         oldAndLate,
		},
		{
			ID: "BL-72", Title: "a revoke is seen at once whatever the session holds and however it is named",
			Requirement: refusedAtOnce + "also of a session with stored data, of a user with a long id, named twice in one call, as one of 1,001 in a call (databases and drivers bound what one statement names), and as one of 1,001 of a user (a revoke may go by pages); with --thorough also as one of 300 in a call, and as the first of 11,011 that one core ends (a list of revoked sessions may be bounded).",
			Source:      specRemove + ", " + specFlag + "; docs/dimensions.md",
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         whateverItHolds,
		},
		{
			ID: "BL-73", Title: "a core that was left alone refuses, what was revoked long ago and what is revoked now",
			Requirement: refusedAtOnce + "also as the first call to a core that nobody has asked for a quarter of a minute (its connections to the database may be gone), and by such a core for what is revoked then; by handle, by handles and by user, and also where the session was written to just before.",
			Source:      specRemove + ", " + specFlag + "; docs/dimensions.md",
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Waits: true},
			Run:         leftAlone,
		},
		{
			ID: "BL-74", Title: "a core that is started after a revoke refuses what was revoked",
			Requirement: "A core that is started after the response to a revoke refuses the session's tokens as UNAUTHORISED from its first call on: what is known of a revoke is kept, and not told to those alone who were there.",
			Source:      specRemove + ", " + specFlag + "; docs/dimensions.md",
			Profiles:    []Profile{conformance.Lifetimes},
			Needs:       Needs{Settings: true},
			Run:         startedLater,
		},
	}
}

// someAge is longer than any wait of the other checks.
const someAge = 3500 * time.Millisecond

func oldAndLate(ctx context.Context, c *T) error {
	return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		list, err := lastingSessions(ctx, t, anyOn(t), 2*someAge)
		if err != nil {
			return err
		}
		if err := conformance.Pause(ctx, someAge); err != nil {
			return err
		}
		for _, l := range list {
			if err := l.revoke(ctx, t, anyOn(t), anyOn(t)); err != nil {
				return err
			}
		}
		if err := conformance.Pause(ctx, someAge); err != nil {
			return err
		}
		for _, l := range list {
			if err := l.refused(ctx, t, t.On()...); err != nil {
				return err
			}
			if err := l.over(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// longUser fills a user id up to what every core must take (128 characters).
const longUser = 120

func whateverItHolds(ctx context.Context, c *T) error {
	type held struct {
		sessions int
		data     map[string]any
		long     bool
		twice    bool
	}
	cases := []held{
		{sessions: 1, data: map[string]any{"cart": []any{1, "two"}, "note": strings.Repeat("x", 200)}},
		{sessions: 1, long: true},
		{sessions: 3, twice: true},
	}
	if c.Thorough() {
		cases = append(cases, held{sessions: 300})
	}
	return c.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
		for _, k := range cases {
			if (k.twice || k.sessions > 1) && !t.On()[0].Has(protocol.VerbSeveral) {
				continue
			}
			user := t.NewUser()
			if k.long {
				user += strings.Repeat("u", longUser-len(user))
			}
			if err := endsAll(ctx, t, user, k.sessions, k.data, k.twice); err != nil {
				return err
			}
		}
		if !t.On()[0].Has(protocol.VerbSeveral) {
			return nil
		}
		if err := endsVeryMany(ctx, t, 1); err != nil {
			return err
		}
		if c.Thorough() {
			if err := endsVeryMany(ctx, t, thoroughCalls); err != nil {
				return err
			}
		}
		if !t.On()[0].Has(protocol.VerbRevokeUser) {
			return nil
		}
		return endsBusyUser(ctx, t)
	})
}

// endsBusyUser revokes all sessions of a user who has more than a page of a list has rows.
// Each is asked for: which of them a core forgets nobody knows.
func endsBusyUser(ctx context.Context, t *Trial) error {
	m, err := manySessions(ctx, t, veryMany)
	if err != nil {
		return err
	}
	gone, err := t.RevokeUser(ctx, anyOn(t), m.user)
	if err != nil {
		return err
	}
	return conformance.First(m.areGone(ctx, t, gone), m.refused(ctx, t, gone))
}

// veryMany handles are one more than the 1,000 that some databases take in a list, and
// more than the 999 parameters that others take in a statement.
const veryMany = 1001

// thoroughCalls of veryMany handles are more than the 10,000 entries that caches and
// lists of revoked sessions are often bounded by.
const thoroughCalls = 11

// endsVeryMany revokes very many sessions in each of some calls and then asks for each: a
// listing tells which rows are gone, and not what a list of revoked sessions or a cache
// was told, or still knows. One core is told of all, so that its own list is full.
func endsVeryMany(ctx context.Context, t *Trial, calls int) error {
	at := anyOn(t)
	list, ended := make([]*manyMade, calls), make([]*conformance.Ended, calls)
	for i := range list {
		m, err := manySessions(ctx, t, veryMany)
		if err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, m.handles...)
		if err != nil {
			return err
		}
		if err := m.areGone(ctx, t, gone); err != nil {
			return err
		}
		list[i], ended[i] = m, gone
	}
	for i, m := range list {
		if err := m.refused(ctx, t, ended[i]); err != nil {
			return err
		}
	}
	return nil
}

// manyMade are many sessions of one user.
type manyMade struct {
	user    string
	made    []protocol.Tokens
	handles []string
	ends    []protocol.Tokens // some from the begin and the end, which were seen accepted
	listed  bool              // a listing held all of them: it will tell what is left
}

func manySessions(ctx context.Context, t *Trial, n int) (*manyMade, error) {
	const ends = 4
	at := anyOn(t)
	m := &manyMade{user: t.NewUser(), made: make([]protocol.Tokens, n), handles: make([]string, n)}
	if err := t.Beside(ctx, at, protocol.CreateRequest{}); err != nil {
		return nil, err
	}
	err := conformance.Each(conformance.Unrecorded(ctx), n, conformance.Callers, func(ctx context.Context, i int) (err error) {
		m.made[i], err = newSession(ctx, t, at, protocol.CreateRequest{UserID: m.user})
		m.handles[i] = m.made[i].Session.Handle
		return err
	})
	if err != nil {
		return nil, err
	}
	m.ends = slices.Concat(m.made[:ends], m.made[n-ends:])
	for _, s := range m.ends {
		if err := accepted(ctx, t, at, s.Access.Value); err != nil {
			return nil, err
		}
	}
	if at.Has(protocol.VerbList) {
		l, err := at.List(ctx, m.user)
		if err := conformance.Need(l.Reply, err, "list the sessions of a user with many at "+at.Name()); err != nil {
			return nil, err
		}
		m.listed = len(l.Handles) == n
	}
	return m, nil
}

// areGone wants the first and the last sessions refused, none listed, and all reported.
func (m *manyMade) areGone(ctx context.Context, t *Trial, gone *conformance.Ended) error {
	for _, s := range m.ends {
		if err := t.Refused(ctx, anyOn(t), s.Access.Value, gone); err != nil {
			return err
		}
	}
	if at := anyOn(t); m.listed {
		l, err := at.List(ctx, m.user)
		if err := conformance.Need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
			return err
		}
		if len(l.Handles) > 0 {
			return conformance.Violated(l.Reply, "a listing without the revoked sessions", fraction(len(l.Handles), len(m.handles))+" are listed at "+at.Name())
		}
	}
	return sameHandles(anyOn(t), gone, m.handles)
}

// refused asks for each of the sessions.
func (m *manyMade) refused(ctx context.Context, t *Trial, gone *conformance.Ended) error {
	return conformance.Each(conformance.Unrecorded(ctx), len(m.made), conformance.Callers, func(ctx context.Context, i int) error {
		return t.Refused(ctx, t.On()[i%len(t.On())], m.made[i].Access.Value, gone)
	})
}

// endsAll makes sessions of a user, revokes them in one call, the first one named
// twice where that is asked for, and wants each refused.
func endsAll(ctx context.Context, t *Trial, user string, n int, data map[string]any, twice bool) error {
	at := anyOn(t)
	made := make([]protocol.Tokens, n)
	err := conformance.Each(ctx, n, conformance.Callers, func(ctx context.Context, i int) (err error) {
		made[i], err = liveSession(ctx, t, at, protocol.CreateRequest{UserID: user, Data: data})
		return err
	})
	if err != nil {
		return err
	}
	var handles []string
	for _, s := range made {
		handles = append(handles, s.Session.Handle)
	}
	if twice {
		handles = append([]string{handles[0]}, handles...)
	}
	gone, err := t.Revoke(ctx, anyOn(t), handles...)
	if err != nil {
		return err
	}
	return conformance.Each(ctx, n, conformance.Callers, func(ctx context.Context, i int) error {
		return t.Refused(ctx, t.On()[i%len(t.On())], made[i].Access.Value, gone)
	})
}

// How long a core is left alone: longer than the quarter of a minute after which
// caches of revoked tokens end; with Thorough longer than a minute, after which pools
// close what is idle.
const (
	quarter    = 16 * time.Second
	overMinute = 65 * time.Second
)

func leftAlone(ctx context.Context, c *T) error {
	at, err := c.Alone(ctx)
	if err != nil {
		return err
	}
	return c.TrialsAtOnce(ctx, 1, 1, func(ctx context.Context, t *Trial) error {
		long := quarter
		if c.Thorough() {
			long = overMinute
		}
		before, err := lastingSessions(ctx, t, at, long)
		if err != nil {
			return err
		}
		then, err := lastingSessions(ctx, t, at, long)
		if err != nil {
			return err
		}
		left, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		c.Observe("left alone", long.String())
		for _, l := range before {
			if err := l.revoke(ctx, t, at, at); err != nil {
				return err
			}
		}
		// The first call after the pause asks for what must be refused.
		if err := conformance.Pause(ctx, long); err != nil {
			return err
		}
		for _, l := range before {
			if err := l.refused(ctx, t, at); err != nil {
				return err
			}
		}
		for _, l := range then {
			if err := l.revoke(ctx, t, at, anyOn(t)); err != nil {
				return err
			}
		}
		return stays(ctx, t, at, left.Access.Value, "a session that nobody revoked")
	})
}

// startedLater revokes, starts a core, and asks it. One session is named by its handle,
// the others are all of a user's.
func startedLater(ctx context.Context, c *T) error {
	return c.TrialsAtOnce(ctx, 1, 1, func(ctx context.Context, t *Trial) error {
		named, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
		if err != nil {
			return err
		}
		all, err := many(ctx, t, anyOn(t), t.NewUser(), 2)
		if err != nil {
			return err
		}
		tokens := []string{named.Access.Value}
		gone := make([]*conformance.Ended, 1, 3)
		if gone[0], err = t.Revoke(ctx, anyOn(t), named.Session.Handle); err != nil {
			return err
		}
		if at := anyOn(t); at.Has(protocol.VerbRevokeUser) {
			ended, err := t.RevokeUser(ctx, at, all[0].Session.UserID)
			if err != nil {
				return err
			}
			for _, s := range all {
				tokens, gone = append(tokens, s.Access.Value), append(gone, ended)
			}
		}
		at, err := c.Later(ctx)
		if err != nil {
			return err
		}
		for i, token := range tokens {
			if err := t.Refused(ctx, at, token, gone[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

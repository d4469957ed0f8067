package checks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// twins are two users' ids that are alike, made from a new one.
type twins func(user string) (mine, other string)

// isolationChecks: ids that look alike are different ids. What a collation may
// ignore (case, accents, blanks at the end) is an optional profile: a core in wide
// use breaks it on one database, and not every user of a core has such ids.
func isolationChecks() []Check {
	verbs := []protocol.Verb{protocol.VerbRevokeUser}
	alike := func(id, title, how string, profile Profile, list ...twins) Check {
		return Check{
			ID: id, Title: "users that differ " + title + " are kept apart", Profiles: []Profile{profile},
			Requirement: "Revoking or listing the sessions of one user touches no session of a user whose id differs " + how + ".",
			Source:      specRemove,
			Needs:       Needs{Verbs: verbs},
			Run:         keptApart(list),
		}
	}
	whole, collation := conformance.Blacklisting, conformance.Isolation
	// with gives ids that go on differently.
	with := func(mine, other string) twins {
		return func(u string) (string, string) { return u + mine, u + other }
	}
	return []Check{
		alike("IS-01", "in case", "only in the case of its letters", collation, with("-a", "-A")),
		alike("IS-02", "by a trailing blank", "only by a blank at its end", collation, with("", " ")),
		alike("IS-03", "by characters at the end", "only by more characters at its end", whole, with("", "0")),
		alike("IS-04", "in accents", "only in an accent", collation, with("-a", "-ä")),
		alike("IS-05", "in Unicode form", "only in Unicode normal form (NFC, NFD)", collation, with("-\u00e9", "-e\u0301")),
		alike("IS-06", "by a wildcard", "only by a character that is a wildcard in SQL", whole, with("-%", "-x"), with("-_", "-x")),
		{
			ID: "IS-07", Title: "an upper-cased handle is another handle", Profiles: []Profile{collation},
			Requirement: "A handle in capitals neither reads nor revokes the session of the handle in small letters.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbGet}},
			Run:         upperCasedHandle,
		},
		alike("IS-08", "by characters at the beginning", "only by more characters at its beginning", whole, func(u string) (string, string) { return u, "x" + u }),
		{
			ID: "BL-19", Title: "a part of a handle is another handle", Profiles: []Profile{whole},
			Requirement: "A revoke of the beginning or the end of a handle, or of a handle with more characters, ends no session and reports none.",
			Source:      specRemove + "; ory/kratos issue 2921 (wrong session revoked)",
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbHandle}},
			Run:         partOfHandle,
		},
	}
}

func keptApart(list []twins) func(context.Context, *T) error {
	return func(ctx context.Context, c *T) error {
		found, err := takenTwins(ctx, c, list)
		if err != nil {
			return err
		}
		broken := false
		if err := c.TrialsAtOnce(ctx, len(found.halves), 1, func(ctx context.Context, t *Trial) error {
			err := staysFromNobody(ctx, t, found.halves[t.Index])
			broken = broken || conformance.IsViolation(err)
			return err
		}); err != nil {
			return err
		}
		taken := found.taken
		if len(taken) == 0 && !broken {
			return conformance.Lackf(lackIDs, "the core takes %s", found.why)
		}
		// Twice: either of the two is revoked once.
		return c.TrialsAtOnce(ctx, 2*len(taken), 1, func(ctx context.Context, t *Trial) error {
			at := anyOn(t)
			mine, other := taken[t.Index/2](t.NewUser())
			if t.Index%2 == 1 {
				mine, other = other, mine
			}
			a, err := liveSession(ctx, t, at, protocol.CreateRequest{UserID: mine})
			if err != nil {
				return err
			}
			b, err := liveSession(ctx, t, at, protocol.CreateRequest{UserID: other})
			if err != nil {
				return err
			}
			if found.lists {
				l, err := at.List(ctx, mine)
				if err := conformance.Need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
					return err
				}
				if !slices.Equal(l.Handles, []string{a.Session.Handle}) {
					return conformance.Violated(l.Reply, fmt.Sprintf("the one session of %q", mine), fmt.Sprintf("%d sessions", len(l.Handles)))
				}
			}
			gone, err := t.RevokeUser(ctx, at, mine)
			if err != nil {
				return err
			}
			if err := stays(ctx, t, at, b.Access.Value, fmt.Sprintf("the session of %q after a revoke of %q", other, mine)); err != nil {
				return err
			}
			return t.Refused(ctx, at, a.Access.Value, gone)
		})
	}
}

// plainID is what every core must take.
var plainID = regexp.MustCompile(`^[0-9A-Za-z-]+$`)

// lackIDs is no gap: who takes no such ids has no users whom he could take for one another.
const lackIDs = lackProtocol

// foundTwins are what a core takes of twins.
type foundTwins struct {
	taken []twins // from users who log in, both
	// halves are those of which it takes the other from such a user, and mine from none.
	halves []twins
	lists  bool   // it lists their sessions
	why    string // it takes none
}

// takenTwins asks which twins a core takes. Where it says no to all, by a plain answer,
// there is nothing to keep apart.
func takenTwins(ctx context.Context, c *T, list []twins) (*foundTwins, error) {
	at := c.On()[0]
	found := &foundTwins{lists: at.Has(protocol.VerbList)}
	for _, ids := range list {
		id := c.NewUser()
		mine, other := ids(id)
		refused, others := map[string]string{}, true
		for _, user := range []string{mine, other} {
			no, err := refusals(ctx, func() []probe { return reads(user, at) }, func() []probe { return reads(c.NewUser(), at) })
			if err != nil {
				return nil, err
			}
			for _, r := range no {
				switch {
				case r.plain() && plainID.MatchString(user):
					others = false // it is no matter of the id, and the trial will tell
				case r.plain() && r.what == toCreate:
					refused[user] = fmt.Sprintf("no user's id like %q: %s", strings.Replace(user, id, "…", 1), r.how())
				case r.plain() && r.what == toList: // it may be what stands before it, and looks at queries
					c.Observe("not listed", r.how())
					found.lists = false
				}
			}
		}
		if len(refused) == 0 || !others {
			found.taken = append(found.taken, ids)
			continue
		}
		found.why = cmp.Or(refused[other], refused[mine])
		c.Observe("left out", found.why)
		switch {
		case refused[other] == "":
			found.halves = append(found.halves, ids)
		case refused[mine] == "":
			found.halves = append(found.halves, func(u string) (string, string) { m, o := ids(u); return o, m })
		}
	}
	return found, nil
}

// staysFromNobody asks for the sessions of a user who cannot be there, and revokes them,
// beside one with a like id: whatever is answered, his session stays, and is his.
func staysFromNobody(ctx context.Context, t *Trial, ids twins) error {
	at := anyOn(t)
	nobody, user := ids(t.NewUser())
	s, err := liveSession(ctx, t, at, protocol.CreateRequest{UserID: user})
	if err != nil {
		return err
	}
	if at.Has(protocol.VerbList) {
		l, err := at.List(ctx, nobody)
		if errors.Is(err, protocol.ErrLimited) {
			return err
		}
		if slices.Contains(l.Handles, s.Session.Handle) {
			return conformance.Violated(l.Reply, fmt.Sprintf("no session of %q in a listing of %q", user, nobody), "it is listed")
		}
	}
	if _, err := at.RevokeUser(ctx, nobody); errors.Is(err, protocol.ErrLimited) {
		return err
	}
	return stays(ctx, t, at, s.Access.Value, fmt.Sprintf("the session of %q after a revoke of %q, which no user may be called", user, nobody))
}

func upperCasedHandle(ctx context.Context, c *T) error {
	return c.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		upper := strings.ToUpper(s.Session.Handle)
		if upper == s.Session.Handle {
			return conformance.CouldNotFailf("the handle %s has no small letters", upper)
		}
		i, err := at.Get(ctx, upper)
		if err := conformance.Want(i.Reply, err, "read a session by its handle in capitals at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, upper)
		if err != nil {
			return err
		}
		if err := sameHandles(anyOn(t), gone, nil); err != nil {
			return err
		}
		return stays(ctx, t, at, s.Access.Value, "a session whose handle in capitals was revoked")
	})
}

func partOfHandle(ctx context.Context, c *T) error {
	return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
		at := anyOn(t)
		s, err := liveSession(ctx, t, at, protocol.CreateRequest{})
		if err != nil {
			return err
		}
		h := s.Session.Handle
		if len(h) < 4 {
			return conformance.CouldNotFailf("the handle %q is too short to take a part of it", h)
		}
		for what, other := range map[string]string{
			"the beginning of a handle":        h[:len(h)-2],
			"the end of a handle":              h[2:],
			"a handle with more behind":        h + "0",
			"a handle with more before":        "0" + h,
			"the first part of a handle":       strings.SplitN(h, "-", 2)[0],
			"the beginning and a SQL wildcard": h[:len(h)-2] + "%",
		} {
			if other == h {
				continue // this core's handles have no parts
			}
			gone, err := t.Revoke(ctx, at, other)
			if err != nil {
				return err
			}
			if err := sameHandles(anyOn(t), gone, nil); err != nil {
				return err
			}
			if err := stays(ctx, t, anyOn(t), s.Access.Value, "a session after a revoke of "+what); err != nil {
				return err
			}
		}
		return nil
	})
}

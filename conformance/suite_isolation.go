package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/adapter"
)

const sourceCollation = "supertokens-mysql-plugin on MariaDB compares by a collation (defects.md 46)"

// isolationChecks: ids that look alike are different ids. Optional: the real core
// breaks them on MariaDB, and not every user of a core has such ids.
func isolationChecks() []Check {
	alike := func(id, title, how string, twin func(user string) (mine, other string)) Check {
		return Check{
			ID: id, Title: "users that differ " + title + " are kept apart", Profiles: []Profile{Isolation},
			Requirement: "Revoking or listing the sessions of one user touches no session of a user whose id differs " + how + ".",
			Source:      sourceCollation,
			Run:         twins(twin),
		}
	}
	return []Check{
		alike("IS-01", "in case", "only in the case of its letters", func(u string) (string, string) { return u + "-a", u + "-A" }),
		alike("IS-02", "by a trailing blank", "only by a blank at its end", func(u string) (string, string) { return u, u + " " }),
		alike("IS-03", "by a suffix", "only by more characters at its end", func(u string) (string, string) { return u, u + "0" }),
		alike("IS-04", "in accents", "only in an accent", func(u string) (string, string) { return u + "-a", u + "-ä" }),
		alike("IS-05", "in Unicode form", "only in Unicode normal form (NFC, NFD)", func(u string) (string, string) { return u + "-\u00e9", u + "-e\u0301" }),
		alike("IS-06", "by a wildcard", "only by a character that is a wildcard in SQL", func(u string) (string, string) { return u + "-%", u + "-x" }),
		{
			ID: "IS-07", Title: "an upper-cased handle is another handle", Profiles: []Profile{Isolation},
			Requirement: "A handle in capitals neither reads nor revokes the session of the handle in small letters.",
			Source:      sourceCollation,
			Run:         upperCasedHandle,
		},
	}
}

func twins(twin func(user string) (mine, other string)) func(context.Context, *Scene) error {
	return func(ctx context.Context, s *Scene) error {
		return s.Trials(ctx, 2, func(ctx context.Context, t *Trial) error {
			at := t.AnyOn()
			mine, other := twin(t.NewUser())
			if t.Index%2 == 1 {
				mine, other = other, mine
			}
			a, err := t.Live(ctx, at, adapter.CreateRequest{UserID: mine})
			if err != nil {
				return err
			}
			b, err := t.Live(ctx, at, adapter.CreateRequest{UserID: other})
			if err != nil {
				return err
			}
			l, err := at.List(ctx, mine)
			if err := need(l.Reply, err, "list sessions at "+at.Name()); err != nil {
				return err
			}
			if !slices.Equal(l.Handles, []string{a.Session.Handle}) {
				return violated(l.Reply, fmt.Sprintf("the one session of %q", mine), fmt.Sprintf("%d sessions", len(l.Handles)))
			}
			gone, err := t.RevokeUser(ctx, at, mine)
			if err != nil {
				return err
			}
			if err := t.stays(ctx, at, b.Access.Value, fmt.Sprintf("the session of %q after a revoke of %q", other, mine)); err != nil {
				return err
			}
			if err := t.Refused(ctx, at, a.Access.Value, gone.Reply); err != nil {
				return err
			}
			// Nothing is left behind that tidying by the user's own id would miss.
			_, err = t.RevokeUser(ctx, at, other)
			return err
		})
	}
}

func upperCasedHandle(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 3, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		live, err := t.Live(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return err
		}
		upper := strings.ToUpper(live.Session.Handle)
		if upper == live.Session.Handle {
			return vacuousf("the handle %s has no small letters", upper)
		}
		i, err := at.Get(ctx, upper)
		if err := want(i.Reply, err, "read a session by its handle in capitals at "+at.Name(), adapter.Unauthorised); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, upper)
		if err != nil {
			return err
		}
		if err := sameHandles(gone, nil); err != nil {
			return err
		}
		return t.stays(ctx, at, live.Access.Value, "a session whose handle in capitals was revoked")
	})
}

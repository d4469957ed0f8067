package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/target"
)

const (
	sourceRemove  = "CDI POST /recipe/session/remove; DESIGN.md section 4"
	sourceVerify  = "CDI POST /recipe/session/verify; DESIGN.md section 4"
	refusedAtOnce = "A verify invoked after the response to a revoke is refused as UNAUTHORISED, "
)

// revokeChecks: whatever is revoked, by whatever call, is refused at once.
func revokeChecks() []Check {
	return []Check{
		{
			ID:          "BL-01",
			Title:       "a live session is accepted with the check on",
			Requirement: "With the database check on, the access token of a live session verifies OK, at every instance and every time.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					live, err := t.Create(ctx, t.AnyOn(), adapter.CreateRequest{})
					if err != nil {
						return err
					}
					for range 3 {
						for _, at := range t.On() {
							if err := t.stays(ctx, at, live.Access.Value, "a live session"); err != nil {
								return err
							}
						}
					}
					return nil
				})
			},
		},
		{
			ID:          "BL-02",
			Title:       "a session revoked by its handle is refused at once",
			Requirement: refusedAtOnce + "when its session was revoked by handle.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run:         refusedAfterRevoke(60, fromCreate),
		},
		{
			ID:          "BL-03",
			Title:       "11 sessions revoked by their handles in one call are refused at once",
			Requirement: refusedAtOnce + "for each of the handles of one call.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Run:         manyRefused(3, 11, byHandles),
		},
		{
			ID:          "BL-04",
			Title:       "200 sessions revoked by their handles in one call are refused at once",
			Requirement: refusedAtOnce + "for each of the handles of one call, however many.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Run:         manyRefused(1, 200, byHandles),
		},
		{
			ID:          "BL-05",
			Title:       "all 11 sessions of a user are refused at once after a revoke by user",
			Requirement: refusedAtOnce + "for each session that the user had when the revoke was invoked.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run:         manyRefused(3, 11, byUser),
		},
		{
			ID:          "BL-06",
			Title:       "all 201 sessions of a user are refused at once after a revoke by user",
			Requirement: refusedAtOnce + "for each session of the user; no page size ends the revoke early.",
			Source:      sourceRemove + "; better-auth issue 10138 (revoke-all that stopped at a page)",
			Profiles:    []Profile{Blacklisting},
			Run:         manyRefused(1, 201, byUser),
		},
		{
			ID:          "BL-07",
			Title:       "a revoke at one instance is seen by verify at every other",
			Requirement: "A verify invoked after the response to a revoke is refused, at every instance.",
			Source:      sourceVerify,
			Profiles:    []Profile{MultiInstance},
			Needs:       Needs{Instances: 2},
			Smoke:       true,
			Run:         acrossInstances,
		},
		{
			ID:          "BL-08",
			Title:       "the access token from a refresh is refused at once",
			Requirement: refusedAtOnce + "also when the token came from a refresh and was never used before.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run:         refusedAfterRevoke(20, fromRefresh),
		},
		{
			ID:          "BL-09",
			Title:       "the access token that verify handed out in exchange is refused at once",
			Requirement: refusedAtOnce + "also when verify itself issued the token as it promoted a refreshed session.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Below: "5.6"},
			Smoke:       true,
			Run:         refusedAfterRevoke(20, fromPromotion),
		},
		{
			ID:          "BL-10",
			Title:       "a regenerated access token is refused at once",
			Requirement: refusedAtOnce + "also when the token came from regenerate.",
			Source:      "CDI POST /recipe/session/regenerate",
			Profiles:    []Profile{Blacklisting},
			Run:         refusedAfterRevoke(20, fromRegenerate),
		},
		{
			ID:          "BL-11",
			Title:       "an access token signed with the static key is refused at once",
			Requirement: refusedAtOnce + "whichever kind of key signed the token.",
			Source:      "CDI 2.21 POST /recipe/session, useDynamicSigningKey",
			Profiles:    []Profile{Blacklisting},
			Needs:       Needs{Era: adapter.EraRequest},
			Smoke:       true,
			Run:         refusedAfterRevoke(20, fromStaticKey),
		},
		{
			ID:          "BL-12",
			Title:       "one revoke ends every access token that the session ever had",
			Requirement: refusedAtOnce + "for each access token of the session: from create, refresh, verify and regenerate.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Run:         refusedAfterRevoke(15, fromEverywhere),
		},
		{
			ID:          "BL-13",
			Title:       "tokens of every version are refused at once",
			Requirement: refusedAtOnce + "whichever CDI version the session was made with.",
			Source:      "CDI POST /recipe/session/verify, any version of token; casdoor issue 3711 (one format not covered by logout)",
			Profiles:    []Profile{Blacklisting},
			Run:         everyVersion,
		},
		{
			ID:          "BL-14",
			Title:       "a session whose data changed is refused at once",
			Requirement: refusedAtOnce + "also when its payload was changed meanwhile, which makes verify read and issue more.",
			Source:      "CDI PUT /recipe/jwt/data",
			Profiles:    []Profile{Blacklisting},
			Run:         refusedAfterRevoke(15, withChangedPayload),
		},
		{
			ID:          "BL-15",
			Title:       "the user's other sessions stay",
			Requirement: "Revoking one session by its handle ends no other session of that user.",
			Source:      sourceRemove + "; ory/kratos issue 2921 (wrong session revoked)",
			Profiles:    []Profile{Blacklisting},
			Smoke:       true,
			Run:         othersStay,
		},
		{
			ID:          "BL-16",
			Title:       "other users' sessions stay",
			Requirement: "Revoking all sessions of a user ends no session of another user.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Run:         otherUsersStay,
		},
		{
			ID:          "BL-17",
			Title:       "a login after a revoke of everything works",
			Requirement: "A session that is made after the response to a revoke of all the user's sessions is accepted, while the old ones stay refused.",
			Source:      sourceRemove,
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					old, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
					if err != nil {
						return err
					}
					gone, err := t.RevokeUser(ctx, t.AnyOn(), old.Session.UserID)
					if err != nil {
						return err
					}
					next, err := t.Create(ctx, t.AnyOn(), adapter.CreateRequest{UserID: old.Session.UserID})
					if err != nil {
						return err
					}
					if err := t.stays(ctx, t.AnyOn(), next.Access.Value, "a session made after the revoke of all"); err != nil {
						return err
					}
					return t.Refused(ctx, t.AnyOn(), old.Access.Value, gone.Reply)
				})
			},
		},
		{
			ID:          "BL-18",
			Title:       "a refusal is final",
			Requirement: "Once refused as revoked, a token is refused ever after, at every instance.",
			Source:      sourceVerify,
			Profiles:    []Profile{Blacklisting},
			Run: func(ctx context.Context, s *Scene) error {
				return s.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
					live, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, t.AnyOn(), live.Session.Handle)
					if err != nil {
						return err
					}
					for i := range 40 {
						if err := t.Refused(ctx, t.On()[i%len(t.On())], live.Access.Value, gone.Reply); err != nil {
							return err
						}
					}
					return nil
				})
			},
		},
	}
}

// obtain makes a live session at an instance and gives its handle and the
// tokens that a revoke must end, each seen accepted.
type obtain func(ctx context.Context, t *Trial, at Instance) (handle string, tokens []string, err error)

// refusedAfterRevoke revokes by handle at the very instance that issued the
// tokens and then asks it once for each.
func refusedAfterRevoke(n int, from obtain) func(context.Context, *Scene) error {
	return func(ctx context.Context, s *Scene) error {
		return s.Trials(ctx, n, func(ctx context.Context, t *Trial) error {
			at := t.AnyOn()
			handle, tokens, err := from(ctx, t, at)
			if err != nil {
				return err
			}
			gone, err := t.Revoke(ctx, at, handle)
			if err != nil {
				return err
			}
			for _, token := range tokens {
				if err := t.Refused(ctx, at, token, gone.Reply); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func fromCreate(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := t.Live(ctx, at, adapter.CreateRequest{})
	return s.Session.Handle, []string{s.Access.Value}, err
}

func fromStaticKey(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := t.Live(ctx, at, adapter.CreateRequest{StaticKey: true})
	return s.Session.Handle, []string{s.Access.Value}, err
}

// refreshed makes a session and refreshes it once.
func refreshed(ctx context.Context, t *Trial, at Instance) (first, child adapter.Tokens, err error) {
	if first, err = t.Live(ctx, at, adapter.CreateRequest{}); err != nil {
		return first, child, err
	}
	child, err = at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: first.Refresh.Value})
	return first, child, need(child.Reply, err, "refresh the session at "+at.Name())
}

// fromRefresh gives a refreshed token. Half of them are used for the first time
// after the revoke: then the acceptance that is seen is that of the first token.
func fromRefresh(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	first, child, err := refreshed(ctx, t, at)
	if err == nil && t.Index%2 == 0 {
		err = t.Accepted(ctx, at, child.Access.Value)
	}
	return first.Session.Handle, []string{child.Access.Value}, err
}

// promoted is refreshed, and then verified: up to CDI 5.5 verify then hands out
// another token in exchange.
func promoted(ctx context.Context, t *Trial, at Instance) (first, child adapter.Tokens, exchanged string, err error) {
	if first, child, err = refreshed(ctx, t, at); err != nil {
		return first, child, "", err
	}
	v, err := at.Ask(ctx, child.Access.Value)
	if err := need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
		return first, child, "", err
	}
	if v.Access.Value == "" {
		return first, child, "", violated(v.Reply, "the first verify of a refreshed token to hand out another token in exchange", "OK without one")
	}
	return first, child, v.Access.Value, nil
}

func fromPromotion(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	first, _, exchanged, err := promoted(ctx, t, at)
	if err == nil {
		err = t.Accepted(ctx, at, exchanged)
	}
	return first.Session.Handle, []string{exchanged}, err
}

func fromRegenerate(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := t.Live(ctx, at, adapter.CreateRequest{})
	if err != nil {
		return "", nil, err
	}
	next, err := regenerated(ctx, t, at, s.Access.Value)
	return s.Session.Handle, []string{next}, err
}

func regenerated(ctx context.Context, t *Trial, at Instance, token string) (string, error) {
	g, err := at.Regenerate(ctx, token, map[string]any{"round": t.Index})
	if err := need(g.Reply, err, "regenerate the token at "+at.Name()); err != nil {
		return "", err
	}
	if g.Access.Value == "" {
		return "", violated(g.Reply, "regenerate of an unexpired token to give a new one", "OK without one")
	}
	return g.Access.Value, t.Accepted(ctx, at, g.Access.Value)
}

func fromEverywhere(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	first, child, err := refreshed(ctx, t, at)
	if err != nil {
		return "", nil, err
	}
	tokens := []string{first.Access.Value, child.Access.Value}
	v, err := at.Ask(ctx, child.Access.Value)
	if err := need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
		return "", nil, err
	}
	latest := child.Access.Value
	if v.Access.Value != "" {
		latest = v.Access.Value
		tokens = append(tokens, latest)
	}
	next, err := regenerated(ctx, t, at, latest)
	return first.Session.Handle, append(tokens, next), err
}

func withChangedPayload(ctx context.Context, t *Trial, at Instance) (string, []string, error) {
	s, err := t.Live(ctx, at, adapter.CreateRequest{Payload: map[string]any{"role": "admin"}})
	if err != nil {
		return "", nil, err
	}
	r, err := at.SetPayload(ctx, s.Session.Handle, map[string]any{"role": "guest"})
	if err := need(r, err, "change the payload at "+at.Name()); err != nil {
		return "", nil, err
	}
	tokens := []string{s.Access.Value}
	v, err := at.Ask(ctx, s.Access.Value)
	if err := need(v.Reply, err, "verify after the change at "+at.Name()); err != nil {
		return "", nil, err
	}
	if v.Access.Value != "" {
		tokens = append(tokens, v.Access.Value)
	}
	return s.Session.Handle, tokens, nil
}

// revokeAll ends all the sessions of a user in one call.
type revokeAll func(ctx context.Context, t *Trial, at Instance, user string, handles []string) (adapter.Revoked, error)

func byHandles(ctx context.Context, t *Trial, at Instance, _ string, handles []string) (adapter.Revoked, error) {
	return t.Revoke(ctx, at, handles...)
}

func byUser(ctx context.Context, t *Trial, at Instance, user string, _ []string) (adapter.Revoked, error) {
	return t.RevokeUser(ctx, at, user)
}

// manyRefused ends many sessions in one call and asks for each once.
func manyRefused(trials, sessions int, revoke revokeAll) func(context.Context, *Scene) error {
	return func(ctx context.Context, s *Scene) error {
		return s.Trials(ctx, trials, func(ctx context.Context, t *Trial) error {
			at, user := t.AnyOn(), t.NewUser()
			made, err := t.Many(ctx, at, user, sessions)
			if err != nil {
				return err
			}
			var handles []string
			for _, m := range made {
				handles = append(handles, m.Session.Handle)
			}
			gone, err := revoke(ctx, t, at, user, handles)
			if err != nil {
				return err
			}
			// In random order: whatever part of them a core forgets, some of it
			// is asked for early.
			order := t.Rand.Perm(len(made))
			if err := each(ctx, len(made), callers, func(ctx context.Context, i int) error {
				return t.Refused(ctx, at, made[order[i]].Access.Value, gone.Reply)
			}); err != nil {
				return err
			}
			return sameHandles(gone, handles)
		})
	}
}

// sameHandles wants a revoke to report exactly these handles.
func sameHandles(r adapter.Revoked, handles []string) error {
	got, wanted := slices.Sorted(slices.Values(r.Handles)), slices.Sorted(slices.Values(handles))
	if slices.Equal(got, wanted) {
		return nil
	}
	return violated(r.Reply, fmt.Sprintf("the %d handles that this call ended", len(wanted)), fmt.Sprintf("%d handles, not the same", len(got)))
}

func acrossInstances(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 20, func(ctx context.Context, t *Trial) error {
		for i, at := range t.On() {
			live, err := t.Live(ctx, at, adapter.CreateRequest{})
			if err != nil {
				return err
			}
			for _, other := range t.On() {
				if err := t.Accepted(ctx, other, live.Access.Value); err != nil {
					return err
				}
			}
			gone, err := t.Revoke(ctx, at, live.Session.Handle)
			if err != nil {
				return err
			}
			// The others first: the one that was told of the revoke knows.
			for k := range t.On() {
				other := t.On()[(i+1+k)%len(t.On())]
				if err := t.Refused(ctx, other, live.Access.Value, gone.Reply); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// everyVersion makes a session with each version that the core speaks and wants
// its token refused in the scene's own version.
func everyVersion(ctx context.Context, s *Scene) error {
	versions := s.run.tokenVersions()
	s.Observe("versions", fmt.Sprint(versions))
	makers := map[string][]adapter.Core{}
	for _, v := range versions {
		makers[v] = s.run.options.On.Clients(target.Protocol(v))
		if len(makers[v]) == 0 {
			return fmt.Errorf("the target gives no client for CDI %s", v)
		}
	}
	return s.Trials(ctx, 4*len(versions), func(ctx context.Context, t *Trial) error {
		v := versions[t.Index%len(versions)]
		i := t.Rand.IntN(len(makers[v]))
		made, err := makers[v][i].Create(ctx, adapter.CreateRequest{UserID: t.NewUser(), StaticKey: t.Rand.IntN(2) == 0})
		if err := need(made.Reply, err, "create a session with CDI "+v); err != nil {
			return err
		}
		at := t.AnyOn()
		if err := t.Accepted(ctx, at, made.Access.Value); err != nil {
			return err
		}
		gone, err := t.Revoke(ctx, at, made.Session.Handle)
		if err != nil {
			return err
		}
		return t.Refused(ctx, at, made.Access.Value, gone.Reply)
	})
}

// tokenVersions gives one CDI version for each version of token, and 5.6, as far
// as the core speaks them: the newest of each range.
func (r *run) tokenVersions() []string {
	spoken := r.spokenVersions
	if spoken == nil {
		spoken = cdi.Versions()
	}
	var out []string
	for _, below := range []string{"2.21", "3.0", "4.0", "5.6", "99.0"} {
		newest := ""
		for _, v := range spoken { // oldest first
			if cdi.Compare(v, below) < 0 {
				newest = v
			}
		}
		if newest != "" && !slices.Contains(out, newest) {
			out = append(out, newest)
		}
	}
	return out
}

func othersStay(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
		at, user := t.AnyOn(), t.NewUser()
		made, err := t.Many(ctx, at, user, 4)
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
				err = t.Refused(ctx, t.AnyOn(), m.Access.Value, gone.Reply)
			} else {
				err = t.stays(ctx, t.AnyOn(), m.Access.Value, "another session of the same user")
			}
			if err != nil {
				return err
			}
		}
		return sameHandles(gone, []string{made[victim].Session.Handle})
	})
}

func otherUsersStay(ctx context.Context, s *Scene) error {
	return s.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
		at := t.AnyOn()
		gone, err := t.Live(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return err
		}
		stays, err := t.Live(ctx, at, adapter.CreateRequest{})
		if err != nil {
			return err
		}
		r, err := t.RevokeUser(ctx, at, gone.Session.UserID)
		if err != nil {
			return err
		}
		if err := t.stays(ctx, t.AnyOn(), stays.Access.Value, "another user's session"); err != nil {
			return err
		}
		if err := t.Refused(ctx, t.AnyOn(), gone.Access.Value, r.Reply); err != nil {
			return err
		}
		return sameHandles(r, []string{gone.Session.Handle})
	})
}

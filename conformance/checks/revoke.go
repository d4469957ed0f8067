package checks

import (
	"context"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

const refusedAtOnce = "A verify invoked after the response to a revoke is refused as UNAUTHORISED, "

// revokeChecks: whatever is revoked, by whatever call, is refused at once.
func revokeChecks() []Check {
	return []Check{
		{
			ID:          "BL-01",
			Title:       "a live session is accepted with the check on",
			Requirement: "With the database check on, the access token of a live session verifies OK, at every instance and every time.",
			Source:      specVerify,
			Profiles:    []Profile{conformance.Blacklisting},
			Smoke:       true,
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 10, func(ctx context.Context, t *Trial) error {
					live, err := newSession(ctx, t, anyOn(t), protocol.CreateRequest{})
					if err != nil {
						return err
					}
					for range 3 {
						for _, at := range t.On() {
							if err := stays(ctx, t, at, live.Access.Value, "a live session"); err != nil {
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
			Source:      specRemove,
			Profiles:    []Profile{conformance.Blacklisting},
			Smoke:       true,
			Foundation:  []Profile{conformance.Blacklisting, conformance.MultiInstance, conformance.Lifetimes},
			Run:         refusedAfterRevoke(30, fromCreate),
		},
		{
			ID:          "BL-03",
			Title:       "11 sessions revoked by their handles in one call are refused at once",
			Requirement: refusedAtOnce + "for each of the handles of one call.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSeveral}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         manyRefused(3, 11, byHandles),
		},
		{
			ID:          "BL-04",
			Title:       "110 sessions revoked by their handles in one call are refused at once",
			Requirement: refusedAtOnce + "for each of the handles of one call, however many.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSeveral}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         manyRefused(1, 110, byHandles),
		},
		{
			ID:          "BL-05",
			Title:       "all sessions of a user are refused at once after a revoke by user",
			Requirement: refusedAtOnce + "for each session that the user had when the revoke was invoked: 11, or 3 in versions that are only touched.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRevokeUser}},
			Profiles:    []Profile{conformance.Blacklisting},
			Smoke:       true,
			Run:         manyRefused(3, 11, byUser),
		},
		{
			ID:          "BL-06",
			Title:       "all 201 sessions of a user are refused at once after a revoke by user",
			Requirement: refusedAtOnce + "for each session of the user; no page of up to 200 ends the revoke early (of up to 1,000: BL-72).",
			Source:      specRemove + "; better-auth issue 10138 (revoke-all that stopped at a page)",
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRevokeUser}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         manyRefused(1, 201, byUser),
		},
		{
			ID:          "BL-07",
			Title:       "a revoke at one instance is seen by verify at every other",
			Requirement: "A verify invoked after the response to a revoke is refused, at every instance.",
			Source:      specVerify,
			Profiles:    []Profile{conformance.MultiInstance},
			Needs:       Needs{Instances: 2},
			Smoke:       true,
			Run:         acrossInstances,
		},
		{
			ID:          "BL-08",
			Title:       "the access token from a refresh is refused at once",
			Requirement: refusedAtOnce + "also when the token came from a refresh and was never used before.",
			Source:      specVerify,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}},
			Profiles:    []Profile{conformance.Blacklisting},
			Smoke:       true,
			Run:         refusedAfterRevoke(10, fromRefresh),
		},
		{
			ID:          "BL-09",
			Title:       "the access token that verify handed out in exchange is refused at once",
			Requirement: refusedAtOnce + "also when verify itself issued the token as it promoted a refreshed session.",
			Source:      specVerify,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh}, Below: "5.6"},
			Smoke:       true,
			Run:         refusedAfterRevoke(10, fromPromotion),
		},
		{
			ID:          "BL-10",
			Title:       "a regenerated access token is refused at once",
			Requirement: refusedAtOnce + "also when the token came from regenerate.",
			Source:      specRegenerate,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRegenerate}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         refusedAfterRevoke(8, fromRegenerate),
		},
		{
			ID:          "BL-11",
			Title:       "an access token signed with the static key is refused at once",
			Requirement: refusedAtOnce + "whichever kind of key signed the token.",
			Source:      specCreate,
			Profiles:    []Profile{conformance.Blacklisting},
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbStaticKey}, FlagMode: protocol.ByRequest},
			Smoke:       true,
			Run:         refusedAfterRevoke(10, fromStaticKey),
		},
		{
			ID:          "BL-12",
			Title:       "one revoke ends every access token that the session ever had",
			Requirement: refusedAtOnce + "for each access token of the session: from create, refresh, verify and regenerate.",
			Source:      specVerify,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRefresh, protocol.VerbRegenerate}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         refusedAfterRevoke(6, fromEverywhere),
		},
		{
			ID:          "BL-13",
			Title:       "tokens of every version are refused at once",
			Requirement: refusedAtOnce + "whichever CDI version the session was made with; another spelling of such a token is not OK either.",
			Source:      specTokens + "; casdoor issue 3711 (one format not covered by logout)",
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         everyVersion,
		},
		{
			ID:          "BL-14",
			Title:       "a session whose data changed is refused at once",
			Requirement: refusedAtOnce + "also when its payload was changed meanwhile, which makes verify read and issue more.",
			Source:      specData,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbSetPayload}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         refusedAfterRevoke(8, withChangedPayload),
		},
		{
			ID:          "BL-15",
			Title:       "the user's other sessions stay",
			Requirement: "Revoking one session by its handle ends no other session of that user.",
			Source:      specRemove + "; ory/kratos issue 2921 (wrong session revoked)",
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         othersStay,
		},
		{
			ID:          "BL-16",
			Title:       "other users' sessions stay",
			Requirement: "Revoking all sessions of a user ends no session of another user.",
			Source:      specRemove,
			Needs:       Needs{Serial: true, Verbs: []protocol.Verb{protocol.VerbRevokeUser}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         otherUsersStay,
		},
		{
			ID:          "BL-17",
			Title:       "a login after a revoke of everything works",
			Requirement: "A session that is made after the response to a revoke of all the user's sessions is accepted, while the old ones stay refused; the next revoke of all ends and reports each session made until then, whatever was listed or revoked before.",
			Source:      specRemove,
			Needs:       Needs{Verbs: []protocol.Verb{protocol.VerbRevokeUser}},
			Profiles:    []Profile{conformance.Blacklisting},
			Run:         loginBetween,
		},
		{
			ID:          "BL-18",
			Title:       "a refusal is final",
			Requirement: "Once refused as revoked, a token is refused ever after, at every instance.",
			Source:      specVerify,
			Profiles:    []Profile{conformance.Blacklisting},
			Run: func(ctx context.Context, c *T) error {
				return c.Trials(ctx, 4, func(ctx context.Context, t *Trial) error {
					live, err := liveSession(ctx, t, anyOn(t), protocol.CreateRequest{})
					if err != nil {
						return err
					}
					gone, err := t.Revoke(ctx, anyOn(t), live.Session.Handle)
					if err != nil {
						return err
					}
					for i := range 40 {
						if err := t.Refused(ctx, t.On()[i%len(t.On())], live.Access.Value, gone); err != nil {
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

package protocol

import (
	"maps"
	"slices"
)

// What some protocols have no words for is named like a verb, so that a check names it
// among its needs. A client has them all unless it says otherwise (Limited).
const (
	// VerbSeveral: one revoke names several sessions.
	VerbSeveral Verb = "revoke several sessions in one call"
	// VerbReport: the answer to a revoke tells which sessions it ended.
	VerbReport Verb = "a revoke that tells what it ended"
	// VerbHandle: a session is revoked by a name of its own, not by one of its tokens.
	VerbHandle Verb = "a name of the session"
	// VerbReason: a refusal of verify tells an expired or forged token from a revoked one.
	VerbReason Verb = "a refusal that tells why"
	// VerbNames: the answer to verify tells the session's handle and user.
	VerbNames Verb = "a verify that names session and user"
	// VerbRefreshNames: the answer to refresh tells them.
	VerbRefreshNames Verb = "a refresh that names session and user"
	// VerbTimes: who gets a refresh token is told how long it lives.
	VerbTimes Verb = "the end of a refresh token"
	// VerbPromise: how many statements a verify takes is promised.
	VerbPromise Verb = "a promised number of statements"
	// VerbSameTokens: the tokens of one side of the flag can be verified at the other.
	VerbSameTokens Verb = "tokens that either side verifies"
	// VerbPayload: a token carries values of the caller's choice.
	VerbPayload Verb = "values of the caller's choice in the token"
	// VerbStaticKey: a session may ask for a key that never changes.
	VerbStaticKey Verb = "static signing keys"
	// VerbAntiCSRF: a value beside the token that verify and refresh compare.
	VerbAntiCSRF Verb = "anti-csrf values"
	// VerbEras: older versions in which somebody else decides about the check.
	VerbEras Verb = "two eras of the flag"
	// VerbGrace: a refresh token that was just exchanged works once more.
	VerbGrace Verb = "a grace for refresh tokens that were exchanged"
	// VerbOutlive: an access token lives on when its session is refreshed.
	VerbOutlive Verb = "access tokens that outlive a refresh"
)

var words = map[Verb]bool{
	VerbSeveral: true, VerbReport: true, VerbHandle: true, VerbReason: true, VerbNames: true, VerbTimes: true, VerbPromise: true, VerbSameTokens: true, VerbRefreshNames: true, VerbPayload: true,
	VerbStaticKey: true, VerbAntiCSRF: true, VerbEras: true, VerbGrace: true, VerbOutlive: true,
}

// Word says whether v is what some protocols have no words for.
func Word(v Verb) bool { return words[v] }

// Words are those, in order.
func Words() []Verb { return slices.Sorted(maps.Keys(words)) }

// Limited is a client of a protocol that has no words for some things.
type Limited interface {
	// Without says why there is no v, in words for a report; "" where there is.
	Without(v Verb) string
}

// Without says why a client's protocol has no v; "" where it has, or where it is the
// core alone that lacks it. A rule about what a protocol does not have is none of
// that protocol's.
func Without(c Core, v Verb) string {
	if l, ok := c.(Limited); ok {
		return l.Without(v)
	}
	return ""
}

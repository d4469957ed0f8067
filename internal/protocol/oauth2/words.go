package oauth2

import "github.com/coreproof/coreproof/internal/protocol"

const noUserRevoke = "RFC 7009 has none, and this login knows no call of the server's own"

// without is what OAuth has no words for, and why.
var without = map[protocol.Verb]string{
	protocol.VerbSeveral:      "a request revokes one token (RFC 7009, 2.1)",
	protocol.VerbReport:       "the answer is 200 whatever was revoked (RFC 7009, 2.2)",
	protocol.VerbHandle:       "a session is ended by one of its tokens (RFC 7009, 2.1)",
	protocol.VerbReason:       "a token is active or not, and nothing more is said (RFC 7662, 2.2)",
	protocol.VerbRefreshNames: "the answer holds tokens and no more (RFC 6749, 5.1)",
	protocol.VerbTimes:        "an answer tells the access token's alone (RFC 6749, 5.1)",
	protocol.VerbStaticKey:    "which key signs is the server's own matter",
	protocol.VerbAntiCSRF:     "bearer tokens have none (RFC 6750)",
	protocol.VerbPromise:      "how an introspection finds its answer is the server's own matter",
	protocol.VerbEras:         "it has no versions that differ in it",
	protocol.VerbGrace:        "whether an exchanged refresh token works once more is open (RFC 9700, 4.14.2)",
	protocol.VerbOutlive:      "whether a refresh ends the access token before it is open (RFC 6749, 6)",
	protocol.VerbRegenerate:   "a new access token comes from a refresh alone",
	protocol.VerbList:         "grants are not listed",
	protocol.VerbGet:          "grants are not read",
	protocol.VerbSetPayload:   "what a token holds is said at the login",
	protocol.VerbSetData:      "nothing is kept with a grant",
	protocol.VerbHello:        "it has no greeting",
	protocol.VerbTellFlag:     "there is no such setting to tell",
}

// Without says why there is no v in OAuth, or with this login.
func (c *client) Without(v protocol.Verb) string {
	if why := without[v]; why != "" {
		return why
	}
	if v == protocol.VerbSameTokens && c.o.Version == Opaque {
		return "an opaque token says nothing to an API that asks nobody"
	}
	return c.login.without(v)
}

// Can says whether the server has a verb.
func (c *client) Can(v protocol.Verb) bool {
	return c.Without(v) == "" && (v == protocol.VerbRefresh || v == protocol.VerbRevokeUser || v == protocol.VerbRevokeToken)
}

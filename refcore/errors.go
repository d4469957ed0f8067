package refcore

import "fmt"

// Refused is an answer in the protocol's own words: the call was understood
// and the token or session is not good.
type Refused struct {
	// TryRefresh is TRY_REFRESH_TOKEN; otherwise it is UNAUTHORISED.
	TryRefresh bool
	Message    string
	// ReuseSubtype is set when a retired refresh token came back and the core
	// is configured to call that UNAUTHORISED.
	ReuseSubtype string
}

func (e *Refused) Error() string {
	if e.TryRefresh {
		return "TRY_REFRESH_TOKEN: " + e.Message
	}
	return "UNAUTHORISED: " + e.Message
}

func unauthorised(message string) error { return &Refused{Message: message} }

func tryRefresh(message string) error { return &Refused{TryRefresh: true, Message: message} }

// Theft is TOKEN_THEFT_DETECTED.
type Theft struct {
	Handle, UserID, RecipeUserID string
	// ReuseSubtype is RECENT_PREV, ORPHANED_BRANCH or STALE_LINEAGE; "" before CDI 5.6.
	ReuseSubtype string
}

func (e *Theft) Error() string { return "TOKEN_THEFT_DETECTED: session " + e.Handle }

// BadInput is a request that cannot be right; its text goes to the caller.
type BadInput string

func (e BadInput) Error() string { return string(e) }

// UnknownTenant refuses an app or tenant that does not exist. This core has one
// of each.
func UnknownTenant(app, tenant string) error {
	return BadInput(fmt.Sprintf("AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (, %s, %s)", app, tenant))
}

func badValidity(configuredMs int64) error {
	return BadInput(fmt.Sprintf("accessTokenValidity must be greater than 0 and at most the configured access_token_validity (%d ms)", configuredMs))
}

const (
	msgBlacklisted   = "Either the session has ended or has been blacklisted"
	msgMissing       = "Session missing in db"
	msgMissingOrOld  = "Session missing in db or has expired"
	msgDoesNotExist  = "Session does not exist."
	msgRotatedOut    = "rotated-out token branch; refresh required"
	msgReuse         = "refresh token reuse detected"
	msgExpired       = "Access token expired"
	msgAntiCSRF      = "anti-csrf check failed"
	msgAntiCSRFOnRef = "Anti CSRF token missing, or not matching"

	reuseRecent   = "RECENT_PREV"
	reuseOrphaned = "ORPHANED_BRANCH"
	reuseStale    = "STALE_LINEAGE"
)

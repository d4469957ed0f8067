package proof_test

import (
	"fmt"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// rule is what stays the same about an example's check.
type rule struct {
	id, suite, profiles, title, requirement, source string
	trials                                          int
}

var rules = []rule{
	{"BL-01", "blacklisting", "blacklisting", "a revoked access token is refused", "A verify invoked after the response to a revoke of its session is refused.", "CDI POST /recipe/session/verify", 1000},
	{"BL-02", "blacklisting", "blacklisting", "control: with the check off it is accepted", "With the check off, a verify of a revoked session's token succeeds until the token expires.", "CDI POST /recipe/session/verify", 300},
	{"BL-03", "blacklisting", "blacklisting", "revoking a user ends all of his sessions", "After the response to a revoke of a user, no token of any of his sessions is accepted.", "CDI POST /recipe/session/remove, userId", 1000},
	{"BL-04", "blacklisting", "blacklisting", "a token from refresh is refused after a revoke", "The rule of BL-01 holds for tokens that came from refresh, also at their first verify.", "CDI POST /recipe/session/refresh", 500},
	{"BL-05", "blacklisting", "blacklisting", "the refusal is UNAUTHORISED", "A verify of a revoked session's valid token answers UNAUTHORISED, not TRY_REFRESH_TOKEN.", "CDI POST /recipe/session/verify", 50},
	{"BL-06", "multi-instance", "blacklisting multi-instance", "a revoke at one instance is seen at another", "A verify invoked after the response to a revoke is refused at every instance.", "DESIGN.md, section 4", 500},
	{"RC-01", "races", "races", "refresh against revoke", "A refresh that races a revoke never brings the session back.", "DESIGN.md, section 4", 2000},
	{"RC-02", "races", "races", "revoke of a user against login", "A revoke of all sessions of a user ends each session whose login was answered before it was asked for.", "DESIGN.md, section 4", 2000},
	{"RC-03", "races", "races", "verify against revoke, many clients", "The answers to concurrent verifies and a revoke can be explained by one order of events.", "DESIGN.md, section 4", 480},
	{"RC-04", "races", "races", "slow update of data against revoke", "An update of session data that races a revoke does not bring the session back.", "DESIGN.md, section 4", 1000},
	{"SE-01", "sessions", "session", "create hands out a session", "Create answers OK with session, access token and refresh token in the shape of the version spoken.", "CDI POST /recipe/session", 20},
	{"SE-02", "sessions", "session", "refresh rotates", "Refresh hands out new tokens and the child's use retires the parent.", "CDI POST /recipe/session/refresh", 20},
	{"SE-03", "sessions", "session", "reuse of an old refresh token is theft", "An old refresh token, offered after its child was used, answers TOKEN_THEFT_DETECTED.", "CDI POST /recipe/session/refresh", 20},
	{"SE-04", "sessions", "session", "listing shows live sessions only", "The list of a user's sessions holds each live session and no revoked one.", "CDI GET /recipe/session/user", 20},
	{"SE-05", "sessions", "session", "a forged token is refused", "A token whose signature does not fit answers TRY_REFRESH_TOKEN.", "CDI POST /recipe/session/verify", 21},
	{"FT-01", "faults", "faults", "database stopped: no token is accepted", "While the database cannot be asked, a verify with the check on answers 5xx, neither OK nor UNAUTHORISED.", "DESIGN.md, section 4", 12},
	{"FT-02", "faults", "faults", "database back: sessions are there", "A session that was alive before the database stopped is accepted once it is back.", "DESIGN.md, section 4", 12},
	{"FP-01", "footprint", "footprint", "one statement with the check on", "With the check on, a verify makes exactly one database statement.", "DESIGN.md, section 3", 2000},
	{"FP-02", "footprint", "footprint", "no statement with the check off", "With the check off, a verify makes no database statement.", "DESIGN.md, section 3", 2000},
}

// exampleConformance has each rule once in each era, all passed.
func exampleConformance() *proof.Conformance {
	c := &proof.Conformance{Started: time.Date(2026, 3, 2, 9, 30, 3, 0, time.UTC), Took: 21400 * time.Millisecond,
		Immediacy: proof.Immediacy{Trials: 6100, UpperBound: 0.000490983, ControlTrials: 600, ControlAccepted: 600,
			ConcurrentTrials: 960, ConcurrentAccepted: 571}}
	for _, e := range []struct{ era, protocol, session string }{{"setting", "CDI 2.20", "session-2.20"}, {"request", "CDI 5.4", "session-5.4"}} {
		for _, r := range rules {
			profiles := []string{r.profiles}
			switch r.profiles {
			case "session":
				profiles = []string{e.session}
			case "blacklisting multi-instance":
				profiles = []string{"blacklisting", "multi-instance"}
			}
			c.Checks = append(c.Checks, proof.Check{ID: r.id, Title: r.title, Requirement: r.requirement, Source: r.source, Profiles: profiles,
				Suite: r.suite, Era: e.era, Protocol: e.protocol, Outcome: proof.Pass, Trials: r.trials,
				Took:  time.Duration(r.trials)*480*time.Microsecond + 3*time.Millisecond,
				Rerun: fmt.Sprintf("coreproof conform --only %s --protocol %q --seed 4242 --trials %d", r.id, e.protocol, r.trials)})
		}
		c.Histories = append(c.Histories, proof.History{Check: "RC-03", Era: e.era, File: "history-RC-03-" + e.era + ".jsonl",
			Operations: 14400, Sessions: 480, Clients: 16, Result: "linearizable", Took: 92 * time.Millisecond})
	}
	for _, name := range []string{"blacklisting", "multi-instance", "races", "session-2.20", "session-5.4", "footprint"} {
		c.Profiles = append(c.Profiles, proof.Profile{Name: name})
	}
	c.Profiles = append(c.Profiles, proof.Profile{Name: "faults", Optional: true})
	countProfiles(c)
	return c
}

// countProfiles fills in the profiles from the checks.
func countProfiles(c *proof.Conformance) {
	for i := range c.Profiles {
		p := &c.Profiles[i]
		*p = proof.Profile{Name: p.Name, Optional: p.Optional}
		for _, k := range c.Checks {
			for _, name := range k.Profiles {
				if name != p.Name {
					continue
				}
				switch k.Outcome {
				case proof.Pass:
					p.Passed++
				case proof.Fail:
					p.Failed++
				case proof.Skip:
					p.Skipped++
				case proof.Vacuous:
					p.Vacuous++
				default:
					p.Errors++
				}
			}
		}
		switch {
		case p.Failed > 0:
			p.Outcome = proof.Fail
		case p.Errors > 0:
			p.Outcome = proof.Error
		case p.Vacuous > 0:
			p.Outcome = proof.Vacuous
		case p.Skipped > 0:
			p.Outcome, p.Reason = proof.Incomplete, fmt.Sprintf("required checks were skipped: %d", p.Skipped)
		default:
			p.Outcome = proof.Pass
		}
	}
}

// A token as a recorder shortens it.
const shortToken = "eyJhbGci…3LVHw=="

// breakCheck gives k the outcome that a core has which caches liveness for 5 s.
func breakCheck(k *proof.Check) {
	setting := k.Era == "setting"
	switch {
	case k.ID == "BL-01":
		k.Outcome, k.Violations = proof.Fail, 92
		k.Expected, k.Got = "UNAUTHORISED", "OK in 92 of 1,000 trials, up to 4.93 s after the revoke's response"
		k.Observations = map[string]string{"acceptanceWindowNs": "4930000000", "firstViolation": "trial 17", "untaggedViolations": "45", "taggedViolations": "47"}
		k.Exchanges = staleExchanges(k)
		k.Replay = `curl -s -X POST http://127.0.0.1:34567/recipe/session/verify -H 'cdi-version: 2.20' -H 'content-type: application/json' -d '{"accessToken":"` + shortToken + `","doAntiCsrfCheck":false,"enableAntiCsrf":false}'`
	case k.ID == "BL-06" && setting:
		k.Outcome, k.Violations = proof.Fail, 122
		k.Expected, k.Got = "UNAUTHORISED at instance 1", "OK at instance 1 in 122 of 500 trials"
		k.Exchanges = staleExchanges(k)[1:]
	case k.ID == "BL-06":
		k.Outcome, k.Reason, k.Trials = proof.Error, "revoke at on-0: read: connection reset by peer", 0
	case k.ID == "RC-01" && setting:
		k.Outcome, k.Violations = proof.Fail, 3
		k.Expected, k.Got = "the session stays gone", "the session was back in 3 of 2,000 races: refresh answered OK after the revoke's response"
		k.Exchanges = []proof.Exchange{{Method: "POST", URL: "http://127.0.0.1:34568/recipe/session/refresh",
			RequestBody: `{"refreshToken":"mDr7XRnm…2ac0.V2","enableAntiCsrf":false}`, Status: 200,
			ResponseBody: `{"status":"OK","session":{"handle":"93292703-0c87-4f96-a8b4-034f810f089f"}}`, Took: 1740 * time.Microsecond}}
	case k.ID == "RC-03" && setting:
		k.Outcome, k.Violations = proof.Fail, 11
		k.Expected, k.Got = "a linearizable history", "11 of 480 sessions have no order of events that explains their answers"
	case k.ID == "SE-05" && setting:
		// A hostile answer: reports must show it and nothing more.
		k.Outcome, k.Violations = proof.Fail, 1
		k.Expected, k.Got = "TRY_REFRESH_TOKEN", "HTTP 500: <script>document.title='owned'</script> & \"more\""
		k.Exchanges = []proof.Exchange{{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/verify?x=\"><img src=x onerror=alert(1)>",
			RequestBody: `{"accessToken":"` + shortToken + `"}`, Status: 500,
			ResponseBody: "<script>document.title='owned'</script>\x1b[31m\x00 ]]> ::error::owned\n::set-output name=x::y | `code` @everyone", Took: 900 * time.Microsecond}}
	case k.ID == "FT-01":
		k.Outcome, k.Violations = proof.Fail, 12
		k.Expected, k.Got = "HTTP 5xx", "OK: the core answers from its cache while the database is stopped"
	case k.ID == "FP-01":
		k.Outcome, k.Violations = proof.Fail, 1
		k.Expected, k.Got = "2000 statements for 2000 calls", "4000 statements for 2000 calls"
	case k.ID == "BL-04":
		k.Outcome, k.Reason = proof.Vacuous, "no token was accepted before the revoke, so its refusal proves nothing"
	case k.ID == "SE-04":
		k.Outcome, k.Reason, k.Trials = proof.Skip, "the core has no listing (HTTP 404)", 0
	}
}

func staleExchanges(k *proof.Check) []proof.Exchange {
	tag := k.ID + "/17"
	verify := `{"accessToken":"` + shortToken + `","doAntiCsrfCheck":false,"enableAntiCsrf":false}`
	return []proof.Exchange{
		{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/verify", RequestBody: verify, Status: 200,
			ResponseBody: `{"status":"OK","session":{"handle":"93292703-0c87-4f96-a8b4-034f810f089f","userId":"u-17"}}`, Tag: tag, Took: 412 * time.Microsecond},
		{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/remove", RequestBody: `{"sessionHandles":["93292703-0c87-4f96-a8b4-034f810f089f"]}`, Status: 200,
			ResponseBody: `{"status":"OK","sessionHandlesRevoked":["93292703-0c87-4f96-a8b4-034f810f089f"]}`, Tag: tag, Took: 1893 * time.Microsecond},
		{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/verify", RequestBody: verify, Status: 200,
			ResponseBody: `{"status":"OK","session":{"handle":"93292703-0c87-4f96-a8b4-034f810f089f","userId":"u-17"}}`, Tag: tag, Took: 344 * time.Microsecond},
	}
}

package examples

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

// rule is what stays the same about a check.
type rule struct {
	id, suite, profile, title string
	trials                    int
	// what it keeps besides: "i" immediacy, "r" race, "h" history.
	keeps string
}

// rules have the ids and titles of real checks, a part of them.
var rules = []rule{
	{"BL-01", "blacklisting", "blacklisting", "a live session is accepted with the check on", 10, ""},
	{"BL-02", "blacklisting", "blacklisting", "a session revoked by its handle is refused at once", 60, "i"},
	{"BL-05", "blacklisting", "blacklisting", "all 11 sessions of a user are refused at once after a revoke by user", 20, "i"},
	{"BL-07", "blacklisting", "multi-instance", "a revoke at one instance is seen by verify at every other", 60, "i"},
	{"BL-08", "blacklisting", "blacklisting", "the access token from a refresh is refused at once", 60, "i"},
	{"BL-12", "blacklisting", "blacklisting", "one revoke ends every access token that the session ever had", 20, "i"},
	{"BL-20", "blacklisting", "blacklisting", "refresh after a revoke is refused", 20, "i"},
	{"BL-24", "blacklisting", "blacklisting", "a revoked session is not listed", 20, "i"},
	{"BL-35", "blacklisting", "blacklisting", "a bad signature is no revoked session", 3, ""},
	{"BL-40", "blacklisting", "lifetimes", "tokens that live a second are refused at once", 10, "i"},
	{"BL-50", "blacklisting", "blacklisting", "refresh against revoke", 40, "r"},
	{"BL-52", "blacklisting", "blacklisting", "payload update against revoke", 40, "r"},
	{"BL-54", "blacklisting", "blacklisting", "promotion against revoke", 40, "r"},
	{"BL-59", "blacklisting", "blacklisting", "a storm of verifies sees the revoke at once", 16, "i"},
	{"BL-60", "blacklisting", "blacklisting", "a history of many clients can be explained", 1, "h"},
	{"SE-01", "session", "session-basic", "create gives a session that verify knows", 5, ""},
	{"SE-02", "session", "session-basic", "user data comes back as given", 5, ""},
	{"SE-03", "session", "session-basic", "listing gives exactly the user's live sessions", 5, ""},
	{"SE-04", "session", "session-basic", "refresh gives a new pair of the same session", 5, ""},
	{"SE-05", "session", "session-basic", "reuse of a refresh token whose child was used is theft", 5, ""},
	{"SE-10", "session", "session-basic", "a token that was tampered with is refused", 21, ""},
	{"SE-14", "session", "multi-instance", "any instance honours any other's tokens", 5, ""},
	{"IS-01", "isolation", "isolation", "users that differ in case are kept apart", 2, ""},
	{"IS-02", "isolation", "isolation", "users that differ by a trailing blank are kept apart", 2, ""},
}

// versions that the examples speak, and who decides the flag there.
var versions = []struct{ mode, protocol string }{{"setting", "CDI 2.20"}, {"request", "CDI 5.4"}}

// conformance has each rule once in each version; all held.
func (e *Example) conformance(target string) *proof.Conformance {
	c := &proof.Conformance{Started: time.Date(2026, 3, 2, 9, 30, 3, 0, time.UTC), Took: 21400 * time.Millisecond,
		Planned: len(rules) * len(versions), Instances: 2, Pairs: &proof.Pairs{Strength: 2, Wanted: 118, Met: 118}}
	for _, v := range versions {
		c.Switch = append(c.Switch, proof.SwitchControl{Protocol: v.protocol, Instance: "off-0", Trials: 5, Accepted: 5})
		for _, r := range rules {
			c.Checks = append(c.Checks, newCheck(r, v.mode, v.protocol))
			if r.keeps == "h" {
				c.Histories = append(c.Histories, e.history(target, r.id, v.protocol, orderly))
			}
		}
	}
	for _, name := range []string{"blacklisting", "multi-instance", "lifetimes", "session-basic", "isolation"} {
		f := proof.Profile{Name: name, Optional: name == "isolation"}
		for _, r := range rules {
			if r.profile == name {
				f.Members++
			}
		}
		c.Profiles = append(c.Profiles, f)
	}
	return c
}

func newCheck(r rule, mode, protocol string) proof.Check {
	k := proof.Check{ID: r.id, Title: r.title, Requirement: strings.ToUpper(r.title[:1]) + r.title[1:] + ".", Source: "docs/spec, session recipe",
		Profiles: []string{r.profile}, Suite: r.suite, FlagMode: mode, Protocol: protocol, Trials: r.trials, Tagged: r.trials / 2,
		Took:  time.Duration(r.trials)*480*time.Microsecond + 3*time.Millisecond,
		Rerun: fmt.Sprintf("coreproof conform --check %s --cdi %s --seed 4242", r.id, strings.TrimPrefix(protocol, "CDI "))}
	switch r.keeps {
	case "i":
		k.Immediacy = &proof.Immediacy{Revokes: r.trials, Calls: 4 * r.trials, Twins: r.trials, TwinsAccepted: r.trials}
	case "h":
		k.Immediacy = &proof.Immediacy{Revokes: 24, Calls: 96, Twins: 24, TwinsAccepted: 24, Concurrent: 48, ConcurrentAccepted: 31}
	case "r":
		k.Race = &proof.Race{Want: 10}
		for i := range r.trials {
			at := int64(1000 * (i%7 + 1))
			x := proof.RaceTrial{ACall: at, AReturn: at + 900_000, BCall: at + 20_000, BReturn: at + 1_100_000, Order: "ab"}
			if i%2 == 1 {
				x.Order = "ba"
			}
			k.Race.Trials = append(k.Race.Trials, x)
		}
	}
	return k
}

func has(k *proof.Check, profile string) bool { return slices.Contains(k.Profiles, profile) }

func lack(k *proof.Check, kind, text string) {
	k.Lacks = &proof.Lack{Kind: kind, Text: text}
	k.Trials, k.Tagged, k.Took, k.Immediacy, k.Race = 0, 0, 0, nil, nil
}

// A token as a recorder shortens it.
const shortToken = "eyJhbGci…3LVHw=="

// breakCheck gives k what a core shows that caches liveness for 5 s.
func breakCheck(k *proof.Check) {
	setting := k.FlagMode == "setting"
	stale := func(n int) {
		for i := range n {
			k.Violations = append(k.Violations, proof.Violation{Trial: i, Tagged: i < k.Tagged, Expected: "UNAUTHORISED", Got: "OK"})
		}
		k.Violations[0].Exchanges = staleExchanges(k)
		k.Violations[0].Replay = `curl -sS -X POST http://127.0.0.1:34567/recipe/session/verify -H 'cdi-version: 2.20' --data-binary '{"accessToken":"'"$TOKEN"'","doAntiCsrfCheck":false}'`
		k.Immediacy.Broken, k.Immediacy.Accepted, k.Immediacy.AcceptanceWindow = n, 2*n, 4930*time.Millisecond
	}
	one := func(expected, got string) {
		k.Violations = []proof.Violation{{Trial: 0, Tagged: true, Expected: expected, Got: got}}
	}
	switch {
	case k.ID == "BL-02":
		stale(46)
		k.Observations = map[string]string{"longest acceptance": "4.93 s after the revoke's response"}
	case k.ID == "BL-07" && setting:
		stale(31)
	case k.ID == "BL-07":
		k.Trouble = "revoke at on-0: read: connection reset by peer"
		k.Trials, k.Tagged, k.Immediacy = 0, 0, nil
	case k.ID == "BL-50" && setting:
		one("the session stays gone", "refresh answered OK after the revoke's response, and the session was back")
		k.Violations[0].Exchanges = []proof.Exchange{{Method: "POST", URL: "http://127.0.0.1:34568/recipe/session/refresh",
			RequestBody: `{"refreshToken":"mDr7XRnm…2ac0.V2","enableAntiCsrf":false}`, Status: 200,
			ResponseBody: `{"status":"OK","session":{"handle":"93292703-0c87-4f96-a8b4-034f810f089f"}}`, Took: 1740 * time.Microsecond}}
	case k.ID == "BL-60" && setting:
		k.Violations = []proof.Violation{{Trial: 0, Expected: "a linearizable history", Got: "1 of 24 sessions has no order of events that explains its answers"}}
		k.Immediacy.Broken, k.Immediacy.Accepted, k.Immediacy.AcceptanceWindow = 1, 1, 12*time.Microsecond
	case k.ID == "SE-10" && setting:
		// A hostile answer: reports must show it and nothing more.
		one("TRY_REFRESH_TOKEN", "HTTP 500: <script>document.title='owned'</script> & \"more\"")
		k.Violations[0].Exchanges = []proof.Exchange{{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/verify?x=\"><img src=x onerror=alert(1)>",
			RequestBody: `{"accessToken":"` + shortToken + `"}`, Status: 500,
			ResponseBody: "<script>document.title='owned'</script>\x1b[31m\x00 ]]> ::error::owned\n::set-output name=x::y | `code` @everyone", Took: 900 * time.Microsecond}}
	case k.ID == "IS-01":
		one("a session of user u-A", "it was revoked with the sessions of u-a")
	case k.ID == "BL-08":
		k.Immediacy.TwinsAccepted = 0
	case k.ID == "SE-03":
		lack(k, "verb", "the core has no listing (HTTP 404)")
	}
}

func staleExchanges(k *proof.Check) []proof.Exchange {
	tag := k.ID + "/0"
	verify := `{"accessToken":"` + shortToken + `","doAntiCsrfCheck":false,"enableAntiCsrf":false}`
	ok := `{"status":"OK","session":{"handle":"93292703-0c87-4f96-a8b4-034f810f089f","userId":"u-17"}}`
	return []proof.Exchange{
		{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/verify", RequestBody: verify, Status: 200, ResponseBody: ok, Tag: tag, Took: 412 * time.Microsecond},
		{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/remove", RequestBody: `{"sessionHandles":["93292703-0c87-4f96-a8b4-034f810f089f"]}`, Status: 200,
			ResponseBody: `{"status":"OK","sessionHandlesRevoked":["93292703-0c87-4f96-a8b4-034f810f089f"]}`, Tag: tag, Took: 1893 * time.Microsecond},
		{Method: "POST", URL: "http://127.0.0.1:34567/recipe/session/verify", RequestBody: verify, Status: 200, ResponseBody: ok, Tag: tag, Took: 344 * time.Microsecond},
	}
}

// what a recorded history shows.
type story int

const (
	orderly story = iota
	stale         // one session is accepted after it was revoked
)

// history makes a history, keeps it with the example and gives the proof's row.
func (e *Example) history(target, check, protocol string, s story) proof.History {
	h := &history.History{Check: check, Protocol: protocol, Seed: 4242, Started: time.Date(2026, 3, 2, 9, 30, 20, 0, time.UTC), Clients: 4}
	for i := range 24 {
		handle := fmt.Sprintf("session-%02d", i)
		at := time.Duration(i) * 100 * time.Microsecond
		add := func(kind history.Kind, call, ret time.Duration, result history.Result) {
			h.Operations = append(h.Operations, history.Operation{Client: (i + len(h.Operations)) % 4, Instance: "on-0", Kind: kind, Handle: handle, Call: at + call*time.Microsecond, Return: at + ret*time.Microsecond, Result: result})
		}
		add(history.Create, 0, 10, history.OK)
		add(history.Verify, 11, 15, history.OK)
		add(history.Revoke, 20, 40, history.Ended)
		add(history.Verify, 22, 30, history.OK)
		add(history.Verify, 33, 39, history.Refused)
		last := history.Refused
		if s == stale && i == 7 {
			last = history.OK
		}
		add(history.Verify, 52, 60, last)
		add(history.Verify, 70, 75, history.Refused)
	}
	h.Sort()
	var file bytes.Buffer
	if err := history.Write(&file, h); err != nil {
		panic(err) // a buffer takes all
	}
	sum := sha256.Sum256(file.Bytes())
	name := fmt.Sprintf("histories/%s-%s-%s-%s.jsonl", e.Name, target, check, strings.TrimPrefix(protocol, "CDI "))
	e.Histories[name] = h
	result := history.Linearizable
	if s == stale {
		result = history.NotLinearizable
	}
	return proof.History{Check: check, Protocol: protocol, File: name, SHA256: hex.EncodeToString(sum[:]), Operations: len(h.Operations), Sessions: h.Sessions(),
		Clients: h.Clients, Result: result, Took: 2 * time.Millisecond}
}

// breakHistories makes the first history a stale one.
func (e *Example) breakHistories(c *proof.Conformance) {
	h := c.Histories[0]
	c.Histories[0] = e.history("postgres", h.Check, h.Protocol, stale)
}

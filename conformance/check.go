// Package conformance tries rules on cores and says which hold. A rule is a
// Check: data with one function. The list of suites stands in suites.go; to add
// a check, add an entry to a suite's file and nothing else.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/reports/proof"
)

// Profile is a named set of checks that a core can claim.
type Profile string

const (
	// Blacklisting: a revoked session is refused at once, as the flag promises.
	Blacklisting Profile = "blacklisting"
	// MultiInstance: the same over several cores on one database.
	MultiInstance Profile = "multi-instance"
	// Lifetimes: the same for access tokens that live a second or a day, and
	// what becomes of expired ones. Needs cores of its own.
	Lifetimes Profile = "lifetimes"
	// SessionBasic: what every session core must do before revoking matters.
	SessionBasic Profile = "session-basic"
	// Isolation: users and handles that look alike are kept apart.
	Isolation Profile = "isolation"
)

// optional profiles are reported and decide nothing: the real core fails
// Isolation on MariaDB, and a core may be used with ids for which that is fine.
var optional = map[Profile]bool{Isolation: true}

// Needs is what a check cannot do without. A check whose protocol bounds do not
// fit is left out; one whose other needs are not met is skipped and reported.
type Needs struct {
	// Instances on the flag-on side; 0 is 1.
	Instances int
	// Off: a side that does not check, to compare with.
	Off bool
	// Own: cores with settings of the check's choice.
	Own bool
	// Era in which the rule exists; "" is both.
	Era adapter.Era
	// From and Below bound the protocol's version: From ≤ version < Below.
	From, Below string
	// Alone: nothing else may run meanwhile, since the check is about load or
	// about who comes first.
	Alone bool
}

// List tells the needs in words, for docs and listings.
func (n Needs) List() []string {
	var l []string
	if n.Instances > 1 {
		l = append(l, fmt.Sprintf("%d instances", n.Instances))
	}
	if n.Off {
		l = append(l, "a flag-off side")
	}
	if n.Own {
		l = append(l, "cores of its own")
	}
	switch n.Era {
	case adapter.EraSetting:
		l = append(l, "CDI ≤ 2.20")
	case adapter.EraRequest:
		l = append(l, "CDI ≥ 2.21")
	}
	if n.From != "" {
		l = append(l, "CDI ≥ "+n.From)
	}
	if n.Below != "" {
		l = append(l, "CDI < "+n.Below)
	}
	return l
}

// Check is one rule.
type Check struct {
	// ID is permanent: retired, never used again for another rule.
	ID string
	// Title says in a few words what holds on a good core.
	Title string
	// Requirement is the rule as one sentence.
	Requirement string
	// Source is where the rule comes from.
	Source string
	// Suite is filled in from the list of suites.
	Suite    string
	Profiles []Profile
	Needs    Needs
	// Smoke checks are also tried in the versions that are only touched.
	Smoke bool
	// Run tries the rule. nil means that it held; Violation, Vacuous and Skip
	// make the other verdicts, and any other error is the harness's own trouble.
	Run func(ctx context.Context, s *Scene) error
}

// Violation is a rule broken by the core.
type Violation struct {
	Expected, Got string
	// Exchange decided; nil when no single one did.
	Exchange *adapter.Exchange
}

func (v *Violation) Error() string { return fmt.Sprintf("want %s, got %s", v.Expected, v.Got) }

// violated makes a Violation from an answer.
func violated(r adapter.Reply, expected, got string) error {
	return &Violation{Expected: expected, Got: got, Exchange: &r.Exchange}
}

// vacuous says that a check could not have failed.
type vacuous struct{ why string }

func (v *vacuous) Error() string { return v.why }

func vacuousf(format string, args ...any) error { return &vacuous{fmt.Sprintf(format, args...)} }

// skipped says that a check found out on its way that the target lacks something.
type skipped struct{ why string }

func (v *skipped) Error() string { return v.why }

func skippedf(format string, args ...any) error { return &skipped{fmt.Sprintf(format, args...)} }

// trouble is an error of the harness's own, or of the network: what was tried
// and what happened. A core that answers outside the protocol is no trouble but
// in breach of it.
func trouble(what string, err error) error {
	var breach interface{ Violation() string }
	if errors.As(err, &breach) {
		return &Violation{Expected: "an answer as the protocol describes it", Got: fmt.Sprintf("%s: %s", what, breach.Violation())}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// describe tells an answer in words.
func describe(r adapter.Reply) string {
	text := string(r.Status)
	if r.Status == adapter.HTTPError {
		text = fmt.Sprintf("HTTP %d", r.HTTPStatus)
	}
	if m := strings.TrimSpace(r.Message); m != "" {
		text += fmt.Sprintf(" (%s)", proof.ShortenTokens(m))
	}
	return text
}

// want gives a Violation unless r has one of the given statuses.
func want(r adapter.Reply, err error, what string, statuses ...adapter.Status) error {
	if err != nil {
		return trouble(what, err)
	}
	words := make([]string, len(statuses))
	for i, s := range statuses {
		if r.Status == s {
			return nil
		}
		words[i] = string(s)
	}
	return violated(r, fmt.Sprintf("%s: %s", what, strings.Join(words, " or ")), describe(r))
}

// need gives trouble unless r is OK: for what a check does to set its scene.
func need(r adapter.Reply, err error, what string) error {
	if err != nil {
		return trouble(what, err)
	}
	if r.Status != adapter.OK {
		return fmt.Errorf("%s: got %s, want OK", what, describe(r))
	}
	return nil
}

package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/coreproof/coreproof/internal/protocol"
)

// Profile is a named set of checks that a core can claim.
type Profile string

const (
	// Blacklisting: a revoked session is refused at once, as the flag promises.
	Blacklisting Profile = "blacklisting"
	// Switch: the flag, or the request where it decides, makes the difference.
	Switch Profile = "switch"
	// MultiInstance: the same as Blacklisting over several cores on one database.
	MultiInstance Profile = "multi-instance"
	// Lifetimes: the same for access tokens that live a second or a day, and
	// what becomes of expired ones. Needs cores with settings of the check's choice.
	Lifetimes Profile = "lifetimes"
	// SessionBasic: what every session core must do before revoking matters.
	SessionBasic Profile = "session-basic"
	// Rotation: what refresh tokens do where refresh retires them at once.
	Rotation Profile = "rotation"
	// Grants: what OAuth asks of the tokens of one grant.
	Grants Profile = "grants"
	// LateRevoke: a logout by a refresh token that was exchanged meanwhile.
	LateRevoke Profile = "late-revoke"
	// Isolation: ids that differ in what a collation may ignore are kept apart.
	Isolation Profile = "isolation"
	// Hardening: hostile input is refused, and not answered with a 5xx.
	Hardening Profile = "hardening"
	// StartUp: cores that start at once on an empty database.
	StartUp Profile = "start-up"
	// Faults: the same as Blacklisting while the database cannot be reached, and after.
	Faults Profile = "faults"
)

// Profiles lists them in the order of reports. Optional ones are reported and
// decide nothing, unless they are required: cores in wide use break them, and can
// be used where that is fine.
var Profiles = []struct {
	Name     Profile
	Optional bool
}{
	{Blacklisting, false}, {Switch, false}, {MultiInstance, false}, {Lifetimes, false}, {Faults, false},
	{SessionBasic, false}, {Rotation, false}, {Grants, false}, {LateRevoke, true}, {Isolation, true}, {Hardening, true}, {StartUp, true},
}

// Needs is what a check cannot do without. A check whose bounds of the version do
// not fit is left out; one whose other needs are not met is reported with what the
// target lacks.
type Needs struct {
	// Instances on the flag-on side; 0 is 1.
	Instances int
	// OffSide: a side that does not check, to compare with.
	OffSide bool
	// Settings: cores that are started with settings of the check's choice.
	Settings bool
	// Verbs beyond create, verify and revoke.
	Verbs []protocol.Verb
	// Protocol in which the rule exists, by its name; "" is all.
	Protocol string
	// FlagMode in which the rule exists; "" is both.
	FlagMode protocol.FlagMode
	// From and Below bound the protocol's version: From ≤ version < Below.
	From, Below string
	// Serial: nothing else may run meanwhile, since the check is about load or
	// about who comes first.
	Serial bool
	// Abreast: of a serial check, all versions may be tried at once, since it makes a
	// load of its own, or none that it depends on.
	Abreast bool
	// Outage: cores of its own whose database can be taken away (T.Losable). Checks that
	// need one share it.
	Outage bool
	// Waits: it does nothing for most of its time. Where it gets a core of its own
	// (T.Alone), it goes on beside all others; else it is tried after them, alone.
	Waits bool
}

// List tells the needs in words, for docs and listings.
func (n Needs) List() []string {
	var l []string
	if n.Instances > 1 {
		l = append(l, fmt.Sprintf("%d instances", n.Instances))
	}
	if n.OffSide {
		l = append(l, "a flag-off side")
	}
	if n.Settings {
		l = append(l, "cores with settings of its own")
	}
	if n.Outage {
		l = append(l, "a database that can be taken away")
	}
	for _, v := range n.Verbs {
		l = append(l, string(v))
	}
	if n.Protocol != "" {
		l = append(l, n.Protocol)
	}
	switch n.FlagMode {
	case protocol.BySetting:
		l = append(l, "a version whose flag is the core's setting")
	case protocol.ByRequest:
		l = append(l, "a version whose flag is in the request")
	}
	if n.From != "" {
		l = append(l, "version ≥ "+n.From)
	}
	if n.Below != "" {
		l = append(l, "version < "+n.Below)
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
	// Suite is the theme under which it is listed.
	Suite    string
	Profiles []Profile
	Needs    Needs
	// Smoke checks are also tried in the versions that are only touched.
	Smoke bool
	// Foundation names the profiles whose checks rest on this one. It is tried
	// before them; when none of its trials holds, they are not tried but name it as
	// their cause.
	Foundation []Profile
	// Run tries the rule. nil means that nothing spoke against it; Violation,
	// CouldNotFailf and Lackf say what was found, and any other error is the
	// harness's own.
	Run func(ctx context.Context, t *T) error
}

// In says whether the check belongs to a profile.
func (c *Check) In(p Profile) bool { return slices.Contains(c.Profiles, p) }

// restsOn says whether c cannot be tried where f fails wholly.
func (c *Check) restsOn(f *Check) bool {
	if c.ID == f.ID || len(f.Foundation) == 0 {
		return false
	}
	// What shows that the flag makes a difference must not wait for a check that
	// fails where the flag is forgotten.
	if c.In(Switch) && !slices.Contains(f.Foundation, Switch) {
		return false
	}
	return slices.ContainsFunc(c.Profiles, func(p Profile) bool { return slices.Contains(f.Foundation, p) })
}

func (c *Check) profiles() []string {
	names := make([]string, len(c.Profiles))
	for i, p := range c.Profiles {
		names[i] = string(p)
	}
	return names
}

// Package checks holds the checks: one file a theme, and their list. To add a
// check, add an entry to a theme's file; to add a theme, a file and a line in All.
// Steps that checks share stand in steps.go, expectations in expectations.go.
package checks

import "github.com/coreproof/coreproof/conformance"

// The runner's words, as every check uses them.
type (
	Check    = conformance.Check
	Needs    = conformance.Needs
	Profile  = conformance.Profile
	T        = conformance.T
	Trial    = conformance.Trial
	Instance = conformance.Instance
)

// All lists every check there is, in the order of reports.
func All() []Check {
	var all []Check
	for _, theme := range []struct {
		suite  string
		checks []Check
	}{
		{"session", foundationChecks()},
		{"blacklisting", revokeChecks()},
		{"blacklisting", aftermathChecks()},
		{"blacklisting", switchChecks()},
		{"blacklisting", lifetimeChecks()},
		{"blacklisting", raceChecks()},
		{"blacklisting", loadChecks()},
		{"blacklisting", historyChecks()},
		{"blacklisting", dimensionChecks()},
		{"blacklisting", ageChecks()},
		{"blacklisting", firstVerifyChecks()},
		{"faults", outageChecks()},
		{"session", sessionChecks()},
		{"rotation", rotationChecks()},
		{"grants", grantChecks()},
		{"isolation", isolationChecks()},
		{"hardening", hardeningChecks()},
	} {
		for _, c := range theme.checks {
			c.Suite = theme.suite
			all = append(all, c)
		}
	}
	return all
}

package conformance

import (
	"errors"
	"fmt"
	"slices"
)

// suite is checks on one theme.
type suite struct {
	name   string
	checks []Check
}

// suites is the list. Order is the order of reports.
func suites() []suite {
	return []suite{
		{"blacklisting", revokeChecks()},
		{"blacklisting", aftermathChecks()},
		{"blacklisting", switchChecks()},
		{"blacklisting", lifetimeChecks()},
		{"blacklisting", raceChecks()},
		{"blacklisting", historyChecks()},
		{"session", sessionChecks()},
		{"isolation", isolationChecks()},
	}
}

// Checks lists every check there is, in the order of reports.
func Checks() []Check {
	var all []Check
	for _, s := range suites() {
		for _, c := range s.checks {
			c.Suite = s.name
			all = append(all, c)
		}
	}
	return all
}

// ErrNothingSelected says that a selection matches no check.
var ErrNothingSelected = errors.New("the selection matches no check")

// Selection chooses checks; an empty one chooses all. A check is chosen when
// each non-empty list names it.
type Selection struct {
	IDs, Suites, Profiles []string
}

// choose gives the selected checks; an id, suite or profile that does not exist
// is an error even when others do, since the caller meant something.
func (s Selection) choose(all []Check) ([]Check, error) {
	known := func(kind string, names []string, of func(Check) []string) error {
		for _, n := range names {
			if !slices.ContainsFunc(all, func(c Check) bool { return slices.Contains(of(c), n) }) {
				return fmt.Errorf("%w: no check has %s %q", ErrNothingSelected, kind, n)
			}
		}
		return nil
	}
	ids := func(c Check) []string { return []string{c.ID} }
	names := func(c Check) []string { return []string{c.Suite} }
	if err := errors.Join(known("id", s.IDs, ids), known("suite", s.Suites, names), known("profile", s.Profiles, Check.profiles)); err != nil {
		return nil, err
	}
	matches := func(want, has []string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(has, w) })
	}
	var chosen []Check
	for _, c := range all {
		if matches(s.IDs, ids(c)) && matches(s.Suites, names(c)) && matches(s.Profiles, c.profiles()) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, ErrNothingSelected
	}
	return chosen, nil
}

func (c Check) profiles() []string {
	names := make([]string, len(c.Profiles))
	for i, p := range c.Profiles {
		names[i] = string(p)
	}
	return names
}

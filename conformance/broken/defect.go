// Package broken holds cores that are broken on purpose, each in one way that a
// real core was broken in, or could be. A defect is a few lines over the reference
// core's store, engine or handler, served over HTTP like any core, and names the
// checks that must catch it. Never serve one to anybody but a check.
//
// To add a defect, add an entry to a theme's file, and nothing else.
package broken

import (
	"slices"

	"github.com/coreproof/coreproof/refcore/serve"
)

// Defect is one way to be wrong.
type Defect struct {
	// Name is how it is asked for, in small letters and hyphens.
	Name string
	// Text says in one sentence what is wrong.
	Text string
	// CaughtBy are the ids of the checks that must fail, in each protocol version in
	// which they and the defect exist.
	CaughtBy []string
	// From and Below bound the versions in which the defect shows, From ≤ v < Below;
	// "" for none.
	From, Below string
	// Thorough: it takes a thorough run (--thorough) to catch it.
	Thorough bool
	// Decorate makes a good core a broken one. What a defect remembers it remembers
	// for one core.
	Decorate serve.Decorate
}

// All lists the defects.
func All() []Defect {
	return slices.Concat(
		blindDefects(), cacheDefects(), revokeDefects(), revivalDefects(), staleReadDefects(), switchDefects(),
		orderDefects(), concurrencyDefects(), sessionDefects(), rotationDefects(), alikeDefects(), wireDefects(), ageDefects(), knowledgeDefects(), lifetimeDefects(), forgedDefects(), spellingDefects(), outageDefects(),
	)
}

// Find gives the defect of a name.
func Find(name string) (Defect, bool) {
	for _, d := range All() {
		if d.Name == name {
			return d, true
		}
	}
	return Defect{}, false
}

package cdi

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/internal/adapter"
)

// versions are the CDI versions that have ever been released, oldest first.
var versions = []string{
	"2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16",
	"2.17", "2.18", "2.19", "2.20", "2.21", "3.0", "3.1", "4.0",
	"5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
}

// Versions lists the CDI versions that a Client can speak, oldest first.
func Versions() []string { return slices.Clone(versions) }

// Known says whether a Client can speak version.
func Known(version string) bool { return slices.Contains(versions, version) }

// EraOf says who decides at this version whether verify asks the database.
func EraOf(version string) adapter.Era {
	if Compare(version, "2.21") < 0 {
		return adapter.EraSetting
	}
	return adapter.EraRequest
}

// Compare orders versions numerically: 2.9 before 2.10. What is no version
// comes before all that are.
func Compare(a, b string) int {
	aMajor, aMinor, _ := split(a)
	bMajor, bMinor, _ := split(b)
	return cmp.Or(cmp.Compare(aMajor, bMajor), cmp.Compare(aMinor, bMinor))
}

func split(version string) (major, minor int, err error) {
	left, right, ok := strings.Cut(version, ".")
	if !ok {
		return -1, -1, fmt.Errorf("CDI version %q is not of the form X.Y", version)
	}
	if major, err = strconv.Atoi(left); err != nil {
		return -1, -1, fmt.Errorf("CDI version %q is not of the form X.Y", version)
	}
	if minor, err = strconv.Atoi(right); err != nil {
		return -1, -1, fmt.Errorf("CDI version %q is not of the form X.Y", version)
	}
	return major, minor, nil
}

package cdi

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
)

// Generations: the rules by which sessions live.
const (
	genSetting  = "the core's setting decides"
	genRequest  = "the request decides"
	genRotation = "refresh rotates at once" // no promotion by verify
)

// versions are the CDI versions that have ever been released, oldest first. A new
// one is a row.
var versions = []struct{ name, generation string }{
	{"2.7", genSetting}, {"2.8", genSetting}, {"2.9", genSetting}, {"2.10", genSetting},
	{"2.11", genSetting}, {"2.12", genSetting}, {"2.13", genSetting}, {"2.14", genSetting},
	{"2.15", genSetting}, {"2.16", genSetting}, {"2.17", genSetting}, {"2.18", genSetting},
	{"2.19", genSetting}, {"2.20", genSetting},
	{"2.21", genRequest}, {"3.0", genRequest}, {"3.1", genRequest}, {"4.0", genRequest},
	{"5.0", genRequest}, {"5.1", genRequest}, {"5.2", genRequest}, {"5.3", genRequest},
	{"5.4", genRequest}, {"5.5", genRequest},
	{"5.6", genRotation},
}

func oldest() string { return versions[0].name }
func newest() string { return versions[len(versions)-1].name }

// Versions lists the CDI versions that a Client can speak, oldest first.
func Versions() []string {
	out := make([]string, len(versions))
	for i := range versions {
		out[i] = versions[i].name
	}
	return out
}

// Known says whether a Client can speak version.
func Known(version string) bool { return generation(version) != "" }

func generation(version string) string {
	for i := range versions {
		if versions[i].name == version {
			return versions[i].generation
		}
	}
	return ""
}

// FlagModeOf says who decides at this version whether verify asks the database.
func FlagModeOf(version string) protocol.FlagMode {
	if Compare(version, "2.21") < 0 {
		return protocol.BySetting
	}
	return protocol.ByRequest
}

// Without says why there is no v at the client's version, where the protocol had none yet.
func (c *Client) Without(v protocol.Verb) string {
	if v == protocol.VerbGet && !c.atLeast("2.8") {
		return "CDI has it from 2.8 on"
	}
	return ""
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

package coretest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/refcore/httpapi"
)

func AtLeast(cdi, v string) bool { return httpapi.CompareVersions(cdi, v) >= 0 }

// Every lists all CDI versions.
func Every() []string { return httpapi.Versions() }

// Ranges of CDI versions: the first and the last of each run of versions that
// mean the same to sessions, since those between differ in nothing.
func All() []string {
	list := []string{"2.7", "2.8", "2.9", "2.20", "2.21", "3.0", "3.1", "4.0", "5.0", "5.5", "5.6"}
	if newest := Newest(); !slices.Contains(list, newest) {
		list = append(list, newest)
	}
	return list
}

// Newest is the newest CDI version.
func Newest() string { return Every()[len(Every())-1] }

// Above are well-formed versions newer than all.
func Above() []string {
	major, minor, _ := strings.Cut(Newest(), ".")
	next := func(s string, by int) string {
		n, _ := strconv.Atoi(s)
		return strconv.Itoa(n + by)
	}
	return []string{major + "." + next(minor, 1), major + "." + next(minor, 100), next(major, 1), "99.0", "99999999999999999999.0"}
}

func From(v string) (list []string) {
	for _, x := range All() {
		if AtLeast(x, v) {
			list = append(list, x)
		}
	}
	return list
}

// Eras are versions of each way to decide about the database and to refresh,
// for what needs a database file and with it a disk.
var Eras = []string{"2.20", "2.21", "5.5", "5.6"}

func UpTo(v string) (list []string) {
	for _, x := range All() {
		if AtLeast(v, x) {
			list = append(list, x)
		}
	}
	return list
}
func Between(a, b string) (list []string) {
	for _, x := range From(a) {
		if AtLeast(b, x) {
			list = append(list, x)
		}
	}
	return list
}

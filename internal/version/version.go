// Package version says which build of coreproof this is.
package version

import "runtime/debug"

// release is set by the linker: -X github.com/coreproof/coreproof/internal/version.release=v1.2.3
var release string

// String is the release, or the module's version, or "devel".
func String() string {
	if release != "" {
		return release
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return "devel"
}

// Commit is the revision that was built, with "+dirty" for changed files; "" when unknown.
func Commit() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, dirty string
	for _, s := range b.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	return revision + dirty
}

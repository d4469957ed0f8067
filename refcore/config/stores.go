package config

import (
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// pickStore picks the kind whose connection is set, the first when none is. Two
// at once are an error, since one would be ignored silently.
func (b *build) pickStore() error {
	var chosen []store.Kind
	for _, k := range b.src.Kinds {
		if slices.ContainsFunc(k.Picks, func(key string) bool { return b.v.Text(key) != "" }) {
			chosen = append(chosen, k)
		}
	}
	switch len(chosen) {
	case 0:
		if len(b.src.Kinds) == 0 {
			return nil // nobody wants a store
		}
		chosen = b.src.Kinds[:1]
	case 1:
	default:
		names := make([]string, len(chosen))
		for i, k := range chosen {
			names[i] = k.Name
		}
		return setting.Errorf("connections of several databases are set (%s): set one", strings.Join(names, ", "))
	}
	b.Kind = chosen[0]
	for _, s := range b.Kind.Settings {
		if err := b.links[s.Key]; err != nil {
			return err
		}
	}
	b.warnStray()
	cfg, warnings, err := b.Kind.Configure(b.v)
	b.Store, b.Warnings = cfg, append(b.Warnings, warnings...)
	return err
}

// warnStray names settings of databases that were not picked: a host without a
// user, say, leaves sessions in memory.
func (b *build) warnStray() {
	for _, k := range b.src.Kinds {
		var stray []string
		for _, s := range k.Settings {
			if name, given := b.names[s.Key]; given && !s.Ignored && k.Name != b.Kind.Name {
				stray = append(stray, name)
			}
		}
		if len(stray) > 0 {
			b.warn("settings of %s without effect, as none of %s is set: %s", k.Name, strings.Join(k.Picks, ", "), strings.Join(stray, ", "))
		}
	}
}

package bench

import (
	"maps"
	"slices"
	"strconv"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/reports/proof"
)

// Variant is one of the things that are compared: the settings of its cores, and
// what each request asks for.
type Variant struct {
	Name string
	// Target that its cores come from; nil is the bench's own. All of a bench have
	// the same capabilities.
	Target   launch.Target
	Settings launch.Settings
	// CheckDatabase is sent with each verify, where the protocol's version has it.
	CheckDatabase bool
}

// Names of the variants whose difference is the price of the flag.
const (
	Off = "off"
	On  = "on"
)

// FlagVariants are the flag off and on.
func FlagVariants() []Variant {
	return []Variant{
		{Name: Off},
		{Name: On, Settings: launch.Settings{Flag: true}, CheckDatabase: true},
	}
}

// target that the cores of a variant come from.
func (o *Options) target(v Variant) launch.Target {
	if v.Target != nil {
		return v.Target
	}
	return o.Target
}

// targets are those of all variants, each once.
func (o *Options) targets() (list []launch.Target) {
	for _, v := range o.Variants {
		if t := o.target(v); !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// describe tells a variant to the proof.
func (v Variant) describe(instances int) proof.Variant {
	set := maps.Clone(v.Settings.Extra)
	if set == nil {
		set = map[string]string{}
	}
	set["access_token_blacklisting"] = strconv.FormatBool(v.Settings.Flag)
	return proof.Variant{
		Name: v.Name, Settings: set, Instances: instances,
		Request: map[string]string{"checkDatabase": strconv.FormatBool(v.CheckDatabase)},
	}
}

// index of a variant by name; -1 when there is none.
func index(list []Variant, name string) int {
	return slices.IndexFunc(list, func(v Variant) bool { return v.Name == name })
}

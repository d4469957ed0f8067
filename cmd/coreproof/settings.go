package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	// settingsFile is read from the working folder when it is there.
	settingsFile = "coreproof.yaml"
	configFlag   = "config"
	envPrefix    = "COREPROOF_"
)

// variable is the environment variable of a flag.
func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settle sets each flag that was not given from its variable, else from the file:
// a flag before a variable, a variable before the file, the file before the default.
func settle(cmd *cobra.Command, environ func(string) (string, bool)) error {
	path, named := "", false
	if f := cmd.Flags().Lookup(configFlag); f != nil {
		path, named = f.Value.String(), f.Changed
	}
	if v, ok := environ(variable(configFlag)); ok && !named {
		path, named = v, true
	}
	if path == "" {
		path = settingsFile
	}
	file, err := readSettings(path, cmd, named)
	if err != nil {
		return err
	}
	for _, line := range append(unknownVariables(cmd.Root(), os.Environ()), unheeded(cmd, environ, file, path)...) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s\n", cmd.CommandPath(), line)
	}
	given := map[string]setting{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == configFlag {
			return
		}
		if f.Changed {
			given[f.Name] = setting{rank: byFlag, values: []string{f.Value.String()}}
		} else if v, ok := environ(variable(f.Name)); ok {
			given[f.Name] = setting{rank: byVariable, from: variable(f.Name), values: []string{v}}
		} else if v, ok := file[f.Name]; ok {
			given[f.Name] = v
		}
	})
	leaveOut(given)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		g := given[name]
		if g.rank == byFlag {
			continue
		}
		f := cmd.Flags().Lookup(name)
		if err := set(cmd.Flags(), f, g.values); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w%s", g.from, err, forAll(cmd, name, g)))
		}
		_ = cmd.Flags().SetAnnotation(name, fromKey, []string{g.from + forAll(cmd, name, g)}) // it is there
	}
	return errors.Join(errs...)
}

// setting is what a flag is to be, and by whom.
type setting struct {
	rank   int
	from   string // where it stands
	shared bool   // by the file for every command
	values []string
}

// Ranks of those who set a flag.
const (
	byFile = iota + 1
	byVariable
	byFlag
)

// fromKey annotates a flag with where its value stands, when that is no command line.
const fromKey = "coreproof-from"

// instead names, by flag, those in whose stead it is given: they say the same otherwise,
// or mean nothing beside it.
var instead = map[string][]string{
	"api-key":      {"api-key-file"},
	"api-key-file": {"api-key"},
	"db":           {"url-on", "url-off"},
	"target":       {"core-image"},
	"url-on":       {"db", "core-image", "instances"},
}

// leaveOut takes away what was set by a lower rank than what is given in its stead: a
// flag comes before a variable, also where the two have different names.
func leaveOut(given map[string]setting) {
	for rank := byFlag; rank > byFile; rank-- {
		for name, others := range instead {
			if g := given[name]; g.rank != rank || len(g.values) == 1 && g.values[0] == "" {
				continue
			}
			for _, other := range others {
				if given[other].rank < rank {
					delete(given, other)
				}
			}
		}
	}
}

// forAll says how to mend what the file sets for every command that has such a flag, and
// that is meant for one.
func forAll(cmd *cobra.Command, name string, g setting) string {
	if !g.shared {
		return ""
	}
	for _, other := range []string{"run", "gate"} {
		if c, _, err := cmd.Root().Find([]string{other}); err == nil && c != cmd && c.Flags().Lookup(name) != nil {
			return ", which is for every command: put it under \"" + other + ":\", or the one that it is meant for"
		}
	}
	return ""
}

// standing adds to an error that names flags where those stand that nobody gave.
func standing(cmd *cobra.Command, err error) error {
	said := err.Error()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if from := f.Annotations[fromKey]; len(from) > 0 && mentions(said, "--"+f.Name) {
			err = fmt.Errorf("%w (--%s is from %s)", err, f.Name, from[0])
		}
	})
	return err
}

// mentions says whether a text holds a flag, and not only one that begins like it.
func mentions(text, flag string) bool {
	for _, rest := range strings.Split(text, flag)[1:] {
		if rest == "" || rest[0] != '-' && (rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}

// unheeded are lines about limits that were set for a command that cannot hold
// anything to them. Other settings may stand in the file for other commands.
func unheeded(cmd *cobra.Command, environ func(string) (string, bool), file map[string]setting, path string) []string {
	const flag = "budget"
	if cmd.Flags().Lookup(flag) != nil || cmd.Flags().Lookup("check") == nil {
		return nil
	}
	var lines []string
	if _, ok := environ(variable(flag)); ok {
		lines = append(lines, variable(flag)+" has no meaning for a command that measures nothing")
	}
	if _, ok := file[flag]; ok {
		lines = append(lines, path+": "+flag+" has no meaning for a command that measures nothing")
	}
	return lines
}

func set(flags *pflag.FlagSet, f *pflag.Flag, values []string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok && len(values) != 1 {
		f.Changed = true
		return list.Replace(values)
	}
	if len(values) != 1 {
		return fmt.Errorf("want one value, got %d", len(values))
	}
	return flags.Set(f.Name, values[0])
}

// readSettings reads what a file sets for a command: flags by name, and those of
// the command alone in a map of its name, which come first.
func readSettings(path string, cmd *cobra.Command, named bool) (map[string]setting, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %w", configFlag, err)
	}
	var top map[string]entry
	var whole any // says what is wrong with a file as a whole
	err = yaml.Unmarshal(data, &whole)
	if err == nil {
		err = yaml.Unmarshal(data, &top)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %s", configFlag, path, strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
	}
	out := map[string]setting{}
	put := func(name, at string, e entry, shared bool) error {
		if e.values == nil {
			return fmt.Errorf("--%s %s: %s: want a value or a list of values", configFlag, path, at)
		}
		out[name] = setting{rank: byFile, from: path + ": " + at, shared: shared, values: e.values}
		return nil
	}
	sections := cmd.Root().Commands()
	for _, key := range slices.Sorted(maps.Keys(top)) {
		isFlag := slices.ContainsFunc(sections, func(c *cobra.Command) bool { return c.Flags().Lookup(key) != nil })
		i := slices.IndexFunc(sections, func(c *cobra.Command) bool { return c.Name() == key })
		switch section := top[key].section; {
		case i >= 0 && section != nil:
			for _, name := range slices.Sorted(maps.Keys(section)) {
				if sections[i].Flags().Lookup(name) == nil {
					return nil, fmt.Errorf("--%s %s: %s.%s: this command has no such flag", configFlag, path, key, name)
				}
			}
			continue
		case i >= 0 && !isFlag:
			return nil, fmt.Errorf("--%s %s: %s: want flags of this command by name", configFlag, path, key)
		case !isFlag || key == configFlag:
			return nil, fmt.Errorf("--%s %s: %s: no command has such a flag", configFlag, path, key)
		}
		if err := put(key, key, top[key], true); err != nil {
			return nil, err
		}
	}
	for name, e := range top[cmd.Name()].section {
		if err := put(name, cmd.Name()+"."+name, e, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// entry of a settings file: a value or a list of them, as a command line would have them,
// or the entries of a section. It is empty where it is neither.
type entry struct {
	values  []string
	section map[string]entry
}

// UnmarshalYAML reads an entry by what it is.
func (e *entry) UnmarshalYAML(decode func(any) error) error {
	var (
		one  word
		list []*word
	)
	switch {
	case decode(&one) == nil: // first: a tagged value is taken for a list else
		e.values = []string{string(one)}
	case decode(&e.section) == nil:
	case decode(&list) == nil:
		e.section, e.values = nil, []string{}
		for _, w := range list {
			if w == nil {
				e.values = nil
				break
			}
			e.values = append(e.values, string(*w))
		}
	default:
		e.section = nil
	}
	return nil
}

// word is a scalar as it is written: the version 2.20 is not the number 2.2.
type word string

// UnmarshalYAML takes the text of a scalar.
func (w *word) UnmarshalYAML(node ast.Node) error {
	if tag, ok := node.(*ast.TagNode); ok {
		node = tag.Value
	}
	switch n := node.(type) {
	case *ast.LiteralNode:
		*w = word(n.Value.Value)
	case ast.ScalarNode:
		*w = word(n.GetToken().Value)
	default:
		return errors.New("it is no value")
	}
	return nil
}

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
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == configFlag {
			return
		}
		from, values := variable(f.Name), []string(nil)
		if v, ok := environ(from); ok {
			values = []string{v}
		} else if v, ok := file[f.Name]; ok {
			from, values = path+": "+f.Name, v
		}
		if values == nil {
			return
		}
		if err := set(cmd.Flags(), f, values); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", from, err))
		}
	})
	return errors.Join(errs...)
}

// unheeded are lines about limits that were set for a command that cannot hold
// anything to them. Other settings may stand in the file for other commands.
func unheeded(cmd *cobra.Command, environ func(string) (string, bool), file map[string][]string, path string) []string {
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
func readSettings(path string, cmd *cobra.Command, named bool) (map[string][]string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %w", configFlag, err)
	}
	var top map[string]any
	if err := yaml.Unmarshal(data, &top); err != nil {
		return nil, fmt.Errorf("--%s %s: %s", configFlag, path, strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
	}
	out := map[string][]string{}
	sections := cmd.Root().Commands()
	for _, key := range slices.Sorted(maps.Keys(top)) {
		if i := slices.IndexFunc(sections, func(c *cobra.Command) bool { return c.Name() == key }); i >= 0 {
			section, ok := top[key].(map[string]any)
			isFlag := slices.ContainsFunc(sections, func(c *cobra.Command) bool { return c.Flags().Lookup(key) != nil })
			if !ok && isFlag {
				if out[key], err = texts(top[key]); err != nil {
					return nil, fmt.Errorf("--%s %s: %s: %w", configFlag, path, key, err)
				}
				continue
			}
			if !ok {
				return nil, fmt.Errorf("--%s %s: %s: want flags of this command by name", configFlag, path, key)
			}
			for name := range section {
				if sections[i].Flags().Lookup(name) == nil {
					return nil, fmt.Errorf("--%s %s: %s.%s: this command has no such flag", configFlag, path, key, name)
				}
			}
			continue
		}
		known := slices.ContainsFunc(sections, func(c *cobra.Command) bool { return c.Flags().Lookup(key) != nil })
		if !known || key == configFlag {
			return nil, fmt.Errorf("--%s %s: %s: no command has such a flag", configFlag, path, key)
		}
		if out[key], err = texts(top[key]); err != nil {
			return nil, fmt.Errorf("--%s %s: %s: %w", configFlag, path, key, err)
		}
	}
	section, _ := top[cmd.Name()].(map[string]any)
	for name, v := range section {
		if out[name], err = texts(v); err != nil {
			return nil, fmt.Errorf("--%s %s: %s.%s: %w", configFlag, path, cmd.Name(), name, err)
		}
	}
	return out, nil
}

// texts gives a scalar or a list of them as a command line would.
func texts(v any) ([]string, error) {
	switch v := v.(type) {
	case []any:
		out := []string{}
		for _, x := range v {
			one, err := texts(x)
			if err != nil || len(one) != 1 {
				return nil, errors.New("want a value or a list of values")
			}
			out = append(out, one...)
		}
		return out, nil
	case map[string]any, nil:
		return nil, errors.New("want a value or a list of values")
	default:
		return []string{fmt.Sprint(v)}, nil
	}
}

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
)

// secretFlags are never printed.
var secretFlags = map[string]bool{"api-key": true}

// settings are the flags of a command as they were set, by whatever way, without
// secrets.
func settings(cmd *cobra.Command) []string {
	var out []string
	cmd.Flags().Visit(func(f *pflag.Flag) { out = append(out, spell(f)...) })
	return out
}

func spell(f *pflag.Flag) []string {
	value := f.Value.String()
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = strings.Join(list.GetSlice(), ",")
	}
	switch {
	case secretFlags[f.Name]:
		return []string{"--" + f.Name, "***"}
	case f.Value.Type() == "bool":
		return []string{"--" + f.Name + "=" + value}
	}
	return []string{"--" + f.Name, value}
}

// notRerun are flags that choose checks and outputs, or measure: a rerun of one
// check sets them itself or has no use for them.
var notRerun = map[string]bool{
	"db": true, "check": true, "suite": true, "profile": true, "cdi": true, "seed": true, "out": true, "format": true, "quiet": true, "require": true, configFlag: true,
	"pid-on": true, "pid-off": true,
}

// fileFlags name files; a rerun may start in another folder.
var fileFlags = map[string]bool{"api-key-file": true, "ca-file": true, "cert-file": true, "key-file": true}

// absolute is spell with the whole path of a file.
func absolute(f *pflag.Flag) []string {
	words := spell(f)
	if (fileFlags[f.Name] || f.Name == "target" && !slices.Contains(descriptor.Shipped(), words[1])) && words[1] != "" {
		if path, err := filepath.Abs(words[1]); err == nil { // else the one that was given
			words[1] = path
		}
	}
	return words
}

// rerun gives the function that makes the whole command that tries one check again
// on a target. A key that was given openly stays out: the variable holds it then.
func (p *proving) rerun(cmd *cobra.Command) func(target, check, version string) string {
	conform := cmdConform(p.s).Flags()
	return func(target, check, version string) string {
		var b strings.Builder
		if p.target.url.APIKey != "" && p.target.key.file == "" {
			b.WriteString(`COREPROOF_API_KEY="$API_KEY" `)
		}
		b.WriteString("coreproof conform")
		word := func(args ...string) {
			for _, a := range args {
				b.WriteString(" " + quote(a))
			}
		}
		if len(p.target.url.On) == 0 && target != launch.OwnMemory {
			word("--db", target)
		}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if !notRerun[f.Name] && !secretFlags[f.Name] && conform.Lookup(f.Name) != nil {
				word(absolute(f)...)
			}
		})
		word("--check", check)
		if version != "" {
			word("--cdi", version)
		}
		word("--seed", fmt.Sprint(p.output.seed), "--out", "proof-"+check) // not over the proof that it comes from
		return b.String()
	}
}

// quote makes s one word of a POSIX shell.
func quote(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_.,:/=@%+", r))
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

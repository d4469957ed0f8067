package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// flags is a flag set that explains itself and never exits.
type flags struct {
	*flag.FlagSet
	usage, examples string
}

func newFlags(name, usage, examples string) *flags {
	f := &flags{flag.NewFlagSet("coreproof "+name, flag.ContinueOnError), usage, examples}
	f.SetOutput(io.Discard)
	return f
}

// parse gives an exit code when the command is done already: help was asked
// for, or the input cannot be used.
func (f *flags) parse(args []string, s streams) (code int, done bool) {
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(s.out, "Usage: %s\n\nFlags:\n", f.usage)
		f.SetOutput(s.out)
		f.PrintDefaults()
		fmt.Fprintf(s.out, "\nExamples:\n%s", f.examples)
		return exitHeld, true
	case err != nil:
		fmt.Fprintf(s.err, "%s: %v; try %s --help\n", f.Name(), err, f.Name())
		return exitUntried, true
	}
	return 0, false
}

// list is a flag that takes several values, with commas or given again.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			*l = append(*l, v)
		}
	}
	return nil
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coreproof/coreproof/internal/spelling"
)

// group is flags that a help text shows together.
type group struct {
	title string
	*pflag.FlagSet
}

func newGroup(title string) group {
	return group{title, pflag.NewFlagSet(title, pflag.ContinueOnError)}
}

// attach gives a command its flags in groups and a help text that shows them so.
func attach(cmd *cobra.Command, groups ...group) {
	cmd.DisableFlagsInUseLine = true
	for _, g := range groups {
		g.SortFlags = false
		cmd.Flags().AddFlagSet(g.FlagSet)
	}
	cmd.SetHelpFunc(func(c *cobra.Command, _ []string) { printHelp(c.OutOrStdout(), c, groups) })
}

func printHelp(w io.Writer, c *cobra.Command, groups []group) {
	fmt.Fprintf(w, "%s\n\nUsage: %s\n", sentence(c.Short), c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(w, "\n%s\n", c.Long)
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s:\n%s", g.title, g.FlagUsagesWrapped(100))
	}
	fmt.Fprint(w, "\nEvery flag can also be set by COREPROOF_<FLAG> or in coreproof.yaml.\n")
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// suggestFlag adds the nearest flag to the error of a mistyped one.
func suggestFlag(cmd *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	best := spelling.Nearest(name, names)
	if best == "" {
		return err
	}
	return fmt.Errorf("%w; did you mean --%s?", err, best)
}

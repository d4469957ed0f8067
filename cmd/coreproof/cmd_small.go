package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/internal/gate/selftest"
	"github.com/coreproof/coreproof/internal/link"
	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/refcore/serve"
)

func cmdCore(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "core",
		Short: "run the reference core, or with --broken NAME one with a known defect",
		Example: `  coreproof core --port 3567
  coreproof core --broken list
  coreproof core --broken positive-cache-2s --port 3567`,
		DisableFlagParsing: true, // the core's flags are its own
		RunE: func(cmd *cobra.Command, args []string) error {
			name, rest := takeFlag(args, "broken")
			if name == "" {
				if slices.ContainsFunc(rest, func(a string) bool { return a == "-h" || strings.TrimLeft(a, "-") == "help" }) {
					fmt.Fprint(s.out, "coreproof core --broken list names cores with a known defect; --broken NAME serves one.\n\n")
				}
				injected, rest, err := selftest.Injected(rest, os.Environ())
				if err != nil {
					return err
				}
				return exit(serve.MainDecorated(cmd.Context(), injected, "coreproof core", rest, os.Environ(), s.in, s.out, s.err))
			}
			return exit(serveBroken(cmd.Context(), name, rest, s))
		},
	}
}

// takeFlag takes --name VALUE or --name=VALUE out of args.
func takeFlag(args []string, name string) (value string, rest []string) {
	for i := 0; i < len(args); i++ {
		bare, v, has := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") || bare != name {
			rest = append(rest, args[i])
			continue
		}
		if !has && i+1 < len(args) {
			i++
			v = args[i]
		}
		value = v
	}
	return value, rest
}

func serveBroken(ctx context.Context, name string, args []string, s streams) int {
	if name == "list" {
		w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
		for _, d := range broken.All() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", d.Name, strings.Join(d.CaughtBy, " "), d.Text)
		}
		if err := w.Flush(); err != nil {
			return exitUntried
		}
		return exitHeld
	}
	d, ok := broken.Find(name)
	if !ok {
		fmt.Fprintf(s.err, "coreproof core: --broken %s: there is no such defect; --broken list names them\n", name)
		return exitUntried
	}
	fmt.Fprintf(s.err, "coreproof core: broken on purpose: %s\n", d.Text)
	return serve.MainDecorated(ctx, d.Decorate, "coreproof core", args, os.Environ(), s.in, s.out, s.err)
}

func cmdGenerator(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "generator", Short: "send load for another coreproof process", Hidden: true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return exit(generator.Main(cmd.Context(), args, s.in, s.out, s.err))
		},
	}
}

// cmdRelay is what puts a database at a distance, in a container of its own.
func cmdRelay(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "relay", Short: "relay connections with a delay, for another coreproof process", Hidden: true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return exit(link.Main(cmd.Context(), args, s.out, s.err))
		},
	}
}

func cmdVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(s.out, "coreproof %s %s %s %s/%s\n", version.String(), version.Commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func cmdChecks(s streams) *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use: "checks", Short: "list the checks", Args: cobra.NoArgs,
		Example: "  coreproof checks --long",
		RunE: func(*cobra.Command, []string) error {
			return listChecks(s, long)
		},
	}
	g := newGroup("Flags")
	g.BoolVar(&long, "long", false, "with requirement and source")
	attach(cmd, g)
	return cmd
}

func listChecks(s streams, long bool) error {
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for _, c := range checks.All() {
		profiles := make([]string, len(c.Profiles))
		for i, p := range c.Profiles {
			profiles[i] = string(p)
		}
		if !long {
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.ID, strings.Join(profiles, ","), c.Title)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\n\tsuite %s, profiles %s\n\tRequirement: %s\n\tSource: %s\n", c.ID, c.Title, c.Suite, strings.Join(profiles, ", "), c.Requirement, c.Source)
		if needs := c.Needs.List(); len(needs) > 0 {
			fmt.Fprintf(w, "\tNeeds: %s\n", strings.Join(needs, ", "))
		}
	}
	return w.Flush()
}

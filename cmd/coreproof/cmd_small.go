package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/refcore/serve"
)

func cmdCore(ctx context.Context, args []string, s streams) int {
	return serve.Main(ctx, "coreproof core", args, os.Environ(), s.in, s.out, s.err)
}

func cmdGenerator(ctx context.Context, args []string, s streams) int {
	return generator.Main(ctx, args, s.in, s.out, s.err)
}

func cmdVersion(_ context.Context, args []string, s streams) int {
	f := newFlags("version", "coreproof version", "  coreproof version\n")
	if code, done := f.parse(args, s); done {
		return code
	}
	fmt.Fprintf(s.out, "coreproof %s %s %s %s/%s\n", version.String(), version.Commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitHeld
}

func cmdChecks(_ context.Context, args []string, s streams) int {
	f := newFlags("checks", "coreproof checks [--long]", "  coreproof checks --long\n")
	long := f.Bool("long", false, "with requirement and source")
	if code, done := f.parse(args, s); done {
		return code
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for _, c := range conformance.Checks() {
		profiles := make([]string, len(c.Profiles))
		for i, p := range c.Profiles {
			profiles[i] = string(p)
		}
		if *long {
			fmt.Fprintf(w, "%s\t%s\n\tsuite %s, profiles %s\n\tRequirement: %s\n\tSource: %s\n", c.ID, c.Title, c.Suite, strings.Join(profiles, ", "), c.Requirement, c.Source)
			if needs := c.Needs.List(); len(needs) > 0 {
				fmt.Fprintf(w, "\tNeeds: %s\n", strings.Join(needs, ", "))
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.ID, strings.Join(profiles, ","), c.Title)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintf(s.err, "coreproof checks: %v\n", err)
		return exitUntried
	}
	return exitHeld
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coreproof/coreproof/internal/spelling"
)

// otherVariables begin like those of flags and are none: images, what cores and
// generators are started with, and what tests read.
var otherVariables = []string{
	"COREPROOF_POSTGRES_IMAGE", "COREPROOF_MYSQL_IMAGE", "COREPROOF_MARIADB_IMAGE", "COREPROOF_MONGO_IMAGE",
	"COREPROOF_GENERATOR_IMAGE", "COREPROOF_GENERATOR_SECRET", "COREPROOF_PAD", "COREPROOF_RUN",
	"COREPROOF_REQUIRE_DOCKER", "COREPROOF_LONG_TESTS", "COREPROOF_SQLITE_TEST_CHILD",
	"COREPROOF_BENCH_ROUNDS", "COREPROOF_BENCH_ROWS", "COREPROOF_BENCH_STORES",
}

// unknownVariables are lines about variables that nothing reads: one mistyped would
// leave a limit or a key unset without a word.
func unknownVariables(root *cobra.Command, environ []string) []string {
	known := slices.Clone(otherVariables)
	for _, c := range root.Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, variable(f.Name)) })
	}
	var lines []string
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) {
			continue
		}
		line := fmt.Sprintf("variable %s is not read: no command has such a flag", name)
		if near := spelling.Nearest(name, known); near != "" {
			line += "; did you mean " + near + "?"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// Command coreproof proves that a SuperTokens-style session core logs users
// out at once when access token blacklisting is on, and prices the promise.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/coreproof/coreproof/internal/target"
)

// Exit codes.
const (
	exitHeld    = 0 // all held
	exitFailed  = 1 // a check, claim or budget failed
	exitUntried = 2 // it could not be tried, or the input cannot be used
)

// command is one word of the command line. A new one is a file and a line in
// commands.
type command struct {
	name   string
	short  string
	hidden bool
	run    func(ctx context.Context, args []string, s streams) int
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func commands() []command {
	return []command{
		{"run", "prove and price a core: checks, footprint, bench, reports", false, cmdRun},
		{"conform", "try the conformance checks", false, cmdConform},
		{"bench", "price the flag: verify with blacklisting on against off", false, cmdBench},
		{"report", "render a saved proof, or verify its verdict", false, cmdReport},
		{"checks", "list the checks", false, cmdChecks},
		{"core", "run the reference core", false, cmdCore},
		{"version", "print the version", false, cmdVersion},
		{"generator", "send load for another coreproof process", true, cmdGenerator},
	}
}

func main() {
	target.QuietContainers()
	// The first Ctrl-C ends the run in order; the second one ends the program. One
	// that comes right after the first is the same one: some callers signal both the
	// process and its group.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	code := dispatch(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

func dispatch(ctx context.Context, args []string, s streams) int {
	if len(args) == 0 {
		usage(s.err)
		return exitUntried
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) > 1 {
			return dispatch(ctx, []string{args[1], "--help"}, s)
		}
		usage(s.out)
		return exitHeld
	case "--version", "-version":
		return cmdVersion(ctx, nil, s)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], s)
		}
	}
	fmt.Fprintf(s.err, "coreproof: there is no command %q; try coreproof help\n", args[0])
	return exitUntried
}

func usage(w io.Writer) {
	var list strings.Builder
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(&list, "  %-9s %s\n", c.name, c.short)
		}
	}
	fmt.Fprintf(w, `coreproof proves that a session core logs users out at once when access token
blacklisting is on, and says what that promise costs per call.

Usage: coreproof COMMAND [flags]

%s
Examples:
  coreproof run                                  prove the reference core (needs nothing)
  coreproof run --db postgres,mysql              the same on databases in containers
  coreproof conform --url-on http://127.0.0.1:3567 --url-off http://127.0.0.1:3568
  coreproof report proof/ --format markdown

Exit status: 0 all held, 1 a check or budget failed, 2 it could not be tried.
`, list.String())
}

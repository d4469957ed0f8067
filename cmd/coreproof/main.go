// Command coreproof proves that a SuperTokens-style session core logs users
// out at once when access token blacklisting is on, and prices the promise.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
)

// Exit codes.
const (
	exitHeld    = 0 // all held
	exitFailed  = 1 // a check, claim or budget failed
	exitUntried = 2 // it could not be tried, or the input cannot be used
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	as       string // how this program is called in lines to copy; coreproof when empty
}

// status is an exit code on its way out of a command; what there was to say has
// been said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit %d", int(s)) }

// exit makes an error of a code; nil for 0.
func exit(code int) error {
	if code == exitHeld {
		return nil
	}
	return status(code)
}

func main() {
	launch.QuietContainers()
	// The first Ctrl-C ends the run in order; the second one ends the program. One
	// that comes right after the first is the same one: some callers signal both the
	// process and its group.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	ctx, out, errs := untilNobodyReads(ctx, os.Stdout, os.Stderr)
	self, _ := os.Executable() // else it is not known as the one on the PATH
	code := dispatch(ctx, os.Args[1:], streams{in: os.Stdin, out: out, err: errs, as: calledAs(os.Args[0], self)})
	stop()
	os.Exit(code)
}

// dispatch runs one command line and gives its exit code.
func dispatch(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	cmd, err := root.ExecuteContextC(ctx)
	var (
		code     status
		mistakes descriptor.Mistakes
	)
	more := "try " + cmd.CommandPath() + " --help"
	switch {
	case err == nil:
		return exitHeld
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &mistakes):
		more = "coreproof target schema lists every field"
	}
	err = standing(cmd, err)
	fmt.Fprintf(s.err, "%s: %s; %s\n", cmd.CommandPath(), strings.Join(strings.Fields(err.Error()), " "), more)
	return exitUntried
}

// newRoot makes the command with all that are below it. A new command is a file and
// a line here.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "coreproof",
		Short: "prove that a session core logs users out at once, and price it",
		Long: `coreproof proves that a session core logs users out at once when access token
blacklisting is on, and says what that promise costs per call.

Every flag can also be set by a variable COREPROOF_<FLAG> (--rate-cap is
COREPROOF_RATE_CAP) or in coreproof.yaml (--config names another file), for every
command, or below a command's name for it alone (run:). A flag comes before a
variable, a variable before the file, the file before the default.

Exit status of run, conform and bench: 0 all held, 1 a check, claim or budget
failed, 2 it could not be tried or the input cannot be used. report gives 0 when it
could render, report --verify 1 when something differs; gate, diff and publish as
their help says.`,
		Example: `  coreproof run                                  prove the reference core (needs nothing)
  coreproof run --db postgres,mysql              the same on databases in containers
  coreproof conform --url-on http://127.0.0.1:3567 --url-off http://127.0.0.1:3568
  coreproof gate --base ./core-main --head ./core-new
  coreproof diff http://127.0.0.1:3567 sqlite    the same calls on two cores
  coreproof report proof/ --format markdown`,
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				cmd.SetOut(s.err)
				_ = cmd.Help()
				return status(exitUntried)
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		cmdRun(s), cmdConform(s), cmdBench(s), cmdGate(s), cmdDiff(s), cmdAttack(s), cmdMerge(s), cmdPlan(s), cmdReport(s), cmdPublish(s), cmdTarget(s), cmdChecks(s), cmdCore(s), cmdVersion(s), cmdGenerator(s), cmdRelay(s), cmdVerifier(),
	)
	version := cmdVersion(s)
	root.Flags().BoolP("version", "v", false, "print the version")
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if v, _ := cmd.Flags().GetBool("version"); v {
			return version.RunE(cmd, nil)
		}
		return run(cmd, args)
	}
	for _, c := range root.Commands() {
		c.SetFlagErrorFunc(suggestFlag)
	}
	root.SetFlagErrorFunc(suggestFlag)
	return root
}

func unknownCommand(cmd *cobra.Command, name string) error {
	err := fmt.Errorf("there is no command %q", name)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return err
}
